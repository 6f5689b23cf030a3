"""JSON Lines: a JSON value on every line, by the grammar of RFC 8259 and in UTF-8. Blank lines are fine.

Where a part of the file is not known to be sound at once (:mod:`mldata.formats.jsonfast`), its lines are looked at one by one, so that each bad one is told. Values of different kinds, or of another than objects, are a warning: no table is made of them. So is a
file that is JSON and not line by line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mldata.formats.jsoncut import Form, JsonPiece
from mldata.formats.jsonfast import fast_table
from mldata.formats.jsonfault import Fault, Walker
from mldata.formats.jsonrecords import STRICT
from mldata.formats.jsonshape import BOM
from mldata.formats.pieces import BadRecord, Cutter
from mldata.integrity.base import ERROR, WARNING, Found, Problem
from mldata.integrity.content import Content
from mldata.integrity.json import DECODER, scanned
from mldata.integrity.jsontext import code_of, is_json, is_shallow, oddity
from mldata.integrity.kinds import page_of
from mldata.integrity.members import Broken
from mldata.integrity.textual import NUL_RUN, wide
from mldata.integrity.unpacked import first, unpacked

__all__ = ["JsonLines"]

PIECE = 4 << 20
TOLD = 10
"""Bad lines that are told one by one; of warnings, as many again."""
MOST_LINE = 64 << 20
_KINDS = {"{": "an object", "[": "an array", '"': "a string"}
_HALF = b"\\u"
_CUT = re.compile(r"(?:\\u?[0-9a-fA-F]{0,3}|[\w+.\-]*)\s*\Z")
"""A token that more could follow: an escape, a word, or none."""


class JsonLines:
    """Checks JSON Lines."""

    def check(self, content: Content) -> Found:
        """See :class:`~mldata.integrity.base.Checker`."""
        page = page_of(first(content))
        if page is not None and page not in ("JSON", "text"):
            return Found(DECODER, [Problem("wrong-content", f"expected JSON Lines, found {page}", offset=0)])
        try:
            with unpacked(content) as inside:
                lines = _Lines(inside.content)
                lines.all()
                return inside.found(DECODER, lines.problems, {"rows": lines.rows})
        except Broken as broken:
            return Found(DECODER, [broken.problem])


@dataclass
class _Lines:
    """What is found in one file."""

    content: Content
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    line: int = 0
    """The number of the present one, from 1."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Where each kind of value was first."""
    counts: dict[str, int] = field(default_factory=lambda: {ERROR: 0, WARNING: 0})

    def all(self) -> None:
        """Look at every line."""
        if (encoding := wide(first(self.content))) is not None:
            self.problems.append(Problem("other-encoding", f"expected UTF-8, found {encoding}"))
            return
        self._pieces(len(BOM) if first(self.content).startswith(BOM) else 0)
        if self.counts[ERROR] and self._is_document():
            said = "expected a JSON value on each line, found JSON that is cut into lines in another way"
            self.problems = [Problem("other-type", said, WARNING, line=self.problems[0].line)]
            return
        for severity, count in self.counts.items():
            if count > TOLD:
                self.problems.append(Problem("more", f"{count - TOLD:,} more lines like these", severity))
        self._look_at_kinds()

    def _pieces(self, at: int) -> None:
        cutter = Cutter(
            self.content.file, at, self.content.size, delimiter=None, end_of_line=b"\n", target=PIECE
        )
        try:
            for piece in cutter:
                data = piece.data.to_pybytes()
                if not self._fast(data):
                    self._lines(data, piece.start)
        except BadRecord as bad:
            self._tell(Problem("too-large", bad.reason, offset=bad.offset))

    def _fast(self, data: bytes) -> bool:
        """Whether Arrow, where it is known to be exact, finds nothing but sound objects in these lines."""
        found = fast_table(JsonPiece(0, 0, data, Form.LINES, 0))
        if found is None:
            return False
        if found[1]:
            self.kinds.setdefault(_KINDS["{"], self.line + 1)
        self.rows += found[1]
        self.line += data.count(b"\n")
        return True

    def _lines(self, data: bytes, start: int) -> None:
        at = 0
        while at < len(data):
            end = data.find(b"\n", at)
            self.line += 1
            whole = end >= 0
            end = end if whole else len(data)
            if line := data[at:end].rstrip(b" \t\r"):
                self._one(line, start + at, whole)
            at = end + 1

    def _one(self, line: bytes, start: int, whole: bool) -> None:
        try:
            text = line.decode()
        except UnicodeDecodeError as bad:
            said = f"expected UTF-8, found the byte 0x{line[bad.start]:02x}"
            cut = not whole and bad.reason == "unexpected end of data"
            said += ", the first of a character (is the file truncated?)" if cut else ""
            self._at(Problem("truncated" if cut else "undecodable", said), start, bad.start)
            return
        lead = text.lstrip(" \t\r")
        if len(line) > MOST_LINE:
            self._at(
                Problem(
                    "too-large", f"expected lines of up to {MOST_LINE >> 20} MiB, found {len(line):,} bytes"
                ),
                start,
                0,
            )
            return
        if (_HALF in line or not _is_plain(lead)) and not self._is_sound(text, line, start, whole):
            return
        if lead:
            self.rows += 1
            self.kinds.setdefault(_KINDS.get(lead[0], "a number, a boolean or null"), self.line)

    def _is_sound(self, text: str, line: bytes, start: int, whole: bool) -> bool:
        """Look closer at a line that is broken, or off, or has escapes."""
        if not is_json(text):
            self._broken(text, line, start, whole)
            return False
        if (found := oddity(text)) is not None:
            self._at(Problem(found.code, found.reason, WARNING), start, len(text[: found.at or 0].encode()))
        return True

    def _broken(self, text: str, line: bytes, start: int, whole: bool) -> None:
        at = len(text) - len(text.lstrip(" \t\r"))
        if (zeros := line.find(bytes(NUL_RUN))) >= 0:
            self._at(
                Problem("zero-filled", f"expected text, found {NUL_RUN} zero bytes or more in a row"),
                start,
                zeros,
            )
            return
        try:
            end = Walker(text).value(at)
            fault = Fault("expected the end of the line behind its value, found more", end)
        except Fault as found:
            fault = found
        code, reason = code_of(fault.reason), fault.reason
        code = code if code == "too-deep" else "bad-json"
        ended = "never closed" in reason or _CUT.match(text, fault.at)
        if ended and not whole:
            code, reason = "truncated", f"{reason} (is the file truncated?)"
        self._at(Problem(code, reason), start, len(text[: fault.at].encode()))

    def _at(self, problem: Problem, start: int, at: int) -> None:
        """Tell a problem of the present line."""
        where = (problem.severity, start + at, self.line, at + 1)
        self._tell(Problem(problem.code, problem.message, *where))

    def _tell(self, problem: Problem) -> None:
        self.counts[problem.severity] += 1
        if self.counts[problem.severity] <= TOLD:
            self.problems.append(problem)

    def _is_document(self) -> bool:
        """Whether the file is JSON, though not line by line."""
        if self.problems[0].line not in (1, 2) or self.problems[0].code != "bad-json":
            return False
        problems, _ = scanned(self.content)
        return not any(problem.severity == ERROR for problem in problems)

    def _look_at_kinds(self) -> None:
        if not self.rows and not self.problems:
            self.problems.append(
                Problem("no-rows", "expected a JSON value on each line, found none", WARNING)
            )
        if len(self.kinds) > 1:
            (one, _), (other, line) = list(self.kinds.items())[:2]
            said = f"expected values of one kind, found {other} after {one}"
            self.problems.append(Problem("mixed-kinds", said, WARNING, line=line))
        elif self.kinds and "an object" not in self.kinds:
            (kind, line), *_ = self.kinds.items()
            self.problems.append(
                Problem("no-objects", f"expected an object on each line, found {kind}", WARNING, line=line)
            )


def _is_plain(text: str) -> bool:
    try:
        STRICT.decode(text)
    except (ValueError, RecursionError):
        return not text
    return is_shallow(text)
