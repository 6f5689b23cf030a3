"""Equal rows over many fragments."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.checks import base, equalrows
from mldata.checks.base import KEPT, Sketch
from mldata.checks.blocks import blocks
from mldata.checks.equalrows import EqualRows, RunBlock
from mldata.testing.checks import MemoryRows

PARTS = ("train", "val", "test")


def runs(values: list[list[object]], folder: Path) -> list[Sketch]:
    """A sketch of each list of values, as one fragment."""
    sketches, start = [], 0
    for number, fragment in enumerate(values):
        batch = pa.record_batch({"v": pa.array(fragment, pa.int64())})
        paths = []
        for block in blocks(iter([batch])):
            run = RunBlock()
            for part in block:
                run.add(part.columns)
            paths.append(folder / f"{number}-{len(paths)}")
            paths[-1].write_bytes(run.blob().data)
        sketches.append(Sketch(start, len(fragment), {"run": paths}))
        start += len(fragment)
    return sketches


def equal(values: list[list[object]], parts: list[int]) -> EqualRows:
    flat = [value for fragment in values for value in fragment]
    rows = MemoryRows(pa.table({"v": pa.array(flat, pa.int64())}), PARTS, np.array(parts, np.uint8))
    with TemporaryDirectory() as folder:
        return EqualRows(runs(values, Path(folder)), rows)


def expected(flat: list[object], parts: list[int]) -> tuple[Counter[int], Counter[tuple[int, int]]]:
    """The same, by the definition: rows beyond the first of a part, and rows whose value an earlier part has."""
    places = defaultdict(set)
    for value, part in zip(flat, parts, strict=True):
        if part != 255:
            places[value].add(part)
    within, across, seen = Counter[int](), Counter[tuple[int, int]](), set()
    for value, part in zip(flat, parts, strict=True):
        if part == 255:
            continue
        if (value, part) in seen:
            within[part] += 1
        seen.add((value, part))
        if (first := min(places[value])) < part:
            across[first, part] += 1
    return within, across


FRAGMENTS = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=7), min_size=1, max_size=4)


@settings(deadline=None, max_examples=30)
@given(
    values=FRAGMENTS,
    seed=st.integers(0, 1000),
    gather=st.sampled_from([1, 4, 1 << 20]),
    block=st.sampled_from([3, 1000]),
)
def test_equal_rows_are_counted(values: list[list[object]], seed: int, gather: int, block: int) -> None:
    """Counts and the first rows are those of the definition, however little is held at a time."""
    flat = [value for fragment in values for value in fragment]
    parts = np.random.default_rng(seed).choice([0, 1, 2, 255], len(flat)).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equalrows, "GATHER_ROWS", gather)
        patch.setattr(base, "BLOCK_ROWS", block)
        found = equal(values, parts)
    within, across = expected(flat, parts)
    assert {n: int(c) for n, c in enumerate(found.within) if c} == within
    assert {tuple(map(int, at)): int(found.across[tuple(at)]) for at in np.argwhere(found.across)} == across
    for part, pairs in found.first_within.items():
        mine = [row for row in range(len(flat)) if parts[row] == part]
        again = [
            (row, next(it for it in mine if flat[it] == flat[row]))
            for n, row in enumerate(mine)
            if flat[row] in [flat[it] for it in mine[:n]]
        ]
        assert pairs == again[:KEPT]
    for part, pairs in found.first_across.items():
        rows = [
            r
            for r in range(len(flat))
            if parts[r] == part and any(flat[r] == flat[o] and parts[o] < part for o in range(len(flat)))
        ]
        assert [row for row, _ in pairs] == rows[:KEPT]
        for row, like in pairs:
            others = [o for o in range(len(flat)) if flat[o] == flat[row] and parts[o] < part]
            first = min(parts[o] for o in others)
            assert like == min(o for o in others if parts[o] == first)


def test_rows_that_share_a_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two values whose first hash collides are different rows, by the second, in a small range and in one that is too large."""
    real = equalrows.hash_rows

    def collide(columns: list[pa.Array], seed: int = 0) -> np.ndarray:
        return real(columns, seed) if seed else np.full(len(columns[0]), 7, np.uint64)

    monkeypatch.setattr(equalrows, "hash_rows", collide)
    for gather in (1 << 21, 1):
        monkeypatch.setattr(equalrows, "GATHER_ROWS", gather)
        found = equal([[1, 2, 3], [4, 2, 5]], [0] * 6)
        assert found.within.tolist() == [1, 0, 0]
        assert found.first_within == {0: [(4, 1)]}


def test_absent_rows_equal_none(tmp_path: Path) -> None:
    """Rows that are left out of a run are compared with none, and the others keep their numbers."""
    run = RunBlock()
    run.add([pa.array([1, None, 1, None])], np.array([True, False, True, False]))
    (tmp_path / "run").write_bytes(run.blob().data)
    rows = MemoryRows(pa.table({"v": [1, None, 1, None]}), ["data"], np.zeros(4, np.uint8))
    found = EqualRows([Sketch(0, 4, {"run": [tmp_path / "run"]})], rows)
    assert found.first_within == {0: [(2, 0)]}
