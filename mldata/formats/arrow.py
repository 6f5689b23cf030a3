"""Arrow IPC files and streams (Feather version 2 is an IPC file; Hugging Face's ``.arrow`` are streams), batch by batch.

A stream must have its end mark: without it a truncated one cannot be told from a whole one. Feather version 1, which is another format, is
refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

import pyarrow as pa

from mldata.errors import DataError, Where
from mldata.formats.base import SourceFile
from mldata.formats.streamed import DAMAGE, Stream, StreamedFormat, damaged, sound, sound_schema

FILE_MAGIC = b"ARROW1"
FEATHER_1 = b"FEA1"
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


class Arrow(StreamedFormat):
    """The ``arrow`` format. One fragment a file."""

    def opened(self, file: SourceFile) -> AbstractContextManager[Stream]:
        """See :class:`~mldata.formats.streamed.StreamedFormat`."""
        return nullcontext(_open(file))

    def opened_at(self, file: SourceFile, data: BinaryIO) -> Stream:
        """See :class:`~mldata.formats.streamed.StreamedFormat`."""
        return _open(file, data)


def _open(file: SourceFile, data: BinaryIO | None = None) -> Stream:
    """Schema and batches. The file is read, not mapped, so that its pages do not count as memory. ``data``: the file, where it is elsewhere."""
    with open(file.path, "rb") if data is None else nullcontext(data) as raw:
        head = raw.read(len(FILE_MAGIC))
        raw.seek(max(0, file.size - len(END_OF_STREAM)))
        ends = raw.read() == END_OF_STREAM
    is_file = head == FILE_MAGIC
    if head.startswith(FEATHER_1):
        raise DataError(
            "expected an Arrow file or Feather version 2, found Feather version 1, which is not read",
            where=Where(file.name),
            hint="write it again as version 2: pyarrow.feather.write_feather(pyarrow.feather.read_table(old), new)",
        )
    if not is_file and not ends:
        why = "neither an IPC file nor a stream with an end mark (is it truncated?)"
        raise damaged(file, "Arrow file", why)
    if data is not None:
        data.seek(0)
    source = pa.OSFile(str(file.path)) if data is None else pa.PythonFile(data, "r")
    try:
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        schema = sound_schema(reader.schema)
    except DAMAGE as error:
        raise damaged(file, "Arrow file", error) from error
    return Stream(schema, _batches(reader, schema, is_file, file))


def _batches(
    reader: pa.ipc.RecordBatchReader, schema: pa.Schema, is_file: bool, file: SourceFile
) -> Iterator[pa.RecordBatch]:
    try:
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
        for batch in batches:
            yield sound(batch, schema)
    except DAMAGE as error:
        raise damaged(file, "Arrow file", error) from error
