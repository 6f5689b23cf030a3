"""Why the outputs of two runs of a stage differ: the first difference, down to the row and column where there are any.

An output is looked at as what it is: a table fragment by fragment, a split row by row, anything else file by file, Parquet and Arrow files by
their rows, others by line or byte. It is read as it streams; nothing is held whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from mldata.bytediff import bytes_difference

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.assignment import Assignment
    from store import Digest, Store

__all__ = ["Difference", "Stored", "output_difference"]

LAST = "manifest.yaml"
"""Tells of all other files, so of several that differ it is the last to look at."""
BLOCK_ROWS = 1 << 20
Rows = tuple["pa.Schema", Iterable["pa.RecordBatch"]]


@dataclass(frozen=True)
class Stored:
    """An output of a stage, or a file in it, and the store where it is."""

    store: Store
    digest: Digest


@dataclass(frozen=True)
class Difference:
    """Where two outputs differ first."""

    text: str
    """One line for people."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs: ``expected`` and ``got``, and of ``fragment``, ``source``, ``path``, ``column``, ``row`` (counted from 0),
    ``line``, ``byte`` and ``files`` (how many differ) those that there are."""


def output_difference(expected: Stored, got: Stored) -> Difference | None:
    """The first difference of two outputs; None if they are equal. Raises a ``store`` error when something of them is gone."""
    if expected.digest == got.digest:
        return None
    names = set(expected.store.tree(expected.digest).names) & set(got.store.tree(got.digest).names)
    found = None
    if names >= {"assignment", "segments"}:
        found = _assignments(expected, got)
    elif names >= {"table", "fragments"}:
        found = _tables(expected, got)
    return found or _trees(expected, got)


def _tables(expected: Stored, got: Stored) -> Difference | None:
    from mldata.table import Table

    old, new = (Table.open(it.store, it.digest) for it in (expected, got))
    if found := _schemas(old.schema, new.schema, {}):
        return found
    for number, (one, two) in enumerate(zip_longest(old.fragments, new.fragments)):
        if one is None or two is None:
            return _told(
                "the table", {}, f"{len(old.fragments)} fragments", f"{len(new.fragments)} fragments"
            )
        place = {"fragment": number, "source": one.source}
        where = f"fragment {number} ({one.source})"
        if one.source != two.source:
            return _told(where, place, f"source {one.source}", f"source {two.source}")
        if one.digest != two.digest:
            rows = (old.schema, old.fragment_batches(one)), (new.schema, new.fragment_batches(two))
            files = Stored(expected.store, one.digest), Stored(got.store, two.digest)
            return _rows(*rows, where, place) or _bytes(*files, f"{where}, whose rows are equal", place)
    return None


def _assignments(expected: Stored, got: Stored) -> Difference | None:
    from mldata.assignment import Assignment

    old, new = (Assignment.open(it.store, it.digest) for it in (expected, got))
    for what in ("parts", "ratios", "rows"):
        if getattr(old, what) != getattr(new, what):
            return _told(f"the split's {what}", {"what": what}, getattr(old, what), getattr(new, what))
    for start in range(0, old.rows, BLOCK_ROWS):
        one, two = (it.part_of(start, start + BLOCK_ROWS) for it in (old, new))
        if (one != two).any():
            row = int((one != two).argmax())
            told = (_part(it, numbers[row]) for it, numbers in ((old, one), (new, two)))
            return _told(f"row {start + row:,} (counted from 0)", {"row": start + row}, *told)
    return None


def _part(assignment: Assignment, number: int) -> str:
    return f"part {assignment.parts[number]}" if number < len(assignment.parts) else "no part"


def _trees(expected: Stored, got: Stored) -> Difference | None:
    old, new = (dict(it.store.walk(it.digest)) for it in (expected, got))
    differ = [path for path in old.keys() | new.keys() if old.get(path) != new.get(path)]
    if not differ:
        return None
    path = min(differ, key=lambda path: (path == LAST, path))
    place = {"path": path, "files": len(differ)}
    where = path if len(differ) == 1 else f"{path} (and {len(differ) - 1:,} more files)"
    if path not in old or path not in new:
        return _told(where, place, *("the file" if path in files else "no such file" for files in (old, new)))
    one, two = Stored(expected.store, old[path].digest), Stored(got.store, new[path].digest)
    if one.digest == two.digest:
        return _told(where, place, *(f"executable: {it[path].executable}" for it in (old, new)))
    return _rowwise(one, two, where, place) or _bytes(one, two, where, place)


def _rowwise(one: Stored, two: Stored, where: str, place: Mapping[str, Any]) -> Difference | None:
    """The first difference of two files by their rows; None where they have none, or have equal ones in other bytes."""
    if not str(place["path"]).endswith((".parquet", ".arrow")):
        return None
    import pyarrow as pa

    try:
        with ExitStack() as stack:
            old, new = (stack.enter_context(_open(it, place["path"])) for it in (one, two))
            return _schemas(old[0], new[0], place, where) or _rows(old, new, where, place)
    except pa.ArrowException:  # a file that is not what its name says
        return None


@contextmanager
def _open(file: Stored, path: str) -> Iterator[Rows]:
    """Schema and rows of a Parquet or Arrow file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mldata.table import BATCH_BYTES, BATCH_ROWS, bounded_rows

    source = file.store.path(file.digest)
    if path.endswith(".parquet"):
        with pq.ParquetFile(source, pre_buffer=False) as parquet:
            rows = bounded_rows(parquet.metadata, BATCH_ROWS, BATCH_BYTES)
            yield parquet.schema_arrow, parquet.iter_batches(rows, use_threads=False)
    else:
        with pa.memory_map(str(source)) as data, pa.ipc.open_file(data) as arrow:
            batches = (arrow.get_batch(number) for number in range(arrow.num_record_batches))
            yield arrow.schema, batches


def _schemas(
    old: pa.Schema, new: pa.Schema, place: Mapping[str, Any], where: str = "the table"
) -> Difference | None:
    from mldata.rowdiff import schema_difference

    found = schema_difference(old, new)
    return _told(where, {**place, "column": found[0]}, *found[1:]) if found else None


def _rows(old: Rows, new: Rows, where: str, place: Mapping[str, Any]) -> Difference | None:
    from mldata.rowdiff import rows_difference

    found = rows_difference(old[1], new[1])
    if found is None:
        return None
    where += f", row {found.row:,} (counted from 0)"
    place = {**place, "row": found.row}
    if found.column is not None:
        where, place = f"{where}, column {found.column!r}", {**place, "column": found.column}
    return _told(where, place, found.expected, found.got)


def _bytes(old: Stored, new: Stored, where: str, place: Mapping[str, Any]) -> Difference | None:
    found = bytes_difference(old.store.path(old.digest), new.store.path(new.digest))
    if found is None:
        return None
    more = {"byte": found.offset} if found.line is None else {"line": found.line, "column": found.column}
    return _told(f"{where}, {found.where}", {**place, **more}, found.expected, found.got)


def _told(where: str, place: Mapping[str, Any], expected: object, got: object) -> Difference:
    if isinstance(expected, tuple):
        expected, got = list(expected), list(got) if isinstance(got, tuple) else got
    return Difference(f"{where}: expected {expected}, got {got}", {**place, "expected": expected, "got": got})
