"""The other side of a source elsewhere, as :class:`~mldata.testing.remote.RemoteSourceContract` steers it, and what it reads from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Protocol

from mldata.download.base import Want
from mldata.download.options import DownloadOptions
from mldata.sources.base import RemoteSource, Resolved

__all__ = ["Asked", "RemotePlace", "fetch"]


@dataclass(frozen=True)
class Asked:
    """A request that a place got."""

    path: str
    """With what stands behind a ``?``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    own: bool = True
    """Whether the service itself was asked, by a name that a credential belongs to; False for a storage host behind a redirect."""
    method: str = "GET"


class RemotePlace(Protocol):
    """A local server with one dataset, which a test changes. Begins without any file; all that is steered lasts until the test ends."""

    @property
    def uri(self) -> str:
        """The source text of its dataset, by the first name that it had."""
        ...

    @property
    def nowhere(self) -> str:
        """The source text of a dataset that it does not have."""
        ...

    @property
    def requests(self) -> Sequence[Asked]:
        """All that were asked so far, in order."""
        ...

    def put(self, files: Mapping[str, bytes]) -> None:
        """Make these its files, and no others: a new state. They are listed in the order given, where the service has no order of its own."""
        ...

    def require_token(self, token: str) -> None:
        """From now on only who shows this token learns that the dataset is there."""
        ...

    def gate(self) -> None:
        """Let nobody in who has not accepted something on the service's site; who has the token has not."""
        ...

    def rename(self) -> None:
        """Give the dataset another name; the old one leads to it as the service does that."""
        ...

    def move(self) -> None:
        """Give out the bytes of files from another host, behind a redirect."""
        ...

    def fail(self, status: int, times: int | None, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next ``times`` requests with this status; all of them for None."""
        ...

    def cut(self, after: int) -> None:
        """Break the connection of the next file that is longer, after this many of its bytes."""
        ...


class Quiet:
    """Watches downloads and says nothing. See :class:`mldata.download.base.Watch`."""

    def begin(self, name: str, size: int | None, resumed_from: int) -> None:
        pass

    def advance(self, name: str, size: int) -> None:
        pass

    def end(self, name: str) -> None:
        pass

    def warn(self, message: str) -> None:
        pass

    def note(self, message: str) -> None:
        pass


def fetch(source: RemoteSource, resolved: Resolved) -> dict[str, bytes]:
    """The bytes of all files by name, as a build brings them: verified, and gone on with where they were cut off."""
    from mldata.download.engine import download
    from store import Store

    wants = [Want(file.name, source.origin(file), file.size, file.digests) for file in resolved.files]
    with TemporaryDirectory() as folder, Store.open(folder) as store:
        came = {got.name: got.id for got in download(store, wants, DownloadOptions(retries=2), Quiet())}
        return {file.name: store.read(came[file.name]) for file in resolved.files}


def digest(kind: str, data: bytes) -> str:
    """A digest of :data:`mldata.download.base.DIGESTS`."""
    import hashlib

    if kind == "git-sha1":
        return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest()
