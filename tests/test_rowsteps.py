"""Steps that look at one row at a time do what a few lines of Python would."""

from __future__ import annotations

import contextlib
import datetime
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import DataError, MldataError, SpecError
from mldata.rowsteps import bind
from mldata.stepflow import bind_steps
from tests.exports.columns import ALL

Rows = list[dict[str, Any]]


def run(table: pa.Table, batch_rows: int | None = None, **step: Any) -> pa.Table:
    """What a step makes of a table that comes in batches."""
    bound = bind(step, table.schema)
    batches = bound.run(iter(table.to_batches(max_chunksize=batch_rows)))
    return pa.Table.from_batches(list(batches), bound.schema)


def column(values: list[Any], kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"a": pa.array(values, kind)})


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.none() | st.integers(-3, 3),
            "b": st.none() | st.sampled_from(["x", "y", "z"]),
            "c": st.none() | st.floats(-2, 2, width=16),
        }
    ),
    max_size=12,
)
SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.float64())])
MODELS: dict[str, tuple[dict[str, Any], Any]] = {
    "select": ({"columns": ["c", "a"]}, lambda rows: [{"c": r["c"], "a": r["a"]} for r in rows]),
    "rename": (
        {"columns": {"a": "b", "b": "a"}},
        lambda rows: [{"b": r["a"], "a": r["b"], "c": r["c"]} for r in rows],
    ),
    "cast": (
        {"columns": {"a": "string"}},
        lambda rows: [{**r, "a": None if r["a"] is None else str(r["a"])} for r in rows],
    ),
    "filter": (
        {"expression": "a > 0 or b == 'x'"},
        lambda rows: [r for r in rows if (r["a"] is not None and r["a"] > 0) or r["b"] == "x"],
    ),
    "fill_null": (
        {"values": {"a": 7, "b": "?"}},
        lambda rows: [{**r, "a": 7 if r["a"] is None else r["a"], "b": r["b"] or "?"} for r in rows],
    ),
    "map": (
        {"labels": {"b": {"x": "X", "y": None}}},
        lambda rows: [{**r, "b": {"x": "X", "y": None}.get(r["b"], r["b"])} for r in rows],
    ),
}


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=40)
@given(rows=ROWS, batch_rows=st.integers(1, 5))
def test_like_a_naive_model(name: str, rows: Rows, batch_rows: int) -> None:
    """Any rows, in batches of any size, become what a loop over dicts makes of them."""
    params, model = MODELS[name]
    made = run(pa.Table.from_pylist(rows, SCHEMA), batch_rows, step=name, **params)
    assert made.to_pylist() == model(rows)
    made.validate(full=True)


def test_a_wrong_column_is_named_before_anything_runs() -> None:
    """Every step that names a column names the nearest one when there is none of that name."""
    table = pa.table({"age": [1], "kind": ["a"]})
    for step in (
        {"step": "select", "columns": ["agee"]},
        {"step": "rename", "columns": {"agee": "x"}},
        {"step": "cast", "columns": {"agee": "int8"}},
        {"step": "filter", "expression": "agee > 1"},
        {"step": "fill_null", "values": {"agee": 1}},
        {"step": "map", "labels": {"agee": {"a": "b"}}},
    ):
        with pytest.raises(SpecError, match="found 'agee'") as caught:
            bind(step, table.schema)
        assert caught.value.hint == "did you mean 'age'?"


def test_rename_keeps_names_apart() -> None:
    """A new name may not be another column's."""
    with pytest.raises(SpecError, match="two columns would be called 'b'"):
        run(pa.table({"a": [1], "b": [2]}), step="rename", columns={"a": "b"})


@pytest.mark.parametrize(
    ("values", "kind", "to", "made"),
    [
        (["1", " 2", None], pa.string(), "int16", [1, 2, None]),
        ([1, 0, None], pa.int64(), "bool", [True, False, None]),
        (["2020-01-02"], pa.string(), "date32", [datetime.date(2020, 1, 2)]),
        ([1.0, 2.0], pa.float64(), "int8", [1, 2]),
        (["u", "v", "u"], pa.string(), "category", ["u", "v", "u"]),
        (["7", "8"], pa.dictionary(pa.int8(), pa.string()), "int64", [7, 8]),
    ],
)
def test_casts(values: list[Any], kind: pa.DataType, to: str, made: list[Any]) -> None:
    """A value keeps its meaning in another type."""
    assert run(column(values, kind), step="cast", columns={"a": to})["a"].to_pylist() == made


@pytest.mark.parametrize(
    ("values", "to"), [(["1", "x"], "int16"), ([1, 300], "int8"), ([0.5, 1.5], "int64"), (["maybe"], "bool")]
)
def test_a_cast_that_would_lose_a_value_is_refused(values: list[Any], to: str) -> None:
    """A value that does not fit is named, with its column."""
    with pytest.raises(
        DataError, match=f"column 'a': expected {to}, found '?{values[-1] if to != 'int64' else 0.5}"
    ):
        run(column(values), step="cast", columns={"a": to})


def test_a_cast_that_cannot_be_is_refused_before_anything_runs() -> None:
    """Types that have nothing to do with each other."""
    with pytest.raises(SpecError, match="no cast makes"):
        bind({"step": "cast", "columns": {"a": "date32"}}, pa.schema([("a", pa.list_(pa.int8()))]))


def test_a_filter_that_does_not_fit_the_types_is_refused() -> None:
    """Comparing text with a number, or what is no condition, is an error before anything runs."""
    schema = pa.schema([("s", pa.string()), ("n", pa.int64()), ("d", pa.date32())])
    for text in ("s > 1", "n.lower() == 'a'", "s + 1 > 2", "d > 'soon'", "len(n) > 1"):
        with pytest.raises(SpecError, match="cannot be computed"):
            bind({"step": "filter", "expression": text}, schema)
    with pytest.raises(SpecError, match="expected a condition"):
        bind({"step": "filter", "expression": "n + 1"}, schema)


def test_an_overflow_in_a_filter_is_an_error() -> None:
    """Whole numbers do not wrap around."""
    with pytest.raises(DataError, match="overflow"):
        run(column([2**62]), step="filter", expression="a * 4 > 0")


def test_filling_other_types() -> None:
    """A value is put into columns of its kind: dates from text, dictionaries, and columns without any value."""
    table = pa.table(
        {
            "d": pa.array([None], pa.date32()),
            "k": pa.array(["u"]).dictionary_encode().take(pa.array([None], pa.int32())),
            "n": pa.nulls(1),
        }
    )
    made = run(table, step="fill_null", values={"d": "2020-01-02", "k": "v", "n": 3})
    assert made.to_pylist() == [{"d": datetime.date(2020, 1, 2), "k": "v", "n": 3}]
    assert made.schema.field("k").type == table.schema.field("k").type


@pytest.mark.parametrize(
    ("kind", "value"),
    [(pa.int8(), 300), (pa.int64(), "5"), (pa.int64(), 1.5), (pa.string(), 5), (pa.date32(), "x")],
)
def test_a_fill_that_does_not_fit_is_refused(kind: pa.DataType, value: Any) -> None:
    """No value is bent to a column's type."""
    with pytest.raises(SpecError, match="cannot hold"):
        bind({"step": "fill_null", "values": {"a": value}}, pa.schema([("a", kind)]))


def test_labels_of_another_kind() -> None:
    """Numbers become names and names numbers where every value has one; the rest stays where the kind does."""
    assert run(column([0, 1, None]), step="map", labels={"a": {"0": "cat", "1": "dog"}})["a"].to_pylist() == [
        "cat",
        "dog",
        None,
    ]
    assert (
        run(column(["x", "y"]), step="map", labels={"a": {"x": 0, "y": 1}}).schema.field("a").type
        == pa.int64()
    )
    assert run(column([0, 5], pa.int8()), step="map", labels={"a": {"0": 3}}).equals(
        column([3, 5], pa.int8())
    )
    kinds = pa.array(["u", "v", None]).dictionary_encode()
    made = run(pa.table({"a": kinds}), step="map", labels={"a": {"u": "w"}})
    assert made["a"].to_pylist() == ["w", "v", None]
    assert made.schema.field("a").type == kinds.type
    with pytest.raises(DataError, match="found none for 2"):
        run(column([0, 1, 2]), step="map", labels={"a": {"0": "cat", "1": "dog"}})
    with pytest.raises(SpecError, match="which has none of 'x'"):
        bind({"step": "map", "labels": {"a": {"x": "y"}}}, pa.schema([("a", pa.int64())]))


def test_a_share_of_the_rows() -> None:
    """About the share stays, whatever the values are; the same rows for one seed, others for another; all for 1."""
    rows = 20_000
    for values in (range(rows), [i % 2 for i in range(rows)], [7] * rows):
        made = run(column(list(values)), 1000, step="sample", share=0.25, seed=1)
        assert abs(made.num_rows - rows / 4) < 5 * (rows * 0.25 * 0.75) ** 0.5
        assert made.equals(run(column(list(values)), 333, step="sample", share=0.25, seed=1))
    assert not Counter(made["a"].to_pylist()) - Counter(values)
    one, other = (run(column(list(range(rows))), step="sample", share=0.25, seed=seed) for seed in (1, 2))
    assert not one.equals(other)
    assert run(column([1, 2]), step="sample", share=1.0, seed=0).num_rows == 2


def test_a_row_keeps_its_fate_in_a_share() -> None:
    """Rows that are added at the end, or changed elsewhere, move no other."""
    before = run(column(list(range(1000))), step="sample", share=0.5, seed=1)["a"].to_pylist()
    after = run(column([*range(500), -1, *range(501, 1100)]), step="sample", share=0.5, seed=1)[
        "a"
    ].to_pylist()
    assert [value for value in before if value != 500] == [value for value in after if 0 <= value < 1000]


EVERY_STEP: list[dict[str, Any]] = [
    *(
        {"step": "cast", "columns": {"c": kind}}
        for kind in ("string", "int8", "float32", "timestamp[us]", "time64[us]", "category")
    ),
    *(
        {"step": "filter", "expression": text}
        for text in ("c > 1", "c == 'a'", "c in ['2024-02-29', '']", "not c", "c * 2 > 18446744073709551615")
    ),
    *({"step": "fill_null", "values": {"c": value}} for value in (1, 1.5, "x", True, "2024-02-29", -(2**63))),
    *(
        {"step": "map", "labels": {"c": labels}}
        for labels in ({"1": "a"}, {"u": None}, {"true": False}, {"": 1})
    ),
    {"step": "sample", "share": 0.5, "rows": None, "seed": 1},
]


@pytest.mark.parametrize("kind", ALL)
def test_every_step_on_every_type(kind: str) -> None:
    """A step gives valid columns, or says why not: whatever the type, no other error comes out."""
    table = pa.table({"c": ALL[kind]})
    for step in EVERY_STEP:
        with contextlib.suppress(MldataError):
            flow = bind_steps([step], table.schema, 1)
            made = pa.Table.from_batches(list(flow.run(iter(table.to_batches()))), flow.schema)
            made.validate(full=True)


@given(
    names=st.lists(
        st.text(max_size=5).filter(lambda name: name.isprintable() or name in "\n\t\0"),
        min_size=2,
        max_size=3,
        unique=True,
    )
)
def test_any_name_of_a_column(names: list[str]) -> None:
    """Columns may be called anything; an expression reaches each by ``col``."""
    table = pa.table({name: [number, number + 1] for number, name in enumerate(names)})
    last = names[-1]
    assert run(table, step="filter", expression=f"col({last!r}) == {len(names)}").num_rows == 1
    assert run(table, step="select", columns=[last]).column_names == [last]
    assert (
        run(table, step="rename", columns=dict(zip(names, names[1:] + names[:1], strict=True))).column_names
        == names[1:] + names[:1]
    )
