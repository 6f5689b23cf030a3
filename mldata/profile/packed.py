"""Texts side by side in one array, as leaf sketches have them: of thousands of leaves only the texts that are asked for become strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PackedTexts", "plain_texts"]


class PackedTexts(Sequence[str]):
    """What :func:`plain_texts` gave."""

    def __init__(self, plain: Mapping[str, Any]) -> None:
        self._ends: NDArray[np.int64] = plain["ends"]
        self._bytes: NDArray[np.uint8] = plain["bytes"]

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if place >= len(self):
            raise IndexError(place)
        return self._bytes[self._ends[place] : self._ends[place + 1]].tobytes().decode()

    def to_plain(self) -> dict[str, Any]:
        """For a section."""
        return {"ends": self._ends, "bytes": self._bytes}


def plain_texts(texts: Sequence[str]) -> dict[str, Any]:
    """Texts as a section has them: their bytes (UTF-8), and where each begins and ends among them."""
    if isinstance(texts, PackedTexts):
        return texts.to_plain()
    data = [text.encode() for text in texts]
    ends = np.zeros(len(data) + 1, np.int64)
    np.cumsum([len(it) for it in data], out=ends[1:])
    return {"ends": ends, "bytes": np.frombuffer(b"".join(data), np.uint8)}
