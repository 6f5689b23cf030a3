"""Numbers and shares as people read them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.drift.wording import change, number, share, shares


def test_numbers() -> None:
    """Four digits, separators where there are more before the point, and exponents of what is far from one."""
    told = [number(it) for it in (0.0, 0.03125, -3.14159, 12345.6, 1.5e12, 1e-7)]
    assert told == ["0", "0.03125", "-3.142", "12,346", "1.5e+12", "1e-07"]


def test_shares() -> None:
    """Nothing but nothing is 0%, and nothing but all is 100%."""
    told = [share(it) for it in (0, 1e-9, 0.004, 0.12, 0.5, 0.996, 0.9999999, 1)]
    assert told == ["0%", "<0.1%", "0.4%", "12%", "50%", "99.6%", ">99.9%", "100%"]


@settings(max_examples=50)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_two_shares_that_differ_look_different(first: int, second: int) -> None:
    """Shares that are a tenth of a per cent apart or more are told apart."""
    before, _, after = shares(first / 1000, second / 1000).partition(" → ")
    assert (before == after) == (first == second)


def test_changes() -> None:
    """As many digits as it takes to tell them apart."""
    assert change(3.2, 4.1) == "3.2 → 4.1"
    assert change(1000.0004, 1000.0005) == "1000.0004 → 1000.0005"
    assert change(43.92193, 43.92194) == "43.92193 → 43.92194"
    assert change(1e9, 1e9 + 1e-6) == "1000000000 → 1000000000.000001"
    assert change(1.0, 1.0000000000000002) == "1 → 1.0000000000000002"
