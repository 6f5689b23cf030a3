"""JSON text of any size by the grammar of RFC 8259, in bounded memory: a window at a time, each value boiled down to a letter.

What is read becomes a *skeleton*: brackets, commas and colons as they are, one letter for a string, one for another scalar. What is closed in it becomes a letter
too, again and again, until only what is still open is left. That must be the beginning of some JSON text; if it is not, the fault is
in the last window, which is gone through token by token.

Several objects one behind the other are one text, as the ``json`` format has it. ``NaN`` and ``Infinity``, which many programs write, are noted and no fault.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NoReturn

from mldata.errors import shown
from mldata.formats.jsonfault import Fault, Walker
from mldata.integrity.jsonstate import ARRAY, END, KINDS, OBJECT, SCALAR, STRING, State

__all__ = ["JsonFault", "Scan", "scan"]

WINDOW = 1 << 20
MOST_STRING = 64 << 20
"""Bytes of one string that are held; a longer one is refused."""
MOST_DEPTH = 500
"""Far more than any reader takes, and each level takes a pass."""

_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_STRINGS = re.compile(_STRING)
_SOUND = re.compile(rb'(?:[^"]++|' + _STRING + rb")*+")
_OPEN_STRING = re.compile(
    rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z'
)
_WORD = rb"[A-Za-z0-9_+.\-]"
_SCALAR = (
    rb"(?<!%s)(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+|true|false|null|-?Infinity|NaN)(?!%s)"
    % (_WORD, _WORD)
)
_SCALARS = re.compile(_SCALAR)
_WORDS = re.compile(rb'[^\xf8"\[\]{},: \t\r\n]++')
_ALL_SCALARS = re.compile(rb"(?:" + _SCALAR + rb"\n)*+")
LONGEST_WORD = 4096
_NO_NUMBER = re.compile(rb"-?Infinity|NaN")
_TAIL = re.compile(_WORD + rb"*+\Z")
_OBJECT = re.compile(rb"\{(?:\xf8:[\xf8-\xfb](?:,\xf8:[\xf8-\xfb])*+)?+\}")
_ARRAY = re.compile(rb"\[(?:[\xf8-\xfb](?:,[\xf8-\xfb])*+)?+\]")
_ROOTS = re.compile(rb"[\xf8-\xfb]*+")
_DONE = (
    (re.compile(rb"\[(?:[\xf8-\xfb],)++"), b"[\xf9,"),
    (re.compile(rb"\{(?:\xf8:[\xf8-\xfb],)++"), b"{\xf8:\xf9,"),
)
"""What is behind the last comma decides; what is before it can be forgotten."""
_BEGINNING = re.compile(
    rb"(?:[\xf8-\xfb]?+\Z|(?:\xfa(?=\{)|(?=[\[{]))"
    rb"(?:\[(?:\xf9,)?+|\{(?:\xf8:\xf9,)?+\xf8:)*+(?:[\xf8-\xfb]|\{(?:\xf8:\xf9,)?+\xf8?+)?+\Z)"
)
_TOKEN = re.compile(
    rb"[ \t\r\n]*+(?:(?P<string>" + _STRING + rb")|(?P<scalar>" + _SCALAR + rb")|(?P<mark>[\[\]{},:])|)"
)
_SPACE = b" \t\r\n"


class JsonFault(Exception):
    """The text is no JSON. ``offset``: of the byte that is wrong, in the file."""

    def __init__(self, code: str, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.code, self.reason, self.offset = code, reason, offset


@dataclass
class Scan:
    """What was seen of a sound text."""

    kinds: set[str] = field(default_factory=set)
    """Of the outermost values, none if there is no value: ``object``, ``array``, ``string``, ``scalar``."""
    no_number: int | None = None
    """Offset of the first ``NaN`` or ``Infinity``."""


def scan(file: BinaryIO, start: int = 0) -> Scan:
    """Go through the text of a file from ``start`` to its end. Raises :class:`JsonFault` for the first fault."""
    seen = Scan()
    file.seek(start)
    utf8 = codecs.getincrementaldecoder("utf-8")("strict")
    open_, held, at, ended = b"", b"", start, False
    while not ended:
        new = file.read(max(WINDOW, len(held)))
        ended = not new
        _check_utf8(utf8, new, at + len(held), ended)
        data = held + new
        marked, end, fault = _marked(data, at, ended)
        text, held = data[:end], data[end:]
        if seen.no_number is None and (b"NaN" in text or b"Infinity" in text):
            found = _NO_NUMBER.search(_STRINGS.sub(lambda one: b"s" * len(one[0]), text))
            seen.no_number = at + found.start() if found else None
        before = open_
        open_ = _forget(_boiled(before + _bones(marked), at), seen)
        if not _BEGINNING.match(open_):
            _explain(before, text, at)
        if fault is not None:  # a quote that is missing before it makes a string of what is none
            raise fault
        if open_.count(b"[") + open_.count(b"{") > MOST_DEPTH:
            raise _too_deep(at)
        at += end
    if open_.strip(b"".join((STRING, SCALAR, OBJECT, ARRAY))):
        inside = "an array" if open_.rfind(b"[") > open_.rfind(b"{") else "an object"
        raise JsonFault(
            "truncated", f"expected the end of {inside}, found the end of the file (is it truncated?)", at
        )
    return seen


def _check_utf8(decoder: codecs.IncrementalDecoder, new: bytes, at: int, ended: bool) -> None:
    kept = len(decoder.getstate()[0])
    try:
        decoder.decode(new, ended)
    except UnicodeDecodeError as bad:
        place = at - kept + bad.start
        byte = bad.object[bad.start]
        raise JsonFault("undecodable", f"expected UTF-8, found the byte 0x{byte:02x}", place) from None


def _marked(data: bytes, at: int, ended: bool) -> tuple[bytes, int, JsonFault | None]:
    """Whole tokens with a letter for each string, where in ``data`` they end, and what is wrong with the string that follows, if it is none."""
    marked = _STRINGS.sub(STRING, data)
    quote = marked.find(b'"')
    if quote < 0:
        tail = 0
        if not ended:
            word = _TAIL.search(marked, max(0, len(marked) - LONGEST_WORD))
            tail = len(word[0]) if word is not None and len(word[0]) < LONGEST_WORD else 0
        return marked[: len(marked) - tail], len(data) - tail, None
    rest = marked[quote:]
    if STRING not in rest and _OPEN_STRING.match(rest):
        end = len(data) - len(rest)
        fault = None
        if ended:
            fault = JsonFault("truncated", "this string is never closed (is the file truncated?)", at + end)
        elif len(rest) > MOST_STRING:
            said = f"expected strings of up to {MOST_STRING >> 20} MiB, found a longer one"
            fault = JsonFault("too-large", said, at + end)
        return marked[:quote], end, fault
    sound = _SOUND.match(data)
    assert sound is not None
    return marked[:quote], sound.end(), _bad_string(data, sound.end(), at)


def _bad_string(data: bytes, start: int, at: int) -> JsonFault:
    text = data[start : start + WINDOW].decode("utf-8", "replace")
    try:
        Walker(text).value(0)
    except Fault as fault:
        offset = start + len(text[: fault.at].encode())
        if data[offset : offset + 16] == bytes(16):
            return JsonFault(
                "zero-filled", "expected text, found 16 zero bytes or more in a row", at + offset
            )
        return JsonFault("bad-string", fault.reason, at + offset)
    return JsonFault("bad-string", "this string is none of JSON", at + start)


def _bones(marked: bytes) -> bytes:
    """The skeleton of whole tokens. What is no token stays as it is, and no skeleton has it."""
    words = _WORDS.findall(marked)
    # Nearly always all are scalars: to know that at once is five times as quick as to find them one by one.
    sound = _ALL_SCALARS.fullmatch(b"\n".join(words) + b"\n") if words else None
    bones = _WORDS.sub(SCALAR, marked) if sound else _SCALARS.sub(SCALAR, marked)
    return bones.translate(None, _SPACE)


def _boiled(bones: bytes, at: int) -> bytes:
    """A skeleton in which nothing is closed any more."""
    for _ in range(MOST_DEPTH):
        less = _ARRAY.sub(ARRAY, _OBJECT.sub(OBJECT, bones))
        if len(less) == len(bones):
            return less
        bones = less
    raise _too_deep(at)


def _too_deep(at: int) -> JsonFault:
    reason = f"expected objects and arrays nested up to {MOST_DEPTH} deep, found more"
    return JsonFault("too-deep", reason, at)


def _forget(bones: bytes, seen: Scan) -> bytes:
    """A skeleton of what is open and of what was last in it."""
    roots = _ROOTS.match(bones)
    assert roots is not None
    if roots.end():
        seen.kinds |= {KINDS[byte] for byte in set(roots[0])}
        bones = OBJECT + bones[roots.end() :] if seen.kinds == {"object"} else bones
    for before, after in _DONE:
        bones = before.sub(after, bones)
    return bones


def _explain(before: bytes, text: bytes, at: int) -> NoReturn:
    """Raise for the first token of ``text`` that cannot be, behind a skeleton that could."""
    state = State()
    for byte in before:
        state.take(byte)
    start, wanted = len(text), state.wanted
    for kind, place in _tokens(text):
        if (refused := state.take(kind)) is not None:
            start, wanted = place, refused
            break
    found = _shown(text, start)
    if found == "','" and wanted.startswith("the end of the file"):
        wanted = END
    code = "trailing-data" if wanted.startswith("the end of the file") else "bad-json"
    if text[start : start + 16] == bytes(16):
        code, found = "zero-filled", "16 zero bytes or more in a row"
    raise JsonFault(code, f"expected {wanted}, found {found}", at + start)


def _tokens(text: bytes) -> Iterator[tuple[int, int]]:
    """Letter and beginning of each token; 0 for what is none."""
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        assert token is not None
        place = token.end()
        if token.lastgroup == "string":
            yield STRING[0], token.start("string")
        elif token.lastgroup == "scalar":
            yield SCALAR[0], token.start("scalar")
        elif token.lastgroup == "mark":
            yield token["mark"][0], place - 1
        elif place < len(text):
            yield 0, place
            place += 1


def _shown(text: bytes, at: int) -> str:
    """What is at a place, for a message."""
    if at >= len(text):
        return "the end of the file"
    word = re.compile(_WORD + rb"++").match(text, at)
    if word is not None:
        return shown(word[0].decode("utf-8", "replace"))
    if text[at : at + 1] == b'"':
        return "a string"
    return repr(text[at : at + 4].decode("utf-8", "replace")[:1])
