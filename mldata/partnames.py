"""Names of parts: which may be, in which order they stand. Imports nothing heavy: a build with nothing to do shows parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["FIRST_PARTS", "MAX_PARTS", "case_clashes", "part_name_fault", "part_order", "unportable"]

MAX_PARTS = 255
"""A row's part is a byte, and 255 means none."""

_PART_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
FIRST_PARTS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")


def part_order(name: str) -> tuple[int, str]:
    """Sort key of parts: train, validation, test, then the others by name.

    A YAML mapping has no order, so which rows a part gets must not depend on the order in which parts were typed.
    """
    return (FIRST_PARTS.index(name) if name in FIRST_PARTS else len(FIRST_PARTS), name)


def part_name_fault(name: str) -> str | None:
    """Why ``name`` cannot be the name of a part, and so of the files that hold it."""
    if not _PART_NAME.fullmatch(name):
        expected = "a part name of letters, digits, '-', '_' and '.', beginning with a letter, digit or '_'"
        found = repr(name)
        return f"expected {expected}; found {found if len(found) <= 80 else f'{found[:76]}...'}"
    if name.lower() == "manifest":
        return f"{name!r} cannot be a part: manifest.yaml stands beside the parts"
    return unportable(name)


def unportable(name: str) -> str | None:
    """Why a file of this name cannot be on every system."""
    if name.endswith("."):
        return f"expected a name that does not end with a dot, found {name!r}"
    return (
        f"expected a name that is no device on Windows, found {name!r}" if _DEVICE.fullmatch(name) else None
    )


def case_clashes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that differ by case only, with the earlier one each time: their files would be one file on some systems."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield first, name
