"""Which columns of a file a table keeps, under which names and forced types.

A name in ``rename``, ``drop`` or ``types`` is first looked for among the file's own names, then among the snake-cased and the final
ones. ``drop`` comes first, so a dropped name is free for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from mldata.errors import DataError, SpecError, Where, shown

if TYPE_CHECKING:
    from mldata.formats.base import Options

ALIASES = {
    "str": pa.string(), "text": pa.string(), "int": pa.int64(), "integer": pa.int64(), "float": pa.float64(), "boolean": pa.bool_(),
    "date": pa.date32(), "timestamp": pa.timestamp("us"), "datetime": pa.timestamp("us"), "category": pa.dictionary(pa.int32(), pa.string()),
}  # fmt: skip
"""Names besides Arrow's own (``int16``, ``timestamp[ms]``...)."""

MOST_COLUMNS = 100_000
"""A column takes kilobytes, however few rows there are, so that a small file could fill the memory."""

_DECIMAL = re.compile(r"decimal(?:128)?\((\d+), ?(-?\d+)\)")
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), ?(?:tz=)?([^\]]+)\]")


@dataclass(frozen=True)
class Plan:
    """What becomes of a file's columns."""

    names: tuple[str, ...]
    """All of the file's own names."""
    keep: tuple[int, ...]
    """Positions of the columns that stay."""
    final: tuple[str, ...]
    """Their names in the table."""
    forced: Mapping[str, pa.DataType]
    """Types by final name."""

    @property
    def changes(self) -> bool:
        """Whether the table differs from the file in any column."""
        return bool(self.forced) or self.final != self.names


def plan_columns(names: Sequence[str], options: Options, where: str) -> Plan:
    """Decide over the columns of the file ``where``. Raises ``DataError`` if two would have one name, or they are too many."""
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"expected at most {MOST_COLUMNS:,} columns, found {len(names):,}",
            where=Where(where, 1),
            hint="is this the delimiter? If columns are data, write the table with rows and columns exchanged",
        )
    _refuse_twins(names, names, where, "the same name twice in one file")
    snake = (
        [snake_case(n, i) for i, n in enumerate(names)] if options.columns == "snake_case" else list(names)
    )
    dropped = {position for key in options.drop if (position := _position(key, names, snake)) is not None}
    final = list(snake)
    for key, new in options.rename.items():
        if (position := _position(key, names, snake)) is not None:
            final[position] = new
    keep = tuple(i for i in range(len(names)) if i not in dropped)
    _refuse_twins(
        [final[i] for i in keep], [names[i] for i in keep], where, "one name after `columns` and `rename`"
    )
    forced = {}
    for key, text in options.types.items():
        position = final.index(key) if key in final else _position(key, names, snake)
        if position is not None and position not in dropped:
            forced[final[position]] = parse_type(text)
    return Plan(tuple(names), keep, tuple(final[i] for i in keep), forced)


def unknown_keys(all_names: Iterable[str], options: Options) -> list[tuple[str, str]]:
    """Keys of drop, rename and types that name no column of any file, each with its option."""
    names = list(dict.fromkeys(all_names))
    known = set(names)
    if options.columns == "snake_case":
        known.update(snake_case(name, i) for i, name in enumerate(names))
    keys = [("drop", key) for key in options.drop] + [("rename", key) for key in options.rename]
    missing = [(option, key) for option, key in keys if key not in known]
    known.update(options.rename.values())
    return missing + [("types", key) for key in options.types if key not in known]


def snake_case(name: str, position: int = 0) -> str:
    """``"Body Mass (g)"`` → ``body_mass_g``, ``"HTTPCode"`` → ``http_code``; a name without letters or digits → ``column_N``."""
    name = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", lambda m: f"{m[1] or m[3]}_{m[2] or m[4]}", name)
    return re.sub(r"[\W_]+", "_", name).strip("_").lower() or f"column_{position + 1}"


def parse_type(text: str) -> pa.DataType:
    """An Arrow type by its name. Raises ``SpecError``."""
    if text in ALIASES:
        return ALIASES[text]
    if found := _DECIMAL.fullmatch(text):
        return pa.decimal128(int(found[1]), int(found[2]))
    if found := _ZONED.fullmatch(text):
        return pa.timestamp(found[1], found[2])
    try:
        return pa.type_for_alias(text)
    except ValueError:
        raise SpecError(
            f"expected the name of a type, found {text!r}",
            where="normalize.types",
            hint="use for example string, bool, int16, int64, float32, float64, date32, timestamp, decimal128(10, 2) or category",
        ) from None


def _position(key: str, names: Sequence[str], snake: Sequence[str]) -> int | None:
    for candidates in (names, snake):
        if key in candidates:
            return candidates.index(key)
    return None


def _refuse_twins(final: Sequence[str], names: Sequence[str], where: str, why: str) -> None:
    seen: dict[str, int] = {}
    for position, name in enumerate(final):
        if name in seen:
            first = names[seen[name]]
            raise DataError(
                f"columns {seen[name] + 1} ({shown(first)}) and {position + 1} ({shown(names[position])}) have {why}: {shown(name)}",
                where=Where(where, 1),
                hint="give one of them another name in the file, or use `rename` or `drop` under normalize in mldata.yaml",
            )
        seen[name] = position
