"""Guesses which columns were renamed, by what is known of their values: the summaries of both tables, no row is read.

How alike two columns of one kind are is the mean of what can be compared of: shares of frequent values, quantiles (one less the Kolmogorov-Smirnov
distance), lengths and classes of characters of texts, the share of distinct values, the share of nulls. Columns of few numbers (flags, ratings) are
often alike without being the same: of them closeness counts only within :data:`EXACT`, or as far as the names are alike, too.

Invariant: each column is in one guess at most, guesses are taken from the most alike down, and equal scores are told apart by names, then by places: equal
summaries give equal guesses. No guess is made below :data:`THRESHOLD`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import numpy as np

from mldata.profile.summary import NULL, OTHER, STRUCT, TEXT, ColumnSummary, Frequent, Numbers

__all__ = ["EXACT", "PAIRS", "THRESHOLD", "Guess", "guess_renames", "likeness"]

THRESHOLD = 0.7
"""Two columns are taken for one from this score on: the same distribution but for a tenth of the rows passes, two normal columns a standard deviation apart do not."""
EXACT = 0.05
"""Columns of few numbers are no evidence unless they are closer than this to equal."""
TELLING_BITS = 4
"""Numbers of 16 distinct values on are telling by themselves."""
PAIRS = 20_000
"""At most so many pairs are compared, those whose shares of nulls and of distinct values, and places, are nearest: tables of thousands of columns take seconds."""


class Guess(NamedTuple):
    """Places of two columns in what was given, and how alike they are."""

    old: int
    new: int
    score: float


def guess_renames(gone: Sequence[ColumnSummary], fresh: Sequence[ColumnSummary]) -> list[Guess]:
    """Which of the columns that are gone are which of those that are new; in the order of ``gone``."""
    scored = []
    for old, new in _pairs(gone, fresh):
        score = likeness(gone[old], fresh[new])
        if score >= THRESHOLD:
            scored.append((-score, -_alike(gone[old].name, fresh[new].name), abs(old - new), old, new))
    found: dict[int, Guess] = {}
    taken: set[int] = set()
    for score, _, _, old, new in sorted(scored):
        if old not in found and new not in taken:
            found[old] = Guess(old, new, round(-score, 4))
            taken.add(new)
    return [found[old] for old in sorted(found)]


def _pairs(gone: Sequence[ColumnSummary], fresh: Sequence[ColumnSummary]) -> Iterator[tuple[int, int]]:
    """Which columns are worth a look: of one kind, with values; at most :data:`PAIRS` of them."""
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for new, column in enumerate(fresh):
        if column.values and column.kind not in (NULL, OTHER, STRUCT):
            by_kind[column.kind].append(new)
    likely = [old for old, column in enumerate(gone) if column.values and by_kind[column.kind]]
    total = sum(len(by_kind[gone[old].kind]) for old in likely)
    each = max(1, PAIRS // len(likely)) if total > PAIRS else total
    for old in likely:
        fellows = by_kind[gone[old].kind]
        if len(fellows) > each:
            fellows = sorted(fellows, key=lambda new: (_far(gone[old], fresh[new]), abs(old - new), new))
        yield from ((old, new) for new in fellows[:each])


def _far(old: ColumnSummary, new: ColumnSummary) -> float:
    return round(abs(_nulls(old) - _nulls(new)) + abs(_distinct(old) - _distinct(new)), 2)


def likeness(old: ColumnSummary, new: ColumnSummary) -> float:
    """How sure it is that two columns are one under two names, from 0 to 1; 0 of columns of two kinds, or without a value."""
    if old.kind != new.kind or not old.values or not new.values:
        return 0.0
    found = [_near(_nulls(old), _nulls(new)), _near(_distinct(old), _distinct(new))]
    for compare in (_frequent, _numbers, _lengths, _characters):
        if (alike := compare(old, new)) is not None:
            found += [alike, alike]  # twice: what the values are, beside how many of them there are
    content = sum(found) / len(found)
    telling = min(_telling(old), _telling(new))
    exact = max(0.0, 1 - (1 - content) / EXACT)
    return content * (telling + (1 - telling) * max(exact, _alike(old.name, new.name)))


def _telling(column: ColumnSummary) -> float:
    """How much the values alone say about which column it is: texts are words, a flag is one bit."""
    if column.kind == TEXT:
        return 1.0
    distinct = column.distinct.estimate if column.distinct is not None else 1
    return min(1.0, math.log2(max(distinct, 1)) / TELLING_BITS)


def _nulls(column: ColumnSummary) -> float:
    return column.nulls / column.rows


def _distinct(column: ColumnSummary) -> float:
    return min(1.0, column.distinct.estimate / column.values) if column.distinct is not None else 0.0


def _near(one: float, two: float) -> float:
    return 1 - abs(one - two)


def _frequent(old: ColumnSummary, new: ColumnSummary) -> float | None:
    """The common part of the shares of values (one less the total variation distance); None where most values are not listed."""
    if old.frequent is None or new.frequent is None:
        return None
    if not (_listed(old.frequent) and _listed(new.frequent)):
        return None
    return _common(old.frequent.counts(), new.frequent.counts())


def _listed(frequent: Frequent) -> bool:
    listed = sum(count for _, count in frequent.values)
    return listed > frequent.rest


def _common(old: Mapping[Any, int], new: Mapping[Any, int]) -> float | None:
    before, after = sum(old.values()), sum(new.values())
    if not before or not after:
        return None
    return sum(min(old[value] / before, new[value] / after) for value in old if value in new)


def _numbers(old: ColumnSummary, new: ColumnSummary) -> float | None:
    return _spread(old.numbers, new.numbers)


def _lengths(old: ColumnSummary, new: ColumnSummary) -> float | None:
    if old.texts is None or new.texts is None:
        return None
    return _spread(old.texts.lengths, new.texts.lengths)


def _characters(old: ColumnSummary, new: ColumnSummary) -> float | None:
    if old.texts is None or new.texts is None:
        return None
    return _common(old.texts.characters, new.texts.characters)


def _spread(old: Numbers | None, new: Numbers | None) -> float | None:
    """One less the greatest difference of the two distribution functions."""
    if old is None or new is None or not old.finite or not new.finite:
        return None
    edges = np.union1d(old.points, new.points)
    apart = np.abs(old.ranks(edges) / old.finite - new.ranks(edges) / new.finite)
    return 1 - float(apart.max())


def _alike(old: str, new: str) -> float:
    """How alike two names are (Ratcliff and Obershelp, as difflib has it), letters' case aside."""
    return SequenceMatcher(None, old.casefold()[:200], new.casefold()[:200], autojunk=False).ratio()
