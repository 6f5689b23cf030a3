"""Any other file system that fsspec knows: ``ftp://``, ``webdav://``, ``oss://``, ``smb://``, ...

They are listed and read with what every one of them has. What they do not promise, they are asked: an object's state is compared before and after.
"""

from __future__ import annotations

from typing import Any

from mldata.sources.buckets.base import Address, Info, Kind, Opened, Span, pieces

__all__ = ["NOT_PLACES", "knows", "other_kind", "read_pieces", "stated_version"]

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


def read_pieces(fs: Any, span: Span) -> Opened:
    """Read with what every client has."""
    return Opened(pieces(lambda start, stop: bytes(fs.cat_file(span.path, start=start, end=stop)), span))


def other_kind(scheme: str) -> Kind:
    """The kind of a scheme that :func:`knows` knows."""
    from fsspec.registry import get_filesystem_class, known_implementations

    def options(address: Address, _: bool) -> dict[str, Any]:
        found: dict[str, Any] = get_filesystem_class(scheme)._get_kwargs_from_urls(str(address))
        return found

    def root(address: Address) -> str:
        bare = Address(address.scheme, address.host, "")
        return str(get_filesystem_class(scheme)._strip_protocol(f"{bare}/")).rstrip("/")

    package = str(known_implementations.get(scheme, {}).get("class", "fsspec")).partition(".")[0]
    return Kind(
        scheme=scheme,
        protocol=scheme,
        package=package,
        extra=None,
        login="configure fsspec's client of this scheme: FSSPEC_"
        + scheme.upper()
        + "_... in the environment",
        options=options,
        root=root,
        version=stated_version,
        read=read_pieces,
        exact=False,
    )
