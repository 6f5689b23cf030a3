"""Guesses which columns were renamed, by what is known of their values: the summaries of both tables, no row is read.

How alike two columns of one kind are is the weighted mean of what can be compared of: shares of frequent values, quantiles (one less the Kolmogorov-Smirnov
distance), lengths and classes of characters of texts, the share of distinct values, the share of nulls. Columns of few numbers (flags, ratings) are
often alike without being the same: of them closeness counts only within :data:`EXACT`, or as far as the names are alike, too.

Invariant: each column is in one guess at most, guesses are taken from the most alike down, and equal scores are told apart by names, then by places: equal
summaries give equal guesses. No guess is made below :data:`THRESHOLD`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mldata.profile.summary import NULL, OTHER, STRUCT, TEXT, ColumnSummary, Numbers
from store import digest_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXACT", "PAIRS", "THRESHOLD", "Guess", "guess_renames", "likeness"]

THRESHOLD = 0.8
"""Two columns are taken for one from this score on: one of which a quarter of the rows moved out of reach passes, two normal ones a standard deviation apart do not."""
EXACT = 0.05
"""Columns of few numbers are no evidence unless they are closer than this to equal."""
TELLING_BITS = 4
"""Numbers of 16 distinct values on are telling by themselves."""
PAIRS = 5_000
"""At most so many pairs are compared, those whose shares of nulls and of distinct values, and places, are nearest: tables of thousands of columns take a second or two."""
REPEATED = 0.5
"""Share of distinct values from which on values hardly come again: then two samples of one distribution may have none in common."""
EDGES = 512
"""Numbers of a column at which distributions are compared; what lies between is off by a share of 1/512 at most."""


class Guess(NamedTuple):
    """Places of two columns in what was given, and how alike they are."""

    old: int
    new: int
    score: float


def guess_renames(gone: Sequence[ColumnSummary], fresh: Sequence[ColumnSummary]) -> list[Guess]:
    """Which of the columns that are gone are which of those that are new; in the order of ``gone``."""
    before, after = list(map(_Look, gone)), list(map(_Look, fresh))
    scored = []
    for old, new in (*_equal(before, after), *_pairs(before, after)):
        score = _likeness(before[old], after[new])
        if score >= THRESHOLD:
            scored.append((-score, -_alike(gone[old].name, fresh[new].name), abs(old - new), old, new))
    found: dict[int, Guess] = {}
    taken: set[int] = set()
    for score, _, _, old, new in sorted(scored):
        if old not in found and new not in taken:
            found[old] = Guess(old, new, round(-score, 4))
            taken.add(new)
    return [found[old] for old in sorted(found)]


def likeness(old: ColumnSummary, new: ColumnSummary) -> float:
    """How sure it is that two columns are one under two names, from 0 to 1; 0 of columns of two kinds, or without a value."""
    return _likeness(_Look(old), _Look(new))


class _Curve:
    """A distribution function."""

    def __init__(self, numbers: Numbers) -> None:
        self.points = numbers.points
        self.shares = np.concatenate([np.zeros(1), np.cumsum(numbers.weights) / numbers.finite])
        self.edges: NDArray[np.float64] = self.points[:: -(-len(self.points) // EDGES)]

    def at(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of numbers at or below each of ``edges``."""
        found: NDArray[np.float64] = self.shares[np.searchsorted(self.points, edges, side="right")]
        return found


class _Look:
    """A column as it is compared; what takes time is worked out once, when it is needed."""

    def __init__(self, column: ColumnSummary) -> None:
        self.column = column
        self.known = bool(column.values) and column.kind not in (NULL, OTHER, STRUCT)
        self.nulls = column.nulls / column.rows if column.rows else 0.0
        distinct = column.distinct.estimate if column.distinct is not None else 0
        self.distinct = min(1.0, distinct / column.values) if column.values else 0.0
        # How much the values alone say about which column it is: texts are words, a flag is one bit.
        bits = 1.0 if column.kind == TEXT else math.log2(max(distinct, 1)) / TELLING_BITS
        self.telling = min(1.0, bits)

    @cached_property
    def frequent(self) -> Mapping[Any, int] | None:
        """Values that stand for most of the rows, with their counts; None where frequent ones do not."""
        frequent = self.column.frequent
        if frequent is None or sum(count for _, count in frequent.values) <= frequent.rest:
            return None
        return frequent.counts()

    @cached_property
    def characters(self) -> Mapping[str, int] | None:
        return self.column.texts.characters if self.column.texts is not None else None

    @cached_property
    def numbers(self) -> _Curve | None:
        return _curve(self.column.numbers)

    @cached_property
    def lengths(self) -> _Curve | None:
        return _curve(self.column.texts.lengths) if self.column.texts is not None else None

    def token(self) -> Hashable:
        """Equal for columns of which nothing but the name, or the type within its kind, is known to differ."""
        it = self.column
        spreads = (it.numbers, it.texts.lengths if it.texts is not None else None)
        arrays = (array for found in spreads if found is not None for array in (found.points, found.weights))
        digests = tuple(digest_bytes(np.ascontiguousarray(array).tobytes()) for array in arrays)
        values = tuple(it.frequent.values) if it.frequent is not None else ()
        return it.kind, it.rows, it.nulls, it.distinct, values, digests


def _curve(numbers: Numbers | None) -> _Curve | None:
    return _Curve(numbers) if numbers is not None and numbers.finite else None


def _equal(gone: Sequence[_Look], fresh: Sequence[_Look]) -> Iterator[tuple[int, int]]:
    """Columns that have one and the same token, and no others have it: they need no look at any other. They are out of what is compared then."""
    by_token: defaultdict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, looks in enumerate((gone, fresh)):
        for number, look in enumerate(looks):
            if look.known:
                by_token[look.token()][side].append(number)
    for olds, news in by_token.values():
        if len(olds) == len(news) == 1 and _likeness(gone[olds[0]], fresh[news[0]]) >= THRESHOLD:
            gone[olds[0]].known = fresh[news[0]].known = False
            yield olds[0], news[0]


def _pairs(gone: Sequence[_Look], fresh: Sequence[_Look]) -> Iterator[tuple[int, int]]:
    """Which columns are worth a look: of one kind, with values; at most :data:`PAIRS` of them."""
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for new, look in enumerate(fresh):
        if look.known:
            by_kind[look.column.kind].append(new)
    likely = [old for old, look in enumerate(gone) if look.known and by_kind[look.column.kind]]
    total = sum(len(by_kind[gone[old].column.kind]) for old in likely)
    each = max(1, PAIRS // len(likely)) if total > PAIRS else total
    shares = np.array([(look.nulls, look.distinct) for look in fresh]).reshape(-1, 2)
    for old in likely:
        fellows = np.array(by_kind[gone[old].column.kind])
        if len(fellows) > each:
            far = np.abs(shares[fellows] - (gone[old].nulls, gone[old].distinct)).sum(axis=1).round(2)
            fellows = fellows[np.lexsort((fellows, np.abs(fellows - old), far))]
        yield from ((old, new) for new in fellows[:each].tolist())


def _likeness(old: _Look, new: _Look) -> float:
    if old.column.kind != new.column.kind or not old.column.values or not new.column.values:
        return 0.0
    found = [(1, 1 - abs(old.nulls - new.nulls)), (1, 1 - abs(old.distinct - new.distinct))]
    common = _common(old.frequent, new.frequent)
    if common is not None and (common >= REPEATED or max(old.distinct, new.distinct) <= REPEATED):
        found.append((4, common))
    for weight, alike in (
        (4, _near(old.numbers, new.numbers)),
        (2, _near(old.lengths, new.lengths)),
        (2, _common(old.characters, new.characters)),
    ):
        if alike is not None:
            found.append((weight, alike))
    content = min(1.0, sum(weight * alike for weight, alike in found) / sum(weight for weight, _ in found))
    telling = min(old.telling, new.telling)
    if telling == 1:
        return content
    exact = max(0.0, 1 - (1 - content) / EXACT)
    return content * (telling + (1 - telling) * max(exact, _alike(old.column.name, new.column.name)))


def _common(old: Mapping[Any, int] | None, new: Mapping[Any, int] | None) -> float | None:
    """The common part of two shares (one less the total variation distance); None where there are none."""
    if not old or not new:
        return None
    before, after = sum(old.values()), sum(new.values())
    if not before or not after:
        return None
    return sum(min(old[value] / before, new[value] / after) for value in old if value in new)


def _near(old: _Curve | None, new: _Curve | None) -> float | None:
    """One less the greatest difference of the two distribution functions."""
    if old is None or new is None:
        return None
    edges = np.concatenate([old.edges, new.edges])
    return 1 - float(np.abs(old.at(edges) - new.at(edges)).max())


def _alike(old: str, new: str) -> float:
    """How alike two names are (Ratcliff and Obershelp, as difflib has it), letters' case aside."""
    return SequenceMatcher(None, old.casefold()[:200], new.casefold()[:200], autojunk=False).ratio()
