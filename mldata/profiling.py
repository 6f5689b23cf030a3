"""Summaries of what a command is about: made by the profile stage, or taken from the store where they are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mldata.stages.profile import read_summaries

if TYPE_CHECKING:
    from mldata.profile.summary import TableSummary
    from mldata.subjects import Subject

__all__ = ["Summaries", "summarize_subject"]


@dataclass(frozen=True)
class Summaries:
    """What is known of a subject."""

    whole: TableSummary
    """Of all rows; of a subject that is a part of something, of that part."""
    parts: Mapping[str, TableSummary] = field(default_factory=dict)
    """By part in order, where they were asked for and it is split."""


def summarize_subject(subject: Subject, *, parts: bool = False) -> Summaries:
    """What is known of the rows of a subject; only fragments that were never seen are read.

    Args:
        parts: each part by itself, too.

    Raises:
        MldataError, store.StoreError: the table cannot be read.
    """
    wanted = parts or subject.part is not None
    made = subject.make("profile", {"parts": bool(wanted and subject.parts)})
    whole, found = read_summaries(subject.store, made.output.digest)
    by_part = dict(zip(subject.parts, found, strict=False))
    if subject.part is not None:
        return Summaries(by_part[subject.part])
    return Summaries(whole, by_part)
