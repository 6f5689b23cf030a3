"""How far the rows of one summary have moved from those of another. Nothing but summaries is read.

How each kind of column is compared, and what its severity is told by: ``DRIFT.md`` beside this file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from mldata.drift import bins
from mldata.drift.judged import judged_cells, judged_numbers, written
from mldata.drift.moves import moves
from mldata.drift.report import MAJOR, SEVERITIES, STABLE, ColumnDrift, DriftReport, Thresholds
from mldata.drift.steps import Steps
from mldata.drift.times import clock_of, write_ticks
from mldata.errors import brief
from mldata.plural import counted
from mldata.profile import summary as forms
from mldata.profile.summary import ColumnSummary, Numbers, TableSummary

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["INCOMPARABLE", "compare", "compare_columns"]

CATEGORICAL, INCOMPARABLE = "categorical", "incomparable"
LENGTH, WORDS, VALUES = "length", "words", "values"
"""Facets of texts."""
TYPE = 80
"""Characters of a type that are told."""
ID_SHARE = 0.9
"""Texts of which more than this share are distinct name rows, not classes of rows."""


def compare(
    baseline: TableSummary,
    current: TableSummary,
    thresholds: Thresholds | None = None,
    *,
    names: tuple[str, str] = ("baseline", "current"),
) -> DriftReport:
    """How far ``current`` has moved from ``baseline``, column by column.

    Args:
        names: what is compared, as the report tells it.
    """
    thresholds = thresholds or Thresholds()
    before, after = _named(baseline), _named(current)
    return DriftReport(
        *names,
        baseline.rows,
        current.rows,
        tuple(
            compare_columns(column, after[name], thresholds)
            for name, column in before.items()
            if name in after
        ),
        tuple(column.name for name, column in after.items() if name not in before),
        tuple(column.name for name, column in before.items() if name not in after),
        thresholds,
    )


def _named(table: TableSummary) -> dict[tuple[str, int], ColumnSummary]:
    """Columns by name; those of one name are told apart by their order."""
    seen: Counter[str] = Counter()
    named = {}
    for column in table.columns:
        named[column.name, seen[column.name]] = column
        seen[column.name] += 1
    return named


def compare_columns(baseline: ColumnSummary, current: ColumnSummary, thresholds: Thresholds) -> ColumnDrift:
    """How far a column has moved."""
    made = _compared(baseline, current, thresholds)
    notes = [_type_note(baseline, current), made.note]
    return replace(
        made,
        name=baseline.name,
        note="; ".join(it for it in notes if it is not None) or None,
        moved=tuple(moves(made, baseline, current)) if made.drift_detected else (),
    )


def _type_note(baseline: ColumnSummary, current: ColumnSummary) -> str | None:
    types = baseline.dtype, current.dtype
    if types[0] == types[1]:
        return None
    alike = next(at for at, (old, new) in enumerate(zip_longest(*types)) if old != new)
    if alike > TYPE // 2:  # of a nested type: from the field on that is another one
        first = max(types[0].rfind(", ", 0, alike) + 2, types[0].rfind("<", 0, alike) + 1)
        types = f"…{types[0][first:]}", f"…{types[1][first:]}"
    return f"its type went from {brief(types[0], TYPE)} to {brief(types[1], TYPE)}"


def _compared(baseline: ColumnSummary, current: ColumnSummary, thresholds: Thresholds) -> ColumnDrift:
    kind = _kind(baseline, current)
    if kind is None:
        return ColumnDrift(
            baseline.name, INCOMPARABLE, MAJOR, note="values of these types cannot be compared"
        )
    if not baseline.rows or not current.rows:
        return _without_rows(kind, baseline, current)
    if kind == CATEGORICAL:
        drift = judged_cells(kind, bins.category_cells(baseline, current), thresholds)
        over = current.frequent.over if current.frequent is not None else 0
        return replace(
            drift, note=_joined(drift.note, f"counts may lack up to {over:,} rows" if over else None)
        )
    if kind == forms.BOOLEAN:
        return judged_cells(kind, bins.boolean_cells(baseline, current), thresholds)
    if kind == forms.TEXT:
        return _text(baseline, current, thresholds)
    if kind == forms.OTHER:
        cells = [
            bins.Cell("(present)", baseline.values, current.values),
            bins.Cell(bins.MISSING, baseline.nulls, current.nulls),
        ]
        drift = judged_cells(kind, [it for it in cells if it.baseline or it.current], thresholds)
        return replace(drift, note=_joined(drift.note, "only whether values are missing was compared"))
    return _numbers(kind, baseline, current, thresholds)


def _joined(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _kind(baseline: ColumnSummary, current: ColumnSummary) -> str | None:
    """How two columns are compared; None: they cannot be."""
    kinds = {baseline.kind, current.kind} - {forms.NULL}
    if not kinds:
        return forms.OTHER
    if kinds == {forms.BOOLEAN, forms.NUMERIC}:
        return forms.NUMERIC
    if len(kinds) > 1:
        return None
    [kind] = kinds
    if kind == forms.TIME:
        clocks = [clock_of(side.dtype) for side in (baseline, current) if side.kind == forms.TIME]
        return kind if None not in clocks and len({it.kind for it in clocks if it is not None}) == 1 else None
    if kind == forms.TEXT and _classes(baseline if baseline.kind == forms.TEXT else current):
        return CATEGORICAL
    return forms.OTHER if kind in (forms.STRUCT, forms.OTHER) else kind


def _classes(column: ColumnSummary) -> bool:
    """Whether texts are names of classes that rows are of."""
    if not column.categorical:
        return False
    distinct = column.distinct.estimate if column.distinct is not None else 0
    return distinct <= max(1, ID_SHARE * column.values)


def _without_rows(kind: str, baseline: ColumnSummary, current: ColumnSummary) -> ColumnDrift:
    if baseline.rows == current.rows:
        return ColumnDrift(baseline.name, kind, STABLE, note="there are no rows on either side")
    note = f"there {'is' if baseline.rows == 1 else 'are'} {counted(baseline.rows, 'row')} to compare with {current.rows:,}"
    return ColumnDrift(baseline.name, kind, MAJOR, note=note)


def _numbers(
    kind: str, baseline: ColumnSummary, current: ColumnSummary, thresholds: Thresholds
) -> ColumnDrift:
    sides = baseline, current
    scales, write = _clockwork(sides) if kind == forms.TIME else ((1, 1), written)
    before, after = (
        Steps(side.numbers or Numbers(), scale) for side, scale in zip(sides, scales, strict=True)
    )
    return judged_numbers(kind, before, after, (baseline.nulls, current.nulls), thresholds, write)


def _clockwork(
    sides: tuple[ColumnSummary, ColumnSummary],
) -> tuple[tuple[int, int], Callable[[list[float]], list[str]]]:
    """What the ticks of each side are multiplied with to be of the finer unit of both, and how those are written."""
    clocks = [clock_of(side.dtype) for side in sides]
    finest = max((clock for clock in clocks if clock is not None), key=lambda it: it.per_day)
    scales = [finest.per_day // clock.per_day if clock is not None else 1 for clock in clocks]
    return (scales[0], scales[1]), write_ticks(finest)


def _text(baseline: ColumnSummary, current: ColumnSummary, thresholds: Thresholds) -> ColumnDrift:
    facets = dict(_facets(baseline, current, thresholds))
    worst = max(facets, key=lambda name: (SEVERITIES.index(facets[name].severity), facets[name].psi or 0.0))
    return replace(facets[worst], kind=forms.TEXT, facets=facets)


def _facets(
    baseline: ColumnSummary, current: ColumnSummary, thresholds: Thresholds
) -> Iterator[tuple[str, ColumnDrift]]:
    before, after = (
        Steps(side.texts.lengths if side.texts is not None else Numbers()) for side in (baseline, current)
    )
    nulls = baseline.nulls, current.nulls
    yield LENGTH, replace(judged_numbers(forms.NUMERIC, before, after, nulls, thresholds), name=LENGTH)
    texts = [side.texts or forms.Texts(Numbers()) for side in (baseline, current)]
    words = [side.words for side in texts]
    if all(it.values or it.rest for it in words):
        drawn = "texts", texts[0].looked, texts[1].looked
        drift = judged_cells(CATEGORICAL, bins.frequent_cells(*words), thresholds, drawn=drawn)
        yield WORDS, replace(drift, name=WORDS)
    values = [side.frequent or forms.Frequent() for side in (baseline, current)]
    if all(it.values or it.rest for it in values):
        cells = bins.frequent_cells(*values)
        if len(cells) > 1:
            yield VALUES, replace(judged_cells(CATEGORICAL, cells, thresholds), name=VALUES)
