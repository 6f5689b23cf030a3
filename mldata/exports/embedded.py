"""The media files of rows, for formats that hold them: read a few at a time, so that memory does not grow with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from mldata.errors import DataError

if TYPE_CHECKING:
    from mldata.exports.base import Media, Writing

__all__ = ["HELD_BYTES", "PATH", "MediaFile", "MediaGroups", "embeds", "media_kind", "runs"]

PATH = "path"
"""The column that names a row's file."""
HELD_BYTES = 8 << 20
"""Files are read until they are of this size together."""
MOST_BYTES = 2_000_000_000
"""Of one file: an Arrow array holds below 2 GiB, and has to hold some rows."""
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


class MediaGroups:
    """Collects rows with their files, until these are of :data:`HELD_BYTES` together, or ``rows``.

    Where a group ends depends on the rows alone, never on how they were cut into batches.
    """

    def __init__(self, media: Media, schema: pa.Schema, rows: int | None = None) -> None:
        self._media = media
        self._schema = schema
        self._most = rows
        self._rows: list[pa.RecordBatch] = []
        self._files: list[MediaFile | None] = []
        self.size = 0
        """Bytes of the files that are held."""

    def add(self, batch: pa.RecordBatch) -> Iterator[tuple[pa.Table, list[MediaFile | None]]]:
        """Take a batch; yields the groups that it completes. Raises ``DataError`` for a row whose file is not there."""
        start = 0
        for number, path in enumerate(batch.column(PATH).cast(pa.string()).to_pylist(), 1):
            file = None if path is None else _read(self._media, path)
            self._files.append(file)
            self.size += len(file.data) if file is not None else 0
            if self.size >= HELD_BYTES or len(self._files) == self._most:
                self._rows.append(batch.slice(start, number - start))
                start = number
                yield from self.rest()
        if start < batch.num_rows:
            self._rows.append(batch.slice(start))

    def rest(self) -> Iterator[tuple[pa.Table, list[MediaFile | None]]]:
        """What is held, if anything."""
        if self._files:
            yield pa.Table.from_batches(self._rows, self._schema), self._files
        self._rows, self._files, self.size = [], [], 0


def runs(batch: pa.RecordBatch, media: Media) -> Iterator[tuple[pa.RecordBatch, list[MediaFile | None]]]:
    """The batch in slices, with their files: see :class:`MediaGroups`."""
    groups = MediaGroups(media, batch.schema)
    for rows, files in chain(groups.add(batch), groups.rest()):
        [some] = rows.to_batches()
        yield some, files


def _read(media: Media, path: str) -> MediaFile:
    try:
        made = MediaFile(path, media.read(path))
    except KeyError:
        raise DataError(
            f"a row refers to the media file '{path}', which the dataset does not have",
            hint="Run `mldata build --force` to read the source again.",
        ) from None
    if len(made.data) > MOST_BYTES:
        raise DataError(
            f"the media file '{path}' is of {len(made.data):,} bytes; files of up to {MOST_BYTES:,} can be inside of others",
            hint="Export to formats that have media files beside theirs: parquet, csv, jsonl, arrow.",
        )
    return made
