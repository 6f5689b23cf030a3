"""The media files of rows, for formats that hold them: read a few at a time, so that memory does not grow with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from mldata.errors import DataError

if TYPE_CHECKING:
    from mldata.exports.base import Media, Writing

__all__ = ["HELD_BYTES", "PATH", "MediaFile", "embeds", "media_kind", "runs"]

PATH = "path"
"""The column that names a row's file."""
HELD_BYTES = 8 << 20
"""Files are read until they are of this size together."""
_SUFFIX = re.compile(r"\.([A-Za-z0-9]{1,16})\Z")


class MediaFile(NamedTuple):
    """What a row refers to."""

    path: str
    data: bytes

    @property
    def ending(self) -> str:
        """What follows the last dot of its name, in small letters; ``bin`` where that is no short word."""
        found = _SUFFIX.search(self.path)
        return found[1].lower() if found else "bin"


def media_kind(kind: str) -> str:
    """What one file of a dataset is called: ``image`` or ``audio``."""
    return "audio" if kind == "audio" else "image"


def embeds(writing: Writing, schema: pa.Schema) -> bool:
    """Whether rows have files."""
    return writing.media is not None and PATH in schema.names


def runs(
    batch: pa.RecordBatch, media: Media, rows: int | None = None
) -> Iterator[tuple[pa.RecordBatch, list[MediaFile | None]]]:
    """The batch in slices that each end with the file that brings them to :data:`HELD_BYTES`, or after ``rows``; with the files.

    Raises ``DataError`` for a row whose file is not there.
    """
    start, size = 0, 0
    files: list[MediaFile | None] = []
    for number, path in enumerate(batch.column(PATH).cast(pa.string()).to_pylist()):
        files.append(None if path is None else _read(media, path))
        size += len(files[-1].data) if files[-1] is not None else 0
        if size >= HELD_BYTES or len(files) == rows:
            yield batch.slice(start, len(files)), files
            start, size, files = number + 1, 0, []
    if files:
        yield batch.slice(start, len(files)), files


def _read(media: Media, path: str) -> MediaFile:
    try:
        return MediaFile(path, media.read(path))
    except KeyError:
        raise DataError(
            f"a row refers to the media file '{path}', which the dataset does not have",
            hint="Run `mldata build --force` to read the source again.",
        ) from None
