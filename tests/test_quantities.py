"""Sizes, durations and shares as people write them."""

from __future__ import annotations

import pytest

from mldata.errors import UsageError
from mldata.quantities import parse_duration, parse_share, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5MB", 5_000_000),
        ("1.5GiB", 1_610_612_736),
        ("500k", 500_000),
        ("500 KiB", 512_000),
        ("17", 17),
        ("2T", 2 * 10**12),
        ("0B", 0),
    ],
)
def test_sizes(text: str, size: int) -> None:
    """Powers of 1000, and with an i of 1024."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-5MB", "5 apples", "1e3", "1,5GB", "5TB" * 2, "9" * 400 + "GB"])
def test_no_sizes(text: str) -> None:
    """Everything else, also what no file can be as large as, is refused by a short message."""
    with pytest.raises(UsageError) as caught:
        parse_size(text)
    assert len(str(caught.value)) < 200


def test_durations_and_shares() -> None:
    """A bare number is seconds; a share is above 0 and at most 1."""
    assert [parse_duration(text) for text in ("90", "1.5m", "2h", "1w")] == [90, 90, 7200, 604800]
    assert [parse_share(text) for text in ("5%", "0.25", "100 %")] == [0.05, 0.25, 1]
    for wrong in ("0", "101%", "nan", "x"):
        with pytest.raises(UsageError):
            parse_share(wrong)
