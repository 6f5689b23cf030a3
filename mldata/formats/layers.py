"""Layers: compression and encoding around what a format reads, taken off one by one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mldata.errors import DataError, Where
from mldata.formats.base import Options, Recode
from mldata.formats.recode import COMPRESSIONS

MOST = 3
"""A file that unpacks to itself would never end."""


@dataclass
class Layers:
    """What was taken off one file."""

    name: str
    """Of the file, for messages."""
    taken: list[str] = field(default_factory=list)
    sure: bool = True
    """Whether its encoding is not merely likely."""

    def take(self, to: Recode, options: Options, size: int) -> Options:
        """Note that a layer was taken off. Returns the options to read what is inside with.

        Args:
            size: bytes of what is inside.

        Raises:
            DataError: there are too many layers, or nothing inside.
        """
        self.taken.append(to.how)
        self.sure = self.sure and to.sure
        if len(self.taken) > MOST:
            raise DataError(
                f"expected at most {MOST} layers of compression, found more",
                where=Where(self.name),
                hint="unpack the file",
            )
        if not size:
            raise DataError(
                f"expected data, found nothing inside ({to.how})",
                where=Where(self.name),
                hint="fetch the file again, or leave it out of the source",
            )
        return options if to.how in COMPRESSIONS else replace(options, encoding="utf-8")

    @property
    def notes(self) -> dict[str, Any]:
        """For whoever asks how the file is written."""
        packed = [layer for layer in self.taken if layer in COMPRESSIONS]
        encodings = [layer for layer in self.taken if layer not in COMPRESSIONS]
        return {
            **({"compression": " in ".join(reversed(packed))} if packed else {}),
            **({"encoding": encodings[-1]} if encodings else {}),
        }
