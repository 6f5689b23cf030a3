"""One file of which it is worth to keep what came: begun, gone on with, begun again, and in the end an object.

Invariants: bytes of two answers are put together only if both are of the same state of the file, or a digest of the whole will tell; what an
earlier run left is hashed before anything is added to it; an object is made only of a file that was hashed whole and compared with
everything that was stated of it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from mldata.download.base import Body, Got, Mismatch, Validator, Want
from mldata.download.bringing import Again, Bringer
from mldata.download.digests import Promise, Sums
from mldata.download.holding import Holding
from mldata.download.job import Job
from mldata.download.pieces import Span
from mldata.download.validators import may_be_joined, merged
from mldata.errors import SourceError
from store import ObjectCorrupt, ObjectId, ObjectMissing, Partial, PartialState, piece_size

__all__ = ["LARGE", "Transfer"]

LARGE = 32 << 20
"""Files from this size on come in segments."""


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
        self._told = False
        """Whether the watch knows of it."""
        self._faulty = False
        """Whether it was begun again for something that must not happen twice."""
        self._bringer = Bringer(job, want)

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
                if self._faulty or not (self._bringer.joined or self._resumed):
                    raise
                again = Again(f"it is not what was promised ({error.message})")
            except Again as found:
                again = found
            if again.fault:
                if self._faulty:
                    self._discard()
                    if again.body is not None:
                        again.body.close()
                    raise again.error or self._useless_twice(again.reason) from None
                self._faulty = self._bringer.whole = True
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
        self._resumed = self._bringer.high = (state.size or 0) if partial.finished else held.pieces.have
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
            body = self._bringer.open_patiently(held, span)
        try:
            held = self._prepare(held, body)
        except BaseException:
            body.close()
            raise
        if self._in_segments(held, body.ranges):
            self._bringer.side_by_side(held, body)
        else:
            self._bringer.in_turn(held, body, self._without_segments(held, body, span))
        self._promise.state_size(held.pieces.size)
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
            self._bringer.open_patiently(held, Span(size - 1, size)).close()

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
        if not held.keep:
            body.close()
            self._bringer.whole = True
            raise Again("nothing tells whether its parts are of the same file", fault=False)
        return span

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
            self._bringer.shown = self._resumed

    def _begin_again(self, reason: str) -> None:
        """Drop what is there, and say why."""
        if self._resumed or self._bringer.shown:
            self._job.watch.warn(f"{self._where}: starting again, since {reason}")
        self._job.watch.advance(self._want.name, -self._bringer.shown)
        self._bringer.shown = self._resumed = 0
        self._discard()

    def _discard(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.discard()
        self._promise = Promise(self._where, self._want.size, self._want.digests)

    # -- in segments

    def _worth_segments(self, size: int) -> bool:
        return size >= LARGE and self._job.options.segments > 1 and not self._bringer.whole

    def _in_segments(self, held: Holding, ranges: bool) -> bool:
        """Whether several threads bring it; not where nothing would tell that their parts are of one file."""
        sure = held.validator.strong or bool(self._promise.digests)
        return ranges and sure and held.pieces.size is not None and self._worth_segments(held.pieces.size)

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
        return Got(
            self._want.name, id, replace(held.validator, size=id.size), self._resumed, self._bringer.received
        )

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
            raise Again("what an earlier run had stored of it is gone", fault=False) from None
        self._promise.check(id.size, sums.finish()[1])
        partial.discard()
        return id
