"""Metadata files beside media files: tables whose column ``file_name`` says which file a row is about.

The names, the column and that its values start at the metadata file's own folder are those of Hugging Face's ImageFolder and AudioFolder.
Stricter than there: each row names one file, each file is named at most once, over all metadata files. A name that leads out of the folder
is refused whether or not there is such a file. Archives below the folder count as unpacked, if a name is of nothing else.

Invariant: which file a value names depends on that value and on what :attr:`Scope.digest` stands for.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from unicodedata import normalize

from mldata.errors import DataError, Where
from mldata.formats.choose import some
from mldata.stages.folders import unpacked

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.formats.base import Piece
    from mldata.stages.reading import File

__all__ = [
    "FILE_NAME",
    "FORCED",
    "REPLACED",
    "Metadata",
    "NotThere",
    "Scope",
    "check_columns",
    "described_schema",
]

FILE_NAME = "file_name"
FORCED = {FILE_NAME: "string"}
"""A name that looks like a number is one all the same."""
OURS = "metadata_"
"""Put before the name of a column that a table of media files has of its own."""
REPLACED = ("label", "split")
"""Columns that a metadata file may give in place of the folders."""
LIKELY = ("file", "filename", "name", "path", "image", "audio")
"""Names, in lower case, that a column of file names may have instead."""
NEIGHBOURS = 200
"""So many names before and behind are looked at for the one that was meant."""
SHOWN = 200
"""Characters of a value in a message; a longer one is not compared with names either."""
_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Metadata:
    """The metadata files of a source, all of which have the column ``file_name``."""

    files: Sequence[File]
    schema: pa.Schema
    """Of all of them: their fragments conform to it."""


class Read(Protocol):
    """A metadata file that was read, as far as its columns matter."""

    name: str
    pieces: list[Piece]


def check_columns(files: Sequence[Read]) -> None:
    """Raises ``DataError`` for a metadata file without the column ``file_name``."""
    for file in files:
        if FILE_NAME not in (names := _columns(file)):
            raise _no_file_name(file.name, names)


def _columns(file: Read) -> list[str]:
    return list(dict.fromkeys(name for piece in file.pieces for name in piece.schema.names))


class NotThere(Exception):
    """A value of ``file_name`` that names no file, or more than one.

    Args:
        found: for the end of "found ...".
        hint: None if :meth:`Scope.hint` may know one.
    """

    def __init__(self, found: str, hint: str | None = None) -> None:
        super().__init__(found)
        self.found, self.hint = found, hint


class Scope:
    """The media files that a metadata file may name: those in its folder and below.

    Args:
        names: of all media files, sorted.
        starts: indexes into ``names`` where groups begin, the first of them 0.
        metadata: path of the metadata file.
        archives: folders that stand for archives.
        excluded: files that may be named too, though they are not read (sorted).
    """

    def __init__(
        self,
        names: Sequence[str],
        starts: Sequence[int],
        metadata: str,
        archives: Collection[str] = (),
        *,
        excluded: Sequence[str] = (),
    ) -> None:
        folder = metadata.rpartition("/")[0]
        self.prefix = f"{folder}/" if folder else ""
        # "0" comes right behind "/".
        low, high = (
            bisect_left(names, self.prefix),
            bisect_left(names, f"{folder}0") if folder else len(names),
        )
        self.names = names[low:high]
        """Of the files in the scope."""
        self.first_group = max(bisect_right(starts, low) - 1, 0)
        """Number of the group that the first of them is in."""
        self.cuts = [start - low for start in starts[bisect_right(starts, low) : bisect_left(starts, high)]]
        """Indexes into :attr:`names` where another group begins."""
        self.archives = sorted(name for name in archives if name.startswith(self.prefix))
        self._excluded = Scope(excluded, [0], metadata, archives) if excluded else None

    @cached_property
    def digest(self) -> str:
        """Stands for the names in the scope, the groups that they are in, and the archives among them."""
        from blake3 import blake3

        hasher = blake3("\0".join(self.names).encode())
        hasher.update(f"\0\0{self.cuts}\0\0".encode() + "\0".join(self.archives).encode())
        return hasher.hexdigest()

    @property
    def params(self) -> dict[str, str]:
        """What decides beside :attr:`digest` which file a value names, where something does: the files that are excluded."""
        return {"excluded": self._excluded.digest} if self._excluded and self._excluded.names else {}

    def look(self, text: str | None) -> int | None:
        """As :meth:`find`; None for a file that is excluded."""
        try:
            return self.find(text)
        except NotThere:
            if self._excluded is not None:
                with suppress(NotThere):
                    self._excluded.find(text)
                    return None
            raise

    def find(self, text: str | None) -> int:
        """Index of the file that a value names. Raises :class:`NotThere`."""
        path = self.prefix + _relative(text)
        # Systems differ in the Unicode form of file names; no two names differ by it alone.
        forms = [path] if path.isascii() else [path, *(normalize(form, path) for form in ("NFC", "NFD"))]
        for form in forms:
            at = bisect_left(self.names, form)
            if at < len(self.names) and self.names[at] == form:
                return at
        if self.archives:
            inside = self._unpacked
            first = bisect_left(inside, (path, -1))
            found = [i for name, i in inside[first : first + 2] if name == path]
            if len(found) == 1:
                return found[0]
            if found:
                both = " and ".join(self.names[i] for i in found)
                raise NotThere(
                    f"{_shown(text)}, which is in two archives ({both})", "name the archive as a folder"
                )
        raise NotThere(f"{_shown(text)}, which is none of them")

    @cached_property
    def _unpacked(self) -> list[tuple[str, int]]:
        """Files in archives by their path as if these had been unpacked where they are."""
        archives, found = set(self.archives), []
        for i, name in enumerate(self.names):
            *folders, base = name[len(self.prefix) :].split("/")
            kept = unpacked(folders, archives, self.prefix)
            if len(kept) < len(folders):
                found.append((self.prefix + "/".join([*kept, base]), i))
        return sorted(found)

    def hint(self, text: str | None) -> str:
        """What may have been meant by a value that names none: a file of the same name elsewhere, or one of nearly the same."""
        path = self.prefix + (text or "")[:SHOWN]
        base = path.rpartition("/")[2].casefold()
        near = next((name for name in self.names if base in _spellings(name)), None)
        if near is None:
            at = bisect_left(self.names, path)
            around = self.names[max(at - NEIGHBOURS, 0) : at + NEIGHBOURS]
            near = next(iter(get_close_matches(path, around, 1, 0.8)), None)
        if near is None:
            return f"correct {FILE_NAME}, take the row out, or put the file there"
        return f"did you mean {near[len(self.prefix) :]!r}? {FILE_NAME} starts at the folder of the metadata file"


def _spellings(path: str) -> tuple[str, str]:
    """The name of a file, with and without its suffix, to compare with what somebody wrote."""
    base = path.rpartition("/")[2].casefold()
    return base, base.rpartition(".")[0]


def _relative(text: str | None) -> str:
    """A safe path below a folder, with ``/``. Raises :class:`NotThere`."""
    hint = f"{FILE_NAME} starts at the folder of the metadata file, as in cat/1.png"
    if not text:
        raise NotThere("none", hint)
    if _OUTSIDE.match(text):
        raise NotThere(f"{_shown(text)}, which is no path below its folder", hint)
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts:
        raise NotThere(f"{_shown(text)}, which leads out of its folder", hint)
    return "/".join(parts)


def _shown(text: str | None) -> str:
    return repr(text) if text is None or len(text) <= SHOWN else f"{text[:SHOWN]!r}…"


def described_schema(
    media: pa.Schema, metadata: pa.Schema, files: Sequence[Read]
) -> tuple[pa.Schema, dict[str, str]]:
    """The columns of a table of media with those of its metadata ``files``: the schema, and where each metadata column goes.

    ``label`` and ``split`` of the metadata stand for those of the folders. Another name that is taken gets ``metadata_`` before it.

    Raises:
        DataError: that name is taken too.
    """
    import pyarrow as pa

    places = {}
    for name in metadata.names:
        if name != FILE_NAME:
            taken = name in media.names and name not in REPLACED
            places[name] = OURS + name if taken else name
    final = list(places.values())
    for name, new in places.items():
        if final.count(new) > 1 or (new != name and new in media.names):
            raise DataError(
                f"expected another name for the metadata column {name!r}, which the table has of its own, found {new!r} taken too",
                where=Where(next(file.name for file in files if name in _columns(file)), 1),
                hint=f"name it under normalize in mldata.yaml: `rename: {{{name}: ...}}`, or `drop: [{name}]`",
            )
    kinds = {new: metadata.field(name).type for name, new in places.items()}
    own = [field.with_type(kinds.get(field.name, field.type)) for field in media]
    more = [pa.field(name, kind) for name, kind in kinds.items() if name not in media.names]
    return pa.schema([*own, *more]), places


def _no_file_name(metadata: str, names: Sequence[str]) -> DataError:
    others = [name for name in names if name.endswith((f"_{FILE_NAME}", "file_names"))]
    near = get_close_matches(FILE_NAME, names, 1, 0.6) or [name for name in names if name.lower() in LIKELY]
    if others:
        found = f"found {some(others)}: here a row is about one file"
        hint = f"give the column of the main file the name {FILE_NAME}"
    else:
        found = f"found {some(names) if names else 'no column'}"
        hint = "give it one; or, if it is not about these files, leave it out of the source, as in `source: FOLDER/**/*.png`"
        if near:
            key = near[0] if near[0].isidentifier() else json.dumps(near[0], ensure_ascii=False)
            hint = (
                f"`normalize: {{rename: {{{key}: {FILE_NAME}}}}}` in mldata.yaml gives {near[0]!r} that name"
            )
    return DataError(
        f"expected a column {FILE_NAME!r} that says which file each row is about, {found}",
        where=Where(metadata, 1),
        hint=hint,
    )
