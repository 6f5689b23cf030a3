"""Which refs of a series are old enough to be dropped, each with its reason. Pure.

Invariant: the newest ref of a series, and a ref outside any, is never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from store.refs import Ref, split_series

__all__ = ["dropped_by_age", "dropped_by_count", "series_of"]


def dropped_by_count(refs: Iterable[Ref], keep_last: int) -> dict[str, str]:
    """Refs of a series below its ``keep_last`` highest numbers, with the reason. Refs outside any series stay."""
    if keep_last < 1:
        raise ValueError(
            f"keep_last must be 1 or more, found {keep_last}: a series never loses its newest build"
        )
    return {
        ref.name: f"{series} keeps its {keep_last} newest builds, the oldest of them {numbered[-keep_last][0]}"
        for series, numbered in series_of(refs).items()
        for _, ref in numbered[:-keep_last]
    }


def dropped_by_age(refs: Iterable[Ref], max_age: timedelta, now: float) -> dict[str, str]:
    """Refs of a series set more than ``max_age`` before ``now`` (seconds since the epoch), but never a series' newest, with the reason."""
    limit = max_age.total_seconds()
    return {
        ref.name: f"set {(now - ref.mtime) / 86400:.1f} days ago, more than {limit / 86400:g}, and {series}/{numbered[-1][0]} is newer"
        for series, numbered in series_of(refs).items()
        for _, ref in numbered[:-1]
        if now - ref.mtime > limit
    }


def series_of(refs: Iterable[Ref]) -> dict[str, list[tuple[int, Ref]]]:
    """Series → its refs by rising number. Refs outside any series are left out."""
    found: dict[str, list[tuple[int, Ref]]] = {}
    for ref in refs:
        where = split_series(ref.name)
        if where:
            found.setdefault(where[0], []).append((where[1], ref))
    return {series: sorted(numbered) for series, numbered in found.items()}
