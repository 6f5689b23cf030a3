"""How columns go together, two by two, in a sample of rows.

=================  ==========================================================================================================
method             what it is
=================  ==========================================================================================================
``pearson``        the product-moment coefficient, of numbers, booleans (0 and 1) and times (ticks)
``spearman``       the same of ranks, equal values having the mean of theirs (Spearman, "The proof and measurement of association
                   between two things", 1904)
``cramers_v``      Cramer's V of categories and booleans, corrected for its bias (Bergsma, "A bias-correction for Cramer's V and
                   Tschuprow's T", 2013)
=================  ==========================================================================================================

Each pair is computed from the rows in which both columns have a value (ranks anew among these), and told from :data:`LEAST` such rows on. Columns that are
constant in the sample have no coefficient and are left out; so are categories of more than :data:`CLASSES` values, and columns that share a name,
as the sample knows them by it. Of more than :data:`COLUMNS` others those with the most values are taken, the first ones where these are equal.

Invariant: every coefficient is between -1 and 1, or None; the matrix is symmetric, with 1 on its diagonal.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from mldata.profile.profile import Correlation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mldata.profile.summary import RowSample, TableSummary

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "CLASSES",
    "COLUMNS",
    "CRAMERS_V",
    "LEAST",
    "PEARSON",
    "SPEARMAN",
    "correlations_of",
    "rows_of_both",
]

PEARSON, SPEARMAN, CRAMERS_V = "pearson", "spearman", "cramers_v"
COLUMNS = 50
CLASSES = 100
LEAST = 3
"""Rows: any two have a coefficient of 1 or -1."""


def correlations_of(summary: TableSummary) -> tuple[Correlation, ...]:
    """Those of a table's sample, by method; none where fewer than two columns have one."""
    sample = summary.sample
    if sample is None or sample.rows < LEAST:
        return ()
    known = Counter(column.name for column in summary.columns)
    once = [column for column in summary.columns if known[column.name] == 1]
    numbers = {it.name: sample.numbers[it.name] for it in once if it.name in sample.numbers}
    classes = {it.name: sample.codes[it.name] for it in once if it.categorical and it.name in sample.codes}
    told = []
    names, rest = _chosen({name: np.isfinite(it) for name, it in numbers.items() if _varies(it)})
    if len(names) > 1:
        values = [numbers[name] for name in names]
        told += [
            Correlation(PEARSON, names, _matrix(_pearson(values), len(names)), sample.rows, rest),
            Correlation(SPEARMAN, names, _matrix(_spearman(values), len(names)), sample.rows, rest),
        ]
    coded = {name: found for name, it in classes.items() if (found := _coded(it)) is not None}
    names, rest = _chosen({name: it >= 0 for name, it in coded.items()})
    if len(names) > 1:
        matrix = _matrix(_cramers_v([coded[name] for name in names]), len(names))
        told.append(Correlation(CRAMERS_V, names, matrix, sample.rows, rest))
    return tuple(told)


def rows_of_both(sample: RowSample, method: str) -> Callable[[str, str], int]:
    """From how many rows of a sample the coefficient of two columns is, by their names."""

    @cache
    def known(name: str) -> NDArray[np.bool_]:
        found: NDArray[np.bool_]
        found = sample.codes[name] != 0 if method == CRAMERS_V else np.isfinite(sample.numbers[name])
        return found

    return lambda first, second: int(np.count_nonzero(known(first) & known(second)))


def _chosen(known: Mapping[str, NDArray[np.bool_]]) -> tuple[tuple[str, ...], int]:
    """Names of the columns to take, in order; and how many others there are."""
    ranked = sorted(known, key=lambda name: -int(known[name].sum()))[:COLUMNS]
    return tuple(name for name in known if name in set(ranked)), len(known) - len(ranked)


def _varies(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    return len(finite) >= LEAST and bool((finite != finite[0]).any())


def _matrix(pair: Callable[[int, int], float | None], count: int) -> tuple[tuple[float | None, ...], ...]:
    made: list[list[float | None]] = [[1.0] * count for _ in range(count)]
    for first in range(count):
        for second in range(first):
            found = pair(first, second)
            if found is not None:
                found = max(-1.0, min(1.0, found)) if math.isfinite(found) else None
            made[first][second] = made[second][first] = found
    return tuple(map(tuple, made))


def _pearson(columns: Sequence[Floats]) -> Callable[[int, int], float | None]:
    scaled = [_scaled(column) for column in columns]
    finite = [np.isfinite(column) for column in columns]

    def pair(first: int, second: int) -> float | None:
        both = finite[first] & finite[second]
        return _coefficient(scaled[first][both], scaled[second][both])

    return pair


def _scaled(values: Floats) -> Floats:
    """Numbers moved and shrunk to between -1 and 1, which no coefficient sees, so that no square overflows or vanishes."""
    finite = np.isfinite(values)
    low, high = float(values[finite].min()), float(values[finite].max())
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    with np.errstate(invalid="ignore"):
        return (
            np.where(finite, (values - middle) / half, np.nan) if half > 0 else np.where(finite, 0.0, np.nan)
        )


def _coefficient(first: Floats, second: Floats) -> float | None:
    if len(first) < LEAST or first.min() == first.max() or second.min() == second.max():
        return None
    first, second = first - first.mean(), second - second.mean()
    apart = math.sqrt(float(first @ first)) * math.sqrt(float(second @ second))
    return float(first @ second) / apart if apart > 0 else None


def _spearman(columns: Sequence[Floats]) -> Callable[[int, int], float | None]:
    finite = [np.isfinite(column) for column in columns]
    codes = [_dense(column, known) for column, known in zip(columns, finite, strict=True)]
    ranks = [_ranks(code[known]) for code, known in zip(codes, finite, strict=True)]

    def among(number: int, both: NDArray[np.bool_], count: int) -> Floats:
        return ranks[number] if count == len(ranks[number]) else _ranks(codes[number][both])

    def pair(first: int, second: int) -> float | None:
        both = finite[first] & finite[second]
        count = int(both.sum())
        if count < LEAST:
            return None
        return _coefficient(among(first, both, count), among(second, both, count))

    return pair


def _dense(values: Floats, known: NDArray[np.bool_]) -> Ints:
    """Places of the values among the different ones, so that ranks of any rows need no more sorting."""
    made = np.zeros(len(values), np.int64)
    made[known] = np.unique(values[known], return_inverse=True)[1]
    return made


def _ranks(codes: Ints) -> Floats:
    """Mean ranks, times two: the coefficient does not see by what they are multiplied."""
    counts = np.bincount(codes)
    ends = np.cumsum(counts)
    made: Floats = (2 * ends - counts + 1).astype(np.float64)[codes]
    return made


def _coded(hashes: NDArray[np.uint64]) -> Ints | None:
    """Numbers of the values from 0 on, -1 for null; None: there are not two of them, or too many."""
    values, codes = np.unique(hashes, return_inverse=True)
    null = len(values) > 0 and values[0] == 0
    if not 2 <= len(values) - null <= CLASSES:
        return None
    made: Ints = codes.astype(np.int64) - int(null)
    return made


def _cramers_v(columns: Sequence[Ints]) -> Callable[[int, int], float | None]:
    def pair(first: int, second: int) -> float | None:
        one, other = columns[first], columns[second]
        both = (one >= 0) & (other >= 0)
        if int(both.sum()) < LEAST:
            return None
        width = int(other.max()) + 1
        flat = np.bincount(one[both] * width + other[both], minlength=(int(one.max()) + 1) * width)
        return _corrected(flat.reshape(-1, width).astype(np.float64))

    return pair


def _corrected(table: Floats) -> float | None:
    """Bias-corrected V of a table of counts; None: it has a single row or column."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return None
    count = float(table.sum())
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / count
    square = float(((table - expected) ** 2 / expected).sum()) / count
    square = max(0.0, square - (rows - 1) * (columns - 1) / (count - 1))
    least = min(rows - (rows - 1) ** 2 / (count - 1), columns - (columns - 1) ** 2 / (count - 1)) - 1
    return math.sqrt(square / least) if least > 0 else None
