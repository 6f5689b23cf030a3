"""Bulk: thousands of small files staged by worker processes, and published a folder at a time.

Taking in a small file is a dozen short system calls; in threads of one process most of the time goes into handing over the
GIL. So workers read, hash and write temporaries, and report what they staged; the parent leases, remembers and, when the
batch commits, syncs and publishes. What a worker cannot do at once it leaves to the parent: large files, files that are odd
or unreadable or change, a full disk. So there is one place that decides about errors, and a worker that dies loses time only.

Temporaries already have their final names, in folders ``ab/`` as the store has them. Where the store has no such folder yet,
the batch moves the whole one into place, which saves a rename for each file.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from contextlib import suppress

from store.batch import Batch
from store.digest import Digest, Hashes, ObjectId
from store.source import FileStat, Ingested
from store.stager import Request, Row, stage_files
from store.workers import Worker, WorkerLost

File = tuple[int, str, str]
"""Position, name and path of a file."""

Group = Sequence[File]
"""Some files."""


class Bulk:
    """One intake into a batch. ``stage`` may be called from as many threads as there are workers."""

    def __init__(self, batch: Batch, names: Collection[str], workers: int) -> None:
        """Start the workers.

        Args:
            names: secondary digests to compute in the same pass.
            workers: how many; with 0 everything is done here.
        """
        self._batch = batch
        self._names = list(names)
        self._folder = batch.staging.new_folder()
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._fds = (batch.objects.root_fd, batch.staging.fd)
        with suppress(WorkerLost):
            for _ in range(workers):
                self._idle.append(Worker("store.stager", "be_worker", self._fds))
        self._all += self._idle

    def stage(self, group: Group) -> list[tuple[int, Ingested]]:
        """Stage what is plain and simple in a group, and say what became of it. The others are left to the caller."""
        files = [(position, path) for position, _, path in group]
        request: Request = (*self._fds, self._folder, files, self._names)
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            return take_rows(self._batch, group, stage_files(*request))
        try:
            rows = worker.ask(request)
        except WorkerLost:
            return []  # this worker is not asked again
        with self._lock:
            self._idle.append(worker)
        return take_rows(self._batch, group, rows)

    def __enter__(self) -> Bulk:
        return self

    def __exit__(self, *details: object) -> None:
        for worker in self._all:
            worker.close()
        # From here on nobody writes to them any more.
        self._batch.staging.complete(self._folder)


def take_rows(batch: Batch, group: Group, rows: Sequence[Row]) -> list[tuple[int, Ingested]]:
    """Account in the batch for what a worker reported of a group; leaves out what has to be put again."""
    ids = [ObjectId(Digest(row[1]), row[2]) for row in rows]
    gone = batch.adopt_many([(id, row[7]) for id, row in zip(ids, rows, strict=True)])
    batch.remember(
        [Hashes(id.digest, *row[2:5]) for id, row in zip(ids, rows, strict=True) if row[3] or row[4]]
    )
    names = {position: name for position, name, _ in group}
    return [
        (row[0], Ingested(names[row[0]], id, row[5], FileStat._make(row[6])))
        for id, row in zip(ids, rows, strict=True)
        if id.digest not in gone
    ]
