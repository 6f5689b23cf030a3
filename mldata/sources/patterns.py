"""Patterns over the names that a place elsewhere lists, read as :class:`~mldata.sources.local.LocalSource` reads them on this machine.

``*``, ``?`` and ``[...]`` match within a name, ``**`` any depth. Hidden files and what programs leave behind (:mod:`mldata.litter`) are left
out, and counted, unless the pattern itself names them.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from mldata.litter import litter as _litter

__all__ = ["EVERYTHING", "Taken", "literal_head", "split_pattern", "take"]

EVERYTHING = ("**",)
"""The pattern of a folder."""
_MAGIC = re.compile(r"[*?\[]")


class Taken:
    """What a pattern takes of a list of names."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._left: dict[str, str] = {}

    def leave(self, path: str, kind: str) -> None:
        """Note what is left out; a folder once, whatever is in it."""
        self._left[path] = kind

    @property
    def ignored(self) -> dict[str, int]:
        """What was left out, by kind."""
        return dict(sorted(Counter(self._left.values()).items()))


def split_pattern(path: str) -> tuple[str, tuple[str, ...]]:
    """The folder before the first wildcard, and the segments from there; no segments where there is no wildcard."""
    if not _MAGIC.search(path):
        return path, ()
    segments = path.split("/")
    first = next(i for i, segment in enumerate(segments) if _MAGIC.search(segment))
    return "/".join(segments[:first]), tuple(segments[first:])


def literal_head(pattern: Sequence[str]) -> str:
    """How every name that a pattern matches begins."""
    return _MAGIC.split(pattern[0], maxsplit=1)[0] if pattern else ""


def take(names: Iterable[str], pattern: tuple[str, ...]) -> Taken:
    """The names that a pattern takes, in their order.

    Args:
        names: relative to the folder before the pattern, with ``/``.
    """
    taken, literal = Taken(), "/".join(pattern)
    for name in names:
        if name == literal:  # a real name may hold brackets
            taken = Taken()
            taken.names.append(name)
            return taken
        parts = tuple(name.split("/"))
        if _matches(parts, pattern, False):
            taken.names.append(name)
        elif _matches(parts, pattern, True):
            first, kind = next((i, kind) for i, part in enumerate(parts) if (kind := _kind(part)) is not None)
            taken.leave("/".join(parts[: first + 1]), kind)
    return taken


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...], any_name: bool) -> bool:
    """Whether a name matches; with ``any_name`` also one that is litter, or stands below it."""
    if not parts or not pattern:
        return not parts and not pattern
    head, rest = pattern[0], pattern[1:]
    clean = any_name or _kind(parts[0]) is None
    if head == "**":
        if rest and _matches(parts, rest, any_name):
            return True
        return clean and ((not rest and len(parts) == 1) or _matches(parts[1:], pattern, any_name))
    asked = head != "*" and _kind(head) is not None
    return (
        (clean or asked)
        and _segment(head).match(parts[0]) is not None
        and _matches(parts[1:], rest, any_name)
    )


def _kind(name: str) -> str | None:
    """The kind of litter that a name is. ``..`` and the like are none: such a name is to be refused, not to be left out."""
    return None if name in ("", ".", "..") else _litter(name)


@cache
def _segment(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
