"""A bucket, or another file system behind a network, as a source: ``s3://``, ``gs://``, ``az://``, ``sftp://`` and what fsspec knows.

The text names one object, a folder (a prefix), or a pattern; keys are meant as they are written, without percent escapes, as the clients of
these places have it. Public buckets need no credentials: who has some is asked with them first, and anonymously if they do not help.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from mldata.download.base import Transient, Validator
from mldata.errors import AuthError, MissingExtra, NetworkError, SourceError
from mldata.sources.again import again
from mldata.sources.base import About, RemoteFile, Resolved
from mldata.sources.buckets import kind_of
from mldata.sources.buckets.base import Address, Changed, Info, Kind, Opened, Span
from mldata.sources.buckets.faults import explain
from mldata.sources.patterns import EVERYTHING, literal_head, split_pattern, take

__all__ = ["BucketSource"]

T = TypeVar("T")
_LOGGERS = ("adlfs", "aiobotocore", "asyncssh", "azure", "botocore", "fsspec", "gcsfs", "google", "s3fs")
"""Of the clients: without a handler of the program's own, what they warn of would be printed beside our error."""


class BucketSource:
    """Objects in a bucket, or files on another machine.

    Args:
        text: ``SCHEME://HOST/PATH``.
        root: not needed: there are no relative ones.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = text
        self._kind, self._address = _parse(text)
        self.key = str(self._address)
        self._client = _Client(self._kind, self._address)

    def resolve(self, revision: str | None = None) -> Resolved:
        """See :meth:`mldata.sources.base.RemoteSource.resolve`. No earlier states are kept."""
        from store import digest_bytes, encode

        found, ignored = again(lambda: self._client.ask(self._list, self.text))
        if not found:
            left = " but what is left out (hidden files and the like)" if ignored else ""
            raise SourceError(f"expected at least one object, found none{left}", where=self.text,
                              hint="Look at how it is written, upper and lower case too.")  # fmt: skip
        files = [self._file(name, found[name]) for name in sorted(found)]
        state = [(file.name, file.size, file.version) for file in files]
        facts = {"ignored": ignored} if ignored else {}
        # What is left out is told with the revision, so it is part of what the revision names.
        return Resolved(digest_bytes(encode({"files": state, **facts})), files, facts)

    def about(self) -> About:
        """See :meth:`mldata.sources.base.RemoteSource.about`."""
        return About(size=sum(file.size or 0 for file in self.resolve().files))

    def origin(self, file: RemoteFile) -> BucketOrigin:
        """See :meth:`mldata.sources.base.RemoteSource.origin`."""
        host = f"{self._address.scheme}://{self._address.host}"
        path = file.place.removeprefix(self._kind.root(self._address)).lstrip("/")
        return BucketOrigin(self._client, file, f"{host}/{path}")

    def _file(self, name: str, info: Info) -> RemoteFile:
        size = info.get("size")
        return RemoteFile(
            name,
            str(info["name"]),
            size if isinstance(size, int) else None,
            self._kind.digests(info),
            self._kind.version(info),
        )

    def _list(self, fs: Any) -> tuple[dict[str, Info], dict[str, int]]:
        """What is there by name, and what of it is left out."""
        base, pattern = split_pattern(self._address.path)
        root = self._kind.root(self._address)
        folder = f"{root.rstrip('/')}/{base}" if base else root
        if not pattern and base:
            info = fs.info(folder)
            if info["type"] != "directory":
                return {folder.rpartition("/")[2]: info}, {}
        options: dict[str, Any] = {}
        if self._kind.prefixes and (head := literal_head(pattern)):
            options["prefix"] = head
        elif not self._kind.prefixes:
            options["on_error"] = "raise"  # a folder that may not be looked into is not an empty one
            if pattern and "**" not in pattern:
                options["maxdepth"] = len(pattern)
        listed: Mapping[str, Info] = fs.find(folder, detail=True, **options)
        if not listed and self._kind.silent:
            fs.info(root)  # raises, where there is no such thing
        within = f"{folder.rstrip('/')}/"
        listed = {key: info for key, info in listed.items() if key != folder}
        if strange := next((key for key in listed if not key.startswith(within)), None):
            raise NetworkError(f"expected what is in {within}, found {strange!r}", where=self.text,
                               hint="What answers there is no such service.")  # fmt: skip
        infos = {key[len(within) :]: info for key, info in listed.items()}
        folders = {parent for name in infos for parent in _parents(name)}
        for name in [name for name in infos if not name or name.endswith("/") or name in folders]:
            if not infos[name].get("size"):  # what some programs put in the place of an empty folder
                del infos[name]
        taken = take(infos, pattern or EVERYTHING)
        for name in taken.names:
            if infos[name]["type"] != "file":
                raise SourceError(
                    f"expected only files and folders, found that {name!r} is a {infos[name]['type']}",
                    where=self.text,
                    hint="Name what it points to as a source of its own.",
                )
        return {name: infos[name] for name in taken.names}, taken.ignored


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _parse(text: str) -> tuple[Kind, Address]:
    scheme, _, rest = text.partition("://")
    kind = kind_of(scheme.lower())
    host, _, path = rest.partition("/")
    user, at, _ = host.rpartition("@")
    if at and ":" in user:
        raise SourceError(
            f"expected no password in a source, found one behind {kind.scheme}://",
            hint=f"A source is kept in mldata.yaml. To be let in, {kind.login}",
        )
    address = Address(kind.scheme, kind.normal(host), path.strip("/"))
    if expected := ("a name behind ://" if not host else kind.check(address)):
        raise SourceError(f"expected {expected}", where=text)
    return kind, address


@dataclass
class _Client:
    """A connection to one place, made when it is first needed. Safe among threads."""

    kind: Kind
    address: Address
    _fs: Any = None
    _lock: Any = field(default_factory=threading.Lock, repr=False)
    _turn: Any = field(default_factory=threading.RLock, repr=False)

    def turn(self, call: Callable[[], T]) -> T:
        """What ``call`` answers; one at a time, where the client has no other way."""
        if self.kind.threads:
            return call()
        with self._turn:
            return call()

    def ask(self, call: Callable[[Any], T], where: str) -> T:
        """What ``call`` answers, given fsspec's file system: with credentials if there are any, else or then without."""
        try:
            fs = self._fs
            if fs is not None:
                return self.turn(lambda: call(fs))
            with self._lock:
                found, self._fs = self._first(call, where)
            return found
        except Exception as error:
            raise explain(error, self.kind, where) from error

    def _first(self, call: Callable[[Any], T], where: str) -> tuple[T, Any]:
        kind = self.kind
        if find_spec("fsspec") is None or find_spec(kind.package) is None:
            name = f"mldata-cli[{kind.extra}]" if kind.extra else kind.package
            raise MissingExtra(f"{kind.scheme}:// needs the package {kind.package}, which is not installed",
                               hint=f"pip install '{name}'")  # fmt: skip
        for logger in _LOGGERS:
            logging.getLogger(logger).addHandler(logging.NullHandler())
        ways = [False] if kind.signed is None or kind.signed() else []
        ways += [True] if kind.signed is not None else []
        errors: list[AuthError] = []
        for anonymous in ways:
            try:
                fs = kind.make(self.address, anonymous)
                return call(fs), fs
            except Exception as error:
                found = explain(error, kind, where)
                if not isinstance(found, AuthError):
                    if errors and not isinstance(found, Transient):
                        break
                    raise
                errors.append(found)
        if len(ways) == 1 and not ways[0]:
            raise errors[0]
        credentials = (
            f"with the credentials found, {errors[0].message}"
            if len(ways) == 2
            else "no credentials were found"
        )
        raise AuthError(
            f"{credentials}; asked anonymously, {errors[-1].message if len(errors) == len(ways) else 'nothing was found'}",
            where=where,
            hint=errors[0].hint,
        )


class BucketOrigin:
    """One object; see :class:`mldata.download.base.Origin`."""

    def __init__(self, client: _Client, file: RemoteFile, name: str) -> None:
        self._client, self._file = client, file
        self.name = name
        self.identity = name
        exact = client.kind.exact and file.version
        self._state = Validator(
            etag=f'"{file.version}"' if exact else None,
            modified=None if exact else file.version or None,
            size=file.size,
        )

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> BucketBody:
        """See :meth:`mldata.download.base.Origin.open`."""
        size, reason = self._file.size, None
        if size is None:
            size = self._client.ask(lambda fs: fs.info(self._file.place)["size"], self.name)
        if start and match is not None and match != self._state:
            start, stop, reason = 0, None, "it is not what the earlier bytes are of"
        span = Span(self._file.place, min(start, size), min(size, stop if stop is not None else size), size,
                    self._file.version)  # fmt: skip
        return BucketBody(self._client, span, self._state, self.name, reason)


class BucketBody:
    """Bytes of an object as they come; see :class:`mldata.download.base.Body`."""

    ranges = True

    def __init__(self, client: _Client, span: Span, state: Validator, where: str, reason: str | None) -> None:
        self._client, self._span, self._where = client, span, where
        self.start, self.validator, self.reason = span.start, state, reason
        self._same()
        empty = span.start == span.stop
        self._opened = Opened(iter(())) if empty else client.ask(lambda fs: client.kind.read(fs, span), where)
        self.digests = self._opened.digests

    def __iter__(self) -> Iterator[bytes]:
        left = self._span.stop - self._span.start
        try:
            while (data := self._client.turn(lambda: next(self._opened.chunks, None))) is not None:
                left -= len(data)
                if left < 0:
                    raise NetworkError("more bytes came than were asked for", where=self._where)
                yield data
        except Exception as error:
            raise explain(error, self._client.kind, self._where) from error
        if left:
            raise Transient(f"it ended {left:,} bytes early", where=self._where)
        self._same()

    def _same(self) -> None:
        """Refuse another version than the one that was listed, where reading alone does not see to that."""
        kind, span = self._client.kind, self._span
        if kind.exact:
            return
        info = self._client.ask(lambda fs: fs.info(span.path), self._where)
        if (kind.version(info), info.get("size")) != (span.version, span.size):
            raise explain(Changed(), kind, self._where)

    def close(self) -> None:
        """Let go of the connection."""
        self._opened.close()

    def __enter__(self) -> BucketBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
