"""Validating what no spec names: a folder, a file, a source elsewhere.

Files of this machine are looked at where they are. For the data a project is made up around one dataset, as :mod:`mldata.pulls` does; the one build engine
brings its files into the store and makes its table, without those that were just found to be corrupt. Where the place has parts of its own (``train/``, ``test.csv``), the
table is split by them, so that what they share is found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mldata import pulls
from mldata.build import Session
from mldata.buildoptions import Options
from mldata.errors import BuildError, DataError, SourceError, SpecError
from mldata.integrity import KINDS
from mldata.integrity.base import CORRUPT, SKIPPED
from mldata.into import make_home
from mldata.ownparts import has_parts, own_split
from mldata.placename import NAME, PlaceReporter, errors_of
from mldata.sources import LOCAL, local_path, scheme_of
from mldata.tasks import require_tasks
from mldata.validated import Validation
from mldata.validation import params_of

if TYPE_CHECKING:
    from mldata.checks.report import Report
    from mldata.filechecks import Checked
    from mldata.looking import Looking
    from mldata.project import Project
    from mldata.reporter import Reporter

__all__ = ["is_place", "validate_place"]

FILES = "files"
STATE = "validations"
"""Where its receipts are, in the state of the surrounding project or the user's cache. They are no roots: the next gc removes what was stored."""


def is_place(word: str, base: Project | None) -> bool:
    """Whether a word names a path or a source rather than a dataset of the surrounding project."""
    if base is not None and word in base.datasets:
        return False
    return scheme_of(word) != LOCAL or "/" in word or os.path.lexists(word) or base is None


def validate_place(
    place: str,
    checks: Sequence[str],
    looking: Looking,
    base: Project | None,
    reporter: Reporter,
) -> Validation:
    """Look at a place's files, then at its data, as far as ``checks`` ask for it.

    Args:
        place: a path, or a source elsewhere, as typed in the working folder.
        checks: by name, with their defaults; none: all. ``files`` is that of the files.
        base: the project that the working folder lies in.

    Raises:
        UsageError, InvalidSpec: it is none.
        MldataError: a source elsewhere cannot be fetched.
    """
    from mldata.filechecks import check_dataset, check_folder

    params = {**params_of({}, checks), "fail_on": looking.fail_on}
    checks = params["checks"]
    params["checks"] = [name for name in checks if name != FILES]
    here = scheme_of(place) == LOCAL and not _is_glob(place)
    path = os.path.expanduser(local_path(place)) if here else ""
    checked = check_folder(path, place, looking, reporter) if here and FILES in checks else None
    if checked is not None and (checked.report.interrupted or set(checks) == {FILES}):
        return _of_files(checked, place)
    project = _project(place, base)
    options, reporter = Options(jobs=looking.jobs), PlaceReporter(reporter, place)
    if not here:
        with errors_of(place), Session(project, options, reporter) as session:
            require_tasks(session, [f"fetch:{NAME}"])
            if FILES in checks:
                checked = check_dataset(session, NAME, looking)
        if checked is not None and (checked.report.interrupted or set(checks) == {FILES}):
            return _of_files(checked, place)
    files, places = checked or (None, {})
    bad = [] if files is None else [it.path for it in files.of(CORRUPT)]
    try:
        with errors_of(place):
            data, seconds, warnings = _data(project, place, bad, params, options, reporter)
        return Validation(files, places, data, seconds=seconds, warnings=warnings)
    except (DataError, SourceError, SpecError, BuildError) as error:
        return Validation(files, places, None, error, params["checks"])


def _of_files(checked: Checked, place: str) -> Validation:
    """Where nothing else is asked for. A place in which there was nothing to look at has not passed: its name may be a wrong one."""
    report, error = checked.report, None
    if not report.looked_at and not report.interrupted:
        skipped = report.counts[SKIPPED]
        found = f"{skipped:,} of other types" if skipped else "no file"
        error = DataError(
            f"expected a file that can be checked, found {found}",
            where=place,
            hint="Is it the right place? These are checked: " + ", ".join(KINDS),
        )
    return Validation(*checked, error=error)


def _is_glob(place: str) -> bool:
    """Whether a path stands for several: its files are then those that a build would read."""
    path = local_path(place)
    return any(character in path for character in "*?[") and not os.path.lexists(os.path.expanduser(path))


def _project(place: str, base: Project | None) -> Project:
    """A project of one dataset, as for a pull, with a state of its own."""
    order = pulls.order([place], base)
    spec = replace(order.project.datasets[order.name], name=NAME)
    state = order.home / STATE / order.project.state.name
    make_home(state)
    return replace(order.project, state=state, datasets=MappingProxyType({NAME: spec}))


def _data(
    project: Project,
    place: str,
    bad: Sequence[str],
    params: Mapping[str, Any],
    options: Options,
    reporter: Reporter,
) -> tuple[Report, Mapping[str, float], list[str]]:
    """The report of the data without the files that are bad, how long each check took, and warnings."""
    spec = project.datasets[NAME]
    if bad:
        spec = replace(spec, normalize={**spec.normalize, "exclude": dict.fromkeys(bad)})
    parted, whole = (
        replace(project, datasets=MappingProxyType({NAME: replace(spec, split=split)}))
        for split in (own_split(), None)
    )
    with Session(parted, options, reporter) as session:
        if has_parts(session, NAME):
            return _report(session, place, params)
    with Session(whole, options, reporter) as session:
        require_tasks(session, [f"normalize:{NAME}"])
        return _report(session, place, params)


def _report(
    session: Session, place: str, params: Mapping[str, Any]
) -> tuple[Report, Mapping[str, float], list[str]]:
    from mldata.stages.validate import read_report

    made = session.make(NAME, "validate", params)
    report = read_report(session.store, made.output.digest)
    return replace(report, dataset=place), made.seconds, session.warnings.get(NAME, [])
