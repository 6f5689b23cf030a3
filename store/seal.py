"""Seals: a file's modification time says that nobody wrote to it since the store did.

When the store publishes an object or an exported file it sets the modification time to *(second of publishing,
nanoseconds derived from the digest)*. Whoever writes to the file afterwards, through any hardlink, moves that time; a
new time carries the right nanoseconds once in 10**9. So one ``stat`` tells an untouched file from an edited one, with
no index and no racy window.

Invariant: an intact seal is trusted without reading; a broken one proves nothing, and the content is hashed. On a
file system without nanosecond times no seal survives, and everything is verified by hashing. A seal does not see
a failing disk: ``check --read-data`` does.
"""

from __future__ import annotations

import os
import time

from store.digest import Digest

BILLION = 10**9


def seal_nanoseconds(digest: Digest) -> int:
    """The nanoseconds, 0 to 999,999,999, that a sealed file with this digest carries."""
    return int(digest[:15], 16) % BILLION


def seal_times(digest: Digest, second: int | None = None) -> tuple[int, int]:
    """Access and modification time, in ns since the epoch, for ``os.utime(..., ns=...)``."""
    when = int(time.time()) if second is None else second
    mark = when * BILLION + seal_nanoseconds(digest)
    return mark, mark


def is_sealed(stat: os.stat_result, digest: Digest, size: int | None = None) -> bool:
    """Whether a file with this ``stat`` carries the seal of ``digest`` (and has ``size`` bytes, if given)."""
    return stat.st_mtime_ns % BILLION == int(digest[:15], 16) % BILLION and (
        size is None or stat.st_size == size
    )


def reseal(target: int | str | os.PathLike[str], digest: Digest) -> bool:
    """Put the seal (back) on a file whose content was just verified. False if it may not be touched.

    Args:
        target: an open file descriptor, or a path (a link is not followed).
    """
    try:
        if isinstance(target, int):
            os.utime(target, ns=seal_times(digest))
        else:
            os.utime(target, ns=seal_times(digest), follow_symlinks=False)
    except OSError:
        return False
    return True
