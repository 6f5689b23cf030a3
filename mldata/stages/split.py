"""Split: give every row of a table one part, as an assignment (:mod:`mldata.assignment`).

- ``random``: exact counts; rows ranked by a key of seed and row number. Depends on the number of rows alone.
- ``stratify``: the same within each class of a column, so that every part has the classes in the table's proportions.
- ``hash``: a row's part depends on its values (``by``: of these columns) and the seed alone, so rows that are added
  never move others; counts are near the ratios, not exact. One action a fragment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mldata.assignment import Segment, write_assignment
from mldata.errors import BuildError
from mldata.partition import apportion, apportion_many, bounds, class_sizes, random_parts, stratified_parts
from mldata.splitmix import mix64, mix64_int
from mldata.stages import table_of
from mldata.stages.base import StageOutput, Work

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table
    from store import ActionResult

__all__ = ["Split"]

SEGMENT = "segment"
MIN_CLASSES = 10
"""So many classes are never too many: half of the rows of a tiny table may well be distinct in an honest label."""


class Split:
    """The split stage. Parameters: see ``Split.to_plain`` of :mod:`mldata.spec`."""

    def build(self, job: Job) -> StageOutput:
        """The assignment tree of the table.

        Raises ``BuildError`` when a column that the split needs is missing or unfit, or a ``store`` error.
        """
        from mldata.table import Table

        table = Table.open(job.store, table_of(job.inputs))
        parts, ratios = zip(*job.params["parts"], strict=True)
        method = {"random": _random, "stratify": _stratify, "hash": _hash}[job.params["method"]]
        segments, counts = method(job, table, parts, ratios)
        for part, count in zip(parts, counts, strict=True):
            if not count:
                job.warn(f"part '{part}' has no rows: the table has {table.rows:,}")
        output = write_assignment(
            parts=parts, ratios=ratios, counts=counts, segments=segments, put=job.put, put_tree=job.put_tree
        )
        facts = {"method": job.params["method"], "parts": dict(zip(parts, counts, strict=True))}
        return StageOutput(output, table.rows, facts)


def _random(
    job: Job, table: Table, parts: Sequence[str], ratios: Sequence[float]
) -> tuple[list[Segment], list[int]]:
    seed, counts = job.params["seed"], apportion(table.rows, ratios)

    def run(out: Outputs) -> Mapping[str, Any]:
        _write(out.writer(SEGMENT), random_parts(table.rows, seed, counts))
        return {}

    # Not even the table is an input: an edit that keeps the number of rows keeps the assignment.
    action = job.action({"method": "random", "rows": table.rows, "counts": counts, "seed": seed}, ())
    [result] = job.run([Work(action, run, f"{job.dataset}: {table.rows:,} rows")])
    return _segments([result], [table.rows]), counts


def _stratify(
    job: Job, table: Table, parts: Sequence[str], ratios: Sequence[float]
) -> tuple[list[Segment], list[int]]:
    column, seed = str(job.params["stratify"]), job.params["seed"]
    _check_class_column(job, table.schema, column)

    def run(out: Outputs) -> Mapping[str, Any]:
        codes, names = _classes(job, table, column)
        sizes = class_sizes(codes, len(names))
        counts = apportion_many(sizes, ratios)
        _write(out.writer(SEGMENT), stratified_parts(codes, seed, counts))
        lacking = np.flatnonzero((counts == 0).any(axis=1) & (sizes > 0))
        small = sorted((int(sizes[code]), str(names[code])) for code in lacking)
        return {
            "counts": counts.sum(axis=0).tolist(),
            "classes": int(np.count_nonzero(sizes)),
            "small": len(small),
            "examples": [[name, size] for size, name in small[:5]],
        }

    params = {
        "method": "stratify",
        "column": column,
        "seed": seed,
        "ratios": [float(ratio) for ratio in ratios],
    }
    action = job.action(params, [("table", table_of(job.inputs))])
    [result] = job.run([Work(action, run, f"{job.dataset}: {column}")])
    facts: Any = result.facts
    if facts["small"]:
        shown = ", ".join(f"{name} ({size:,} row{'s'[: size != 1]})" for name, size in facts["examples"])
        more = facts["small"] - len(facts["examples"])
        job.warn(
            f"{facts['small']} of {facts['classes']} classes of '{column}' are too small to be in every part: "
            + shown
            + (f" and {more:,} more" if more else "")
        )
    return _segments([result], [table.rows]), list(facts["counts"])


def _classes(job: Job, table: Table, column: str) -> tuple[NDArray[np.unsignedinteger], list[Any]]:
    from mldata.classes import TooManyClasses, class_codes, encoded_column

    limit = max(table.rows // 2, MIN_CLASSES)
    paths = (job.store.path(fragment.digest) for fragment in table.fragments)
    try:
        return class_codes(encoded_column(paths, column), limit)
    except TooManyClasses:
        raise BuildError(
            f"split: 'stratify' needs a column whose values repeat; '{column}' has more than {limit:,} distinct values "
            f"in {table.rows:,} rows, as an id or free text has",
            where=job.dataset,
            hint="Stratify by a label; to keep rows with equal values in one part, use `method: hash` with `by: "
            f"[{column}]`.",
        ) from None


def _hash(
    job: Job, table: Table, parts: Sequence[str], ratios: Sequence[float]
) -> tuple[list[Segment], list[int]]:
    seed = job.params["seed"]
    columns = list(job.params["by"]) or (table.schema.names if table.kind == "tabular" else ["digest"])
    for column in columns:
        _check_column(job, table.schema, column, "by")
    params = {
        "method": "hash",
        "columns": columns,
        "seed": seed,
        "ratios": [float(ratio) for ratio in ratios],
    }

    def work(fragment: Fragment) -> Work:
        def run(out: Outputs) -> Mapping[str, Any]:
            counts = [0] * len(ratios)
            _write(out.writer(SEGMENT), _counted(_hashed(job, table, fragment, columns, ratios), counts))
            return {"counts": counts}

        return Work(job.action(params, [("fragment", fragment.digest)]), run, fragment.source, fragment.size)

    results = job.run([work(fragment) for fragment in table.fragments])
    totals = np.zeros(len(ratios), np.int64)
    for result in results:
        totals += np.array(result.facts["counts"])
    return _segments(results, [fragment.rows for fragment in table.fragments]), totals.tolist()


def _hashed(
    job: Job,
    table: Table,
    fragment: Fragment,
    columns: Sequence[str],
    ratios: Sequence[float],
) -> Iterator[NDArray[np.uint8]]:
    """Parts of a fragment's rows, in pieces. Where there are fewer fragments than workers, these share its row groups."""
    if len(table.fragments) >= job.jobs:
        yield from _hashed_rows(job, table.encoded_batches(fragment, columns), ratios)
        return
    from concurrent.futures import ThreadPoolExecutor

    def hashed(group: int) -> NDArray[np.uint8]:
        batches = table.encoded_batches(fragment, columns, [group])
        return np.concatenate([np.empty(0, np.uint8), *_hashed_rows(job, batches, ratios)])

    with table.open_fragment(fragment) as file:
        groups = file.num_row_groups
    with ThreadPoolExecutor(job.jobs) as pool:
        yield from pool.map(hashed, range(groups))


def _hashed_rows(
    job: Job, batches: Iterator[pa.RecordBatch], ratios: Sequence[float]
) -> Iterator[NDArray[np.uint8]]:
    """Part of each row of each batch, by the hash of all its columns."""
    from mldata.rowhash import hash_rows

    start = np.uint64(mix64_int(job.params["seed"]))
    edges = [np.uint64(edge) for edge in bounds(ratios) if edge < 1 << 64]
    for batch in batches:
        try:
            keys = hash_rows(batch.columns)
        except TypeError as error:
            raise BuildError(
                f"the hash split cannot use every column: {error}",
                where=job.dataset,
                hint="Name the columns that tell rows apart: split: {method: hash, by: [COLUMN]}.",
            ) from error
        keys += start
        mix64(keys)
        found = np.zeros(len(keys), np.uint8)
        for edge in edges:
            found += keys >= edge
        yield found


def _counted(pieces: Iterator[NDArray[np.uint8]], counts: list[int]) -> Iterator[NDArray[np.uint8]]:
    """The same pieces; adds up the rows of each part on the way."""
    for piece in pieces:
        for part in range(len(counts)):
            counts[part] += int(np.count_nonzero(piece == part))
        yield piece


def _write(sink: BinaryIO, pieces: Iterator[NDArray[np.uint8]]) -> None:
    with sink:
        for piece in pieces:
            sink.write(piece.data)


def _segments(results: Sequence[ActionResult], rows: Sequence[int]) -> list[Segment]:
    return [Segment(result.outputs[SEGMENT].digest, n) for result, n in zip(results, rows, strict=True)]


def _check_column(job: Job, schema: pa.Schema, column: str, setting: str) -> None:
    if column in schema.names:
        return
    from difflib import get_close_matches

    near = get_close_matches(column, schema.names, 1, 0.5)
    raise BuildError(
        f"split: '{setting}' names column '{column}', which the table does not have",
        where=job.dataset,
        hint=(f"Did you mean '{near[0]}'? " if near else "") + f"The columns are: {', '.join(schema.names)}.",
    )


def _check_class_column(job: Job, schema: pa.Schema, column: str) -> None:
    import pyarrow.types as pt

    _check_column(job, schema, column, "stratify")
    kind = schema.field(column).type
    if pt.is_floating(kind) or pt.is_nested(kind):
        raise BuildError(
            f"split: 'stratify' needs a column of classes (text, integer, boolean, date), found '{column}' of type {kind}",
            where=job.dataset,
            hint=f"Cast it (normalize: {{types: {{{column}: string}}}}) or stratify by another column.",
        )
