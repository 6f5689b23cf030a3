"""Estimates of distinct hashes are within the stated error, and registers merge by maximum."""

from __future__ import annotations

import numpy as np
import pytest

from mldata.profile.distinct import FEW, distinct_of, fold_distinct
from mldata.profile.hyperloglog import ERROR, REGISTERS, estimate, registers_of
from mldata.splitmix import row_keys


@pytest.mark.parametrize("count", [0, 1, 100, 5_000, 16_384, 40_000, 100_000, 300_000])
def test_estimates(count: int) -> None:
    """For any number of hashes the estimate is within four times the stated error."""
    found = estimate(registers_of(row_keys(count, 0, count))[0])
    assert abs(found - count) <= max(2, 4 * ERROR * count)


def test_estimates_have_no_bias() -> None:
    """Over several sets the mean error is a fraction of that of one, and the errors spread as stated."""
    errors = [estimate(registers_of(row_keys(seed, 0, 50_000))[0]) / 50_000 - 1 for seed in range(24)]
    assert abs(np.mean(errors)) < ERROR
    assert ERROR / 3 < np.std(errors) < 2 * ERROR


def test_registers() -> None:
    """The upper bits of a hash choose the register, the first set bit among the others is what it says."""
    hashes = np.array([0, 1 << 49, (5 << 50) | 1, (5 << 50) | 3, (1 << 64) - 1], np.uint64)
    registers, least = registers_of(hashes)
    assert (registers[0], registers[5], registers[REGISTERS - 1]) == (51, 50, 1)
    assert np.count_nonzero(registers) == 3
    assert least <= len(hashes)


def test_union() -> None:
    """Sets stay exact as long as there are few together; then registers of all are what one set of all has."""
    some = [row_keys(0, start, start + 6_000) for start in (0, 3_000)]
    few = fold_distinct([distinct_of(each.copy(), exact=False) for each in some], exact=False)
    assert (few.told().estimate, few.told().error) == (9_000, 0.0)
    far = row_keys(0, 50_000, 56_000)
    many = fold_distinct([few, distinct_of(far.copy(), exact=False)], exact=False)
    assert many.told().error > 0
    at_once = distinct_of(np.concatenate([row_keys(0, 0, 9_000), far]), exact=False)
    assert at_once.registers is not None
    assert many.registers is not None
    assert at_once.registers.tobytes() == many.registers.tobytes()
    exact = fold_distinct([few, distinct_of(far, exact=True)], exact=True)
    assert exact.told().estimate == 15_000 > FEW
