"""Leaf sketches: what is known of the rows of one fragment, or of those of one part in it.

Rows are looked at in blocks of :func:`block_rows`, whatever the batches; what is known of several blocks is folded to one record a column. Numbers wait for the
end of their block; texts, lists and bytes are brought down to hashes, lengths and beginnings at once, so that memory does not grow with the size of values.

Invariant: a leaf's bytes depend on the schema, the seed, the mode and the rows in their order alone, not on batches, threads, or whether text comes encoded.
The format is that of :mod:`mldata.profile.sections`: the head has ``rows``, ``exact`` and ``schema`` (an Arrow IPC message, in hexadecimal digits); a column's section is the plain form of
its record (:mod:`mldata.profile.columns`) and, of a column that is sampled, ``sample``; the last section is the table's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
from blake3 import blake3

from mldata.profile import summary as forms
from mldata.profile.batch import Batch, Block, RowHashes
from mldata.profile.columns import reader_of
from mldata.profile.distinct import DistinctSketch, distinct_of, fold_distinct
from mldata.profile.draw import Draw
from mldata.profile.kinds import hashable, kind_of
from mldata.profile.missing import MissingBlock, fold_missing, highest_patterns
from mldata.profile.sections import Sketch
from mldata.profile.summary import EXACT_ROWS
from mldata.splitmix import row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

__all__ = ["EXACT_VALUES", "LeafSketcher", "block_rows", "is_exact", "sampled_columns"]

EXACT_VALUES = 1 << 24
"""Rows times columns up to which a table is exact: leaves of an exact table keep every distinct number and every hash."""
BLOCK_ROWS = 1 << 20
BLOCK_VALUES = 1 << 24
"""Of a table of many columns a block has fewer rows: numbers wait for its end."""
FOLDED = 16
"""Blocks after which they are folded."""
SAMPLED_MOST, SAMPLED_LEAST, SAMPLED_SHARE = 1 << 14, 1 << 12, 64
"""Rows that a leaf draws: one in so many, within these."""
SAMPLED_VALUES = 1 << 22
"""Drawn rows times columns, at most (but 1,024 rows)."""

T = TypeVar("T")
U = TypeVar("U")


def is_exact(rows: int, columns: int) -> bool:
    """Whether leaves of a table of so many rows and columns keep all that exact quantiles and distinct counts need."""
    return rows <= EXACT_ROWS and rows * columns <= EXACT_VALUES


def block_rows(columns: int) -> int:
    """Rows of a block of a table of so many columns: 2**20 up to 16 columns, then fewer."""
    return min(BLOCK_ROWS, max(1 << 13, BLOCK_VALUES // max(columns, 1)))


def sampled_columns(schema: pa.Schema) -> list[int]:
    """Which columns row samples have."""
    sampled = (forms.NUMERIC, forms.BOOLEAN, forms.TIME, forms.TEXT)
    return [number for number, field in enumerate(schema) if kind_of(field.type) in sampled]


class LeafSketcher:
    """Reads the rows of a leaf, batch by batch."""

    def __init__(self, schema: pa.Schema, *, seed: bytes, exact: bool, threads: int = 1) -> None:
        """
        Args:
            schema: of the table; text may come as dictionary arrays of its type all the same.
            seed: what tells this leaf from the others of its table, such as its fragment's digest: row samples are drawn by it.
            exact: what :func:`is_exact` says of the table; the same for all leaves that are merged.
            threads: columns are worked on in so many; the bytes are the same.
        """
        self._schema, self._exact, self._threads = schema, exact, threads
        self._seed = int.from_bytes(blake3(seed).digest(length=8), "little")
        self._readers = [reader_of(number, field, exact=exact) for number, field in enumerate(schema)]
        self._sampled = sampled_columns(schema)
        self._most = min(SAMPLED_MOST, max(1_024, SAMPLED_VALUES // max(len(self._sampled), 1)))
        self._draw = Draw["Hashes"](
            self._most, partial(_join, len(self._sampled)), lambda things, at: things[:, at]
        )
        self._rows_told = bool(self._readers) and all(hashable(field.type) for field in schema)
        self._block_rows = block_rows(len(schema))
        self._rows = self._filled = self._blocks = 0
        self._block = self._opened()
        self._distinct: list[DistinctSketch] = []
        self._missing: Counter[bytes] = Counter()

    def _opened(self) -> Block:
        return Block(RowHashes(), MissingBlock(len(self._schema)))

    def add(self, batch: pa.RecordBatch) -> None:
        """The next rows."""
        done = 0
        while done < batch.num_rows:
            piece = batch.slice(done, self._block_rows - self._filled)
            self._add(piece)
            done += piece.num_rows
            if self._filled == self._block_rows:
                self._end_block()

    def _add(self, piece: pa.RecordBatch) -> None:
        priorities = row_keys(self._seed, self._rows, self._rows + piece.num_rows)
        self._block.hashes.reserve(self._filled + piece.num_rows)
        drawn = self._draw.wanted(priorities)
        batch = Batch(self._block, self._filled, priorities, drawn)
        columns = zip(self._readers, piece.columns, strict=True)
        found = [
            things for things in self._each(lambda it: it[0].add(it[1], batch), columns) if things is not None
        ]
        width = len(priorities) if drawn is None else len(drawn)
        things = np.stack(found) if found else np.empty((0, width), np.uint64)
        self._draw.add(priorities if drawn is None else priorities[drawn], things)
        self._rows += piece.num_rows
        self._filled += piece.num_rows

    def _each(self, work: Callable[[T], U], things: Iterable[T]) -> Iterator[U]:
        if self._threads == 1:
            yield from map(work, things)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(work, things)

    def _end_block(self) -> None:
        for _ in self._each(lambda reader: reader.end_block(self._block), self._readers):
            pass
        if self._rows_told:
            self._distinct.append(distinct_of(self._block.hashes.finish(self._filled), exact=self._exact))
        self._missing = fold_missing([self._missing, self._block.missing.patterns(self._filled)])
        self._filled = 0
        self._blocks += 1
        self._block = self._opened()
        if self._blocks % FOLDED == 0:
            for reader in self._readers:
                reader.fold()

    def finish(self) -> bytes:
        """The leaf, to be kept. Nothing can be added after it."""
        return self.close().to_bytes()

    def close(self) -> Sketch:
        """The leaf, to be merged at once. Nothing can be added after it."""
        if self._filled or not self._blocks:
            self._end_block()
        most = min(max(SAMPLED_LEAST, self._rows // SAMPLED_SHARE), self._most)
        priorities, things, edge = self._draw.finish(most)
        sections = list(self._each(lambda reader: reader.finish(), self._readers))
        for number, drawn in zip(self._sampled, things, strict=True):
            sections[number]["sample"] = drawn
        distinct = fold_distinct(self._distinct, exact=self._exact).to_plain() if self._rows_told else None
        table = {
            "distinct": distinct,
            "missing": {bits.hex(): count for bits, count in highest_patterns(self._missing).items()},
            "priorities": priorities,
            "edge": edge,
        }
        head = {"rows": self._rows, "exact": self._exact, "schema": _plain_schema(self._schema)}
        return Sketch(head, [*sections, table])


def _join(columns: int, some: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Not a method: a sketcher that refers to itself would keep its block until cycles are looked for."""
    return np.concatenate([np.empty((columns, 0), np.uint64), *some], axis=1)


def _plain_schema(schema: pa.Schema) -> str:
    """Without metadata, which says nothing of the data."""
    fields = [pa.field(field.name, field.type, field.nullable) for field in schema]
    return bytes(pa.schema(fields).serialize()).hex()
