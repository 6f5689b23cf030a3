"""How numbers of a column are spread: quartiles, and how many are far outside of them, over any number of fragments.

A value falls into a bin by the upper 22 bits of its double: sign, exponent and 10 bits of the fraction, in the order of the numbers. A bin is a thousandth of its
values wide, so quartiles are right to that, and counts of bins add up to the same however rows are cut.

Far outside is J. W. Tukey's notion ("Exploratory Data Analysis", 1977): below Q1 - k * (Q3 - Q1) or above Q3 + k * (Q3 - Q1), where k = 3 are his outer
fences. Of a column without negative values a number has to be outside of the fences of the logarithms (of the positive ones), too: prices, populations and counts
have long tails that nothing is wrong with. Counts are of whole bins that are outside, so a number at a fence is not counted.

A blob is the canonical encoding of ``{COLUMN: {"bins": 4 bytes each, ascending, "counts": 8 bytes each, "low": [[value, row, text], ...], "high": ...}}``; the last two
are the least and the greatest few of the block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.checks import base
from mldata.checks.base import KEPT, Blob, Place, Rows, Sketch, shown
from store import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bins = NDArray[np.uint32]
    Counts = NDArray[np.int64]

__all__ = ["NEAREST", "SpreadBlock", "far_out", "is_number", "merge_spreads"]

KIND = "spread"
NEAREST = 3.0
"""The least k that can be asked for: what is nearer is not kept."""
FEWEST = 20
"""Of fewer values quartiles say little."""
_SHIFT = np.uint64(42)
_SIGN = np.uint64(1 << 63)
_FINEST = 4
"""Bins that the quartiles have to be apart; else the spread is finer than the bins are."""


def is_number(kind: pa.DataType) -> bool:
    """Whether a column has numbers that can be far from others."""
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _doubles(column: pa.Array) -> NDArray[np.float64]:
    """The values as doubles; NaN for null and for what no double is near to."""
    if pt.is_float16(column.type):
        column = column.cast(pa.float32())
    made: NDArray[np.float64] = np.asarray(
        pc.fill_null(column.cast(pa.float64(), safe=False), math.nan), np.float64
    )
    return made


def _bins(values: NDArray[np.float64]) -> Bins:
    bits = (values + 0.0).view(np.uint64)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return (ordered >> _SHIFT).astype(np.uint32)


def _edges(bins: Bins) -> NDArray[np.float64]:
    """The least value of each bin; of what is no number the nearest that is."""
    ordered = bins.astype(np.uint64) << _SHIFT
    bits = np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered)
    most = np.finfo(np.float64).max
    return np.clip(bits.view(np.float64), -most, most)


class SpreadBlock:
    """The numbers of one block."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._rows = 0
        self._bins: dict[str, tuple[Bins, Counts]] = {
            name: (np.empty(0, np.uint32), np.empty(0, np.int64)) for name in columns
        }
        self._ends: dict[str, tuple[list[Any], list[Any]]] = {name: ([], []) for name in columns}

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at the next rows."""
        for name in self._bins:
            column = batch.column(name)
            values = _doubles(column)
            rows = np.flatnonzero(np.isfinite(values))
            if not len(rows):
                continue
            values = values[rows]
            bins, counts = np.unique(_bins(values), return_counts=True)
            self._bins[name] = _added(self._bins[name], (bins, counts))
            for ends, sign in zip(self._ends[name], (1, -1), strict=True):
                for at in _least(sign * values):
                    row = int(rows[at])
                    ends.append([float(values[at]), self._rows + row, shown(column[row])])
                _keep_least(ends, sign)
        self._rows += batch.num_rows

    def blob(self) -> Blob:
        """What was seen."""
        return Blob(
            KIND,
            encode(
                {
                    name: {
                        "bins": bins.astype("<u4").tobytes(),
                        "counts": counts.astype("<u8").tobytes(),
                        "low": self._ends[name][0],
                        "high": self._ends[name][1],
                    }
                    for name, (bins, counts) in self._bins.items()
                }
            ),
        )


def _keep_least(ends: list[Any], sign: int) -> None:
    """Keep the few with the least (``sign`` 1) or greatest (-1) values, of equal ones the first rows."""
    ends.sort(key=lambda it: (sign * it[0], it[1]))
    del ends[KEPT:]


def _least(values: NDArray[np.float64]) -> list[int]:
    """Where the few least are, of equal ones the first."""
    if len(values) <= KEPT:
        return list(range(len(values)))
    edge = np.partition(values, KEPT - 1)[KEPT - 1]
    below = np.flatnonzero(values < edge)
    return [*below.tolist(), *np.flatnonzero(values == edge)[: KEPT - len(below)].tolist()]


def _added(some: tuple[Bins, Counts], others: tuple[Bins, Counts]) -> tuple[Bins, Counts]:
    bins, places = np.unique(np.concatenate([some[0], others[0]]), return_inverse=True)
    counts = np.zeros(len(bins), np.int64)
    np.add.at(counts, places, np.concatenate([some[1], others[1]]))
    return bins, counts


def merge_spreads(sketches: Sequence[Sketch], rows: Rows, columns: Sequence[str]) -> dict[str, Any]:
    """Of each column its quartiles, and what is beyond the nearest fences, as JSON; None: they tell nothing."""
    bins: dict[str, tuple[Bins, Counts]] = {
        name: (np.empty(0, np.uint32), np.empty(0, np.int64)) for name in columns
    }
    ends: dict[str, tuple[list[Any], list[Any]]] = {name: ([], []) for name in columns}
    for sketch in sketches:
        for start, _, path in sketch.blocks(KIND, base.BLOCK_ROWS):
            seen: Any = decode(path.read_bytes())
            for name in columns:
                mine = seen[name]
                found = np.frombuffer(mine["bins"], "<u4"), np.frombuffer(mine["counts"], "<u8")
                bins[name] = _added(bins[name], (found[0], found[1].astype(np.int64)))
                for kept, end, sign in zip(ends[name], ("low", "high"), (1, -1), strict=True):
                    kept += [[value, start + row, text] for value, row, text in mine[end]]
                    _keep_least(kept, sign)
    return {name: _summary(*bins[name], ends[name], rows) for name in columns}


def _summary(bins: Bins, counts: Counts, ends: Sequence[Sequence[Any]], rows: Rows) -> dict[str, Any] | None:
    total = int(counts.sum())
    if total < FEWEST:
        return None
    quartiles = _quartiles(bins, counts)
    if quartiles is None:
        return None
    zero = np.uint32(int(_SIGN) >> int(_SHIFT))
    logs = None
    if bins[0] >= zero:
        positive = bins > zero
        found = _quartiles(bins[positive], counts[positive]) if positive.any() else None
        logs = [math.log(edge) for edge in found] if found is not None else None
        if logs is None:
            return None
    near = _fences(quartiles, logs, NEAREST)
    lows, highs = _edges(bins), _edges(bins + np.uint32(1))
    below, above = highs <= near[0], lows > near[1]
    edges, mine = np.where(below, highs, lows), below | above
    tail = [[*it] for it in zip(edges[mine].tolist(), counts[mine].tolist(), strict=True)]
    places = []
    for value, row, text in [*ends[0], *ends[1]]:
        if value < near[0] or value > near[1]:
            [part] = rows.parts_at(np.array([row], np.int64)).tolist()
            place = Place(row, rows.parts[part] if part < len(rows.parts) else None, text)
            places.append([value, place.to_json()])
    return {"values": total, "quartiles": quartiles, "logs": logs, "tail": tail, "places": places}


def _quartiles(bins: Bins, counts: Counts) -> list[float] | None:
    """The first and the third, as if values were spread evenly in their bins; None: they are too near to each other."""
    ends = np.cumsum(counts)
    total = int(ends[-1])
    found, numbers = [], []
    for share in (0.25, 0.75):
        at = int(np.searchsorted(ends, share * total))
        low, high = _edges(np.array([bins[at], bins[at] + 1], np.uint32)).tolist()
        inside = (share * total - (int(ends[at]) - int(counts[at]))) / int(counts[at])
        found.append(low + (high - low) * inside)
        numbers.append(int(bins[at]))
    # Around zero bins are finer than any spread.
    return found if numbers[1] - numbers[0] >= _FINEST else None


def _fences(quartiles: Sequence[float], logs: Sequence[float] | None, times: float) -> tuple[float, float]:
    """Below the first and above the second is far outside."""
    first, third = quartiles
    reach = times * (third - first)
    low, high = first - reach, third + reach
    if logs is not None:
        reach = times * (logs[1] - logs[0])
        high = max(high, math.exp(min(logs[1] + reach, 709.0)))
        low = min(low, math.exp(max(logs[0] - reach, -745.0)))
    return low, high


def far_out(merged: Mapping[str, Any], times: float) -> tuple[int, tuple[float, float], tuple[Place, ...]]:
    """How many values are outside of the fences, the fences, and the rows of the furthest few."""
    low, high = _fences(merged["quartiles"], merged["logs"], times)
    count = sum(count for edge, count in merged["tail"] if edge <= low or edge > high)
    places = [
        Place.from_json(place)
        for value, place in sorted(merged["places"], key=lambda it: -max(low - it[0], it[0] - high))
        if value < low or value > high
    ]
    kept = {place.row: place for place in places[: min(KEPT, count)]}
    return count, (low, high), tuple(_ordered(kept.values()))


def _ordered(places: Any) -> Iterator[Place]:
    yield from sorted(places, key=lambda it: it.row)
