"""Lists of files elsewhere, as they are written: sums, addresses, or a table.

Three forms are told apart by their first line that is not empty and no comment (``#``):

- sums, as ``sha256sum``, ``sha1sum`` and ``md5sum`` write them (``HEX  name``, also the form of BSD, ``SHA256 (name) = HEX``); names are relative
  to the list;
- a table with a header, commas or tabs: ``url``, and as one likes ``name``, ``sha256``, ``sha1``, ``md5``, ``size``; other columns are left alone;
- addresses, one a line, each with ``#sha256=HEX`` behind it if one likes; in this form a ``#`` begins a comment at the start of a line only.

Invariant: an entry has a safe name that no other has; what is wrong is said by line and column (from 1).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import quote, unquote, urljoin, urlsplit

from mldata.download.filenames import file_name
from mldata.download.given import DIGITS, given_address, given_digests, is_digest
from mldata.download.pages import looks_like_html
from mldata.errors import SourceError, Where, shown

__all__ = ["Entry", "parse_index"]

MOST = 1_000_000
"""Lines of a list: what each becomes takes about a kilobyte of memory."""
_SUM = re.compile(r"(\\?)([0-9A-Fa-f]{32,128})(?: [ *]|\t)(.+)")
_BSD = re.compile(r"(SHA256|SHA1|MD5|SHA\d+|SHA2-\d+) \((.+)\) = ([0-9A-Fa-f]+)")
_ESCAPES = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}
_HINT = "It may be sums (HEX, two spaces, name), addresses (one a line), or a table with a column url."


@dataclass(frozen=True)
class Entry:
    """One file that a list names."""

    line: int
    url: str = field(repr=False)
    """Without what stands behind ``#``."""
    name: str
    digests: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None


def parse_index(data: bytes, file: str, base: str | None) -> list[Entry]:
    """The files that a list names, sorted by name.

    Args:
        data: the list.
        file: what messages call it.
        base: the address of the list, for relative addresses; None if it has none.

    Raises:
        SourceError: it is none of the three forms, or a line is wrong.
    """
    reader = _Reader(file, base)
    lines = reader.lines(data)
    if not lines:
        reader.fail(1, 1, "expected files, found none")
    if len(lines) > MOST:
        reader.fail(
            lines[MOST][0], 1, f"expected at most {MOST:,} files, found more", "Split the list into several."
        )
    first = lines[0][1]
    delimiter = "\t" if "\t" in first else ","
    if _SUM.fullmatch(first) or _BSD.fullmatch(first):
        entries = list(reader.sums(lines))
    elif "url" in [cell.strip().strip('"').lower() for cell in first.split(delimiter)]:
        entries = list(reader.table(lines, delimiter))
    else:
        entries = reader.addresses(lines)
    return reader.checked(entries)


class _Reader:
    def __init__(self, file: str, base: str | None) -> None:
        self._file, self._base = file, base

    def fail(self, line: int, column: int, message: str, hint: str = _HINT) -> NoReturn:
        raise SourceError(message, where=Where(self._file, line, column), hint=hint)

    def lines(self, data: bytes) -> list[tuple[int, str]]:
        """Number and text of each line that says something."""
        if looks_like_html(data[:4096]):
            self.fail(
                1, 1, "expected a list of files, found a page of HTML", "Give the address of the list itself."
            )
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            at = data.rfind(b"\n", 0, error.start) + 1
            self.fail(data.count(b"\n", 0, error.start) + 1, error.start - at + 1, "expected UTF-8 text")
        numbered = enumerate(text.split("\n"), 1)
        stripped = ((number, line.removesuffix("\r")) for number, line in numbered)
        return [(number, line) for number, line in stripped if line.strip() and not line.startswith("#")]

    def sums(self, lines: Sequence[tuple[int, str]]) -> Iterator[Entry]:
        for number, line in lines:
            if found := _BSD.fullmatch(line):
                digest, name = found[3], found[2]
            elif found := _SUM.fullmatch(line):
                digest, name = found[2], found[3]
                name = re.sub(r"\\[\\nr]", lambda match: _ESCAPES[match[0]], name) if found[1] else name
            else:
                self.fail(number, 1, f"expected a digest, two spaces and a name; found {shown(line)}")
            column = line.index(digest) + 1
            kind = next((kind for kind, digits in DIGITS.items() if digits == len(digest)), None)
            if kind is None:
                said = f"expected a digest of 64 (SHA-256), 40 (SHA-1) or 32 (MD5) hexadecimal digits, found {len(digest)}"
                self.fail(number, column, said)
            name = name.removeprefix("./")
            if self._base is None:
                self.fail(
                    number,
                    1,
                    "expected addresses, found names of files beside this list",
                    "Name their folder as the source.",
                )
            self.safe(number, line.find(name) + 1, name)
            yield Entry(number, urljoin(self._base, quote(name)), name, {kind: digest.lower()})

    def table(self, lines: Sequence[tuple[int, str]], delimiter: str) -> Iterator[Entry]:
        offset = {}  # a cell may hold line ends: the reader's line numbers are of what it was given

        def feed() -> Iterator[str]:
            for given, (number, line) in enumerate(lines, 1):
                offset[given] = number
                yield line + "\n"

        rows = csv.reader(feed(), delimiter=delimiter, strict=True)
        header = [cell.strip().lower() for cell in next(rows)]
        for name in ("url", "name", "size", *DIGITS):
            if header.count(name) > 1:
                self.fail(offset[1], 1, f"expected a column {name} once, found it twice")
        found: list[tuple[int, dict[str, tuple[int, str]]]] = []
        try:
            for row in rows:
                number = offset[rows.line_num]
                if len(row) != len(header):
                    self.fail(number, 1, f"expected {len(header)} cells as in the header, found {len(row)}")
                columns = _columns(row, lines[rows.line_num - 1][1])
                cells = {
                    name: (at, cell.strip()) for name, at, cell in zip(header, columns, row, strict=True)
                }
                found.append((number, cells))
        except csv.Error as error:
            self.fail(offset.get(rows.line_num, 1), 1, f"expected a row of a table: {error}")
        named = self._named([(number, *cells["url"]) for number, cells in found])
        for entry, (number, cells) in zip(named, found, strict=True):
            yield self._row(entry, number, cells)

    def _row(self, entry: Entry, number: int, cells: Mapping[str, tuple[int, str]]) -> Entry:
        """An entry with what other columns say of it."""
        digests = dict(entry.digests)
        for kind, digits in DIGITS.items():
            at, value = cells.get(kind, (0, ""))
            if value and not is_digest(kind, value):
                self.fail(number, at, f"expected {digits} hexadecimal digits as {kind}, found {shown(value)}")
            if value and digests.setdefault(kind, value.lower()) != value.lower():
                self.fail(number, at, f"expected one {kind}, found another one behind the address")
        at, size = cells.get("size", (0, ""))
        if size and not re.fullmatch("[0-9]{1,18}", size):
            self.fail(number, at, f"expected a size in bytes, found {shown(size)}")
        at, name = cells.get("name", (0, ""))
        if name:
            self.safe(number, at, name)
        return Entry(number, entry.url, name or entry.name, digests, int(size) if size else None)

    def addresses(self, lines: Sequence[tuple[int, str]]) -> list[Entry]:
        return self._named(
            [(number, len(line) - len(line.lstrip()) + 1, line.strip()) for number, line in lines]
        )

    def _named(self, found: Sequence[tuple[int, int, str]]) -> list[Entry]:
        """Entries for addresses, named by what of their paths not all have in common."""
        entries = [self._address(*it) for it in found]
        paths = [_path(url) for url, _ in entries]
        common = _common([path[:-1] for path in paths])
        named = []
        for (number, column, _), (url, digests), path in zip(found, entries, paths, strict=True):
            name = "/".join(path[common:])
            self.safe(number, column, name)
            named.append(Entry(number, url, name, digests))
        return named

    def _address(self, number: int, column: int, text: str) -> tuple[str, dict[str, str]]:
        """An address, whole, and the digests behind it."""
        text, mark, fragment = text.partition("#")
        try:
            joined = urljoin(self._base, text) if self._base is not None else text
        except ValueError:
            joined = text
        url = given_address(joined, "https://host/file.csv", Where(self._file, number, column))
        try:
            return url, given_digests(fragment) if mark else {}
        except ValueError as error:
            at = column + len(text) + 1
            self.fail(
                number, at, f"expected a digest such as sha256=HEX behind the #, found {shown(str(error))}"
            )

    def safe(self, line: int, column: int, name: str) -> None:
        """Refuse a name that cannot stand in a tree."""
        from store import UnsafeName, split_path

        try:
            split_path(name)
        except UnsafeName as error:
            hint = "Give it another name: in a table with the columns url and name."
            self.fail(
                line,
                max(column, 1),
                f"expected a name that is safe on every system, found {shown(name)}: {error.why}",
                hint,
            )

    def checked(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries by name, each name once."""
        if not entries:
            self.fail(1, 1, "expected files, found none")
        seen: dict[str, Entry] = {}
        for entry in entries:
            if (other := seen.setdefault(entry.name, entry)) is not entry:
                said = (
                    f"expected each name once, found {shown(entry.name)}, which is in line {other.line} too"
                )
                self.fail(
                    entry.line, 1, said, "Give it another name: in a table with the columns url and name."
                )
        return [seen[name] for name in sorted(seen)]


def _path(url: str) -> list[str]:
    """Host and folders of an address, and the name of its file."""
    parts = urlsplit(url)
    path = [unquote(part) for part in parts.path.split("/") if part]
    if parts.query or not path:
        path[-1:] = [file_name(url, url, {})]
    return [(parts.hostname or "").lower(), *path]


def _columns(row: Sequence[str], line: str) -> list[int]:
    """Where each cell of a row begins in its line, from 1; where cells are in quotes, where the same text is first."""
    if '"' in line:
        return [line.find(cell) + 1 or 1 for cell in row]
    starts, at = [], 1
    for cell in row:
        starts.append(at + len(cell) - len(cell.lstrip()))
        at += len(cell) + 1
    return starts


def _common(paths: Sequence[list[str]]) -> int:
    """How many names all paths begin with."""
    if not paths:
        return 0
    low, high = min(paths), max(paths)  # what these two have in common, all between them have
    same = [one == two for one, two in zip(low, high, strict=False)]
    return same.index(False) if False in same else len(same)
