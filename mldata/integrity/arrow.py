"""Arrow IPC files and streams, Feather among them: every record batch is read, and every offset, index and text in it looked at.

The formats are https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc. A file ends with the magic that it begins with. A
stream should end with a mark: one that ends behind a whole message without it may be all there is, which is a warning; the specification allows it.
"""

from __future__ import annotations

import pyarrow as pa

from mldata.formats.arrow import END_OF_STREAM, FEATHER_1, FILE_MAGIC
from mldata.formats.streamed import sound, sound_schema
from mldata.integrity.base import WARNING, Unsupported
from mldata.integrity.columnar import Columnar, Look
from mldata.integrity.content import Content
from mldata.integrity.unpacked import first, last

__all__ = ["Arrow"]

_CONTINUATION = b"\xff\xff\xff\xff"
_OLD_END = bytes(4)
"""The mark of streams of Arrow before 0.15."""


class Arrow(Columnar):
    """Checks Arrow IPC."""

    kind = "Arrow file"

    def look(self, content: Content, look: Look) -> None:
        """See :class:`Columnar`."""
        head = first(content)
        if head.startswith(FEATHER_1):
            raise Unsupported(
                "expected an Arrow file or Feather version 2, found Feather version 1, which is not read"
            )
        if head.startswith(FILE_MAGIC):
            _file(content, look)
        else:
            _stream(content, look)


def _file(content: Content, look: Look) -> None:
    if last(content, len(FILE_MAGIC)) != FILE_MAGIC:
        said = "expected ARROW1 at the end, found something else (is the file truncated, or is something behind it?)"
        look.tell("truncated", said)
        return
    with pa.OSFile(str(look.source.path)) as source:
        reader = pa.ipc.open_file(source)
        schema = sound_schema(reader.schema)
        rows = 0
        for number in range(reader.num_record_batches):
            if look.enough:
                break
            with look.part("bad-batch", f"a sound record batch {number}", row_group=number):
                rows += sound(reader.get_batch(number), schema).num_rows
        look.facts |= {"rows": rows, "columns": len(schema), "record_batches": reader.num_record_batches}


def _stream(content: Content, look: Look) -> None:
    end = content.size
    marked = last(content, len(END_OF_STREAM)) == END_OF_STREAM
    if not first(content).startswith(_CONTINUATION):
        marked = last(content, len(_OLD_END)) == _OLD_END
    with pa.OSFile(str(look.source.path)) as source:
        reader = pa.ipc.open_stream(source)
        schema = sound_schema(reader.schema)
        rows = number = 0
        with look.part("bad-batch", "sound record batches", row_group=0):
            for batch in reader:
                number += 1
                rows += sound(batch, schema).num_rows
        if look.problems:
            where = look.problems.pop()
            code = where.code if marked or where.code == "too-large" else "truncated"
            look.tell(
                code,
                where.message + ("" if code != "truncated" else " (is the stream truncated?)"),
                row_group=number,
            )
            return
        behind = end - source.tell()
        look.facts |= {"rows": rows, "columns": len(schema), "record_batches": number}
    if behind > 0:
        look.tell(
            "trailing-data",
            f"expected the end of the file behind the stream, found {behind:,} more bytes",
            WARNING,
        )
    elif not marked:
        said = "expected a mark at the end of the stream, found none: batches behind this could be missing"
        look.tell("no-end-mark", said, WARNING)
