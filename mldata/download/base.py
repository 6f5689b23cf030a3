"""The words of a download: where bytes come from, what tells one state of them from another, what came.

An *origin* is one file elsewhere that can be read from any offset where its place allows. The engine asks for ranges, keeps what came in
the store's partial area, and publishes an object when all of it is there and is what was promised. HTTP is one kind of origin; a
bucket that a library reads is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mldata.errors import AuthError, MldataError, NetworkError, SourceError

if TYPE_CHECKING:
    from store import ObjectId, Partials

DIGESTS = ("sha256", "sha1", "md5", "git-sha1")
"""Digests that a place may state, strongest first, as lower-case hex; ``git-sha1`` is of a git blob (``blob SIZE\\0`` before the bytes)."""


@dataclass(frozen=True)
class Validator:
    """What tells one state of a file elsewhere from another (RFC 9110, section 8.8)."""

    etag: str | None = None
    """As it was sent, with its quotes; a weak one (``W/``) proves nothing for ranges."""
    modified: str | None = None
    """``Last-Modified`` as it was sent."""
    size: int | None = None
    """Bytes in all."""

    @property
    def strong(self) -> bool:
        """Whether bytes of two answers with this validator may be put together."""
        return self.etag is not None and not self.etag.startswith("W/")


class Transient(NetworkError):
    """It may work if it is tried again: a reset, a stall, 408, 429, 5xx.

    Args:
        retry_after: seconds that the other side asks to wait; None if it did not say.
    """

    def __init__(self, message: str, *, where: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, where=where, hint="Run the same command again: what came is kept.")
        self.retry_after = retry_after


class Answered(MldataError):
    """An answer of HTTP that is an error and stays one.

    Args:
        status: of HTTP.
        body: the beginning of what was sent with it.
        headers: services say in one of them what it is about.
    """

    def __init__(
        self, message: str, *, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None,
        where: str | None = None, hint: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message, where=where, hint=hint)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class HttpError(Answered, NetworkError):
    """An answer of 400 or above that is neither 401 nor 403."""


class Denied(Answered, AuthError):
    """The answer 401 or 403."""


class Mismatch(SourceError):
    """What arrived is not what was promised: its size or a digest. None of it is stored."""

    code = "mismatch"


class Body(Protocol):
    """An opened origin. Close it, or use it as a context manager."""

    start: int
    """Offset of the first byte: what was asked for, or 0 where the place gave everything instead."""
    validator: Validator
    """Of the state that is being sent; ``size`` is of the whole file."""
    ranges: bool
    """Whether the place gives parts of this file."""
    digests: Mapping[str, str]
    """What the answer states of the whole file, see :data:`DIGESTS`."""
    reason: str | None
    """Why it starts at 0 though a later part was asked for; None if it does not."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes as they come. Raises :class:`Transient` when the connection breaks, ends early, or stalls."""
        ...

    def close(self) -> None: ...
    def __enter__(self) -> Body: ...
    def __exit__(self, *_: object) -> None: ...


class Origin(Protocol):
    """One file elsewhere."""

    name: str
    """What messages call it: no credential is in it."""
    identity: str
    """Names the partial that is kept of it: equal for equal files, whatever the credentials."""

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> Body:
        """Ask for the bytes from ``start`` to before ``stop``.

        Args:
            match: the state that earlier bytes came from; with another one the body starts at 0, if it starts.

        Raises:
            Transient: it may work if it is tried again.
            NetworkError, AuthError, SourceError: it will not.
        """
        ...


@runtime_checkable
class Keeping(Protocol):
    """An origin whose files come in a form of which the engine cannot keep parts, and that keeps them itself."""

    def keep_in(self, partials: Partials) -> None:
        """From now on keep what comes among these, until a file has come whole."""
        ...


@dataclass(frozen=True)
class Want:
    """A file to be downloaded."""

    name: str
    """In the source's tree."""
    origin: Origin
    size: int | None = None
    """As the source's list states it; a file of another size is refused."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """As the source states them, see :data:`DIGESTS`; unknown kinds are left alone."""


@dataclass(frozen=True)
class Got:
    """A file that is in the store."""

    name: str
    id: ObjectId
    validator: Validator
    resumed_from: int = 0
    """Bytes that an earlier run had brought."""
    received: int = 0
    """Bytes that came over the network now."""


class Watch(Protocol):
    """Is told how downloads go; called from several threads."""

    def begin(self, name: str, size: int | None, resumed_from: int) -> None:
        """A file is begun, or gone on with."""
        ...

    def advance(self, name: str, size: int) -> None:
        """``size`` more bytes came; negative when what came has to be thrown away."""
        ...

    def end(self, name: str) -> None:
        """A file is in the store."""
        ...

    def warn(self, message: str) -> None:
        """Something that the user should know."""
        ...

    def note(self, message: str) -> None:
        """Something for those who asked for more."""
        ...
