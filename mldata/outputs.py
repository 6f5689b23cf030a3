"""What a running action makes, staged in a batch of the store until the action has ended well.

Invariant: of an action that fails, or is told to stop, nothing is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from mldata.folder import StagedFolder
    from mldata.stages.base import Together
    from store import ActionResult, Batch, ObjectId, ObjectWriter, TreeEntry


class Cancelled(Exception):
    """An action noticed that the build is being stopped."""


class StagedOutputs:
    """The :class:`mldata.stages.base.Outputs` of one running action, staged in the job's batch."""

    def __init__(self, batch: Batch, cancel: Event) -> None:
        self._batch = batch
        self._cancel = cancel
        self._lock = Lock()
        self._made: dict[str, tuple[ObjectId, str]] = {}
        self._writers: dict[str, ObjectWriter] = {}

    def put(self, name: str, data: bytes) -> ObjectId:
        """See :meth:`mldata.stages.base.Outputs.put`."""
        from store import KIND_FILE

        made = self._batch.put(data)
        self._add(name, made, KIND_FILE)
        return made

    def writer(self, name: str, *, hashes: Sequence[str] = (), threads: int = 1) -> BinaryIO:
        """See :meth:`mldata.stages.base.Outputs.writer`."""
        self.checkpoint()
        writer = self._batch.writer(hashes=hashes, threads=threads, checkpoint=self.checkpoint)
        with self._lock:
            if name in self._writers or name in self._made:
                raise ValueError(f"output {name!r} was made twice")
            self._writers[name] = writer
        return writer

    def reuse(self, name: str, made: ObjectId) -> bool:
        """See :meth:`mldata.stages.base.Outputs.reuse`."""
        from store import KIND_FILE

        if self._batch.missing([made]):
            return False
        self._add(name, made, KIND_FILE)
        return True

    def tree(self, name: str, entries: Sequence[TreeEntry]) -> ObjectId:
        """See :meth:`mldata.stages.base.Outputs.tree`."""
        from store import KIND_TREE

        made = self._batch.put_tree(entries)
        self._add(name, made, KIND_TREE)
        return made

    def checkpoint(self) -> None:
        """See :meth:`mldata.stages.base.Outputs.checkpoint`."""
        if self._cancel.is_set():
            raise Cancelled

    def folder(self, name: str) -> StagedFolder:
        """See :meth:`mldata.stages.base.Outputs.folder`."""
        from mldata.folder import StagedFolder
        from store import KIND_TREE

        return StagedFolder(self._batch, self.checkpoint, lambda made: self._add(name, made, KIND_TREE))

    def finished(self) -> dict[str, Any]:
        """Every output by name, as the action result holds them. A writer left open is a mistake of the stage."""
        from store import KIND_FILE, Output

        for name, writer in self._writers.items():
            if not writer.closed:
                raise ValueError(f"output {name!r} was not closed")
            self._made[name] = (writer.id, KIND_FILE)
        return {
            name: Output(made.digest, made.size, kind) for name, (made, kind) in sorted(self._made.items())
        }

    def clear(self) -> None:
        """See :meth:`mldata.stages.base.Outputs.clear`. What was staged is left to gc, since others may have made it too."""
        self.discard()
        with self._lock:
            self._made.clear()
            self._writers.clear()

    def discard(self) -> None:
        """Drop what a failed action has half written."""
        for writer in self._writers.values():
            if not writer.closed:
                writer.discard()

    def _add(self, name: str, made: ObjectId, kind: str) -> None:
        self.checkpoint()
        with self._lock:
            if name in self._made or name in self._writers:
                raise ValueError(f"output {name!r} was made twice")
            self._made[name] = (made, kind)


def run_together(
    together: Together, members: Sequence[str], batch: Batch, cancel: Event
) -> tuple[dict[int, ActionResult], dict[int, Exception]]:
    """Perform some actions in one go: results, and what went wrong, by position. Of those that fail nothing stays."""
    from store import ActionResult

    outputs = [StagedOutputs(batch, cancel) for _ in members]
    results: dict[int, ActionResult] = {}
    errors: dict[int, Exception] = {}
    try:
        done = together.run(dict(zip(members, outputs, strict=True)))
        for index, (name, made) in enumerate(zip(members, outputs, strict=True)):
            facts = done[name]
            if isinstance(facts, Exception):
                errors[index] = facts
            else:
                results[index] = ActionResult(outputs=made.finished(), facts=dict(facts))
    except Cancelled:
        raise
    except Exception as error:
        results, errors = {}, dict.fromkeys(range(len(members)), error)
    finally:
        for index, made in enumerate(outputs):
            if index not in results:
                made.discard()
    return results, errors
