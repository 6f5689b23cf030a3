"""ORC, stripe by stripe.

ORC has fewer types than Arrow: what it holds comes in as it is. All its timestamps have nanoseconds, so that those before 1678 or after
2261 are errors; ``timestamp with local time zone`` is in UTC. A truncated file, two files in one, or one with something before or behind it are errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.orc as orc

from mldata.formats.base import Options, Piece, Sink, SourceFile, Span
from mldata.formats.streamed import DAMAGE, Stream, damaged, read_stream, reread_stream, sound, sound_schema

MAGIC = b"ORC"
KIND = "ORC file"


class Orc:
    """The ``orc`` format. One fragment a file."""

    text = False

    def read(self, file: SourceFile, options: Options, sink: Sink, threads: int) -> list[Piece]:
        """See :class:`~mldata.formats.base.TabularFormat`. The span is in rows."""
        return read_stream(_open(file), file, options, sink)

    def reread(
        self,
        file: SourceFile,
        options: Options,
        schema: pa.Schema,
        spans: Sequence[Span],
        sink: Sink,
        threads: int,
    ) -> list[int]:
        """See :class:`~mldata.formats.base.TabularFormat`."""
        return reread_stream(_open(file), file, options, schema, spans, sink)


def _open(file: SourceFile) -> Stream:
    with open(file.path, "rb") as raw:
        if raw.read(len(MAGIC)) != MAGIC:
            raise damaged(file, KIND, "it does not start with ORC")
        try:
            reader = orc.ORCFile(pa.OSFile(str(file.path)))
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
