"""The header of an ARFF file: its attributes, and what a value of each must look like.

The format is Weka's: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from mldata.formats.valued import Value

__all__ = ["Attribute", "Fault", "Token", "parse_attribute", "tokens"]

_TOKEN = re.compile(
    r"""\s*+(?:'(?P<single>(?:[^'\\]++|\\.)*+)'|"(?P<double>(?:[^"\\]++|\\.)*+)"|(?P<mark>[{},])|(?P<word>[^\s'"{},%]++))"""
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"', "%": "%"}
_WHOLE = re.compile(r"[-+]?[0-9]++")
_REAL = re.compile(
    r"[-+]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?|[-+]?(?:nan|inf|infinity)", re.IGNORECASE
)
_LETTERS = {
    "yyyy": ("year", r"([0-9]{4})"), "MM": ("month", r"([0-9]{2})"), "dd": ("day", r"([0-9]{2})"),
    "HH": ("hour", r"([0-9]{2})"), "mm": ("minute", r"([0-9]{2})"), "ss": ("second", r"([0-9]{2})"),
    "SSS": ("microsecond", r"([0-9]{3})"),
}  # fmt: skip
_PATTERN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")
DATE = "yyyy-MM-dd'T'HH:mm:ss"
"""How dates are written where the header does not say."""


class Fault(Exception):
    """What is wrong with a line, and the column (from 0) where."""

    def __init__(self, reason: str, at: int, hint: str | None = None) -> None:
        super().__init__(reason, at)
        self.reason, self.at, self.hint = reason, at, hint


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted text or a mark of a line."""

    text: str
    start: int
    end: int
    quoted: bool = False
    mark: bool = False


@dataclass(frozen=True)
class Attribute:
    """One attribute: a column."""

    name: str
    kind: str
    """``numeric``, ``real``, ``integer``, ``string``, ``date`` or ``nominal``."""
    value: Callable[[str], Value]
    """The value that a text means. Raises ``ValueError`` with what was expected."""
    zero: Value = None
    """What a sparse row means that leaves it out; None where that has no meaning."""


def tokens(line: str, at: int = 0) -> list[Token]:
    """The tokens of a line up to its comment. Raises :class:`Fault`."""
    found: list[Token] = []
    while match := _TOKEN.match(line, at):
        start, at = match.start(match.lastgroup or 0), match.end()
        quoted = match.lastgroup in ("single", "double")
        text = unescape(match[match.lastgroup or 0], start) if quoted else match[match.lastgroup or 0]
        found.append(Token(text, start - quoted, at, quoted, match.lastgroup == "mark"))
    rest = line[at:].lstrip()
    if rest and not rest.startswith("%"):
        raise Fault("this quote is never closed", len(line) - len(rest))
    return found


def unescape(text: str, at: int) -> str:
    """Quoted text without its escapes. Raises :class:`Fault`."""
    if "\\" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        if len(match[1]) == 5 and not 0xD800 <= (code := int(match[1][1:], 16)) < 0xE000:
            return chr(code)
        if match[1] not in _ESCAPED:
            raise Fault(
                f"expected an escape such as \\n, \\' or \\\\, found {match[0]}",
                at + match.start(),
                "write \\\\ for a backslash",
            )
        return _ESCAPED[match[1]]

    return _ESCAPE.sub(one, text)


def parse_attribute(line: str, at: int) -> Attribute:
    """The attribute that a line declares behind ``@attribute``. Raises :class:`Fault`."""
    found = tokens(line, at)
    if len(found) < 2 or found[0].mark:
        raise Fault(
            "expected a name and a type",
            found[0].start if found else at,
            "for example: @attribute 'body mass' numeric",
        )
    name, kind, rest = found[0].text, found[1], found[2:]
    if kind.mark and kind.text == "{":
        return _nominal(name, rest, kind)
    word = "" if kind.quoted else kind.text.lower()
    if word == "date":
        return Attribute(name, "date", _date(rest[0] if rest else None))
    makers: dict[str, tuple[Callable[[str], Value], Value]] = {
        "numeric": (_number, 0), "real": (_real, 0.0), "integer": (_integer, 0), "string": (str, None),
    }  # fmt: skip
    if word not in makers:
        hint = (
            "flatten the table: relational attributes hold tables in cells" if word == "relational" else None
        )
        raise Fault(
            f"expected numeric, real, integer, string, date or {{values}}; found {kind.text!r}",
            kind.start,
            hint,
        )
    if rest:
        raise Fault(f"expected the end of the line behind the type, found {rest[0].text!r}", rest[0].start)
    make, zero = makers[word]
    return Attribute(name, word, make, zero)


def _nominal(name: str, rest: list[Token], opening: Token) -> Attribute:
    values, marks = [token for token in rest[:-1] if not token.mark], [t.text for t in rest if t.mark]
    commas = [token.text == "," for token in rest[:-1]]
    if not rest or rest[-1].text != "}" or commas != [i % 2 == 1 for i in range(len(commas))] or "{" in marks:
        raise Fault(
            "expected values in braces with commas between them",
            opening.start,
            "for example: {cat, 'guinea pig'}",
        )
    known = {token.text for token in values}
    first = values[0].text if values else None

    def value(text: str) -> str:
        if text not in known:
            some = ", ".join(sorted(known)[:5]) + (", ..." if len(known) > 5 else "")
            raise ValueError(f"one of {some}")
        return text

    return Attribute(name, "nominal", value, first)


def _number(text: str) -> Value:
    return int(text) if len(text) < 20 and _WHOLE.fullmatch(text) else _real(text)


def _real(text: str) -> float:
    if not _REAL.fullmatch(text):
        raise ValueError("a number")
    return float(text)


def _integer(text: str) -> int:
    value = _number(text)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int):
        raise ValueError("a whole number, as the attribute is declared")
    return value


def _date(pattern: Token | None) -> Callable[[str], Value]:
    """A reader of dates written as a pattern of Java's SimpleDateFormat says."""
    text, regex, names = pattern.text if pattern else DATE, "", list[str]()
    for part in _PATTERN.finditer(text):
        if part[2]:
            if part[0] not in _LETTERS:
                raise Fault(
                    f"expected a date of yyyy, MM, dd, HH, mm, ss and SSS, found {part[0]!r} in {text!r}",
                    pattern.start if pattern else 0,
                    "declare the attribute as string, and convert it in a transform",
                )
            name, digits = _LETTERS[part[0]]
            names.append(name)
            regex += digits
        else:
            regex += re.escape(part[0] if part[1] is None else part[1] or "'")
    form = re.compile(regex)
    timed = bool(set(names) & {"hour", "minute", "second", "microsecond"})

    def value(given: str) -> Value:
        match = form.fullmatch(given)
        if match is None:
            raise ValueError(f"a date written as {text}")
        found = dict(zip(names, map(int, match.groups()), strict=True))
        found["microsecond"] = found.get("microsecond", 0) * 1000
        try:
            moment = dt.datetime(**{"year": 1970, "month": 1, "day": 1, **found})  # type: ignore[arg-type]
        except ValueError:
            raise ValueError(f"a date written as {text}") from None
        return moment if timed else moment.date()

    return value
