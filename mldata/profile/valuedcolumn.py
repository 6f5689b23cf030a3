"""Columns of texts, of bytes and of decimals: values are counted by their hashes; only those that are frequent are looked at as values.

Texts that come as dictionary arrays, or are found to repeat, are looked at once each, with their counts; what is known of them is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.arrays import as_numpy, number_array, text_array
from mldata.profile import summary as forms
from mldata.profile.batch import Batch, Block
from mldata.profile.characters import CharacterCounts
from mldata.profile.counted import ones, tally
from mldata.profile.distinct import DistinctSketch, distinct_of_sorted, fold_distinct
from mldata.profile.draw import Draw, drawn_together
from mldata.profile.frequent import FrequentSketch, fold_frequent, frequent_of, locate
from mldata.profile.kinds import doubles, kind_of, nulls_of, plain_type, stored, undictionaried
from mldata.profile.limits import Limits
from mldata.profile.looks import looks_of, words_of
from mldata.profile.numbers import NumberSketch, fold_numbers
from mldata.profile.packed import PackedTexts, packed
from mldata.profile.record import ColumnReader, ColumnRecord, SketchForm
from mldata.profile.summary import ColumnSummary, Texts
from mldata.profile.values import Values, beginnings, values_of
from mldata.rowhash import hash_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Counts = NDArray[np.int64]
    Drawn = tuple[Hashes, Sequence[str], int]

__all__ = ["ValuedColumn", "ValuedReader"]

LOOKED = 4_096
"""Texts of a leaf, and of a summary, that are looked at more closely."""
LOOKED_LEAST, LOOKED_SHARE = 1_024, 64
"""Of a leaf of few rows so many, or one in so many."""


@dataclass(frozen=True, eq=False)
class ValuedColumn(ColumnRecord):
    """What is known of it."""

    distinct: DistinctSketch
    frequent: FrequentSketch
    numbers: NumberSketch
    """Of texts their lengths, of bytes their sizes, of decimals themselves."""
    characters: CharacterCounts | None
    """None, and so is the next: it is no text."""
    drawn: Drawn | None
    """Priorities, texts, and the edge of the draw."""

    sketches: ClassVar[Mapping[str, SketchForm]] = {
        "distinct": DistinctSketch,
        "frequent": FrequentSketch,
        "numbers": NumberSketch,
        "characters": CharacterCounts,
    }

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        return {
            **super().to_plain(),
            "drawn": _plain_drawn(self.drawn) if self.drawn is not None else None,
        }

    @classmethod
    def _fields(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        drawn = plain["drawn"]
        if drawn is not None:
            drawn = drawn["priorities"], PackedTexts.from_plain(drawn["texts"]), drawn["edge"]
        return {**super()._fields(plain), "drawn": drawn}

    @classmethod
    def _folded(cls, some: Sequence[ValuedColumn], exact: bool, most: int | None) -> dict[str, Any]:
        characters = [each.characters for each in some if each.characters is not None]
        drawn = [each.drawn for each in some if each.drawn is not None]
        return {
            "distinct": fold_distinct([each.distinct for each in some], exact=exact),
            "frequent": fold_frequent([each.frequent for each in some]),
            "numbers": fold_numbers([each.numbers for each in some], exact=exact, most=most),
            "characters": CharacterCounts.fold(characters) if characters else None,
            "drawn": _drawn(drawn) if drawn else None,
        }

    def told(self, field: pa.Field, limits: Limits) -> ColumnSummary:
        """The column, within limits."""
        found = self.frequent.cut(limits.values)
        texts, counts = list(found.texts or ()), found.counts.tolist()
        order = sorted(range(len(texts)), key=lambda it: (-counts[it], texts[it]))
        frequent = found.told(texts, np.array(order, np.int64), self.rows - self.nulls)
        distinct, numbers = self.distinct.told(), self.numbers.told(limits.points)
        if kind_of(field.type) == forms.TEXT:
            return self._summary(field, distinct, frequent=frequent, texts=self._texts(numbers))
        return self._summary(field, distinct, frequent=frequent, numbers=numbers)

    def _texts(self, lengths: forms.Numbers) -> Texts:
        assert self.characters is not None
        assert self.drawn is not None
        texts = self.drawn[1]
        found = texts.tally() if isinstance(texts, PackedTexts) else Counter(texts)
        return Texts(
            lengths,
            self.characters.empty,
            self.characters.blank,
            self.characters.padded,
            {name: count for name, count in sorted(self.characters.characters.items()) if count},
            len(texts),
            looks_of(found),
            words_of(found),
        )


def _drawn(some: Sequence[Drawn]) -> Drawn:
    """Of all together. Only texts are told of it, in no order of their own."""
    counts = drawn_together([(priorities, edge) for priorities, _, edge in some], LOOKED)
    priorities = [each[0][:count] for each, count in zip(some, counts, strict=True)]
    texts = [text for each, count in zip(some, counts, strict=True) for text in each[1][:count]]
    return np.concatenate(priorities), texts, min(edge for _, _, edge in some)


def _plain_drawn(drawn: Drawn) -> dict[str, Any]:
    priorities, texts, edge = drawn
    return {"priorities": priorities, "texts": packed(texts).to_plain(), "edge": edge}


class ValuedReader(ColumnReader[ValuedColumn]):
    """Reads a leaf's rows of such a column."""

    def __init__(self, number: int, field: pa.Field, *, exact: bool) -> None:
        super().__init__(number, exact=exact)
        self._values: Values = values_of(plain_type(field.type))
        self._text = kind_of(field.type) == forms.TEXT
        self._decimal = kind_of(field.type) == forms.NUMERIC
        self._draw = Draw[pa.Array](
            LOOKED,
            lambda some: pa.concat_arrays([text_array([]), *some]),
            lambda texts, at: texts.take(number_array(at)),
        )
        self._rows = self._nulls = 0
        self._open()

    def _open(self) -> None:
        self._hashes: list[tuple[Hashes, Counts]] = []
        self._heads: list[tuple[pa.Array, Counts]] = []
        self._numbers: list[tuple[NDArray[Any], Counts]] = []
        self._start = self._rows, self._nulls

    def add(self, column: pa.Array, batch: Batch) -> Hashes | None:
        """The next rows; gives what the sample has of those that are drawn."""
        column = stored(column)
        if pt.is_dictionary(column.type) and column.dictionary.null_count:
            column = undictionaried(column)
        elif self._values.repeated(column):
            column = column.dictionary_encode()
        nulls = nulls_of(column)
        if nulls is not None:
            batch.block.null(self._number, batch.start, nulls)
            self._nulls += column.null_count
        self._rows += len(column)
        hashes = hash_column(column)
        batch.block.hashes.add(self._number, batch.start, hashes)
        self._count(column, hashes, nulls)
        if not self._text:
            return self._decimals(column, batch.drawn)
        self._look(column, batch.priorities, nulls)
        codes = hashes if batch.drawn is None else hashes[batch.drawn]
        if nulls is not None:
            codes = np.where(nulls if batch.drawn is None else nulls[batch.drawn], np.uint64(0), codes)
        return codes

    def _decimals(self, column: pa.Array, drawn: NDArray[np.int64] | None) -> Hashes | None:
        if not self._decimal:
            return None
        some = column if drawn is None else column.take(number_array(drawn))
        return doubles(undictionaried(some).cast(pa.float64())).view(np.uint64)

    def _count(self, column: Any, hashes: Hashes, nulls: NDArray[np.bool_] | None) -> None:
        if pt.is_dictionary(column.type):
            places = as_numpy(column.indices.drop_null().cast(pa.int64()))
            counts = np.bincount(places, minlength=len(column.dictionary))
            used = np.flatnonzero(counts)
            values, counts = column.dictionary, counts[used]
            if len(used) != len(values):
                values = values.take(number_array(used))
            found, weights = hash_column(values), counts
        else:
            values, counts, found = column, None, hashes
            if nulls is not None:
                values, found = column.drop_null(), hashes[~nulls]
            weights = ones(len(values))
        if not len(values):
            return
        numbers = self._values.numbers(values, counts)
        self._hashes.append((found, weights))
        self._heads.append((self._values.heads(values), self._values.lengths(numbers)))
        self._numbers.append(tally(numbers, weights))

    def _look(self, column: Any, priorities: Hashes, nulls: NDArray[np.bool_] | None) -> None:
        known = np.flatnonzero(~nulls) if nulls is not None else None
        if known is not None:
            priorities = priorities[known]
        rows = self._draw.wanted(priorities)
        if rows is not None:
            priorities, known = priorities[rows], rows if known is None else known[rows]
        some = column if known is None else column.take(number_array(known))
        self._draw.add(priorities, beginnings(some))

    def end_block(self, block: Block) -> None:
        """No more rows of the block."""
        empty = np.empty(0, np.uint64), np.empty(0, np.int64)
        keys, counts = tally(*map(np.concatenate, zip(empty, *self._hashes, strict=True)))
        frequent = frequent_of(keys, counts)
        places = locate(np.concatenate([empty[0], *(hashes for hashes, _ in self._hashes)]), frequent.keys)
        texts = self._told(places, frequent.keys) if len(places) else []
        numbers = self._values.joined(self._numbers)
        rows, nulls = self._rows - self._start[0], self._nulls - self._start[1]
        self._made.append(
            ValuedColumn(
                rows,
                nulls,
                distinct_of_sorted(keys, exact=self._exact),
                FrequentSketch(frequent.keys, frequent.counts, frequent.floor, texts),
                numbers.settled(exact=self._exact),
                None,
                None,
            )
        )
        self._open()

    def _told(self, places: NDArray[np.int64], keys: Hashes) -> Sequence[str]:
        """Values as they are told, by places in the block."""
        rows, found, sizes = [], [], []
        first = 0
        for heads, lengths in self._heads:
            mine = np.flatnonzero((places >= first) & (places < first + len(heads)))
            rows.append(mine)
            found.append(heads.take(number_array(places[mine] - first)))
            sizes.append(lengths[places[mine] - first])
            first += len(heads)
        order = np.argsort(np.concatenate(rows))
        heads = pa.concat_arrays(found).take(number_array(order))
        return self._values.told(heads, np.concatenate(sizes)[order], keys)

    def finish(self) -> dict[str, Any]:
        """The column's section."""
        made = super().finish()
        if self._values.characters is not None:
            most = min(max(LOOKED_LEAST, self._rows // LOOKED_SHARE), LOOKED)
            made["characters"] = self._values.characters.to_plain()
            priorities, texts, edge = self._draw.finish(most)
            made["drawn"] = _plain_drawn((priorities, packed(texts), edge))
        return made
