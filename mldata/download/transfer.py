"""One file of which it is worth to keep what came: begun, gone on with, begun again, and in the end an object.

Invariants: bytes of two answers are put together only if both are of the same state of the file, or a digest of the whole will tell; what an
earlier run left is hashed before anything is added to it; an object is made only of a file that was hashed whole and compared with
everything that was stated of it.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import replace
from functools import partial

from mldata.download.base import (
    Body,
    Got,
    HttpError,
    Mismatch,
    Transient,
    Validator,
    Want,
)
from mldata.download.digests import Promise, Sums
from mldata.download.holding import Holding
from mldata.download.job import Job
from mldata.download.pieces import Span
from mldata.download.retries import Retries, Stopped
from mldata.download.validators import difference, may_be_joined, merged
from mldata.errors import NetworkError, SourceError
from store import ObjectCorrupt, ObjectId, ObjectMissing, Partial, PartialState, piece_size

__all__ = ["LARGE", "Transfer"]

LARGE = 32 << 20
"""Files from this size on come in segments."""
_WRITEBACK = 8 << 20


class _Again(Exception):
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


class Transfer:
    """Brings one file. :meth:`run` is for one thread; :meth:`abandon` for any."""

    def __init__(self, job: Job, want: Want) -> None:
        self._job = job
        self._want = want
        self._where = want.origin.name
        self._promise = Promise(self._where, want.size, want.digests)
        self._held: Holding | None = None
        self._resumed = 0
        """Bytes of an earlier run that are used."""
        self._shown = 0
        """Bytes that the watch counts now."""
        self._told = False
        """Whether the watch knows of it."""
        self._received = 0
        self._high = 0
        """Most bytes that there were: only what goes beyond is progress."""
        self._faulty = False
        """Whether it was begun again for something that must not happen twice."""
        self._whole = False
        """Whether it is to come in one part."""
        self._joined = False
        """Whether bytes of several answers were put together."""
        self._retries = Retries(job.options.retries, job.stop)
        self._halt = threading.Event()
        """Set when all threads of this file are to end."""
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    # -- the whole

    def run(self, body: Body | None = None, *, begun: bool = False) -> Got:
        """Bring it.

        Args:
            body: of the file from its beginning, if one is open already.
            begun: the watch was told.

        Raises:
            Stopped: nobody wants it any more; what came is kept.
            Mismatch, SourceError, NetworkError, AuthError, StoreError: as :func:`mldata.download.engine.download`.
        """
        still = self._job.bodies.looking_after(self._look_after)
        try:
            if body is None:
                self._take_up()
            self._told = begun
            if self._resumed:
                self._tell_it_begins(self._holding.validator.size)
            got = self._until_it_is_there(body)
            self._job.watch.end(self._want.name)
            return got
        except Mismatch:
            self._discard()
            raise
        finally:
            still()
            self.abandon()

    def abandon(self) -> None:
        """Save what came and let go of it. Whoever still brings some is refused."""
        if self._held is not None:
            with suppress(Exception):  # what was saved before counts
                self._held.release()

    @property
    def _holding(self) -> Holding:
        assert self._held is not None
        return self._held

    def _look_after(self) -> None:
        if self._held is not None:
            self._held.look_after()

    def _until_it_is_there(self, body: Body | None) -> Got:
        while True:
            try:
                return self._attempt(body)
            except Mismatch as error:
                if self._faulty or not (self._joined or self._resumed):
                    raise
                again = _Again(f"it is not what was promised ({error.message})")
            except _Again as found:
                again = found
            if again.fault:
                if self._faulty:
                    self._discard()
                    if again.body is not None:
                        again.body.close()
                    raise again.error or self._useless_twice(again.reason) from None
                self._faulty = self._whole = True
            self._begin_again(again.reason)
            body = again.body

    def _useless_twice(self, reason: str) -> SourceError:
        return SourceError(
            f"expected a file that stays as it is until all of it came, found a second time that {reason}",
            where=self._where,
            hint="Nothing of it was stored. Run the same command again once the file is steady.",
        )

    # -- what an earlier run left

    def _take_up(self) -> None:
        partials, identity = self._job.store.partials, self._want.origin.identity
        partial = partials.claim(identity)
        if not self._job.options.resume:
            while partial is not None:
                partial.discard()
                partial = partials.claim(identity)
        if partial is None:
            return
        state = partial.state
        reason = self._useless(state)
        if reason is not None:
            self._job.watch.warn(f"{self._where}: starting again, since {reason}")
            partial.discard()
            return
        self._job.watch.note(f"{self._where}: comparing {state.have:,} bytes of an earlier run")
        held = self._held = Holding.take_up(partial)
        self._resumed = self._high = (state.size or 0) if partial.finished else held.pieces.have
        if self._resumed < state.have:
            self._job.watch.warn(
                f"{self._where}: {state.have - self._resumed:,} of {state.have:,} bytes of an earlier run were damaged;"
                " they come again"
            )

    def _useless(self, state: PartialState) -> str | None:
        """Why nothing can be added to what an earlier run left; None if it can be."""
        stated = self._promise.size
        if stated is not None and state.size is not None and state.size != stated:
            return f"the file had {state.size:,} bytes and has {stated:,} now"
        if not self._may_be_joined(Validator(state.etag, state.modified, state.size)):
            return "nothing tells whether it is still the same file"
        return None

    def _may_be_joined(self, seen: Validator) -> bool:
        size = self._promise.size if seen.size is None else seen.size
        return may_be_joined(replace(seen, size=size), bool(self._promise.digests))

    # -- one attempt

    def _attempt(self, body: Body | None) -> Got:
        held = self._held
        if body is None and held is not None and (held.partial.finished or held.pieces.complete):
            self._ask_whether_it_is_the_same(held)
            return self._finish(held)
        span = Span(0, None)
        if body is None:
            span = self._first_span()
            body = self._open_patiently(span)
        try:
            held = self._prepare(held, body)
        except BaseException:
            body.close()
            raise
        if self._in_segments(held, body.ranges):
            self._bring_side_by_side(held, body)
        else:
            self._bring_in_turn(held, body, self._without_segments(held, body, span))
        return self._finish(held)

    def _prepare(self, held: Holding | None, body: Body) -> Holding:
        """Take note of what the first answer says, before its first byte."""
        self._promise.state_size(body.validator.size)
        self._promise.state(body.digests)
        held = held or self._start(body)
        held.validator = merged(held.validator, body.validator)
        held.check_room(self._job.store)
        held.follow(self._promise.digests)
        return held

    def _ask_whether_it_is_the_same(self, held: Holding) -> None:
        """All bytes are there. Unless a digest will tell, the last one is asked for again, to see whether the file has changed."""
        size = held.validator.size
        if not self._promise.digests and size:
            self._open_patiently(Span(size - 1, size)).close()

    def _first_span(self) -> Span:
        """What to ask for first: one part, if the file is going to come in parts."""
        held = self._held
        if held is None:
            size = self._promise.size
            return Span(0, piece_size(size) if size is not None and self._worth_segments(size) else None)
        span = held.pieces.gap()
        assert span is not None
        if not self._in_segments(held, True):
            return span
        end = (span.start // held.pieces.length + 1) * held.pieces.length
        return Span(span.start, min(end, held.pieces.size or end))

    def _without_segments(self, held: Holding, body: Body, span: Span) -> Span:
        """What a body brings that was asked for one part of a file that does not come in parts after all."""
        if span.start or span.stop is None:
            return span
        if not body.ranges:
            return Span(0, None)
        if not self._may_be_joined(held.validator):
            body.close()
            self._whole = True
            raise _Again("nothing tells whether its parts are of the same file", fault=False)
        return span

    def _open_patiently(self, span: Span) -> Body:
        while True:
            try:
                return self._open(span)
            except Transient as error:
                self._wait(self._retries, error)

    def _open(self, span: Span) -> Body:
        """An answer for these bytes. Raises :class:`_Again` when it cannot be added to what is there."""
        if self._job.stop.is_set() or self._halt.is_set():
            raise Stopped
        match = self._held.validator if self._held is not None else None
        try:
            body = self._want.origin.open(span.start, span.stop, match)
        except HttpError as error:
            if error.status in (412, 416) and match is not None:
                raise _Again(f"the server answered {error.status}", fault=self._midway) from None
            raise
        except NetworkError as error:
            if type(error) is NetworkError and match is not None:  # what came is no such part
                raise _Again(error.message, error=error) from None
            raise
        if match is not None:
            self._compare(body, span, match)
        return body

    def _compare(self, body: Body, span: Span, match: Validator) -> None:
        """Raise :class:`_Again` unless a body is of the file that the others were of, and of the part that was asked for."""
        changed = difference(match, body.validator)
        if body.start not in (0, span.start):
            body.close()
            raise _Again(f"the bytes from {body.start:,} came where those from {span.start:,} were asked for")
        if changed is not None:
            usable = body if body.start == 0 and span.stop is None else None
            if usable is None:
                body.close()
            raise _Again(changed, usable, fault=self._midway)
        if body.start != span.start:
            self._whole = True
            raise _Again(
                body.reason or "the server sends the whole file whatever part is asked for", body, fault=False
            )
        self._joined = True

    @property
    def _midway(self) -> bool:
        """Whether this run added something to what is there."""
        return self._received > 0

    # -- beginning

    def _start(self, body: Body) -> Holding:
        """Make the partial, before the first byte."""
        seen = replace(body.validator, size=self._promise.size)
        held = self._held = Holding.begin(
            self._job.store,
            self._want.origin.identity,
            self._where,
            seen,
            keep=self._may_be_joined(seen),
        )
        self._tell_it_begins(seen.size)
        return held

    def _tell_it_begins(self, size: int | None) -> None:
        """Once, whatever happens to it afterwards."""
        if not self._told:
            self._told = True
            self._job.watch.begin(self._want.name, size, self._resumed)
            self._shown = self._resumed

    def _begin_again(self, reason: str) -> None:
        """Drop what is there, and say why."""
        if self._resumed or self._shown:
            self._job.watch.warn(f"{self._where}: starting again, since {reason}")
        self._job.watch.advance(self._want.name, -self._shown)
        self._shown = self._resumed = 0
        self._discard()

    def _discard(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.discard()
        self._promise = Promise(self._where, self._want.size, self._want.digests)

    # -- bringing

    def _worth_segments(self, size: int) -> bool:
        return size >= LARGE and self._job.options.segments > 1 and not self._whole

    def _in_segments(self, held: Holding, ranges: bool) -> bool:
        """Whether several threads bring it; not where nothing would tell that their parts are of one file."""
        sure = held.validator.strong or bool(self._promise.digests)
        return ranges and sure and held.pieces.size is not None and self._worth_segments(held.pieces.size)

    def _bring_side_by_side(self, held: Holding, body: Body) -> None:
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

    def _bring_in_turn(self, held: Holding, body: Body | None, span: Span | None) -> None:
        """Every byte that is not there, by this thread, the first ones from a body that is open."""
        if body is not None and held.pieces.complete:  # there is nothing in it
            body.close()
        while not held.pieces.complete:
            span = span or held.pieces.gap()
            assert span is not None
            try:
                self._read(held, body or self._open(span), span, self._retries)
            except Transient as error:
                self._wait(self._retries, error)
                if not self._may_be_joined(held.validator):
                    reason = "the connection broke, and nothing would tell that the rest is of the same file"
                    raise _Again(reason, fault=False) from None
            body = span = None

    def _segment(self, held: Holding, body: Body | None = None, span: Span | None = None) -> None:
        """What each of several threads does."""
        try:
            retries = Retries(self._job.options.retries, self._job.stop)
            while span is not None or (span := held.pieces.take()) is not None:
                try:
                    self._read(held, body or self._open(span), span, retries)
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
            self._promise.state_size(at)
        elif at < stop:
            raise Transient(
                f"expected the bytes up to {stop:,}, found that they end at {at:,}", where=self._where
            )

    def _count(self, size: int, retries: Retries) -> None:
        self._job.watch.advance(self._want.name, size)
        with self._lock:
            self._received += size
            self._shown += size
            if self._shown > self._high:
                self._high = self._shown
                retries.renew()

    def _wait(self, retries: Retries, error: Transient) -> None:
        retries.failed(error, partial(self._job.tell, self._want, error))

    # -- the end

    def _finish(self, held: Holding) -> Got:
        """Compare the whole with what was promised, and make it an object."""
        if held.partial.finished:
            id = self._already(held.partial)
        else:
            hashes, found = held.finish(self._promise.digests)
            self._promise.check(hashes.size, found)
            with self._job.store.batch() as batch:
                id = held.partial.adopt(batch, hashes)
        return Got(self._want.name, id, replace(held.validator, size=id.size), self._resumed, self._received)

    def _already(self, partial: Partial) -> ObjectId:
        """The object that an earlier run made of it just before it was ended."""
        digest, store = partial.state.became, self._job.store
        assert digest is not None
        try:
            with store.open_object(digest) as file, store.batch() as batch:
                id = ObjectId(digest, os.fstat(file.fileno()).st_size)
                if batch.missing([id]):  # from here on gc leaves it
                    raise ObjectMissing(digest, store.root)
                sums = Sums(self._promise.digests, id.size)
                while self._promise.digests and (data := file.read(1 << 20)):
                    sums.update(data)
        except (ObjectMissing, ObjectCorrupt):
            raise _Again("what an earlier run had stored of it is gone", fault=False) from None
        self._promise.check(id.size, sums.finish()[1])
        partial.discard()
        return id
