"""splitmix64."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mldata.splitmix import GAMMA, mix64, mix64_int, row_keys


def test_first_outputs_are_those_of_the_reference() -> None:
    """The sequence from state 1234567 is the one that Vigna's splitmix64.c prints (Rosetta Code lists it)."""
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [mix64_int(1234567 + GAMMA * (number + 1)) for number in range(5)] == expected


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40), st.integers(0, 50))
def test_keys_depend_on_seed_and_row_only(seed: int, start: int, rows: int) -> None:
    """Keys are the same whatever the piece in which they are computed, and by plain integers."""
    keys = row_keys(seed, start, start + rows)
    assert keys.tolist() == [int(row_keys(seed, row, row + 1)[0]) for row in range(start, start + rows)]
    assert keys.tolist() == [mix64_int(mix64_int(seed) + GAMMA * (start + row + 1)) for row in range(rows)]


def test_keys_do_not_repeat() -> None:
    """Different rows have different keys."""
    assert len(np.unique(row_keys(7, 0, 100_000))) == 100_000


def test_mixing_is_in_place() -> None:
    """``mix64`` returns the array it was given."""
    values = np.arange(4, dtype=np.uint64)
    assert mix64(values) is values
    assert values.tolist() == [mix64_int(number) for number in range(4)]
