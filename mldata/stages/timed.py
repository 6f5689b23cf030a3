"""Split by time: the first part is the earliest. Rows of one time are never in two parts.

By shares, the cut between two parts is where the rows before it are nearest to the share; it depends on the times alone,
not on the order of rows. By cuts, a row's part depends on its own time only, so that each fragment is an action.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.errors import BuildError
from mldata.partition import CHUNK, apportion
from mldata.stages import table_of
from mldata.stages.base import Work
from mldata.stages.parting import (
    SEGMENT,
    Parting,
    added,
    check_column,
    counted,
    no_nulls,
    segments,
    shares,
    uneven,
    write,
)
from mldata.yamlkey import types_setting

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table

    Numbers = NDArray[np.integer[Any]]

__all__ = ["by_time"]


def by_time(job: Job, table: Table) -> Parting:
    """Parts in order of time. Raises ``BuildError`` for an unfit column, or where one time has too many rows for the shares."""
    column = str(job.params["time"])
    check_column(job, table.schema, column, "time")
    _check_type(job, column, table.schema.field(column).type)
    return _by_cuts(job, table, column) if job.params["cuts"] else _by_shares(job, table, column)


def _by_shares(job: Job, table: Table, column: str) -> Parting:
    parts, ratios = shares(job)
    wanted = apportion(table.rows, ratios)

    def run(out: Outputs) -> Mapping[str, Any]:
        from mldata.timecuts import nearest_edges

        numbers, nulls = _numbers(table, table.fragments, column)
        no_nulls(job, column, "time", nulls, table.rows)
        times, sizes = np.unique(numbers, return_counts=True)
        firsts = nearest_edges(sizes, list(accumulate(wanted))[:-1])
        starts = [times[first] for first in firsts if first < len(times)]
        counts = [0] * len(parts)
        write(out.writer(SEGMENT), counted(_parts(numbers, starts), counts))
        kind, most = table.schema.field(column).type, sizes.argmax() if len(sizes) else None
        return {
            "counts": counts,
            "starts": [_text(start, kind) for start in starts],
            "most": [[_text(times[most], kind), int(sizes[most])]] if most is not None else [],
        }

    params = {"method": "time", "column": column, "ratios": [float(ratio) for ratio in ratios]}
    action = job.action(params, [("table", table_of(job.inputs))])
    [result] = job.run([Work(action, run, f"{job.dataset}: {column}")])
    facts: Any = result.facts
    for when, rows in facts["most"]:
        uneven(
            job,
            parts,
            wanted,
            facts["counts"],
            f"rows of one time stay together, and the most frequent '{column}', {when}, has {rows:,} rows",
            "Ask for fewer parts or other shares, say the `cuts` yourself, or use a column with finer times.",
        )
    return Parting(
        parts,
        ratios,
        facts["counts"],
        segments([result], [table.rows]),
        {"starts": dict(zip(parts[1:], facts["starts"], strict=False))},
    )


def _by_cuts(job: Job, table: Table, column: str) -> Parting:
    parts = [name for name, _ in job.params["parts"]]
    starts = _cut_numbers(job, column, table.schema.field(column).type)
    params = {"method": "cuts", "column": column, "starts": starts}

    def work(fragment: Fragment) -> Work:
        def run(out: Outputs) -> Mapping[str, Any]:
            numbers, nulls = _numbers(table, [fragment], column)
            no_nulls(job, column, "time", nulls, fragment.rows, fragment.source)
            counts = [0] * len(parts)
            write(out.writer(SEGMENT), counted(_parts(numbers, starts), counts))
            return {"counts": counts}

        return Work(job.action(params, [("fragment", fragment.digest)]), run, fragment.source, fragment.size)

    results = job.run([work(fragment) for fragment in table.fragments])
    return Parting(
        parts,
        [None] * len(parts),
        added(results, len(parts)),
        segments(results, [fragment.rows for fragment in table.fragments]),
    )


def _cut_numbers(job: Job, column: str, kind: pa.DataType) -> list[int]:
    from mldata.timecuts import UnfitCut, cut_number, parse_cut

    numbers = []
    for text in job.params["cuts"]:
        cut = parse_cut(str(text))
        assert cut is not None
        try:
            numbers.append(cut_number(cut, kind))
        except UnfitCut as error:
            raise BuildError(
                f"split: a cut does not fit '{column}' of type {kind}: {error}",
                where=job.dataset,
                hint=f"Write the cuts as '{column}' has its values, or give the column another type (normalize: {{types: ...}}).",
            ) from error
    return numbers


def _check_type(job: Job, column: str, kind: pa.DataType) -> None:
    import pyarrow.types as pt

    if pt.is_integer(kind) or pt.is_date(kind) or pt.is_timestamp(kind):
        return
    text = pt.is_string(kind) or pt.is_large_string(kind)
    raise BuildError(
        f"split: 'time' needs a column of dates, timestamps or whole numbers, found '{column}' of type {kind}",
        where=job.dataset,
        hint=f"Text has no order of time: make it one, {types_setting(column, 'timestamp')} (or date)."
        if text
        else f"Give it such a type ({types_setting(column, 'int64')}) or name another column.",
    )


def _numbers(table: Table, fragments: Sequence[Fragment], column: str) -> tuple[Numbers, int]:
    """The stored numbers of a column (anything where there is a null), and how many nulls there are."""
    import pyarrow as pa
    import pyarrow.types as pt

    kind = table.schema.field(column).type
    stored = kind if pt.is_integer(kind) else pa.int32() if kind.bit_width == 32 else pa.int64()
    dtype = np.dtype(stored.to_pandas_dtype())
    pieces, nulls = [np.empty(0, dtype)], 0
    for fragment in fragments:
        for batch in table.fragment_batches(fragment, [column]):
            values = batch.column(0)
            nulls += values.null_count
            buffer = values.buffers()[1]
            start = values.offset * dtype.itemsize
            pieces.append(np.frombuffer(buffer, dtype, len(values), start) if buffer else pieces[0])
    return np.concatenate(pieces), nulls


def _parts(numbers: Numbers, starts: Sequence[Any]) -> Iterator[NDArray[np.uint8]]:
    """The part of each row: how many of ``starts``, the first times of all parts but the first, are not after its own."""
    for at in range(0, len(numbers), CHUNK):
        piece = numbers[at : at + CHUNK]
        found = np.zeros(len(piece), np.uint8)
        for start in starts:
            found += piece >= start
        yield found


def _text(number: Any, kind: pa.DataType) -> str:
    import pyarrow as pa

    from mldata.arrays import number_array

    values = number_array(np.array([number]))
    return str((values if values.type == kind else values.view(kind)).cast(pa.string())[0].as_py())
