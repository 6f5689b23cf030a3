"""Which row goes to which part: exact counts, and the order statistics that realize them.

Every function here is pure. A part is a number 0 to 254, its place in the spec's order; 255 means no part. Parts are
ranges of a row's rank among the keys of :mod:`mldata.splitmix` (random: all rows; stratified: rows of its class).

The thresholds between parts are found without sorting the rows. Keys are uniform, so the key at a given rank lies
within a few standard deviations (at most 0.5 / sqrt(rows)) of its expected place; one pass counts the keys below that
window and keeps those in it, which leaves O(sqrt(rows)) keys to sort. A window that misses (odds of about 1e-15) is
widened to everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from mldata.splitmix import row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MAX_PARTS",
    "NO_PART",
    "apportion",
    "apportion_many",
    "bounds",
    "class_sizes",
    "fold_counts",
    "random_parts",
    "stratified_parts",
]

NO_PART = 255
MAX_PARTS = 255
CHUNK = 1 << 15
"""Rows a step: the keys and their temporaries stay in a core's own cache."""
_WIDTH = 4
"""Half a window in units of 1 / sqrt(rows): eight standard deviations at least."""
_FEW_ROWS = 2000
"""Classes of fewer rows than this on average are sorted, since their windows would hold most rows."""
_TOP = (1 << 64) - 1


def _shares(ratios: Sequence[float]) -> list[Fraction]:
    """Ratios as exact fractions of their sum: 0.1 is one tenth, as it was written, not the nearest double."""
    exact = [Fraction(repr(ratio)) for ratio in ratios]
    total = sum(exact)
    return [share / total for share in exact]


def apportion(total: int, ratios: Sequence[float]) -> list[int]:
    """Whole counts that sum to ``total``, in proportion to ``ratios``, by largest remainder (Hamilton's method).

    Equal remainders go to the part that comes first.
    """
    quotas = [share * total for share in _shares(ratios)]
    counts = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda part: (counts[part] - quotas[part], part))
    for part in by_remainder[: total - sum(counts)]:
        counts[part] += 1
    return counts


def apportion_many(totals: NDArray[np.int64], ratios: Sequence[float]) -> NDArray[np.int64]:
    """:func:`apportion` of each of ``totals``: an array of shape (totals, ratios)."""
    sizes, inverse = np.unique(totals, return_inverse=True)
    counts = np.array([apportion(int(size), ratios) for size in sizes], dtype=np.int64)
    return counts.reshape(len(sizes), len(ratios))[inverse.reshape(-1)]


def fold_counts(totals: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Equal counts of each of ``totals`` and of all of them: an array of shape (totals, folds), in which no two of a row
    differ by more than one, nor two column sums.

    The rows that are left over go round the folds: the first of one total to the fold after that of the last before it.
    """
    over = totals % folds
    first = np.cumsum(over) - over
    turn = (np.arange(folds) - first[:, None]) % folds
    counts: NDArray[np.int64] = totals[:, None] // folds + (turn < over[:, None])
    return counts


def bounds(ratios: Sequence[float]) -> list[int]:
    """Upper bounds of all parts but the last in the range of a 64-bit hash: key < bounds[i] is in a part <= i."""
    return [int(edge * (1 << 64)) for edge in list(accumulate(_shares(ratios)))[:-1]]


def random_parts(rows: int, seed: int, counts: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    """Part of each row, in row order, in pieces: part i gets exactly ``counts[i]`` rows (they sum to ``rows``).

    Memory does not grow with ``rows`` (but for the square root of it).
    """
    edges = list(accumulate(counts))[:-1]
    thresholds = _thresholds(rows, seed, edges)
    for start in range(0, rows, CHUNK):
        keys = row_keys(seed, start, min(start + CHUNK, rows))
        parts = np.zeros(len(keys), np.uint8)
        for edge, threshold in zip(edges, thresholds, strict=True):
            if edge == rows:  # nothing comes after; no key can serve as threshold
                break
            parts += keys >= threshold
        yield parts


def _thresholds(rows: int, seed: int, edges: Sequence[int], width: int = _WIDTH) -> list[np.uint64]:
    """For each rank in ``edges``, the key that has exactly so many keys below it (0 for a rank past the end)."""
    windows = [_window(edge, rows, width) for edge in edges]
    below = [0] * len(edges)
    inside: list[list[NDArray[np.uint64]]] = [[] for _ in edges]
    for start in range(0, rows, CHUNK):
        keys = row_keys(seed, start, min(start + CHUNK, rows))
        for number, (low, high) in enumerate(windows):
            small = keys < low
            below[number] += int(np.count_nonzero(small))
            small |= keys > high
            inside[number].append(keys[~small])
    found = []
    for edge, count, pieces in zip(edges, below, inside, strict=True):
        near = np.sort(np.concatenate(pieces)) if pieces else np.empty(0, np.uint64)
        place = edge - count
        if edge < rows and not 0 <= place < len(near):
            return _thresholds(rows, seed, edges, (width + 1) * 1000)
        found.append(near[place] if edge < rows else np.uint64(0))
    return found


def _window(rank: int, rows: int, width: int) -> tuple[np.uint64, np.uint64]:
    """The range of keys in which the key of ``rank`` among ``rows`` uniform keys is looked for."""
    centre = (rank << 64) // max(rows, 1)
    half = ((width << 64) // max(int(np.sqrt(rows)), 1)) if rows else _TOP
    return np.uint64(max(centre - half, 0)), np.uint64(min(centre + half, _TOP))


def class_sizes(codes: NDArray[np.unsignedinteger], classes: int) -> NDArray[np.int64]:
    """Rows of each class. In steps, since ``bincount`` makes eight bytes of each code."""
    sizes = np.zeros(classes, np.int64)
    step = max(CHUNK, 4 * classes)
    for start in range(0, len(codes), step):
        sizes += np.bincount(codes[start : start + step], minlength=classes)
    return sizes


def stratified_parts(
    codes: NDArray[np.unsignedinteger], seed: int, counts: NDArray[np.int64]
) -> Iterator[NDArray[np.uint8]]:
    """Part of each row, in row order, in pieces: of class c, part i gets exactly ``counts[c, i]`` rows.

    Args:
        codes: the class of each row, 0 to classes - 1. How classes are numbered does not change the result.
        seed: as for :func:`random_parts`; a single class gives the same parts as ``random_parts``.
        counts: shape (classes, parts); a row sums to the number of rows of that class.
    """
    edges = np.cumsum(counts, axis=1)
    sizes = edges[:, -1]
    if len(sizes) * _FEW_ROWS > len(codes):
        yield _ranked_parts(codes, seed, edges)
        return
    thresholds = [
        _class_thresholds(codes, seed, edges[:, part], sizes) for part in range(counts.shape[1] - 1)
    ]
    for start in range(0, len(codes), CHUNK):
        piece = codes[start : start + CHUNK]
        keys = row_keys(seed, start, start + len(piece))
        parts = np.zeros(len(keys), np.uint8)
        for limit, used in thresholds:
            parts += (keys >= limit[piece]) & used[piece]
        yield parts


def _ranked_parts(
    codes: NDArray[np.unsignedinteger], seed: int, edges: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """:func:`stratified_parts` by sorting all rows: memory and time of a sort, whatever the number of classes."""
    order = np.lexsort((row_keys(seed, 0, len(codes)), codes))
    grouped = codes[order]
    first = np.cumsum(edges[:, -1]) - edges[:, -1]
    rank = np.arange(len(codes)) - first[grouped]
    ranked = np.zeros(len(codes), np.uint8)
    for part in range(edges.shape[1] - 1):
        ranked += rank >= edges[grouped, part]
    parts = np.empty_like(ranked)
    parts[order] = ranked
    return parts


def _class_thresholds(
    codes: NDArray[np.unsignedinteger],
    seed: int,
    edges: NDArray[np.int64],
    sizes: NDArray[np.int64],
    width: int = _WIDTH,
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """For each class the key with exactly ``edges[class]`` keys of its class below it, and whether there is one.

    :func:`_thresholds` with one window a class.
    """
    used = edges < sizes
    whole = np.maximum(sizes, 1).astype(np.float64)
    # In floating point the window is a little off, never the count below it: only its bounds are compared with.
    scale = float(1 << 64) * (1 - 2**-52)
    low = np.clip(edges / whole - width / np.sqrt(whole), 0, 1) * scale
    high = np.clip(edges / whole + width / np.sqrt(whole), 0, 1) * scale
    lows, highs = low.astype(np.uint64), high.astype(np.uint64)
    highs[high >= scale] = _TOP
    below = np.zeros(len(sizes), np.int64)
    keys_in: list[NDArray[np.uint64]] = []
    codes_in: list[NDArray[np.unsignedinteger]] = []
    for start in range(0, len(codes), CHUNK):
        piece = codes[start : start + CHUNK]
        keys = row_keys(seed, start, start + len(piece))
        small = keys < lows[piece]
        below += np.bincount(piece[small], minlength=len(sizes))
        small |= keys > highs[piece]
        np.logical_not(small, out=small)
        keys_in.append(keys[small])
        codes_in.append(piece[small])
    near, near_codes = (
        np.concatenate(keys_in or [np.empty(0, np.uint64)]),
        np.concatenate(codes_in or [codes[:0]]),
    )
    order = np.lexsort((near, near_codes))
    near, held = near[order], np.bincount(near_codes, minlength=len(sizes))
    place = edges - below
    if np.any(used & ((place < 0) | (place >= held))):
        return _class_thresholds(codes, seed, edges, sizes, (width + 1) * 1000)
    limits = np.zeros(len(sizes), np.uint64)
    first = np.cumsum(held) - held
    limits[used] = near[(first + place)[used]]
    return limits, used
