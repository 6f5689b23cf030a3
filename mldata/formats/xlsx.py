"""Workbooks of Excel (``.xlsx``, ``.xlsm``): one sheet, the first row with a value is the header.

A value is what the cell has, not what it shows: formulas give the result that was saved with them, numbers with the format of a date are dates. Excel has
reals only, so a column of whole numbers is one of integers, one of midnights is one of days. Rows and columns without a value
are no part of the table. ``#N/A`` is a missing value, as is text that ``nulls`` names; other errors are refused, and so are merged cells with a value, since which
rows it is meant for cannot be known.
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property
from typing import Any
from zipfile import BadZipFile

from mldata.errors import DataError, MissingExtra, Where
from mldata.formats.base import Options, SourceFile
from mldata.formats.choose import some
from mldata.formats.streamed import damaged
from mldata.formats.valued import Rows, Value, ValuedFormat
from mldata.formats.workbook import KIND, Merged, Scan, Sheet, list_sheets, scan_sheet
from mldata.nearest import nearest

# Of what it does not know (extensions, headers, odd dates) openpyxl warns; of dates out of range it makes error cells.
warnings.filterwarnings("ignore", module="openpyxl")

NOT_AVAILABLE = "#N/A"
EXACT = 2**53
BROKEN = (
    ArithmeticError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    SyntaxError,
    BadZipFile,
)
"""What openpyxl raises for a damaged part is whatever comes of it, down to an attribute of None."""


class Xlsx(ValuedFormat):
    """The ``xlsx`` format."""

    def opened(
        self, file: SourceFile, options: Options, checkpoint: Callable[[], None], *, first: bool = False
    ) -> AbstractContextManager[_Rows]:
        """See :class:`~mldata.formats.valued.ValuedFormat`."""
        return _open(file, options, checkpoint)

    def told(self, rows: Rows, options: Options) -> dict[str, Any]:
        """See :class:`~mldata.formats.valued.ValuedFormat`."""
        assert isinstance(rows, _Rows)
        return {"sheet": rows.sheet.name}


class _Rows:
    """The rows of one sheet (:class:`~mldata.formats.valued.Rows`)."""

    def __init__(self, cells: Any, sheet: Sheet, scan: Scan, file: SourceFile, options: Options) -> None:
        """
        Args:
            cells: the sheet as openpyxl has it.
        """
        self.sheet, self.file = sheet, file
        self._cells, self._width = cells, scan.width
        self._nulls = frozenset(options.nulls)
        self._merged: dict[int, list[Merged]] = {}
        for merged in scan.merged:
            self._merged.setdefault(merged.row, []).append(merged)
        self._header = options.header is not False
        self._ask = options.header is None
        self._lines = array("L")

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._columns.values())

    @cached_property
    def _columns(self) -> dict[int, str]:
        """Names by position in the sheet."""
        if not self._header:
            used = {at for _, cells in self._used() for at, cell in enumerate(cells) if _filled(cell)}
            return {at: f"column_{at + 1}" for at in sorted(used)}
        for line, cells in self._used():
            if self._ask and not any(isinstance(cell.value, str) for cell in cells):
                raise DataError(
                    f"expected a row of column names, found only values in row {line} of sheet {self.sheet.name!r}",
                    where=Where(self.file.name, line),
                    hint="say how it is: `normalize: {header: false}` (or true) in mldata.yaml",
                )
            return {at: _name(cell.value) for at, cell in enumerate(cells) if _filled(cell)}
        raise DataError(
            f"expected a table, found that sheet {self.sheet.name!r} has no values",
            where=Where(self.file.name),
            hint="name another one: `normalize: {sheet: NAME}` in mldata.yaml, or leave the file out of the source",
        )

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        columns, source = self._columns, self._used()
        if self._header:
            next(source, None)
        self._lines = array("L")
        for line, cells in source:
            for at, cell in enumerate(cells):
                if at not in columns and _filled(cell):
                    raise DataError(
                        f"cell {_cell(line, at)} of sheet {self.sheet.name!r} has a value, and its column has no name",
                        where=self._at(line, at),
                        hint="name the column in the first row of the sheet, and remove titles and notes around the table",
                    )
            self._lines.append(line)
            yield tuple([self._value(cells[at], line, at) for at in columns])

    def where(self, row: int) -> Where:
        return Where(self.file.name, self._lines[row])

    def _used(self) -> Iterator[tuple[int, Sequence[Any]]]:
        """The rows that have a value, each with its number in the sheet."""
        for line, cells in enumerate(self._read(), 1):
            if not any(map(_filled, cells)):
                continue
            for merged in self._merged.get(line, ()):
                if any(map(_filled, cells[merged.column - 1 : merged.column])):
                    raise DataError(
                        f"expected a value for each cell, found the merged cells {merged.text} in sheet {self.sheet.name!r}",
                        where=self._at(line, merged.column - 1),
                        hint="unmerge them and fill in each cell; remove titles above the table",
                    )
            yield line, cells

    def _read(self) -> Iterator[Sequence[Any]]:
        try:
            yield from self._cells.iter_rows(min_row=1, max_col=self._width) if self._width else ()
        except BROKEN as error:
            raise _broken(self.file, error) from error

    def _value(self, cell: Any, line: int, at: int) -> Value:
        value = cell.value
        if cell.data_type == "e":
            if value == NOT_AVAILABLE or value in self._nulls:
                return None
            raise DataError(
                f"expected a value, found the error {value} in cell {_cell(line, at)} of sheet {self.sheet.name!r}",
                where=self._at(line, at),
                hint=f'correct it, or take it for a missing value: `normalize: {{nulls: ["", NA, "{value}"]}}` in mldata.yaml',
            )
        if isinstance(value, str):
            return None if not value or value in self._nulls else value
        if isinstance(value, dt.datetime) and value.time() == dt.time():
            return value.date()
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if isinstance(value, int):
            return value if abs(value) < 2**63 else float(value)
        whole = value.is_integer() and abs(value) <= EXACT and (value or math.copysign(1, value) > 0)
        return int(value) if whole else value

    def _at(self, line: int, at: int) -> Where:
        return Where(self.file.name, line, at + 1)


@contextmanager
def _open(file: SourceFile, options: Options, checkpoint: Callable[[], None]) -> Iterator[_Rows]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise MissingExtra(
            "reading workbooks needs the package openpyxl, which is not installed",
            where=Where(file.name),
            hint="install it: pip install 'mldata-cli[xlsx]'",
        ) from None
    sheet = _find_sheet(list_sheets(file), file, options.sheet)
    scan = scan_sheet(file, sheet, checkpoint)
    with open(file.path, "rb") as handle:
        try:
            book = load_workbook(handle, read_only=True, data_only=True, keep_links=False)
            cells = book[sheet.name]
            cells.reset_dimensions()
        except BROKEN as error:
            raise _broken(file, error) from error
        with closing(book):
            yield _Rows(cells, sheet, scan, file, options)


def _broken(file: SourceFile, error: Exception) -> DataError:
    return damaged(file, KIND, f"{type(error).__name__}: {error}")


def _find_sheet(sheets: Sequence[Sheet], file: SourceFile, wanted: str | None) -> Sheet:
    names = [sheet.name for sheet in sheets]
    for sheet in sheets:
        if sheet.name == wanted or (wanted is None and not sheet.hidden):
            return sheet
    near = nearest(wanted or "", names, 0.5)
    raise DataError(
        f"expected {f'a sheet {wanted!r}' if wanted is not None else 'a sheet that is not hidden'}, found {some(names) or 'none'}",
        where=Where(file.name),
        hint=f"did you mean {near!r}?" if near else "name one: `normalize: {sheet: NAME}` in mldata.yaml",
    )


def _filled(cell: Any) -> bool:
    """Whether a cell has anything in it."""
    return cell.value is not None and cell.value != ""


def _name(value: Value) -> str:
    """A column is called what its header says, also a year or a day."""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _cell(line: int, at: int) -> str:
    letters, number = "", at + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{line}"
