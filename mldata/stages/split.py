"""Split: give every row of a table one part, as an assignment (:mod:`mldata.assignment`).

- ``random``: exact counts; rows ranked by a key of seed and row number. Depends on the number of rows alone.
- ``stratify``: the same within each class of a column, so that every part has the classes in the table's proportions.
- ``hash``: a row's part depends on its values (``by``: of these columns) and the seed alone, so rows that are added
  never move others; counts are near the ratios, not exact. One action a fragment.
- ``group``: rows with equal values of columns in one part (:mod:`mldata.stages.grouped`).
- ``time``: the earliest rows in the first part (:mod:`mldata.stages.timed`).
- ``column``: the part that a column says (:mod:`mldata.stages.predefined`).
- ``folder``: the part that the folder of each file says (:mod:`mldata.stages.divided`).
- ``kfold``: parts of equal size, at random, by class or by group (:mod:`mldata.stages.folds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.assignment import write_assignment
from mldata.errors import BuildError
from mldata.partition import apportion, bounds, random_parts
from mldata.splitmix import mix64, mix64_int
from mldata.stages import table_of
from mldata.stages.base import StageOutput, Work
from mldata.stages.divided import by_folder, own_parts
from mldata.stages.folds import by_fold
from mldata.stages.grouped import by_group
from mldata.stages.parting import SEGMENT, Parting, added, check_column, counted, segments, shares, write
from mldata.stages.predefined import by_column
from mldata.stages.stratified import by_class
from mldata.stages.timed import by_time

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment, Table

__all__ = ["Split"]


class Split:
    """The split stage. Parameters: see ``Split.to_plain`` of :mod:`mldata.spec`."""

    def build(self, job: Job) -> StageOutput:
        """The assignment tree of the table.

        Raises ``BuildError`` when a column that the split needs is missing or unfit, or a ``store`` error.
        """
        from mldata.table import Table

        table = Table.open(job.store, table_of(job.inputs))
        made = METHODS[job.params["method"]](job, table)
        if job.params["method"] not in KEEPING and len(own := own_parts(job, table)) > 1:
            job.warn(
                f"the source has parts of its own, {', '.join(own)}, whose rows are split anew; "
                "to keep them: split: {method: predefined}"
            )
        for part, count in zip(made.parts, made.counts, strict=True):
            if not count:
                job.warn(f"part '{part}' has no rows: the table has {table.rows:,}")
        output = write_assignment(
            parts=made.parts,
            ratios=made.ratios,
            counts=made.counts,
            segments=made.segments,
            put=job.put,
            put_tree=job.put_tree,
        )
        facts = {"method": job.params["method"], "parts": dict(zip(made.parts, made.counts, strict=True))}
        return StageOutput(output, table.rows, {**facts, **made.facts})


def _random(job: Job, table: Table) -> Parting:
    parts, ratios = shares(job)
    seed, counts = job.params["seed"], apportion(table.rows, ratios)

    def run(out: Outputs) -> Mapping[str, Any]:
        write(out.writer(SEGMENT), random_parts(table.rows, seed, counts))
        return {}

    # Not even the table is an input: an edit that keeps the number of rows keeps the assignment.
    action = job.action({"method": "random", "rows": table.rows, "counts": counts, "seed": seed}, ())
    [result] = job.run([Work(action, run, f"{job.dataset}: {table.rows:,} rows")])
    return Parting(parts, ratios, counts, segments([result], [table.rows]))


def _hash(job: Job, table: Table) -> Parting:
    parts, ratios = shares(job)
    seed = job.params["seed"]
    columns = list(job.params["by"]) or (table.schema.names if table.kind == "tabular" else ["digest"])
    for column in columns:
        check_column(job, table.schema, column, "by")
    params = {
        "method": "hash",
        "columns": columns,
        "seed": seed,
        "ratios": [float(ratio) for ratio in ratios],
    }

    def work(fragment: Fragment) -> Work:
        def run(out: Outputs) -> Mapping[str, Any]:
            counts = [0] * len(ratios)
            write(out.writer(SEGMENT), counted(_hashed(job, table, fragment, columns, ratios), counts))
            return {"counts": counts}

        return Work(job.action(params, [("fragment", fragment.digest)]), run, fragment.source, fragment.size)

    results = job.run([work(fragment) for fragment in table.fragments])
    return Parting(
        parts, ratios, added(results, len(parts)), segments(results, [it.rows for it in table.fragments])
    )


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


METHODS: dict[str, Callable[[Job, Table], Parting]] = {
    "random": _random,
    "stratify": by_class,
    "hash": _hash,
    "group": by_group,
    "time": by_time,
    "column": by_column,
    "folder": by_folder,
    "kfold": by_fold,
}
KEEPING = frozenset({"folder", "column"})
"""Methods that do as the source says."""
