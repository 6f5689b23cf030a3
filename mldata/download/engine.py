"""Downloads many files into the store, several at a time.

Small ones are published in batches, large ones one by one (``transfer.py``). Threads bring them; the one who asked publishes and yields.

Invariant: an object is made only of bytes that were compared with everything that was stated of them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mldata.download.base import Got, Keeping, Want, Watch
from mldata.download.bodies import Bodies
from mldata.download.job import Job
from mldata.download.options import DownloadOptions
from mldata.download.rate import Rate
from mldata.download.retries import Stopped
from mldata.download.small import TooLarge, bring_small, may_be_small
from mldata.download.transfer import Transfer

if TYPE_CHECKING:
    from store import Batch, Hashes, ObjectId, Store

__all__ = ["download"]

GROUP_FILES = 512
GROUP_BYTES = 64 << 20
GROUP_SECONDS = 1.0
"""A group of small files is published when it has so many, or so many bytes, or is so old."""

PATIENCE = 5.0
"""Seconds that threads have to end in before they are left behind."""


def download(store: Store, wants: Iterable[Want], options: DownloadOptions, watch: Watch) -> Iterator[Got]:
    """Bring files into the store; each is yielded when it is there, in the order in which they come.

    Closing the iterator, or an exception at its ``yield``, ends what is under way; what came of files that are not small is kept for
    the next time. Have a lease of the store, so that no gc takes what was brought.

    Raises:
        Mismatch: what came is not what was promised.
        NetworkError, AuthError, SourceError: of an origin, once trying again is of no use.
        StoreFull, StoreReadOnly: of the store.
    """
    todo = list(wants)
    if not todo:
        return
    with store.batch() as batch:
        run = _Run(store, batch, todo, options, watch)
        try:
            yield from run.results()
        finally:
            run.end()


class _Run:
    """One download: its threads, and what they found."""

    def __init__(
        self, store: Store, batch: Batch, todo: list[Want], options: DownloadOptions, watch: Watch
    ) -> None:
        self._stop = threading.Event()
        self._job = Job(
            store,
            options,
            watch,
            Rate(options.limit_rate, self._stop),
            Bodies(options.stall, self._stop),
            self._stop,
        )
        self._batch = batch
        self._count = len(todo)
        self._todo = iter(todo)
        self._keys = store.partials.keys()
        self._lock = threading.Lock()
        self._transfers: set[Transfer] = set()
        self._putting = 0
        self._quiet = threading.Condition()
        self._found: queue.SimpleQueue[tuple[Got, bool] | BaseException] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name="download", daemon=True)
            for _ in range(min(max(1, options.connections), self._count))
        ]

    def results(self) -> Iterator[Got]:
        """What comes, once it is visible in the store."""
        for thread in self._threads:
            thread.start()
        group: list[Got] = []
        size, since = 0, time.monotonic()
        left = self._count
        while left or group:
            item = self._next(since + GROUP_SECONDS if group else None) if left else None
            if isinstance(item, BaseException):
                self._batch.commit()
                yield from group
                raise item
            if item is not None:
                left -= 1
                got, published = item
                if published:
                    yield got
                else:
                    since = since if group else time.monotonic()
                    group.append(got)
                    size += got.id.size
            if group and (item is None or len(group) >= GROUP_FILES or size >= GROUP_BYTES):
                self._batch.commit()
                yield from group
                group, size = [], 0

    def _next(self, until: float | None) -> tuple[Got, bool] | BaseException | None:
        """What the threads found next; None if that is nothing before ``until``."""
        if until is None:
            return self._found.get()
        try:
            return self._found.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None

    def end(self) -> None:
        """End the threads; whatever those still try that do not end is refused."""
        self._stop.set()
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < until:
                self._job.bodies.interrupt()
                thread.join(0.05)
        with self._lock:
            left = list(self._transfers)
        for transfer in left:
            transfer.abandon()
        with self._quiet:
            self._quiet.wait_for(lambda: not self._putting)
        self._job.bodies.close()

    def _work(self) -> None:
        """What each thread does."""
        try:
            while not self._stop.is_set():
                with self._lock:
                    want = next(self._todo, None)
                if want is None:
                    return
                self._found.put(self._bring(want))
        except Stopped:
            pass
        except BaseException as error:
            self._found.put(error)

    def _bring(self, want: Want) -> tuple[Got, bool]:
        """One file, and whether it is visible already."""
        known = self._job.store.partials.key(want.origin.identity) in self._keys
        if known or not may_be_small(want.size):
            return self._transfer(want), True
        try:
            got = bring_small(self._job, want, self._put)
        except TooLarge as large:
            with large.body:
                return self._transfer(want, large), True
        self._job.watch.end(want.name)
        return got, False

    def _transfer(self, want: Want, large: TooLarge | None = None) -> Got:
        if self._job.options.resume and isinstance(want.origin, Keeping):
            want.origin.keep_in(self._job.store.partials)
        transfer = Transfer(self._job, want)
        with self._lock:
            self._transfers.add(transfer)
        try:
            return transfer.run(large.body, begun=large.begun) if large is not None else transfer.run()
        finally:
            with self._lock:
                self._transfers.discard(transfer)

    def _put(self, hashes: Hashes, data: bytes) -> ObjectId:
        with self._quiet:
            if self._stop.is_set():
                raise Stopped
            self._putting += 1
        try:
            return self._batch.put_hashed([(hashes, data)])[0]
        finally:
            with self._quiet:
                self._putting -= 1
                self._quiet.notify_all()
