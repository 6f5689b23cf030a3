"""The validate stage over a real store: what runs, and what the report says of a stored table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from mldata.assignment import Segment, write_assignment
from mldata.checks import base
from mldata.checks.report import Report
from mldata.errors import SpecError
from mldata.spec import parse_dataset
from mldata.stages.validate import Validate, read_report
from store import Digest, Store
from tests.stages.jobs import PlainJob, put_table


def params(validate: Any = None) -> dict[str, Any]:
    """Parameters of the stage with defaults filled in; three checks where none are said."""
    said = {
        "checks": ["schema", "missing", "duplicates"],
        "duplicates": {"near": {"text": False}},
        **(validate or {}),
    }
    plain: dict[str, Any] = parse_dataset("demo", {"source": "x", "validate": said})["validate"]
    return plain


def assign(store: Store, parts: Mapping[str, Sequence[int]], rows: int, segments: int = 1) -> Digest:
    """An assignment of a table's rows; those that are not named are in no part."""
    numbers = bytearray(b"\xff" * rows)
    for number, mine in enumerate(parts.values()):
        for row in mine:
            numbers[row] = number
    cuts = [rows * n // segments for n in range(segments + 1)]
    pieces = [bytes(numbers[a:b]) for a, b in pairwise(cuts)]
    return write_assignment(
        parts=list(parts),
        ratios=[None] * len(parts),
        counts=[len(mine) for mine in parts.values()],
        segments=[Segment(store.put(piece).digest, len(piece)) for piece in pieces],
        put=store.put,
        put_tree=store.put_tree,
    ).digest


def run(
    store: Store, table: Digest, split: Digest | None = None, validate: Any = None
) -> tuple[PlainJob, Report]:
    inputs = {"normalize": table} | ({"split": split} if split is not None else {})
    job = PlainJob(store, "validate", params(validate), inputs)
    return job, read_report(store, Validate().build(job).output.digest)


def piece(number: int, rows: int = 4) -> pa.Table:
    ids = range(number * rows, (number + 1) * rows)
    return pa.table({"id": ids, "t": [f"t{n}" for n in ids]})


def test_one_changed_fragment_is_one_action_a_check(store: Store) -> None:
    """Of 60 fragments a changed one is looked at anew, once a check; then each check puts together what it knows."""
    pieces = [piece(n) for n in range(60)]
    spec = {"schema": {"columns": {"id": {"unique": True, "min": 0}}}}
    first, _ = run(store, put_table(store, pieces), validate=spec)
    assert len(first.runs) == 3 * 60 + 3
    again, _ = run(store, put_table(store, pieces), validate=spec)
    assert not again.runs
    pieces[7] = piece(1000)
    changed, _ = run(store, put_table(store, pieces), validate=spec)
    assert changed.runs == [f"{name}: 7.csv" for name in ("schema", "missing", "duplicates")] + [
        f"{name}: 240 rows" for name in ("schema", "missing", "duplicates")
    ]


def test_thresholds_run_nothing(store: Store) -> None:
    """Limits, and when to fail, are judged from what is known; settings of one check are nothing to another."""
    table = put_table(store, [pa.table({"a": [1, None, 1], "b": [1, 2, 1]})])
    job, report = run(store, table)
    assert report.passed
    assert job.warnings == ["duplicates: 1 row (33.3%) equals an earlier one"]
    other = {"missing": {"max": 0}, "duplicates": {"within": 0}, "fail_on": "warning"}
    job, report = run(store, table, validate=other)
    assert not job.runs and report.failed == ["missing", "duplicates"]
    job, _ = run(store, table, validate={"schema": {"columns": {"a": {"min": 1}}}})
    assert {label.split(":")[0] for label in job.runs} == {"schema"}


def test_another_split_reads_no_fragment(store: Store) -> None:
    """Where rows go is nothing to what is seen of a fragment."""
    table = put_table(store, [piece(0), piece(0)])
    mixed = {"train": range(0, 8, 2), "test": range(1, 8, 2)}
    _, report = run(store, table, assign(store, mixed, 8))
    assert report.checks["duplicates"].counts == "2 warnings"
    job, report = run(store, table, assign(store, {"train": range(4), "test": range(4, 8)}, 8))
    assert job.runs == ["schema: 8 rows", "missing: 8 rows", "duplicates: 8 rows"]
    assert report.failed == ["duplicates"]


def test_rows_are_told_with_their_files(store: Store) -> None:
    """A row is named by its number in the table, its part and the source file; a renamed file runs nothing and is told."""
    table = put_table(store, [piece(0), piece(1), piece(0)], row_group_size=3)
    split = assign(store, {"train": range(7), "test": range(7, 12)}, 12, segments=5)
    _, report = run(store, table, split)
    [finding] = report.checks["duplicates"].findings
    told = [(it.row, it.part, it.file, it.like and (it.like.row, it.like.file)) for it in finding.places]
    assert told == [(n + 8, "test", "2.csv", (n, "0.csv")) for n in range(4)]
    assert finding.places[3].value == "id=3, t='t3'"


def test_the_report_does_not_depend_on_the_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fragments, row groups, blocks and segments are nothing to the report, but for the names of files."""
    whole = pa.concat_tables(
        [piece(0, 10), piece(0, 10), pa.table({"id": [None], "t": ["x"]}, piece(0).schema)]
    )
    spec = {"schema": {"columns": {"id": {"unique": True, "max": 3}}}, "missing": {"max": 0}}
    parts = {"train": range(0, 21, 2), "test": range(1, 15, 2)}
    reports = []
    for cut, groups, block, segments in ((21, 100, 1 << 20, 1), (8, 3, 5, 4), (1, 1, 2, 21)):
        monkeypatch.setattr(base, "BLOCK_ROWS", block)
        pieces = [whole.slice(at, cut) for at in range(0, 21, cut)]
        table = put_table(store, pieces, row_group_size=groups)
        _, report = run(store, table, assign(store, parts, 21, segments), spec)
        text = report.to_text()
        for number in range(len(pieces), -1, -1):
            text = text.replace(f'"{number}.csv"', '"FILE"')
        reports.append(text)
    assert reports[0] == reports[1] == reports[2]
    assert '"rows": 12' in reports[0] and "unique" in reports[0]


def test_names_that_are_not_there(store: Store) -> None:
    """A setting that names no column is an error that says which; a declared column that is not there is a finding."""
    table = put_table(store, [piece(0)])
    with pytest.raises(SpecError) as error:
        run(store, table, validate={"missing": {"columns": {"idd": 0}}})
    assert str(error.value) == (
        "validate.missing.columns: expected a column of the table, found 'idd'\n  did you mean 'id'?"
    )
    _, report = run(store, table, validate={"schema": {"columns": {"idd": {}}}})
    assert report.failed == ["schema"]


def test_tables_without_rows_or_columns(store: Store) -> None:
    """They pass; a check that has nothing to look at is skipped and says why."""
    _, report = run(store, put_table(store, [piece(0).slice(0, 0)]), assign(store, {"train": []}, 0))
    assert report.passed and report.rows == 0
    _, report = run(store, put_table(store, [piece(0).select([])]))
    assert [check.status for check in report.checks.values()] == ["skipped"] * 3
    assert report.checks["missing"].reason == "the table has no columns"


def test_media(store: Store) -> None:
    """Pictures with the same bytes in two parts are found by their digest."""
    digest = store.put(b"x").digest
    rows = pa.table(
        {"path": ["a/1.png", "b/1.png"], "label": ["a", "b"], "digest": [digest] * 2, "size": [1, 1]}
    )
    table = put_table(store, [rows], kind="images", media={"a/1.png": b"x", "b/1.png": b"x"})
    _, report = run(store, table, assign(store, {"train": [0], "test": [1]}, 2))
    finding, *_ = report.checks["duplicates"].findings
    assert finding.message == "1 row of part 'test' (100%) is in 'train' too, by 'digest'"
