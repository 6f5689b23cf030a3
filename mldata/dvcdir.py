"""The ``.dir`` object: how DVC 3 lists the files of a folder that it tracks.

Format: a JSON list of ``{"md5": …, "relpath": …}`` in the order of the whole paths by code point, with the separators that Python's
``json`` has by default and everything beyond ASCII escaped. The folder's own hash is the MD5 of these bytes, followed by ``.dir``.

Invariant: the bytes are those that ``dvc add`` makes of the same files, so that both find each other's objects; what is read from
somebody else's object has safe paths only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["DIR", "MD5", "BadDir", "DirObject", "dir_object", "object_path", "parse_dir"]

DIR = ".dir"
"""What the hash of a folder ends with."""
MD5 = re.compile(r"[0-9a-f]{32}")


class BadDir(ValueError):
    """What is no ``.dir`` object, or lists an unsafe path. The text says what was found."""


class DirObject(NamedTuple):
    """The object of one folder."""

    md5: str
    """With :data:`DIR` at its end: as ``.dvc`` files have it."""
    data: bytes


def dir_object(files: Mapping[str, str]) -> DirObject:
    """The object for files, given by path with ``/``: their MD5 in lower-case hex."""
    listed = [{"md5": files[path], "relpath": path} for path in sorted(files)]
    data = json.dumps(listed).encode("ascii")
    return DirObject(hashlib.md5(data, usedforsecurity=False).hexdigest() + DIR, data)


def object_path(md5: str) -> str:
    """Where the cache has an object, below ``files/md5``: ``ab/cd…`` for a file as for a folder."""
    return f"{md5[:2]}/{md5[2:]}"


def parse_dir(data: bytes) -> dict[str, str]:
    """MD5 by path, of an object that anybody may have written.

    Raises:
        BadDir: naming what is wrong.
    """
    from store import UnsafeName, split_path

    try:
        listed = json.loads(data)
    except (ValueError, RecursionError):
        raise BadDir("no JSON") from None
    if not isinstance(listed, list):
        raise BadDir(f"a JSON {type(listed).__name__} instead of a list")
    files: dict[str, str] = {}
    for number, entry in enumerate(listed, start=1):
        path, md5 = (entry.get("relpath"), entry.get("md5")) if isinstance(entry, dict) else (None, None)
        if not (isinstance(path, str) and isinstance(md5, str) and MD5.fullmatch(md5)):
            raise BadDir(f"entry {number} without an MD5 and a path")
        try:
            split_path(path)
        except UnsafeName as error:
            raise BadDir(f"the path {path!r}: {error.why}") from None
        if path in files:
            raise BadDir(f"the path {path!r} twice")
        files[path] = md5
    return files
