"""A body that somebody has begun to read and another one reads on."""

from __future__ import annotations

from collections.abc import Iterator

from mldata.download.base import Body

__all__ = ["Begun"]


class Begun:
    """A body whose bytes may be given back; see :class:`mldata.download.base.Body`. Unlike another one it may be iterated several times: each goes
    on where the one before ended."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._rest = iter(body)
        self._back = b""
        self._error: Exception | None = None
        self.start, self.validator, self.ranges = body.start, body.validator, body.ranges
        self.digests, self.reason = body.digests, body.reason

    def give_back(self, data: bytes, error: Exception | None = None) -> None:
        """Let these be the next bytes, and ``error`` what comes after them if it came already."""
        self._back, self._error = data, error

    def __iter__(self) -> Iterator[bytes]:
        back, self._back = self._back, b""
        if back:
            yield back
        if self._error is not None:
            raise self._error
        for data in self._rest:  # noqa: UP028 -- `yield from` would end the rest with this iterator
            yield data

    def interrupt(self) -> None:
        """Make the reader fail soon."""
        getattr(self._body, "interrupt", self._body.close)()

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> Begun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
