"""How the values of ``normalize`` that say how text files are written are checked: encoding, delimiter, quote, comment, number marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from mldata.specvalues import Fault, as_text, as_written, did_you_mean, refuse, shown

DELIMITERS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "bar": "|",
    "pipe": "|",
    "space": " ",
    "colon": ":",
}
QUOTES = {"double": '"', "single": "'", "none": ""}
COMMENTS = {"none": ""}
DECIMALS = {"point": ".", "comma": ","}
THOUSANDS = {"none": "", "comma": ",", "point": ".", "space": " ", "apostrophe": "'"}
_NEVER = "\r\n\0"


def _mark(words: Mapping[str, str], allowed: str | None, example: str) -> Callable[[Any], str]:
    """A checker of one character, or the word for it.

    Args:
        words: words by which it may be called.
        allowed: the characters there are; None for every ASCII sign.
    """

    def check(raw: Any) -> str:
        text = as_written(raw)
        if text in words:
            return words[text]
        sound = len(text) == 1 and text.isascii() and not text.isalnum() and text not in _NEVER
        if not sound or (allowed is not None and text not in allowed):
            choices = ", ".join([*words, *(repr(one) for one in allowed or "")])
            more = "" if allowed is not None else ", or one sign"
            refuse(
                Fault(
                    f"expected one of {choices}{more}; found {shown(raw)}",
                    did_you_mean(text, words) or example,
                )
            )
        return text

    return check


def _encoding(raw: Any) -> str:
    """An encoding of text, by Python's name for it."""
    import codecs

    text = as_text(raw)
    try:
        found = codecs.lookup(text)
        if not isinstance("".encode(text), bytes):
            raise LookupError
    except (LookupError, ValueError):
        choices = ("utf-8", "utf-16", "latin-1", "windows-1252", "cp1251", "shift_jis", "gb18030")
        refuse(
            Fault(
                f"expected an encoding such as {', '.join(choices)}; found {shown(raw)}",
                did_you_mean(text, choices),
            )
        )
    return "utf-8" if found.name in ("utf-8-sig", "ascii") else found.name


Encoding = Annotated[str, BeforeValidator(_encoding)]
Delimiter = Annotated[str, BeforeValidator(_mark(DELIMITERS, None, "for example delimiter: ';'"))]
Quote = Annotated[str, BeforeValidator(_mark(QUOTES, "\"'", "for example quote: none"))]
Comment = Annotated[str, BeforeValidator(_mark(COMMENTS, None, "for example comment: '#'"))]
Decimal = Annotated[str, BeforeValidator(_mark(DECIMALS, ".,", "for example decimal: ','"))]
Thousands = Annotated[str, BeforeValidator(_mark(THOUSANDS, ",. '", "for example thousands: '.'"))]
