"""Rejects: the rows of a source that could not be read, put aside in a table of their own where the spec says so.

Columns: ``file`` (its name in the source), ``line`` (of the file, from 1), ``reason``, ``record`` (bytes, as they stand in the file). Rows that
were read and rows that were put aside are together all the rows of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mldata.errors import DataError, Where
from mldata.formats.encode import encode

if TYPE_CHECKING:
    from mldata.formats.base import Reject
    from mldata.stages.base import Job
    from mldata.stages.reading import File
    from store import ObjectId

SCHEMA = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("reason", pa.string()), ("record", pa.binary())]
)
NAMED = 3
"""How many a message names."""


def put_rejects(job: Job, files: Sequence[File]) -> tuple[ObjectId | None, dict[str, Any]]:
    """Publish the rejects of all files: the Parquet object (None if there are no rejects), and the facts of them.

    Raises:
        DataError: there are more than ``max_rejects`` allows.
    """
    rejected = [file for file in files if file.rejected]
    if not rejected:
        return None, {"count": 0}
    rows = [(file.name, reject) for file in rejected for reject in file.rejects()]
    total = len(rows) + sum(piece.rows for file in files for piece in file.pieces)
    first = [_shown(name, reject) for name, reject in rows[:NAMED]]
    more = f"; and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    found = f"{len(rows):,} of {total:,} rows cannot be read: {'; '.join(first)}{more}"
    limit = job.params["max_rejects"]
    if len(rows) > allowed(limit, total):
        raise DataError(
            f"expected at most {limit} bad rows (`max_rejects`), found more: {found}",
            where=Where(rows[0][0], rows[0][1].line),
            hint="correct the files, or raise `max_rejects` under normalize in mldata.yaml",
        )
    job.warn(f"put aside: {found}; `mldata show {job.dataset} --rejects` lists them")
    columns = [
        [name for name, _ in rows],
        [reject.line for _, reject in rows],
        [reject.reason for _, reject in rows],
        [reject.record for _, reject in rows],
    ]
    table = pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA
    )
    return job.put(encode(table).to_pybytes()), {"count": len(rows), "first": first}


def allowed(limit: int | str, total: int) -> int:
    """How many of ``total`` rows may be bad: a number, or a share such as ``1%`` (rounded down, but at least one row)."""
    if isinstance(limit, int):
        return limit
    from fractions import Fraction

    return max(1, int(Fraction(limit.removesuffix("%")) * total / 100))


def _shown(name: str, reject: Reject) -> str:
    return f"{name}:{reject.line}: {reject.reason}"
