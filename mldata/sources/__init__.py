"""Where raw files come from: one file a scheme, all behind the protocol in ``base``. A source's module is imported only when it is used.

Third parties add a scheme through an entry point of the group ``mldata.sources``, called like the scheme, that loads to a
:class:`~mldata.sources.base.SourceInfo`.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mldata.sources.info import SourceInfo

if TYPE_CHECKING:
    from mldata.sources.base import RemoteSource, Source

__all__ = [
    "LOCAL",
    "SOURCES",
    "STDIN",
    "SourceInfo",
    "find_source",
    "is_remote",
    "known_sources",
    "local_path",
    "open_local",
    "open_remote",
    "open_source",
    "scheme_of",
]

LOCAL = ""
"""The scheme of a path."""
STDIN = "-"
"""Standard input; its own scheme."""

_HUB_OPTIONS = frozenset({"revision", "subset", "split", "files"})
_FILES = frozenset({"revision", "files"})
SOURCES: dict[str, SourceInfo] = {
    info.scheme: info
    for info in (
        SourceInfo(LOCAL, "mldata.sources.local", "LocalSource"),
        SourceInfo(STDIN, "mldata.sources.stdin", "StdinSource"),
        SourceInfo("dataset", "mldata.sources.dataset", "DatasetSource"),
        SourceInfo("https", "mldata.sources.http", "HttpSource", remote=True),
        SourceInfo("http", "mldata.sources.http", "HttpSource", remote=True),
        *(
            SourceInfo(f"index+{scheme}", "mldata.sources.index", "IndexSource", remote=True)
            for scheme in ("https", "http", "file")
        ),
        *(
            SourceInfo(scheme, "mldata.sources.bucket", "BucketSource", remote=True)
            for scheme in ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "sftp")
        ),
        SourceInfo("hf", "mldata.sources.hf", "HubSource", True, _HUB_OPTIONS, "search", "hf"),
        SourceInfo("huggingface", "mldata.sources.hf", "HubSource", True, _HUB_OPTIONS, service="hf"),
        SourceInfo("kaggle", "mldata.sources.kaggle", "KaggleSource", True, _FILES, "search", "kaggle"),
        SourceInfo("openml", "mldata.sources.openml", "OpenmlSource", True, _FILES, "search", "openml"),
        *(
            SourceInfo(scheme, "mldata.sources.git", "GitSource", True, frozenset({"revision"}))
            for scheme in ("git+https", "git+http", "git+ssh", "git+file")
        ),
    )
}

_DVC = ".dvc"
DVC_FILE = SourceInfo(LOCAL, "mldata.sources.dvc", "DvcSource")
"""Of a path that ends so: what the file stands for, not itself."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://|(index\+file):", re.IGNORECASE)
_LOCAL_FORM = re.compile(r"(file):(?=/)(?://([^/]*)(?=/|$))?|(local)://", re.IGNORECASE)
"""RFC 8089, and our own ``local://``, behind which a path stands as it is."""
_DRIVE = re.compile(r"/[A-Za-z]:(?=[/\\]|$)")


def scheme_of(text: str) -> str:
    """The scheme of a source in lower case; :data:`LOCAL` for a path, however it is written."""
    if text == STDIN:
        return STDIN
    found = None if _LOCAL_FORM.match(text) else _SCHEME.match(text)
    return (found[1] or found[2]).lower() if found else LOCAL


def local_path(text: str) -> str:
    """The path that a source of the scheme :data:`LOCAL` is: ``file:///a%20b``, ``file://localhost/a%20b`` and ``local:///a%20b`` are ``/a b``.

    Raises:
        SourceError: there is no path, or one of another machine.
    """
    found = _LOCAL_FORM.match(text)
    if found is None:
        return text
    from urllib.parse import unquote

    from mldata.errors import SourceError

    path, host = unquote(text[found.end() :]), (found[2] or "").lower()
    if host not in ("", "localhost"):
        raise SourceError(f"expected file:///PATH, a path of this machine; found one of the host {found[2]!r}", where=text,
                          hint=f"If a path was meant: {'file:///' + host + path if host.endswith(':') else host + path}")  # fmt: skip
    if not path.strip("/") and path != "/":
        raise SourceError(f"expected a path behind {found[0]}, found none", where=text)
    return path[1:] if _DRIVE.match(path) else path  # file:///C:/data


@cache
def find_source(scheme: str) -> SourceInfo | None:
    """What is known of a scheme; plug-ins are looked for only if it is not built in, and cannot replace one that is. What nobody
    else has, fsspec may have."""
    if scheme in SOURCES:
        return SOURCES[scheme]
    from importlib.metadata import entry_points

    found: list[SourceInfo] = [point.load() for point in entry_points(group="mldata.sources", name=scheme)]
    if found:
        return found[0]
    from mldata.sources.buckets.other import knows

    return SourceInfo(scheme, "mldata.sources.bucket", "BucketSource", remote=True) if knows(scheme) else None


def known_sources() -> dict[str, SourceInfo]:
    """All schemes: those that are built in, then those of plug-ins by name."""
    from importlib.metadata import entry_points

    plugged = sorted({point.name for point in entry_points(group="mldata.sources")} - SOURCES.keys())
    return {**SOURCES, **{name: info for name in plugged if (info := find_source(name)) is not None}}


def is_remote(text: str) -> bool:
    """Whether listing or reading a source needs the network."""
    info = find_source(scheme_of(text))
    return info is not None and info.remote


def open_source(text: str, root: Path) -> Source | RemoteSource:
    """The source that ``text`` names; relative paths start at ``root``, the folder of the spec.

    A scheme that nothing is known of was refused when the spec was read.
    """
    scheme = scheme_of(text)
    info = find_source(scheme)
    if info is None:
        from mldata.errors import SourceError

        raise SourceError(
            f"expected a source that is known here, found the scheme {scheme}://",
            where=text,
            hint="Install the plug-in that has it, or fetch the files yourself and give their path.",
        )
    if scheme == LOCAL:
        text = local_path(text)
        if text.endswith(_DVC) and not os.path.isdir(os.path.join(root, os.path.expanduser(text))):
            info = DVC_FILE
    made: Source | RemoteSource = getattr(import_module(info.module), info.factory)(text, root)
    return made


def open_local(text: str, root: Path) -> Source:
    """:func:`open_source` for one that is not remote."""
    return cast("Source", open_source(text, root))


def open_remote(text: str, root: Path) -> RemoteSource:
    """:func:`open_source` for one that is remote."""
    return cast("RemoteSource", open_source(text, root))
