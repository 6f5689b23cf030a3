"""How a generated loader reads each column: under which key, as which dtype, and what stands for a missing value.

The same for every framework that reads rows by Arrow, so that READMEs and code agree:

- number: the column's own type; whole numbers that miss some are ``float64`` with NaN. Decimals are ``float64``.
- boolean: ``bool``; ``int8`` with -1 if any is missing.
- category: ``int64``, the index of the class; -1 if missing.
- text, binary, nested: Python's ``str``, ``bytes`` and objects; None if missing.
- time: ``int64`` in the column's own unit (dates: days), since 1970-01-01 (UTC where it has a zone) or midnight; -2**63 (NumPy's NaT) if missing.
- media: the path as text, and beside it the decoded file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.types as pt

from mldata.frameworks.naming import free_name

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.frameworks.base import Column, Described

__all__ = ["Media", "Reading", "media_of", "readings", "unit_of"]

MODES = {
    "L": ("uint8", 1),
    "RGB": ("uint8", 3),
    "RGBA": ("uint8", 4),
    "I;16": ("uint16", 1),
    "I": ("int32", 1),
    "F": ("float32", 1),
}
"""Modes of Pillow that pixels are taken in as they are, if all pictures have it: dtype and channels."""


@dataclass(frozen=True)
class Reading:
    """How a value of a column is read."""

    column: Column
    kind: str
    """``number`` (also booleans), ``category``, ``time`` or ``object``."""
    dtype: str
    """NumPy's name of the dtype; ``str``, ``bytes`` or ``object`` for what is no number."""
    missing: str
    """What stands for a missing value, for people; empty if none is missing."""


@dataclass(frozen=True)
class Media:
    """How the file of a row is read."""

    key: str
    """Under which the decoded file is in a row."""
    kind: str
    """``images`` or ``audio``."""
    path: str
    """The column of its path."""
    dtype: str
    mode: str | None = None
    """Of pictures: what Pillow converts them to."""
    channels: int | None = None
    """None: it differs."""
    size: tuple[int, int] | None = None
    """Height and width of all pictures; None: they differ."""
    rate: int | None = None
    """Of recordings, Hz; None: it differs."""


def readings(described: Described) -> list[Reading]:
    """How each column is read, in order."""
    return [_reading(column) for column in described.columns]


def _reading(column: Column) -> Reading:
    kind = column.type.value_type if pt.is_dictionary(column.type) else column.type
    some = bool(column.nulls)
    match column.role:
        case "category":
            return Reading(column, "category", "int64", "-1" if some else "")
        case "boolean":
            return Reading(column, "number", "int8" if some else "bool", "-1" if some else "")
        case "time":
            return Reading(column, "time", "int64", "-2**63" if some else "")
        case "number":
            dtype = _number(column, kind)
            return Reading(column, "number", dtype, "NaN" if some else "")
        case "text" | "media":
            return Reading(column, "object", "str", "None" if some else "")
        case "binary":
            return Reading(column, "object", "bytes", "None" if some else "")
    return Reading(column, "object", "object", "None" if some else "")


def _number(column: Column, kind: object) -> str:
    if pt.is_floating(kind):
        return {"halffloat": "float16", "float": "float32", "double": "float64"}[str(kind)]
    if not pt.is_integer(kind) or column.nulls:
        return "float64"
    return str(kind)


def unit_of(kind: pa.DataType) -> str:
    """The unit of a date or time: ``days``, ``s``, ``ms``, ``us`` or ``ns``."""
    if pt.is_dictionary(kind):
        kind = kind.value_type
    return "days" if pt.is_date(kind) else str(kind.unit)


def media_of(described: Described) -> Media | None:
    """How the files of a dataset of media are read; None for a table."""
    path = next(iter(described.of_role("media")), None)
    if path is None:
        return None
    names = [column.name for column in described.columns]
    if described.kind == "audio":
        channels, rate = (_same(described, name) for name in ("channels", "sample_rate"))
        return Media(free_name("audio", names), "audio", path.name, "float32", channels=channels, rate=rate)
    mode = _mode(described)
    dtype, channels = MODES[mode]
    height, width = _same(described, "height"), _same(described, "width")
    turned = described.column("orientation")
    whole = height is not None and width is not None and (turned is None or turned.span in (None, (1, 1)))
    size = (height, width) if whole and height and width else None
    return Media(free_name("image", names), "images", path.name, dtype, mode, channels, size)


def _same(described: Described, name: str) -> int | None:
    """The value that all rows have in a column of whole numbers, if it is one and the same."""
    column = described.column(name)
    if column is None or column.span is None or column.nulls or column.span[0] != column.span[1]:
        return None
    return column.span[0]


def _mode(described: Described) -> str:
    """The mode that all pictures have or, if they differ or it is a rare one, that they are converted to."""
    column = described.column("mode")
    found = set(column.classes) if column is not None and column.classes and not column.nulls else set()
    if found and found <= {"1", "L"}:
        return "L"
    if found and found <= {"LA", "PA", "RGBA"}:
        return "RGBA"
    only = next(iter(found)) if len(found) == 1 else None
    return only if isinstance(only, str) and only in MODES else "RGB"
