"""Columns that tell the label: the same values, or another name for each of them.

A blob is the canonical encoding of ``{COLUMN: {"equal": bool, "pairs": bytes or None}}``: whether each row of the block has one and the same value in the column and
as its label; and the distinct pairs of value and label, hashed (two arrays of 8 bytes each, little-endian, one after the other, in order). None stands
for more than ``MOST``, which is for good, so that what comes out does not depend on the cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks import base
from mldata.checks.base import Blob, Sketch
from mldata.rowhash import hash_column
from store import decode, encode

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Pairs = NDArray[np.uint64]

__all__ = ["COPY", "MOST", "RENAMED", "PairBlock", "telling"]

KIND = "label-pairs"
MOST = 256
"""Values of a column that may be names of labels; one with more tells rows apart."""
COPY, RENAMED = "copy", "renamed"


class PairBlock:
    """The values of some columns in one block, beside the labels."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._equal = dict.fromkeys(columns, True)
        self._pairs: dict[str, Pairs | None] = {name: np.empty((0, 2), np.uint64) for name in columns}

    def add(self, batch: pa.RecordBatch, label: str) -> None:
        """Look at the next rows."""
        labels = hash_column(batch.column(label))
        for name, known in self._pairs.items():
            if known is None and not self._equal[name]:
                continue
            values = hash_column(batch.column(name))
            self._equal[name] &= bool((values == labels).all())
            if known is not None:
                self._pairs[name] = _distinct(known, np.stack([values, labels], axis=1))

    def blob(self) -> Blob:
        """What was seen."""
        return Blob(
            KIND,
            encode(
                {
                    name: {"equal": self._equal[name], "pairs": _packed(pairs)}
                    for name, pairs in self._pairs.items()
                }
            ),
        )


def _distinct(known: Pairs, new: Pairs) -> Pairs | None:
    # By one number a pair: to sort pairs takes long. Of 2**64 a few hundred do not meet.
    pairs = np.concatenate([known, new])
    mixed = pairs[:, 0] * np.uint64(0x9E3779B97F4A7C15) + pairs[:, 1]
    _, first = np.unique(mixed, return_index=True)
    if len(first) > MOST:
        return None
    found: Pairs = pairs[first]
    return found


def _packed(pairs: Pairs | None) -> bytes | None:
    if pairs is None:
        return None
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T.astype("<u8").tobytes()


def _read(data: bytes) -> Pairs:
    return np.frombuffer(data, "<u8").reshape(2, -1).T


def telling(sketches: Sequence[Sketch], columns: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Columns that are a copy of the label, or have one value of their own for each label; with how many labels there are (0: many)."""
    equal = dict.fromkeys(columns, True)
    pairs: dict[str, Pairs | None] = {name: np.empty((0, 2), np.uint64) for name in columns}
    for sketch in sketches:
        for _, _, path in sketch.blocks(KIND, base.BLOCK_ROWS):
            seen: Any = decode(path.read_bytes())
            for name, block in seen.items():
                equal[name] &= block["equal"]
                known, data = pairs[name], block["pairs"]
                pairs[name] = (
                    _distinct(known, _read(data)) if known is not None and data is not None else None
                )
    for name in columns:
        found = pairs[name]
        labels = 0 if found is None else len(np.unique(found[:, 1]))
        if labels == 1 or (found is not None and not len(found)):
            continue  # nothing to tell
        if equal[name]:
            yield name, COPY, labels
        elif found is not None and len(np.unique(found[:, 0])) == labels == len(found):
            yield name, RENAMED, labels
