"""Splits by a column that says the part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.assignment import Assignment
from mldata.errors import BuildError
from mldata.stages.split import Split
from store import Store
from tests.stages.jobs import PlainJob, put_table
from tests.stages.test_split import cut


def parted(
    store: Store, pieces: list[pa.Table], values: Mapping[str, str] | None = None, column: str = "split"
) -> tuple[list[str], PlainJob, dict[str, int]]:
    """The part's name of each row, the job, and the rows of each part."""
    params = {"parts": [], "method": "column", "column": column, "values": dict(values or {})}
    job = PlainJob(store, "split", params, {"normalize": put_table(store, pieces)})
    made = Split().build(job)
    assignment = Assignment.open(store, made.output.digest)
    found = assignment.part_of(0, assignment.rows)
    assert np.bincount(found, minlength=len(assignment.parts)).tolist() == list(assignment.counts)
    assert made.facts["parts"] == dict(zip(assignment.parts, assignment.counts, strict=True))
    assert assignment.ratios == (None,) * len(assignment.parts)
    return [assignment.parts[number] for number in found], job, made.facts["parts"]


def table_of(values: list[Any], kind: pa.DataType | None = None) -> pa.Table:
    """A table with a column of parts."""
    return pa.table({"x": range(len(values)), "split": pa.array(values, kind or pa.string())})


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["train", "test", "val", "extra", "9"]), min_size=1, max_size=50),
    st.lists(st.integers(0, 50), max_size=3),
)
def test_every_row_is_where_the_column_says(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], where: list[int]
) -> None:
    """Whatever the values and fragments; parts stand in the usual order."""
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        pieces = cut(table_of(values), *sorted(min(place, len(values)) for place in where))
        found, _, counts = parted(store, pieces)
    assert found == values
    assert list(counts) == [name for name in ("train", "val", "test", "9", "extra") if name in values]


def test_values_are_renamed(store: Store) -> None:
    """Two may become one part; one that no row has is told of, as it may be misspelt."""
    table = table_of(["train", "validation", "dev", ""])
    found, job, _ = parted(store, [table], {"validation": "val", "dev": "val", "": "test"})
    assert (found, job.warnings) == (["train", "val", "val", "test"], [])
    _, job, _ = parted(store, [table_of(["train", "test"])], {"tset": "test"})
    assert job.warnings == [
        "no row has 'tset' in 'split', which `values` gives a part; it has 'test', 'train'"
    ]


@pytest.mark.parametrize(
    ("values", "kind", "names"),
    [
        ([1, 0, 1], pa.int8(), ["1", "0", "1"]),
        ([True, False], pa.bool_(), ["true", "false"]),
        (["a", "b", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "b", "a"]),
        (["a", "b"], pa.large_string(), ["a", "b"]),
    ],
    ids=str,
)
def test_types(store: Store, values: list[Any], kind: pa.DataType, names: list[str]) -> None:
    """Whole numbers, true and false, and categories name parts too."""
    assert parted(store, [table_of(values, kind)])[0] == names
    renamed = parted(store, [table_of(values, kind)], {names[0]: "first"})[0]
    assert renamed == ["first" if name == names[0] else name for name in names]


def test_a_new_fragment_is_all_that_is_read(store: Store) -> None:
    """Until it brings a new part: then all are numbered anew."""
    pieces = cut(table_of(["train", "test"] * 10), 5, 10)
    assert len(parted(store, pieces)[1].runs) == 6
    _, job, _ = parted(store, [*pieces, table_of(["test", "train", "test"])])
    assert (len(job.runs), len(job.hits)) == (2, 6)
    _, job, _ = parted(store, [*pieces, table_of(["val"])])
    assert (len(job.runs), len(job.hits)) == (5, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["train", None, None], r"'split' has none in 2 of 3 rows of 0.csv"),
        (
            ["train", ""],
            r"cannot all name parts: '' \(1 row\): expected a part name(?s:.*)values: \{\"VALUE\": PART\}",
        ),
        (["a/b", "a/b"], r"'a/b' \(2 rows\): expected a part name"),
        (["Train", "train"], r"'Train' and 'train' differ by case only"),
        (["manifest"], r"'manifest' cannot be a part"),
        ([f"v {number}" for number in range(9)], r"'v 0' \(1 row\)(?s:.*)and 6 more"),
        (
            [f"v{number}" for number in range(256)],
            r"at most 255 different values, the parts; 'split' has more: 'v0'",
        ),
        ([], r"no rows, so that 'split' names no part"),
    ],
)
def test_unfit_values_are_errors(store: Store, values: list[str | None], message: str) -> None:
    """The value, or how many there are, is named, with what to do."""
    with pytest.raises(BuildError, match=message):
        parted(store, [table_of(values)])


def test_too_many_values_over_all_fragments(store: Store) -> None:
    """They are counted together."""
    pieces = cut(table_of([f"v{number}" for number in range(300)]), 100, 200)
    with pytest.raises(BuildError, match=r"at most 255(?s:.*)group: split"):
        parted(store, pieces)


def test_unfit_columns_are_errors(store: Store) -> None:
    """A column that is not there or is no text."""
    with pytest.raises(BuildError, match="Did you mean 'split'"):
        parted(store, [table_of(["a"])], column="splits")
    with pytest.raises(BuildError, match="found 'split' of type double"):
        parted(store, [table_of([1.5], pa.float64())])
