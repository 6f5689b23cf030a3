"""What is known of a table's columns after each row was read once: the merged form of their sketches.

It is small whatever the table's size, and everything that is told of a table (profile, drift, contracts, guessed renames) is made of it without another look
at the rows. Two summaries of the same fragments are equal, and so are their bytes (:meth:`TableSummary.to_bytes`), in whatever order they are merged. Where the
same rows are cut in another way, what is exact is equal, too; what is drawn (the sample of rows, texts that are looked at), points of tables of more than
:data:`EXACT_ROWS` rows, and counts of frequent values that are not complete may differ, within their stated errors, and moments of such tables in their last digits.

Values are told as JSON has them: integers as they are, text as text (shortened, see :data:`VALUE_CHARACTERS`), times as ISO 8601 text, bytes as ``0x...``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.profile.distribution import Numbers, plain_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BINARY",
    "BOOLEAN",
    "EXACT_ROWS",
    "KINDS",
    "LIST",
    "NULL",
    "NUMERIC",
    "OTHER",
    "STRUCT",
    "TEXT",
    "TIME",
    "VALUE_CHARACTERS",
    "ColumnSummary",
    "Distinct",
    "Frequent",
    "Numbers",
    "RowSample",
    "TableSummary",
    "Texts",
    "Value",
]

NUMERIC, BOOLEAN, TIME, TEXT, BINARY, LIST, STRUCT, NULL, OTHER = (
    "numeric",
    "boolean",
    "time",
    "text",
    "binary",
    "list",
    "struct",
    "null",
    "other",
)
KINDS = (NUMERIC, BOOLEAN, TIME, TEXT, BINARY, LIST, STRUCT, NULL, OTHER)
"""Of columns, by their Arrow types: integers, floats and decimals are numeric; dates, times, timestamps and durations are times; a dictionary is what it stands for."""
EXACT_ROWS = 1_000_000
"""Of tables of at most so many rows quantiles and distinct counts are exact."""
VALUE_CHARACTERS = 120
"""A longer text is told by its beginning, its length and its digest."""
VERSION = 1

Value = str | int | float | bool
"""A value of a column as JSON has it."""


@dataclass(frozen=True)
class Distinct:
    """How many distinct values there are, nulls aside."""

    estimate: int
    error: float = 0.0
    """Relative standard error of the estimate; 0: it is exact."""


@dataclass(frozen=True)
class Frequent:
    """The most frequent values with their counts, the most frequent first, equal counts by value. NaN and infinities are none of them:
    :class:`Numbers` counts those."""

    values: Sequence[tuple[Value, int]] = ()
    rest: int = 0
    """Values that are none of these (with all that their counts may lack)."""
    over: int = 0
    """By how much a count may be too low at most, and the greatest count that a value which is not listed can have."""
    complete: bool = True
    """Every value is listed with its exact count."""

    def counts(self) -> dict[Value, int]:
        """Counts by value. Texts that are no UTF-8 are told alike where they differ in nothing else: their counts are added."""
        made: dict[Value, int] = {}
        for value, count in self.values:
            made[value] = made.get(value, 0) + count
        return made


@dataclass(frozen=True)
class Texts:
    """What texts are made of."""

    lengths: Numbers
    """In characters (code points)."""
    empty: int = 0
    blank: int = 0
    """White space alone; not the empty ones."""
    padded: int = 0
    """With white space before or after something else."""
    characters: Mapping[str, int] = field(default_factory=dict)
    """Characters by class: ``letters``, ``digits``, ``spaces``, ``punctuation`` (all ASCII), ``other`` (code points beyond ASCII), ``control``."""
    looked: int = 0
    """How many texts, a sample, were looked at more closely; :attr:`looks` and :attr:`words` are of these."""
    looks: Mapping[str, int] = field(default_factory=dict)
    """How many of them look like a ``number``, ``date``, ``datetime``, ``boolean``, ``url``, ``email``, ``uuid``, ``path`` (at most one of these each)."""
    words: Frequent = field(default_factory=Frequent)
    """The vocabulary of the sample: words in lower case."""


@dataclass(frozen=True)
class ColumnSummary:
    """What is known of one column."""

    name: str
    dtype: str
    """The Arrow type, as Arrow writes it."""
    kind: str
    """One of :data:`KINDS`."""
    nullable: bool = True
    """What the schema says."""
    rows: int = 0
    nulls: int = 0
    distinct: Distinct | None = None
    """None: values of this type cannot be told apart (unions, views)."""
    frequent: Frequent | None = None
    """Of numeric, boolean, time, text and binary columns."""
    numbers: Numbers | None = None
    """Of numeric and time columns; of booleans as 0 and 1; of lists their lengths, of binary its sizes in bytes."""
    texts: Texts | None = None
    """Of text columns."""

    @property
    def values(self) -> int:
        """Rows that are not null."""
        return self.rows - self.nulls

    @property
    def categorical(self) -> bool:
        """Whether values are names of few classes: booleans, and texts that are all counted, with at most 1,000 and a tenth of the rows distinct
        (up to 20 distinct ones at least)."""
        if self.kind == BOOLEAN:
            return True
        if self.kind != TEXT or self.frequent is None or not self.frequent.complete:
            return False
        return len(self.frequent.values) <= max(20, min(1000, self.values // 10))


@dataclass(frozen=True, eq=False)
class RowSample:
    """Rows drawn evenly, for what needs several columns at once: correlations."""

    rows: int
    """How many were drawn."""
    of: int
    """Out of so many."""
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """By name of numeric, boolean and time columns; NaN for null and for what is not finite."""
    codes: Mapping[str, NDArray[np.uint64]] = field(default_factory=dict)
    """By name of text and boolean columns: a hash of the value, 0 for null."""


@dataclass(frozen=True)
class TableSummary:
    """What is known of a table, or of a part of one."""

    rows: int
    columns: Sequence[ColumnSummary]
    """In the order of the schema."""
    distinct_rows: Distinct | None = None
    """None: it has no columns, or one whose values cannot be told apart."""
    missing: Sequence[tuple[tuple[str, ...], int]] = ()
    """Which columns are null together, and in how many rows; the most frequent first, rows without any null left out."""
    missing_rest: int = 0
    """Rows with a null whose columns are none of these."""
    sample: RowSample | None = None

    def column(self, name: str) -> ColumnSummary | None:
        """A column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    def to_bytes(self) -> bytes:
        """The canonical encoding."""
        from store import encode

        return encode(
            {
                "version": VERSION,
                "rows": self.rows,
                "columns": [_plain_column(column) for column in self.columns],
                "distinct_rows": _plain_distinct(self.distinct_rows),
                "missing": [[list(names), count] for names, count in self.missing],
                "missing_rest": self.missing_rest,
                "sample": _plain_sample(self.sample),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> TableSummary:
        """What :meth:`to_bytes` gave, as its digest has shown. Raises ``ValueError`` for what another version of mldata has written."""
        from store import decode_own

        plain: Any = decode_own(data)
        if plain["version"] != VERSION:
            raise ValueError(f"expected a summary of version {VERSION}, found version {plain['version']!r}")
        return cls(
            plain["rows"],
            tuple(map(_column, plain["columns"])),
            _distinct(plain["distinct_rows"]),
            tuple((tuple(names), count) for names, count in plain["missing"]),
            plain["missing_rest"],
            _sample(plain["sample"]),
        )


def _plain_distinct(distinct: Distinct | None) -> Any:
    return None if distinct is None else [distinct.estimate, distinct.error]


def _distinct(plain: Any) -> Distinct | None:
    return None if plain is None else Distinct(*plain)


def _plain_frequent(frequent: Frequent | None) -> Any:
    if frequent is None:
        return None
    values = [[plain_number(value) if _wide(value) else value, count] for value, count in frequent.values]
    wide = [number for number, (value, _) in enumerate(frequent.values) if _wide(value)]
    return [values, wide, frequent.rest, frequent.over, frequent.complete]


def _wide(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 63


def _frequent(plain: Any) -> Frequent | None:
    if plain is None:
        return None
    values, wide, rest, over, complete = plain
    pairs: list[tuple[Value, int]] = list(map(tuple, values))
    for number in wide:
        pairs[number] = (int(pairs[number][0]), pairs[number][1])
    return Frequent(tuple(pairs), rest, over, complete)


def _plain_texts(texts: Texts | None) -> Any:
    if texts is None:
        return None
    return {
        "lengths": texts.lengths.to_plain(),
        "counts": [texts.empty, texts.blank, texts.padded, texts.looked],
        "characters": dict(texts.characters),
        "looks": dict(texts.looks),
        "words": _plain_frequent(texts.words),
    }


def _texts(plain: Any) -> Texts | None:
    if plain is None:
        return None
    empty, blank, padded, looked = plain["counts"]
    words = _frequent(plain["words"]) or Frequent()
    return Texts(
        Numbers.from_plain(plain["lengths"]),
        empty,
        blank,
        padded,
        plain["characters"],
        looked,
        plain["looks"],
        words,
    )


def _plain_column(column: ColumnSummary) -> dict[str, Any]:
    return {
        "name": column.name,
        "dtype": column.dtype,
        "kind": column.kind,
        "nullable": column.nullable,
        "rows": column.rows,
        "nulls": column.nulls,
        "distinct": _plain_distinct(column.distinct),
        "frequent": _plain_frequent(column.frequent),
        "numbers": column.numbers.to_plain() if column.numbers is not None else None,
        "texts": _plain_texts(column.texts),
    }


def _column(plain: Mapping[str, Any]) -> ColumnSummary:
    numbers = plain["numbers"]
    return ColumnSummary(
        plain["name"],
        plain["dtype"],
        plain["kind"],
        plain["nullable"],
        plain["rows"],
        plain["nulls"],
        _distinct(plain["distinct"]),
        _frequent(plain["frequent"]),
        Numbers.from_plain(numbers) if numbers is not None else None,
        _texts(plain["texts"]),
    )


def _plain_sample(sample: RowSample | None) -> Any:
    if sample is None:
        return None
    return {
        "rows": sample.rows,
        "of": sample.of,
        "numbers": {name: array.astype("<f8").tobytes() for name, array in sample.numbers.items()},
        "codes": {name: array.astype("<u8").tobytes() for name, array in sample.codes.items()},
    }


def _sample(plain: Any) -> RowSample | None:
    if plain is None:
        return None
    numbers = {name: np.frombuffer(data, "<f8").astype(np.float64) for name, data in plain["numbers"].items()}
    codes = {name: np.frombuffer(data, "<u8").astype(np.uint64) for name, data in plain["codes"].items()}
    return RowSample(plain["rows"], plain["of"], numbers, codes)
