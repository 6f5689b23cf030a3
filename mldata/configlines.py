"""What ``config.yaml`` says, read without YAML where it is as plain as ``mldata config`` writes it: loading YAML takes longer than many a command.

Invariant: a text that is read here reads the same as YAML; whatever is not surely so is left to :mod:`mldata.configfile`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mldata.errors import Where

__all__ = ["PLAIN_VALUE", "Entry", "plain_entries"]

PLAIN_VALUE = r"[A-Za-z0-9][A-Za-z0-9._/+-]*(?::[A-Za-z0-9._/+-]+)*"
"""What YAML takes as it is written: a colon in it is not followed by a space."""
_LINE = re.compile(rf"(?:([a-z][a-z0-9_.]*): +({PLAIN_VALUE}) *)?(?:(?:(?<= )|^)#[ -~]*)?")


@dataclass(frozen=True)
class Entry:
    """One setting in the file."""

    name: str
    text: str
    """The value as written, without quotes."""
    where: Where


def plain_entries(data: bytes, file: str) -> list[Entry] | None:
    """The entries in order; None where it takes YAML to tell."""
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError:
        return None
    entries = []
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        if found[1] is not None:
            entries.append(Entry(found[1], found[2], Where(file, number, 1)))
    return entries if len({entry.name for entry in entries}) == len(entries) else None
