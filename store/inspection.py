"""Hashes many objects on a few threads, in order, until a deadline. What the verdicts mean is the caller's to say."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from store.digest import Digest
from store.errors import ObjectMissing
from store.objects import Objects, Verdict

__all__ = ["inspect_all"]

THREADS = 2
GROUP = 64
GROUP_BYTES = 1 << 26
"""At most so many objects, and about so many bytes, are handed to a thread at a time."""

Verdicts = list[tuple[bytes, Verdict | None]]


def inspect_all(
    objects: Objects, keys: Sequence[bytes], sizes: Mapping[bytes, int], deadline: float | None = None
) -> Iterator[tuple[bytes, Verdict | None]]:
    """Hash the objects ``keys`` (digests of 32 bytes): verdicts in order, None for one that is gone.

    ``sizes`` tells the bytes of each. Ends early when ``time.monotonic()`` passes ``deadline``.
    """

    def inspect(group: Sequence[bytes]) -> Verdicts:
        verdicts: Verdicts = []
        for key in group:
            if deadline is not None and time.monotonic() > deadline:
                break
            try:
                verdicts.append((key, objects.inspect(Digest(key.hex()))))
            except ObjectMissing:
                verdicts.append((key, None))
        return verdicts

    with ThreadPoolExecutor(THREADS) as pool:
        running: deque[Future[Verdicts]] = deque()
        for group in _groups(keys, sizes):
            running.append(pool.submit(inspect, group))
            if len(running) > 2 * THREADS:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def _groups(keys: Sequence[bytes], sizes: Mapping[bytes, int]) -> Iterator[list[bytes]]:
    """Keys in order, some at a time: few enough that a deadline is kept, many enough that threads do not wait on each other."""
    group: list[bytes] = []
    weight = 0
    for key in keys:
        group.append(key)
        weight += sizes.get(key, 0)
        if len(group) >= GROUP or weight >= GROUP_BYTES:
            yield group
            group, weight = [], 0
    if group:
        yield group
