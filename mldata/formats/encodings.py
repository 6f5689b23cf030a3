"""Encodings of text files: which one a file has, and the same text in UTF-8.

Certain: a byte order mark; UTF-16 without one, whose ASCII characters have a NUL each; text that is valid UTF-8. A file
whose text is UTF-8 but for a few bytes is damaged, not in another encoding. What is left is one byte a character or an
Asian encoding, which no program can tell apart with certainty. It is taken for Windows-1252 (which has all that ISO 8859-1
can print) where that gives words as Western European languages have them, and the caller says so; anything else is
refused with a guess, for the user to decide.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

BOM = codecs.BOM_UTF8
EVIDENCE_BYTES = 64 << 10
"""How much text around bytes that are not ASCII is gathered for a guess."""
CHUNK = 1 << 20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""Well-formed sequences of two bytes and more (The Unicode Standard, table 3-7)."""
_HIGH = re.compile(rb"[\x80-\xff]")
_LINE = re.compile(rb"(?<![^\r\n])[^\r\n\x80-\xff]*+[\x80-\xff][^\r\n]*")
"""A line that is not ASCII; tried at the start of a line only, else the time is quadratic in its length."""
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_IN_WORD = re.compile(r"[^\W\d_][¡-©«-±´-¸»-¿][a-zß-ÿ]")


class UnknownEncoding(Exception):
    """The file's text is in no encoding that can be told."""

    def __init__(
        self, reason: str, offset: int | None = None, guess: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        """Of the byte that is wrong, if one is."""
        self.damaged = False
        """It is UTF-8 but for a few bytes."""
        self.line = line
        """Its line, from 1, where bytes are not to be counted (UTF-16)."""
        self.guess = guess
        """The name of an encoding that it may be in."""


class Encoding(NamedTuple):
    """How the text of a file is written."""

    name: str
    """As Python calls it: ``utf-8``, ``utf-16-le``, ``cp1252``..."""
    mark: int = 0
    """Bytes of the byte order mark."""
    sure: bool = True
    """Not merely likely."""


def known(name: str) -> str | None:
    """Python's name for an encoding of text, or None if it has none by that name."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return found.name if getattr(found, "_is_text_encoding", True) else None


def marked(head: bytes) -> Encoding | None:
    """The encoding that a byte order mark at the start of a file names."""
    # UTF-32's little-endian mark begins with UTF-16's.
    return next((Encoding(name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), None)


def look(head: bytes, whole: bool) -> Encoding | None:
    """The encoding, as far as the first bytes of a file tell for sure; None if they are not UTF-8.

    Args:
        head: the file from its beginning.
        whole: whether that is all of it.
    """
    if (found := marked(head)) is not None:
        return found
    if (wide := _without_mark(head)) is not None:
        return Encoding(wide)
    return Encoding("utf-8") if _is_utf8(head, whole) else None


def guess(file: BinaryIO) -> Encoding:
    """The encoding of a file that is not UTF-8 and has no mark. Reads all of it.

    Raises:
        UnknownEncoding: it is damaged UTF-8, or nothing that can be told.
    """
    good = bad = 0
    first: int | None = None
    lines = bytearray()
    for offset, chunk in _chunks(file):
        rest = _UTF8.sub(b"", chunk)
        good += (len(chunk) - len(rest)) // 2
        found = _HIGH.findall(rest)
        bad += len(found)
        if found and first is None:
            first = offset + _first_bad(chunk)
        if len(lines) < EVIDENCE_BYTES:
            for line in _LINE.findall(chunk):
                lines += line[:EVIDENCE_BYTES] + b"\n"
    assert first is not None
    if 2 * good >= bad:  # by chance, one-byte text hardly ever makes a character of UTF-8
        unknown = UnknownEncoding("the text is UTF-8 but for this byte", first)
        unknown.damaged = True
        raise unknown
    if _is_western(bytes(lines)):
        return Encoding("cp1252", sure=False)
    raise UnknownEncoding("expected UTF-8, found a byte that is none", first, _likely(bytes(lines)))


def recoded(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """The rest of ``file``, from where it stands, in UTF-8, in pieces.

    Raises:
        UnknownEncoding: with the line that has bytes for which ``encoding`` has no character.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line, offset = 1, file.tell()
    while True:
        chunk = file.read(CHUNK)
        held = decoder.getstate()[0]
        try:
            data = decoder.decode(chunk, not chunk).encode()
        except UnicodeError as bad:
            # Not bad.start: some decoders count from elsewhere, and UTF-8 has no half characters that others let through.
            sound = (held + chunk).decode(encoding, errors="replace").partition("\ufffd")[0]
            at = offset - len(held) + (bad.start if isinstance(bad, UnicodeDecodeError) else 0)
            found = f"expected {encoding}, found bytes that are none ({getattr(bad, 'reason', bad)})"
            raise UnknownEncoding(found, at, line=line + _line_ends(sound.encode(errors="replace"))) from None
        if data:
            line += _line_ends(data)
            yield data
        if not chunk:
            return
        offset += len(chunk)


def _line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _is_utf8(head: bytes, whole: bool) -> bool:
    if head.isascii():
        return True
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head, whole)
    except UnicodeDecodeError:
        return False
    return True


def _without_mark(head: bytes) -> str | None:
    """UTF-16 by its NUL bytes: text of any language has enough spaces, digits and line ends."""
    if len(head) < 4 or b"\0" not in head[:CHUNK]:
        return None
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    half = min(len(head), 4096) // 2
    if odd > half // 5 and even * 20 < odd:
        return "utf-16-le"
    return "utf-16-be" if even > half // 5 and odd * 20 < even else None


def _chunks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of the whole file, cut where a line ends if there is one near, so as not to cut a character."""
    file.seek(0)
    offset, held = 0, b""
    while chunk := file.read(CHUNK):
        data = held + chunk
        cut = data.rfind(b"\n") + 1 or len(data)
        yield offset, data[:cut]
        offset, held = offset + cut, data[cut:]
    if held:
        yield offset, held


def _first_bad(chunk: bytes) -> int:
    try:
        chunk.decode()
    except UnicodeDecodeError as bad:
        return bad.start
    return 0


def _is_western(lines: bytes) -> bool:
    """Whether these lines read like a Western European language in Windows-1252: accented letters are the smaller part of
    most words, and no sign stands inside one (as Polish or Turkish text in its own encoding would have it)."""
    try:
        text = lines.decode("cp1252")
    except UnicodeDecodeError:
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    odd = sum(1 for word in words if sum(not c.isascii() for c in word) * 2 > len(word) + 1)
    odd += len(_SIGN_IN_WORD.findall(text))
    return odd * 10 <= len(words)


def _likely(lines: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(lines).best()
    return best.encoding if best is not None and best.encoding not in ("ascii", "utf_8") else None
