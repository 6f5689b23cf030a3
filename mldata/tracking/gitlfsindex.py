"""Pointers of Git LFS in git's index: what is there, and putting them there without reading a file.

Format: an entry of the index names a blob, which of a file that LFS keeps is the pointer's text; a blob's id is the SHA-1 (or SHA-256, as
the repository has it) of ``blob SIZE``, a zero byte and the content.

Invariant: git itself writes its index and its objects, under its own lock.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mldata.lfspointer import LARGEST, Pointer, parse_pointer, pointer_text
from mldata.tracking.gitrepository import Git

__all__ = ["Entry", "normal_blobs", "read_index", "stage_pointers"]


@dataclass(frozen=True)
class Entry:
    """A file that git has, or is to have with the next commit."""

    mode: str
    blob: str


def read_index(git: Git) -> dict[str, Entry]:
    """All files by path; those in a conflict are left out."""
    found = {}
    for item in git.run("ls-files", "--stage", "-z").split(b"\0"):
        head, tab, path = item.partition(b"\t")
        if tab:
            mode, blob, stage = head.decode().split(" ")
            if stage == "0":
                found[os.fsdecode(path)] = Entry(mode, blob)
    return found


def normal_blobs(git: Git, index: Mapping[str, Entry], pointers: Mapping[str, Pointer]) -> list[str]:
    """Those of the files with a pointer that git has with their content instead."""
    odd = {
        path: entry.blob
        for path, pointer in pointers.items()
        if (entry := index.get(path)) is not None and entry.blob != _blob_id(pointer, len(entry.blob))
    }
    if not odd:
        return []
    asked = "".join(f"{blob}\n" for blob in dict.fromkeys(odd.values())).encode()
    sizes = {}
    for line in git.run("cat-file", "--batch-check", given=asked).decode().splitlines():
        words = line.split(" ")
        sizes[words[0]] = int(words[2]) if len(words) == 3 and words[2].isdecimal() else 0
    small = [blob for blob, size in sizes.items() if size < LARGEST]
    old = _pointers(git, small)
    return [path for path, blob in odd.items() if blob not in old]


def _pointers(git: Git, blobs: Iterable[str]) -> set[str]:
    """Those of small blobs that are pointers, or empty, as an empty file is its own."""
    out = git.run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    found, at = set(), 0
    while at < len(out):
        end = out.index(b"\n", at)
        words = out[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[2].isdigit():
            size = int(words[2])
            if size == 0 or parse_pointer(out[at : at + size]) is not None:
                found.add(words[0].decode())
            at += size + 1
    return found


def _blob_id(pointer: Pointer, length: int) -> str:
    text = pointer_text(pointer)
    return hashlib.new(
        "sha1" if length == 40 else "sha256", b"blob %d\0%s" % (len(text), text), usedforsecurity=False
    ).hexdigest()


def stage_pointers(
    git: Git, index: Mapping[str, Entry], pointers: Mapping[str, Pointer], hash_length: int
) -> int:
    """Have the index name a pointer for each file, as ``git add`` would after reading it. How many were put there.

    Args:
        hash_length: characters of the repository's object ids.
    """
    new = {}
    for path, pointer in pointers.items():
        blob = _blob_id(pointer, hash_length)
        if path not in index or index[path].blob != blob:
            new[path] = blob
    if not new:
        return 0
    texts = [pointer_text(pointers[path]) for path in new]
    git.run(
        "fast-import", "--quiet", given=b"".join(b"blob\ndata %d\n%s\n" % (len(text), text) for text in texts)
    )
    programs = {path for path in new if path in index and index[path].mode == "100755"}
    lines = b"".join(
        b"%s %s\t%s\0" % (b"100755" if path in programs else b"100644", blob.encode(), os.fsencode(path))
        for path, blob in new.items()
    )
    git.run("update-index", "-z", "--index-info", given=lines)
    return len(new)
