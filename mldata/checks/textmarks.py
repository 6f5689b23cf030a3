"""What is odd about a text: marks of damage that an encoding leaves, blanks, and numbers or dates among words.

Mojibake is UTF-8 that was read as Windows-1252 or Latin-1: each byte above 0x7F became a character of its own. It is known by characters that stand for a
leading byte and for the continuation bytes that have to follow (RFC 3629, section 3; the WHATWG Encoding Standard for windows-1252), where no language
writes them so: ``Ã©`` for é, ``â€™`` for a typographic apostrophe, ``Ð¿Ñ€Ð¸`` for Russian. Capital letters with a closing quote or an ellipsis
(``IRMÃ”``, German ``ß“``, French ``é »`` with a no-break space) are left alone unless what is around them shows that they are none.

Invariant: whether a value has a mark depends on the value alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mldata.arrays import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["TEXT_MARKS", "is_text", "text_marks"]

_CP1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
"""What Windows-1252 has at 0x80 to 0x9F."""
_NEXT = f"[\\x{{80}}-\\x{{bf}}{_CP1252}]"
"""A continuation byte, 0x80 to 0xBF, as either encoding reads it."""
_CLOSING = "[…”“’‘–—›»\\x{a0}]"
"""Continuations that also end a word or follow it."""
_INNER = f"[\\x{{80}}-\\x{{9f}}\\x{{a1}}-\\x{{ba}}\\x{{bc}}-\\x{{bf}}{''.join(it for it in _CP1252 if it not in '…”“’‘–—›')}]"
_MOJIBAKE = "|".join(
    (
        f"Ã{_INNER}",
        f"(?:^|[ a-z])Ã{_CLOSING}",
        f"Ã{_CLOSING}[A-Za-z]",
        "Â[\\x{a1}-\\x{ba}\\x{bc}-\\x{bf}]",
        "(?:^|[ 0-9a-z])Â[\\x{a0}»]",
        f"â€{_NEXT}|â(?:‚|\\x{{82}})¬|â(?:„|\\x{{84}})¢|â\\x{{80}}[\\x{{80}}-\\x{{bf}}]",
        f"ð[Ÿ\\x{{9f}}]{_NEXT}",
        f"[a-z][\\x{{c2}}-\\x{{d6}}\\x{{d8}}-\\x{{de}}]{_NEXT}[a-z]",
        f"(?:[\\x{{c2}}-\\x{{df}}]{_NEXT}){{3}}",
        f"(?:[\\x{{e0}}-\\x{{ef}}]{_NEXT}{_NEXT}){{2}}",
    )
)
_NUMBER = r"\A[ \t]*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?[ \t]*\z"
_DATE = (
    r"\A[ \t]*(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4})"
    r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?(?:Z| ?[-+][0-9]{2}:?[0-9]{2})?[ \t]*\z"
)
_PATTERNS = {
    "mojibake": _MOJIBAKE,
    "replacement": "\\x{fffd}",
    "nul": "\\x00",
    "control": r"[\x01-\x08\x0b\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}]",
    "byte-order-mark": "\\x{feff}",
    "html-entity": r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});",
}
TEXT_MARKS = (*_PATTERNS, "spaces", "number", "word", "date", "undated")
"""``spaces``: before or after the text. ``word``: neither blank nor a number; ``undated``: neither blank nor a date."""
_FIRST = np.zeros(256, np.bool_)
_FIRST[[*b"0123456789+-. \t"]] = True
"""What a number or a date can begin with."""


def is_text(kind: pa.DataType) -> bool:
    """Whether a column has texts, maybe in a dictionary."""
    if pt.is_dictionary(kind):
        kind = kind.value_type
    return bool(pt.is_string(kind) or pt.is_large_string(kind))


def text_marks(column: pa.Array) -> Iterator[tuple[str, Mask]]:
    """Of each of :data:`TEXT_MARKS`, in this order, the values that have it. Null has none."""
    if not pt.is_dictionary(column.type):
        yield from _marks(column)
        return
    places = filled(column.indices, len(column.dictionary))
    for name, mask in _marks(column.dictionary):
        yield name, np.append(mask, False)[places]


def _marks(column: pa.Array) -> Iterator[tuple[str, Mask]]:
    text = column.cast(pa.large_string())
    none = np.zeros(len(text), np.bool_)
    data, starts = _bytes(text)
    high, low = bool((data >= 0x80).any()), bool(((data < 0x20) | (data == 0x7F)).any())
    amp = bool((data == ord("&")).any())
    wanted = {"nul": low, "control": low or high, "html-entity": amp}
    for name, pattern in _PATTERNS.items():
        yield name, _matching(text, pattern) if wanted.get(name, high) else none
    trimmed = pc.utf8_trim_whitespace(text)
    filled_in = _mask(pc.not_equal(trimmed, ""))
    yield "spaces", _mask(pc.not_equal(trimmed, text)) & filled_in
    for name, other, pattern in (("number", "word", _NUMBER), ("date", "undated", _DATE)):
        found = _beginning(text, data, starts, pattern)
        yield name, found
        yield other, filled_in & ~found


def _beginning(text: pa.Array, data: NDArray[np.uint8], starts: NDArray[np.int64], pattern: str) -> Mask:
    """Values that match, looked for only among those whose first byte allows it."""
    found = np.zeros(len(text), np.bool_)
    at = np.flatnonzero(starts[:-1] < starts[1:])
    at = at[_FIRST[data[starts[at]]]]
    if len(at):
        found[at] = _matching(text.take(pa.array(at)), pattern)
    return found


def _bytes(text: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of a ``large_string`` array, and where in them each value starts; at the end where the last one ends."""
    _, offsets, data = text.buffers()
    if offsets is None or not len(text):
        return np.empty(0, np.uint8), np.zeros(len(text) + 1, np.int64)
    starts = np.frombuffer(offsets, np.int64, len(text) + 1, text.offset * 8)
    if data is None:
        return np.empty(0, np.uint8), np.zeros(len(text) + 1, np.int64)
    return np.frombuffer(data, np.uint8, int(starts[-1] - starts[0]), int(starts[0])), starts - starts[0]


def _matching(text: pa.Array, pattern: str) -> Mask:
    return _mask(pc.match_substring_regex(text, pattern))


def _mask(found: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(found, False))
