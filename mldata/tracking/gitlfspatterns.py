"""Which files of an export Git LFS is to keep, and the lines of ``.gitattributes`` that say so, in the syntax of ``git lfs track``.

Formats that are binary go to LFS by their suffix, media by their folder, anything else from a size on by its own path, so that a small
file beside it stays in git.

Invariant: a line matches no file of the export that is not to be kept; one that is not bound to the export's folder (``*.parquet``) is only
written where no other file of the repository would become a file of LFS by it. Lines of the user stay byte for byte.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import Enum

__all__ = ["Kind", "append_lines", "escaped", "kinds", "line_of", "lines_for"]

FEW = 16
"""So many folders of media, and files of one suffix, are named one by one."""
BINARY = ("arrow", "feather", "lance", "npy", "npz", "orc", "parquet", "tar", "tfrecord", "tfrecord.gz")
"""Suffixes of what is of no use to ``git diff``, whatever its size."""
PLAIN = frozenset({"manifest.yaml"})
"""Read by people and programs before the data is there."""
_BINARY = re.compile(rf"\.({'|'.join(map(re.escape, BINARY))})\Z")
_ATTRIBUTES = b" filter=lfs diff=lfs merge=lfs -text"
_SPACE = re.compile(r"[ \t\n\r\v\f]")


class Kind(Enum):
    """Why a file goes to LFS."""

    BINARY = "binary"
    LARGE = "large"
    MEDIA = "media"


def kinds(sizes: Mapping[str, int], media: Collection[str], above: int) -> dict[str, Kind]:
    """The files of an export that LFS is to keep.

    Args:
        sizes: bytes of each file, by its path in the export.
        media: those that rows refer to.
        above: bytes from which anything else goes to LFS.
    """
    found = {}
    for path, size in sizes.items():
        if path in media:
            found[path] = Kind.MEDIA
        elif _BINARY.search(path):
            found[path] = Kind.BINARY
        elif size >= above and path not in PLAIN:
            found[path] = Kind.LARGE
    return found


def lines_for(
    wanted: Mapping[str, Kind], others: Collection[str], prefix: str, free: Callable[[str], bool]
) -> list[str]:
    """Patterns for files below one folder.

    Args:
        wanted: what goes to LFS, by path below the folder.
        others: what else is there and does not.
        prefix: of the folder, below that of the file with attributes: empty, or with ``/`` at its end.
        free: whether a pattern may stand for files anywhere below the file with attributes.
    """
    at = escaped(prefix)
    binary = sorted(path for path, kind in wanted.items() if kind is Kind.BINARY)
    large = sorted(path for path, kind in wanted.items() if kind is Kind.LARGE)
    media = sorted(path for path, kind in wanted.items() if kind is Kind.MEDIA)
    return [
        *_by_suffix(binary, at, free),
        *_by_path(large, others, at),
        *_by_folder(media, others, at),
    ]


def _by_suffix(paths: Iterable[str], at: str, free: Callable[[str], bool]) -> Iterator[str]:
    nested: dict[str, bool] = {}
    for path in paths:
        found = _BINARY.search(path)
        assert found is not None
        nested[found[0]] = nested.get(found[0], False) or "/" in path
    for suffix, below in nested.items():
        everywhere = f"*{suffix}"
        yield everywhere if free(everywhere) else _bound(at, f"{'**/' if below else ''}{everywhere}")


def _by_path(paths: Iterable[str], others: Collection[str], at: str) -> Iterator[str]:
    """Each file; many of one folder and suffix together, where they are all that there is of it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        groups.setdefault(_place(path), []).append(path)
    taken = {_place(path) for path in others}
    for place, group in groups.items():
        folder, suffix = place
        if (
            suffix
            and len(group) > FEW
            and not any(it[0] == folder and it[1].endswith(suffix) for it in taken)
        ):
            yield _bound(at, f"{escaped(folder)}*{escaped(suffix)}")
        else:
            yield from (_bound(at, escaped(path)) for path in group)


def _place(path: str) -> tuple[str, str]:
    """The folder of a file, and the end of its name from the first dot on."""
    head, slash, name = path.rpartition("/")
    return head + slash, "".join(name.partition(".")[1:])


def _by_folder(paths: Iterable[str], others: Collection[str], at: str) -> Iterator[str]:
    folders = dict.fromkeys(path.partition("/")[0] for path in paths if "/" in path)
    shared = {path.partition("/")[0] for path in others if "/" in path}
    alone = [folder for folder in folders if folder not in shared]
    if len(alone) > FEW and not shared:
        yield _bound(at, "*/**")
    else:
        yield from (_bound(at, f"{escaped(folder)}/**") for folder in alone)
    left = [path for path in paths if "/" not in path or path.partition("/")[0] in shared]
    yield from _by_path(left, others, at)


def _bound(at: str, pattern: str) -> str:
    """A pattern that means one folder: without any ``/`` it would mean all below."""
    whole = at + pattern
    if "/" not in whole:
        return f"/{whole}"
    return f"\\{whole}" if whole[0] in ("!", '"') else whole


def escaped(path: str) -> str:
    """A path as it stands in a pattern that matches nothing else, as ``git lfs track --filename`` writes it."""
    text = re.sub(r"[\\*?\[\]#]", r"\\\g<0>", path)
    return _SPACE.sub("[[:space:]]", text)


def line_of(pattern: str) -> bytes:
    """The line that gives files to LFS, without its end."""
    return os.fsencode(pattern) + _ATTRIBUTES


def append_lines(data: bytes, patterns: Iterable[str]) -> bytes:
    """A file with attributes with lines for these at its end; its own line ends are kept and used."""
    last = data.rfind(b"\n")
    end = b"\r\n" if last > 0 and data[last - 1 : last] == b"\r" else b"\n"
    begun = data if data in (b"", codecs.BOM_UTF8) or last == len(data) - 1 else data + end
    return begun + b"".join(line_of(pattern) + end for pattern in patterns)
