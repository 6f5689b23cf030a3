"""Steps over the whole table do what a few lines of Python would, however its rows lie in fragments."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata import tablesteps
from mldata.errors import SpecError
from mldata.tablesteps import TableRows, check_table_step, kept_rows, sorted_rows

SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.float64())])
ROW = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-2, 2),
        "b": st.none() | st.sampled_from(["x", "y", "long " * 80]),
        "c": st.none() | st.sampled_from([0.0, -0.0, 1.5, float("nan")]),
    }
)
FRAGMENTS = st.lists(st.lists(ROW, max_size=6), min_size=1, max_size=4)
Fragments = list[list[dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fragments")


def stored(folder: Path, fragments: list[pa.Table]) -> TableRows:
    paths = []
    for number, table in enumerate(fragments):
        paths.append(str(folder / f"{number}.parquet"))
        pq.write_table(table, paths[-1])
    return TableRows(paths, [table.num_rows for table in fragments], fragments[0].schema)


def kept(table: TableRows, **step: Any) -> list[list[dict[str, Any]]]:
    """Rows that stay, by fragment."""
    made = []
    for number, mask in enumerate(kept_rows(step, table)):
        rows = [row for batch in table.fragment(number) for row in batch.to_pylist()]
        made.append(rows if mask is None else [row for row, stays in zip(rows, mask, strict=True) if stays])
    return made


def texts(rows: list[dict[str, Any]]) -> list[str]:
    """Rows so that NaN is equal to NaN, and zeros differ."""
    return [repr([row[name] for name in SCHEMA.names]) for row in rows]


def comparable(row: dict[str, Any], by: list[str]) -> str:
    """Equal for rows with equal values: NaN is NaN, and zero zero."""
    return repr([row[name] + 0.0 if isinstance(row[name], float) else row[name] for name in by])


@settings(max_examples=40)
@given(fragments=FRAGMENTS, by=st.sampled_from([[], ["a"], ["b", "c"], ["c"]]))
def test_dedupe_like_a_naive_model(folder: Path, fragments: Fragments, by: list[str]) -> None:
    """The first of equal rows stays in its fragment, in order."""
    table = stored(folder, [pa.Table.from_pylist(rows, SCHEMA) for rows in fragments])
    seen: set[str] = set()
    model = []
    for rows in fragments:
        model.append([])
        for row in rows:
            key = comparable(row, by or SCHEMA.names)
            if key not in seen:
                seen.add(key)
                model[-1].append(row)
    assert [*map(texts, kept(table, step="dedupe", by=by))] == [*map(texts, model)]


def test_no_row_is_left_out_for_a_collision(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with one hash and different values all stay, also of nested and dictionary columns."""
    values = pa.table(
        {
            "a": pa.array([[1], [1], [2], None, [1]]),
            "k": pa.array(["u", "u", "u", "u", "v"]).dictionary_encode(),
        }
    )
    monkeypatch.setattr(tablesteps, "hash_rows", lambda columns: np.zeros(len(columns[0]), np.uint64))
    assert kept(stored(folder, [values]), step="dedupe", by=[]) == [
        [{"a": [1], "k": "u"}, {"a": [2], "k": "u"}, {"a": None, "k": "u"}, {"a": [1], "k": "v"}]
    ]


@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    rows=st.integers(1, 100),
    seed=st.integers(0, 2**64 - 1),
)
def test_a_number_of_rows(folder: Path, sizes: list[int], rows: int, seed: int) -> None:
    """Exactly so many rows stay, or all where there are fewer, in order; however they lie in fragments."""
    total = sum(sizes)
    whole = pa.table({"a": pa.array(range(total), pa.int64())})
    starts = np.cumsum([0, *sizes])
    table = stored(folder, [whole.slice(start, size) for start, size in zip(starts, sizes, strict=False)])
    made = [
        row["a"]
        for fragment in kept(table, step="sample", rows=rows, share=None, seed=seed)
        for row in fragment
    ]
    assert len(made) == min(rows, total)
    assert made == sorted(set(made))
    again = kept(stored(folder, [whole]), step="sample", rows=rows, share=None, seed=seed)
    assert [row["a"] for row in again[0]] == made


def test_every_row_has_the_same_chance(folder: Path) -> None:
    """Over many seeds each row is drawn about equally often."""
    table = stored(folder, [pa.table({"a": list(range(20))})])
    drawn = Counter(
        row["a"]
        for seed in range(400)
        for row in kept(table, step="sample", rows=5, share=None, seed=seed)[0]
    )
    assert set(drawn) == set(range(20))
    assert all(60 < count < 145 for count in drawn.values()), drawn


@settings(max_examples=40)
@given(
    fragments=FRAGMENTS,
    by=st.lists(
        st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=3, unique_by=lambda it: it[0]
    ),
)
def test_sort_like_a_naive_model(folder: Path, fragments: Fragments, by: list[tuple[str, bool]]) -> None:
    """Stable, by one column after the other, up or down, with NaN and then null at the end either way."""
    table = stored(folder, [pa.Table.from_pylist(rows, SCHEMA) for rows in fragments])
    made = [row for batch in sorted_rows({"step": "sort", "by": by}, table) for row in batch.to_pylist()]
    model = [row for rows in fragments for row in rows]
    for name, down in reversed(by):
        last = {id(row): 2 if row[name] is None else int(row[name] != row[name]) for row in model}
        values = [row for row in model if not last[id(row)]]
        values.sort(key=lambda row: row[name], reverse=down)
        model = (
            values
            + [row for row in model if last[id(row)] == 1]
            + [row for row in model if last[id(row)] == 2]
        )
    assert texts(made) == texts(model)


def test_sorting_dictionaries_and_empty_columns(folder: Path) -> None:
    """Text in a dictionary is sorted as the text that it is; a column without values changes nothing."""
    table = stored(
        folder, [pa.table({"k": pa.array(["v", "u", None, "u"]).dictionary_encode(), "n": pa.nulls(4)})]
    )
    made = pa.Table.from_batches(
        sorted_rows({"step": "sort", "by": [("n", False), ("k", False)]}, table), table.schema
    )
    assert made["k"].to_pylist() == ["u", "u", "v", None]


def test_steps_that_do_not_fit_are_refused() -> None:
    """A wrong column, or a type that has no order or no equality, is an error before anything runs."""
    schema = pa.schema([("a", pa.list_(pa.int8())), ("v", pa.string_view())])
    for step, message in (
        ({"step": "sort", "by": [["b", False]]}, "expected a column of the table, found 'b'"),
        ({"step": "sort", "by": [["a", False]]}, "has no order"),
        ({"step": "dedupe", "by": ["b"]}, "expected a column of the table, found 'b'"),
        ({"step": "dedupe", "by": ["v"]}, "rows cannot be compared"),
    ):
        with pytest.raises(SpecError, match=message):
            check_table_step(step, schema)
    check_table_step({"step": "dedupe", "by": ["a"]}, schema)
