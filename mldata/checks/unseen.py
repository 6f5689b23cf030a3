"""Categories that other parts have and the training part has not: what a model is asked about and was never shown.

A column of text is one of categories if it has few distinct values, which come again: at most :data:`MOST_VALUES`, of ten rows each on average. Numbers are
not compared so: that a rare one is in one part only is chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mldata.checks.base import ERROR, KEPT, WARNING, Finding, Subject, allows
from mldata.checks.categories import Category, categories
from mldata.checks.textmarks import is_text
from mldata.checks.wording import SHOWN_CHARACTERS
from mldata.plural import counted
from mldata.yamlkey import yaml_key

__all__ = ["MOST_VALUES", "compared_columns", "unseen_categories"]

MOST_VALUES = 1000
_ROWS_EACH = 10
_TRAINING = ("train", "training")
"""Names of the part that a model learns from."""


def training_part(subject: Subject) -> str | None:
    """The part that a model learns from; None: none is called so (folds are learned from by turns)."""
    if not subject.split or len(subject.parts) < 2:
        return None
    return next((name for name in _TRAINING if name in subject.parts), None)


def compared_columns(subject: Subject) -> list[str]:
    """Columns whose values are compared between parts."""
    if training_part(subject) is None:
        return []
    return [it.name for it in subject.schema if is_text(it.type)]


def unseen_categories(
    subject: Subject, column: str, merged: Sequence[Sequence[Any]] | None, limit: int | str | None
) -> Iterator[Finding]:
    """What other parts have alone. ``limit``: how many rows may be so; None: none, as a warning."""
    train = training_part(subject)
    if merged is None or train is None:
        return
    found = [it for it in categories(merged) if it.value is not None]
    if len(found) * _ROWS_EACH > sum(it.rows for it in found):
        return
    new = [it for it in found if it.parts and train not in it.parts]
    rows = sum(sum(it.parts.values()) for it in new)
    if allows(0 if limit is None else limit, rows, subject.rows):
        return
    parts: dict[str, int] = {}
    for it in new:
        for part, count in it.parts.items():
            parts[part] = parts.get(part, 0) + count
    more = f" and {len(new) - KEPT} more" if len(new) > KEPT else ""
    first = sorted((it.place(min(it.first, key=it.first.__getitem__)) for it in new), key=lambda it: it.row)
    yield Finding(
        WARNING if limit is None else ERROR,
        "unseen",
        f"{column!r} has {counted(len(new), 'value')} that part '{train}' lacks, in {counted(rows)} of other parts: "
        f"{', '.join(map(_named, new[:KEPT]))}{more}",
        f"Split so that '{train}' has some of each (`split: {{stratify: {yaml_key(column)}}}`), join rare values, or allow it: "
        "`schema: {unseen: N}` under `validate:`",
        column=column,
        rows=rows,
        parts=subject.in_order(parts),
        places=tuple(first[:KEPT]),
    )


def _named(it: Category) -> str:
    text = repr(it.value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
