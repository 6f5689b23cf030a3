"""What stands behind ``mldata.build``, ``mldata.pull``, ``mldata.validate``, ``mldata.profile``, ``mldata.drift``, ``mldata.diff`` and ``mldata.open``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import UnknownDataset, UsageError
from mldata.project import Project, find_project, load_project, surrounding

if TYPE_CHECKING:
    from mldata.dataset import Dataset
    from mldata.diffing import Diff
    from mldata.drift.report import Thresholds
    from mldata.drifting import Drift
    from mldata.looking import Looking
    from mldata.profile.profile import Profile
    from mldata.stagereport import StageReport
    from mldata.validated import Validation
    from store import Digest


def find(project: str | os.PathLike[str]) -> Project:
    """The project that a folder lies in, or that a spec file describes."""
    path = Path(project)
    return load_project(path if path.is_file() else find_project(path))


def build_into(
    words: Sequence[str],
    to: str | os.PathLike[str] | None,
    sections: Mapping[str, Any],
    project: str | os.PathLike[str],
    *,
    jobs: int | None,
    force: bool,
    locked: bool,
) -> dict[str, dict[str, StageReport]]:
    """See :func:`mldata.build`."""
    from mldata import tasks
    from mldata.build import Session
    from mldata.buildoptions import Options
    from mldata.claim import Claim
    from mldata.into import order

    if to is None or not words or locked:
        raise UsageError(
            "expected a folder, and one dataset or some sources to build into it (which no lock can pin)",
            where="mldata.build",
            hint='for example: mldata.build(source="data/*.csv", to="clean")',
        )
    path = Path(project)
    made = order(words, to, sections, load_project(path) if path.is_file() else surrounding(path))
    claim = Claim(made.folder, made.project.state, made.name)
    claim.look()
    with Session(made.project, Options(jobs=jobs, force=force), claim=claim) as session:
        tasks.build_folder(session, made.name)
        for error in session.failures.values():
            raise error
        return session.reports


def build_datasets(
    names: Sequence[str], project: str | os.PathLike[str], *, jobs: int | None, force: bool, locked: bool
) -> dict[str, dict[str, StageReport]]:
    """See :func:`mldata.build`."""
    from mldata import tasks
    from mldata.build import Session
    from mldata.buildoptions import Options

    found = find(project)
    for name in names:
        found.dataset(name)
    with Session(found, Options(jobs=jobs, force=force, locked=locked)) as session:
        tasks.build_datasets(session, list(names))
        for error in session.failures.values():
            raise error
        return session.reports


def pull_sources(
    words: Sequence[str],
    to: str | os.PathLike[str] | None,
    options: Mapping[str, str | None],
    project: str | os.PathLike[str],
    *,
    samples: int | None,
    offline: bool,
) -> dict[str, Any]:
    """See :func:`mldata.pull`."""
    from mldata import pulls, tasks
    from mldata.build import Session
    from mldata.buildoptions import Options

    if not words:
        raise UsageError("expected what to pull, found nothing", where="mldata.pull")
    path = Path(project)
    base = load_project(path) if path.is_file() else surrounding(path)
    chosen = pulls.choose(words, base, options, samples)
    said = Options(offline=offline, anew=() if offline else chosen.anew, samples=samples)
    with Session(chosen.project, said) as session:
        tasks.run_fetch(session, [chosen.name])
        for error in session.failures.values():
            raise error
        result = pulls.told(session, chosen.name)
        if to is not None:
            result["folder"] = str(pulls.write_out(chosen, session, to))
        return {**result, "warnings": session.warnings.get(chosen.name, [])}


def validate_place(
    place: str,
    checks: Sequence[str] | None,
    project: str | os.PathLike[str],
    looking: Looking,
    fail_on: str | None,
) -> Validation:
    """See :func:`mldata.validate`."""
    from mldata import placechecks
    from mldata.reporter import QuietReporter

    base = find(project) if Path(project).is_file() else surrounding(Path(project))
    if not placechecks.is_place(place, base):
        from mldata.build import Session
        from mldata.buildoptions import Options
        from mldata.validation import validate_dataset

        found = find(project)
        found.dataset(place)
        with Session(found, Options(jobs=looking.jobs)) as session:
            return validate_dataset(session, place, checks, looking, fail_on)
    return placechecks.validate_place(place, checks or (), looking, base, QuietReporter())


def drift_between(
    baseline: str,
    current: str,
    thresholds: Thresholds,
    columns: Sequence[str] | None,
    project: str | os.PathLike[str],
    jobs: int | None,
) -> Drift:
    """See :func:`mldata.drift`."""
    from mldata.drifting import Wanted, measure_drift
    from mldata.reporter import QuietReporter

    base = find(project) if Path(project).is_file() else surrounding(Path(project))
    return measure_drift(baseline, current, base, QuietReporter(), Wanted(thresholds, columns, jobs))


def profile_place(
    place: str,
    project: str | os.PathLike[str],
    *,
    split: str | None,
    parts: bool,
    sample: float | None,
    columns: Sequence[str] | None,
    jobs: int | None,
) -> Profile:
    """See :func:`mldata.profile`."""
    from mldata.profiling import profile_subject
    from mldata.reporter import QuietReporter
    from mldata.subjects import only_part, open_subject

    if sample is not None and not 0 < sample <= 1:
        raise UsageError(f"expected a share above 0 and at most 1, found {sample!r}", where="sample")
    base = find(project) if Path(project).is_file() else surrounding(Path(project))
    with open_subject(place, base, QuietReporter(), jobs=jobs) as subject:
        if split is not None:
            only_part(subject, split)
        share = 1.0 if sample is None else sample
        return profile_subject(subject, parts=parts, sample=share, columns=columns)


def diff_between(
    old: str,
    new: str,
    sections: Sequence[str],
    key: Sequence[str],
    project: str | os.PathLike[str],
    jobs: int | None,
) -> Diff:
    """See :func:`mldata.diff`."""
    from mldata.diffing import diff_places
    from mldata.reporter import QuietReporter

    base = find(project) if Path(project).is_file() else surrounding(Path(project))
    return diff_places(old, new, base, QuietReporter(), sections, key=key, jobs=jobs)


def open_dataset(text: str, project: str | os.PathLike[str]) -> Dataset:
    """See :func:`mldata.open`."""
    from mldata.dataset import Dataset
    from mldata.records import parse_name, read_record
    from store import Store

    name, number = parse_name(text)
    found = find(project)
    store = Store.open(found.store_path)
    try:
        if number is not None:
            record = read_record(store, name, number)
            params = {stage: facts["params"] for stage, facts in record.stages.items()}
            outputs = dict(record.outputs)
            return Dataset(store, name, outputs, _folder_of(found, name, outputs), params, number)
        trees, params, export_dir, current = _current(found, name)
        return Dataset(store, name, trees, export_dir, params, current=current)
    except BaseException:
        store.close()
        raise


def _folder_of(project: Project, name: str, outputs: Mapping[str, Digest]) -> Path | None:
    """The export folder of a dataset, if the build that has these outputs is what is in it."""
    from mldata.receipts import Receipt, read_receipt, receipt_path

    receipt = read_receipt(receipt_path(project.state / "receipts", name, "export"))
    if isinstance(receipt, Receipt) and receipt.output == outputs.get("export"):
        return project.root / receipt.place["to"]
    return None


def _current(project: Project, name: str) -> tuple[dict[str, Digest], dict[str, Any], Path | None, bool]:
    """Output trees and parameters by stage, the export folder, and whether the export is of these trees."""
    from mldata.receipts import Receipt, read_receipt, receipt_path

    spec = project.dataset(name)
    trees: dict[str, Digest] = {}
    params: dict[str, Any] = {}
    export_dir, current = None, True
    for stage in spec.stages:
        receipt = read_receipt(receipt_path(project.state / "receipts", name, stage))
        if not isinstance(receipt, Receipt):
            raise UnknownDataset(
                f"{stage} of {name!r} has not been built", hint=f"Build it: mldata build {name}"
            )
        trees[stage] = receipt.output
        params[stage] = dict(receipt.params)
        if stage == "export":
            export_dir = project.root / receipt.place["to"]
            current = all(trees.get(read) == digest for read, digest in receipt.inputs.items())
    return trees, params, export_dir, current
