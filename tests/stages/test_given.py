"""Tables of other datasets as sources of normalize: what is taken over, what is filtered, what is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.assignment import Segment, write_assignment
from mldata.formats import typed
from mldata.formats.encode import encode
from mldata.stages import given as given_stage
from mldata.stages.normalize import Normalize
from mldata.table import Table
from store import KIND_TREE, Digest, Store, TreeEntry
from tests.stages.conftest import normalize_params
from tests.stages.jobs import PlainJob, put_table

PARTS = ("train", "test")


def table_of(store: Store, fragments: Sequence[Sequence[int]]) -> Digest:
    return put_table(store, [pa.table({"x": pa.array(rows, pa.int64())}) for rows in fragments], write=encode)


def split_of(store: Store, numbers: Sequence[int], cut: int) -> Digest:
    """An assignment in two segments."""
    data = bytes(numbers)
    pieces = [data[:cut], data[cut:]]
    return write_assignment(
        parts=PARTS,
        ratios=[0.5, 0.5],
        counts=[data.count(part) for part in range(2)],
        segments=[Segment(store.put(piece).digest, len(piece)) for piece in pieces],
        put=store.put,
        put_tree=store.put_tree,
    ).digest


def normalized(
    store: Store, sources: Sequence[tuple[str, Digest, Digest | None]], **params: Any
) -> tuple[PlainJob, Table]:
    """The job over tables that are the only sources, and what it made."""
    entries = []
    for number, (_, table, split) in enumerate(sources):
        made = [("table", table)] + ([("split", split)] if split is not None else [])
        inner = store.put_tree(
            TreeEntry(name, KIND_TREE, digest, store.path(digest).stat().st_size) for name, digest in made
        )
        entries.append(TreeEntry(str(number), KIND_TREE, *inner))
    more: dict[str, Any] = {"datasets": {str(number): text for number, (text, _, _) in enumerate(sources)}}
    if len(sources) > 1:
        more["sources"] = len(sources)
    job = PlainJob(
        store, "normalize", normalize_params(**more, **params), {"fetch": store.put_tree(entries).digest}
    )
    return job, Table.open(store, Normalize().build(job).output.digest)


def values(table: Table) -> list[int]:
    return [row for batch in table.batches() for row in batch.column(0).to_pylist()]


@settings(max_examples=15)
@given(parts=st.lists(st.lists(st.integers(0, 1), max_size=6), min_size=1, max_size=4), data=st.data())
def test_parts_are_the_table(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[int]], data: st.DataObject
) -> None:
    """Of any table and split each part gives its rows in order, and the parts after one another give every row once."""
    numbers = [part for fragment in parts for part in fragment]
    rows = list(range(len(numbers)))
    starts = np.cumsum([0, *map(len, parts)])
    fragments = [rows[start : start + len(it)] for start, it in zip(starts, parts, strict=False)]
    with Store.open(tmp_path_factory.mktemp("store")) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(given_stage, "BLOCK_ROWS", data.draw(st.integers(1, 4)))
        patch.setattr(typed, "ROW_GROUP_BYTES", 16)
        table = table_of(store, fragments)
        split = split_of(store, numbers, data.draw(st.integers(0, len(numbers))))
        expected = [
            [row for row, part in zip(rows, numbers, strict=True) if part == wanted] for wanted in range(2)
        ]
        _, made = normalized(store, [("dataset://b#test", table, split)])
        assert values(made) == expected[1] and made.schema.names == ["x"]
        both = [(f"dataset://b#{part}", table, split) for part in PARTS]
        assert values(normalized(store, both)[1]) == expected[0] + expected[1]


def test_only_torn_fragments_are_filtered(store: Store) -> None:
    """A fragment that is in the part as a whole is that object, one that has nothing of it is left out, others run once."""
    table = table_of(store, [[1, 2], [3, 4], [5, 6]])
    split = split_of(store, [0, 0, 1, 1, 0, 1], 3)
    below = Table.open(store, table)
    job, made = normalized(store, [("dataset://b#train", table, split)])
    assert values(made) == [1, 2, 5]
    assert [it.source for it in made.fragments] == ["dataset://b#train/0.csv", "dataset://b#train/2.csv"]
    assert made.fragments[0].digest == below.fragments[0].digest
    assert len(job.runs) == 1 + 2, "one is filtered, and both are looked at"
    again, _ = normalized(store, [("dataset://b#train", table, split)])
    assert again.runs == []


def test_a_split_that_moves_others_runs_nothing(store: Store) -> None:
    """What is filtered is known by the rows that are meant: where the split differs elsewhere, that is not run again."""
    table = table_of(store, [[1, 2], [3, 4]])
    normalized(store, [("dataset://b#train", table, split_of(store, [0, 1, 0, 0], 1))])
    job, made = normalized(store, [("dataset://b#train", table, split_of(store, [0, 1, 1, 1], 2))])
    assert values(made) == [1] and job.runs == []


def test_rows_that_are_read_twice_are_said(store: Store) -> None:
    """A dataset beside a part of it is allowed, with a warning; two parts, or two datasets, are not worth one."""
    table = table_of(store, [[1, 2]])
    split = split_of(store, [0, 1], 1)
    train, test = ("dataset://b#train", table, split), ("dataset://b#test", table, split)
    job, made = normalized(store, [train, ("dataset://b", table, None)])
    assert values(made) == [1, 1, 2]
    assert job.warnings == ["dataset://b has the rows of dataset://b#train too, which are read twice"]
    assert normalized(store, [train, test, ("dataset://bc", table, None)])[0].warnings == []


def test_settings_rewrite_what_they_change(store: Store) -> None:
    """A new name or type is written into fragments of its own; the table below stays."""
    table = table_of(store, [[1, 2]])
    _, made = normalized(store, [("dataset://b", table, None)], rename={"x": "y"}, types={"y": "float32"})
    assert made.schema == pa.schema([("y", pa.float32())])
    assert made.fragments[0].digest != Table.open(store, table).fragments[0].digest
    assert values(Table.open(store, table)) == [1, 2]


def test_names_do_not_grow(store: Store) -> None:
    """In a tower of datasets a fragment is named by the dataset below and by the file."""
    table = put_table(store, [pa.table({"x": [1]})], write=encode)
    for _ in range(3):
        job, made = normalized(store, [("dataset://b", table, None)])
        table = Normalize().build(job).output.digest
    assert [it.source for it in made.fragments] == ["dataset://b/0.csv"]
