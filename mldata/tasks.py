"""The spec as doit tasks: one a dataset and stage, with source files and receipts as file dependencies.

``dodo.py`` of a project is two lines::

    from mldata.tasks import load
    globals().update(load("mldata.yaml"))

Task graph: ``fetch:D`` <- ``normalize:D`` <- ``transform:D`` <- ``split:D`` <- ``validate:D`` <- ``profile:D`` <- ``export:D`` <- ``build:D``;
``build`` groups them and is the default. An export waits for the validation without being made of its report: data that did not pass is not exported.
Nothing reads what profile makes.

What doit 0.37 does is designed around as follows. Its state is written only when a run ends: the action cache makes the next run
after a kill nearly free. It checks that targets exist, nothing more: every task has an ``uptodate`` callable that verifies receipts,
objects and exports. Its own file comparison is replaced by :class:`mldata.build.Session`'s, which shares the store's stat
cache: the state that doit keeps for a source file only says that the file was there, and for a receipt it is the *output* that the
receipt names, so that a stage which gives equal bytes stops the build there. Captured output would end up with the wrong
task in threaded runs, so nothing is captured. Its database is written in place, and a damaged one stops it with a traceback: doit is given the
null device, and :class:`mldata.doitstate.StateCodec` keeps the real file, published whole and dropped when it does not verify.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit.dependency import FileChangedChecker
from doit.exceptions import InvalidDodoFile, TaskFailed

from mldata.build import Session
from mldata.buildoptions import Options
from mldata.doitstate import StateCodec
from mldata.errors import EXIT_INTERRUPTED, BuildError, MldataError
from mldata.graph import Step, gates_of, needs_of, steps
from mldata.stages import STAGES
from mldata.verdict import ValidationFailed

if TYPE_CHECKING:
    from mldata.project import Project

Namespace = dict[str, Any]
_PRESENT = "1"
"""doit's state for a source file; whether its content changed is for the session to say."""


def load(spec: str | Path = "mldata.yaml", options: Options | None = None) -> Namespace:
    """Everything that a ``dodo.py`` needs: task creators and ``DOIT_CONFIG``.

    Args:
        spec: the spec, or the folder that holds it; a relative path starts at doit's working folder (that of dodo.py).
        options: how to build, for example ``Options(executor="processes")``; None: by the user's settings.

    Raises:
        doit.exceptions.InvalidDodoFile: the spec cannot be built; doit shows the message and exits with 3.
    """
    from mldata.project import load_project
    from mldata.reporter import pick_reporter
    from store import StoreError

    try:
        project = load_project(Path(spec))
    except (MldataError, StoreError) as error:
        raise InvalidDodoFile(str(error)) from None
    import atexit

    if options is None:
        from mldata.config import load_config

        try:
            config = load_config()
        except MldataError as error:
            raise InvalidDodoFile(str(error)) from None
        options = Options(jobs=config.jobs, executor=config.executor, offline=config.offline)
    reporter = pick_reporter(quiet=False, color="NO_COLOR" not in os.environ)
    session = Session(project, options, reporter)
    atexit.register(session.close)
    try:
        _ = (
            session.store
        )  # a store that cannot be opened is told here: inside a task doit would add a traceback
    except StoreError as error:
        raise InvalidDodoFile(str(error)) from None
    return namespace(session, standalone=True)


def namespace(session: Session, *, standalone: bool = False) -> Namespace:
    """doit's namespace for a session: ``mldata build`` and ``dodo.py`` run the same tasks.

    ``standalone``: the ``doit`` program runs them, so an interrupt must be explained and turned into an exit code here.
    """
    project = session.project
    creators: Namespace = {
        "DOIT_CONFIG": config(session),
        "task_build": lambda: _build_tasks(session, standalone),
    }
    for stage in STAGES:
        if any(stage in spec.stages for spec in project.datasets.values()):
            creators[f"task_{stage}"] = _creator(session, stage, standalone)
    return creators


def config(session: Session) -> dict[str, Any]:
    """doit's settings for a session."""
    database = session.project.state / "doit.json"
    return {
        "dep_file": os.devnull,
        "backend": "json",
        "codec_cls": partial(StateCodec, database),
        "check_file_uptodate": _checker(session),
        "default_tasks": ["build"],
        "verbosity": 2,
    }


def task_names(project: Project, datasets: list[str]) -> list[str]:
    """The doit tasks that build the named datasets; all of them when the list is empty."""
    return [f"build:{name}" for name in datasets or list(project.datasets)]


# -- tasks ---------------------------------------------------------------------------------------------------------------


def _creator(session: Session, stage: str, standalone: bool) -> Callable[[], Iterator[dict[str, Any]]]:
    def create() -> Iterator[dict[str, Any]]:
        yield {"basename": stage, "name": None, "doc": _DOCS[stage]}
        for dataset in session.project.datasets:
            if stage in session.state.stages(dataset):
                yield _task(session, dataset, stage, standalone)

    return create


_DOCS = {
    "fetch": "bring raw files into the store",
    "normalize": "raw files to one table",
    "transform": "change the table by steps and own code",
    "split": "give each row its part",
    "validate": "check the data",
    "profile": "summarize the data",
    "export": "write the dataset's folder",
    "build": "build every dataset and record it",
}


def _task(session: Session, dataset: str, stage: str, standalone: bool) -> dict[str, Any]:
    # Source files or code, and what comes from the stages before.
    before = needs_of(session.project.datasets, Step(dataset, stage))
    file_dep = [
        *session.state.own_files(dataset, stage),
        *(str(session.state.receipt_path(*need.step)) for need in before),
    ]

    def run() -> TaskFailed | None:
        return _guard(session, dataset, stage, lambda: session.run_stage(dataset, stage), standalone)

    def uptodate() -> bool:
        if session.options.force:
            return False
        if stage in ("fetch", "transform"):  # doit compares this task's files next
            session.changed_now = session.state.changed_files(dataset, stage)
        return _decide(lambda: session.current(dataset, stage))

    return {
        "basename": stage,
        "name": dataset,
        "doc": f"{_DOCS[stage]}: {dataset}",
        "file_dep": file_dep,
        "task_dep": [str(gate) for gate in gates_of(session.project.datasets, Step(dataset, stage))],
        "targets": [str(session.state.receipt_path(dataset, stage))],
        "actions": [run],
        "uptodate": [uptodate],
        "clean": True,
        "io": {"capture": False},
    }


def _build_tasks(session: Session, standalone: bool) -> Iterator[dict[str, Any]]:
    yield {"basename": "build", "name": None, "doc": _DOCS["build"]}
    for dataset in session.project.datasets:
        stages = session.state.stages(dataset)

        def run(dataset: str = dataset) -> TaskFailed | None:
            return _guard(session, dataset, "build", lambda: session.record(dataset), standalone)

        def uptodate(dataset: str = dataset) -> bool:
            return _decide(lambda: session.recorded(dataset) is not None)

        yield {
            "basename": "build",
            "name": dataset,
            "doc": f"build {dataset} and record it",
            "file_dep": [str(session.state.receipt_path(dataset, stage)) for stage in stages],
            "targets": [str(session.state.receipt_path(dataset, "build"))],
            "actions": [run],
            "uptodate": [(uptodate, [], {})],
            "clean": True,
            "io": {"capture": False},
        }


def _decide(question: Callable[[], bool]) -> bool:
    """The answer; if it cannot be found out, no: the task then runs, and says what is wrong in its own words."""
    from store import StoreError

    try:
        return question()
    except (MldataError, StoreError, OSError):
        return False


def _guard(
    session: Session, dataset: str, stage: str, work: Callable[[], object], standalone: bool
) -> TaskFailed | None:
    """Run ``work``; an error becomes a failed task with its message. Below the ``doit`` program one that nobody expected is left to doit, which
    prints its traceback."""
    from store import StoreError

    try:
        work()
    except (MldataError, StoreError) as error:
        session.failures[dataset, stage] = error
        return TaskFailed(str(error), report=True)
    except OSError as error:
        session.failures[dataset, stage] = error
        where = f"{error.filename}: " if error.filename else ""
        return TaskFailed(f"{where}{error.strerror or error}", report=True)
    except KeyboardInterrupt:
        if not standalone:
            raise
        session.reporter.message("interrupted; what was finished is kept; to go on: run the same command")
        session.close()
        raise SystemExit(EXIT_INTERRUPTED) from None
    except Exception as error:
        if standalone:
            raise
        error.add_note(f"in {Step(dataset, stage)}")
        session.failures[dataset, stage] = error
        return TaskFailed(repr(error), report=True)
    return None


# -- running ---------------------------------------------------------------------------------------------------------------


def _checker(session: Session) -> type[FileChangedChecker]:
    """A doit checker that asks the session about content instead of reading files a second time."""
    from mldata.receipts import Receipt, read_receipt

    receipts = str(session.state.receipts) + os.sep

    class ContentChecker(FileChangedChecker):  # type: ignore[misc]
        """Compares content, through receipts and the stat cache. Called once for each of maybe 100,000 files."""

        def info(self, file_path: str) -> object:
            # A source file was listed a moment ago, with its stat: None says that it is one.
            return os.stat(file_path) if file_path.startswith(receipts) else None

        def check_modified(self, file_path: str, file_stat: object, state: str) -> bool:
            if file_stat is None:
                return file_path in session.changed_now
            return state != self.get_state(file_path, None)

        def get_state(self, dep: str, current_state: str | None) -> str | None:
            if not dep.startswith(receipts):
                return None if current_state == _PRESENT else _PRESENT
            found = read_receipt(Path(dep))
            state = str(found.output) if isinstance(found, Receipt) else ""
            return None if state == current_state else state

    return ContentChecker


def run_doit(session: Session, names: list[str], reporter: type | None = None) -> int:
    """Run tasks through doit's API; no configuration file overrides what is passed here.

    Returns:
        doit's exit code: 0 done, 1 a task failed, 2 an error, 3 before anything ran.
    """
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    _ = session.store  # opened here, so that a store that cannot be used is told without doit in between
    space = namespace(session)
    if reporter is not None:
        space["DOIT_CONFIG"]["reporter"] = reporter
    if session.options.keep_going:
        space["DOIT_CONFIG"]["continue"] = True
    main = DoitMain(ModuleTaskLoader(space), config_filenames=())
    with _without_plugins():
        return int(main.run(["run", *names]))


_own = threading.local()
"""``running`` is set in a thread while doit runs there for a build of ours."""


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Keep doit from looking for plug-ins of its own: it would go through all installed distributions four times, which is half of
    a build with nothing to do, and what is run here is fixed anyway. Other uses of doit, in other threads too, find theirs."""
    from doit import plugin

    found = plugin.entry_points_impl
    if not getattr(found, "for_builds", False):

        def entry_points() -> Callable[..., Any]:
            return (lambda group: ()) if getattr(_own, "running", False) else found()

        entry_points.for_builds = True  # type: ignore[attr-defined]
        plugin.entry_points_impl = entry_points
    _own.running = True
    try:
        yield
    finally:
        _own.running = False


def build_datasets(session: Session, datasets: list[str]) -> int:
    """Build the named datasets (all when empty); what happened is in ``session.reports`` and ``session.failures``."""
    session.exporting |= set(datasets or session.project.datasets)
    code = run_tasks(session, task_names(session.project, datasets))
    _explain(session, datasets or list(session.project.datasets))
    return code


def build_folder(session: Session, dataset: str) -> int:
    """As :func:`build_datasets` for one dataset that is only exported: no build of it is recorded."""
    session.exporting.add(dataset)
    code = run_tasks(session, [str(Step(dataset, "export"))])
    _explain(session, [dataset])
    return code


class StandsOnFailure(BuildError):
    """A dataset was not built because one that it stands on was not."""


def _explain(session: Session, datasets: list[str]) -> None:
    """Note why a dataset was not built although none of its own stages failed."""
    failed = {Step(*step) for step in session.failures}
    for name in datasets if failed else ():
        wanted = [Step(name, stage) for stage in session.state.stages(name)]
        below = [step for step in steps(session.project.datasets, wanted) if step in failed]
        if below and all(step.dataset != name for step in below):
            step = below[0]
            session.failures[name, "build"] = StandsOnFailure(
                f"{name!r} was not built: it stands on {step.dataset!r}, whose {step.stage} failed",
                hint=f"Mend that first: mldata build {step.dataset}",
            )


def run_fetch(session: Session, datasets: list[str]) -> int:
    """Look at the sources of the named datasets, and no further."""
    code = run_tasks(session, [f"fetch:{name}" for name in datasets])
    _explain(session, datasets)
    return code


def run_tasks(session: Session, names: list[str]) -> int:
    """The same for tasks such as ``split:penguins``, with all that they need."""
    return run_doit(session, names, SilentReporter)


def require_tasks(session: Session, names: list[str]) -> None:
    """Run tasks such as ``split:penguins``. Raises the first failure, but for data that did not pass its validation: the report tells that."""
    code = run_tasks(session, names)
    for error in session.failures.values():
        if not isinstance(error, ValidationFailed):
            raise error
    if code and not session.failures:
        raise BuildError(f"doit stopped with code {code}", where=", ".join(names))


class SilentReporter:
    """A doit reporter that prints nothing: the session has its own."""

    desc = "nothing; mldata reports by itself"

    def __init__(self, outstream: object, options: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None
