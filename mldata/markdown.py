"""Text from data in Markdown (CommonMark, GitHub's tables): it stays text, and on its line, whatever is in it."""

from __future__ import annotations

import re

__all__ = ["code", "escaped", "one_line"]


def escaped(text: str) -> str:
    """Text that stays as it is when Markdown is shown, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>|#~&])", r"\\\1", one_line(text))


def code(text: str) -> str:
    """Text as code, on one line, whatever is in it."""
    text = one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def one_line(text: str) -> str:
    """Text with escapes in place of line ends and all else that is not shown."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
