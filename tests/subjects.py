"""Tables in a store as subjects, for what compares or describes them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mldata.assignment import Segment, write_assignment
from mldata.stages.base import StageOutput
from mldata.subjects import Subject
from mldata.table import Fragment, write_table
from store import ObjectId, Store

__all__ = ["stored"]


class _Stored(Subject):
    def make(self, stage: str, params: Mapping[str, Any]) -> StageOutput:
        raise AssertionError(f"{self.title} has no build that could make {stage}")


def stored(
    store: Store,
    tables: Sequence[pa.Table],
    title: str = "it",
    *,
    kind: str = "tabular",
    media: ObjectId | None = None,
    parts: Mapping[str, Sequence[int]] | None = None,
    part: str | None = None,
    row_group: int | None = None,
) -> Subject:
    """A table with a fragment for each of ``tables`` (one schema, one at least).

    Args:
        parts: rows by part, every row in one.
        part: the only one that is meant.
        row_group: rows of a row group.
    """
    fragments = []
    for number, table in enumerate(tables):
        sink = io.BytesIO()
        pq.write_table(table, sink, row_group_size=row_group)
        made = store.put(sink.getvalue())
        fragments.append(Fragment(made.digest, made.size, table.num_rows, f"{number}.parquet"))
    outputs = {
        "normalize": write_table(
            kind=kind,
            schema=tables[0].schema,
            fragments=fragments,
            media=media,
            put=store.put,
            put_tree=store.put_tree,
        ).digest
    }
    if parts is not None:
        numbers = np.zeros(sum(map(len, parts.values())), np.uint8)
        for number, rows in enumerate(parts.values()):
            numbers[list(rows)] = number
        segment = store.put(numbers.tobytes())
        outputs["split"] = write_assignment(
            parts=list(parts),
            ratios=[None] * len(parts),
            counts=[len(rows) for rows in parts.values()],
            segments=[Segment(segment.digest, len(numbers))],
            put=store.put,
            put_tree=store.put_tree,
        ).digest
    return _Stored(title, store, outputs, part)
