"""Rows are drawn by their priorities alone: from a stream, and from leaves together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.profile.draw import ALL, Draw, drawn_together
from mldata.splitmix import row_keys


def draw(most: int, sizes: list[int]) -> Draw[list[int]]:
    made = Draw[list[int]](
        most, lambda some: [it for each in some for it in each], lambda it, at: [it[n] for n in at]
    )
    start = 0
    for size in sizes:
        priorities = row_keys(5, start, start + size)
        rows = made.wanted(priorities)
        numbers = np.arange(size) if rows is None else rows
        made.add(priorities[numbers], (numbers + start).tolist())
        start += size
    return made


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.lists(st.integers(0, 60), max_size=8))
def test_a_stream(most: int, sizes: list[int]) -> None:
    """However rows come, those with the lowest priorities are drawn, and the edge is the next one's."""
    priorities = row_keys(5, 0, sum(sizes))
    order = np.argsort(priorities)
    found, rows, edge = draw(most, sizes).finish(most)
    assert rows == order[:most].tolist()
    assert found.tolist() == priorities[order[:most]].tolist()
    assert edge == (priorities[order[most]] if len(order) > most else ALL)


def test_leaves_together() -> None:
    """Each leaf gives a share that fits its rows, however many rows it has drawn."""
    leaves = []
    for seed, (rows, kept) in enumerate([(50_000, 1_000), (10_000, 5_000), (100, 100)]):
        priorities = np.sort(row_keys(seed, 0, rows))
        leaves.append((priorities[:kept], int(priorities[kept]) if kept < rows else ALL))
    first, second, third = drawn_together(leaves, 100_000)
    assert first == 1_000
    assert 150 < second < 250
    assert third < 10
    assert sum(drawn_together(leaves, 500)) == 500
    assert drawn_together(leaves[2:], 500) == [100]
    assert drawn_together([], 5) == []


def test_equal_priorities() -> None:
    """Of rows with the same priority at the edge none is drawn: no order decides between them."""
    priorities = np.array([1, 2, 3], np.uint64)
    assert drawn_together([(priorities, ALL), (priorities, ALL)], 3) == [1, 1]
