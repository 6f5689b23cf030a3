"""A contract with a build: what it forbids, what it allows, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldata.checks.base import Finding
from mldata.checks.expect import Known, expectations
from mldata.errors import SpecError
from mldata.profile.summarize import summarize
from mldata.spec import parse_dataset


def found(before: pa.Table, now: pa.Table, **expect: Any) -> list[Finding]:
    """What a contract finds between two tables; a change of the schema is no matter unless it is asked for."""
    said = {"against": 1, "schema": "any", **expect}
    params = parse_dataset("d", {"source": "x", "expect": said})["validate"]["expect"]

    def known(name: str, table: pa.Table) -> Known:
        return Known(name, table.num_rows, table.schema, lambda: summarize(table))

    return expectations(params, known("d@1", before), known("d", now))


def told(findings: list[Finding]) -> list[tuple[str, str, str | None]]:
    return [(it.severity, it.code, it.column) for it in findings]


OLD = pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["x", "y"], "c": [1.0, 2.0]})
NEW = pa.table({"c": [1.0, 2.0], "a": pa.array([1, 2], pa.int64()), "d": [[1], [2]]})


def test_what_breaks_a_reader_is_an_error() -> None:
    """A column that is gone is an error, one that is new, wider or elsewhere a note."""
    assert told(found(OLD, NEW, schema="compatible")) == [
        ("info", "schema-added", "d"),
        ("error", "schema-removed", "b"),
        ("info", "schema-type", "a"),
        ("info", "schema-reordered", "a"),
    ]
    [removed] = [it for it in found(OLD, NEW, schema="compatible") if it.severity == "error"]
    assert removed.message == "'b' (string) is gone since d@1"
    assert "`mldata diff d@1 d`" in removed.suggestion and "allow: [removed]" in removed.suggestion


def test_kinds_of_changes_can_be_allowed() -> None:
    """Whatever the rule, changes of an allowed kind are within it; where nothing may change, all others are errors."""
    assert "error" not in {it.severity for it in found(OLD, NEW, schema="compatible", allow=["removed"])}
    strict = found(OLD, NEW, schema="same", allow=["added", "type"])
    assert [it.code for it in strict if it.severity == "error"] == ["schema-removed", "schema-reordered"]
    assert found(OLD, NEW, schema="any") == []
    assert found(OLD, OLD, schema="same") == []


def test_other_changes_are_told() -> None:
    """Renames are told as guesses, nullability in the schema's words, narrower types with the reason."""
    values = [f"name {number}" for number in range(40)]
    before = pa.table({"old": values, "n": pa.array(range(40), pa.int64())})
    schema = pa.schema([pa.field("new", pa.string()), pa.field("n", pa.int32(), nullable=False)])
    after = pa.table([values, pa.array(range(40), pa.int32())], schema=schema)
    assert [(it.severity, it.message) for it in found(before, after, schema="compatible")] == [
        ("error", "'old' of d@1 seems to be called 'new' now (a guess: their values are alike)"),
        ("info", "'n' is not null now, and nullable in d@1"),
        ("error", "'n' is int32 now, and int64 in d@1: not every value of before fits"),
    ]


def test_a_wide_type_is_told_by_its_beginning() -> None:
    """A column that is a struct of hundreds of fields is told in a line."""
    wide = pa.table({"w": [{f"field_{number}": number for number in range(300)}]})
    [added] = [it for it in found(OLD, wide, schema="compatible") if it.code == "schema-added"]
    assert added.message.startswith("'w' (struct<field_0: int64, ") and len(added.message) < 130


def test_summaries_are_asked_for_where_they_are_needed() -> None:
    """A contract about types and rows alone has nothing summarized."""

    def never() -> Any:
        raise AssertionError("nobody asked for it")

    said = {"against": 1, "rows": {"min": 1}}
    params = parse_dataset("d", {"source": "x", "expect": said})["validate"]["expect"]
    wider = pa.schema([pa.field("a", pa.int64())])
    before, now = Known("d@1", 2, pa.schema([pa.field("a", pa.int32())]), never), Known("d", 2, wider, never)
    assert told(expectations(params, before, now)) == [("info", "schema-type", "a")]


@pytest.mark.parametrize(
    ("rows", "messages"),
    [
        ({"min": 3}, ["there are 2 rows, expected are at least 3"]),
        ({"max": 1}, ["there are 2 rows, expected are at most 1"]),
        ({"min": 2, "max": 2, "max_change": "60%"}, []),
        ({"max_change": "20%"}, ["there are 2 rows, 3 (60%) fewer than in d@1; expected are at most 20%"]),
        ({"max_change": 2}, ["there are 2 rows, 3 (60%) fewer than in d@1; expected are at most 2"]),
    ],
)
def test_rows(rows: dict[str, Any], messages: list[str]) -> None:
    """How many rows there are is held to bounds, and to how many the build has."""
    assert [it.message for it in found(pa.table({"a": range(5)}), OLD, rows=rows)] == messages


def test_a_single_row() -> None:
    """One row is told as one."""
    [finding] = found(OLD, OLD.slice(1), rows={"min": 2})
    assert finding.message == "there is 1 row, expected are at least 2"


def moved() -> tuple[pa.Table, pa.Table]:
    """One column that has moved far, one that has moderately, one that has not."""
    rng = np.random.default_rng(3)
    size = 2000
    still = rng.normal(size=size)
    before = pa.table({"far": rng.normal(size=size), "some": rng.normal(size=size), "still": still})
    after = pa.table({"far": rng.normal(2, size=size), "some": rng.normal(0.4, size=size), "still": still})
    return before, after


def test_columns_may_move_as_far_as_is_said() -> None:
    """What moved farther than allowed is an error, what moved within it a note; a column can have a limit of its own."""
    before, after = moved()
    far, some = ("drift-major", "far"), ("drift-moderate", "some")
    assert told(found(before, after, drift={})) == [("error", *far), ("info", *some)]
    limits = {"max": "stable", "columns": {"far": "major"}}
    assert told(found(before, after, drift=limits)) == [("info", *far), ("error", *some)]
    [finding, _] = found(before, after, drift={})
    assert finding.message.startswith("'far' has moved far since d@1 (PSI ")
    assert "): mean " in finding.message
    assert "`mldata drift d@1 d`" in finding.suggestion and "{far: major}" in finding.suggestion
    lenient = {"thresholds": {"moderate": 50, "major": 99}}
    assert found(before, after, drift=lenient) == []


def test_the_share_of_columns_that_moved() -> None:
    """More of them than allowed is an error, whatever each may."""
    before, after = moved()
    assert len(found(before, after, drift={"max": "major", "share": "70%"})) == 2
    finding = found(before, after, drift={"max": "major", "share": 0.5})[-1]
    assert finding.message == "2 of 3 columns have moved since d@1, expected are at most 50% of them"
    one = found(before.select(["far", "still"]), after, drift={"max": "major", "share": 0.1})[-1]
    assert one.message == "1 of 2 columns has moved since d@1, expected are at most 10% of them"


def test_what_cannot_be_compared_is_told() -> None:
    """A column of another kind breaks a limit on drift, with the reason."""
    [finding] = found(pa.table({"a": [1, 2]}), pa.table({"a": ["x", "y"]}), drift={})
    assert finding.code == "drift-major"
    assert finding.message.startswith("'a' cannot be held against d@1: its type went from int64 to string")


def test_no_column_is_left_to_compare() -> None:
    """That no column is on both sides breaks a limit on drift, whatever the schema may be, unless columns may drift as far as they like."""
    now = pa.table({"z": [1, 2]})
    [finding] = found(OLD, now, drift={})
    assert (finding.severity, finding.code) == ("error", "drift-incomparable")
    assert finding.message == "no column of d@1 is there now: there is nothing to tell drift by"
    assert "{drift: {max: major}}" in finding.suggestion
    assert told(found(OLD, now, drift={"max": "major"})) == [("info", "drift-incomparable", None)]
    assert found(OLD, now) == []


def test_a_column_that_is_nowhere() -> None:
    """A limit for a column that neither table has is a mistake of the spec, with its place and what may be meant."""
    with pytest.raises(SpecError, match="none called 'z', neither in d@1 nor now") as caught:
        found(OLD, NEW, drift={"columns": {"z": "major"}})
    assert caught.value.where == "expect.drift.columns.z"
    assert caught.value.hint == "the columns are: c, a, d"
    with pytest.raises(SpecError) as caught:
        found(OLD, NEW, drift={"columns": {"aa": "major"}})
    assert caught.value.hint == "did you mean 'a'?"
    assert found(OLD, NEW, drift={"columns": {"b": "stable", "d": "stable"}}) == []
