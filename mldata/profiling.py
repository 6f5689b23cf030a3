"""Summaries of what a command is about: made by the profile stage, or taken from the store where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mldata.knownsummaries import made_summaries
from mldata.profile.output import read_parts, read_whole

if TYPE_CHECKING:
    from mldata.profile.profile import Profile
    from mldata.profile.summary import TableSummary
    from mldata.subjects import Subject
    from store import Digest

__all__ = ["Summaries", "profile_subject", "summarize_parts", "summarize_subject"]


@dataclass(frozen=True)
class Summaries:
    """What is known of a subject."""

    whole: TableSummary
    """Of all rows; of a subject that is a part of something, of that part."""
    parts: Mapping[str, TableSummary] = field(default_factory=dict)
    """By part in order, where they were asked for and it is split."""


def summarize_subject(subject: Subject, *, parts: bool = False, sample: float = 1.0) -> Summaries:
    """What is known of the rows of a subject; only fragments that were never seen are read.

    Args:
        parts: each part by itself, too. A subject that is a part has none.
        sample: the share of the rows that is looked at, always the same ones (see :mod:`mldata.stages.sketching`).

    Raises:
        MldataError, store.StoreError: the table cannot be read.
    """
    if subject.part is not None:
        return Summaries(summarize_parts(subject, subject.part, sample=sample)[subject.part])
    names = subject.parts if parts else ()
    made = _make(subject, {"parts": bool(names)}, sample)
    found = read_parts(subject.store, made, range(len(names))) if names else ()
    return Summaries(read_whole(subject.store, made), dict(zip(names, found, strict=True)))


def summarize_parts(subject: Subject, *names: str, sample: float = 1.0) -> dict[str, TableSummary]:
    """What is known of some parts of a subject, which has them; other rows are not looked at. Raises as :func:`summarize_subject`."""
    numbers = [subject.parts.index(name) for name in names]
    made = _make(subject, {"only": sorted(set(numbers))}, sample)
    return dict(zip(names, read_parts(subject.store, made, numbers), strict=True))


def profile_subject(
    subject: Subject, *, parts: bool = False, sample: float = 1.0, columns: Sequence[str] | None = None
) -> Profile:
    """The profile of a subject, with a preview.

    Arguments and errors as of :func:`summarize_subject`; ``columns``: only these, in this order, each once. Raises ``UsageError`` for one that it does not have.
    The size is told of whole tables: how much of it belongs to a part, or to some columns, is not known.
    """
    import pyarrow as pa

    from mldata.profile.choice import check_columns, only_columns
    from mldata.profile.statistics import make_profile
    from mldata.tablepreview import make_preview

    table = subject.table
    schema = table.schema
    if columns is not None:
        columns = list(dict.fromkeys(columns))
        check_columns(columns, schema.names)
    found = summarize_subject(subject, parts=parts, sample=sample)
    preview = make_preview(table, subject.assignment, subject.part, names=columns)
    if columns is not None:
        by_part = {name: only_columns(summary, columns) for name, summary in found.parts.items()}
        found = Summaries(only_columns(found.whole, columns), by_part)
        schema = pa.schema([schema.field(name) for name in columns])
    return make_profile(
        subject.title,
        table.kind,
        found,
        schema=schema,
        size=sum(it.size for it in table.fragments) if subject.part is None and columns is None else None,
        preview=preview,
        share=sample,
    )


def _make(subject: Subject, params: dict[str, object], sample: float) -> Digest:
    if sample != 1.0:
        from fractions import Fraction

        # As it is written: 0.1 is a tenth.
        params = {**params, "sample": str(Fraction(str(sample)))}
    return made_summaries(subject, params)
