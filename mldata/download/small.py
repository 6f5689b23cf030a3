"""Files that are small enough to be held in memory until they are known to be right.

Nothing is kept of one that is cut off: what that would save is less than what keeping a state of each of thousands costs.
"""

from __future__ import annotations

from collections.abc import Callable

from mldata.download.base import Body, Got, Transient, Want
from mldata.download.begun import Begun
from mldata.download.digests import Promise, Sums
from mldata.download.retries import Retries
from mldata.download.transfer import Job
from store import Hashes, ObjectId

__all__ = ["SMALL", "TooLarge", "bring_small", "may_be_small"]

SMALL = 1 << 20
"""Bytes of the largest file that is held in memory."""


def may_be_small(size: int | None) -> bool:
    """Whether a file of this size, None if nobody knows it, is to be tried so."""
    return size is None or size <= SMALL


class TooLarge(Exception):
    """It turned out to be larger.

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
        TooLarge: it has more than :data:`SMALL` bytes.
        Stopped: nobody wants it any more.
        Mismatch, SourceError, NetworkError, AuthError: as :func:`mldata.download.engine.download`.
    """
    retries = Retries(job.options.retries, job.stop)
    where = want.origin.name
    most = received = 0
    begun = False
    while True:
        promise = Promise(where, want.size, want.digests)
        data = bytearray()
        try:
            body = Begun(want.origin.open())
            try:
                promise.state_size(body.validator.size)
                promise.state(body.digests)
                if not may_be_small(promise.size):
                    raise TooLarge(body, begun=begun)
                if not begun:
                    job.watch.begin(want.name, promise.size, 0)
                    begun = True
                for chunk in job.bodies.read(body, where):
                    for part in job.rate.parts(chunk):
                        data += part
                        received += len(part)
                        job.watch.advance(want.name, len(part))
                        if len(data) > most:
                            most = len(data)
                            retries.renew()
                    if len(data) > SMALL:
                        job.watch.advance(want.name, -len(data))
                        body.give_back(bytes(data))
                        raise TooLarge(body, begun=True)
            except TooLarge:
                raise
            except BaseException:
                body.close()
                raise
            body.close()
            if promise.size is not None and len(data) < promise.size and body.validator.size is not None:
                raise Transient(
                    f"expected {promise.size:,} bytes, found that they end at {len(data):,}", where=where
                )
        except Transient as error:
            job.watch.advance(want.name, -len(data))
            _wait(job, where, retries, error)
            continue
        sums = Sums(promise.digests, len(data))
        sums.update(data)
        hashes, found = sums.finish()
        promise.check(len(data), found)
        id = put(hashes, bytes(data))
        return Got(want.name, id, body.validator, 0, received)


def _wait(job: Job, where: str, retries: Retries, error: Transient) -> None:
    def tell(wait: float) -> None:
        job.watch.note(f"{where}: {error.message}; trying again in {wait:.1f} s")

    retries.failed(error, tell)
