"""Validate: a table and its parts, checked by what the spec says of them; a report comes out, whatever it says.

Each check looks at each fragment in an action of its own, and puts together what it saw in another one (:mod:`mldata.checks.base`). Thresholds are in
neither, so that a changed one judges anew what is known. A contract with a build is one more check (:mod:`mldata.stages.expecting`). Whether a build goes on is for the build to say: the stage has done its work when the report is there.

Output: a tree of ``report.json`` and ``report.md`` (:mod:`mldata.checks.report`), and what the data was held against where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from mldata.checkedrows import CheckedRows
from mldata.checks import EXPECT, base, find_check, load_check
from mldata.checks.base import Finding, Place, Sketch, Subject
from mldata.checks.report import SKIPPED, CheckReport, Report, verdict
from mldata.errors import MldataError
from mldata.stages import table_of
from mldata.stages.base import StageOutput, Work
from mldata.stopwatch import Stopwatch
from mldata.table import Table

if TYPE_CHECKING:
    from mldata.checks.base import Look, Plan
    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment
    from store import ActionResult, Digest, ObjectId, Store

__all__ = ["REPORT_JSON", "REPORT_MD", "Validate", "read_report"]

REPORT_JSON, REPORT_MD = "report.json", "report.md"
WHOLE = "data"
"""Name of the only part of a table that is not split, as an export has it."""
NAMED = 3
"""Findings that the facts tell, of each check that failed."""
MERGED = "merged"


class Validate:
    """The validate stage. Parameters: see ``Validate.to_plain`` of :mod:`mldata.specvalidate`."""

    def build(self, job: Job) -> StageOutput:
        """The report.

        Raises ``SpecError`` when the parameters of a check do not fit the table or name a build that there is not, or a ``store`` error.
        """
        from store import KIND_FILE, TreeEntry

        rows = _open(job)
        subject = _subject(rows)
        watch = Stopwatch()
        checks = _checks(job, rows, subject, watch)
        made: dict[str, ObjectId] = {}
        if EXPECT in job.params["checks"]:
            from mldata.stages.expecting import held_to

            begun = time.perf_counter()
            expected = held_to(job, job.params[EXPECT], rows.table)
            watch.seconds[EXPECT] = time.perf_counter() - begun
            status = verdict(expected.findings, job.params["fail_on"])
            checks[EXPECT] = CheckReport(status, expected.findings)
            made.update(expected.files)
        parts = subject.parts if subject.split else {}
        report = Report(job.dataset, job.params["fail_on"], subject.rows, parts, checks)
        if report.passed:  # a failure is told by the build
            _warn(job, report)
        texts = {REPORT_JSON: report.to_text(), REPORT_MD: report.to_markdown()}
        made.update({name: job.put(text.encode()) for name, text in texts.items()})
        tree = job.put_tree([TreeEntry(name, KIND_FILE, *it) for name, it in sorted(made.items())])
        return StageOutput(tree, subject.rows, _facts(report), watch.seconds)


def read_report(store: Store, output: Digest) -> Report:
    """The report in the output of the stage. Raises a ``store`` error."""
    entry = store.tree(output).get(REPORT_JSON)
    assert entry is not None
    return Report.from_text(store.read(entry.digest))


def _checks(job: Job, rows: CheckedRows, subject: Subject, watch: Stopwatch) -> dict[str, CheckReport]:
    """What each check says of the rows."""
    names = [name for name in job.params["checks"] if name != EXPECT]
    plans = {name: _plan(name, job.params.get(name, {}), subject) for name in names}
    found = _findings(job, rows, {name: it for name, it in plans.items() if not isinstance(it, str)}, watch)
    return {
        name: CheckReport(SKIPPED, reason=plan)
        if isinstance(plan, str)
        else CheckReport(verdict(found[name], job.params["fail_on"]), found[name])
        for name, plan in plans.items()
    }


def _warn(job: Job, report: Report) -> None:
    for name, check in report.checks.items():
        for finding in _worst(check)[:1]:
            more = f" ({check.counts}: see `mldata validate {job.dataset}`)"
            job.warn(f"{name}: {finding.message}{more if len(check.findings) > 1 else ''}")


def _worst(check: CheckReport) -> list[Finding]:
    """The findings of a check, errors first."""
    return sorted(check.findings, key=lambda it: -base.SEVERITIES.index(it.severity))


def _facts(report: Report) -> dict[str, Any]:
    failed = [] if report.passed else report.failed
    return {
        "passed": report.passed,
        "checks": [[name, check.summary] for name, check in report.checks.items()],
        "failed": [[name, report.checks[name].counts] for name in failed],
        "first": [f"{name}: {it.message}" for name in failed for it in _worst(report.checks[name])[:NAMED]],
    }


def _open(job: Job) -> CheckedRows:
    from mldata.assignment import Assignment

    table = Table.open(job.store, table_of(job.inputs))
    assignment = Assignment.open(job.store, job.inputs["split"]) if "split" in job.inputs else None
    return CheckedRows(table, assignment, assignment.parts if assignment is not None else (WHOLE,))


def _subject(rows: CheckedRows) -> Subject:
    table, assignment = rows.table, rows.assignment
    counts = assignment.counts if assignment is not None else (table.rows,)
    parts = dict(zip(rows.parts, counts, strict=True))
    media = table.store.path if table.kind != "tabular" else None
    return Subject(table.kind, table.schema, table.rows, parts, assignment is not None, media)


def _plan(name: str, params: Mapping[str, Any], subject: Subject) -> Plan | str:
    try:
        return load_check(name).plan(params, subject)
    except MldataError as error:
        error.where = ".".join(["validate", name, *([str(error.where)] if error.where is not None else [])])
        raise


def _findings(
    job: Job, rows: CheckedRows, plans: Mapping[str, Plan], watch: Stopwatch
) -> dict[str, list[Finding]]:
    """What each check has found."""
    fragments = rows.table.fragments
    makers = {name: [it for it in _makers(name, plan) if it.by.columns] for name, plan in plans.items()}
    # Checks that ask for one and the same sketch share it.
    apart = {maker.key: maker for made in makers.values() for maker in made}
    works = [
        watch.timed(maker.label, _sketch(job, rows.table, maker, fragment))
        for maker in apart.values()
        for fragment in fragments
    ]
    results = iter(job.run(works))
    sketched = {key: list(islice(results, len(fragments))) for key in apart}
    merges = [
        watch.timed(name, _merge(job, rows, name, plan, [sketched[maker.key] for maker in makers[name]]))
        for name, plan in plans.items()
    ]
    return {
        name: [_with_files(finding, rows) for finding in plan.judge(_merged(job.store, result))]
        for (name, plan), result in zip(plans.items(), job.run(merges), strict=True)
    }


def _params(name: str, plan: Plan) -> dict[str, Any]:
    return {
        "check": name,
        "check_version": find_check(name).version,
        "key": dict(plan.key),
        "block": base.BLOCK_ROWS,
    }


def _look_params(look: Look) -> dict[str, Any]:
    return {"look": look.name, "version": look.version, "key": dict(look.key), "block": base.BLOCK_ROWS}


class _Maker(NamedTuple):
    """What sketches fragments: the plan of a check, or a look that it asks for."""

    label: str
    params: Mapping[str, Any]
    libraries: Sequence[str]
    by: Plan | Look

    @property
    def key(self) -> bytes:
        """Equal for those that make the same sketches."""
        from store import encode

        return encode(self.params)


def _makers(name: str, plan: Plan) -> Iterator[_Maker]:
    yield _Maker(name, _params(name, plan), find_check(name).libraries, plan)
    for look in base.looks_of(plan):
        yield _Maker(look.name, _look_params(look), look.libraries, look)


def _sketch(job: Job, table: Table, maker: _Maker, fragment: Fragment) -> Work:
    """The action in which a fragment is looked at."""

    def run(out: Outputs) -> Mapping[str, Any]:
        kinds = []
        for number, blob in enumerate(maker.by.sketch(table.encoded_batches(fragment, maker.by.columns))):
            out.put(f"{number:08d}", blob.data)
            kinds.append(blob.kind)
        return {"kinds": kinds}

    action = job.action(maker.params, [("fragment", fragment.digest)], libraries=maker.libraries)
    return Work(action, run, f"{maker.label}: {fragment.source}", fragment.size)


def _sketches(rows: CheckedRows, makers: Sequence[Sequence[ActionResult]]) -> Iterator[Sketch]:
    """Sketches of all fragments, by the results of each maker."""
    table = rows.table
    if not makers:
        return
    for at, (start, fragment) in enumerate(zip(table.starts, table.fragments, strict=False)):
        blobs: dict[str, list[Any]] = {}
        for results in makers:
            kinds: Any = results[at].facts["kinds"]
            for number, kind in enumerate(kinds):
                path = table.store.path(results[at].outputs[f"{number:08d}"].digest)
                blobs.setdefault(kind, []).append(path)
        yield Sketch(start, fragment.rows, blobs)


def _merge(
    job: Job, rows: CheckedRows, name: str, plan: Plan, results: Sequence[Sequence[ActionResult]]
) -> Work:
    """The action in which a check puts together what it saw."""
    from store import encode

    fragments = job.store.tree(table_of(job.inputs)).get("fragments")
    assert fragments is not None
    # The fragments, not the table: a source file that is only renamed changes no row.
    inputs = [("fragments", fragments.digest)]
    if rows.assignment is not None:
        inputs.append(("assignment", job.inputs["split"]))

    def run(out: Outputs) -> Mapping[str, Any]:
        out.put(MERGED, encode(plan.merge(list(_sketches(rows, results)), rows)))
        return {}

    looks = base.looks_of(plan)
    params = _params(name, plan)
    if looks:
        params["looks"] = [_look_params(look) for look in looks]
    libraries = {*find_check(name).libraries, *(it for look in looks for it in look.libraries)}
    action = job.action(params, inputs, libraries=sorted(libraries))
    return Work(action, run, f"{name}: {rows.table.rows:,} rows")


def _merged(store: Store, result: ActionResult) -> Mapping[str, Any]:
    from store import decode

    found: Any = decode(store.read(result.outputs[MERGED].digest))
    return found  # type: ignore[no-any-return]


def _with_files(finding: Finding, rows: CheckedRows) -> Finding:
    """The finding with the source file of each row that it names."""

    def placed(place: Place) -> Place:
        like = placed(place.like) if place.like is not None else None
        return replace(place, file=rows.source(place.row), like=like)

    return replace(finding, places=tuple(map(placed, finding.places)))
