"""A profile in Markdown, for a pull request: compact tables of columns, parts side by side, numbers, and what should be known.

Invariants: it stays below :data:`LIMIT` characters whatever the table (each section has its share, and says what it leaves out), and what comes from data is
code or escaped text: nothing in it becomes markup, a link, or a mention of someone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mldata import markdown
from mldata.errors import brief
from mldata.plural import counted
from mldata.profile.words import (
    bars,
    described,
    distinct_text,
    duplicate_rows,
    facts,
    glimpse,
    name_text,
    number,
    percent,
    spark,
    teller_of,
    value_text,
)

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile, Correlation, Profile
    from mldata.profile.summary import Value

__all__ = ["LIMIT", "profile_markdown"]

LIMIT = 65_536
"""Characters that GitHub takes for a comment. The shares of the sections add up to less."""
ALERTS, COLUMNS, PARTS, NUMBERS, PAIRS = 10_000, 24_000, 14_000, 10_000, 4_000
MOST_PARTS = 8
"""That are set side by side."""
MOST_PAIRS = 20
STRONG = 0.5
"""A pair of columns that go together less than that is not told."""
NAME, BARS = 80, 12
_SPOKEN = re.compile(r"@|://|www\.", re.IGNORECASE)
"""What GitHub makes links and mentions of, also where Markdown has none."""


def profile_markdown(profile: Profile) -> str:
    """The same for the same profile."""
    return "\n".join(_lines(profile))


def _lines(profile: Profile) -> Iterator[str]:
    yield f"# Profile of {_code(profile.title, 200)}\n"
    yield f"{', '.join(facts(profile))}\n"
    if profile.alerts:
        yield "## Alerts\n"
        yield from _within(ALERTS, map(_alert, _ordered(profile.alerts)), _more)
        yield ""
    if profile.columns:
        yield "## Columns\n"
        yield "| column | type | missing | distinct | | values |"
        yield "|---|---|--:|--:|---|---|"
        yield from _within(COLUMNS, map(_column, profile.columns), _more_columns)
        yield ""
    if profile.parts:
        yield "## Parts\n"
        yield from _parts(profile.columns, profile.parts)
        yield ""
    numbers = [column for column in profile.columns if column.role == "number"]
    if numbers:
        yield "## Numbers\n"
        yield "| column | mean | std | min | 5% | 25% | median | 75% | 95% | max | skewness | outliers |"
        yield "|---" + "|--:" * 11 + "|"
        yield from _within(NUMBERS, map(_numbers, numbers), _more_columns)
        yield ""
    if pairs := list(_pairs(profile.correlations)):
        yield "## What goes together\n"
        yield from _within(PAIRS, pairs[:MOST_PAIRS], _more)
        if len(pairs) > MOST_PAIRS:
            yield _more(len(pairs) - MOST_PAIRS)
        yield ""


def _more_columns(left: int) -> str:
    return f"\nand {counted(left, 'more column')}, which an HTML or JSON report has"


def _more(left: int) -> str:
    return f"- and {left:,} more"


def _within(room: int, lines: Iterable[str], more: Callable[[int], str]) -> Iterator[str]:
    """Lines as long as there is room, then how many are left out."""
    left = 0
    for line in lines:
        room -= _length(line) + 1
        if room < 0:
            left += 1
        else:
            yield line
    if left:
        yield more(left)


def _length(text: str) -> int:
    """Characters as GitHub counts them: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _code(text: str, most: int = NAME) -> str:
    """Text from data as code, also in a table, where a bar would end the cell."""
    return markdown.code(brief(name_text(text), most)).replace("|", "\\|")


def _value(value: Value, most: int) -> str:
    return _code(value_text(value, most), most + 2)


def _ordered(alerts: Sequence[Alert]) -> Sequence[Alert]:
    return sorted(alerts, key=lambda alert: alert.severity != "warning")


def _alert(alert: Alert) -> str:
    about = f"{_code(alert.column)}: " if alert.column is not None else ""
    message = _SPOKEN.sub(_silent, markdown.escaped(brief(alert.message, 300)))
    return f"- {'**warning** ' if alert.severity == 'warning' else ''}{about}{message}"


def _silent(found: re.Match[str]) -> str:
    """The same with a comment inside, which is not shown."""
    return f"{found[0][0]}<!-- -->{found[0][1:]}"


def _column(column: ColumnProfile) -> str:
    told = described(column, _value)[0]
    missing = percent(column.missing) if column.nulls else ""
    drawn = spark(bars(column, BARS), BARS)
    cells = (_code(column.name), _code(column.dtype), missing, distinct_text(column), drawn, told)
    return _row(cells)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _parts(columns: Sequence[ColumnProfile], parts: Mapping[str, Profile]) -> Iterator[str]:
    shown = list(parts)[:MOST_PARTS]
    total = sum(part.rows for part in parts.values())
    some = [parts[name] for name in shown]
    yield _row(["", *(_code(name, 40) for name in shown)])
    yield "|---" + "|--:" * len(shown) + "|"
    yield _row(["rows", *(f"{it.rows:,} ({percent(it.rows / total if total else 0.0)})" for it in some)])
    yield _row(["missing", *(percent(it.missing) for it in some)])
    if any(it.duplicates is not None for it in some):
        yield _row(
            ["duplicate rows", *(duplicate_rows(it.duplicates) if it.duplicates else "" for it in some)]
        )
    by_name = [{column.name: column for column in it.columns} for it in some]
    rows = (
        _row([_code(it.name), *(glimpse(known[it.name], it, _value)[0] for known in by_name)])
        for it in columns
    )
    yield from _within(PARTS, rows, _more_columns)
    if rest := len(parts) - len(shown):
        yield f"\nand {counted(rest, 'more part')}, which an HTML or JSON report has"


def _numbers(column: ColumnProfile) -> str:
    spread = column.spread
    if spread is None or spread.min is None:
        return _row([_code(column.name), *[""] * 11])
    shares = [spread.percentiles.get(share) for share in ("5", "25", "50", "75", "95")]
    tell = teller_of(spread)
    ends = (tell(spread.mean), number(spread.std), tell(spread.min), *map(tell, shares), tell(spread.max))
    return _row([_code(column.name), *ends, number(spread.skewness), number(spread.outliers)])


def _pairs(correlations: Sequence[Correlation]) -> Iterator[str]:
    """Pairs of columns, the strongest of each method first."""
    names = {"pearson": "Pearson", "spearman": "Spearman", "cramers_v": "Cramér's V"}
    for found in correlations:
        pairs = [
            (value, first, second)
            for at, first in enumerate(found.columns)
            for value, second in zip(found.matrix[at][at + 1 :], found.columns[at + 1 :], strict=True)
            if value is not None and abs(value) >= STRONG
        ]
        for value, first, second in sorted(pairs, key=lambda it: -abs(it[0])):
            yield f"- {_code(first)} and {_code(second)}: {value:.2f} ({names.get(found.method, found.method)})"
