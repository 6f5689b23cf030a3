"""Splits by time: parts in order, times whole, cuts where they were asked for."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import BuildError
from mldata.stages.split import Split
from store import Store
from tests.stages.jobs import PlainJob, put_table
from tests.stages.test_split import PARTS, cut, split

DAY = 86_400


def table_of(days: list[int], kind: pa.DataType | None = None) -> pa.Table:
    """A table with a time column ``t``, days since 1970 as a type (a date by default)."""
    kind = kind or pa.date32()
    if pa.types.is_timestamp(kind):
        seconds = pa.array([day * DAY for day in days], pa.int64()).view(pa.timestamp("s"))
        column = seconds.cast(pa.timestamp(kind.unit)).view(pa.int64()).view(kind)
    else:
        column = pa.array(days, pa.int32()).cast(pa.date32() if pa.types.is_date(kind) else kind).cast(kind)
    return pa.table({"x": pa.array(range(len(days))), "t": column})


def by_cuts(store: Store, pieces: list[pa.Table], cuts: list[Any], *parts: str) -> tuple[list[int], PlainJob]:
    """Part of each row, and the job."""
    names = parts or ("train", "val", "test")
    found, job, _ = split(
        store, put_table(store, pieces), dict.fromkeys(names), method="time", time="t", cuts=cuts
    )  # type: ignore[arg-type]
    return found.tolist(), job


@settings(max_examples=30, deadline=None)
@given(
    days=st.lists(st.integers(0, 400), min_size=60, max_size=120),
    where=st.lists(st.integers(0, 120), max_size=3),
    random=st.randoms(use_true_random=False),
)
def test_parts_are_in_order_and_times_whole(
    tmp_path_factory: pytest.TempPathFactory, days: list[int], where: list[int], random: Any
) -> None:
    """Every time of a part is after all of the part before, whatever the order of rows and the cut into files."""
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        tables = [table_of(days), table_of(random.sample(days, len(days)))]
        found = []
        for table in tables:
            pieces = cut(table, *sorted(min(place, len(days)) for place in where))
            try:
                parts = split(store, put_table(store, pieces), {"train": 0.5, "test": 0.5}, **BY_TIME)[0]
            except BuildError as error:
                assert "most frequent" in str(error)
                return
            numbers = np.array(table["t"].cast(pa.int32()))
            assert numbers[parts == 0].max() < numbers[parts == 1].min()
            found.append(sorted(zip(numbers.tolist(), parts.tolist(), strict=True)))
    assert found[0] == found[1]


BY_TIME: dict[str, Any] = {"method": "time", "time": "t", "cuts": []}
TYPES = [pa.date32(), pa.date64(), pa.int32(), pa.timestamp("s"), pa.timestamp("ns", "Asia/Tokyo")]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_shares_of_every_type(store: Store, kind: pa.DataType) -> None:
    """The earliest rows are in the first part, in exact counts where all times differ; where parts begin is told."""
    table = table_of([*range(50, 100), *range(50)], kind)
    job = PlainJob(
        store,
        "split",
        {"parts": [["train", 0.8], ["val", 0.1], ["test", 0.1]], **BY_TIME},
        {"normalize": put_table(store, cut(table, 30))},
    )
    made = Split().build(job)
    assert made.facts["parts"] == {"train": 80, "val": 10, "test": 10}
    starts = made.facts["starts"]
    assert list(starts) == ["val", "test"]
    assert starts["val"].startswith("80" if pa.types.is_integer(kind) else "1970-03-22")
    assert job.warnings == []


def test_one_time_with_too_many_rows(store: Store) -> None:
    """It is in one part whole: told when shares suffer, an error when a part has less than half of its own."""
    table = put_table(store, [table_of([0, *[1] * 60, *range(2, 41)])])
    _, job, _ = split(store, table, {"a": 0.5, "b": 0.5}, **BY_TIME)
    assert job.warnings == [
        "parts are not near their shares: 'a' has 61 rows (share: 50), 'b' has 39 rows (share: 50); rows of one time "
        "stay together, and the most frequent 't', 1970-01-02, has 60 rows"
    ]
    table = put_table(store, [table_of([0, *[1] * 98, 2])])
    with pytest.raises(
        BuildError, match=r"part 'val' would have 0 of 100 rows where its share is 10(?s:.*)`cuts`"
    ):
        split(store, table, **BY_TIME)


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_cuts_of_every_type(store: Store, kind: pa.DataType) -> None:
    """A row at a cut is in the later part."""
    cuts = [3, 5] if pa.types.is_integer(kind) else ["1970-01-04T00:00:00", "1970-01-06T00:00:00"]
    if pa.types.is_timestamp(kind) and kind.tz:
        cuts = ["1970-01-04T09:00:00", "1970-01-06T09:00:00"]  # the clock of the column
    table = table_of([6, 5, 4, 3, 2, 1], kind)
    assert by_cuts(store, [table], cuts)[0] == [2, 2, 1, 1, 0, 0]


def test_cuts_read_new_fragments_only(store: Store) -> None:
    """A row's part depends on its own time, so what is added moves and reads nothing else."""
    pieces = cut(table_of(list(range(9))), 3, 6)
    found, job = by_cuts(store, pieces, ["1970-01-05T00:00:00"], "old", "new")
    assert (found, len(job.runs)) == ([0] * 4 + [1] * 5, 3)
    found, job = by_cuts(store, [*pieces, table_of([1, 8])], ["1970-01-05T00:00:00"], "old", "new")
    assert (found, len(job.runs), len(job.hits)) == ([0] * 4 + [1] * 5 + [0, 1], 1, 3)


def test_cuts_beyond_the_type(store: Store) -> None:
    """A column of small numbers may be cut where it never comes."""
    found, _ = by_cuts(store, [table_of([1, 2], pa.int8())], [-1000, 1000])
    assert found == [1, 1]


def test_an_empty_part_is_warned_of(store: Store) -> None:
    """As by other methods."""
    _, job = by_cuts(store, [table_of([1, 2])], ["1980-01-01T00:00:00"], "old", "new")
    assert job.warnings == ["part 'new' has no rows: the table has 2"]


@pytest.mark.parametrize(
    ("column", "params", "message"),
    [
        ([date(2024, 1, 1)], {"time": "when"}, r"'time' names column 'when'(?s:.*)The columns are: x, t"),
        (["2024-01-01"], {}, r"found 't' of type string(?s:.*)types: \{t: timestamp\}"),
        ([1.5], {}, r"found 't' of type double(?s:.*)types: \{t: int64\}"),
        ([date(2024, 1, 1), None], {}, r"'t' has none in 1 of 2 rows"),
        (
            [date(2024, 1, 1), None],
            {"cuts": ["2024-01-01T00:00:00"]},
            r"'t' has none in 1 of 2 rows of 0.csv",
        ),
        (
            [datetime(2024, 1, 1)],
            {"cuts": [5]},
            r"a cut does not fit 't' of type timestamp\[us\]: expected a date",
        ),
    ],
)
def test_unfit_columns_are_errors(
    store: Store, column: list[Any], params: dict[str, Any], message: str
) -> None:
    """The column, its type or its nulls are named, with what to do."""
    table = put_table(store, [pa.table({"x": range(len(column)), "t": column})])
    with pytest.raises(BuildError, match=message):
        split(store, table, {"a": 0.5, "b": 0.5}, **BY_TIME | params)


def test_no_rows(tmp_path: Path, store: Store) -> None:
    """An empty table has empty parts."""
    _, job, _ = split(store, put_table(store, [table_of([])]), PARTS, **BY_TIME)
    assert len(job.warnings) == 3
    assert by_cuts(store, [table_of([])], ["2024-01-01T00:00:00"], "a", "b")[0] == []
