"""Alerts of classes (categories, booleans, integers of few values) and of texts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mldata.checks.placeholders import TEXTS as PLACEHOLDERS
from mldata.checks.wording import percent
from mldata.errors import shown
from mldata.plural import counted
from mldata.profile import summary as forms
from mldata.profile.numberalerts import CLASSES
from mldata.profile.roles import LEAST, all_different, is_integer
from mldata.profile.rules import raised

if TYPE_CHECKING:
    from mldata.profile.profile import Alert, ColumnProfile
    from mldata.profile.summary import ColumnSummary, Frequent, Texts, Value

__all__ = ["alerts_of", "class_alerts"]

MANY = 50
"""Classes among which an imbalance means something."""
SHORT = 50
"""Characters that a name has on average at most."""
LOOKED = 3
"""Texts that it takes to say what they look like."""
LOOKS = {
    "dates-in-text": (("date", "datetime"), "dates or times"),
    "numbers-in-text": (("number",), "numbers"),
    "booleans-in-text": (("boolean",), "booleans"),
}


def class_alerts(column: ColumnSummary, told: ColumnProfile) -> Iterator[Alert]:
    """What to know of classes."""
    frequent, count = column.frequent, told.distinct or 0
    named = told.role in ("category", "boolean")
    if column.kind == forms.NUMERIC:
        named = is_integer(column.dtype) and count <= CLASSES
    if frequent is None or not frequent.complete or not named or column.values < LEAST:
        return
    if 2 <= count <= MANY:
        most = frequent.values[0]
        told_as = f"{percent(most[1], column.values)} of the values are {_shown(most[0])}, one of {count}"
        yield from raised("imbalance", _uneven(frequent), told_as, column.name)


def alerts_of(column: ColumnSummary, told: ColumnProfile) -> Iterator[Alert]:
    """What to know of texts."""
    texts, name, values = column.texts, column.name, column.values
    if texts is None:
        return
    looks: list[Alert] = []
    for code, (kinds, what) in LOOKS.items():
        found = sum(texts.looks.get(kind, 0) for kind in kinds)
        share = found / texts.looked if texts.looked >= LOOKED else 0.0
        looks += raised(code, share, f"{percent(found, texts.looked)} of the texts look like {what}", name)
    yield from looks
    blank = texts.blank + texts.empty
    yield from raised("blank", blank, f"{_texts(blank)} empty, or nothing but white space", name)
    if told.role in ("category", "id"):
        has = f"{counted(texts.padded, 'value')} {'has' if texts.padded == 1 else 'have'} white space"
        yield from raised("padded", texts.padded, f"{has} before or after", name)
    if column.frequent is not None:
        yield from _placeholders(column.frequent, name)
        if told.role == "category" and column.frequent.complete:
            yield from _variants(column.frequent, name)
    if not looks and told.role != "id" and _short(texts):
        yield from _names(column, told, texts, values)


def _names(column: ColumnSummary, told: ColumnProfile, texts: Texts, values: int) -> Iterator[Alert]:
    different, name = told.distinct or 0, column.name
    if all_different(column):
        yield from raised("all-distinct", values, "every text is different", name)
    elif 2 * different <= values:
        about = "about " if told.distinct_error else ""
        yield from raised(
            "high-cardinality", different, f"it has {about}{different:,} different values", name
        )
    length = texts.lengths.maximum
    if told.role == "text" and texts.lengths.minimum == length:
        yield from raised(
            "constant-length", values, f"every text has {counted(int(length or 0), 'character')}", name
        )


def _placeholders(frequent: Frequent, name: str) -> Iterator[Alert]:
    found = [
        (value, count)
        for value, count in frequent.values
        if str(value).strip() in PLACEHOLDERS and str(value).strip()
    ]
    if found and len(frequent.values) > len(found):
        most = ", ".join(f"{_shown(value)} ({counted(count, 'time')})" for value, count in found[:3])
        yield from raised("placeholders", len(found), f"{most} may stand for a missing value", name)


def _variants(frequent: Frequent, name: str) -> Iterator[Alert]:
    """Categories that differ in case or white space alone."""
    groups: dict[str, list[Value]] = {}
    for value in frequent.counts():
        groups.setdefault(" ".join(str(value).casefold().split()), []).append(value)
    alike = [group for group in groups.values() if len(group) > 1]
    if alike:
        pair = " and ".join(map(_shown, alike[0][:2]))
        more = sum(len(group) - 1 for group in alike) - 1
        rest = f", as {'does' if more == 1 else 'do'} {counted(more, 'other value')}" if more else ""
        told = f"{pair} differ in case or white space alone{rest}"
        yield from raised("case-variants", more + 1, told, name)


def _uneven(frequent: Frequent) -> float:
    """1 - H / log k: 0 where all k classes have as many rows, 1 where one has all (H is Shannon's entropy)."""
    total = sum(count for _, count in frequent.values)
    entropy = -sum(count / total * math.log(count / total) for _, count in frequent.values)
    return min(max(1 - entropy / math.log(len(frequent.values)), 0.0), 1.0)


def _short(texts: Texts) -> bool:
    return (texts.lengths.mean or 0.0) <= SHORT


def _texts(count: int) -> str:
    return f"{counted(count, 'text')} {'is' if count == 1 else 'are'}"


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else shown(value)
