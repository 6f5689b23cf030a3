"""A file that its place sends now as it is, now as a zip of just that file: here it is always the file.

Invariant: what is told of a packed file (its size, its digests) is of the file, never of the zip. To go on in the middle of a packed file it is
unpacked from its beginning again, out of what a store has kept of the zip (``spool``); where nothing is kept, what is asked for from the middle comes
from the beginning, with the reason.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mldata.download.base import Body, Mismatch, Origin, Validator
from mldata.download.spool import Spooled, is_kept, spooled
from mldata.download.zipstream import LOCAL, Damaged, is_zip_of, unzip

if TYPE_CHECKING:
    from store import Partials

__all__ = ["Unzipped"]


class Unzipped:
    """A file of a place that may send it zipped; see :class:`mldata.download.base.Origin`.

    Args:
        origin: where the bytes come from.
        file: the file's own name, which a zip of it has inside.
        size: of the file, where the place states it.
    """

    def __init__(self, origin: Origin, file: str, size: int | None) -> None:
        self._origin, self._file, self._size = origin, file, size
        self.name, self.identity = origin.name, origin.identity
        self._packed: bool | None = None
        self._partials: Partials | None = None

    def keep_in(self, partials: Partials) -> None:
        """See :class:`mldata.download.base.Keeping`."""
        self._partials = partials

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
        """See :meth:`mldata.download.base.Origin.open`."""
        kept = self._partials is not None and is_kept(self._origin, self._partials)
        if self._packed is None and (start or stop is not None or kept):
            # A part does not tell whether it is one of the file or one of a zip.
            with self._origin.open(0, LOCAL.size + len(self._file.encode())) as body:
                self._look(_Begun(body, self._file))
        if self._packed is False:
            return self._origin.open(start, stop, match)
        known, partials = self._packed is not None, self._partials
        body = spooled(self._origin, partials) if known and partials is not None else self._origin.open()
        begun = _Begun(body, self._file)
        try:
            self._look(begun)
            if self._packed and not known and partials is not None:
                begun = _Begun(spooled(self._origin, partials, begun), self._file)
                self._look(begun)
            return _Unpacked(begun, self.name, self._size, start, stop, match) if self._packed else begun
        except BaseException:
            begun.close()
            raise

    def _look(self, begun: _Begun) -> None:
        """Find out whether the file is packed. One whose size is the stated one is what was meant, whatever it looks like."""
        self._packed = begun.looks_packed and (self._size is None or begun.validator.size != self._size)


class _Begun:
    """A body whose first bytes have been looked at."""

    def __init__(self, body: Body, file: str) -> None:
        self._body, self._rest = body, iter(body)
        self.start, self.ranges, self.reason = body.start, body.ranges, body.reason
        self.validator, self.digests = body.validator, body.digests
        name = file.encode()
        self._head = b""
        try:
            while len(self._head) < LOCAL.size + len(name) and (more := next(filter(None, self._rest), b"")):
                self._head += more
        except BaseException:
            body.close()
            raise
        self.looks_packed = is_zip_of(name, self._head)

    def __iter__(self) -> Iterator[bytes]:
        if self._head:
            yield self._head
        self._head = b""
        yield from self._rest

    @property
    def spool(self) -> Spooled | None:
        """What keeps it, if something does."""
        return self._body if isinstance(self._body, Spooled) else None

    def interrupt(self) -> None:
        """Make whoever reads it fail soon; for another thread."""
        getattr(self._body, "interrupt", self._body.close)()

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> _Begun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Unpacked:
    """The file out of a zip, from the byte that was asked for if the zip is kept, else from its beginning."""

    ranges = False

    def __init__(
        self,
        packed: _Begun,
        where: str,
        size: int | None,
        start: int,
        stop: int | None,
        match: Validator | None,
    ) -> None:
        self._packed, self._where, self._size = packed, where, size
        self.validator = replace(packed.validator, size=size)
        self.digests: Mapping[str, str] = {}
        self.reason: str | None = None
        changed = match is not None and match.etag is not None and match.etag != packed.validator.etag
        if start and changed:
            self.reason = "the file there has changed"
        elif start and packed.spool is None:
            self.reason = "it comes zipped, which can be read from its beginning only"
        self.start, self._stop = (0, None) if self.reason or packed.spool is None else (start, stop)

    def __iter__(self) -> Iterator[bytes]:
        """See :meth:`mldata.download.base.Body.__iter__`. Raises :class:`Mismatch` if the zip is damaged or holds anything else."""
        spool = self._packed.spool
        try:
            to_its_end = yield from self._cut(unzip(self._packed, self._size, self._packed.digests))
            if to_its_end and spool is not None:
                spool.drop()
        except Damaged as error:
            if spool is not None:
                spool.drop()
            raise Mismatch(
                f"it came as a zip that cannot be believed: {error}",
                where=self._where,
                hint="Run the same command again; if it stays so, tell those who own the dataset.",
            ) from None

    def _cut(self, whole: Iterator[bytes]) -> Generator[bytes, None, bool]:
        """The part that is wanted; whether the zip was read to its end for it. What is passed over comes as nothing, to show that something moves."""
        at, stop = 0, self._stop if self._stop != self._size else None
        for piece in whole:
            begin, at = at, at + len(piece)
            yield piece[max(0, self.start - begin) : None if stop is None else max(0, stop - begin)]
            if stop is not None and at >= stop:
                return False
        return True

    def interrupt(self) -> None:
        """Make whoever reads it fail soon; for another thread."""
        self._packed.interrupt()

    def close(self) -> None:
        """See :class:`mldata.download.base.Body`."""
        self._packed.close()

    def __enter__(self) -> _Unpacked:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
