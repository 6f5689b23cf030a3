"""Whether there is room in the store for the files of an export, known before the first one is written: by what the last ones took, else by
writing some rows to nowhere.

Of a small table nothing is estimated: what it takes is soon known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mldata.errors import MldataError
from mldata.exportroom import room_for
from mldata.exports import find_export
from mldata.stages.exportlane import open_file
from store import StoreError

if TYPE_CHECKING:
    from mldata.stages.exportplan import ExportPlan

__all__ = ["check_room", "estimated"]

SMALL_ROWS = 100_000
SMALL_BYTES = 64 << 20
"""A table, and media that are written once more, below both of these are small."""
SAMPLE_ROWS = 16_384
SAMPLE_MEDIA = 32
"""Rows that are written to nowhere, of formats that hold media themselves."""


def check_room(plan: ExportPlan, formats: Iterable[str]) -> None:
    """Raise ``BuildError`` where the disk of the store has no room for the files of ``formats``: what they need, and what is free."""
    wanted = list(formats)
    again = any(find_export(name).embeds for name in wanted)
    media = (
        sum(entry.size for _, entry in plan.job.store.walk(plan.table.media))
        if again and plan.table.media
        else 0
    )
    size = sum(fragment.size for fragment in plan.table.fragments) + media
    if not wanted or (plan.table.rows < SMALL_ROWS and size < SMALL_BYTES):
        return
    need = sum(by_last(plan, name) or estimated(plan, name) for name in wanted)
    room_for(need, plan.job.store.root, f"{plan.job.dataset}: writing {', '.join(wanted)}")


def by_last(plan: ExportPlan, name: str) -> int | None:
    """Bytes that the files of a format took last, for as many rows as there are now; None where that is not known."""
    from mldata.assignment import Assignment

    previous, store = plan.job.previous, plan.job.store
    if previous is None or "split" not in previous.inputs or plan.shard_size is not None:
        return None
    try:
        rows = Assignment.open(store, previous.inputs["split"]).rows
        tree = store.tree(previous.output)
    except (MldataError, StoreError):  # gone by now
        return None
    files = [tree.get(find_export(name).file_path(part)) for part in plan.parts]
    sizes = [file.size for file in files if file is not None]
    if len(sizes) < len(files) or not rows:
        return None
    return sum(sizes) * plan.table.rows // rows


def estimated(plan: ExportPlan, name: str) -> int:
    """About how many bytes the files of a format take, after its first rows; 0 where it cannot hold these, which it will say itself."""
    try:
        return _estimated(plan, name)
    except MldataError:
        return 0


def _estimated(plan: ExportPlan, name: str) -> int:
    from mldata.partrows import rows_by_part

    most = SAMPLE_MEDIA if find_export(name).embeds and plan.table.media is not None else SAMPLE_ROWS
    sink: Any = _Nowhere()
    file, rows = None, 0
    for number, batch in rows_by_part(plan.table, plan.assignment, row_index=plan.row_index, batch_rows=most):
        file = file or open_file(plan, name, list(plan.parts)[number], sink)
        batch = batch.slice(0, most - rows)
        file.write(batch)
        rows += batch.num_rows
        if rows >= most:
            break
    if file is None:
        return 0
    file.close()
    return int(sink.size * plan.table.rows / max(rows, 1))


class _Nowhere:
    """Counts what is written."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: Any) -> int:
        written = memoryview(data).nbytes
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Nothing is held back."""

    @property
    def closed(self) -> bool:
        return False
