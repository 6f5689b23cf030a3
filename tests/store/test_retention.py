"""Which refs are old enough to be dropped."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store import Ref, digest_bytes
from store.retention import dropped_by_age, dropped_by_count

DAY = 86400.0
SOME = digest_bytes(b"some")


def refs(**numbers: tuple[int, ...]) -> list[Ref]:
    """Refs of each series, number N set N days after the epoch."""
    return [Ref(f"{s}/{n}", SOME, n * DAY) for s, many in numbers.items() for n in many]


def test_keep_last_counts_by_number_in_each_series() -> None:
    """The highest numbers stay, 10 above 9; other refs are no series and stay."""
    found = [*refs(a=(9, 10, 1), b=(1,)), Ref("tag", SOME, 0), Ref("a/latest", SOME, 0)]
    assert dropped_by_count(found, 1) == {
        "a/1": "a keeps its 1 newest builds, the oldest of them 10",
        "a/9": "a keeps its 1 newest builds, the oldest of them 10",
    }
    assert list(dropped_by_count(found, 2)) == ["a/1"]
    assert dropped_by_count(found, 9) == {}
    with pytest.raises(ValueError, match="keep_last"):
        dropped_by_count(found, 0)


def test_max_age_never_drops_a_series_newest() -> None:
    """Old refs go, but not the last build of a dataset, however old."""
    dropped = dropped_by_age(refs(a=(1, 2, 9), b=(1,)), timedelta(days=5), 10 * DAY)
    assert dropped == {
        "a/1": "set 9.0 days ago, more than 5, and a/9 is newer",
        "a/2": "set 8.0 days ago, more than 5, and a/9 is newer",
    }
