"""Values of columns of texts, bytes and decimals: how they are kept while a block is read, and how they are told.

A value that is told in short ends in its length and its hash, so that different values stay different.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import as_numpy, text_array
from mldata.profile.characters import CharacterCounts
from mldata.profile.counted import union
from mldata.profile.kinds import undictionaried
from mldata.profile.numbers import NumberSketch, numbers_of
from mldata.profile.packed import packed
from mldata.profile.summary import VALUE_CHARACTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Counted = tuple[NDArray[Any], Counts]

__all__ = ["BytesValues", "DecimalValues", "TextValues", "Values", "beginnings", "values_of"]

_WIDE = 128
"""Texts of more bytes than this on average are kept by their beginnings while a block is read."""
_BEGINNING = 256
"""Characters of a text that is looked at more closely."""
_LONGEST = 4
"""Bytes of a character (RFC 3629)."""
_PROBED, _PROBED_LEAST = 1_024, 64
"""Values that are tried for being few, of twice as many at least."""
_SHOWN_BYTES = VALUE_CHARACTERS // 2 - 1


def values_of(kind: pa.DataType) -> Values:
    """Values of a type."""
    if pt.is_decimal(kind):
        return DecimalValues()
    return TextValues() if pt.is_string(kind) or pt.is_large_string(kind) else BytesValues()


class Values(ABC):
    """What they have in common."""

    dtype: type[np.generic] = np.int64
    characters: CharacterCounts | None = None
    """Of all values whose numbers were asked for; None: they are no texts."""

    def repeated(self, column: pa.Array) -> bool:
        """Whether there are so few distinct values that each is better looked at once. No matter what it says, what is known of the column is the same."""
        probed = min(_PROBED, len(column) // 2)
        if pt.is_dictionary(column.type) or probed < _PROBED_LEAST:
            return False
        some = column.slice(0, probed)
        return some.nbytes <= _WIDE * probed and len(some.dictionary_encode().dictionary) <= probed // 4

    def joined(self, numbers: Sequence[Counted]) -> NumberSketch:
        """Numbers of a block."""
        return numbers_of(*union([*numbers, _nothing(self.dtype)] if len(numbers) != 1 else numbers))

    def heads(self, values: pa.Array) -> pa.Array:
        """As much of each as :meth:`told` needs."""
        return values

    @abstractmethod
    def numbers(self, values: pa.Array, counts: Counts | None) -> NDArray[Any]:
        """What number there is of each of some values, at least one and none of them null; ``counts``: how often each is there (None: once)."""

    def lengths(self, numbers: NDArray[Any]) -> Counts:
        """What :meth:`told` needs to know of how long they are, by their numbers."""
        return numbers

    @abstractmethod
    def told(self, heads: pa.Array, lengths: Counts, keys: NDArray[np.uint64]) -> Sequence[str]:
        """What is told of some values, at least one."""


def _nothing(dtype: type[np.generic]) -> Counted:
    return np.empty(0, dtype), np.empty(0, np.int64)


class TextValues(Values):
    """Texts, and their lengths in characters; what is no UTF-8 in them is told by replacement characters."""

    def __init__(self) -> None:
        self.characters: CharacterCounts = CharacterCounts()

    def numbers(self, values: pa.Array, counts: Counts | None) -> Counts:
        return self.characters.add(values, counts)

    def heads(self, values: pa.Array) -> pa.Array:
        if values.nbytes <= _WIDE * len(values):
            return _as_bytes(values)
        return _begun(values, VALUE_CHARACTERS)

    def told(self, heads: pa.Array, lengths: Counts, keys: NDArray[np.uint64]) -> Sequence[str]:
        if int(lengths.max()) <= VALUE_CHARACTERS and _sound(texts := heads.view(pa.string())):
            return packed(texts)
        return [
            text
            if length <= VALUE_CHARACTERS
            else _shortened(text[:VALUE_CHARACTERS], length, "characters", key)
            for text, length, key in zip(_decoded(heads), lengths.tolist(), keys.tolist(), strict=True)
        ]


def beginnings(texts: pa.Array) -> pa.Array:
    """What is looked at of texts, which may be a dictionary array."""
    begun = _begun(undictionaried(texts), _BEGINNING)
    found = begun.view(pa.string())
    return found if _sound(found) else text_array([text[:_BEGINNING] for text in _decoded(begun)])


def _shortened(head: str, length: int, unit: str, key: int) -> str:
    return f"{head}... ({length:,} {unit}, {key:016x})"


def _as_bytes(texts: pa.Array) -> pa.Array:
    if pt.is_large_string(texts.type):
        texts = texts.view(pa.large_binary())
    return texts.cast(pa.binary()) if pt.is_large_binary(texts.type) else texts.view(pa.binary())


def _begun(texts: pa.Array, characters: int) -> pa.Array:
    """The first so many characters of each, as bytes; where some of them are no UTF-8, of each as many bytes as these may take."""
    if _sound(texts):
        return _as_bytes(pc.utf8_slice_codeunits(texts, 0, characters))
    plain = texts.view(pa.large_binary() if pt.is_large_string(texts.type) else pa.binary())
    return _as_bytes(pc.binary_slice(plain, 0, characters * _LONGEST))


def _sound(texts: pa.Array) -> bool:
    """Whether all of them are UTF-8."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decoded(texts: pa.Array) -> list[str]:
    return [it.decode("utf-8", "replace") for it in texts.to_pylist()]


class BytesValues(Values):
    """Bytes, told as hexadecimal digits, and how many they are."""

    def heads(self, values: pa.Array) -> pa.Array:
        if pt.is_fixed_size_binary(values.type):
            values = values.cast(pa.binary())
        return pc.binary_slice(values, 0, _SHOWN_BYTES + 1)

    def numbers(self, values: pa.Array, counts: Counts | None) -> Counts:
        return as_numpy(pc.binary_length(values)).astype(np.int64)

    def told(self, heads: pa.Array, lengths: Counts, keys: NDArray[np.uint64]) -> list[str]:
        return [
            f"0x{it.hex()}"
            if length <= _SHOWN_BYTES
            else _shortened(f"0x{it[:_SHOWN_BYTES].hex()}", length, "bytes", key)
            for it, length, key in zip(heads.to_pylist(), lengths.tolist(), keys.tolist(), strict=True)
        ]


class DecimalValues(Values):
    """Decimals; as numbers they are doubles, but for the least and the greatest."""

    dtype = np.float64

    def __init__(self) -> None:
        self._ends: list[Any] = []

    def numbers(self, values: pa.Array, counts: Counts | None) -> NDArray[np.float64]:
        if values.type.bit_width < 128:  # Arrow has no least and greatest of narrow ones
            values = values.cast(pa.decimal128(values.type.precision, values.type.scale))
        self._ends += pc.min_max(values).as_py().values()
        return as_numpy(values.cast(pa.float64())) + 0.0

    def lengths(self, numbers: NDArray[Any]) -> Counts:
        return np.zeros(len(numbers), np.int64)

    def joined(self, numbers: Sequence[Counted]) -> NumberSketch:
        ends = [int(end) if end == end.to_integral_value() else float(end) for end in self._ends]
        self._ends = []
        values, counts = union([*numbers, _nothing(self.dtype)] if len(numbers) != 1 else numbers)
        return numbers_of(values, counts, ends=(min(ends), max(ends)) if ends else None)

    def told(self, heads: pa.Array, lengths: Counts, keys: NDArray[np.uint64]) -> list[str]:
        return [str(value) for value in heads.to_pylist()]
