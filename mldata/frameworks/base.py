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

__all__ = ["LARGE", "Column", "DataFile", "Described", "Framework"]

LARGE = 1 << 30
"""Bytes of values from which a loader streams unless it is told otherwise."""


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
    span: tuple[int, int] | None = None
    """Of whole numbers: the least and the greatest, where there is any."""


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
    module: str = "dataset"
    """Name of the Python module to write: ``dataset``, or ``dataset_pytorch`` where an export has several frameworks."""

    @property
    def streams(self) -> bool:
        """Whether the rows are too many to be held in memory without being asked to."""
        return self.size > LARGE

    def column(self, name: str | None) -> Column | None:
        """The column of a name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    def of_role(self, *roles: str) -> list[Column]:
        """The columns that have one of some roles, in order."""
        return [column for column in self.columns if column.role in roles]


class Framework(Protocol):
    """Writes the files for one framework."""

    def files(self, described: Described) -> Mapping[str, str]:
        """Text by path in the export folder: ``MODULE.py`` (valid, typed, documented, as ruff formats it), and what goes with it.

        ``README.md`` and ``labels.json`` are not among it: they are written for all frameworks of an export together.
        """
        ...

    def snippet(self, described: Described) -> str:
        """The lines that load the data, for README and terminal."""
        ...

    def notes(self, described: Described) -> str:
        """Markdown for README after the snippet: what a row and a batch are, with shapes and dtypes, and what there is beside."""
        ...
