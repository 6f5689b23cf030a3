"""What whoever uses the data should know: found in what is known of a table and its columns, by the rules of :mod:`mldata.profile.rules`.

An alert is worth reading, or it is not raised: what follows from another one is left out (an empty column is missing, a skewed one has outliers), and
of the columns that mldata makes of files (``path``, ``digest``, ...) only what a reader of the files would want to know is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mldata.checks.wording import percent
from mldata.errors import shown
from mldata.plural import counted
from mldata.profile import numberalerts, textalerts
from mldata.profile import summary as forms
from mldata.profile.correlations import CRAMERS_V, rows_of_both
from mldata.profile.roles import LEAST
from mldata.profile.rules import raised
from mldata.profile.words import estimate

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile, Correlation, Duplicates
    from mldata.profile.summary import ColumnSummary, RowSample, TableSummary

__all__ = ["column_alerts", "correlated", "media_alerts", "table_alerts"]

MEDIA = frozenset(
    {
        "path",
        "digest",
        "size",
        "width",
        "height",
        "mode",
        "orientation",
        "duration",
        "sample_rate",
        "channels",
    }
)
"""Columns that mldata makes of pictures and sounds, which nobody chose."""
FORMATS = ("mode", "sample_rate", "channels")
TOLD_DIGITS = 3
"""Of a correlation: what is equal to so many digits is as close, so that the rounding of sums decides nothing."""
_METHODS = {"pearson": "Pearson", "spearman": "Spearman", CRAMERS_V: "Cramér's V"}


def table_alerts(
    summary: TableSummary, duplicates: Duplicates | None, *, sampled: bool = False
) -> tuple[Alert, ...]:
    """Those about a table, not about a column of it. ``sampled``: the summary is of some of its rows."""
    if not summary.columns or not summary.rows:
        without = "the sample has no rows" if sampled else "it has no rows"
        return raised("empty", 1, without if summary.columns else "it has no columns")
    found: list[Alert] = []
    if duplicates is not None and duplicates.share > 3 * duplicates.error:
        of = percent(duplicates.rows, summary.rows)
        equal = "equals" if duplicates.rows == 1 else "equal"
        rows = f"about {estimate(duplicates.rows)} rows" if duplicates.error else counted(duplicates.rows)
        told = f"{rows} ({of}) {equal} an earlier one in every column"
        found += raised("duplicates", duplicates.share, told)
    for name, count in Counter(column.name for column in summary.columns).items():
        found += raised("same-name", count, f"{count} columns are called {shown(name)}")
    return tuple(found)


def column_alerts(column: ColumnSummary, told: ColumnProfile) -> Iterator[Alert]:
    """Those about a column that the data's owner has chosen."""
    values, name = column.values, column.name
    if not values:
        yield from raised("empty", 1 if column.rows else 0, "every value is null", name)
        return
    yield from raised("missing", told.missing, _missing(column), name)
    if told.role == "constant":
        special = (*numberalerts.special_alerts(column, told),)
        yield from special or raised("constant", values, _constant(told), name)
        return
    if told.role == "id":
        yield from raised("likely-id", values, "every value is different: it looks like an id", name)
    if column.kind in (forms.NUMERIC, forms.TIME):
        yield from numberalerts.alerts_of(column, told)
    if column.kind in (forms.NUMERIC, forms.BOOLEAN, forms.TEXT):
        yield from textalerts.class_alerts(column, told)
    if column.kind == forms.TEXT:
        yield from textalerts.alerts_of(column, told)


def media_alerts(column: ColumnSummary, told: ColumnProfile) -> Iterator[Alert]:
    """Those about a column of facts of files, which are constant or all different as a rule."""
    if column.name == "digest" and told.distinct is not None and not told.distinct_error:
        again = column.values - told.distinct
        has = "has" if again == 1 else "have"
        yield from raised(
            "duplicate-files", again, f"{counted(again, 'file')} {has} the bytes of another", column.name
        )
    if column.name in FORMATS and told.distinct is not None:
        most = ", ".join(f"{it.value} ({it.count:,})" for it in told.top[:3])
        yield from raised("mixed-format", told.distinct, f"files differ in it: {most}", column.name)


def correlated(found: Sequence[Correlation], sample: RowSample | None) -> Mapping[str, tuple[Alert, ...]]:
    """By column: those that go closely with a column before them, in the rows of ``sample`` that have both. One alert a column, however many these are."""
    best: dict[str, tuple[float, str, str, set[str]]] = {}
    if sample is None:
        return {}
    for told in found:
        together = rows_of_both(sample, told.method)
        for row, name in enumerate(told.columns):
            for other, value in zip(told.columns[:row], told.matrix[row], strict=False):
                if value is None or not raised("correlated", abs(value), "") or together(name, other) < LEAST:
                    continue
                known = best.get(name, (0.0, "", "", set()))
                among = known[3] | {other}
                closer = round(abs(value), TOLD_DIGITS) > round(abs(known[0]), TOLD_DIGITS)
                best[name] = (value, other, told.method, among) if closer else (*known[:3], among)
    return {name: _goes_with(name, *known) for name, known in best.items()}


def _goes_with(name: str, value: float, other: str, method: str, among: set[str]) -> tuple[Alert, ...]:
    more = f", and with {counted(len(among) - 1, 'other column')}" if len(among) > 1 else ""
    return raised(
        "correlated",
        abs(value),
        f"it goes with {shown(other)} ({_METHODS[method]} {value:.{TOLD_DIGITS}f}){more}",
        name,
    )


def _missing(column: ColumnSummary) -> str:
    return f"{percent(column.nulls, column.rows)} of the values are missing"


def _constant(told: ColumnProfile) -> str:
    if not told.top:
        return "every value is the same"
    return f"every value is {shown(told.top[0].value)}"
