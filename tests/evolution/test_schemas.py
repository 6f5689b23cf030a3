"""What has changed between two schemas."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings

from mldata.evolution.lattice import widens
from mldata.evolution.paths import quoted
from mldata.evolution.schemadiff import ADDED, NULLABILITY, REMOVED, RENAMED, REORDERED, TYPE, SchemaDiff
from mldata.evolution.schemas import compare_schemas
from mldata.profile.summarize import summarize
from tests.evolution.types import schemas


def told(diff: SchemaDiff) -> list[tuple[str, str, bool]]:
    """Kind, path and whether it is breaking, of each change."""
    return [(change.kind, change.path, change.breaking) for change in diff.changes]


def test_equal_schemas_do_not_differ() -> None:
    """Nothing is told where nothing has changed, whatever the metadata says."""
    schema = pa.schema({"a": pa.int8(), "b": pa.list_(pa.struct({"c": pa.string()}))})
    diff = compare_schemas(schema, schema.with_metadata({"pandas": "{}"}))
    assert diff.same and not diff.breaking and not diff.changes


def test_columns_come_and_go() -> None:
    """A new column breaks nothing, one that is gone does."""
    old, new = pa.schema({"a": pa.int8(), "b": pa.int8()}), pa.schema({"a": pa.int8(), "c": pa.string()})
    diff = compare_schemas(old, new)
    assert told(diff) == [(ADDED, "c", False), (REMOVED, "b", True)]
    assert diff.guessable and diff.breaking
    assert diff.to_json()["added"] == [
        {"path": "c", "type": "string", "nullable": True, "why": "nobody reads it yet", "breaking": False}
    ]


@pytest.mark.parametrize(("before", "after", "breaking"), [(True, False, False), (False, True, True)])
def test_nullability(before: bool, after: bool, breaking: bool) -> None:
    """Who was promised that there are no nulls is let down by nulls; the other way round nobody is."""
    old = pa.schema([pa.field("a", pa.int8(), before)])
    new = pa.schema([pa.field("a", pa.int8(), after)])
    assert told(compare_schemas(old, new)) == [(NULLABILITY, "a", breaking)]


def test_nested_changes_have_their_path() -> None:
    """Fields inside structs, lists and maps are compared one by one."""
    old = pa.schema(
        {
            "s": pa.struct({"x": pa.int8(), "gone": pa.int8(), "a.b": pa.int8()}),
            "l": pa.list_(pa.struct({"y": pa.string()})),
            "m": pa.map_(pa.string(), pa.int64()),
        }
    )
    new = pa.schema(
        {
            "s": pa.struct({"x": pa.int16(), "a.b": pa.string(), "fresh": pa.int8()}),
            "l": pa.large_list(pa.struct([pa.field("y", pa.string(), False)])),
            "m": pa.map_(pa.string(), pa.int32()),
        }
    )
    diff = compare_schemas(old, new)
    assert told(diff) == [
        (TYPE, "s.x", False),
        (REMOVED, "s.gone", True),
        (TYPE, 's."a.b"', True),
        (ADDED, "s.fresh", False),
        (TYPE, "l", False),
        (NULLABILITY, "l[].y", False),
        (TYPE, "m{value}", True),
    ]
    assert not diff.guessable, "a column may be renamed; of fields nothing is known to guess by"


def test_the_order_of_fields_is_a_layout() -> None:
    """A struct of the same fields in another order is another type that holds the same."""
    one, two = pa.struct({"x": pa.int8(), "y": pa.int8()}), pa.struct({"y": pa.int8(), "x": pa.int8()})
    diff = compare_schemas(pa.schema({"s": one}), pa.schema({"s": two}))
    assert told(diff) == [(TYPE, "s", False)]
    assert diff.changes[0].relation == "layout"


def test_only_columns_that_moved_are_reordered() -> None:
    """One column that is put first is one change, not one for each column behind it."""
    old = pa.schema({name: pa.int8() for name in "abcde"})
    new = pa.schema({name: pa.int8() for name in "eabxcd"})
    diff = compare_schemas(old, new)
    assert told(diff) == [(ADDED, "x", False), (REORDERED, "e", False)]
    assert diff.to_json()["reordered"][0] | {"why": ""} == {
        "path": "e",
        "old": 5,
        "new": 1,
        "why": "",
        "breaking": False,
    }


def test_columns_of_one_name() -> None:
    """They are told apart by their order."""
    old = pa.schema([("a", pa.int8()), ("a", pa.string()), ("a", pa.int8())])
    new = pa.schema([("a", pa.int8()), ("a", pa.int64())])
    assert told(compare_schemas(old, new)) == [(REMOVED, "a", True), (TYPE, "a", True)]


def test_a_renamed_column_is_guessed() -> None:
    """By its values; it is compared with what it was, and counts as breaking, but neither as added nor as removed."""
    old = pa.table(
        {"id": range(60), "height": [150.5 + 0.5 * i for i in range(60)], "kind": list("abc") * 20}
    )
    new = pa.table(
        {"kind": list("abc") * 20, "id": range(60), "Height (cm)": old["height"].cast(pa.float32())}
    )
    diff = compare_schemas(old.schema, new.schema, summarize(old), summarize(new))
    assert told(diff) == [
        (RENAMED, "Height (cm)", True),
        (TYPE, "Height (cm)", True),
        (REORDERED, "kind", False),
    ]
    [guess] = diff.to_json()["renamed"]
    assert (guess["old"], guess["new"], guess["guess"]) == ("height", "Height (cm)", True)
    assert 0.9 < guess["score"] <= 1


def test_thousands_of_columns_are_compared_at_once() -> None:
    """2,000 columns, half of them new and as many gone, are told in order."""
    old = pa.schema({f"c{number}": pa.int8() for number in range(2000)})
    new = pa.schema({f"c{number}": pa.int8() for number in range(1000, 3000)})
    diff = compare_schemas(old, new)
    assert [len(diff.of(kind)) for kind in (ADDED, REMOVED, REORDERED)] == [1000, 1000, 0]


@settings(max_examples=60)
@given(schemas(), schemas())
def test_any_two_schemas(old: pa.Schema, new: pa.Schema) -> None:
    """They differ if and only if something is told; what came one way went the other way; a path is in quotes where it has to be."""
    diff, back = compare_schemas(old, new), compare_schemas(new, old)
    assert diff.same == old.equals(new)
    assert sorted(it.path for it in diff.of(ADDED)) == sorted(it.path for it in back.of(REMOVED))
    assert len(diff.of(NULLABILITY)) == len(back.of(NULLABILITY))
    assert len(diff.of(REORDERED)) == len(back.of(REORDERED))
    assert all(it.old != it.new for it in diff.of(NULLABILITY))
    assert compare_schemas(old, old).same
    told = diff.to_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert all(change.path and change.why for change in diff.changes)


@settings(max_examples=60)
@given(schemas(), schemas())
def test_what_breaks_is_what_the_lattice_says(old: pa.Schema, new: pa.Schema) -> None:
    """Of columns that both have no change is breaking where the old type is below the new one, and only there."""
    diff = compare_schemas(old, new)
    if len(set(old.names)) < len(old.names) or len(set(new.names)) < len(new.names):
        return
    for name in set(old.names) & set(new.names):
        was, now = old.field(name), new.field(name)
        path = quoted(name)
        its = [
            it
            for it in diff.changes
            if it.path == path or it.path.startswith((f"{path}.", f"{path}[", f"{path}{{"))
        ]
        fine = widens(was.type, now.type) and (was.nullable or not now.nullable)
        assert any(it.breaking for it in its) is not fine
