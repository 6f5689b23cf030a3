"""Rows whose texts are nearly equal, a column at a time: what is looked at, and what comes of it.

Columns of text are compared if the spec names them; if it names none, all of them, by their values that read like text (``LEAST`` characters in five words or more):
names, codes and addresses of web pages are alike by their nature. A column with less than a quarter as many different texts as texts is then taken for a
category, and left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.checks.base import Blob, Look, Rows, Sketch
from mldata.checks.blocks import blocks
from mldata.checks.columns import plain
from mldata.checks.near import NearBlock, NearRows, Shape
from mldata.checks.shingles import BANDS, BINS, SHINGLE, Sketched, agreement, band_rows, sketch_texts
from mldata.rowhash import hash_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["LEAST", "NearText", "is_text"]

LEAST = 40
"""Characters of what reads like text: two that differ in a word are told apart by less."""
CATEGORY = 4
"""How often a text is there, on average, in a column that is taken for a category..."""
CATEGORY_TEXTS = 100
"""...if it has so many texts."""
SHAPE = Shape(1 + BANDS, BINS)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column's values are texts."""
    import pyarrow.types as pt

    if pt.is_dictionary(kind):
        kind = kind.value_type
    return bool(pt.is_string(kind) or pt.is_large_string(kind))


@dataclass(frozen=True)
class NearText:
    """Texts that are as alike as ``threshold`` says: a look, and how to put together what it saw."""

    texts: tuple[str, ...]
    by: tuple[str, ...]
    """Columns by which whole rows are compared: copies are not told here."""
    threshold: float
    named: bool
    """The spec names the columns."""

    @property
    def look(self) -> Look:
        """What has to be sketched."""
        return _TextLook(self.texts, self.by, band_rows(self.threshold), self.named)

    @property
    def key(self) -> Mapping[str, Any]:
        """What changes the merge beside the look."""
        return {"threshold": self.threshold}

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> dict[str, Any]:
        """What was found, by column: see :meth:`mldata.checks.clusters.Told.to_json`; how many texts and different ones there are; whether it is a category."""
        merged = {}
        for number, column in enumerate(self.texts):
            near = NearRows(sketches, _kind(number), SHAPE, partial(_near, threshold=self.threshold))
            category = not self.named and near.rows >= CATEGORY_TEXTS and near.distinct * CATEGORY < near.rows
            told = {} if category else near.tell(rows).to_json(rows, [column])
            merged[column] = {"texts": near.rows, "distinct": near.distinct, "category": category, **told}
        return merged


def _near(records: NDArray[np.uint8], others: NDArray[np.uint8], *, threshold: float) -> NDArray[np.bool_]:
    return agreement(records, others) >= threshold


def _kind(number: int) -> str:
    return f"near-text-{number}"


@dataclass(frozen=True)
class _TextLook:
    texts: tuple[str, ...]
    by: tuple[str, ...]
    band: int
    named: bool

    name = "near-text"
    version = 1
    libraries = ("pyarrow",)

    @property
    def columns(self) -> Sequence[str]:
        return list(dict.fromkeys([*self.by, *self.texts]))

    @property
    def key(self) -> Mapping[str, Any]:
        return {"texts": list(self.texts), "by": list(self.by), "band": self.band, "named": self.named}

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        for block in blocks(batches):
            seen = [NearBlock(SHAPE) for _ in self.texts]
            for batch in block:
                whole = hash_rows([batch.column(name) for name in self.by])
                for near, name in zip(seen, self.texts, strict=True):
                    found = self._sketched(batch.column(name))
                    near.add(found.present, found.keys, whole[found.present], found.records)
            for number, near in enumerate(seen):
                yield near.blob(_kind(number))

    def _sketched(self, column: pa.Array) -> Sketched:
        import pyarrow.types as pt

        sketched = partial(
            sketch_texts, rows=self.band, least=SHINGLE if self.named else LEAST, prose=not self.named
        )
        if not pt.is_dictionary(column.type) or len(column.dictionary) > len(column):
            return sketched(plain(column))
        distinct = sketched(column.dictionary)
        valid = np.asarray(column.is_valid())
        codes = np.asarray(column.indices.fill_null(0)).astype(np.int64)
        present = valid & distinct.present[codes] if len(distinct.present) else np.zeros(len(codes), np.bool_)
        places = (np.cumsum(distinct.present) - 1)[codes[present]]
        return Sketched(present, distinct.keys[places], distinct.records[places])
