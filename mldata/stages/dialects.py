"""How the text files of a source are written, taken together: what one file leaves open, the others may say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mldata.errors import DataError, Where
from mldata.formats.choose import some
from mldata.formats.numbers import COMMA, EITHER, POINT

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo, Options


class Written(Protocol):
    """A file that was read, as far as it matters here."""

    name: str
    info: FormatInfo
    options: Options
    notes: dict[str, Any]

    @property
    def sure(self) -> bool:
        """Whether its encoding is not merely likely."""
        ...

    def again(self, **options: Any) -> None:
        """Have it read once more, with other options."""
        ...


F = TypeVar("F", bound=Written)
_KEYS = (
    "table",
    "sheet",
    "compression",
    "encoding",
    "delimiter",
    "quote",
    "header",
    "comment",
    "decimal",
    "thousands",
)


def settle(files: Sequence[F]) -> list[F]:
    """Decide for all files together. Returns those that must be read again, with what was decided.

    A file in which numbers could have a decimal comma or marks between thousands (``1.234``) is read as those that leave no doubt.

    Raises:
        DataError: some files have a header and others have none, or numbers could be meant either way.
    """
    _refuse_mixed_headers(files)
    commas = [file for file in files if file.notes.get("decimal") == ","]
    points = [file for file in files if POINT in _numbers(file) and COMMA not in _numbers(file)]
    if not commas or any(file.options.decimal is not None for file in commas):
        return []
    unclear = [file for file in files if _numbers(file) == {EITHER}]
    if unclear and points:
        raise DataError(
            f"expected one way to write numbers, found a decimal comma in {commas[0].name} and a point in {points[0].name}; "
            "here 1.234 could be either",
            where=Where(unclear[0].name),
            hint="say which: `normalize: {decimal: ','}` or `{decimal: '.'}` in mldata.yaml, or make two datasets",
        )
    for file in unclear:
        file.again(decimal=",", thousands=commas[0].notes["thousands"])
    return unclear


def doubts(files: Sequence[Written]) -> Iterator[str]:
    """What was found out and could be wrong, for a warning."""
    likely = [file.name for file in files if not file.sure]
    if likely:
        encoding = next(file for file in files if not file.sure).notes["encoding"]
        yield (
            f"not UTF-8, read as {encoding}, which is likely and not certain: {some(likely)}; "
            f"`normalize: {{encoding: {encoding}}}` settles it"
        )
    bare = [file.name for file in files if file.notes.get("header") is False and file.options.header is None]
    if bare:
        yield (
            f"no header found, columns are called column_1, column_2...: {some(bare)}; "
            "`normalize: {header: false}` (or true) settles it, `rename` gives names"
        )
    wal = [file.name for file in files if file.notes.get("wal")]
    if wal:
        yield (
            f"databases in WAL mode: {some(wal)}; rows that are not in the file itself yet are not read; "
            "`PRAGMA wal_checkpoint(TRUNCATE)` brings them in, `PRAGMA journal_mode = DELETE` ends the mode"
        )
    commas = [
        file.name for file in files if file.notes.get("decimal") == "," and file.options.decimal is None
    ]
    if commas:
        yield f'numbers have a decimal comma: {some(commas)}; `normalize: {{decimal: ","}}` settles it'


def summary(files: Sequence[Written]) -> list[dict[str, Any]]:
    """Each way in which files are written, with the number of files and the first of them; nothing for binary formats."""
    ways: dict[str, dict[str, Any]] = {}
    for file in files:
        notes = {key: file.notes[key] for key in _KEYS if key in file.notes}
        if notes:
            way = ways.setdefault(
                json.dumps([file.info.name, notes]),
                {"format": file.info.name, **notes, "files": 0, "first": file.name},
            )
            way["files"] += 1
    return list(ways.values())


def _numbers(file: Written) -> set[str]:
    return set(file.notes.get("numbers", ()))


def _refuse_mixed_headers(files: Sequence[Written]) -> None:
    having: dict[bool, Written] = {}
    for file in files:
        if "header" in file.notes:
            having.setdefault(file.notes["header"], file)
    if len(having) == 2:
        raise DataError(
            f"expected a header as {having[True].name} has one, found none (its first record looks like a row)",
            where=Where(having[False].name, 1),
            hint="give the file a header, or say how all files are: `normalize: {header: true}` or `{header: false}`",
        )
