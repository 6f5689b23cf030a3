"""Split into folds for cross-validation: parts ``fold_0``, ``fold_1``, ... of sizes that differ by at most one row.

By class (``stratify``) the counts of each class differ by at most one, too. By group (``group``) groups stay whole, and
folds are as near to each other as the sizes of groups let them be (:mod:`mldata.grouping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.errors import BuildError
from mldata.partition import apportion, fold_counts, random_parts
from mldata.stages.base import Work
from mldata.stages.grouped import whole_groups
from mldata.stages.parting import SEGMENT, Parting, segments, write
from mldata.stages.stratified import stratified

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Table

__all__ = ["by_fold"]


def by_fold(job: Job, table: Table) -> Parting:
    """The folds. Raises ``BuildError`` for an unfit column, or fewer rows or groups than folds."""
    parts = [name for name, _ in job.params["parts"]]
    folds = len(parts)
    if table.rows < folds:
        raise BuildError(
            f"split: {folds} folds need as many rows, the table has {table.rows:,}",
            where=job.dataset,
            hint="Ask for fewer folds.",
        )
    if job.params["group"]:
        made = whole_groups(job, table, parts, [1.0] * folds, by_size=True)
    elif job.params["stratify"] is not None:
        made = stratified(job, table, {"method": "kfold", "folds": folds}, _divide(folds))
    else:
        made = _random(job, table, folds)
    return Parting(parts, [None] * folds, made.counts, made.segments, made.facts)


def _divide(folds: int) -> Any:
    def divide(sizes: NDArray[np.int64], names: Sequence[Any]) -> NDArray[np.int64]:
        # In an order that does not depend on which class the table has first.
        order = sorted(range(len(names)), key=lambda code: (names[code] is not None, str(names[code])))
        counts = np.empty((len(names), folds), np.int64)
        counts[order] = fold_counts(sizes[order], folds)
        return counts

    return divide


def _random(job: Job, table: Table, folds: int) -> Parting:
    seed, counts = job.params["seed"], apportion(table.rows, [1.0] * folds)

    def run(out: Outputs) -> Mapping[str, Any]:
        write(out.writer(SEGMENT), random_parts(table.rows, seed, counts))
        return {}

    # As for a random split: all that the table has to do with it is how many rows it has.
    action = job.action({"method": "kfold", "rows": table.rows, "folds": folds, "seed": seed}, ())
    [result] = job.run([Work(action, run, f"{job.dataset}: {table.rows:,} rows")])
    return Parting((), (), counts, segments([result], [table.rows]))
