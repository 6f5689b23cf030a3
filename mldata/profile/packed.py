"""Texts side by side in one array, as leaf sketches have them: of thousands only those that are asked for become strings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from mldata.arrays import as_numpy, text_array

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["PackedTexts", "packed"]


class PackedTexts(Sequence[str]):
    """Texts by their bytes (UTF-8), and where each begins and ends among them."""

    def __init__(self, ends: NDArray[np.int64], data: NDArray[np.uint8]) -> None:
        self._ends, self._bytes = ends, data

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        place += len(self) if place < 0 else 0
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._bytes[self._ends[place] : self._ends[place + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        data = self._bytes.tobytes()
        return (data[start:stop].decode() for start, stop in pairwise(self._ends.tolist()))

    def tally(self) -> Counter[str]:
        """How often each text is there."""
        import pyarrow as pa

        ends = pa.py_buffer(self._ends.astype("<i4"))
        found: Any = pa.StringArray.from_buffers(
            len(self), ends, pa.py_buffer(self._bytes)
        ).dictionary_encode()
        counts = np.bincount(as_numpy(found.indices), minlength=len(found.dictionary)).tolist()
        return Counter(dict(zip(packed(found.dictionary), counts, strict=True)))

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        return {"ends": self._ends, "bytes": self._bytes}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PackedTexts:
        """What :meth:`to_plain` gave."""
        return cls(plain["ends"], plain["bytes"])


def packed(texts: Sequence[str] | pa.StringArray) -> PackedTexts:
    """Texts, in memory of their own."""
    if isinstance(texts, PackedTexts):
        return texts
    array: Any = text_array(texts) if isinstance(texts, Sequence) else texts
    _, places, data = array.buffers()
    if not len(array) or places is None:
        return PackedTexts(np.zeros(1, np.int64), np.empty(0, np.uint8))
    ends = np.frombuffer(places, "<i4", len(array) + 1, array.offset * 4).astype(np.int64)
    size = int(ends[-1] - ends[0])
    made = np.frombuffer(data, np.uint8, size, int(ends[0])).copy() if size else np.empty(0, np.uint8)
    return PackedTexts(ends - ends[0], made)
