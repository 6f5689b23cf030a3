"""Standard output as it may be: in an encoding without some of the signs, or a pipe that nobody reads any more."""

from __future__ import annotations

import os
import sys

__all__ = ["encodable_text", "stop_printing", "takes_unicode"]


def takes_unicode() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "utf-8").lower() in ("utf-8", "utf8")


def encodable_text(text: str) -> str:
    """Text as standard output takes it: a sign such as a check mark is no reason to say nothing at all."""
    if takes_unicode():
        return text
    from mldata.cells import encodable

    return encodable(text, sys.stdout.encoding)


def stop_printing() -> None:
    """The reader of a pipe has what it wanted (``mldata log | head``); Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
