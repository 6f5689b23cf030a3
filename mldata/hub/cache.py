"""Files of the Hub as origins of a download: from the cache of the Hub's own client where it has them, else from the Hub.

That cache keeps content by name: ``datasets--OWNER--NAME/blobs/CONTENT``, where the name is the SHA-256 of files in LFS and git's name of others. Invariant: a
file from there is compared with that name before its first byte is given; one that differs is left alone, and asked from the Hub.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from mldata.download.base import Body, Denied, HttpError, Validator
from mldata.errors import AuthError, SourceError

if TYPE_CHECKING:
    from mldata.download.base import Origin
    from mldata.hub.api import Hub

__all__ = ["HubFile", "cache_folder", "cached_blob"]

CHUNK = 1 << 20
EXPLAINED = frozenset({401, 403, 404})
"""Answers that mean something of a repository; others are the engine's."""


def cache_folder() -> str:
    """Where the Hub's own client keeps what it downloads, by its rules."""
    env = os.environ
    base = env.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    home = env.get("HF_HOME") or os.path.join(base, "huggingface")
    said = env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return os.path.expandvars(os.path.expanduser(said))


def cached_blob(repo: str, content: str) -> str:
    """Where that cache would have a file of a repository."""
    return os.path.join(cache_folder(), "--".join(["datasets", *repo.split("/")]), "blobs", content)


class HubFile:
    """A file of a repository; see :class:`mldata.download.base.Origin`.

    Args:
        hub: says what refusals mean.
        remote: the file on the Hub.
        repo: for messages.
        identity: names the file whatever the address of the Hub.
        blob: where the cache would have it.
    """

    def __init__(
        self,
        hub: Hub,
        remote: Origin,
        *,
        repo: str,
        identity: str,
        blob: str,
        size: int | None,
        digests: Mapping[str, str],
    ) -> None:
        self.name, self.identity = remote.name, identity
        self._hub, self._remote, self._repo = hub, remote, repo
        self._blob, self._size, self._digests = blob, size, digests
        self._lock = threading.Lock()
        self._good: bool | None = None
        """Whether what the cache has is the file; None: not looked at yet."""

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
        """See :meth:`mldata.download.base.Origin.open`."""
        if self._cached():
            return _CachedBody(self._blob, start, stop, match, self._digests)
        try:
            return self._remote.open(start, stop, match)
        except (AuthError, HttpError) as error:
            if isinstance(error, Denied | HttpError) and error.status not in EXPLAINED:
                raise
            raise self._hub.says.meaning(error, self._repo, path=self.name) from None

    def _cached(self) -> bool:
        with self._lock:
            if self._good is None:
                self._good = is_content(self._blob, self._size, self._digests)
            return self._good


def is_content(path: str, size: int | None, digests: Mapping[str, str]) -> bool:
    """Whether the file at ``path`` has this size and, read as a whole, the digest that is stated."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno()).st_size
            if found != size:
                return False
            if (stated := digests.get("sha256")) is not None:
                sum = hashlib.sha256()
            elif (stated := digests.get("git-sha1")) is not None:
                sum = hashlib.sha1(b"blob %d\0" % found, usedforsecurity=False)
            else:
                return False
            while data := file.read(CHUNK):
                sum.update(data)
            return sum.hexdigest() == stated
    except OSError:
        return False


class _CachedBody:
    """A file of the cache; see :class:`mldata.download.base.Body`."""

    ranges = True

    def __init__(
        self, path: str, start: int, stop: int | None, match: Validator | None, digests: Mapping[str, str]
    ) -> None:
        try:
            self._file: BinaryIO = open(path, "rb")  # noqa: SIM115
        except OSError as error:
            raise SourceError(
                f"cannot be read any more: {error.strerror}",
                where=path,
                hint="Run the same command again: the file then comes from the Hub.",
            ) from None
        self.digests = digests
        name = digests.get("sha256") or digests.get("git-sha1")
        self.validator = Validator(f'"{name}"', size=os.fstat(self._file.fileno()).st_size)
        fits = match is None or match.etag is None or match.etag == self.validator.etag
        self.start = start if fits else 0
        self.reason = (
            None if self.start == start else "the Hub's cache on this machine has another state of it"
        )
        self._stop = stop if fits else None

    def __iter__(self) -> Iterator[bytes]:
        at = self._file.seek(self.start)
        while data := self._file.read(CHUNK if self._stop is None else min(CHUNK, self._stop - at)):
            at += len(data)
            yield data

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> _CachedBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
