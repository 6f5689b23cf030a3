"""A file elsewhere that is read like one on the disk, by the parts that are asked for.

Bytes come in blocks, more at a time while reading goes straight on; a few stay in memory. Of a place that gives no parts the file comes from
its beginning into a temporary one, as far as it is read and up to a limit. Invariant: all bytes come from one state of the file.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryFile
from threading import Event
from typing import TYPE_CHECKING

from mldata.download.base import HttpError, Mismatch, Transient
from mldata.download.retries import Retries
from mldata.download.validators import difference, merged
from mldata.errors import NetworkError, SourceError

if TYPE_CHECKING:
    from mldata.download.base import Body, Origin, Validator

__all__ = ["BLOCK", "RangedFile"]

BLOCK = 64 << 10
"""Bytes of the smallest part that is asked for."""
KEPT = 16 << 20
"""Bytes of a file in memory."""
AHEAD = 4 << 20
"""Bytes that are asked for at a time, at most, while reading goes straight on."""
WHOLE = 64 << 20
"""Bytes that are taken, at most, of a file of which the place gives no parts."""
LARGEST = 256 << 20
"""Bytes that may be asked for by one call: whoever reads a file by what it says of itself would ask for anything."""
PATIENCE = 60.0
"""Who asks for more seconds than this is not waited for: nobody is told of a wait."""
_RANGE_NOT_SATISFIABLE = 416


class RangedFile(io.RawIOBase):
    """An origin as a seekable file to be read.

    What cannot be had is raised as it is read, and when :attr:`size` is asked for: ``Mismatch`` where its size is not the stated one,
    ``SourceError`` where it changed meanwhile or is too large for a place without parts, ``NetworkError`` and ``AuthError``.

    Args:
        origin: where the bytes come from.
        size: as the source's list states it; None: as the place says when it is asked.
        retries: times that it is asked again after a passing failure, without any byte coming in between.
    """

    def __init__(
        self,
        origin: Origin,
        size: int | None = None,
        *,
        retries: int = 5,
    ) -> None:
        self.name = origin.name
        self._origin, self._stated = origin, size
        self._retries = retries
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._validator: Validator | None = None
        self._size = size
        self._at = 0
        self._next, self._run = 0, 1
        self._spans: list[tuple[int, int]] = []
        self._spool: _Spool | None = None
        self.received = 0
        """Bytes that came over the network."""

    @property
    def size(self) -> int:
        """Bytes in all; asks the place if nothing has said so."""
        if self.known_size() is None and self._spool is not None:
            self._size = self._spool.end()
        assert self._size is not None  # a part was taken, and with it the size
        return self._size

    def known_size(self) -> int | None:
        """Bytes in all, if the place says so."""
        if self._size is None:
            self._block(0)
        return self._size

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        at = offset + (self.size if base is None else base)
        if at < 0:
            raise ValueError(f"expected a place in the file, found {at}")
        self._at = at
        return at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as the file goes; 0 at its end. Raises ``SourceError`` for more than :data:`LARGEST` bytes."""
        view = memoryview(buffer).cast("B")
        if len(view) > LARGEST:
            raise SourceError(
                f"expected parts of at most {LARGEST:,} bytes, found one of {len(view):,} that has to be read at once",
                where=self.name,
                hint="Download it as a whole: mldata add, then mldata build.",
            )
        filled = 0
        while filled < len(view):
            number, skip = divmod(self._at, BLOCK)
            data = self._block(number)[skip : skip + len(view) - filled]
            if not data:
                break
            view[filled : filled + len(data)] = data
            filled += len(data)
            self._at += len(data)
        return filled

    def expect(self, spans: Sequence[tuple[int, int]]) -> None:
        """Be told of stretches (first byte, byte behind the last) that are read from their beginning on: each comes by one request then, up to a
        limit. Replaces what was told before."""
        self._spans = [(start // BLOCK, -(-stop // BLOCK)) for start, stop in spans]

    def close(self) -> None:
        """Forget what was read."""
        if self._spool is not None:
            self._spool.close()
        self._blocks.clear()
        super().close()

    def _block(self, number: int) -> bytes:
        """A block; less than one, or nothing, where the file ends."""
        if self._spool is None and number not in self._blocks:
            most = max(min(AHEAD, KEPT // 2) // BLOCK, 1)
            self._run = min(self._run * 2, most) if number == self._next else 1
            stops = (stop for start, stop in self._spans if start <= number < stop)
            self._take(number, max(number + self._run, min(max(stops, default=0), number + most)))
        if self._spool is not None:
            return self._spool.read(number * BLOCK, BLOCK)
        if number in self._blocks:
            self._blocks.move_to_end(number)
        return self._blocks.get(number, b"")

    def _take(self, first: int, stop: int) -> None:
        """Have the blocks from ``first`` to before ``stop``, as far as the file goes."""
        start, end = first * BLOCK, stop * BLOCK
        if self._size is not None and start >= min(end, self._size):
            return
        data = bytearray()
        self._trying(lambda: self._ask(start, end, data), lambda: len(data))
        for number in range(first, first + -(-len(data) // BLOCK)):
            at = (number - first) * BLOCK
            self._blocks[number] = bytes(data[at : at + BLOCK])
            self._next = number + 1
        while len(self._blocks) > KEPT // BLOCK:
            self._blocks.popitem(last=False)

    def _trying(self, ask: Callable[[], None], had: Callable[[], int]) -> None:
        """Ask, and again after passing failures. ``had`` tells how many bytes came."""
        retries, last = Retries(self._retries, Event()), had()
        while True:
            try:
                return ask()
            except Transient as error:
                if (error.retry_after or 0) > PATIENCE:
                    raise
                if had() > last:
                    retries.renew()
                last = had()
                retries.failed(error, lambda _: None)

    def _ask(self, start: int, end: int, data: bytearray) -> None:
        """One request for what is missing in ``data``, which is to hold the bytes from ``start`` to before ``end``."""
        at = start + len(data)
        if (body := self._open(at, end)) is None:
            return
        if body.start != at or not (body.ranges or at):
            data.clear()
            self._spool = _Spool(self, body)
            return
        with body:
            if self._size is None:
                raise NetworkError("expected to be told the size of the file, found nothing", where=self.name)
            end = min(end, self._size)
            for piece in self._counted(body):
                data += piece
                if start + len(data) >= end:  # one that sends more than was asked for is left
                    del data[end - start :]
                    return
        if start + len(data) < end:
            raise Transient("the answer ended early", where=self.name)

    def _open(self, start: int, stop: int | None) -> Body | None:
        """The bytes of the state that was read before; None: the file is empty."""
        try:
            body = self._origin.open(start, stop, self._validator)
        except HttpError as error:
            if error.status == _RANGE_NOT_SATISFIABLE and not start and not self._stated:
                self._size = 0
                return None
            raise
        try:
            self._same(body.validator)
        except BaseException:
            body.close()
            raise
        return body

    def _counted(self, body: Body) -> Iterator[bytes]:
        for piece in body:
            self.received += len(piece)
            yield piece

    def _same(self, validator: Validator) -> None:
        """Raise unless this is the state that was read before, of the size that was stated."""
        before = self._validator
        changed = difference(before, validator) if before is not None else None
        if changed is not None:
            raise SourceError(
                f"expected one state of the file, found that it changed while it was read: {changed}",
                where=self.name,
                hint="Run the same command again.",
            )
        if self._stated is not None and validator.size is not None and validator.size != self._stated:
            raise Mismatch(
                f"expected {self._stated:,} bytes, as its source states, found {validator.size:,}",
                where=self.name,
                hint="Run the same command again; if it stays so, the source's list is wrong.",
            )
        self._validator = validator if before is None else merged(before, validator)
        self._size = self._size if validator.size is None else validator.size


class _Spool:
    """A file from its beginning on, as far as it was read, where a place gives no parts."""

    def __init__(self, file: RangedFile, body: Body) -> None:
        self._file = file
        self._body: Body | None = body
        self._pieces = file._counted(body)
        self._kept = TemporaryFile(prefix="mldata-")  # noqa: SIM115 - closed by close()
        self._have = 0
        self._skip = 0
        self._whole = False

    def read(self, at: int, size: int) -> bytes:
        """At most ``size`` bytes from ``at``."""
        self._file._trying(lambda: self._reach(at + size), lambda: self._have)
        self._kept.seek(at)
        return self._kept.read(size)

    def end(self) -> int:
        """Bytes in all; takes the whole file."""
        self._file._trying(lambda: self._reach(WHOLE + 1), lambda: self._have)
        return self._have

    def close(self) -> None:
        """Take no more."""
        self._kept.close()
        if self._body is not None:
            self._body.close()

    def _reach(self, stop: int) -> None:
        """Have the bytes before ``stop``, as far as the file goes."""
        file = self._file
        if self._body is None and not self._whole:  # once more from the beginning, over what is here
            self._body = file._open(0, None)
            self._pieces = file._counted(self._body) if self._body is not None else iter(())
            self._skip = self._have
        try:
            while self._have < stop and not self._whole:
                self._add(next(self._pieces, None))
        except Transient:
            if self._body is not None:
                self._body.close()
            self._body = None
            raise

    def _add(self, piece: bytes | None) -> None:
        size = self._file._size
        if piece is None:
            if size is not None and self._have < size:
                raise Transient("the answer ended early", where=self._file.name)
            self._whole = True
            return
        piece, self._skip = piece[self._skip :], max(0, self._skip - len(piece))
        if piece and self._have >= WHOLE:
            found = "more" if size is None else f"{size:,} bytes"
            raise SourceError(
                f"expected a place that gives parts of a file, or to read at most {WHOLE:,} bytes; found {found}",
                where=self._file.name,
                hint="Download it as a whole: mldata add, then mldata build.",
            )
        self._kept.seek(self._have)
        self._kept.write(piece)
        self._have += len(piece)
