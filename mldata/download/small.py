"""Files that are small enough to be held in memory until they are known to be right.

No state is kept of one while it comes: what that would save is less than what it costs for each of thousands. What came of one that
breaks off is handed on to where states are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mldata.download.base import Body, Got, Transient, Want
from mldata.download.begun import Begun
from mldata.download.digests import Promise, Sums
from mldata.download.job import Job
from mldata.download.retries import Retries
from store import Hashes, ObjectId

__all__ = ["SMALL", "TooLarge", "bring_small", "may_be_small"]

SMALL = 1 << 20
"""Bytes of the largest file that is held in memory."""


def may_be_small(size: int | None) -> bool:
    """Whether a file of this size, None if nobody knows it, is to be tried so."""
    return size is None or size <= SMALL


class TooLarge(Exception):
    """It is larger, or was cut off: it is worth to keep what came.

    Args:
        body: that is open, from its beginning.
        begun: the watch was told.
    """

    def __init__(self, body: Body, *, begun: bool) -> None:
        super().__init__()
        self.body, self.begun = body, begun


def bring_small(job: Job, want: Want, put: Callable[[Hashes, bytes], ObjectId]) -> Got:
    """Bring one file, and give it to ``put`` once it was compared with all that was stated of it.

    Raises:
        TooLarge: it has more than :data:`SMALL` bytes, or did not come at once.
        Stopped: nobody wants it any more.
        Mismatch, SourceError, NetworkError, AuthError: as :func:`mldata.download.engine.download`.
    """
    promise = Promise(want.origin.name, want.size, want.digests)
    body = Begun(_open(job, want))
    try:
        promise.state_size(body.validator.size)
        promise.state(body.digests)
        data = _read(job, want, promise, body)
    except TooLarge:
        raise
    except BaseException:
        body.close()
        raise
    body.close()
    sums = Sums(promise.digests, len(data))
    sums.update(data)
    hashes, found = sums.finish()
    promise.check(len(data), found)
    return Got(want.name, put(hashes, data), body.validator, 0, len(data))


def _open(job: Job, want: Want) -> Body:
    retries = Retries(job.options.retries, job.stop)
    while True:
        try:
            return want.origin.open()
        except Transient as error:
            retries.failed(error, partial(job.tell, want, error))


def _read(job: Job, want: Want, promise: Promise, body: Begun) -> bytes:
    """All that it has."""
    if not may_be_small(promise.size):
        raise TooLarge(body, begun=False)
    job.watch.begin(want.name, promise.size, 0)
    data = bytearray()
    broken: Transient | None = None
    try:
        for chunk in job.bodies.read(body, want.origin.name):
            for part in job.rate.parts(chunk):
                data += part
                job.watch.advance(want.name, len(part))
            if len(data) > SMALL:
                break
    except Transient as error:
        broken = error
    if broken is None and len(data) <= SMALL:
        return bytes(data)
    job.watch.advance(want.name, -len(data))  # whoever reads on counts them again
    body.give_back(bytes(data), broken)
    raise TooLarge(body, begun=True)
