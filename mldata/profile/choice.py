"""What is known of some columns of a table, out of what is known of all of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mldata.cells import one_line
from mldata.errors import UsageError, brief

if TYPE_CHECKING:
    from mldata.profile.summary import RowSample, TableSummary

__all__ = ["check_columns", "column_names", "listed_names", "only_columns"]

_NAMED = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(?:,|\Z)')
NAMED = 20
"""Columns that an error names."""


def listed_names(text: str) -> list[str | None]:
    """Names as a flag has them, with commas between; None where nothing stands. In double quotes, as in CSV, one may have a comma in it, spaces around it,
    or no character."""
    names: list[str | None] = []
    at, more = 0, True
    while more:
        match = _NAMED.match(text, at)
        assert match is not None
        quoted, plain = match.groups()
        names.append(quoted.replace('""', '"') if quoted is not None else plain.strip() or None)
        at, more = match.end(), match[0].endswith(",")
    return names


def column_names(text: str) -> list[str]:
    """The distinct ones of :func:`listed_names`."""
    return list(dict.fromkeys(name for name in listed_names(text) if name is not None))


def _typed(name: str) -> str:
    """A name as :func:`column_names` reads it, on one line."""
    plain = '"' not in name and column_names(name) == [name]
    quoted = name if plain else '"' + name.replace('"', '""') + '"'
    return brief(one_line(quoted))


def check_columns(names: Sequence[str], known: Sequence[str]) -> None:
    """Raises :class:`UsageError` for a name that no column has, or if there is none."""
    from mldata.nearest import nearest

    have = ", ".join(map(_typed, known[:NAMED])) + (", ..." if len(known) > NAMED else "")
    if not names:
        raise UsageError("expected names of columns, found none", where="columns", hint=f"there are: {have}")
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise UsageError(
                f"expected columns of the table, found {brief(name)!r}",
                where="columns",
                hint=f"Did you mean: {_typed(near)}" if near else f"there are: {have or 'none'}",
            )


def only_columns(summary: TableSummary, names: Sequence[str]) -> TableSummary:
    """The summary of a table that had these columns alone, in this order; but rows are duplicates where all of the table's columns say so.

    Names are those of columns (:func:`check_columns`).
    """
    by_name = {column.name: column for column in summary.columns}
    missing: Counter[tuple[str, ...]] = Counter()
    for pattern, count in summary.missing:
        if left := tuple(name for name in pattern if name in names):
            missing[left] += count
    return replace(
        summary,
        columns=tuple(by_name[name] for name in names),
        missing=tuple(sorted(missing.items(), key=lambda it: (-it[1], it[0]))),
        sample=_sampled(summary.sample, names) if summary.sample is not None else None,
    )


def _sampled(sample: RowSample, names: Sequence[str]) -> RowSample:
    numbers = {name: sample.numbers[name] for name in names if name in sample.numbers}
    codes = {name: sample.codes[name] for name in names if name in sample.codes}
    return replace(sample, numbers=numbers, codes=codes)
