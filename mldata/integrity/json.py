"""JSON: one value, or objects one behind the other, by the grammar of RFC 8259 and in UTF-8, in bounded memory (:mod:`mldata.integrity.jsonscan`).

Where the records of a table are in it does not matter here: an annotation or a configuration is as sound as a table.
"""

from __future__ import annotations

from mldata.formats.jsonshape import BOM
from mldata.formats.pieces import line_of
from mldata.integrity.base import WARNING, Found, Problem
from mldata.integrity.content import Content
from mldata.integrity.jsonscan import JsonFault, scan
from mldata.integrity.jsontext import oddity
from mldata.integrity.kinds import page_of
from mldata.integrity.members import Broken
from mldata.integrity.textual import wide
from mldata.integrity.unpacked import first, source_of, unpacked

__all__ = ["DECODER", "Json", "placed", "scanned"]

DECODER = "mldata"
MOST_LOADED = 16 << 20
"""Bytes of a text that is held whole, to look for what the grammar allows and no table can hold."""


class Json:
    """Checks JSON."""

    def check(self, content: Content) -> Found:
        """See :class:`~mldata.integrity.base.Checker`."""
        page = page_of(first(content))
        if page is not None and page not in ("JSON", "text"):
            return Found(DECODER, [Problem("wrong-content", f"expected JSON, found {page}", offset=0)])
        try:
            with unpacked(content) as inside:
                problems, facts = scanned(inside.content)
                return inside.found(DECODER, problems, facts)
        except Broken as broken:
            return Found(DECODER, [broken.problem])


def scanned(content: Content) -> tuple[list[Problem], dict[str, object]]:
    """What is wrong in JSON text, and what is told of it."""
    if (encoding := wide(first(content))) is not None:
        return [Problem("other-encoding", f"expected UTF-8, found {encoding}")], {}
    start = len(BOM) if first(content).startswith(BOM) else 0
    try:
        seen = scan(content.file, start)
    except JsonFault as fault:
        return [placed(Problem(fault.code, fault.reason, offset=fault.offset), content)], {}
    problems = []
    if not seen.kinds:
        problems.append(Problem("empty", "expected a JSON value, found nothing but space"))
    if seen.no_number is not None:
        said = "NaN or Infinity, which is no JSON: other programs will not read it"
        problems.append(placed(Problem("not-a-number", said, WARNING, seen.no_number), content))
    elif seen.kinds and content.size <= MOST_LOADED and (found := _odd(content, start)) is not None:
        problems.append(found)
    return problems, {"values": " and ".join(sorted(seen.kinds))} if seen.kinds else {}


def placed(problem: Problem, content: Content) -> Problem:
    """A problem with the line and column of its offset."""
    line, column = line_of(source_of(content).path, problem.offset or 0)
    return Problem(problem.code, problem.message, problem.severity, problem.offset, line, column)


def _odd(content: Content, start: int) -> Problem | None:
    text = bytes(content.data[start:]).decode()
    found = oddity(text)
    if found is None or found.at is None:
        return Problem(found.code, found.reason, WARNING) if found is not None else None
    offset = start + len(text[: found.at].encode())
    return placed(Problem(found.code, found.reason, WARNING, offset), content)
