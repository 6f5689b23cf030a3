"""What a framework is: it writes the files that make an export folder load with the fewest lines.

Invariant: the files depend on the :class:`Described` dataset alone. They hold no absolute path, time or host, and import nothing of
``mldata``: an export folder works on a machine that does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Column", "DataFile", "Described", "Framework"]


@dataclass(frozen=True)
class DataFile:
    """A file of rows in the export folder."""

    path: str
    format: str
    part: str
    rows: int
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Column:
    """A column of the rows, and what is known of its values."""

    name: str
    type: pa.DataType
    role: str
    """``number``, ``boolean``, ``category``, ``text``, ``time``, ``media`` (path of a file beside), ``binary``, ``nested``."""
    nulls: int
    """Missing values in all parts."""
    classes: tuple[str | int | bool, ...] = ()
    """Of a ``category``: its distinct values in ascending order; the index of a class is its place here."""
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of a ``category``: rows of each class by part."""


@dataclass(frozen=True)
class Described:
    """A dataset in an export folder, as code that reads it must know it."""

    dataset: str
    kind: str
    """``tabular``, ``images`` or ``audio``."""
    columns: Sequence[Column]
    """Of the files, in their order."""
    parts: Mapping[str, int]
    """Rows by part, in order."""
    files: Sequence[DataFile]
    """Of all formats."""
    label: str | None
    """The column to be learnt, where there is one without doubt: the folder's name of media, or a category called ``label``, ``target``, …"""
    size: int
    """Bytes of the values in memory, about: whether a loader must stream."""


class Framework(Protocol):
    """Writes the files for one framework."""

    def files(self, described: Described) -> Mapping[str, str]:
        """Text by path in the export folder: ``dataset.py`` (valid, typed, documented, as ruff formats it), and what goes with it."""
        ...

    def snippet(self, described: Described) -> str:
        """The lines that load the data, for README and terminal."""
        ...
