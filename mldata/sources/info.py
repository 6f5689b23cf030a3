"""What finding a source needs to know. A module of its own: what a word means is asked where no source is listed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SourceInfo"]


@dataclass(frozen=True)
class SourceInfo:
    """What finding a source needs to know without importing it."""

    scheme: str
    """In lower case, without ``://``."""
    module: str
    factory: str
    """Called with the text of the spec and the spec's folder (a ``Path``); gives a :class:`~mldata.sources.base.Source`, or for a remote scheme a
    :class:`~mldata.sources.base.RemoteSource`. Makes no request. Raises ``SourceError`` for text that is not well formed."""
    remote: bool = False
    options: frozenset[str] = frozenset()
    """Which of ``revision``, ``subset``, ``split`` its text may carry behind a ``?`` (see :mod:`mldata.sources.uri`), and ``mldata pull``
    may add; and others of its own."""
    search: str | None = None
    """A callable of the module that takes a :class:`~mldata.sources.base.Query` and gives :class:`~mldata.sources.base.Hit` s, best first; None: it cannot be searched."""
    service: str | None = None
    """Whose credential it uses (see :mod:`mldata.credentials`)."""
