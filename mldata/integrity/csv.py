"""CSV and TSV, record by record, in the dialect and encoding that the file itself shows (:mod:`mldata.formats.csv`).

A record with another number of fields than the header is an error, and the last one of a file is told as truncated; where there are many such records they
are meant, and are one warning. A line end that is missing at the end, comments, quoted line ends and any delimiter are no problem.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace

import pyarrow as pa

from mldata.errors import DataError, shown
from mldata.formats.base import Options, Recode, SourceFile
from mldata.formats.csv import Csv as CsvFormat
from mldata.formats.csv import Scanned
from mldata.formats.csv import Tsv as TsvFormat
from mldata.formats.csvhead import Header
from mldata.formats.pieces import explain_quotes, places_of
from mldata.formats.recode import recode
from mldata.formats.rejects import Bad
from mldata.integrity.base import WARNING, Found, Problem
from mldata.integrity.content import Content
from mldata.integrity.kinds import page_of
from mldata.integrity.members import Broken
from mldata.integrity.textual import Nuls, looks_binary, refused
from mldata.integrity.unpacked import first, source_of, spooled, unpacked

__all__ = ["Csv", "Tsv"]

PIECE = 4 << 20
TOLD = 10
"""Bad records that are told one by one."""
MANY, SHARE = 10, 0.1
"""So many records of another length, and more than this share of all, are meant."""
_PAGES = ("HTML", "XML", "SVG, which is XML", "a pointer of Git LFS instead of the file")
_SAYINGS: tuple[dict[str, object], ...] = (
    {},
    {"header": True},
    {"comment": "#"},
    {"comment": "", "header": True},
)
"""What the user could say of a file that can be read in two ways."""


class Csv:
    """Checks CSV."""

    format: CsvFormat = CsvFormat()

    def check(self, content: Content) -> Found:
        """See :class:`~mldata.integrity.base.Checker`."""
        decoder = f"pyarrow {pa.__version__}"
        if (page := page_of(first(content))) in _PAGES:
            said = f"expected {self.format.name.upper()}, found {page}"
            return Found(decoder, [Problem("wrong-content", said, offset=0)])
        try:
            with unpacked(content) as inside:
                scan = _Scan(self.format)
                scan.all(inside.content)
                return inside.found(decoder, scan.problems, scan.facts)
        except Broken as broken:
            return Found(decoder, [broken.problem])


class Tsv(Csv):
    """Checks TSV."""

    format = TsvFormat()


@dataclass
class _Scan:
    """What is found in one file."""

    format: CsvFormat
    problems: list[Problem] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def all(self, content: Content) -> None:
        """Look at every record."""
        source, head, unclear = source_of(content), first(content, 64 << 10), None
        for saying in _SAYINGS:
            options = Options(piece=PIECE, on_bad_row="reject", **saying)  # type: ignore[arg-type]  # the keys are its own
            try:
                try:
                    self._records(source, options)
                except Recode as to:
                    self._recoded(source, to, options)
            except DataError as error:
                unclear = unclear or error
                if self.facts:  # not the beginning of the file: no saying helps
                    break
                continue
            if unclear is not None:
                said = f"the file can be read in more than one way: {unclear.message}"
                self.problems.append(refused("unclear-dialect", unclear, WARNING, said))
            return
        assert unclear is not None
        self._refused(unclear, head)

    def _recoded(self, source: SourceFile, to: Recode, options: Options) -> None:
        with spooled(recode(source, to)) as decoded:
            self._records(source_of(decoded), replace(options, encoding="utf-8"))
        self.facts["encoding"] = to.how
        # Offsets are those of the decoded text.
        self.problems = [replace(one, offset=None) for one in self.problems]

    def _records(self, source: SourceFile, options: Options) -> None:
        seen = _Seen()
        header: Header | None = None
        for piece in self.format.scan(source, options):
            header = piece.header
            self.facts |= {key: header.facts[key] for key in ("encoding", "delimiter")}
            seen.take(piece)
        assert header is not None
        self.facts |= {"rows": seen.rows, "columns": len(header.names)}
        if seen.is_ragged:
            said = (
                f"expected {len(header.names):,} fields in every record as in the header, "
                f"found others in {seen.ragged:,} of {seen.rows + seen.ragged + seen.others:,}"
            )
            self.problems.append(Problem("ragged", said, WARNING))
        problems = [_problem(bad, header, seen.truncated) for bad in seen.told()]
        places = places_of(source.path, [problem.offset or 0 for problem in problems])
        for found, (line, column) in zip(problems, places, strict=True):
            self.problems.append(replace(found, line=line, column=column))
        self.problems += seen.nuls.problems(source.path)
        if more := seen.others + (0 if seen.is_ragged else seen.ragged) - len(problems):
            self.problems.append(Problem("more", f"{more:,} more records cannot be read"))
        twice = next((name for name, count in Counter(header.names).items() if count > 1), None)
        if twice is not None:
            said = f"expected a name of its own for each column, found {shown(twice)} more than once"
            self.problems.append(Problem("duplicate-names", said, WARNING, line=1))
        if not seen.rows and not self.problems:
            self.problems.append(Problem("no-rows", "expected rows below the header, found none", WARNING))

    def _refused(self, error: DataError, head: bytes) -> None:
        """The file cannot be read at all, or not to its end."""
        if not head.strip():
            self.problems.append(
                Problem("empty", "expected a header with the column names, found blank lines only")
            )
        elif "found bytes that are none" in error.message:
            self.problems.append(refused("undecodable", error))
        elif looks_binary(head):
            self.problems.append(
                refused("not-text", error, said=f"expected text, found binary data ({error.message})")
            )
        elif "found a byte that is none" in error.message:
            guessed = error.hint is not None and "it could be" in error.hint
            self.problems.append(refused("unknown-encoding", error, WARNING if guessed else "error"))
        else:
            self.problems.append(refused("unreadable", error))


@dataclass
class _Seen:
    """The records of a file, of which the first bad ones are kept."""

    rows: int = 0
    """Sound ones."""
    ragged: int = 0
    others: int = 0
    """Bad ones of another sort."""
    kept: dict[bool, list[Bad]] = field(default_factory=lambda: {True: [], False: []})
    """By whether they are ragged."""
    truncated: Bad | None = None
    """The last record, if it has fewer fields than it should and no line end."""
    nuls: Nuls = field(default_factory=Nuls)

    def take(self, piece: Scanned) -> None:
        """Go over the next piece."""
        self.rows += piece.rows
        for bad in piece.bad:
            ragged = _is_ragged(bad)
            self.ragged += ragged
            self.others += not ragged
            if len(self.kept[ragged]) < TOLD:
                self.kept[ragged].append(bad)
        if piece.data:
            self.nuls.look(memoryview(piece.data), piece.start)
            self.truncated = _truncated(piece)

    @property
    def is_ragged(self) -> bool:
        """Whether records of another length are meant."""
        return self.ragged >= MANY and self.ragged > SHARE * (self.rows + self.ragged + self.others)

    def told(self) -> list[Bad]:
        """Those to tell one by one, in the order of the file."""
        told = list(self.kept[False])
        if not self.is_ragged:
            told = sorted(told + self.kept[True])[:TOLD]
            if self.truncated is not None and self.truncated not in told:
                told.append(self.truncated)
        return told


def _is_ragged(bad: Bad) -> bool:
    return bad.reason.startswith("expected") and "fields, found" in bad.reason


def _truncated(piece: Scanned) -> Bad | None:
    """The last record of a piece, if it has fewer fields than it should and no line end."""
    if not piece.bad or not _is_ragged(bad := piece.bad[-1]):
        return None
    data = bytes(memoryview(piece.data)[max(bad.start - piece.start, 0) :])
    if data.endswith((b"\n", b"\r")) or len(data) != len(bad.record):
        return None
    wanted, found = (int(text) for text in re.findall(r"\d+", bad.reason)[:2])
    return bad if found < wanted else None


def _problem(bad: Bad, header: Header, truncated: Bad | None) -> Problem:
    if bad == truncated:
        return Problem(
            "truncated", f"{bad.reason} in the last record (is the file truncated?)", offset=bad.at
        )
    if _is_ragged(bad):
        return Problem("ragged-row", bad.reason, offset=bad.at)
    try:
        bad.record.decode()
    except UnicodeDecodeError as error:
        if bad.reason.startswith("expected UTF-8"):
            return Problem("undecodable", bad.reason, offset=bad.start + error.start)
    if bad.reason.startswith("its quotes"):
        reason, at = explain_quotes(bad.record, 0, header.dialect.delimiter, header.dialect.quote)
        return Problem("unclosed-quote" if "never" in reason else "bad-quote", reason, offset=bad.start + at)
    return Problem("bad-record", bad.reason, offset=bad.at)
