"""The partial of one file while bytes are added to it: which are there, the state that says so, and their digests.

Invariant: a state is saved only of bytes that were written before; every :data:`SAVE_BYTES` or :data:`SAVE_SECONDS`, whichever comes first.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Collection

from mldata.download.base import Validator
from mldata.download.digests import Sums
from mldata.download.follower import Follower
from mldata.download.pieces import Pieces
from store import Hashes, Partial, PartialState, Store, StoreFull, piece_size

__all__ = ["Holding"]

SAVE_BYTES = 8 << 20
SAVE_SECONDS = 1.0
BEAT_SECONDS = 10.0
"""Where nothing is saved for so long, it is shown that this process lives."""


class Holding:
    """A partial that is held. Several threads may write, each its own part.

    Args:
        created: of the partial, in seconds since the epoch.
        keep: whether bytes of another answer may be added, in this run or another one; else its state claims nothing.
    """

    def __init__(
        self, partial: Partial, pieces: Pieces, validator: Validator, created: int, *, keep: bool
    ) -> None:
        self.partial = partial
        self.pieces = pieces
        self.validator = validator
        """Of the state of the file that the bytes are of."""
        self._created = created
        self.keep = keep
        """Whether bytes of another answer may be added."""
        self._follower: Follower | None = None
        self._lock = threading.Lock()
        self._saved_at = time.monotonic()
        self._unsaved = 0

    @classmethod
    def begin(cls, store: Store, identity: str, where: str, seen: Validator, *, keep: bool) -> Holding:
        """A new one, on disk before the first byte."""
        created = int(time.time())
        state = PartialState(where, piece_size(seen.size), created, seen.size, _strong(seen), seen.modified)
        return cls(
            store.partials.create(identity, state),
            Pieces(state.piece, seen.size, {}),
            seen,
            created,
            keep=keep,
        )

    @classmethod
    def take_up(cls, partial: Partial) -> Holding:
        """What an earlier run left, but for those of its bytes that are not as its state says."""
        before = partial.state
        there = partial.verify() if not partial.finished else {}
        size, length = before.size, before.piece
        whole = {
            number: piece
            for number, piece in there.items()
            if piece.have == length or number * length + piece.have == size
        }
        pieces = Pieces(length, size, whole)
        for number in there.keys() - whole.keys():
            start = number * length
            pieces.begun(number, partial.read(start, start + there[number].have))
        seen = Validator(before.etag, before.modified, size)
        return cls(partial, pieces, seen, before.created, keep=True)

    def write(self, at: int, data: bytes | memoryview) -> None:
        """Add bytes at the end of what is there of a piece. Raises ``StoreFull``, ``StoreError``."""
        self.partial.write(at, data)
        self.pieces.wrote(at, data)
        if self._follower is not None:
            self._follower.reach(self.pieces.contiguous)
        with self._lock:
            self._unsaved += len(data)
            now = time.monotonic()
            due = self._unsaved >= SAVE_BYTES or now - self._saved_at >= SAVE_SECONDS
            if due:
                self._unsaved, self._saved_at = 0, now
        if due:
            self.save()

    def ended(self, at: int) -> None:
        """Say that the file ends here."""
        self.pieces.ended(at)
        self.validator = Validator(self.validator.etag, self.validator.modified, at)

    def save(self) -> None:
        """Remember what is there."""
        if not self.partial.finished:
            seen, before = self.validator, self.partial.state
            pieces = self.pieces.snapshot() if self.keep else {}
            self.partial.save(
                PartialState(
                    before.where, before.piece, self._created, seen.size, _strong(seen), seen.modified, pieces
                )
            )

    def look_after(self) -> None:
        """To be called every second or so: while nothing comes nobody else saves what came, or shows that this process lives."""
        if self.partial.finished:
            return
        with self._lock:
            silent = time.monotonic() - self._saved_at
            due = self._unsaved > 0 and silent >= SAVE_SECONDS
            if due or silent >= BEAT_SECONDS:
                self._unsaved, self._saved_at = 0, time.monotonic()
        if due:
            self.save()
        elif silent >= BEAT_SECONDS:
            self.partial.beat()

    def check_room(self, store: Store) -> None:
        """Raise ``StoreFull`` at once when the rest does not fit, not after most of it came."""
        if self.pieces.size is not None:
            left, free = self.pieces.size - self.pieces.have, shutil.disk_usage(store.root).free
            if left > free:
                raise StoreFull(store.root, left, free)

    def follow(self, kinds: Collection[str]) -> None:
        """Begin to hash what is there, where that can be done before all of it is."""
        if self._follower is None and ("git-sha1" not in kinds or self.pieces.size is not None):
            self._follower = Follower(Sums(kinds, self.pieces.size), self.partial.read)
            self._follower.reach(self.pieces.contiguous)

    def finish(self, kinds: Collection[str]) -> tuple[Hashes, dict[str, str]]:
        """The digests of all of it, which is there."""
        self.save()
        self.follow(kinds)
        follower, self._follower = self._follower, None
        assert follower is not None and self.pieces.size is not None
        return follower.finish(self.pieces.size).finish()

    def release(self) -> None:
        """Let go of it; what is there is kept."""
        self._end()
        try:
            self.save()
        finally:
            self.partial.release()

    def discard(self) -> None:
        """Remove it."""
        self._end()
        self.partial.discard()

    def _end(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.drop()


def _strong(seen: Validator) -> str | None:
    return seen.etag if seen.strong else None
