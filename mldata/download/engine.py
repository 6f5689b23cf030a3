"""Downloads many files into the store, several at a time.

Invariant: an object is made only of bytes that were compared with everything that was stated of them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from random import random
from typing import TYPE_CHECKING

from mldata.download.base import DownloadOptions, Got, Transient, Want, Watch
from mldata.download.digests import Promise, Sums

if TYPE_CHECKING:
    from store import Store

__all__ = ["download"]


class _Stopped(Exception):
    """The one who asked for the files does not want them any more."""


def download(store: Store, wants: Iterable[Want], options: DownloadOptions, watch: Watch) -> Iterator[Got]:
    """Bring files into the store; each is yielded when it is there, in the order in which they come.

    Closing the iterator, or an exception at its ``yield``, ends what is under way; what came is kept for the next time.

    Raises:
        Mismatch: what came is not what was promised.
        NetworkError, AuthError, SourceError: of an origin, once retrying is of no use.
        StoreFull, StoreReadOnly: of the store.
    """
    todo = list(wants)[::-1]
    results: queue.SimpleQueue[Got | BaseException] = queue.SimpleQueue()
    stop = threading.Event()
    lock = threading.Lock()

    def work() -> None:
        while not stop.is_set():
            with lock:
                if not todo:
                    return
                want = todo.pop()
            try:
                results.put(_one(store, want, options, watch, stop))
            except BaseException as error:
                results.put(error)
                return

    count = len(todo)
    threads = [
        threading.Thread(target=work, name="download", daemon=True)
        for _ in range(min(options.connections, count))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(count):
            got = results.get()
            if isinstance(got, BaseException):
                raise got
            yield got
    finally:
        stop.set()


def _one(store: Store, want: Want, options: DownloadOptions, watch: Watch, stop: threading.Event) -> Got:
    """One file, begun again after passing failures."""
    failures = 0
    watch.begin(want.name, want.size, 0)
    while True:
        came = 0
        try:
            with want.origin.open() as body, store.batch() as batch:
                promise = Promise(want.origin.name, want.size, want.digests)
                promise.state_size(body.validator.size)
                promise.state(body.digests)
                sums = Sums(promise.digests, promise.size)
                with batch.writer(
                    hashes=[kind for kind in ("md5", "sha256") if kind in promise.digests]
                ) as writer:
                    for data in body:
                        if stop.is_set():
                            raise _Stopped
                        writer.write(data)
                        sums.update(data)
                        came += len(data)
                        watch.advance(want.name, len(data))
                    promise.check(sums.size, sums.finish()[1])
                validator = body.validator
            watch.end(want.name)
            return Got(want.name, writer.id, validator, 0, came)
        except Transient as error:
            watch.advance(want.name, -came)
            failures += 1
            if failures > options.retries:
                raise
            wait = (
                error.retry_after
                if error.retry_after is not None
                else min(60.0, 0.5 * 2**failures) * random()
            )
            watch.note(f"{want.origin.name}: {error.message}; trying again")
            end = time.monotonic() + wait
            while not stop.wait(min(0.2, max(0.0, end - time.monotonic()))) and time.monotonic() < end:
                pass
