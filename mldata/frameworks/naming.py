"""Names in generated code, and names of a dataset in text that people read.

Invariant: identifiers are ASCII, valid, no keywords, and distinct among each other; what goes into a docstring or Markdown can end neither.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

__all__ = ["class_name", "free_name", "hook_names", "in_docstring", "in_markdown"]

_PLAIN = re.compile(r"[\w .,+/%()<>\[\]-]{1,60}")


def class_name(dataset: str) -> str:
    """``spoken-digits`` is ``SpokenDigits``."""
    words = re.findall(r"[A-Za-z0-9]+", dataset)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name and not name[0].isdigit() else f"Data{name}"


def hook_names(columns: Iterable[str]) -> dict[str, str]:
    """The name of the method that decodes each column: ``decode_tags`` for ``tags``; numbered where that is no name or not the only one."""
    made: dict[str, str] = {}
    for number, column in enumerate(columns, 1):
        slug = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")[:40]
        name = f"decode_{slug or 'column'}"
        numbered = not slug or name in made.values()
        made[column] = free_name(f"{name}_{number}" if numbered else name, made.values())
    return made


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, or with the first number that makes it a name that is not taken."""
    used = set(taken)
    names = (wanted if not number else f"{wanted}_{number}" for number in range(len(used) + 2))
    return next(name for name in names if name not in used and not keyword.iskeyword(name))


def in_docstring(name: str, otherwise: str) -> str:
    """A name as it is if it is harmless, else ``otherwise``."""
    return name if _PLAIN.fullmatch(name) and name == name.strip() and name.isascii() else otherwise


def in_markdown(name: str) -> str:
    """A name as code in a line or table cell of Markdown."""
    shown = "".join(it if it.isprintable() else repr(it)[1:-1] for it in name)
    shown = shown if len(shown) <= 80 else f"{shown[:79]}…"
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")
