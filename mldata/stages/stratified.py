"""Split by class: every part has the values of a column in the table's proportions, in exact counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldata.errors import BuildError
from mldata.partition import apportion_many, class_sizes, stratified_parts
from mldata.stages import table_of
from mldata.stages.base import Work
from mldata.stages.parting import SEGMENT, Parting, check_column, segments, shares, write
from mldata.yamlkey import types_setting

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.stages.base import Job, Outputs
    from mldata.table import Table

    Divide = Callable[[NDArray[np.int64], Sequence[Any]], NDArray[np.int64]]
    """Of rows and name of each class, the rows of each class in each part."""

__all__ = ["by_class", "stratified"]

MIN_CLASSES = 10
"""So many classes are never too many: half of the rows of a tiny table may well be distinct in an honest label."""


def by_class(job: Job, table: Table) -> Parting:
    """Each class in the given shares. Raises ``BuildError`` for an unfit column, and for classes too small to be in each part."""
    parts, ratios = shares(job)
    params = {"method": "stratify", "ratios": [float(ratio) for ratio in ratios]}
    made = stratified(job, table, params, lambda sizes, names: apportion_many(sizes, ratios))
    return Parting(parts, ratios, made.counts, made.segments)


def stratified(job: Job, table: Table, said: Mapping[str, Any], divide: Divide) -> Parting:
    """Each class in the counts that ``divide`` gives it; ``said`` is all that these depend on beside the column.

    The names of the parts are left to the caller.
    """
    column, seed = str(job.params["stratify"]), job.params["seed"]
    _check_type(job, table.schema, column)

    def run(out: Outputs) -> Mapping[str, Any]:
        codes, names = _classes(job, table, column)
        sizes = class_sizes(codes, len(names))
        counts = divide(sizes, names)
        write(out.writer(SEGMENT), stratified_parts(codes, seed, counts))
        asked = np.asarray(said.get("ratios", [1] * counts.shape[1])) > 0
        lacking = np.flatnonzero((counts[:, asked] == 0).any(axis=1) & (sizes > 0))
        small = sorted((int(sizes[code]), str(names[code])) for code in lacking)
        return {
            "counts": counts.sum(axis=0).tolist(),
            "classes": int(np.count_nonzero(sizes)),
            "small": len(small),
            "examples": [[name, size] for size, name in small[:5]],
        }

    action = job.action({**said, "column": column, "seed": seed}, [("table", table_of(job.inputs))])
    [result] = job.run([Work(action, run, f"{job.dataset}: {column}")])
    facts: Any = result.facts
    if facts["small"]:
        _tell_small(job, column, facts)
    return Parting((), (), list(facts["counts"]), segments([result], [table.rows]))


def _tell_small(job: Job, column: str, facts: Mapping[str, Any]) -> None:
    """Raise ``BuildError`` for classes that have fewer rows than there are parts, or warn of them where that is asked for."""
    shown = ", ".join(f"{name} ({size:,} row{'s'[: size != 1]})" for name, size in facts["examples"])
    more = facts["small"] - len(facts["examples"])
    told = (
        f"{facts['small']} of {facts['classes']} classes of '{column}' are too small to be in every part: {shown}"
        + (f" and {more:,} more" if more else "")
    )
    if job.params.get("small_classes") == "warn":
        job.warn(told)
        return
    raise BuildError(
        f"split: {told}",
        where=job.dataset,
        hint="Leave them out or join them (`transform: [{filter: ...}]` or `{map: ...}`), ask for fewer parts, or let them miss "
        "from some parts: `split: {small_classes: warn}`.",
    )


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


def _check_type(job: Job, schema: pa.Schema, column: str) -> None:
    import pyarrow.types as pt

    check_column(job, schema, column, "stratify")
    kind = schema.field(column).type
    if pt.is_floating(kind) or pt.is_nested(kind):
        raise BuildError(
            f"split: 'stratify' needs a column of classes (text, integer, boolean, date), found '{column}' of type {kind}",
            where=job.dataset,
            hint=f"Cast it ({types_setting(column, 'string')}) or stratify by another column.",
        )
