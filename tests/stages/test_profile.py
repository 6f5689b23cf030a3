"""The profile stage over a real store: which fragments are looked at, and that how they are cut, ordered or read changes nothing."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from mldata.profile.leaf import LeafSketcher
from mldata.profile.summarize import summarize
from mldata.profile.summary import TableSummary
from mldata.stages.profile import Profile, read_parts, read_whole
from store import Digest, Store
from tests.stages.jobs import PlainJob, put_table
from tests.stages.test_validate import assign

WORDS = ["red", "green", "blue", None]


def piece(number: int, rows: int = 8) -> pa.Table:
    drawn = random.Random(number)
    return pa.table(
        {
            "id": range(number * rows, (number + 1) * rows),
            "score": [drawn.gauss(0, 1) for _ in range(rows)],
            "colour": [drawn.choice(WORDS) for _ in range(rows)],
        }
    )


def run(store: Store, table: Digest, split: Digest | None = None, **params: Any) -> tuple[PlainJob, Digest]:
    inputs = {"normalize": table} | ({"split": split} if split is not None else {})
    job = PlainJob(store, "profile", params, inputs)
    return job, Profile().build(job).output.digest


def whole(store: Store, pieces: Sequence[pa.Table], **params: Any) -> TableSummary:
    return read_whole(store, run(store, put_table(store, pieces), **params)[1])


def known(summary: TableSummary) -> Any:
    """What a summary says, but for last digits of sums and which rows were drawn for correlations."""
    columns = [
        (it.name, it.rows, it.nulls, it.distinct, it.frequent, it.numbers and it.numbers.points.tolist())
        for it in summary.columns
    ]
    return summary.rows, summary.distinct_rows, summary.missing, columns


def same(one: TableSummary, other: TableSummary) -> bool:
    return bool(known(one) == known(other))


def test_one_changed_fragment_is_read_again(store: Store) -> None:
    """Of 30 fragments a changed one is looked at, and what is known of all of them put together; the same table runs nothing."""
    pieces = [piece(n) for n in range(30)]
    first, output = run(store, put_table(store, pieces))
    assert len(first.runs) == 30 + 1
    again, same_output = run(store, put_table(store, pieces))
    assert not again.runs and same_output == output
    pieces[7] = piece(1000)
    changed, other = run(store, put_table(store, pieces))
    assert changed.runs == ["7.csv", "240 rows"] and other != output


def test_order_and_names_of_files_run_nothing(store: Store) -> None:
    """What is in a table does not depend on where in it rows are."""
    pieces = [piece(n) for n in range(5)]
    _, output = run(store, put_table(store, pieces))
    job, other = run(store, put_table(store, pieces[::-1], sources=list("vwxyz")))
    assert not job.runs and other == output


def test_a_summary_is_that_of_its_rows(store: Store) -> None:
    """However rows are cut into fragments and row groups, what comes out is what is known of them in memory."""
    table = pa.concat_tables([piece(n, 50) for n in range(4)])
    expected = summarize(table)
    for cuts in ([0, 200], [0, 1, 20, 200], [0, 100, 100, 200]):
        pieces = [table.slice(a, b - a) for a, b in pairwise(cuts)]
        assert same(whole(store, pieces), expected)
    assert same(read_whole(store, run(store, put_table(store, [table], row_group_size=7))[1]), expected)


def test_parts_are_read_in_one_go_and_only_where_they_meet(store: Store) -> None:
    """Each part is what its rows are alone. Only fragments that several parts share are looked at again for that; the whole is not sketched anew."""
    pieces = [piece(n) for n in range(4)]
    table = put_table(store, pieces)
    run(store, table)
    rows = {"train": [*range(18), 31], "val": [18, 20], "test": [19, *range(21, 31)], "none": []}
    split = assign(store, rows, 32, segments=3)
    job, output = run(store, table, split, parts=True)
    # 0 and 1 lie in train; 2 is divided among three parts, 3 between two.
    assert job.runs == ["2.csv", "3.csv", "19 rows", "2 rows", "11 rows"]
    assert same(read_whole(store, output), summarize(pa.concat_tables(pieces)))
    taken = [pa.concat_tables(pieces).take(pa.array(it, pa.int64())) for it in rows.values()]
    for got, part in zip(read_parts(store, output, range(4)), taken, strict=True):
        assert same(got, summarize(part))


def test_another_split_reads_what_it_divides(store: Store) -> None:
    """A fragment whose rows stay where they are is not looked at again, nor is one that a part has whole."""
    table = put_table(store, [piece(n) for n in range(3)])
    mixed = {"train": [*range(0, 24, 2)], "test": [*range(1, 24, 2)]}
    run(store, table, assign(store, mixed, 24), parts=True)
    moved = {"train": [*range(0, 16, 2), *range(16, 24)], "test": [*range(1, 16, 2)]}
    job, _ = run(store, table, assign(store, moved, 24), parts=True)
    assert job.runs == ["16 rows", "8 rows"]


def test_only_some_parts(store: Store) -> None:
    """Where one part is asked for, the rows of no other are looked at, and fragments without any of its rows are not read."""
    pieces = [piece(n) for n in range(3)]
    split = assign(store, {"train": range(12), "test": range(12, 24)}, 24)
    job, output = run(store, put_table(store, pieces), split, only=[1])
    assert job.runs == ["1.csv", "2.csv", "12 rows"]
    [test] = read_parts(store, output, [1])
    assert same(test, summarize(pa.concat_tables(pieces).slice(12)))


def test_a_sample(store: Store) -> None:
    """It is about the share that was asked for, the same rows each time, and never taken for the whole."""
    pieces = [piece(n, 2000) for n in range(2)]
    all_rows = whole(store, pieces)
    tenth = whole(store, pieces, sample="1/10")
    assert tenth.rows == 384
    assert tenth.to_bytes() == whole(store, pieces[::-1], sample="1/10").to_bytes()
    assert same(all_rows, whole(store, pieces)) and all_rows.rows == 4000
    split = assign(store, {"a": range(0, 4000, 2), "b": range(1, 4000, 2)}, 4000)
    _, output = run(store, put_table(store, pieces), split, parts=True, sample="1/10")
    assert sum(it.rows for it in read_parts(store, output, range(2))) == 384


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_next_to_nothing(store: Store, rows: int) -> None:
    """No row, one row, parts without rows: all have a summary."""
    table = put_table(store, [piece(0).slice(0, rows)])
    _, output = run(store, table, assign(store, {"a": range(rows), "b": []}, rows), parts=True)
    assert same(read_whole(store, output), summarize(piece(0).slice(0, rows)))
    assert [it.rows for it in read_parts(store, output, range(2))] == [rows, 0]


def test_threads_change_nothing(store: Store, tmp_path: Any) -> None:
    """One worker or several, over fragments or inside a single one: the output is the same."""
    split = {"a": range(0, 400, 3), "b": [n for n in range(400) if n % 3]}
    outputs = set()
    for number, jobs in enumerate((1, 4)):
        with Store.open(tmp_path / str(number)) as other, ThreadPoolExecutor(jobs) as pool:
            for pieces in ([piece(n, 100) for n in range(4)], [piece(9, 400)]):
                inputs = {"normalize": put_table(other, pieces), "split": assign(other, split, 400)}
                job = PlainJob(other, "profile", {"parts": True}, inputs)
                job.jobs, job.map = jobs, pool.map
                outputs.add((len(pieces), Profile().build(job).output.digest))
    assert len(outputs) == 2


def test_rows_are_let_go_at_once(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """No sketcher waits for cycles to be collected, which builds seldom do: memory does not grow with the fragments."""
    alive: list[weakref.ref[LeafSketcher]] = []

    class Watched(LeafSketcher):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            alive.append(weakref.ref(self))

    monkeypatch.setattr("mldata.stages.sketching.LeafSketcher", Watched)
    gc.disable()
    try:
        run(store, put_table(store, [piece(n) for n in range(3)]))
        assert [it() for it in alive] == [None] * 3
    finally:
        gc.enable()
