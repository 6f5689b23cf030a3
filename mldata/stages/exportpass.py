"""One pass over a table: it is read once, and every batch goes to all formats that are being written, each in a thread of its own.

Invariants: memory is bounded, since the reader waits while the slowest format is :data:`AHEAD` bytes behind; a format that fails
takes nothing from the others; all threads have ended when the pass has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

from mldata.exports.rows import joined
from mldata.exports.shared import sharing
from mldata.stages.exportlane import Lane

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.stages.base import Outputs
    from mldata.stages.exportplan import ExportPlan

__all__ = ["OnePass"]

AHEAD = 24 << 20
"""Bytes of batches that wait for one format at most, beside the one that it has. Formats share the memory of a batch."""


GATHERED = 4 << 20
"""Bytes of a batch, about. One for each part is gathered at a time."""


@dataclass(frozen=True, eq=False)
class OnePass:
    """See :class:`mldata.stages.base.Together`: its members are the formats."""

    plan: ExportPlan
    parts: Mapping[str, list[str]]
    """Those that are to be written of each format."""

    def run(self, outputs: Mapping[str, Outputs]) -> Mapping[str, Mapping[str, Any] | Exception]:
        """See :class:`mldata.stages.base.Together`."""
        threads = max(1, self.plan.job.jobs // len(outputs))
        lanes = [Lane(self.plan, name, self.parts[name], out, threads) for name, out in outputs.items()]
        rooms = {lane.name: Room() for lane in lanes}
        workers = [
            Thread(target=_work, args=(lane, rooms[lane.name]), name=f"export {lane.name}") for lane in lanes
        ]
        for worker in workers:
            worker.start()
        fault: BaseException | None = None
        with sharing() if len(lanes) > 1 else nullcontext():
            try:
                self._read(lanes, rooms, outputs)
            except BaseException as error:
                fault = error
            for room in rooms.values():
                room.end(whole=fault is None)
            for worker in workers:
                worker.join()
        if fault is not None and not isinstance(fault, Exception):
            raise fault
        for out in outputs.values():
            out.checkpoint()  # what was stopped is no failure of a format
        return {
            lane.name: fault if isinstance(lane.error, Stopped) and fault else lane.error or lane.facts
            for lane in lanes
        }

    def _read(self, lanes: list[Lane], rooms: Mapping[str, Room], outputs: Mapping[str, Outputs]) -> None:
        from mldata.partrows import rows_by_part

        plan, names = self.plan, list(self.plan.parts)
        wanted = {lane.name: {names.index(part) for part in lane.passing()} for lane in lanes}
        together = set().union(*wanted.values())
        if not together:
            return
        only = next(iter(together)) if len(together) == 1 else None
        rows = rows_by_part(plan.table, plan.assignment, only=only, row_index=plan.row_index)
        for number, batch in gathered(_checked(rows, outputs.values())):
            for name, numbers in wanted.items():
                if number in numbers:
                    rooms[name].put(names[number], batch)
            if all(room.left for room in rooms.values()):
                return


def _checked(
    rows: Iterable[tuple[int, pa.RecordBatch]], outputs: Iterable[Outputs]
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows, for as long as the build is not being stopped."""
    for row in rows:
        for out in outputs:
            out.checkpoint()
        yield row


def gathered(rows: Iterable[tuple[int, pa.RecordBatch]]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The batches of each part joined to larger ones, once for all formats: small parts come in small batches."""
    held: dict[int, list[pa.RecordBatch]] = {}
    sizes: dict[int, int] = {}
    for number, batch in rows:
        held.setdefault(number, []).append(batch)
        sizes[number] = sizes.get(number, 0) + batch.nbytes
        if sizes[number] >= GATHERED:
            sizes[number] = 0
            for whole in joined(held.pop(number)):
                yield number, whole
    for number, rest in held.items():
        for whole in joined(rest):
            yield number, whole


def _work(lane: Lane, room: Room) -> None:
    try:
        lane.run(room)
    finally:
        room.leave()


class Stopped(Exception):
    """There are more rows, which will not come."""


class Room:
    """Batches that wait for one format."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[tuple[str, pa.RecordBatch, int]] = deque()
        self._size = 0
        self._ended = False
        self._whole = True
        self.left = False
        """Nobody takes any more."""

    def put(self, part: str, batch: pa.RecordBatch) -> None:
        """Add one, when there is room for it."""
        size = batch.nbytes
        with self._changed:
            while self._waiting and self._size + size > AHEAD and not self.left:
                self._changed.wait()
            if not self.left:
                self._waiting.append((part, batch, size))
                self._size += size
                self._changed.notify_all()

    def end(self, *, whole: bool) -> None:
        """No more will come. Unless all have come, what waits is of no use: whoever takes it gets :class:`Stopped`."""
        with self._changed:
            self._ended, self._whole = True, whole
            self._changed.notify_all()

    def leave(self) -> None:
        """No more will be taken."""
        with self._changed:
            self.left = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._whole:
                    raise Stopped
                if not self._waiting:
                    return
                part, batch, size = self._waiting.popleft()
                self._size -= size
                self._changed.notify_all()
            yield part, batch
            del batch
