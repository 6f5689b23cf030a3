"""What is in the parts of an Office Open XML workbook that its reader does not tell, or passes over in silence.

Checked before anything is read: that it is a workbook and no other zip file, that it does not unpack to more than it should, that rows and
cells are in order (others would be dropped), that every formula has its result beside it, and which cells are merged.

The format is ECMA-376, part 1, chapter 18.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO
from xml.etree import ElementTree

from mldata.archives.base import LIMITS
from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.streamed import damaged

__all__ = ["KIND", "Merged", "Scan", "Sheet", "list_sheets", "scan_sheet"]

KIND = "workbook"
HELD_BYTES = 256 << 20
"""Of all parts but the sheets, unpacked: these are held in memory."""
MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14
CHUNK = 1 << 20
BEHIND = 1 << 17
"""How far back a piece of a sheet is looked at again with the next one: a cell with the longest formula there can be fits in."""

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of the format of older Office files, in which encrypted ones are wrapped as well ([MS-CFB] 2.2)."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
OTHERS = {
    "xl/workbook.bin": "an Excel binary workbook (.xlsb)",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
    "content.xml": "an OpenDocument file",
    "META-INF/MANIFEST.MF": "a Java archive",
}
SAVE = "open it in a spreadsheet program and save it as .xlsx (or .csv)"

_CELL = re.compile(rb'<(?:\w+:)?(row|c)(?=[\s/>])(?:[^>]*?\sr="([A-Z]{0,3})([0-9]{1,10})")?')
_UNKNOWN = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>|</(?:\w+:)?c>)"
)
_OPEN_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*>")
_MERGE = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="\$?([A-Z]{1,3})\$?([0-9]+):\$?([A-Z]{1,3})\$?([0-9]+)"'
)


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook."""

    name: str
    part: str
    """Where it is in the zip file."""
    hidden: bool


@dataclass(frozen=True)
class Merged:
    """A range of merged cells; rows and columns from 1."""

    row: int
    column: int
    text: str
    """As ``A1:B2``."""


@dataclass
class Scan:
    """What a pass over a sheet found."""

    width: int
    """The last column with a cell."""
    merged: list[Merged]


def list_sheets(file: SourceFile) -> list[Sheet]:
    """The sheets with cells, in the order of the workbook. Raises ``DataError`` for what is no workbook, or too large a one."""
    with _unpack(file) as archive:
        _check_size(file, archive)
        try:
            book = ElementTree.fromstring(archive.read(_main_part(archive)))
            folder, _, name = _main_part(archive).rpartition("/")
            links = ElementTree.fromstring(archive.read(f"{folder}/_rels/{name}.rels"))
            targets = {link.get("Id"): link for link in links}
            found = []
            for sheet in book.iter():
                if not sheet.tag.endswith("}sheet"):
                    continue
                link = targets[next(value for key, value in sheet.items() if key.endswith("}id"))]
                target = str(link.get("Target"))
                part = target[1:] if target.startswith("/") else f"{folder}/{target}"
                if str(link.get("Type")).endswith("/worksheet"):
                    found.append(
                        Sheet(str(sheet.get("name")), part, sheet.get("state") in ("hidden", "veryHidden"))
                    )
            return found
        except (ElementTree.ParseError, KeyError, StopIteration, zipfile.BadZipFile, OSError) as error:
            raise damaged(file, KIND, error) from error


def scan_sheet(file: SourceFile, sheet: Sheet, checkpoint: Callable[[], None]) -> Scan:
    """Look through all of a sheet. Raises ``DataError``; ``checkpoint`` may raise to stop."""
    with _unpack(file) as archive:
        try:
            with archive.open(sheet.part) as part:
                return _Scanner(file, sheet).run(part, checkpoint)
        except (KeyError, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise damaged(file, KIND, error) from error


class _Scanner:
    def __init__(self, file: SourceFile, sheet: Sheet) -> None:
        self.file, self.sheet = file, sheet
        self.row = self.column = 0
        self.found = Scan(0, [])

    def run(self, part: IO[bytes], checkpoint: Callable[[], None]) -> Scan:
        held, done = b"", 0  # what of `held` begins before `done` has been looked at
        while True:
            checkpoint()
            data = part.read(CHUNK)
            if not held and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise damaged(self.file, KIND, f"the sheet {self.sheet.name!r} is not in UTF-8")
            held += data
            stop = len(held) - (BEHIND if data else 0)
            if stop > done:
                self._look(held, done, stop)
                cut = max(stop - BEHIND, 0)
                held, done = held[cut:], stop - cut
            if not data:
                return self.found

    def _look(self, held: bytes, start: int, stop: int) -> None:
        """Take in what begins between ``start`` and ``stop``."""
        for found in _from(_CELL, held, start, stop):
            self._place(found)
        for found in _from(_UNKNOWN, held, start, stop):
            cells = list(_OPEN_CELL.finditer(held, max(0, found.start() - BEHIND), found.start()))
            if cells and not (b't="str"' in cells[-1][0] and b"v" in found[0].rpartition(b"f")[2]):
                raise self._refuse(cells[-1][0])
        for found in _from(_MERGE, held, start, stop):
            left, top, right, bottom = (group.decode() for group in found.groups())
            text = f"{left}{top}:{right}{bottom}"
            if (left, top) != (right, bottom):
                self.found.merged.append(Merged(int(top), column_number(left.encode()), text))

    def _place(self, found: re.Match[bytes]) -> None:
        if found[1] == b"row":
            row = int(found[3]) if found[3] else self.row + 1
            if not self.row < row <= MOST_ROWS:
                raise damaged(
                    self.file, KIND, f"sheet {self.sheet.name!r}: row {row:,} comes after row {self.row:,}"
                )
            self.row, self.column = row, 0
            return
        column = column_number(found[2]) if found[2] else self.column + 1
        if not self.column < column <= MOST_COLUMNS or (found[3] and int(found[3]) != self.row):
            at = f"{found[2].decode()}{int(found[3])}" if found[2] else f"number {column:,}"
            raise damaged(
                self.file,
                KIND,
                f"sheet {self.sheet.name!r}: the cell {at} is not in its place in row {self.row:,}",
            )
        self.column = column
        self.found.width = max(self.found.width, column)

    def _refuse(self, cell: bytes) -> DataError:
        name = re.search(rb'\sr="([A-Z]+[0-9]+)"', cell)
        at = f" {name[1].decode()}" if name else ""
        return DataError(
            f"sheet {self.sheet.name!r}, cell{at}: expected the result of the formula, found none in the file",
            where=Where(self.file.name, self.row),
            hint="open the workbook in a spreadsheet program, which computes it, and save it",
        )


def column_number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _from(pattern: re.Pattern[bytes], held: bytes, start: int, stop: int) -> Iterator[re.Match[bytes]]:
    for found in pattern.finditer(held, start):
        if found.start() >= stop:
            return
        yield found


def _unpack(file: SourceFile) -> zipfile.ZipFile:
    with open(file.path, "rb") as handle:
        head = handle.read(len(COMPOUND))
        if head == COMPOUND:
            # The directory with the names may be anywhere; nothing else of an old workbook is called so.
            old = not any(ENCRYPTED in data for data in _overlapping(handle, len(ENCRYPTED)))
            found = "one of the old format (.xls)" if old else "an encrypted one"
            hint = SAVE if old else "save it without a password"
            raise DataError(f"expected an .xlsx workbook, found {found}", where=Where(file.name), hint=hint)
    try:
        return zipfile.ZipFile(file.path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        if head.startswith(b"PK"):
            raise damaged(file, KIND, error) from error
        raise DataError(
            "expected an .xlsx workbook, found something else", where=Where(file.name), hint=SAVE
        ) from None


def _overlapping(handle: IO[bytes], size: int) -> Iterator[bytes]:
    """The rest of a file in pieces, each beginning with the last ``size`` bytes of the one before."""
    held = b""
    while data := handle.read(CHUNK):
        yield held + data
        held = data[-size:]


def _main_part(archive: zipfile.ZipFile) -> str:
    """Where the list of the sheets is."""
    links = ElementTree.fromstring(archive.read("_rels/.rels"))
    main = next(link for link in links if str(link.get("Type")).endswith("/officeDocument"))
    return str(main.get("Target")).lstrip("/")


def _check_size(file: SourceFile, archive: zipfile.ZipFile) -> None:
    """Raise ``DataError`` for other zip files, and for those that unpack to too much. No member gives more than it declares."""
    members = {info.filename: info.file_size for info in archive.infolist()}
    other = next((OTHERS[name] for name in members if name in OTHERS), None)
    if other is not None or "[Content_Types].xml" not in members:
        found = other or "a zip file of something else"
        raise DataError(f"expected an .xlsx workbook, found {found}", where=Where(file.name), hint=SAVE)
    total = sum(info.file_size for info in archive.infolist())
    if LIMITS.blown(total, file.size):
        raise DataError(
            f"expected at most {LIMITS.ratio} bytes out of each byte, found {total:,} out of {file.size:,}",
            where=Where(file.name),
            hint="if you trust the workbook, save it as .csv",
        )
    held = sum(size for name, size in members.items() if name.endswith(".xml") and "/worksheets/" not in name)
    if held > HELD_BYTES:
        raise DataError(
            f"expected at most {HELD_BYTES >> 20} MiB of text in a workbook, found {held >> 20} MiB",
            where=Where(file.name),
            hint="save it as .csv",
        )
