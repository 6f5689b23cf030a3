"""One worker process, as the process that started it sees it: it is asked for batches, watched, and ended.

Time: a file is taken for hanging when it has taken its limit of processor time, so that neither a busy machine nor a slow disk makes a sound file look bad, or
:data:`PATIENCE` times that by the clock: whatever hangs without computing. Where the processor time of another process is not to be had (all but Linux), the latter alone counts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING, Any

from mldata.integrity import KINDS
from mldata.integrity.look import Look
from mldata.integrity.page import SIZE, Page

if TYPE_CHECKING:
    from store import Worker

__all__ = ["PATIENCE", "Hand", "Job", "Lost", "Owner"]

PATIENCE = 3
SLOW = 0.25
"""Seconds with one file after which the files behind it are given to others."""


class Owner:
    """To whom jobs belong. Looked at and changed with the lock of the pool."""

    given_up = False
    open = 0
    """Jobs that were submitted and have no look yet."""


class Job:
    """A file that is to be looked at."""

    __slots__ = ("look", "owner", "queued", "request", "size")

    def __init__(self, owner: Owner, request: tuple[bytes, str, bool, str | None], size: int) -> None:
        self.owner = owner
        self.request = request
        self.size = size
        self.look: Look | None = None
        self.queued = False

    def settle(self, look: Look) -> None:
        """This was seen; what was seen before stays."""
        if self.look is None:
            self.look = look
            self.owner.open -= 1


@dataclass(frozen=True)
class Lost(Exception):
    """The worker ended before it answered."""

    current: int
    """The number of the file that it was at, from 1; 0: none."""
    kind: str | None
    """What that is, as far as it was known."""
    size: int
    """Its bytes, as far as they were known."""
    limit: float | None
    """The seconds that the file had, if it took longer and was ended for that."""
    how: str
    """How the worker ended."""


class Hand:
    """For one thread that asks, and one that watches."""

    def __init__(self, timeout: float, memory: int, memo: str | None) -> None:
        """Start the process, and wait until it is up. Raises ``store.WorkerLost``."""
        from store import Worker, WorkerLost

        self.batch: Sequence[Job] = ()
        """What it was asked for last."""
        self.shared = False
        """Whether the rest of the batch was given to others."""
        self._late: tuple[int, float] | None = None
        with tempfile.TemporaryFile() as file:
            file.truncate(SIZE)
            self.page = Page(mmap(file.fileno(), SIZE))
            end, self._lifeline = os.pipe()
            try:
                self._worker: Worker = Worker("mldata.integrity.child", "main", (file.fileno(), end))
                settings = {
                    "page": file.fileno(),
                    "lifeline": end,
                    "kinds": [tuple(info) for info in KINDS.values()],
                    "timeout": timeout,
                    "memory": memory,
                    "memo": memo,
                }
                try:
                    self._worker.ask(settings)
                except WorkerLost:
                    raise WorkerLost(self._worker.close()) from None
            except BaseException:
                os.close(self._lifeline)
                raise
            finally:
                os.close(end)

    def ask(self, batch: Sequence[Job]) -> list[Look]:
        """What was seen of the first files of the batch, at least of one. Raises :class:`Lost`: it is to be closed."""
        from store import WorkerLost

        try:
            answer: list[Any] = self._worker.ask([job.request for job in batch])
        except WorkerLost:
            how = self._worker.close()
            number = self.page.current
            kind = list(KINDS)[self.page.kind - 1] if self.page.kind else None
            late = self._late if self._late is not None else (number, None)
            raise Lost(late[0], kind, self.page.size, late[1], how) from None
        return [Look(*look) for look in answer]

    def begin(self, batch: Sequence[Job]) -> None:
        """A batch will be asked for; from now on it is watched."""
        self.page.clear()
        self.batch, self.shared, self._late = batch, False, None

    def watch(self) -> list[Job]:
        """End the worker if a file takes too long. Give out the files behind one that takes long, once."""
        number, page = self.page.current, self.page
        if not number or self._late is not None:
            return []
        wall, limit = page.wall, page.limit
        if wall >= limit and page.current == number:
            cpu = page.cpu(self._worker.pid)
            if (cpu is not None and cpu >= limit) or wall >= PATIENCE * limit:
                self._late = number, limit
                self._worker.kill()
                return []
        if wall < min(SLOW, limit) or self.shared:
            return []
        self.shared = True
        page.stop()
        return list(self.batch[number:])

    def kill(self) -> None:
        """End the process from another thread."""
        self._worker.kill()

    def close(self) -> None:
        """End the process. Nobody may watch it any more."""
        self._worker.close()
        os.close(self._lifeline)
        self.page.close()
