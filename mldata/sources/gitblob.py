"""Files that git itself keeps, as the origins of a download: read from a clone, which fetches them when the first is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mldata.download.base import Validator
from mldata.sources.gitclone import Blob, Clone

__all__ = ["BlobOrigin"]


class BlobOrigin:
    """A file that git itself keeps; see :class:`mldata.download.base.Origin`."""

    def __init__(self, source: object, clone: Clone, blob: str, name: str) -> None:
        self._source, self._clone, self._blob = source, clone, blob  # the clone lasts as long as its source
        self.name = name
        self.identity = f"git blob {blob}"

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> BlobBody:
        """See :meth:`mldata.download.base.Origin.open`."""
        state = match.etag if match is not None else None
        same = state in (None, f'"{self._blob}"')
        return BlobBody(self._clone.open(self._blob), self._blob, start if same else 0, stop if same else None,
                        None if same else "it is not what the earlier bytes are of")  # fmt: skip


class BlobBody:
    """A file that is read from the clone; see :class:`mldata.download.base.Body`."""

    ranges = True
    digests: Mapping[str, str] = {}

    def __init__(self, opened: Blob, blob: str, start: int, stop: int | None, reason: str | None) -> None:
        self._opened, self._stop = opened, stop
        self.start, self.reason = start, reason
        self.validator = Validator(etag=f'"{blob}"', size=opened.size)

    def __iter__(self) -> Iterator[bytes]:
        at, stop = 0, self._opened.size if self._stop is None else self._stop
        for data in self._opened:
            wanted = data[max(0, self.start - at) : max(0, stop - at)]
            at += len(data)
            if wanted:
                yield wanted
            if at >= stop and self._opened.size > at:
                return

    def interrupt(self) -> None:
        """Make a reader in another thread fail soon."""
        self._opened.interrupt()

    def close(self) -> None:
        """Let go of the process."""
        self._opened.close()

    def __enter__(self) -> BlobBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
