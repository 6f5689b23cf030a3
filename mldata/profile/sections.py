"""How leaf sketches are written: a head, then a section for each column and one for the table, each readable by itself.

Format: the 16 bytes ``mldata-leaf 1`` and line ends, 8 bytes of the head's length (little-endian), the head, then the sections, each at a multiple of 8 bytes. The
head is JSON with sorted keys and no space; it has the lengths of the sections. A section is 8 bytes of a length, such JSON of that length, and arrays, each at a
multiple of 8 bytes, little-endian, in the order in which the JSON names them by ``{"array": [type, elements]}``. JSON holds integers of any size, and is read in a
fifth of the time that ``store.decode`` takes; what reads a leaf has verified its digest. Arrays of a leaf that is mapped are read in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.profile.counted import ones

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Leaf", "Sections", "Sketch", "plain_counts", "read_counts"]

_MAGIC = b"mldata-leaf 1\n\n\n"
_LENGTH = 8
_TYPES = ("|i1", "<i2", "<i4", "<i8", "<u8", "<f8", "|u1")


@dataclass(frozen=True)
class Sketch:
    """A leaf that is not written."""

    head: Mapping[str, Any]
    sections: Sequence[Mapping[str, Any]]
    """Values that JSON has, or arrays, in maps."""

    def to_bytes(self) -> bytes:
        """The leaf as it is written."""
        pieces: list[Any] = []
        lengths = []
        for section in self.sections:
            arrays: list[NDArray[Any]] = []
            body = _encoded(_without(section, arrays))
            made: list[Any] = [len(body).to_bytes(_LENGTH, "little"), body, _gap(len(body))]
            for array in arrays:
                made += [array.data.cast("B") if array.size else b"", _gap(array.nbytes)]
            pieces += made
            lengths.append(sum(map(len, made)))
        first = _encoded({**self.head, "lengths": lengths})
        return b"".join([_MAGIC, len(first).to_bytes(_LENGTH, "little"), first, _gap(len(first)), *pieces])


def _gap(length: int) -> bytes:
    return bytes(-length % _LENGTH)


def _without(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"), copy=False)
        arrays.append(np.ascontiguousarray(little))
        return {"array": [little.dtype.str, len(value)]}
    if isinstance(value, Mapping):
        # In the order of the encoding, so that arrays are met in it again.
        return {key: _without(value[key], arrays) for key in sorted(value)}
    return value


class Sections:
    """A leaf, to be read section by section."""

    def __init__(self, leaf: Leaf) -> None:
        """Raises ``ValueError``: it is none, or of another version of mldata."""
        self._leaf = leaf
        if isinstance(leaf, Sketch):
            self.head: Mapping[str, Any] = leaf.head
            return
        data = memoryview(leaf)
        start = len(_MAGIC) + _LENGTH
        if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
            raise ValueError(
                f"expected a leaf sketch of version 1, found bytes that begin with {bytes(data[: len(_MAGIC)])!r}"
            )
        stop = start + _length(data, len(_MAGIC))
        self.head = _decoded(data[start:stop])
        self._starts = []
        stop += -stop % _LENGTH
        for length in self.head["lengths"]:
            self._starts.append(stop)
            stop += length
        if stop != len(data):
            raise ValueError(f"expected a leaf sketch of {stop} bytes, found {len(data)}")

    def __getitem__(self, number: int) -> Any:
        """A section of the leaf."""
        if isinstance(self._leaf, Sketch):
            return self._leaf.sections[number]
        data = memoryview(self._leaf)
        start = self._starts[number] + _LENGTH
        stop = start + _length(data, start - _LENGTH)
        made, _ = _with(_decoded(data[start:stop]), data, stop + -stop % _LENGTH)
        return made


def _length(data: memoryview, start: int) -> int:
    return int.from_bytes(data[start : start + _LENGTH], "little")


def _with(value: Any, data: memoryview, place: int) -> tuple[Any, int]:
    """``value`` with the arrays that are at ``place`` and behind it, and where they end."""
    if not isinstance(value, dict):
        return value, place
    if value.keys() == {"array"}:
        kind, count = value["array"]
        if kind not in _TYPES:
            raise ValueError(f"expected an array of one of {', '.join(_TYPES)}, found {kind!r}")
        made = np.frombuffer(data, kind, count, place) if count else np.empty(0, kind)
        place += made.nbytes
        return made, place + -place % _LENGTH
    found = {}
    for key in sorted(value):
        found[key], place = _with(value[key], data, place)
    return found, place


def _encoded(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _decoded(data: memoryview) -> Any:
    try:
        return json.loads(bytes(data))
    except ValueError as error:
        raise ValueError(f"expected a sound leaf sketch, found a damaged one: {error}") from error


Leaf = bytes | memoryview | mmap | Sketch
"""A leaf sketch; a mapped file does as well."""


def plain_counts(counts: NDArray[np.int64]) -> Any:
    """Counts, in as few bytes as the greatest takes; ones, as most often, in none."""
    most = int(counts.max()) if len(counts) else 1
    if most == 1:
        return None
    return counts.astype(next(f"<i{width}" for width in (1, 2, 4, 8) if most < 1 << (8 * width - 1)))


def read_counts(plain: NDArray[Any] | None, count: int) -> NDArray[np.int64]:
    """What :func:`plain_counts` gave for so many counts."""
    return ones(count) if plain is None else plain.astype(np.int64, copy=False)
