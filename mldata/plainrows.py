"""Rows as plain JSON values, as the export ``jsonl`` writes them, for people and programs to look at."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["plain_rows"]


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a small table, keys in its order. A column of a type that JSON Lines cannot hold is given as text."""
    import pyarrow as pa

    from mldata.exports.base import Compression
    from mldata.exports.jsonl import JsonLines

    lines = JsonLines()
    for at, field in enumerate(table.schema):
        if lines.unfit(field.type):
            texts = [None if value is None else str(value) for value in table.column(at).to_pylist()]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    sink = BytesIO()
    file = lines.open(sink, table.schema, Compression("none"))
    for batch in table.combine_chunks().to_batches():
        file.write(batch)
    file.close()
    return [json.loads(line) for line in sink.getvalue().split(b"\n") if line]
