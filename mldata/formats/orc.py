"""ORC, stripe by stripe.

ORC has fewer types than Arrow: what it holds comes in as it is. All its timestamps have nanoseconds, so that those before 1678 or after
2261 are errors; ``timestamp with local time zone`` is in UTC. A truncated file, two files in one, or one with something before or behind it are errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

import pyarrow as pa
import pyarrow.orc as orc

from mldata.formats.base import SourceFile
from mldata.formats.streamed import DAMAGE, Stream, StreamedFormat, damaged, sound, sound_schema

MAGIC = b"ORC"
KIND = "ORC file"


class Orc(StreamedFormat):
    """The ``orc`` format. One fragment a file."""

    def opened(self, file: SourceFile) -> AbstractContextManager[Stream]:
        """See :class:`~mldata.formats.streamed.StreamedFormat`."""
        return nullcontext(_open(file))

    def opened_at(self, file: SourceFile, data: BinaryIO) -> Stream:
        """See :class:`~mldata.formats.streamed.StreamedFormat`."""
        return _open(file, data)


def _open(file: SourceFile, data: BinaryIO | None = None) -> Stream:
    """Schema and stripes. ``data``: the file, where it is elsewhere."""
    with open(file.path, "rb") if data is None else nullcontext(data) as raw:
        if raw.read(len(MAGIC)) != MAGIC:
            raise damaged(file, KIND, "it does not start with ORC")
        try:
            reader = orc.ORCFile(pa.OSFile(str(file.path)) if data is None else pa.PythonFile(data, "r"))
            schema = sound_schema(reader.schema)
        except DAMAGE as error:
            raise damaged(file, KIND, error) from error
        tail = reader.file_footer_length + reader.stripe_statistics_length + reader.file_postscript_length + 1
        # A reader goes by the end of a file alone, and counts from the beginning: of two in one it gives a mixture.
        start = file.size - tail - reader.content_length - len(MAGIC)
        if start > 0:
            raw.seek(start)
            if raw.read(len(MAGIC)) == MAGIC:
                raise damaged(file, KIND, "there is another file before it (are these two in one?)")
    return Stream(schema, _batches(reader, schema, file))


def _batches(reader: orc.ORCFile, schema: pa.Schema, file: SourceFile) -> Iterator[pa.RecordBatch]:
    rows = 0
    for number in range(reader.nstripes):
        try:
            batch = sound(reader.read_stripe(number), schema)
        except DAMAGE as error:
            raise damaged(file, KIND, f"stripe {number + 1}: {error}") from error
        rows += batch.num_rows
        yield batch
    if rows != reader.nrows:
        raise damaged(file, KIND, f"the footer says {reader.nrows:,} rows and its stripes have {rows:,}")
