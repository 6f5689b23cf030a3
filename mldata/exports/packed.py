"""Text formats whose files are compressed as a whole: ``csv.gz``, ``csv.zst`` and so on.

The content is what the format of that name writes; how it is compressed is in :mod:`mldata.exports.packing`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from mldata.exports.base import Compression
from mldata.exports.csv import Csv, Tsv
from mldata.exports.json import Json
from mldata.exports.jsonl import JsonLines
from mldata.exports.packing import Packed, packing_sink

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.exports.base import ExportFormat, Writing

__all__ = [
    "PackedFormat",
    "csv_gz",
    "csv_zst",
    "json_gz",
    "json_zst",
    "jsonl_gz",
    "jsonl_zst",
    "tsv_gz",
    "tsv_zst",
]

PLAIN = Compression("none")


class PackedFormat:
    """A format whose files are those of another one, compressed."""

    def __init__(self, inner: Callable[[], ExportFormat], codec: str) -> None:
        self._inner = inner()
        self._codec = codec

    def unfit(self, kind: pa.DataType) -> bool:
        """What does not fit the format inside."""
        return self._inner.unfit(kind)

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing | None = None,
    ) -> Packed:
        """Start a file. A ``compression`` of ``none`` stands for the codec of the format, which is in its name."""
        codec = Compression(self._codec, compression.level)
        packing = packing_sink(sink, codec, threads)
        told: dict[str, Any] = {} if writing is None else {"writing": writing}
        inner: Any = self._inner.open(cast("BinaryIO", packing), schema, PLAIN, threads, **told)
        return Packed(inner, packing)


csv_gz = partial(PackedFormat, Csv, "gzip")
csv_zst = partial(PackedFormat, Csv, "zstd")
tsv_gz = partial(PackedFormat, Tsv, "gzip")
tsv_zst = partial(PackedFormat, Tsv, "zstd")
jsonl_gz = partial(PackedFormat, JsonLines, "gzip")
jsonl_zst = partial(PackedFormat, JsonLines, "zstd")
json_gz = partial(PackedFormat, Json, "gzip")
json_zst = partial(PackedFormat, Json, "zstd")
