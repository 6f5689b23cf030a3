"""Rows that something is wrong with, by what: sketched as sets of rows a block, merged into numbers by part and the first few rows.

A blob is the canonical encoding of ``{"sets": {NAME: rows of mldata.checks.blocks}, "values": {NAME: [text, ...]}}``; values are of the
first rows of each set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks import base
from mldata.checks.base import KEPT, Blob, Place, Rows, Sketch, shown
from mldata.checks.blocks import NO_ROWS, pack_rows, unpack_rows
from store import decode, encode

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["Finder", "Tally", "TallyBlock", "merge_tallies", "places_of"]

KIND = "rows"

Finder = Callable[["pa.RecordBatch"], Iterable[tuple[str, "Mask", "pa.Array | None"]]]
"""From a batch: for each name, always in the same order, which rows it is true of, and the values to show of them."""


class Tally:
    """Rows of one name, merged."""

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts = list(parts)
        self.counts = np.zeros(len(parts) + 1, np.int64)
        self.places: list[Place] = []

    def add(self, rows: NDArray[np.int64], numbers: NDArray[np.uint8], values: Sequence[str]) -> None:
        """Add rows, in ascending order from call to call, with the number of the part of each."""
        last = len(self.parts)
        self.counts += np.bincount(np.minimum(numbers, last), minlength=last + 1)
        for at in range(min(KEPT - len(self.places), len(rows))):
            part = self.parts[numbers[at]] if numbers[at] < last else None
            self.places.append(Place(int(rows[at]), part, values[at] if at < len(values) else None))

    def to_json(self) -> dict[str, Any]:
        """Rows in all, rows by part (of parts that have any), and the first few."""
        return {
            "rows": int(self.counts.sum()),
            "parts": {
                name: int(count) for name, count in zip(self.parts, self.counts, strict=False) if count
            },
            "places": [place.to_json() for place in self.places],
        }


class TallyBlock:
    """The rows of one block, by name."""

    def __init__(self, find: Finder) -> None:
        self._find, self._rows = find, 0
        self._found: dict[str, list[tuple[int, int, bytes]]] = {}
        self._values: dict[str, list[str]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at the next rows."""
        for name, mask, column in self._find(batch):
            # Packed at once: of many columns the masks of a block would be large.
            self._found.setdefault(name, []).append((self._rows, batch.num_rows, pack_rows(mask)))
            texts = self._values.setdefault(name, [])
            if column is not None and len(texts) < KEPT and mask.any():
                texts += [shown(column[int(row)]) for row in np.flatnonzero(mask)[: KEPT - len(texts)]]
        self._rows += batch.num_rows

    def blob(self) -> Blob:
        """What was seen."""
        sets = {name: pack_rows(_joined(pieces, self._rows)) for name, pieces in self._found.items()}
        values = {name: texts for name, texts in self._values.items() if texts}
        return Blob(KIND, encode({"sets": sets, "values": values}))


def _joined(pieces: Sequence[tuple[int, int, bytes]], rows: int) -> Mask:
    mask = np.zeros(rows, np.bool_)
    for start, count, data in pieces:
        mask[start + unpack_rows(data, count)] = True
    return mask


def merge_tallies(sketches: Sequence[Sketch], rows: Rows, names: Sequence[str]) -> dict[str, Any]:
    """The tally of each name, as JSON."""
    tallies = {name: Tally(rows.parts) for name in names}
    for sketch in sketches:
        for start, stop, path in sketch.blocks(KIND, base.BLOCK_ROWS):
            seen: Any = decode(path.read_bytes())
            sets = {name: data for name, data in seen["sets"].items() if data != NO_ROWS}
            numbers = rows.part_of(start, stop) if sets else None
            for name, data in sets.items():  # one at a time: of many columns they are large
                offsets = unpack_rows(data, stop - start)
                assert numbers is not None
                tallies[name].add(offsets + start, numbers[offsets], seen["values"].get(name, ()))
    return {name: tally.to_json() for name, tally in tallies.items()}


def places_of(tally: Mapping[str, Any]) -> tuple[Place, ...]:
    """The rows that a tally names."""
    return tuple(Place.from_json(place) for place in tally["places"])
