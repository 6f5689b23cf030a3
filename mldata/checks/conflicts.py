"""Rows whose input another row has with another label, over any number of fragments in bounded memory.

Equal inputs are found as equal rows are (:mod:`mldata.checks.equalrows`); rows without a label are not among them. The label of a row is read where it is
wanted, from a blob a block: the canonical encoding of the values' texts, its length in 8 bytes before it, and after it 2 bytes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks import base
from mldata.checks.base import KEPT, Blob, Rows, Sketch
from mldata.checks.equalrows import EqualRows
from store import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.checks.equalrows import Hashes, Numbers

__all__ = ["Conflicts", "codes_blob"]

KIND = "codes"
NO_PART = 255
_HEAD = 8


def codes_blob(found: tuple[list[str], bytes] | None) -> Blob:
    """The labels of a block's rows (``CategoryBlock.codes``); None: too many."""
    if found is None:
        return Blob(KIND, b"")
    head = encode(found[0])
    return Blob(KIND, len(head).to_bytes(_HEAD, "little") + head + found[1])


class _Labels:
    """The label of any row as a number that is the same for equal labels."""

    def __init__(self, sketches: Sequence[Sketch]) -> None:
        self._starts: list[int] = []
        self._files: list[tuple[Path, int, NDArray[np.int64]]] = []
        self.texts: dict[str, int] = {}
        for sketch in sketches:
            for start, _, path in sketch.blocks(KIND, base.BLOCK_ROWS):
                with path.open("rb") as file:
                    size = int.from_bytes(file.read(_HEAD), "little")
                    values: Any = decode(file.read(size))
                numbers = [self.texts.setdefault(it, len(self.texts)) for it in values]
                self._starts.append(start)
                self._files.append((path, _HEAD + size, np.array([*numbers, -1], np.int64)))

    def at(self, rows: Numbers) -> Numbers:
        """Of rows in any order; -1: none."""
        found = np.full(len(rows), -1, np.int64)
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        edges = np.searchsorted(ordered, [*self._starts, np.iinfo(np.int64).max])
        for number, (path, offset, labels) in enumerate(self._files):
            first, last = edges[number], edges[number + 1]
            if first < last:
                codes = np.memmap(path, "<u2", "r", offset)
                mine = codes[ordered[first:last] - self._starts[number]]
                found[order[first:last]] = labels[np.minimum(mine, len(labels) - 1)]
        return found


class Conflicts(EqualRows):
    """Counts rows in conflict: those that are in a part, and whose input a row in a part has with another label."""

    def __init__(self, sketches: Sequence[Sketch], rows: Rows, shown: Sequence[str]) -> None:
        self._labels, self._shown = _Labels(sketches), shown
        self._counts = np.zeros(len(rows.parts), np.int64)
        self._found: list[tuple[int, int]] = []
        super().__init__(sketches, rows)

    def _numbers(self, rows: Numbers) -> Any:
        """Rows that stand for others are of one part and label."""
        return (self._labels.at(rows) << 8) | self._rows.parts_at(rows)

    def _add(self, hashes: Hashes, second: Hashes, rows: Numbers, weights: Numbers) -> None:
        parts = self._rows.parts_at(rows)
        order = np.lexsort((rows, second, hashes))
        order = order[parts[order] != NO_PART]
        if len(order) < 2:
            return
        hashes, second, rows, weights, parts = (it[order] for it in (hashes, second, rows, weights, parts))
        labels = self._labels.at(rows)
        starts = np.flatnonzero(
            np.concatenate([[True], (hashes[1:] != hashes[:-1]) | (second[1:] != second[:-1])])
        )
        sizes = np.diff([*starts, len(rows)])
        lowest, highest = (np.repeat(it.reduceat(labels, starts), sizes) for it in (np.minimum, np.maximum))
        bad = lowest != highest
        self._counts += np.bincount(parts[bad], weights[bad], len(self._counts)).astype(np.int64)
        first = np.repeat(starts, sizes)
        other = np.flatnonzero(labels != labels[first])
        kept = other[np.argsort(rows[other])[:KEPT]]
        new = zip(rows[kept].tolist(), rows[first[kept]].tolist(), strict=True)
        self._found = sorted([*self._found, *new])[:KEPT]

    def to_json(self) -> dict[str, Any]:
        """Rows in conflict in all and by part, and the first few that have another label than the first row with their input, with both labels."""
        counts = zip(self._rows.parts, self._counts.tolist(), strict=True)
        texts = list(self._labels.texts)
        pairs = [
            [texts[number] for number in self._labels.at(np.array(pair, np.int64)).tolist()]
            for pair in self._found
        ]
        return {
            "rows": int(self._counts.sum()),
            "parts": {name: count for name, count in counts if count},
            "places": self.places(self._found, self._shown),
            "labels": pairs,
        }
