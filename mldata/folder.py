"""A tree of many files that a running action stages: streams of any length, and thousands of small files at the cost of a few.

Invariant: the tree is staged after every file in it, and only by :meth:`StagedFolder.close`. Nothing of a folder that is not closed is an output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from store import hash_bytes

if TYPE_CHECKING:
    from store import Batch, Hashes, ObjectId

SMALL = 1 << 18
"""A file of fewer bytes is held until there are enough of them."""
HELD_BYTES = 4 << 20
HELD_FILES = 512


class StagedFolder:
    """The :class:`mldata.stages.base.OutputFolder` of one running action, for one thread.

    Args:
        check: called before each piece of work; raises when the action is to stop.
        done: takes the finished tree.
    """

    def __init__(self, batch: Batch, check: Callable[[], None], done: Callable[[ObjectId], None]) -> None:
        self._batch, self._check, self._done = batch, check, done
        self._files: dict[str, ObjectId] = {}
        self._held: list[tuple[str, Hashes, bytes]] = []
        self._held_bytes = 0
        self._aliases: list[tuple[str, str]] = []

    def add(self, path: str, data: Iterable[bytes], *, hashes: Sequence[str] = ()) -> None:
        """See :meth:`mldata.stages.base.OutputFolder.add`."""
        self._check()
        chunks, head = iter(data), b""
        for chunk in chunks:
            head = head + chunk if head else chunk
            if len(head) >= SMALL:
                break
        else:
            self._hold(path, head, hashes)
            return
        with self._batch.writer(hashes=hashes) as writer:
            writer.write(head)
            for chunk in chunks:
                self._check()
                writer.write(chunk)
        self._files[path] = writer.id

    def alias(self, path: str, target: str) -> None:
        """See :meth:`mldata.stages.base.OutputFolder.alias`."""
        self._aliases.append((path, target))

    def close(self) -> ObjectId:
        """See :meth:`mldata.stages.base.OutputFolder.close`."""
        self._flush()
        for path, target in self._aliases:
            self._files[path] = self._files[target]
        tree = self._batch.put_paths((path, made, False) for path, made in self._files.items())
        self._done(tree)
        return tree

    def _hold(self, path: str, data: bytes, hashes: Sequence[str]) -> None:
        self._held.append((path, hash_bytes(data, hashes), data))
        self._held_bytes += len(data)
        if self._held_bytes >= HELD_BYTES or len(self._held) >= HELD_FILES:
            self._flush()

    def _flush(self) -> None:
        made = self._batch.put_hashed([(found, data) for _, found, data in self._held])
        self._files.update((path, id) for (path, _, _), id in zip(self._held, made, strict=True))
        self._held, self._held_bytes = [], 0
