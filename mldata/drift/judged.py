"""Counts in bins, measured and judged: how severe a change is, and whether it is more than chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mldata.drift.bins import MISSING, Cell, number_cells
from mldata.drift.measures import CONFIDENCE, Distances, distances
from mldata.drift.report import MAJOR, MODERATE, STABLE, Bin, ColumnDrift, Thresholds
from mldata.drift.shapes import shape
from mldata.drift.steps import Pair, Steps, kolmogorov_smirnov, wasserstein
from mldata.drift.wording import shortest

if TYPE_CHECKING:
    Write = Callable[[list[float]], list[str]]

__all__ = ["judged_cells", "judged_numbers", "written"]


def judged_cells(
    kind: str,
    cells: Sequence[Cell],
    thresholds: Thresholds,
    *,
    drawn: tuple[str, int, int] | None = None,
    ks: tuple[float, float] | None = None,
    far: float | None = None,
) -> ColumnDrift:
    """How far counts have moved, without the column's name.

    Args:
        drawn: what was drawn on each side that counts are of, where it is not what is counted: the words of a text are not independent of each other.
        ks: the Kolmogorov-Smirnov statistic and its p-value, of numbers.
        far: the Wasserstein distance, of numbers.
    """
    counts = [cell.baseline for cell in cells], [cell.current for cell in cells]
    what, *sizes = drawn or ("rows", sum(counts[0]), sum(counts[1]))
    found = distances(*counts, thresholds.epsilon, (sizes[0], sizes[1]))
    severity, note = _severity(found.psi, thresholds), None
    if severity != STABLE and _by_chance(found, cells, ks):
        severity = STABLE
        note = f"a PSI that chance alone gives samples of {sizes[0]:,} and {sizes[1]:,} {what}, too"
    return ColumnDrift(
        "",
        kind,
        severity,
        found.psi,
        found.psi_critical,
        found.kl,
        found.js,
        found.hellinger,
        far,
        ks=ks[0] if ks is not None else None,
        ks_p_value=ks[1] if ks is not None else None,
        chi2=found.chi2,
        chi2_p_value=found.chi2_p_value,
        bins=tuple(Bin(*cell, psi) for cell, psi in zip(cells, found.terms, strict=True)),
        note=note,
    )


def _severity(psi: float, thresholds: Thresholds) -> str:
    if psi < thresholds.moderate:
        return STABLE
    return MAJOR if psi > thresholds.major else MODERATE


def _by_chance(found: Distances, cells: Sequence[Cell], ks: tuple[float, float] | None) -> bool:
    """Whether no test tells the two samples apart: one distribution gives samples so small that are so far apart often enough."""
    p_values = [found.chi2_p_value, *([ks[1]] if ks is not None else [])]
    if cells[-1].label == MISSING:  # many bins make little of a column that has lost its values
        before = [sum(cell.baseline for cell in cells[:-1]), cells[-1].baseline]
        after = [sum(cell.current for cell in cells[:-1]), cells[-1].current]
        p_values.append(distances(before, after, 1.0).chi2_p_value)
    return min(p_values) > 1 - CONFIDENCE


def judged_numbers(
    kind: str,
    baseline: Steps,
    current: Steps,
    nulls: tuple[int, int],
    thresholds: Thresholds,
    write: Write | None = None,
) -> ColumnDrift:
    """How far numbers have moved; see :func:`mldata.drift.bins.number_cells`."""
    write = write or written
    cells = number_cells(baseline, current, nulls, thresholds.bins, write)
    pair = Pair(baseline, current)
    ks = kolmogorov_smirnov(pair)
    made = judged_cells(kind, cells, thresholds, ks=ks, far=wasserstein(pair))
    return replace(made, shape=shape(baseline, current, write))


def written(numbers: list[float]) -> list[str]:
    """Numbers with as few digits as tell them apart, six at least."""
    for digits in range(6, 17):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(texts):
            return texts
    return [shortest(number) for number in numbers]
