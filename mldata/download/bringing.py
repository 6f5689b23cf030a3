"""Bringing the bytes of one file: asked for, compared with what is there, written; in turn or in parts side by side.

Invariant: what is written is of the state of the file that the bytes before were of, and of the place that it is written to; else
:class:`Again` says why all that came is of no use.
"""

from __future__ import annotations

import threading
from functools import partial

from mldata.download.base import Body, HttpError, Mismatch, Transient, Validator, Want
from mldata.download.holding import Holding
from mldata.download.job import Job
from mldata.download.pieces import Span
from mldata.download.retries import Retries, Stopped
from mldata.download.validators import difference
from mldata.errors import NetworkError

__all__ = ["Again", "Bringer"]

_WRITEBACK = 8 << 20
"""Bytes after which the disk is asked to begin with them."""


class Again(Exception):
    """What came so far is of no use.

    Args:
        reason: for people.
        body: of the file from its beginning, if one is open already.
        fault: something went wrong that must not happen twice.
        error: to be raised if it does.
    """

    def __init__(
        self, reason: str, body: Body | None = None, *, fault: bool = True, error: Exception | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.body, self.fault, self.error = reason, body, fault, error


class Bringer:
    """Brings bytes of one file into what is held of it, and counts them."""

    def __init__(self, job: Job, want: Want) -> None:
        self._job = job
        self._want = want
        self._where = want.origin.name
        self.shown = 0
        """Bytes that the watch counts now."""
        self.received = 0
        """Bytes that came, those that were of no use among them."""
        self.high = 0
        """Most bytes that there were: only what goes beyond is progress."""
        self.whole = False
        """Whether it is to come in one part."""
        self.joined = False
        """Whether bytes of several answers were put together."""
        self._retries = Retries(job.options.retries, job.stop)
        self._halt = threading.Event()
        """Set when all threads of this file are to end."""
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def open_patiently(self, held: Holding | None, span: Span) -> Body:
        """An answer for these bytes, tried for again after passing failures."""
        while True:
            try:
                return self._open(held, span)
            except Transient as error:
                self._wait(self._retries, error)

    def _open(self, held: Holding | None, span: Span) -> Body:
        """An answer for these bytes. Raises :class:`Again` when it cannot be added to what is there."""
        if self._job.stop.is_set() or self._halt.is_set():
            raise Stopped
        match = held.validator if held is not None else None
        try:
            body = self._want.origin.open(span.start, span.stop, match)
        except HttpError as error:
            if error.status in (412, 416) and match is not None:
                raise Again(f"the server answered {error.status}", fault=self._midway) from None
            raise
        except NetworkError as error:
            if type(error) is NetworkError and match is not None:  # what came is no such part
                raise Again(error.message, error=error) from None
            raise
        if match is not None:
            self._compare(body, span, match)
        return body

    def _compare(self, body: Body, span: Span, match: Validator) -> None:
        """Raise :class:`Again` unless a body is of the file that the others were of, and of the part that was asked for."""
        changed = difference(match, body.validator)
        if body.start not in (0, span.start):
            body.close()
            raise Again(f"the bytes from {body.start:,} came where those from {span.start:,} were asked for")
        if changed is not None:
            usable = body if body.start == 0 and span.stop is None else None
            if usable is None:
                body.close()
            raise Again(changed, usable, fault=self._midway)
        if body.start != span.start:
            self.whole = True
            raise Again(
                body.reason or "the server sends the whole file whatever part is asked for", body, fault=False
            )
        self.joined = True

    @property
    def _midway(self) -> bool:
        """Whether this run added something to what is there."""
        return self.received > 0

    def side_by_side(self, held: Holding, body: Body) -> None:
        """Every byte that is not there, by several threads, this one among them with the first body."""
        count = min(self._job.options.segments, -(-(held.pieces.size or 0) // held.pieces.length))
        self._error = None
        others = [
            threading.Thread(target=self._segment, args=(held,), name="download-part", daemon=True)
            for _ in range(count - 1)
        ]
        first = held.pieces.take()
        for thread in others:
            thread.start()
        self._segment(held, body, first)
        for thread in others:
            thread.join()
        self._halt.clear()
        if self._error is not None:
            raise self._error

    def in_turn(self, held: Holding, body: Body | None, span: Span | None) -> None:
        """Every byte that is not there, by this thread, the first ones from a body that is open."""
        if body is not None and held.pieces.complete:  # there is nothing in it
            body.close()
        while not held.pieces.complete:
            span = span or held.pieces.gap()
            assert span is not None
            try:
                self._read(held, body or self._open(held, span), span, self._retries)
            except Transient as error:
                self._wait(self._retries, error)
                if not held.keep:
                    reason = "the connection broke, and nothing would tell that the rest is of the same file"
                    raise Again(reason, fault=False) from None
            body = span = None

    def _segment(self, held: Holding, body: Body | None = None, span: Span | None = None) -> None:
        """What each of several threads does."""
        try:
            retries = Retries(self._job.options.retries, self._job.stop)
            while span is not None or (span := held.pieces.take()) is not None:
                try:
                    self._read(held, body or self._open(held, span), span, retries)
                except Transient as error:
                    self._wait(retries, error)
                finally:
                    held.pieces.give_back(span)
                    body = span = None
        except BaseException as error:
            with self._lock:
                if self._error is None:
                    self._error = error
            self._halt.set()
            self._job.bodies.interrupt(self._halt)

    def _read(self, held: Holding, body: Body, span: Span, retries: Retries) -> None:
        """Write what comes of a span. Raises :class:`Transient` when it ends early."""
        at = written_back = span.start
        size = held.pieces.size
        stop = span.stop if span.stop is not None else size
        with body:
            for data in self._job.bodies.read(body, self._where, self._halt):
                if stop is not None and at + len(data) > stop:
                    if stop == size:
                        raise Mismatch(f"expected {stop:,} bytes, found more", where=self._where)
                    data = data[: stop - at]
                for part in self._job.rate.parts(data):
                    held.write(at, part)
                    at += len(part)
                    self._count(len(part), retries)
                if at - written_back >= _WRITEBACK:
                    held.partial.start_writeback(written_back, at - written_back)
                    written_back = at
                if at == stop != size:
                    return
        if stop is None:
            held.ended(at)
        elif at < stop:
            raise Transient(
                f"expected the bytes up to {stop:,}, found that they end at {at:,}", where=self._where
            )

    def _count(self, size: int, retries: Retries) -> None:
        self._job.watch.advance(self._want.name, size)
        with self._lock:
            self.received += size
            self.shown += size
            if self.shown > self.high:
                self.high = self.shown
                retries.renew()

    def _wait(self, retries: Retries, error: Transient) -> None:
        retries.failed(error, partial(self._job.tell, self._want, error))
