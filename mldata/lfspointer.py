"""Pointers of Git LFS: the small text that stands in a repository in place of a file's content.

Format (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md): lines ``key value``, ``version`` first and the others sorted, less
than 1,024 bytes in all; the oid is the SHA-256 of the content. An empty file is its own pointer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LARGEST", "Pointer", "object_path", "parse_pointer", "pointer_text"]

LARGEST = 1024
"""No pointer has as many bytes, by the specification."""
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n"
)


@dataclass(frozen=True)
class Pointer:
    """What stands in the repository in place of the data."""

    sha256: str
    size: int


def parse_pointer(data: bytes) -> Pointer | None:
    """The pointer that a file is; None if it is none: the data itself was put into the repository."""
    found = _POINTER.match(data) if len(data) < LARGEST else None
    return Pointer(found[1].decode(), int(found[2])) if found else None


def pointer_text(pointer: Pointer) -> bytes:
    """The pointer as git-lfs writes it: the same bytes for the same content."""
    if pointer.size == 0:
        return b""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{pointer.sha256}\nsize {pointer.size}\n"
    ).encode()


def object_path(sha256: str) -> str:
    """Where git-lfs keeps the content, below the folder of its objects."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
