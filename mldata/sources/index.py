"""Lists of files elsewhere: ``index+https://host/SHA256SUMS``, ``index+http://…``, ``index+file:urls.txt``. See ``indexlines`` for their forms.

A list is one request, however many files it names: none of them is asked for before it is downloaded. The revision is a digest over what the
list says. Invariants: a list on a public host names no file of a private network; a signature in it is in nothing that is kept or shown.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mldata.download.addresses import authority, has_secret, insecure, public
from mldata.download.given import DIGITS, given_address
from mldata.download.signed import signed
from mldata.errors import MldataError, SourceError
from mldata.sources.base import About, RemoteFile, Resolved

if TYPE_CHECKING:
    from mldata.download.base import Origin
    from mldata.download.web import Auth, Web
    from mldata.sources.indexlines import Entry

__all__ = ["IndexSource"]

MOST = 64 * 1024 * 1024
"""Bytes of a list."""
_FILE = "file:"


class IndexSource:
    """Files that a list names.

    Args:
        text: as in the spec.
        root: folder of the spec, which the path of a list on this machine is relative to.
    """

    def __init__(self, text: str, root: Path) -> None:
        self._path: Path | None = None
        self._url: str | None = None
        address = text.partition("+")[2]
        if address[: len(_FILE)].lower() == _FILE:
            self._path = root / _path(address[len(_FILE) :], text)
            self.text, self.key = text, f"index+file:{self._path}"
        else:
            self._url = signed(given_address(address, "index+https://host/SHA256SUMS"))
            self.key = f"index+{public(self._url)}"
            self.text = self.key if has_secret(text) else text
        self._logins: dict[str, Auth | None] = {}
        self._secret: dict[str, str] = {}
        """Addresses with a signature, by name: they are nowhere else."""

    @cached_property
    def _web(self) -> Web:
        from mldata.download.web import Web

        return Web()

    def resolve(self, revision: str | None = None) -> Resolved:
        """What the list says now: none keeps earlier states. See :meth:`mldata.sources.base.RemoteSource.resolve`."""
        entries = self._entries()
        files = [_file(entry) for entry in entries]
        said = json.dumps([[it.name, it.place, it.size, sorted(it.digests.items())] for it in files])
        return Resolved(hashlib.sha256(said.encode()).hexdigest(), files, warnings=self._warnings(entries))

    def origin(self, file: RemoteFile) -> Origin:
        """Where the bytes of a file come from; a page for people in place of data is refused."""
        from mldata.download.pages import DataOrigin

        url = self._secret.get(file.name, file.place)
        return DataOrigin(
            self._web.origin(url, auth=self._login(url), identity=file.place, named_by=self._url), file.name
        )

    def about(self) -> About:
        """The size of all files, where the list has it."""
        sizes = [entry.size for entry in self._entries()]
        return About(size=sum(size for size in sizes if size is not None) if None not in sizes else None)

    def _entries(self) -> list[Entry]:
        from mldata.sources.indexlines import parse_index

        entries = parse_index(self._read(), self.text, self._url)
        self._secret = {entry.name: entry.url for entry in entries if has_secret(entry.url)}
        return entries

    def _read(self) -> bytes:
        from mldata.download.given import refusal

        if self._path is not None:
            return _local(self._path, self.text)
        assert self._url is not None
        try:
            return self._web.get(self._url, auth=self._login(self._url)).body
        except MldataError as error:
            raise refusal(error, "a list of files", self._url, self.text) from None

    def _login(self, url: str) -> Auth | None:
        from mldata.download.logins import login_for

        host = authority(url)
        if host not in self._logins:
            self._logins[host] = login_for(url)
        return self._logins[host]

    def _warnings(self, entries: list[Entry]) -> list[str]:
        found = [warning] if self._url is not None and (warning := insecure(self._url)) else []
        open_ones = [
            warning for it in entries if "sha256" not in it.digests and (warning := insecure(it.url))
        ]
        if open_ones:
            more = f" (So do {len(open_ones) - 1:,} more files of {self.text}.)" if len(open_ones) > 1 else ""
            found.append(open_ones[0] + more)
        if self._secret:
            found.append(
                f"{self.text}: {len(self._secret):,} addresses have a signature or token in them, which runs out; it is left out of mldata.lock. "
                "When it has run out, the files that are in the store can be used still, and others need a new list."
            )
        return found


def _file(entry: Entry) -> RemoteFile:
    version = next((f"{kind}:{entry.digests[kind]}" for kind in DIGITS if kind in entry.digests), "")
    return RemoteFile(entry.name, public(entry.url), entry.size, entry.digests, version)


def _local(path: Path, text: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise SourceError(
            f"expected a list of files: {error.strerror}", where=text, hint="Check the path."
        ) from None
    if len(data) > MOST:
        raise SourceError(
            f"expected a list of at most {MOST:,} bytes, found more",
            where=text,
            hint="Split it into several.",
        )
    return data


def _path(path: str, text: str) -> Path:
    """The path in ``index+file:PATH`` or ``index+file:///PATH`` (which has percent escapes, RFC 8089)."""
    if path.startswith("//"):
        host, _, path = path[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise SourceError(
                f"expected a file of this machine, found the host {host}",
                where=text,
                hint="Write index+file:PATH.",
            )
        path = "/" + unquote(path)
    if not path.strip("/") or "\0" in path:
        raise SourceError("expected index+file:PATH, found no path", where=text, hint="Name the list.")
    return Path(path)
