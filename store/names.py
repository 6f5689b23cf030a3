"""Names of files and folders: which are safe to keep in a tree and to write on any system.

A name is refused when some system would not keep it apart from another, or would do something else with it: empty, ``.``
and ``..``, ``/``, backslash or NUL inside, a trailing dot or space, Windows device names (CON, NUL, COM1, with or
without an extension), more than 255 bytes of UTF-8, text that is not Unicode. Two names in one folder collide when
they are equal after canonical caseless matching (Unicode Standard, section 3.13, D145): ``toCasefold(NFD(x))``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from store.errors import NameCollision, UnsafeName

MAX_DEPTH = 200
"""Folders within folders; more is a mistake or an attack, and would not fit the longest path that systems take."""

MAX_BYTES = 255
"""The longest name that ext4, XFS, btrfs, APFS and NTFS all take."""

_DEVICE = r"(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]) *(?:\.[^\0]*)?"
# Names with a NUL around each are checked with one search: names are many and almost always fine. A pattern that begins with a fixed
# character is looked for a tenth as long as one that does not.
_BAD = re.compile(rf"\0(?:\.{{0,2}}|{_DEVICE})(?=\0)", re.IGNORECASE)
_BAD_INSIDE = ("/", "\\", ".\0", " \0")
_DEVICE_NAME = re.compile(rf"{_DEVICE}\Z", re.IGNORECASE)


def check_names(names: Sequence[str], where: str | None = None) -> None:
    """Raise :class:`UnsafeName` or :class:`NameCollision` unless these can stand in one folder.

    Args:
        names: the names of one folder, in any order.
        where: the folder, for the message.
    """
    joined = "\0".join(names)
    ascii_only = joined.isascii()
    around = f"\0{joined}\0"
    if names and (
        any(bad in around for bad in _BAD_INSIDE)
        or _BAD.search(around)
        or joined.count("\0") != len(names) - 1
        or max(map(len, names)) > MAX_BYTES
        or not ascii_only
    ):
        for name in names:
            check_name(name, where)
    folded = set(joined.lower().split("\0")) if ascii_only else {_fold(name) for name in names}
    if names and len(folded) != len(names):
        _raise_collision(names, where)


def check_name(name: str, where: str | None = None) -> None:
    """Raise :class:`UnsafeName`, with the reason, unless ``name`` is a safe name for a file or folder."""
    why = unsafe_reason(name)
    if why is not None:
        raise UnsafeName(name, why, where)


def unsafe_reason(name: str) -> str | None:
    """Why a name is refused, or None if it is fine."""
    if name == "":
        return "it is empty"
    if name in (".", ".."):
        return "it means a folder itself or the one above"
    if "/" in name or "\\" in name:
        return "it has a slash or backslash inside, which separates folders"
    if "\0" in name:
        return "it has a NUL character inside"
    if name[-1] in ". ":
        return "it ends with a dot or a space, which Windows drops"
    if _DEVICE_NAME.match(name):
        return "it is the name of a device on Windows"
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid Unicode (the file's name is not UTF-8)"
    if size > MAX_BYTES:
        return f"it has {size} bytes, expected at most {MAX_BYTES}"
    return None


def split_path(path: str, where: str | None = None) -> list[str]:
    """The names that a relative path ``a/b/c`` is made of, each safe. Raises :class:`UnsafeName`."""
    if path.startswith("/"):
        raise UnsafeName(path, "it is an absolute path, expected one relative to the folder", where)
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        raise UnsafeName(path, f"it is {len(parts)} folders deep, expected at most {MAX_DEPTH}", where)
    for part in parts:
        why = unsafe_reason(part)
        if why is not None:
            raise UnsafeName(path, why if len(parts) == 1 else f"in it, {part!r}: {why}", where)
    return parts


def _fold(name: str) -> str:
    return (
        name.lower()
        if name.isascii()
        else unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    )


def _raise_collision(names: Iterable[str], where: str | None) -> None:
    prefix = f"{where}/" if where else ""
    seen: dict[str, str] = {}
    for name in names:
        folded = _fold(name)
        if folded in seen:
            other = seen[folded]
            why = "they are the same name" if other == name else "they differ only by case or Unicode form"
            raise NameCollision(prefix + other, prefix + name, why)
        seen[folded] = name
