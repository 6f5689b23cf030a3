"""Rejects: the rows of a source that could not be read, put aside in a table of their own where the spec says so.

Columns: ``file`` (its name in the source), ``line`` and ``column`` (from 1; of what is wrong, see :class:`~mldata.formats.base.Reject`), ``reason``,
``record`` (bytes, as they stand in the file; of a long one the beginning). Rows that
were read and rows that were put aside are together all the rows of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mldata.errors import DataError, SpecError, Where
from mldata.formats import formats
from mldata.formats.choose import some
from mldata.formats.encode import encode

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo, Reject
    from mldata.stages.base import Job
    from mldata.stages.reading import File
    from store import ObjectId

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("column", pa.int64()),
        ("reason", pa.string()),
        ("record", pa.binary()),
    ]
)
NAMED = 3
"""How many a message names."""


def without_rejects(files: Sequence[tuple[str, FormatInfo]]) -> str | None:
    """What to warn of where some files (name, format) are in formats that put no row aside.

    Raises:
        SpecError: all are.
    """
    deaf = [(name, info) for name, info in files if not info.rejects]
    if not deaf:
        return None
    found = ", ".join(sorted({info.name for _, info in deaf}))
    if len(deaf) == len(files):
        known = ", ".join(info.name for info in formats().values() if info.rejects)
        raise SpecError(
            f"expected files in a format whose rows can be put aside ({known}), found {found} alone ({deaf[0][0]})",
            where="normalize.on_bad_row",
            hint="remove `on_bad_row`: rows of these files have no text that could be put aside, and what is wrong in one is an error",
        )
    return (
        f"`on_bad_row: reject` does not reach {found} files, in which a bad value is an error: "
        f"{some([name for name, _ in deaf])}"
    )


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
            where=Where(rows[0][0], rows[0][1].line, rows[0][1].column),
            hint="correct the files, or raise `max_rejects` under normalize in mldata.yaml",
        )
    job.warn(f"put aside: {found}; `mldata show {job.dataset} --rejects` lists them")
    columns = zip(*((name, *reject) for name, reject in rows), strict=True)
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
    return f"{Where(name, reject.line, reject.column)}: {reject.reason}"
