"""What a kind of bucket is: how its client is made, what tells one state of an object from another, how its bytes are read.

Invariant: :attr:`Kind.read` gives bytes of the version that it is asked for, or says that there is another one (:class:`Changed`); where
the place cannot promise that, :data:`Kind.exact` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PIECE", "TIMEOUT", "UNCACHED", "Address", "Changed", "Info", "Kind", "Opened", "Span", "pieces"]

PIECE = 2 << 20
"""Bytes that are read at a time: 32 connections hold 64 MiB of them."""
TIMEOUT = 30.0
"""Seconds without an answer after which one is given up."""

Info = Mapping[str, Any]
"""What fsspec says of one object: ``name``, ``size``, ``type``, and what its client adds."""


class Changed(Exception):
    """What is there now is not the version that was asked for."""


@dataclass(frozen=True)
class Address:
    """A source text, taken apart."""

    scheme: str
    """In its one normal form."""
    host: str
    """The bucket, the container, or ``[user@]machine[:port]``."""
    path: str
    """The key or path, without slashes at its ends; it may be a pattern."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + (f"/{self.path}" if self.path else "")


@dataclass(frozen=True)
class Span:
    """A part of an object to be read."""

    path: str
    """As the client calls the object."""
    start: int
    stop: int
    """Before which it ends."""
    size: int
    """Of the whole object."""
    version: str

    @property
    def whole(self) -> bool:
        """Whether it is all of the object."""
        return self.start == 0 and self.stop == self.size


@dataclass(frozen=True)
class Opened:
    """Bytes that are coming."""

    chunks: Iterator[bytes]
    close: Callable[[], None] = lambda: None
    digests: Mapping[str, str] = field(default_factory=dict)
    """What the answer states of the whole object."""


@dataclass(frozen=True)
class Kind:
    """A kind of bucket."""

    scheme: str
    package: str
    """That has its client."""
    extra: str | None
    """That installs the package; None: it has none of its own."""
    login: str
    """How credentials are given, for people."""
    make: Callable[[Address, bool], Any]
    """A client (fsspec's file system), given the address and whether it is to ask anonymously. It tries nothing again by itself."""
    root: Callable[[Address], str]
    """Where everything of an address is, as the client calls it."""
    version: Callable[[Info], str]
    """What names an object's content, see :attr:`mldata.sources.base.RemoteFile.version`."""
    read: Callable[[Any, Span], Opened]
    check: Callable[[Address], str | None] = lambda address: None
    """What was expected of an address that is not well formed; None: it is."""
    digests: Callable[[Info], dict[str, str]] = lambda info: {}
    """What the list states of an object's content."""
    signed: Callable[[], bool] | None = None
    """Whether the environment has credentials; None: there is no asking without."""
    prefixes: bool = False
    """Whether its list can be narrowed to names that begin in some way."""
    exact: bool = True
    """Whether reading promises the version; else it is looked at before and after."""
    silent: bool = False
    """Whether its client lists a bucket that is not there as an empty one."""
    normal: Callable[[str], str] = lambda host: host
    """The one form of a host that may be written in several."""
    threads: bool = True
    """Whether a client may be asked by several threads at once."""


UNCACHED = {"skip_instance_cache": True, "use_listings_cache": False}
"""For making a client: one of its own, that remembers nothing of what it listed."""


def pieces(read: Callable[[int, int], bytes], span: Span) -> Iterator[bytes]:
    """The span by calls of ``read(start, stop)``, a bounded piece at a time."""
    for start in range(span.start, span.stop, PIECE):
        yield read(start, min(start + PIECE, span.stop))
