"""From what is known of a table to what is told of it: a profile, made of summaries alone.

Invariant: equal summaries give equal profiles; no number is NaN or infinite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mldata.profile import summary as forms
from mldata.profile.alerts import MEDIA, column_alerts, correlated, media_alerts, table_alerts
from mldata.profile.clocks import clock_of
from mldata.profile.correlations import correlations_of
from mldata.profile.kinds import plain_type
from mldata.profile.profile import ColumnProfile, Duplicates, Profile, TextProfile, Top
from mldata.profile.roles import role_of
from mldata.profile.spreads import spread_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from mldata.profile.profile import Correlation, Preview
    from mldata.profile.summary import ColumnSummary, Frequent, TableSummary, Texts

__all__ = ["TOP", "make_profile"]

MEDIA_KINDS = ("images", "audio")
TOP = 20
"""Frequent values that are told of a column, and patterns of missing values of a table."""


class Summaries(Protocol):
    """See :class:`mldata.profiling.Summaries`."""

    @property
    def whole(self) -> TableSummary: ...

    @property
    def parts(self) -> Mapping[str, TableSummary]: ...


def make_profile(
    title: str,
    kind: str,
    summaries: Summaries,
    *,
    schema: pa.Schema | None = None,
    size: int | None = None,
    preview: Preview | None = None,
    share: float = 1.0,
) -> Profile:
    """The profile of a table and of its parts.

    Args:
        title: what it is called.
        kind: ``tabular``, ``images`` or ``audio``.
        summaries: of all rows that are meant, and of each part where parts are compared.
        schema: of the table; tells the units of times that an extension type wraps. None: types are taken as the summary names them.
        size: bytes of the table as it is stored.
        preview: a few rows as they are.
        share: of the rows that the summaries are of, where they are of a sample.
    """
    found = correlations_of(summaries.whole)
    whole = _told(title, kind, summaries.whole, schema, share, correlations=found)
    parts = {
        part: _told(part, kind, summary, schema, share, like=whole.columns)
        for part, summary in summaries.parts.items()
    }
    return replace(whole, size=size, preview=preview, parts=parts)


def _told(
    title: str,
    kind: str,
    summary: TableSummary,
    schema: pa.Schema | None,
    share: float,
    *,
    like: Sequence[ColumnProfile] = (),
    correlations: Sequence[Correlation] = (),
) -> Profile:
    """A table or a part, with histograms over the bins of ``like``, so that parts can be laid over the whole."""
    columns, duplicates, together = [], _duplicates(summary), correlated(correlations, summary.sample)
    for number, column in enumerate(summary.columns):
        dtype = column.dtype if schema is None else str(plain_type(schema.field(number).type))
        told = _column(column, dtype, like[number] if like else None)
        if kind in MEDIA_KINDS and column.name in MEDIA:
            alerts = tuple(media_alerts(column, told))
        else:
            alerts = (*column_alerts(column, told), *together.get(column.name, ()))
        columns.append(replace(told, alerts=alerts))
    values = summary.rows * len(columns)
    return Profile(
        title,
        kind,
        summary.rows,
        tuple(columns),
        share=share,
        missing=sum(column.nulls for column in columns) / values if values else 0.0,
        missing_patterns=tuple(summary.missing[:TOP]),
        duplicates=duplicates,
        correlations=correlations,
        alerts=(
            *table_alerts(summary, duplicates, sampled=share < 1),
            *(alert for column in columns for alert in column.alerts),
        ),
    )


def _duplicates(summary: TableSummary) -> Duplicates | None:
    if summary.distinct_rows is None:
        return None
    rows = max(summary.rows - summary.distinct_rows.estimate, 0)
    return Duplicates(rows, rows / summary.rows if summary.rows else 0.0, summary.distinct_rows.error)


def _column(column: ColumnSummary, dtype: str, like: ColumnProfile | None) -> ColumnProfile:
    clock = clock_of(dtype) if column.kind == forms.TIME else None
    distinct = None if column.distinct is None else min(column.distinct.estimate, column.values)
    spread = lengths = None
    if column.numbers is not None and column.kind in (forms.NUMERIC, forms.TIME):
        spread = spread_of(column.numbers, clock, like.spread if like is not None else None)
    elif column.numbers is not None and column.kind in (forms.LIST, forms.BINARY):
        lengths = spread_of(column.numbers, None, like.lengths if like is not None else None)
    top = _top(column.frequent, column.values)
    return ColumnProfile(
        column.name,
        column.dtype,
        column.kind,
        role_of(column),
        column.nullable,
        column.rows,
        column.nulls,
        column.nulls / column.rows if column.rows else 0.0,
        distinct,
        column.distinct.error if column.distinct is not None else 0.0,
        distinct / column.values if distinct is not None and column.values else None,
        spread=spread,
        lengths=lengths,
        text=_text(column.texts, like.text if like is not None else None) if column.texts else None,
        top=top,
        top_rest=column.values - sum(it.count for it in top) if column.frequent is not None else 0,
        top_over=column.frequent.over if column.frequent is not None else 0,
    )


def _top(frequent: Frequent | None, values: int) -> tuple[Top, ...]:
    """The most frequent values that are certain to be. None are where more than :data:`TOP` are there once each: which ones are told would mean nothing."""
    if frequent is None or not values:
        return ()
    listed = [(value, count) for value, count in frequent.counts().items() if count > frequent.over]
    if not listed or (listed[0][1] == 1 and len(frequent.values) > TOP):
        return ()
    return tuple(
        Top(value, count, count / values)
        for value, count in listed[:TOP]
        if not isinstance(value, float) or math.isfinite(value)
    )


def _text(texts: Texts, like: TextProfile | None) -> TextProfile:
    words = sum(count for _, count in texts.words.values) + texts.words.rest
    return TextProfile(
        spread_of(texts.lengths, None, like.lengths if like is not None else None),
        texts.empty,
        texts.blank,
        texts.padded,
        dict(texts.characters),
        {look: count / texts.looked for look, count in texts.looks.items() if count} if texts.looked else {},
        tuple(Top(word, count, count / words) for word, count in texts.words.values[:TOP]),
        texts.looked,
    )
