"""A profile: what a table holds, told for people and for programs. Made of a summary by :mod:`mldata.profile.statistics`; drawn by the renderers.

Invariant: no number in it is NaN or infinite; what cannot be said is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mldata.profile.summary import Value

__all__ = [
    "Alert",
    "ColumnProfile",
    "Correlation",
    "Duplicates",
    "Histogram",
    "Picture",
    "Preview",
    "Profile",
    "Spread",
    "TextProfile",
    "Top",
]


@dataclass(frozen=True)
class Alert:
    """Something that whoever uses the data should know."""

    code: str
    """For programs; does not change: ``constant``, ``high-cardinality``, ``imbalance``, ``skewed``, ``zeros``, ``missing``, ``duplicates``, ``likely-id``,
    ``dates-in-text``, ``numbers-in-text``, ``outliers``, ``infinite``, ``correlated``, ``empty``, ..."""
    message: str
    """A sentence without the full stop, without the column's name."""
    severity: str = "info"
    """``info`` or ``warning``."""
    column: str | None = None
    """None: it is about the table."""
    value: float | None = None
    """The number that it is about: a share, a coefficient, a count."""


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each of some bins of equal width; the last bin holds its upper edge."""

    edges: Sequence[float]
    """One more than there are counts. Of times ticks since the epoch."""
    counts: Sequence[int]
    labels: Sequence[str] = ()
    """The edges as people read them, where numbers would say nothing: times as ISO 8601."""
    below: int = 0
    """Values below the first edge: few, and so far off that all others would be one bar."""
    above: int = 0
    """Values above the last edge."""
    single: bool = False
    """Each bin holds a single value: its lower edge."""


@dataclass(frozen=True)
class Spread:
    """How numbers are spread. Of times everything but ``std``, ``skewness`` and ``kurtosis`` is ISO 8601 text (of durations text such as ``3.5 s``)."""

    min: Value | None = None
    max: Value | None = None
    mean: Value | None = None
    std: float | None = None
    """Of the sample (n - 1); of times in seconds."""
    skewness: float | None = None
    """g1 of the moments (Joanes and Gill, "Comparing measures of sample skewness and kurtosis", 1998), adjusted as pandas has it (G1)."""
    kurtosis: float | None = None
    """Excess kurtosis, adjusted as pandas has it (G2)."""
    percentiles: Mapping[str, Value | None] = field(default_factory=dict)
    """By ``"1"``, ``"5"``, ``"25"``, ``"50"``, ``"75"``, ``"95"``, ``"99"``."""
    rank_error: float = 0.0
    """By which share of the values percentiles can be off at most; 0: they are exact."""
    zeros: int = 0
    negatives: int = 0
    nan: int = 0
    infinite: int = 0
    outliers: int | None = None
    """Values below Q1 - 1.5 IQR or above Q3 + 1.5 IQR (Tukey's inner fences). None: both quartiles are equal, or there are none."""
    histogram: Histogram | None = None
    histogram_error: float = 0.0
    """By which share of the values :attr:`outliers`, and what the histogram has up to an edge, can be off at most; 0: they are exact."""


@dataclass(frozen=True)
class Top:
    """A frequent value."""

    value: Value
    count: int
    share: float
    """Of the values that are not null."""


@dataclass(frozen=True)
class TextProfile:
    """What texts are made of; see :class:`mldata.profile.summary.Texts`."""

    lengths: Spread
    empty: int
    blank: int
    padded: int
    characters: Mapping[str, int]
    looks: Mapping[str, float]
    """Shares of the sample."""
    words: Sequence[Top]
    looked: int


@dataclass(frozen=True)
class ColumnProfile:
    """One column."""

    name: str
    dtype: str
    kind: str
    """One of :data:`mldata.profile.summary.KINDS`."""
    role: str
    """How it is told: ``number``, ``category``, ``boolean``, ``time``, ``text``, ``id``, ``constant``, ``empty``, ``list``, ``binary``, ``other``."""
    nullable: bool
    rows: int
    nulls: int
    missing: float
    """Share of nulls."""
    distinct: int | None
    distinct_error: float
    """Relative standard error of it; 0: exact."""
    unique: float | None
    """Distinct values to values."""
    spread: Spread | None = None
    """Of numbers and times."""
    lengths: Spread | None = None
    """Of lists, in elements; of binary values, in bytes."""
    text: TextProfile | None = None
    top: Sequence[Top] = ()
    """The most frequent values, at most 20."""
    top_rest: int = 0
    """Values that are none of these."""
    top_over: int = 0
    """By how much their counts may be too low at most."""
    alerts: Sequence[Alert] = ()


@dataclass(frozen=True)
class Correlation:
    """How columns go together."""

    method: str
    """``pearson``, ``spearman`` or ``cramers_v``."""
    columns: Sequence[str]
    matrix: Sequence[Sequence[float | None]]
    """Symmetric, in the order of the columns; None where it is not defined."""
    rows: int
    """Of the sample that it was computed from."""
    left_out: int = 0
    """Columns that it would have, too, were there not so many."""


@dataclass(frozen=True)
class Duplicates:
    """Rows that equal an earlier one in every column."""

    rows: int
    share: float
    error: float = 0.0
    """Relative standard error of the number of distinct rows; 0: it is exact."""


@dataclass(frozen=True)
class Picture:
    """A small file of a table of media, to be shown."""

    title: str
    mime: str
    data: bytes


@dataclass(frozen=True)
class Preview:
    """A few rows as they are."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str | None]] = ()
    """Values as people read them, shortened; None: null."""
    media: Sequence[Picture] = ()
    """Thumbnails of pictures (PNG), or short recordings (WAV)."""


@dataclass(frozen=True)
class Profile:
    """A table, or a part of one."""

    title: str
    kind: str
    """``tabular``, ``images`` or ``audio``."""
    rows: int
    columns: Sequence[ColumnProfile]
    size: int | None = None
    """Bytes of the table as it is stored; None of a part, and of some columns."""
    share: float = 1.0
    """Of the rows that were looked at, where a sample was asked for."""
    missing: float = 0.0
    """Share of nulls among all values."""
    missing_patterns: Sequence[tuple[Sequence[str], int]] = ()
    """Which columns are null together, and in how many rows: the most frequent."""
    duplicates: Duplicates | None = None
    correlations: Sequence[Correlation] = ()
    alerts: Sequence[Alert] = ()
    """Of the table, then those of its columns."""
    parts: Mapping[str, Profile] = field(default_factory=dict)
    """By part in order, where parts were asked for; without parts, preview and correlations of their own."""
    preview: Preview | None = None

    def column(self, name: str) -> ColumnProfile | None:
        """A column by its name; the first of several that have it."""
        return next((column for column in self.columns if column.name == name), None)
