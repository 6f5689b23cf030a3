"""What a check is: it looks at each fragment alone, puts together what it saw, and judges that.

Three phases, so that a changed fragment costs one sketch and a changed threshold costs none:

1. :meth:`Plan.sketch` reads the rows of one fragment and gives blobs. It is an action, keyed by the fragment and :attr:`Plan.key`: it knows
   neither parts nor thresholds.
2. :meth:`Plan.merge` turns the sketches of all fragments, and the parts of their rows, into plain JSON. It is an action too, keyed by the
   fragments, the assignment and :attr:`Plan.key`.
3. :meth:`Plan.judge` compares that with the thresholds. It is a pure function, and is run every time.

Invariant: what is found depends on the rows, their order and their parts alone, never on how they were cut into fragments or batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mldata.checks.wording import percent, shown

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from store import Digest

__all__ = [
    "ERROR",
    "INFO",
    "KEPT",
    "SEVERITIES",
    "WARNING",
    "Blob",
    "Check",
    "Finding",
    "Look",
    "Place",
    "Plan",
    "Rows",
    "Sketch",
    "Subject",
    "allows",
    "looks_of",
    "percent",
    "shown",
]

Json = Any
"""None, bool, int, float, str, or lists and string-keyed dicts of these."""

INFO, WARNING, ERROR = "info", "warning", "error"
SEVERITIES = (INFO, WARNING, ERROR)
"""From the least to the worst. What the spec forbids is an error; what only looks wrong is a warning."""
KEPT = 5
"""How many rows a finding names."""
BLOCK_ROWS = 1 << 20
"""Rows that a blob tells of: each but the last of a fragment of exactly so many. Bounds memory; tests shrink it."""


@dataclass(frozen=True)
class Subject:
    """What is checked, as far as it is known without reading a row."""

    kind: str
    """``tabular``, ``images`` or ``audio``."""
    schema: pa.Schema
    rows: int
    parts: Mapping[str, int]
    """Rows by part; one part if the table is not split."""
    split: bool = True
    media: Callable[[Digest], Path] | None = None
    """Where the file of a digest is (the column ``digest`` of a table of media), verified; None: the table has no files."""

    def in_order(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Rows by part in the order of the parts, none where the table is not split: what is stored has lost it."""
        return {part: counts[part] for part in self.parts if part in counts} if self.split else {}


@dataclass(frozen=True)
class Blob:
    """A piece of a sketch."""

    kind: str
    data: bytes


@dataclass(frozen=True)
class Sketch:
    """What was seen of one fragment."""

    start: int
    """Number of its first row in the table."""
    rows: int
    blobs: Mapping[str, Sequence[Path]]
    """By kind, in the order in which they were given."""

    def blocks(self, kind: str, block_rows: int) -> Iterator[tuple[int, int, Path]]:
        """Blobs of a kind of which there is one a block: number of the first row, of the row after the last, and the blob."""
        stop = self.start + self.rows
        for number, path in enumerate(self.blobs.get(kind, ())):
            first = self.start + number * block_rows
            yield first, min(first + block_rows, stop), path


class Rows(Protocol):
    """The table's rows, for merging."""

    @property
    def parts(self) -> Sequence[str]:
        """Names of the parts in order; the numbers below are indices into it (255: in no part)."""
        ...

    def part_of(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Part numbers of neighbouring rows."""
        ...

    def parts_at(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Part numbers of any rows."""
        ...

    def text(self, row: int, columns: Sequence[str]) -> str:
        """Some values of a row as people read them, shortened. Reads the table: for the few rows that are named."""
        ...


@dataclass(frozen=True)
class Place:
    """A row that a finding names."""

    row: int
    """Its number in the table, from 0, as ``row_index`` of an export has it."""
    part: str | None
    value: str | None = None
    """What is there, shortened."""
    like: Place | None = None
    """The earlier row that it equals."""
    file: str | None = None
    """The source file it came from; filled in by the stage."""

    def to_json(self) -> dict[str, Json]:
        """As the report has it."""
        plain: dict[str, Json] = {"row": self.row, "part": self.part, "file": self.file}
        if self.value is not None:
            plain["value"] = self.value
        if self.like is not None:
            plain["like"] = self.like.to_json()
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Json]) -> Place:
        """What :meth:`to_json` gave."""
        like = plain.get("like")
        return cls(
            plain["row"],
            plain["part"],
            plain.get("value"),
            cls.from_json(like) if like is not None else None,
            plain.get("file"),
        )


@dataclass(frozen=True)
class Finding:
    """One thing that a check has found."""

    severity: str
    code: str
    """For programs; does not change."""
    message: str
    """A sentence without the full stop."""
    suggestion: str
    """What to do about it."""
    column: str | None = None
    part: str | None = None
    """The only part that it is about."""
    rows: int = 0
    """How many rows have it; 0 where it is not about rows."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """The same by part, where it is about more than one; with :attr:`part`, by the other part that it is about."""
    places: Sequence[Place] = ()
    """The first few of these rows."""

    def to_json(self) -> dict[str, Json]:
        """As the report has it."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "column": self.column,
            "part": self.part,
            "rows": self.rows,
            "parts": dict(self.parts),
            "places": [place.to_json() for place in self.places],
            "suggestion": self.suggestion,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Json]) -> Finding:
        """What :meth:`to_json` gave."""
        places = tuple(Place.from_json(place) for place in plain["places"])
        return cls(**{**plain, "places": places})


class Plan(Protocol):
    """A check of one table: parameters and columns fit each other."""

    @property
    def columns(self) -> Sequence[str]:
        """Columns to read, in this order."""
        ...

    @property
    def key(self) -> Mapping[str, Json]:
        """Everything beside rows and parts that can change sketches and their merge. No thresholds, no other check's parameters."""
        ...

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        """What there is to know of a fragment. Batches have :attr:`columns`; text may come as dictionary arrays."""
        ...

    def merge(self, sketches: Sequence[Sketch], rows: Rows) -> Mapping[str, Json]:
        """What there is to know of the table; small, whatever the table's size."""
        ...

    def judge(self, merged: Mapping[str, Json]) -> list[Finding]:
        """What is wrong, in the order in which it is told."""
        ...


class Look(Protocol):
    """A sketch that the plans of several checks may ask for: it is made once for all of them. See :meth:`Plan.sketch`.

    A plan that asks for some has an attribute ``looks``; the blobs come to its :meth:`Plan.merge` beside its own.
    """

    @property
    def name(self) -> str:
        """No check's name; what its blobs' kinds begin with."""
        ...

    @property
    def version(self) -> int:
        """As :attr:`mldata.checks.CheckInfo.version`, of the sketch."""
        ...

    @property
    def libraries(self) -> tuple[str, ...]:
        """As :attr:`mldata.checks.CheckInfo.libraries`, of the sketch."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """Columns to read, in this order; at least one."""
        ...

    @property
    def key(self) -> Mapping[str, Json]:
        """Everything beside rows that can change the sketch."""
        ...

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        """What there is to know of a fragment."""
        ...


def looks_of(plan: Plan) -> Sequence[Look]:
    """The sketches that a plan asks for beside its own."""
    looks: Sequence[Look] = getattr(plan, "looks", ())
    return looks


class Check(Protocol):
    """One kind of check."""

    def plan(self, params: Mapping[str, Json], subject: Subject) -> Plan | str:
        """How to check a table, or why there is nothing to check.

        Args:
            params: the check's section of the spec, every default filled in; of a plug-in, as it is written.

        Raises:
            SpecError: the parameters name a column that is not there, or are none of this check's (``where`` is left to the stage).
        """
        ...


def allows(limit: int | str, count: int, total: int) -> bool:
    """Whether ``count`` of ``total`` rows are within a limit of the spec: a number of rows, or a share such as ``5%``."""
    if isinstance(limit, int):
        return count <= limit
    return Fraction(count) * 100 <= Fraction(limit.removesuffix("%")) * total
