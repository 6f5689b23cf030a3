"""WebDataset: tar files whose members are samples, as the ``webdataset`` library reads them one after the other.

A sample is a row; its members have one key, the row's number in its part (``000000012``), and differ in what follows the first dot:

- ``KEY.json``: all columns, as :mod:`mldata.exports.jsonl` writes a row;
- ``KEY.cls``: the number of its class as text, where there is a column to be learnt (see :mod:`mldata.labelclasses`) and it has a value;
- ``KEY.png``, ``KEY.flac``, …: the bytes of the row's file, where rows have files; the end of its name in small letters.

Members are in the order of their names, so the samples in that of the rows. A header is of the USTAR format (POSIX.1-1988) with time,
owner and group 0, and mode 0644; the archive ends with two blocks of zeros. ``webdataset.json`` says classes and shards. Source: "The
WebDataset Format" of the library's documentation.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from mldata.arrays import text_array
from mldata.errors import DataError
from mldata.exports.cells import slices
from mldata.exports.embedded import MediaFile, embeds, runs
from mldata.exports.jsonl import JsonLines, objects
from mldata.labelclasses import label_column

if TYPE_CHECKING:
    from mldata.exports.base import Compression, Exported, Writing

__all__ = ["WebDataset", "member"]

INDEX = "webdataset.json"
KEY_DIGITS = 9
_END = bytes(2 * tarfile.BLOCKSIZE)
_BLANK = bytearray(tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT, "ascii", "strict"))
"""A header without a name and with digits 0 left out of the size: the sum of its bytes is that of all others in a header."""
_BLANK[124:135] = bytes(11)
_BLANK_SUM = sum(_BLANK[:148]) + 8 * ord(" ") + sum(_BLANK[156:])


class WebDataset:
    """The ``webdataset`` export."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Whether JSON has no text for a column's type."""
        return JsonLines().unfit(kind)

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing,
    ) -> TarFile:
        """Start a shard."""
        return TarFile(sink, schema, writing)

    def companions(self, exported: Exported) -> Mapping[str, bytes]:
        """``webdataset.json``: the column that is in ``KEY.cls``, its classes, and the shards of each part."""
        label = label_column(exported.classes)
        said = {
            "dataset": exported.dataset,
            "kind": exported.kind,
            "columns": {field.name: str(field.type) for field in exported.schema},
            "label": label,
            "classes": list(exported.classes[label]) if label is not None else [],
            "shards": {
                part: [
                    {"path": file.path, "rows": file.rows, "size": file.size}
                    for file in exported.files
                    if file.part == part
                ]
                for part in exported.parts
            },
        }
        return {INDEX: (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()}


class TarFile:
    """A shard that is being written. Memory holds a few rows and files at a time."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, writing: Writing) -> None:
        self._sink = sink
        self._media = writing.media if embeds(writing, schema) else None
        self._label = label_column(writing.classes)
        self._classes = text_array(writing.classes[self._label]) if self._label is not None else None
        self._next = writing.first
        self._nonfinite = self._size = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for some in slices(batch):
            if self._media is None:
                self._write(some, [None] * some.num_rows)
                continue
            for rows, files in runs(some, self._media):
                self._write(rows, files)

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`: to the byte."""
        return self._size + len(_END)

    def close(self) -> Mapping[str, Any]:
        """Write the end of the archive."""
        self._put(_END)
        return {"nonfinite": self._nonfinite} if self._nonfinite else {}

    def _put(self, data: bytes) -> None:
        self._sink.write(data)
        self._size += len(data)

    def _write(self, rows: pa.RecordBatch, files: list[MediaFile | None]) -> None:
        lines = objects(rows)
        texts = bytes(memoryview(lines.data)).split(b"\n")[:-1]
        self._nonfinite += lines.nonfinite
        numbers: list[int | None] = [None] * rows.num_rows
        if self._label is not None:
            numbers = pc.index_in(rows.column(self._label).cast(pa.string()), self._classes).to_pylist()
        held: list[bytes] = []
        for text, number, file in zip(texts, numbers, files, strict=True):
            key = f"{self._next:0{KEY_DIGITS}d}"
            members = {"json": text}
            if number is not None:
                members["cls"] = str(number).encode()
            if file is not None:
                members[file.ending] = file.data
            for ending in sorted(members):
                data = members[ending]
                held += (member(f"{key}.{ending}", len(data)), data, bytes(-len(data) % tarfile.BLOCKSIZE))
            self._next += 1
            if file is not None:  # no second copy of many files
                self._put(b"".join(held))
                held.clear()
        self._put(b"".join(held))


def member(name: str, size: int) -> bytes:
    """The header of a file in a tar archive. ``name`` is of at most 100 ASCII characters, ``size`` below 8 GiB.

    Ten times as fast as ``tarfile`` makes it.
    """
    if size >= 8 << 30:
        raise DataError(
            f"'{name}' would be a file of {size:,} bytes; a tar file of the USTAR format holds files below 8 GiB",
            hint="Leave webdataset out of `formats:`, or cut the file.",
        )
    start, length = name.encode("ascii"), b"%011o" % size
    total = _BLANK_SUM + sum(start) + sum(length)
    return start + _BLANK[len(start) : 124] + length + _BLANK[135:148] + b"%06o" % total + _BLANK[154:]
