"""Blocks of rows, and sets of rows of a block."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.checks import base
from mldata.checks.blocks import blocks, pack_rows, unpack_rows


@given(st.lists(st.booleans(), max_size=80))
def test_a_set_comes_back(mask: list[bool]) -> None:
    """Rows come back in order."""
    data = pack_rows(np.array(mask, np.bool_))
    assert unpack_rows(data, len(mask)).tolist() == [n for n, it in enumerate(mask) if it]


def test_a_set_is_small() -> None:
    """None, all and a few rows of many take a few bytes; never more than a bit a row."""
    some = np.zeros(10_000, np.bool_)
    assert len(pack_rows(some)) == len(pack_rows(~some)) == 1
    some[[3, 9_999]] = True
    assert len(pack_rows(some)) == 9
    some[::2] = True
    assert len(pack_rows(some)) == 1251


@pytest.mark.parametrize("sizes", [[], [0], [7], [1] * 9, [4, 4], [0, 10, 0, 3], [3, 9]])
def test_blocks_are_even(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block but the last has exactly as many rows as a block has, in order, whatever the batches were."""
    monkeypatch.setattr(base, "BLOCK_ROWS", 4)
    total = sum(sizes)
    numbers = iter(range(total))
    batches = [
        pa.record_batch({"n": pa.array([next(numbers) for _ in range(size)], pa.int64())}) for size in sizes
    ]
    found = [[n for batch in block for n in batch["n"].to_pylist()] for block in blocks(iter(batches))]
    assert [n for block in found for n in block] == list(range(total))
    assert [len(block) for block in found] == [4] * (total // 4) + ([total % 4] if total % 4 else [])
