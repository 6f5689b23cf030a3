"""Values that may stand for a missing one: ``N/A`` in a column of text, -999 in one of numbers.

Texts are compared without the spaces around them; a text of nothing else is blank. Numbers need a reason to be taken for such, which the other numbers of
the column give (those that are no candidates):

- -1 and -9: the others are not negative, one at least is 10 or more (so that the column is none of signs, votes or clusters), and one value of a hundred is so;
- -99, -999, ...: the others are not negative, or at least ten times nearer to zero, and it comes twice;
- 99, 999, ...: the others are at most a tenth of it, and it comes twice.

Invariant: which of its candidates a column has depends on its values alone; what speaks for them is judged with all rows known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import filled, text_array
from mldata.checks import base
from mldata.checks.base import Blob, Sketch
from mldata.checks.columns import plain
from mldata.checks.placeholders import NUMBERS, TEXTS
from store import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["OthersBlock", "candidates", "merge_others", "plausible", "sentinel_marks"]

KIND = "others"
_OFTEN = 100
_LEAST_GREATEST = 10


def candidates(kind: pa.DataType, given: Sequence[str] | None) -> list[str]:
    """What may stand for a missing value in a column of a type. ``given``: what the spec says does."""
    if pt.is_dictionary(kind):
        kind = kind.value_type
    if pt.is_string(kind) or pt.is_large_string(kind):
        return list(TEXTS) if given is None else [*dict.fromkeys(it.strip() for it in given)]
    if _is_number(kind):
        return list(NUMBERS) if given is None else [it for it in given if _value(it) is not None]
    return []


def _is_number(kind: pa.DataType) -> bool:
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


def _value(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def sentinel_marks(column: pa.Array, wanted: Sequence[str]) -> Iterator[tuple[str, Mask]]:
    """Of each wanted value that the column has, the rows that have it."""
    if _is_number(column.type):
        numbers = _doubles(column)
        for text in wanted:
            mask = numbers == _value(text)
            if mask.any():
                yield text, mask
        return
    values = column.dictionary if pt.is_dictionary(column.type) else column
    trimmed = pc.utf8_trim_whitespace(values.cast(pa.large_string()))
    places = filled(pc.index_in(trimmed, text_array(wanted).cast(pa.large_string())), len(wanted))
    if pt.is_dictionary(column.type):
        places = np.append(places, len(wanted))[filled(column.indices, len(values))]
    for number in np.unique(places).tolist():
        if number < len(wanted):
            yield wanted[number], places == number


def _doubles(column: pa.Array) -> NDArray[np.float64]:
    """The numbers; NaN for null."""
    if pt.is_float16(column.type):
        column = column.cast(pa.float32())
    return np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), math.nan), np.float64)


class OthersBlock:
    """The least and the greatest finite number of each column that is no candidate, of one block: canonical encoding, by column."""

    def __init__(self, wanted: Mapping[str, Sequence[str]]) -> None:
        self._wanted = {name: np.array([_value(it) for it in texts]) for name, texts in wanted.items()}
        self._found: dict[str, list[float]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at the next rows."""
        for name, wanted in self._wanted.items():
            column = plain(batch.column(name))
            if not _is_number(column.type):
                continue
            numbers = _doubles(column)
            numbers = numbers[np.isfinite(numbers) & ~np.isin(numbers, wanted)]
            if len(numbers):
                _widen(self._found, name, float(numbers.min()), float(numbers.max()))

    def blob(self) -> Blob:
        """What was seen."""
        return Blob(KIND, encode(self._found))


def _widen(found: dict[str, list[float]], name: str, least: float, most: float) -> None:
    known = found.get(name, [least, most])
    found[name] = [min(known[0], least), max(known[1], most)]


def merge_others(sketches: Sequence[Sketch]) -> dict[str, list[float]]:
    """The range of each column that has other numbers."""
    found: dict[str, list[float]] = {}
    for sketch in sketches:
        for _, _, path in sketch.blocks(KIND, base.BLOCK_ROWS):
            seen: Any = decode(path.read_bytes())
            for name, (least, most) in seen.items():
                _widen(found, name, least, most)
    return found


def plausible(text: str, rows: int, total: int, others: Sequence[float] | None) -> bool:
    """Whether a number that ``rows`` of ``total`` have may stand for a missing one. ``others``: the range of the rest; None: there is none."""
    if others is None:
        return False
    value, (least, most) = float(text), others
    if value > 0:
        return rows >= 2 and most <= value / 10
    if value > -10:
        return least >= 0 and most >= _LEAST_GREATEST and rows >= 2 and rows * _OFTEN >= total
    return rows >= 2 and least >= value / 10
