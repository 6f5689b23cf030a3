"""What an origin sends, kept among the partial data of a store as it comes, for who can use only all of it from the beginning.

A zip is such a thing: to go on in the middle of what it unpacks to, it has to be unpacked from its beginning again, and that must not mean to
ask for it again. Invariant: bytes of two answers are put together only if a validator says that they are of one state, and what an earlier run left
is hashed before it is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from blake3 import blake3

from mldata.download.base import Body, HttpError, Origin, Validator
from store import Digest, Partial, Partials, PartialState, Piece

__all__ = ["Spooled", "is_kept", "spooled"]

PIECE = 1 << 60
"""There is one piece, for there is one reader."""
SAVE_BYTES, SAVE_SECONDS = 8 << 20, 1.0
"""A state is saved after so many bytes or seconds, whichever comes first."""


def is_kept(origin: Origin, partials: Partials) -> bool:
    """Whether there is something that an earlier body brought."""
    known = partials.keys()
    return partials.key(_identity(origin)) in known


def _identity(origin: Origin) -> str:
    return f"{origin.identity} as it is sent"


def spooled(origin: Origin, partials: Partials, begun: Body | None = None) -> Body:
    """All that ``origin`` sends, from the beginning: first what an earlier body brought, then the rest.

    Args:
        begun: opened from the beginning already; it is closed where it is not needed.
    """
    partial = partials.claim(_identity(origin))
    try:
        if partial is not None and (more := _go_on(origin, partial)) is not None:
            if begun is not None:
                begun.close()
            return more
        if partial is not None:
            partial.discard()
        body = begun or origin.open()
    except BaseException:
        if partial is not None:
            partial.release()
        raise
    if not _tells(body.validator):
        return body
    state = _state(f"{origin.name} as it is sent", body.validator)
    return Spooled(body, partials.create(_identity(origin), state), 0, body.validator)


def _go_on(origin: Origin, partial: Partial) -> Spooled | None:
    """A body that goes on where an earlier one ended; None if that is of another state of the file, or nothing tells."""
    if partial.finished:
        return None
    piece = partial.verify().get(0)
    seen = Validator(partial.state.etag, partial.state.modified, partial.state.size)
    if piece is None or not _tells(seen):
        return None
    if piece.have == seen.size:
        return Spooled(None, partial, piece.have, seen)
    try:
        body = origin.open(piece.have, None, seen)
    except HttpError as error:
        if error.status in (412, 416):
            return None
        raise
    now = body.validator
    same = all(a == b for a, b in ((seen.etag, now.etag), (seen.modified, now.modified)) if a and b)
    if body.start == piece.have and same and now.size in (None, seen.size):
        return Spooled(body, partial, piece.have, seen)
    body.close()
    return None


def _tells(validator: Validator) -> bool:
    """Whether it tells that two answers are of one state of a file."""
    return validator.strong or (validator.modified is not None and validator.size is not None)


def _state(where: str, seen: Validator) -> PartialState:
    return PartialState(
        where, PIECE, int(time.time()), seen.size, seen.etag if seen.strong else None, seen.modified
    )


class Spooled:
    """A body that is kept; see :class:`mldata.download.base.Body`. :meth:`drop` removes what is kept, closing alone leaves it for the next time.

    Args:
        body: the rest; None if all is there.
        have: bytes that are there.
    """

    start = 0
    ranges = False
    reason: str | None = None

    def __init__(self, body: Body | None, partial: Partial, have: int, validator: Validator) -> None:
        self._body, self._partial, self._have = body, partial, have
        self.validator = validator
        self.digests: Mapping[str, str] = body.digests if body is not None and not have else {}
        self._hasher = blake3()
        self._unsaved, self._saved_at = 0, time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        """See :meth:`mldata.download.base.Body.__iter__`."""
        for view in self._partial.read(0, self._have, 1 << 20):
            self._hasher.update(view)
            yield bytes(view)
        for data in self._body or ():
            self._partial.write(self._have, data)
            self._hasher.update(data)
            self._have += len(data)
            self._unsaved += len(data)
            if self._unsaved >= SAVE_BYTES or time.monotonic() - self._saved_at >= SAVE_SECONDS:
                self._save()
            yield data

    def _save(self) -> None:
        piece = Piece(self._have, Digest(self._hasher.hexdigest()))
        self._partial.save(replace(self._partial.state, pieces={0: piece}))
        self._unsaved, self._saved_at = 0, time.monotonic()

    def interrupt(self) -> None:
        """Make whoever reads it fail soon; for another thread."""
        if self._body is not None:
            getattr(self._body, "interrupt", self._body.close)()

    def drop(self) -> None:
        """Nobody will want it again: it was used to its end, or is damaged."""
        self._unsaved = 0
        self._partial.discard()

    def close(self) -> None:
        """See :class:`mldata.download.base.Body`."""
        try:
            if self._body is not None:
                self._body.close()
            if self._unsaved:
                self._save()
        finally:
            self._partial.release()

    def __enter__(self) -> Spooled:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
