"""The other side of a source elsewhere, as :class:`~mldata.testing.remote.RemoteSourceContract` steers it, and what it reads from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mldata.download.base import Transient, Validator, Want
from mldata.sources.base import RemoteSource, Resolved

__all__ = ["Asked", "RemotePlace", "fetch"]

TRIES = 5


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


def fetch(source: RemoteSource, resolved: Resolved) -> dict[str, bytes]:
    """The bytes of all files by name, compared with what is stated of them; what is cut off is gone on with."""
    found = {}
    for file in resolved.files:
        want = Want(file.name, source.origin(file), file.size, file.digests)
        found[file.name] = data = _whole(want)
        assert want.size in (None, len(data)), f"{file.name} has {len(data)} bytes, {want.size} are stated"
        for kind, stated in want.digests.items():
            assert digest(kind, data) == stated, f"the {kind} that is stated of {file.name} is of other bytes"
    return found


def digest(kind: str, data: bytes) -> str:
    """A digest of :data:`mldata.download.base.DIGESTS`."""
    import hashlib

    if kind == "git-sha1":
        return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest()


def _whole(want: Want) -> bytes:
    data, match = bytearray(), Validator()
    for _ in range(TRIES):
        try:
            with want.origin.open(len(data), None, match) as body:
                del data[body.start :]
                match = body.validator
                for chunk in body:
                    data += chunk
            return bytes(data)
        except Transient as error:
            last = error
    raise last
