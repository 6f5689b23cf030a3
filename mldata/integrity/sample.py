"""Which files are looked at where there are too many: a share of every folder and type.

A pure function of the paths, the share and the seed: each path has a rank, the digest of seed and path, and of each stratum (folder and suffix) the first ones by rank are taken, at
least one. So a file that joins a stratum moves at most one other in or out of it, and the order of the paths does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["MANY", "SEED", "SHARE", "choose", "share_of"]

MANY = 10_000
"""Up to so many files, all are looked at."""
SHARE = Fraction(1, 10)
SEED = 42


def share_of(count: int, asked: Fraction | None = None) -> Fraction:
    """The share of ``count`` files that is looked at: what was asked for (1: all of them), else :data:`SHARE` of more than :data:`MANY`."""
    if asked is not None:
        return asked
    return SHARE if count > MANY else Fraction(1)


def choose(paths: Sequence[str], share: Fraction, seed: int = SEED) -> list[int]:
    """The places of those that are looked at, ascending. ``share``: above 0, at most 1."""
    if not 0 < share <= 1:
        raise ValueError(f"expected a share above 0 and at most 1, found {share}")
    if share == 1:
        return list(range(len(paths)))
    strata: dict[tuple[str, str], list[int]] = {}
    for place, path in enumerate(paths):
        folder, _, name = path.rpartition("/")
        strata.setdefault((folder, suffix(name)), []).append(place)
    chosen: list[int] = []
    for places in strata.values():
        wanted = max(1, round(len(places) * share))
        chosen += sorted(places, key=lambda place: _rank(paths[place], seed))[:wanted]
    return sorted(chosen)


def suffix(name: str) -> str:
    """The suffix of a name in lower case; empty if it has none."""
    stem, dot, end = name.rpartition(".")
    return (dot + end).lower() if stem else ""


def _rank(path: str, seed: int) -> tuple[bytes, str]:
    from blake3 import blake3

    return blake3(f"{seed}\0{path}".encode("utf-8", "surrogateescape")).digest(16), path
