"""The rows of two tables side by side: which went, which came, and by a key which changed, and in what.

Fragments that both tables have are equal in every row, and are not read. The others are hashed, row by row, in as many passes as memory wants; what changed of
rows is looked up in them alone. Without a key tables are compared as bags of rows: a changed row is one that went and one that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from mldata.checkedrows import CheckedRows
from mldata.checks.base import shown
from mldata.errors import DataError, UsageError
from mldata.evolution.comparable import comparable_columns
from mldata.evolution.datadiff import KEPT, ChangedRow, DataDiff, FilesDiff, Row
from mldata.evolution.filediff import compare_files
from mldata.evolution.matching import Matched, match_contents, match_keys, repeated
from mldata.evolution.tablerows import TableRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.subjects import Subject

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

__all__ = ["check_key", "compare_data"]

PASS_ROWS = 1 << 23
"""Rows of a side that are held as hashes at a time: some 250 MB with what matching them takes."""
MEDIA_KEY = "path"
"""What tells the rows of media apart, where no key is said."""
SHOWN_COLUMNS = 12
"""Of a row that is named."""
SHOWN_CHARACTERS, SHOWN_BEFORE = 40, 10
"""Of long texts that begin alike: from so many before the first difference on."""
HELD_HASHES = 1 << 23
"""Hashes of changed rows that are held of a side at a time, 64 MB: of few rows those of all columns, so that the rows are read once."""


class _Found(NamedTuple):
    """What a pass has found."""

    matched: Matched
    in_order: bool
    """Whether its rows, or their keys, come in one order on both sides."""


def compare_data(old: Subject, new: Subject, key: Sequence[str] = ()) -> DataDiff:
    """How the rows of two subjects differ, in the columns that both have.

    Args:
        key: columns that name a row, distinct on each side; none: of media the path, of other tables rows are compared by their content.

    Raises:
        UsageError: as :func:`check_key`.
        DataError: two rows that were read have one key.
    """
    types, left_out = comparable_columns(old.table.schema, new.table.schema)
    if not key and "tabular" not in (old.table.kind, new.table.kind) and MEDIA_KEY in types:
        key = (MEDIA_KEY,)
    check_key(old, new, key)
    sides = TableRows(old, types), TableRows(new, types)
    files = _files(old, new)
    if not types:  # nothing says that two rows are equal
        gone, come = (side.rows for side in sides)
        return DataDiff(gone, come, come, gone, None, 0, left_out=left_out, files=files)
    tokens = [side.tokens() for side in sides]
    equal = (
        Counter(tokens[0]) & Counter(tokens[1]) if old.table.schema.equals(new.table.schema) else Counter()
    )
    sides = _skipping(sides[0], tokens[0], equal), _skipping(sides[1], tokens[1], equal)
    rest = [name for name in types if name not in key]
    passes = -(-max(side.rows - side.skipped_rows for side in sides) // PASS_ROWS) or 1
    found = [_matched(sides, key, rest, number, passes) for number in range(passes)]
    matched = _together([it.matched for it in found])
    same = not (len(matched.removed) or len(matched.added) or len(matched.changed_old))
    counts, changed = _changes(sides, key, rest, matched)
    return DataDiff(
        old_rows=sides[0].rows,
        new_rows=sides[1].rows,
        added=len(matched.added),
        removed=len(matched.removed),
        changed=len(matched.changed_old) if key else None,
        unchanged=matched.unchanged + sides[0].skipped_rows,
        key=tuple(key),
        columns=counts,
        reordered=_reordered(sides, tokens, [it.in_order for it in found]) if same else None,
        left_out=left_out if any(_read(side) for side in sides) else {},
        equal_fragments=equal.total(),
        read_fragments=(_read(sides[0]), _read(sides[1])),
        added_rows=_named(new, matched.added, [*key, *rest]),
        removed_rows=_named(old, matched.removed, [*key, *rest]),
        changed_rows=changed,
        files=files,
    )


def check_key(old: Subject, new: Subject, key: Sequence[str]) -> None:
    """Raises :class:`UsageError` for a column of a key that is not in both, or cannot be compared."""
    types, left_out = comparable_columns(old.table.schema, new.table.schema)
    for name in key:
        if name in types:
            continue
        lacking = [it.title for it in (old, new) if name not in it.table.schema.names]
        why = left_out.get(name, "neither has such a column")
        if len(lacking) == 1:
            why = f"{lacking[0]} has no such column"
        names = list(types)
        more = f", and {len(names) - SHOWN_COLUMNS:,} more" if len(names) > SHOWN_COLUMNS else ""
        raise UsageError(
            f"expected a column that both have, found {name!r}: {why}",
            where="--key",
            hint=f"columns of both are {', '.join(names[:SHOWN_COLUMNS])}{more}"
            if names
            else "no column of one can be compared with one of the other",
        )


# -- rows ----------------------------------------------------------------------------------------------------------------


def _skipping(
    side: TableRows, tokens: Sequence[tuple[str, str]], equal: Counter[tuple[str, str]]
) -> TableRows:
    """A side without the fragments that both have; of those that it has more often, the first so many."""
    left = Counter(equal)
    skipped = set()
    for number, token in enumerate(tokens):
        if left[token]:
            left[token] -= 1
            skipped.add(number)
    return TableRows(side.subject, side.types, frozenset(skipped))


def _read(side: TableRows) -> int:
    """Fragments that are read."""
    return len(side.subject.table.fragments) - len(side.skipped)


def _matched(
    sides: tuple[TableRows, TableRows], key: Sequence[str], rest: Sequence[str], number: int, passes: int
) -> _Found:
    """The rows whose hash falls to pass ``number``."""

    def read(side: TableRows) -> tuple[Places, list[Hashes]]:
        kept: list[tuple[Places, list[Hashes]]] = []
        for places, hashes in side.hashes(*((key, rest) if key else (rest,))):
            if passes > 1:
                mine = hashes[0] % np.uint64(passes) == number
                places, hashes = places[mine], [it[mine] for it in hashes]
            kept.append((places, hashes))
        groups = zip(*(it[1] for it in kept), strict=True) if kept else [[]] * (2 if key else 1)
        return (
            np.concatenate([np.empty(0, np.int64), *(it[0] for it in kept)]),
            [np.concatenate([np.empty(0, np.uint64), *group]) for group in groups],
        )

    with ThreadPoolExecutor(len(sides)) as pool:
        (old_places, old), (new_places, new) = pool.map(read, sides)
    if not key:
        found = match_contents(old[0], new[0])
    else:
        for side, places, keys in zip(sides, (old_places, new_places), (old[0], new[0]), strict=True):
            _check_distinct(side, key, places, keys)
        found = match_keys(old[0], old[1], new[0], new[1])
    matched = Matched(
        old_places[found.removed],
        new_places[found.added],
        old_places[found.changed_old],
        new_places[found.changed_new],
        found.unchanged,
    )
    return _Found(matched, np.array_equal(old[0], new[0]))


def _together(found: Sequence[Matched]) -> Matched:
    """What all passes have found."""
    return Matched(
        np.concatenate([it.removed for it in found]),
        np.concatenate([it.added for it in found]),
        np.concatenate([it.changed_old for it in found]),
        np.concatenate([it.changed_new for it in found]),
        sum(it.unchanged for it in found),
    )


def _check_distinct(side: TableRows, key: Sequence[str], places: Places, keys: Hashes) -> None:
    again = repeated(keys)
    if not len(again):
        return
    first, second = places[np.flatnonzero(keys == keys[again[0]])[:2]].tolist()
    values = _rows(side.subject).values(second, key)
    told = ", ".join(f"{name}={value}" for name, value in values.items())
    hint = "name more columns with --key"
    if side.subject.table.kind == "tabular":
        hint += ", or leave it out to compare rows by their content"
    raise DataError(
        f"expected a key that names one row, found {told} in the rows {first:,} and {second:,}",
        where=side.subject.title,
        hint=hint,
    )


def _reordered(
    sides: Sequence[TableRows], tokens: Sequence[Sequence[tuple[str, str]]], in_order: Sequence[bool]
) -> bool | None:
    """Whether equal rows come in another order, as far as that is known without reading more.

    Args:
        in_order: whether those of each pass do not.
    """
    if tokens[0] == tokens[1]:
        return False
    if sides[0].skipped:
        return None if any(map(_read, sides)) else True
    if not all(in_order):
        return True
    return None if len(in_order) > 1 else False


# -- what is named -------------------------------------------------------------------------------------------------------


def _rows(subject: Subject) -> CheckedRows:
    return CheckedRows(subject.table, None, ())


def _named(subject: Subject, places: Places, columns: Sequence[str]) -> list[Row]:
    """The first few rows, as they are."""
    rows = _rows(subject)
    shown = columns[:SHOWN_COLUMNS]
    return [
        Row(place, rows.values(place, shown) if shown else {}) for place in np.sort(places)[:KEPT].tolist()
    ]


def _changes(
    sides: tuple[TableRows, TableRows], key: Sequence[str], rest: Sequence[str], matched: Matched
) -> tuple[dict[str, int], list[ChangedRow]]:
    """How many rows have changed in each column, where any has; and the first few, with what changed in each."""
    places = matched.changed_old, matched.changed_new
    if not len(places[0]):
        return {}, []
    first = np.argsort(places[0], kind="stable")[:KEPT]
    counts: dict[str, int] = {}
    names: list[list[str]] = [[] for _ in first]
    step = max(1, HELD_HASHES // len(places[0]))
    for start in range(0, len(rest), step):
        columns = rest[start : start + step]
        with ThreadPoolExecutor(len(sides)) as pool:
            old, new = pool.map(TableRows.hashes_at, sides, (columns, columns), places)
        for name, before, after in zip(columns, old, new, strict=True):
            differ = before != after
            if differ.any():
                counts[name] = int(differ.sum())
            for number in np.flatnonzero(differ[first]).tolist():
                names[number].append(name)
    return counts, _changed(sides, key, places[0][first].tolist(), places[1][first].tolist(), names)


def _changed(
    sides: tuple[TableRows, TableRows],
    key: Sequence[str],
    old: Sequence[int],
    new: Sequence[int],
    columns: Sequence[Sequence[str]],
) -> list[ChangedRow]:
    """Rows with their values in the columns that changed in each."""
    old_rows, new_rows = (_rows(side.subject) for side in sides)
    found = []
    for was, now, differing in zip(old, new, columns, strict=True):
        names = differing[:SHOWN_COLUMNS]
        before, after = old_rows.scalars(was, [*key, *names]), new_rows.scalars(now, names)
        changes = {name: _apart(before[name], after[name]) for name in names}
        more = len(differing) - len(names)
        found.append(ChangedRow({name: shown(before[name]) for name in key}, was, now, changes, more))
    return found


def _contents(old: pa.Scalar, new: pa.Scalar) -> tuple[str, str] | tuple[bytes, bytes]:
    """Two texts; as bytes where they are none, or one of them is no UTF-8."""
    values = bytes(old.as_buffer()), bytes(new.as_buffer())
    if not all(isinstance(it, pa.StringScalar) for it in (old, new)):
        return values
    try:
        return values[0].decode(), values[1].decode()
    except UnicodeDecodeError:
        return values


def _apart(old: pa.Scalar, new: pa.Scalar) -> tuple[str, str]:
    """Two values that differ as people read them, shortened so that they still differ."""
    before, after = shown(old), shown(new)
    if before != after:
        return before, after
    if not all(isinstance(it, pa.BinaryScalar) for it in (old, new)):
        return before, f"{after} with another value further on"
    values = _contents(old, new)
    pairs = enumerate(zip(*values, strict=False))
    differ = next((at for at, (one, two) in pairs if one != two), min(map(len, values)))
    start = max(0, differ - SHOWN_BEFORE)
    pieces = [value[start : start + SHOWN_CHARACTERS] for value in values]
    more = ["..." if len(value) > start + SHOWN_CHARACTERS else "" for value in values]
    cut = "..." if start else ""
    return f"{cut}{pieces[0]!r}{more[0]}", f"{cut}{pieces[1]!r}{more[1]}"


def _files(old: Subject, new: Subject) -> FilesDiff | None:
    """Of the media of whole tables; which files a part has its rows say."""
    if (old.table.media is None and new.table.media is None) or old.part is not None or new.part is not None:
        return None
    return compare_files((old.store, old.table.media), (new.store, new.table.media))
