"""Making a kept build again to see whether the same bytes come out: every stage, in a store of its own that knows no result.

What is taken from the store where the build is kept: its record with recipe and code, its source files, which are hashed whatever their seals
say, and what its validation held the data against. Everything else is made again, each stage from what the stages before it have made here.

Invariant: the store of the build is only read. The scratch store is removed however this ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.context import Made
from mldata.errors import BuildError, MldataError, UsageError
from mldata.keptbuild import KeptBuild
from mldata.libraries import library_version
from mldata.outputdiff import Difference, Stored, output_difference
from mldata.stages import STAGES
from mldata.version import __version__

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.reporter import Reporter
    from store import Digest, ObjectId, Store

__all__ = ["Cause", "Rebuilt", "StageMade", "rebuild", "scratch_store"]

PREFIX = "rebuild-"


@dataclass(frozen=True)
class StageMade:
    """What came of a stage."""

    expected: Digest
    got: Digest | None
    """None: it could not be made."""

    @property
    def same(self) -> bool:
        """Whether it is what it was."""
        return self.got == self.expected


@dataclass(frozen=True)
class Cause:
    """Something that is another one now than when the build was made, and can change bytes."""

    code: str
    """``stage-version``, ``library``, ``mldata`` or ``python``."""
    text: str
    details: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` shows it."""
        return {"code": self.code, "text": self.text, **self.details}


@dataclass
class Rebuilt:
    """What a rebuild showed."""

    name: str
    stages: dict[str, StageMade] = field(default_factory=dict)
    """In order; after one that could not be made, none is tried."""
    causes: list[Cause] = field(default_factory=list)
    """Where something differs: the versions that may be why."""
    difference: Difference | None = None
    """The first one, in the first stage that differs."""
    again: bool | None = None
    """Whether the stage that differs first, run once more, made the same once more. None: it was not run again."""
    error: MldataError | None = None
    """Why a stage could not be made."""
    warnings: list[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Whether every stage made what it made then."""
        return self.error is None and all(made.same for made in self.stages.values())

    @property
    def first(self) -> str | None:
        """The first stage that differs or could not be made."""
        return next((stage for stage, made in self.stages.items() if not made.same), None)


@contextmanager
def scratch_store(store: Store, folder: Path | None) -> Iterator[Store]:
    """An empty store in a folder of its own: in ``folder``, or among the temporaries of ``store``. Removed afterwards.

    Raises:
        UsageError: it cannot be made there.
    """
    from store import Store as AnyStore

    if folder is None and store.read_only:
        raise UsageError(
            f"the store {store.root} is read-only, so there is no place for what is made again",
            hint="Name a folder for it: --scratch DIR",
        )
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder or store.layout.tmp))
    except OSError as error:
        raise UsageError(
            f"expected a folder to write to, found {error.strerror or error}", where=str(folder or store.root)
        ) from None
    try:
        with AnyStore.open(root) as scratch:
            yield scratch
    finally:
        shutil.rmtree(root, ignore_errors=True)


def rebuild(
    kept: KeptBuild,
    scratch: Store,
    *,
    project: Path,
    executor: Executor,
    reporter: Reporter,
    done: Callable[[str, StageMade], None] = lambda stage, made: None,
) -> Rebuilt:
    """Make a build again in ``scratch``.

    Args:
        project: the folder of the project, where code that the store has lost may still be.
        done: told of each stage as it ends.

    Raises:
        BuildError: source files of the build are lost, or its record has no recipe. store.StoreError: of ``scratch``.
    """
    _ = kept.recipe  # whether there is one is known before the sources are read
    run = _Run(kept, scratch, project, executor, reporter)
    told = Rebuilt(kept.name)
    for stage in kept.stages:
        expected = kept.record.outputs[stage]
        try:
            made = StageMade(expected, run.sources() if stage == "fetch" else run.stage(stage))
        except MldataError as error:
            if stage == "fetch":
                raise
            made, told.error = StageMade(expected, None), error
        told.stages[stage] = made
        done(stage, made)
        if told.error:
            told.stages = {
                name: StageMade(it, None) for name, it in kept.record.outputs.items()
            } | told.stages
            break
    told.warnings = run.warnings
    if (first := told.first) is not None:
        told.causes = _causes(kept, first)
        got = told.stages[first].got
        if got is not None:
            told.difference = _explained(Stored(kept.store, kept.record.outputs[first]), Stored(scratch, got))
            if first == "transform" and kept.recipe.code and not told.causes:
                told.again = run.once_more(first)
    return told


class _Run:
    """One rebuild while it runs."""

    def __init__(
        self, kept: KeptBuild, scratch: Store, project: Path, executor: Executor, reporter: Reporter
    ) -> None:
        self.warnings: list[str] = []
        self._kept, self._scratch, self._project = kept, scratch, project
        self._executor, self._reporter = executor, reporter
        self._outputs: dict[str, Digest] = {}
        self._unsteady = False
        self._made: dict[str, Made] = {}

    def sources(self) -> Digest:
        """Take the source files over; the tree that they make."""
        from store import ObjectCorrupt, ObjectId, ObjectMissing

        kept = self._kept
        tree = kept.record.outputs["fetch"]
        progress = self._reporter.stage(kept.record.dataset, "fetch")
        paths: dict[ObjectId, str] = {}
        try:
            entries = dict(kept.store.walk(tree))
            paths = {ObjectId(entry.digest, entry.size): path for path, entry in reversed(entries.items())}
            progress.plan(len(paths), sum(id.size for id in paths))
            for id in self._scratch.borrow(kept.store, paths):
                progress.advance(paths[id], id.size)
        except (ObjectMissing, ObjectCorrupt) as error:
            progress.finish(None)
            raise self._lost(str(error.digest), {id.digest: path for id, path in paths.items()}) from error
        except BaseException:
            progress.finish(None)
            raise
        files = ((path, ObjectId(it.digest, it.size), it.executable) for path, it in entries.items())
        self._outputs["fetch"] = self._scratch.put_paths(files).digest
        self._made["fetch"] = Made(STAGES["fetch"].version, {})
        progress.finish(f"{len(entries):,} files read from the store")
        return self._outputs["fetch"]

    def _lost(self, digest: str, paths: Mapping[Digest, str]) -> BuildError:
        path = next((path for object_, path in paths.items() if object_ == digest), None)
        what = f"the source file {path}" if path is not None else "the list of its source files"
        return BuildError(
            f"expected {what} of this build in the store, found it lost or damaged (object {digest})",
            where=self._kept.name,
            hint="If the source still has it, `mldata build` brings it back; `mldata check --read-data` says what else is lost.",
        )

    def once_more(self, stage: str) -> bool:
        """Whether a stage makes the same if all its actions run again."""
        try:
            return self.stage(stage, force=True) == self._outputs[stage] and not self._unsteady
        except MldataError:
            return False

    def stage(self, stage: str, *, force: bool = False) -> Digest:
        """Run a stage; what it made, which later stages read. ``force``: all actions run again, for nothing but the comparison."""
        kept = self._kept
        progress = self._reporter.stage(kept.record.dataset, stage)
        params = kept.params(stage)
        context = kept.context(self._made, params) if stage == "export" else {}
        if stage == "validate":
            context = self._baseline()
        job = kept.job(
            stage,
            self._scratch,
            kept.inputs(stage, self._outputs),
            executor=self._executor,
            progress=progress,
            context=context,
            force=force,
        )
        folder = Path(tempfile.mkdtemp(prefix=f"{stage}-", dir=self._scratch.root))
        try:
            output = kept.stage(stage, self._project, folder).build(job)
        except KeyError as error:  # a parameter or a format that there was then, or is only now
            progress.finish(None)
            raise BuildError(
                f"the {stage} stage of mldata {__version__} cannot follow the recipe of this build: it does not know {error}",
                where=kept.name,
                hint=f"mldata {kept.record.mldata} made the build, with the plug-ins of then: that can make it again.",
            ) from error
        except BaseException:
            progress.finish(None)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        rows = "" if output.rows is None else f", {output.rows:,} rows"
        progress.finish(f"{job.runs} run{rows}")
        self._unsteady = bool(job.unsteady)
        if not force:
            self.warnings += job.warnings
            self._outputs[stage] = output.output.digest
            self._made[stage] = Made(STAGES[stage].version, dict(sorted(job.used_libraries.items())))
        return output.output.digest

    def _baseline(self) -> dict[str, Any]:
        """What a validation held the data against, taken over from the store: the build that it was of need not be there."""
        from mldata.stages.expecting import BASELINE, baseline_files
        from store import ObjectCorrupt, ObjectMissing

        kept = self._kept
        try:
            files = baseline_files(kept.store, kept.record.outputs["validate"])
            for _ in self._scratch.borrow(kept.store, files.values()):
                pass
        except (ObjectMissing, ObjectCorrupt) as error:
            raise BuildError(
                f"expected what the data of this build was held against in the store, found it lost or damaged: {error}",
                where=kept.name,
                hint="`mldata check --read-data` says what else is lost.",
            ) from error
        return {BASELINE: {name: list(it) for name, it in files.items()}} if files else {}


def _explained(expected: Stored, got: Stored) -> Difference | None:
    from store import StoreError

    try:
        return output_difference(expected, got)
    except (MldataError, StoreError) as error:  # lost or damaged, or in a form of another version
        return Difference(f"what the build made cannot be compared: {error}", {"error": str(error)})


def _causes(kept: KeptBuild, until: str) -> list[Cause]:
    """What is another version now, of the stages up to ``until``."""
    causes: dict[tuple[str, str], Cause] = {}

    def changed(code: str, what: str, old: object, new: object, **details: Any) -> None:
        if old != new:
            text = f"{what} was {old}, is {new} now"
            causes.setdefault((code, what), Cause(code, text, {**details, "old": old, "new": new}))

    record = kept.record
    stages = kept.stages[: kept.stages.index(until) + 1]
    for stage in stages:
        old = record.stages[stage]["version"]
        changed("stage-version", f"the version of the {stage} stage", old, STAGES[stage].version, stage=stage)
    for stage in stages:
        for library, old in record.stages[stage]["libraries"].items():
            changed("library", library, old, library_version(library), library=library)
    if until == "export":
        changed("mldata", "mldata", record.mldata, __version__)
    if "transform" in stages and kept.recipe.code:
        import platform

        changed("python", "Python", record.python, platform.python_version())
    return list(causes.values())
