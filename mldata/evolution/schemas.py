"""Compares two schemas: columns by name, fields inside them by path, types by the lattice.

Columns of one name (Arrow allows that) are told apart by their order. A column that is gone and one that is new may be one that was renamed: that is
guessed where the summaries of both tables are known, see :mod:`mldata.evolution.renames`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pt

from mldata.evolution.lattice import plain, relate
from mldata.evolution.paths import below, quoted
from mldata.evolution.schemadiff import (
    ADDED,
    NULLABILITY,
    REMOVED,
    RENAMED,
    REORDERED,
    TYPE,
    Change,
    SchemaDiff,
)

if TYPE_CHECKING:
    from mldata.profile.summary import TableSummary

__all__ = ["compare_and_guess", "compare_schemas"]

Name = tuple[str, int]
"""Of a field: its name, and the how manieth of that name it is."""


def compare_schemas(
    old: pa.Schema,
    new: pa.Schema,
    old_summary: TableSummary | None = None,
    new_summary: TableSummary | None = None,
) -> SchemaDiff:
    """What has changed from ``old`` to ``new``: columns that came, went and have another name, then what else is new of a column, then those that moved.

    Args:
        old_summary, new_summary: of the tables; where both are known, renamed columns are guessed.
    """
    was, now = _by_name(old), _by_name(new)
    gone = [name for name in was if name not in now]
    fresh = [name for name in now if name not in was]
    renamed: dict[Name, tuple[Name, float]] = {}
    if gone and fresh and old_summary is not None and new_summary is not None:
        renamed = _renames(old, new, gone, fresh, old_summary, new_summary)
    taken = {name for name, _ in renamed.values()}
    pairs = {name: renamed[name][0] if name in renamed else name for name in was if name in now}
    pairs |= {name: fellow for name, (fellow, _) in renamed.items()}
    changes = [_added(quoted(it[0]), now[it]) for it in fresh if it not in taken]
    changes += [_removed(quoted(it[0]), was[it]) for it in gone if it not in renamed]
    for name, (fellow, score) in renamed.items():
        path = quoted(fellow[0])
        changes.append(
            Change(RENAMED, path, True, name[0], fellow[0], "whoever reads it by that name fails", score)
        )
    for name in was:
        if name in pairs:
            changes += _field(quoted(pairs[name][0]), was[name], now[pairs[name]])
    changes += _reordered(list(was), list(now), pairs)
    return SchemaDiff(tuple(changes))


def compare_and_guess(
    old: pa.Schema,
    new: pa.Schema,
    old_summary: Callable[[], TableSummary],
    new_summary: Callable[[], TableSummary],
) -> SchemaDiff:
    """As :func:`compare_schemas`; summaries are asked for only where columns went and others came, which may be those."""
    found = compare_schemas(old, new)
    return compare_schemas(old, new, old_summary(), new_summary()) if found.guessable else found


def _renames(
    old: pa.Schema,
    new: pa.Schema,
    gone: Sequence[Name],
    fresh: Sequence[Name],
    old_summary: TableSummary,
    new_summary: TableSummary,
) -> dict[Name, tuple[Name, float]]:
    from mldata.evolution.renames import guess_renames

    was = dict(zip(_by_name(old), old_summary.columns, strict=True))
    now = dict(zip(_by_name(new), new_summary.columns, strict=True))
    guesses = guess_renames([was[name] for name in gone], [now[name] for name in fresh])
    return {gone[guess.old]: (fresh[guess.new], guess.score) for guess in guesses}


def _by_name(fields: Iterable[pa.Field]) -> dict[Name, pa.Field]:
    times: dict[str, int] = {}
    found = {}
    for field in fields:
        times[field.name] = count = times.get(field.name, 0) + 1
        found[field.name, count] = field
    return found


def _added(path: str, field: pa.Field) -> Change:
    return Change(ADDED, path, False, new=str(field.type), why="nobody reads it yet", nullable=field.nullable)


def _removed(path: str, field: pa.Field) -> Change:
    return Change(
        REMOVED, path, True, old=str(field.type), why="whoever reads it fails", nullable=field.nullable
    )


def _field(path: str, old: pa.Field, new: pa.Field) -> Iterator[Change]:
    """What has changed of a field that both have."""
    if old.nullable != new.nullable:
        words = ("not null", "nullable")
        why = "nulls may come now" if new.nullable else "nulls no longer come"
        yield Change(NULLABILITY, path, bool(new.nullable), words[old.nullable], words[new.nullable], why)
    yield from _type(path, old.type, new.type)


def _type(path: str, old: pa.DataType, new: pa.DataType) -> Iterator[Change]:
    if old == new:
        return
    found = list(_inside(path, old, new))
    yield from found or [_changed(path, old, new, str(old), str(new))]  # the order of a struct's fields


def _inside(path: str, old: pa.DataType, new: pa.DataType) -> Iterator[Change]:
    was, now = plain(old), plain(new)
    if pt.is_struct(was) and pt.is_struct(now):
        yield from _level(path, old, new, was, now)
        yield from _struct(path, was, now)
    elif pt.is_map(was) and pt.is_map(now):
        yield from _level(path, old, new, was, now)
        yield from _field(f"{path}{{key}}", was.key_field, now.key_field)
        yield from _field(f"{path}{{value}}", was.item_field, now.item_field)
    elif _is_list(was) and _is_list(now):
        yield from _level(path, old, new, was, now)
        yield from _field(f"{path}[]", was.value_field, now.value_field)
    else:
        yield _changed(path, old, new, str(old), str(new))


def _struct(path: str, old: pa.StructType, new: pa.StructType) -> Iterator[Change]:
    was, now = _by_name(old), _by_name(new)
    for name, field in was.items():
        inside = below(path, name[0])
        if name in now:
            yield from _field(inside, field, now[name])
        else:
            yield replace(_removed(inside, field), top=False)
    for name, field in now.items():
        if name not in was:
            yield replace(_added(below(path, name[0]), field), top=False)


def _level(
    path: str, old: pa.DataType, new: pa.DataType, was: pa.DataType, now: pa.DataType
) -> Iterator[Change]:
    """What has changed of a nested type itself, whatever is inside: how long its lists are, how it is laid out."""
    before, after = _shallow(old, was), _shallow(new, now)
    if before != after:
        yield _changed(path, _hollow(was), _hollow(now), before, after)


def _shallow(kind: pa.DataType, values: pa.DataType) -> str:
    """The name of a nested type alone."""
    size = f"[{values.list_size}]" if pt.is_fixed_size_list(values) else ""
    name = str(values).partition("<")[0]
    return f"{name}{size}" if kind is values else f"{str(kind).partition('<')[0]} of {name}{size}"


def _hollow(kind: pa.DataType) -> pa.DataType:
    """A list of the same length with nothing in it; other types hold what they hold."""
    return pa.list_(pa.null(), kind.list_size) if pt.is_fixed_size_list(kind) else pa.list_(pa.null())


def _changed(path: str, old: pa.DataType, new: pa.DataType, before: str, after: str) -> Change:
    relation = relate(old, new)
    return Change(TYPE, path, relation.breaking, before, after, relation.why, relation=relation.change)


def _is_list(kind: pa.DataType) -> bool:
    tests = (
        pt.is_list,
        pt.is_large_list,
        pt.is_fixed_size_list,
        pt.is_list_view,
        pt.is_large_list_view,
    )
    return any(test(kind) for test in tests)


def _reordered(old: Sequence[Name], new: Sequence[Name], pairs: Mapping[Name, Name]) -> Iterator[Change]:
    """The fewest columns that have to move so that those of both are in one order: all but a longest ascending run of places."""
    place = {name: number for number, name in enumerate(new)}
    kept = [(number, pairs[name]) for number, name in enumerate(old, 1) if name in pairs]
    stayed = _ascending([place[name] for _, name in kept])
    for number, name in kept:
        if place[name] not in stayed:
            why = "columns are read by name"
            yield Change(REORDERED, quoted(name[0]), False, str(number), str(place[name] + 1), why)


def _ascending(numbers: Sequence[int]) -> set[int]:
    """A longest ascending subsequence (patience sorting, Fredman 1975)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, value in enumerate(numbers):
        pile = bisect_left(tails, value)
        before.append(ends[pile - 1] if pile else -1)
        tails[pile : pile + 1], ends[pile : pile + 1] = [value], [number]
    found, at = set(), ends[-1] if ends else -1
    while at >= 0:
        found.add(numbers[at])
        at = before[at]
    return found
