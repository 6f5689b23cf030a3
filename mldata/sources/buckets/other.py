"""Any other file system that fsspec knows: ``ftp://``, ``webdav://``, ``oss://``, ``smb://``, ...

They are listed and read with what every one of them has. What they do not promise, they are asked: an object's state is compared before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mldata.errors import MissingExtra
from mldata.sources.buckets.base import PIECE, UNCACHED, Address, Info, Kind, Opened, Span

__all__ = ["NOT_PLACES", "knows", "other_kind", "read_handle", "stated_version"]

NOT_PLACES = frozenset({
    "abstract", "arrow_hdfs", "async_wrapper", "asynclocal", "asyncwrapper", "blockcache", "cached", "dask", "data", "dir", "dvc", "file",
    "filecache", "generic", "gist", "git", "github", "hf", "http", "https", "jlab", "jupyter", "libarchive", "local", "memory", "pyscript",
    "reference", "root", "simplecache", "tar", "zip",
})  # fmt: skip
"""What fsspec has that is no place of its own: wrappers, this machine, and what has a source of its own here."""


def knows(scheme: str) -> bool:
    """Whether fsspec is installed and has a client of this scheme."""
    try:
        from fsspec.registry import known_implementations, registry
    except ImportError:
        return False
    return scheme not in NOT_PLACES and (scheme in known_implementations or scheme in registry)


def stated_version(info: Info) -> str:
    """What an object's content is named by, wherever a client puts it; empty where it says nothing."""
    for key in (
        "etag",
        "ETag",
        "e_tag",
        "version",
        "md5",
        "mtime",
        "modified",
        "last_modified",
        "LastModified",
        "modify",
    ):
        if value := info.get(key):
            return str(value).strip('"')
    return ""


def read_handle(fs: Any, span: Span) -> Opened:
    """Read with what every client has: a file that can be opened and wound on."""
    handle = fs.open(span.path, "rb")

    def chunks() -> Iterator[bytes]:
        handle.seek(span.start)
        left = span.stop - span.start
        while left and (data := handle.read(min(left, PIECE))):
            left -= len(data)
            yield data

    return Opened(chunks(), handle.close)


def other_kind(scheme: str) -> Kind:
    """The kind of a scheme that :func:`knows` knows."""

    def client() -> Any:
        from fsspec.registry import get_filesystem_class

        try:
            return get_filesystem_class(scheme)
        except ImportError as error:
            raise MissingExtra(f"{scheme}:// needs a package that is not installed: {error}",
                               hint="Install it beside mldata.") from None  # fmt: skip

    def root(address: Address) -> str:
        bare = Address(address.scheme, address.host, "")
        return str(client()._strip_protocol(f"{bare}/")).rstrip("/")

    def make(address: Address, _: bool) -> Any:
        return client()(**UNCACHED, **client()._get_kwargs_from_urls(str(address)))

    return Kind(
        scheme=scheme,
        package="fsspec",
        extra=None,
        login=f"tell fsspec's client of {scheme}://: FSSPEC_{scheme.upper()}_USERNAME and the like in the environment",
        make=make,
        root=root,
        version=stated_version,
        read=read_handle,
        exact=False,
        threads=False,
    )
