"""Hashing objects that are about to be asked for, on a thread of its own, while something else is done."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from store.digest import Digest
from store.errors import StoreError

if TYPE_CHECKING:
    from store.objects import Objects


class Stopped(Exception):
    """Nobody waits for it any more."""


class Ahead:
    """Verifies objects one after the other. May be asked by several threads."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._process = os.getpid()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="verify")
        self._begun: dict[Digest, Future[bool]] = {}

    def begin(self, digests: Iterable[Digest]) -> None:
        """Verify these, after those that were begun before."""
        with self._lock:
            for digest in digests:
                if digest not in self._begun:
                    self._begun[digest] = self._pool.submit(self._verify, digest)

    def verified(self, digest: Digest) -> bool:
        """Whether the object was found to be right, for which this waits, and nobody wrote to it since. Told once for each :meth:`begin`."""
        if os.getpid() != self._process:
            return False  # a fork has no thread that would ever tell
        with self._lock:
            begun = self._begun.pop(digest, None)
        return begun is not None and begun.result() and self._objects.intact(digest)

    def close(self) -> None:
        """Stop, without waiting for what is left."""
        self._stop.set()
        if os.getpid() == self._process:
            self._pool.shutdown(cancel_futures=True)

    def _verify(self, digest: Digest) -> bool:
        try:
            return self._objects.inspect(digest, threads=1, checkpoint=self._check).good
        except (StoreError, OSError, Stopped):  # it is gone, or nobody waits: who asks looks for himself
            return False

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped
