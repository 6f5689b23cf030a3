"""What the profile stage has made, read back: summaries of all rows, and of parts.

Format: a tree of ``whole`` and, where they were asked for, ``parts`` with one file a part (``00000000``, ...): each the bytes of a
:class:`mldata.profile.summary.TableSummary`. Where only some parts are wanted, there is no ``whole``. Nothing that looks at rows is loaded to read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mldata.profile.summary import TableSummary

if TYPE_CHECKING:
    from store import Digest, Store

__all__ = ["PARTS", "WHOLE", "part_name", "read_parts", "read_whole"]

WHOLE, PARTS = "whole", "parts"


def part_name(number: int) -> str:
    """The file of a part, by its number in the split."""
    return f"{number:08d}"


def read_whole(store: Store, output: Digest) -> TableSummary:
    """The summary of all rows, which an output that is not of some parts only has. Raises a ``store`` error."""
    entry = store.tree(output).get(WHOLE)
    assert entry is not None
    return TableSummary.from_bytes(store.read(entry.digest))


def read_parts(store: Store, output: Digest, numbers: Iterable[int]) -> list[TableSummary]:
    """Summaries of parts that were asked for. Raises a ``store`` error."""
    parts = store.tree(output).get(PARTS)
    assert parts is not None
    entries = {entry.name: entry for entry in store.tree(parts.digest)}
    return [TableSummary.from_bytes(store.read(entries[part_name(number)].digest)) for number in numbers]
