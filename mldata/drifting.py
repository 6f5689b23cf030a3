"""How far one thing has moved from another: both are summarized, from the store where they are known, and compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from mldata.drift.report import BINS, EPSILON, DriftReport, Thresholds
from mldata.errors import UsageError
from mldata.profile.choice import check_columns
from mldata.profiling import summarize_parts, summarize_subject
from mldata.subjects import divided, open_subject, require_part

if TYPE_CHECKING:
    from mldata.profile.summary import TableSummary
    from mldata.project import Project
    from mldata.reporter import Reporter

__all__ = ["Drift", "Wanted", "check_thresholds", "measure_drift"]


@dataclass(frozen=True)
class Drift(DriftReport):
    """A drift report that can be written out."""

    warnings: Sequence[str] = ()
    """What stages warned of on the way."""

    def to_json(self) -> dict[str, Any]:
        """What ``mldata drift --json`` has as its result."""
        from mldata.drift.form import drift_to_json

        return drift_to_json(self)

    def to_markdown(self, *, detailed: bool = False) -> str:
        """The same for a pull request, at most 65,536 characters; ``detailed``: every measure, and the bins."""
        from mldata.drift.markdown import drift_markdown

        return drift_markdown(self, detailed=detailed)

    def to_html(self) -> str:
        """The same as one web page that needs no other file."""
        from mldata.drift.page import drift_page

        return drift_page(self)


@dataclass(frozen=True)
class Wanted:
    """What to compare, and how."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    columns: Sequence[str] | None = None
    """Only these; None: all."""
    jobs: int | None = None


def check_thresholds(thresholds: Thresholds) -> Thresholds:
    """Raises :class:`UsageError` for those that mean nothing."""
    moderate, major = thresholds.moderate, thresholds.major
    if not (0 < moderate <= major and math.isfinite(major)):
        raise UsageError(
            f"expected a PSI above 0 for moderate, and for major one at least as high; found {moderate:g} and {major:g}",
            where="thresholds",
            hint="usual are 0.1 and 0.25",
        )
    least, most = BINS
    if not least <= thresholds.bins <= most:
        raise UsageError(f"expected {least} to {most:,} bins, found {thresholds.bins:,}", where="bins")
    lowest, highest = EPSILON
    if not lowest <= thresholds.epsilon <= highest:
        raise UsageError(
            f"expected a share from 1e-9 to 0.1 for an empty bin, found {thresholds.epsilon:g}",
            where="epsilon",
            hint="usual is 0.0001",
        )
    return thresholds


def measure_drift(
    baseline: str, current: str, base: Project | None, reporter: Reporter, wanted: Wanted | None = None
) -> Drift:
    """How far ``current`` has moved from ``baseline``; both as :func:`mldata.subjects.open_subject` takes them.

    Raises:
        UsageError, UnknownDataset, InvalidSpec: one of them is nothing, or ``wanted`` cannot be.
        MldataError, store.StoreError: a stage failed.
    """
    from mldata.drift.compare import compare

    wanted = wanted or Wanted()
    thresholds = check_thresholds(wanted.thresholds)
    warnings: list[str] = []
    before, after = _summaries(baseline, current, base, reporter, wanted.jobs, warnings)
    if wanted.columns is not None:
        before, after = _only(wanted.columns, before, after)
    report = compare(before, after, thresholds, names=(baseline, current))
    told = {it.name: getattr(report, it.name) for it in fields(report)}
    return Drift(**told, warnings=tuple(dict.fromkeys(warnings)))


def _summaries(
    baseline: str,
    current: str,
    base: Project | None,
    reporter: Reporter,
    jobs: int | None,
    warnings: list[str],
) -> tuple[TableSummary, TableSummary]:
    (plain, first), (other, second) = divided(baseline, base), divided(current, base)
    if plain == other and first is not None and second is not None:  # in one go
        with open_subject(plain, base, reporter, jobs=jobs) as subject:
            require_part(subject, baseline, first)
            require_part(subject, current, second)
            found = summarize_parts(subject, first, second)
            warnings += subject.warnings
        return found[first], found[second]
    made = []
    for word in (baseline, current):
        with open_subject(word, base, reporter, jobs=jobs) as subject:
            made.append(summarize_subject(subject).whole)
            warnings += subject.warnings
    return made[0], made[1]


def _only(
    names: Sequence[str], before: TableSummary, after: TableSummary
) -> tuple[TableSummary, TableSummary]:
    """What is known of these columns, each of which one side has at least."""
    check_columns(names, list(dict.fromkeys(column.name for it in (before, after) for column in it.columns)))
    sides = [
        replace(it, columns=tuple(one for one in it.columns if one.name in names)) for it in (before, after)
    ]
    return sides[0], sides[1]
