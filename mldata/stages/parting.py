"""What a method of splitting gives to the split stage, and what the methods share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mldata.assignment import Segment
from mldata.errors import BuildError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job
    from store import ActionResult

    Parts = NDArray[np.uint8]

__all__ = [
    "SEGMENT",
    "Parting",
    "added",
    "check_column",
    "counted",
    "no_nulls",
    "segments",
    "shares",
    "uneven",
    "write",
]

SEGMENT = "segment"


@dataclass(frozen=True)
class Parting:
    """A part for every row."""

    parts: Sequence[str]
    ratios: Sequence[float | None]
    """The share that was asked for, by part; None where none was."""
    counts: Sequence[int]
    """Rows, by part."""
    segments: Sequence[Segment]
    facts: Mapping[str, Any] = field(default_factory=dict)


def shares(job: Job) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Names and shares of the parts that the spec has."""
    parts, ratios = zip(*job.params["parts"], strict=True)
    return parts, ratios


def write(sink: BinaryIO, pieces: Iterable[Parts]) -> None:
    """The parts of a segment's rows, in pieces, as its bytes."""
    with sink:
        for piece in pieces:
            sink.write(piece.data)


def counted(pieces: Iterable[Parts], counts: list[int]) -> Iterator[Parts]:
    """The same pieces; adds up the rows of each part on the way."""
    for piece in pieces:
        for part in range(len(counts)):
            counts[part] += int(np.count_nonzero(piece == part))
        yield piece


def added(results: Sequence[ActionResult], parts: int) -> list[int]:
    """Rows of each part over all segments, from the fact ``counts`` of each."""
    totals = np.zeros(parts, np.int64)
    for result in results:
        totals += np.array(result.facts["counts"], np.int64)
    counts: list[int] = totals.tolist()
    return counts


def segments(results: Sequence[ActionResult], rows: Sequence[int]) -> list[Segment]:
    """A segment of each result, with its rows."""
    return [Segment(result.outputs[SEGMENT].digest, n) for result, n in zip(results, rows, strict=True)]


def check_column(job: Job, schema: pa.Schema, column: str, setting: str) -> None:
    """Raise ``BuildError`` unless the table has the column that a setting names."""
    if column in schema.names:
        return
    from mldata.nearest import nearest

    near = nearest(column, schema.names, 0.5)
    raise BuildError(
        f"split: '{setting}' names column '{column}', which the table does not have",
        where=job.dataset,
        hint=(f"Did you mean '{near}'? " if near else "") + f"The columns are: {', '.join(schema.names)}.",
    )


def no_nulls(job: Job, column: str, setting: str, nulls: int, rows: int, file: str | None = None) -> None:
    """Raise ``BuildError`` if there are nulls among the rows (of a source file), where there is no part for them."""
    if nulls:
        of = f" of {file}" if file else ""
        raise BuildError(
            f"split: '{setting}' needs a value in every row; '{column}' has none in {nulls:,} of {rows:,} rows{of}",
            where=job.dataset,
            hint="Fill them in, leave these rows out, or split by another column.",
        )


def uneven(
    job: Job, parts: Sequence[str], wanted: Sequence[int], counts: Sequence[int], why: str, hint: str
) -> None:
    """Tell of parts that are far from their shares, because rows that belong together stay together.

    Less than half of the rows that a part's share is: ``BuildError``, as that part is not what was asked for. A fifth more or
    less: a warning.

    Args:
        wanted: rows that each part's share comes to.
        why: what is too large, beginning a sentence.
        hint: what to do when it is an error.
    """
    rows = sum(counts)
    for part, asked, got in zip(parts, wanted, counts, strict=True):
        if 2 * got < asked:
            raise BuildError(
                f"split: part '{part}' would have {got:,} of {rows:,} rows where its share is {asked:,}: {why}",
                where=job.dataset,
                hint=hint,
            )
    far = [
        f"'{part}' has {got:,} rows (share: {asked:,})"
        for part, asked, got in zip(parts, wanted, counts, strict=True)
        if 5 * abs(got - asked) > asked
    ]
    if far:
        more = f" and {len(far) - 5:,} more" if len(far) > 5 else ""
        job.warn(f"parts are not near their shares: {', '.join(far[:5])}{more}; {why}")
