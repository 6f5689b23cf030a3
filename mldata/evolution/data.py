"""The rows of two tables side by side: which went, which came, and by a key which changed, and in what.

Fragments that both tables have are equal in every row, and are not read. The others are hashed, row by row, in as many passes as memory wants. Without a
key tables are compared as bags of rows: a changed row is one that went and one that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from mldata.checkedrows import CheckedRows
from mldata.errors import DataError, UsageError
from mldata.evolution.datadiff import KEPT, ChangedRow, DataDiff, FilesDiff, Row
from mldata.evolution.filediff import compare_files
from mldata.evolution.matching import Matched, match_contents, match_keys, repeated
from mldata.evolution.tablerows import TableRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.subjects import Subject

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

__all__ = ["compare_data"]

PASS_ROWS = 1 << 23
"""Rows of a side that are held as hashes at a time: some 250 MB with what matching them takes."""
MEDIA_KEY = "path"
"""What tells the rows of media apart, where no key is said."""
SHOWN_COLUMNS = 12
"""Of a row that is named."""


def compare_data(old: Subject, new: Subject, key: Sequence[str] = ()) -> DataDiff:
    """How the rows of two subjects differ, in the columns that both have.

    Args:
        key: columns that name a row, distinct on each side; none: of media the path, of other tables rows are compared by their content.

    Raises:
        UsageError: a column of the key is not in both, or cannot be compared.
        DataError: two rows have one key.
    """
    casts, left_out = _comparable(old.table.schema, new.table.schema)
    if not key and "tabular" not in (old.table.kind, new.table.kind) and MEDIA_KEY in casts[0]:
        key = (MEDIA_KEY,)
    _check_key(key, casts[0], left_out, old, new)
    if not casts[0]:  # nothing says that two rows are equal
        old_rows, new_rows = (_side(it, {}).rows for it in (old, new))
        return DataDiff(
            old_rows, new_rows, new_rows, old_rows, None, 0, left_out=left_out, files=_files(old, new)
        )
    rest = [name for name in casts[0] if name not in key]
    sides = [_side(subject, its) for subject, its in zip((old, new), casts, strict=True)]
    tokens = [side.tokens() for side in sides]
    equal = (
        Counter(tokens[0]) & Counter(tokens[1]) if old.table.schema.equals(new.table.schema) else Counter()
    )
    sides = [
        TableRows(side.subject, side.casts, _skipped(its, equal))
        for side, its in zip(sides, tokens, strict=True)
    ]
    passes = -(-max(side.rows for side in sides) // PASS_ROWS) or 1
    found = [_matched(sides, key, rest, number, passes) for number in range(passes)]
    matched = Matched(
        np.concatenate([it.removed for it in found]),
        np.concatenate([it.added for it in found]),
        np.concatenate([it.changed_old for it in found]),
        np.concatenate([it.changed_new for it in found]),
        sum(it.unchanged for it in found),
    )
    held = sum(_rows_of(sides[0], number) for number in sides[0].skipped)
    same = not (len(matched.removed) or len(matched.added) or len(matched.changed_old))
    return DataDiff(
        sides[0].rows,
        sides[1].rows,
        len(matched.added),
        len(matched.removed),
        len(matched.changed_old) if key else None,
        matched.unchanged + held,
        tuple(key),
        _by_column(sides, rest, matched),
        _reordered(sides, tokens, [*key, *rest], passes) if same else None,
        left_out,
        equal.total(),
        (len(tokens[0]) - equal.total(), len(tokens[1]) - equal.total()),
        _named(new, matched.added, [*key, *rest]),
        _named(old, matched.removed, [*key, *rest]),
        _changed(sides, key, rest, matched),
        _files(old, new),
    )


# -- columns -------------------------------------------------------------------------------------------------------------


def _comparable(
    old: pa.Schema, new: pa.Schema
) -> tuple[tuple[dict[str, pa.DataType | None], dict[str, pa.DataType | None]], dict[str, str]]:
    """Columns that both have, with what each side's are brought to (None: nothing); and those that cannot be compared, with why."""
    casts: tuple[dict[str, pa.DataType | None], dict[str, pa.DataType | None]] = ({}, {})
    left_out = {}
    for name in dict.fromkeys(old.names):
        if name not in new.names:
            continue
        if len(old.get_all_field_indices(name)) > 1 or len(new.get_all_field_indices(name)) > 1:
            left_out[name] = "several columns have this name"
            continue
        types = old.field(name).type, new.field(name).type
        common = _common(*types)
        if common is None:
            left_out[name] = f"its types {types[0]} and {types[1]} hold different values"
        elif not all(map(_hashable, types)):
            left_out[name] = f"values of type {types[0]} cannot be compared"
        else:
            for side, kind in zip(casts, types, strict=True):
                side[name] = None if common is _AS_IT_IS or kind.equals(common) else common
    return casts, left_out


_AS_IT_IS = pa.null()


def _common(old: pa.DataType, new: pa.DataType) -> pa.DataType | None:
    """The type in which values of both are compared; ``_AS_IT_IS``: their hashes agree as they are. None: there is none."""
    old, new = _meant(old), _meant(new)
    if old.equals(new):
        return _AS_IT_IS
    groups = (
        pt.is_integer,
        lambda it: pt.is_floating(it),
        lambda it: pt.is_string(it) or pt.is_large_string(it),
        lambda it: pt.is_binary(it) or pt.is_large_binary(it),
    )
    if any(group(old) and group(new) for group in groups):
        return _AS_IT_IS
    if all(pt.is_integer(it) or pt.is_floating(it) for it in (old, new)):
        return pa.float64()
    if pt.is_timestamp(old) and pt.is_timestamp(new) and (old.tz is None) == (new.tz is None):
        return pa.timestamp(max(old.unit, new.unit, key=_UNITS.index), new.tz)
    if pt.is_null(old) or pt.is_null(new):
        return _AS_IT_IS
    return None


_UNITS = ("s", "ms", "us", "ns")


def _meant(kind: pa.DataType) -> pa.DataType:
    """The type of what a dictionary or an extension type stands for."""
    if isinstance(kind, pa.BaseExtensionType):
        return _meant(kind.storage_type)
    return _meant(kind.value_type) if pt.is_dictionary(kind) else kind


def _hashable(kind: pa.DataType) -> bool:
    from mldata.rowhash import hash_column

    try:
        hash_column(pa.nulls(0, kind))
    except (TypeError, pa.ArrowException):
        return False
    return True


def _check_key(
    key: Sequence[str], there: Mapping[str, object], left_out: Mapping[str, str], old: Subject, new: Subject
) -> None:
    for name in key:
        if name in there:
            continue
        lacking = [it.title for it in (old, new) if name not in it.table.schema.names]
        why = left_out.get(name) or f"{' and '.join(lacking)} has no such column"
        raise UsageError(
            f"expected a column that both have, found {name!r}: {why}",
            where="--key",
            hint=f"columns of both are {', '.join(list(there)[:SHOWN_COLUMNS]) or 'none'}",
        )


# -- rows ----------------------------------------------------------------------------------------------------------------


def _side(subject: Subject, casts: Mapping[str, pa.DataType | None]) -> TableRows:
    return TableRows(subject, {name: kind for name, kind in casts.items() if kind is not None})


def _skipped(tokens: Sequence[tuple[str, str]], equal: Counter[tuple[str, str]]) -> frozenset[int]:
    """Of the fragments that both have as often, the first so many."""
    left = Counter(equal)
    skipped = set()
    for number, token in enumerate(tokens):
        if left[token]:
            left[token] -= 1
            skipped.add(number)
    return frozenset(skipped)


def _rows_of(side: TableRows, number: int) -> int:
    subject = side.subject
    fragment, start = subject.table.fragments[number], subject.table.starts[number]
    if subject.part is None or subject.assignment is None:
        return fragment.rows
    parts = subject.assignment.part_of(start, start + fragment.rows)
    return int((parts == subject.assignment.number(subject.part)).sum())


def _matched(
    sides: Sequence[TableRows], key: Sequence[str], rest: Sequence[str], number: int, passes: int
) -> Matched:
    """The rows whose hash falls to pass ``number``."""

    def read(side: TableRows) -> tuple[Places, Hashes, Hashes]:
        groups = (key, rest) if key else (rest,)
        kept: list[tuple[Places, Hashes, Hashes]] = []
        for places, hashes in side.hashes(*groups):
            mine = hashes[0] % np.uint64(passes) == number if passes > 1 else np.ones(len(places), bool)
            kept.append((places[mine], hashes[0][mine], hashes[-1][mine]))
        none = np.empty(0, np.uint64)
        return (
            np.concatenate([np.empty(0, np.int64), *(it[0] for it in kept)]),
            np.concatenate([none, *(it[1] for it in kept)]),
            np.concatenate([none, *(it[2] for it in kept)]),
        )

    with ThreadPoolExecutor(len(sides)) as pool:
        (old_places, old_keys, old), (new_places, new_keys, new) = pool.map(read, sides)
    if not key:
        found = match_contents(old_keys, new_keys)
    else:
        for side, places, keys in zip(sides, (old_places, new_places), (old_keys, new_keys), strict=True):
            _check_distinct(side, key, places[repeated(keys)])
        found = match_keys(old_keys, old, new_keys, new)
    return Matched(
        old_places[found.removed],
        new_places[found.added],
        old_places[found.changed_old],
        new_places[found.changed_new],
        found.unchanged,
    )


def _check_distinct(side: TableRows, key: Sequence[str], places: Places) -> None:
    if not len(places):
        return
    place = int(places[0])
    values = _rows(side.subject).values(place, key)
    told = ", ".join(f"{name}={value}" for name, value in values.items())
    raise DataError(
        f"expected a key that names one row, found {len(places):,} rows whose key an earlier row has, such as row {place:,} ({told})",
        where=side.subject.title,
        hint="name more columns with --key, or leave it out to compare rows by their content",
    )


def _by_column(sides: Sequence[TableRows], rest: Sequence[str], matched: Matched) -> dict[str, int]:
    if not len(matched.changed_old):
        return {}
    counts = {}
    for name in rest:
        old = sides[0].column_hashes(name, matched.changed_old)
        new = sides[1].column_hashes(name, matched.changed_new)
        counts[name] = int((old != new).sum())
    return {name: count for name, count in counts.items() if count}


def _reordered(
    sides: Sequence[TableRows],
    tokens: Sequence[Sequence[tuple[str, str]]],
    columns: Sequence[str],
    passes: int,
) -> bool | None:
    """Whether equal rows come in another order, as far as that is known without reading more."""
    if tokens[0] == tokens[1]:
        return False
    if sides[0].skipped:
        whole = all(len(side.skipped) == len(side.subject.table.fragments) for side in sides)
        return True if whole else None
    if passes > 1:
        return None
    none = np.empty(0, np.uint64)
    old, new = (np.concatenate([none, *(hashes[0] for _, hashes in side.hashes(columns))]) for side in sides)
    return not np.array_equal(old, new)


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


def _changed(
    sides: Sequence[TableRows], key: Sequence[str], rest: Sequence[str], matched: Matched
) -> list[ChangedRow]:
    """The first few changed rows, with what changed in each."""
    first = np.argsort(matched.changed_old, kind="stable")[:KEPT]
    places = matched.changed_old[first], matched.changed_new[first]
    if not len(first):
        return []
    differ = {
        name: sides[0].column_hashes(name, places[0]) != sides[1].column_hashes(name, places[1])
        for name in rest
    }
    old_rows, new_rows = (_rows(side.subject) for side in sides)
    found = []
    for number, (old, new) in enumerate(zip(*(it.tolist() for it in places), strict=True)):
        names = [name for name in rest if differ[name][number]][:SHOWN_COLUMNS]
        before, after = old_rows.values(old, [*key, *names]), new_rows.values(new, names)
        changes = {name: (before[name], after[name]) for name in names}
        found.append(ChangedRow({name: before[name] for name in key}, old, new, changes))
    return found


def _files(old: Subject, new: Subject) -> FilesDiff | None:
    """Of the media of whole tables; which files a part has its rows say."""
    if (old.table.media is None and new.table.media is None) or old.part is not None or new.part is not None:
        return None
    return compare_files((old.store, old.table.media), (new.store, new.table.media))
