"""TFRecord files of ``tf.train.Example`` messages, as ``tf.data.TFRecordDataset`` reads them; written without TensorFlow.

A record is the length of its data (64 bits, little-endian), the masked CRC-32C of these 8 bytes, the data, the masked CRC-32C of the
data. Masked: rotated right by 15 bits, plus ``0xa282ead8``. Source: "TFRecord and tf.train.Example" of TensorFlow's documentation, and
``record_writer.h``. What columns become: :mod:`mldata.exports.tffeatures`; ``features.json`` beside the files says it of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from mldata.errors import MissingExtra
from mldata.exports.embedded import MediaFile, embeds, media_kind, runs
from mldata.exports.lines import LineFile, Lines
from mldata.exports.packed import PackedFormat
from mldata.exports.protobuf import Ragged, binary_sizes, byte_rows, joined, varint_sizes
from mldata.exports.tfexample import encode
from mldata.exports.tffeatures import features_of, unfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mldata.exports.base import Compression, Exported, ExportFormat, Writing

__all__ = ["EXACT", "TfRecord", "TfRecordGz"]

EXACT = "exact_floats"
"""The setting that keeps all bits of doubles."""
_HEAD = 12
_FOOT = 4


class TfRecord:
    """The ``tfrecord`` export."""

    index = "features.json"
    """The file beside the records."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Whether a column type has no mapping."""
        return unfit(kind)

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing,
    ) -> RecordFile:
        """Start a file.

        Raises ``BuildError`` when two columns would be one feature, ``MissingExtra`` where CRC-32C cannot be computed.
        """
        try:
            import google_crc32c  # noqa: F401
        except ImportError:
            raise MissingExtra(
                "TFRecord files need the package google-crc32c, which is not installed",
                hint="Install it: pip install 'mldata-cli[tfrecord]'",
            ) from None
        return RecordFile(sink, schema, threads, writing)

    def companions(self, exported: Exported) -> Mapping[str, bytes]:
        """The features by key, as a loader needs them to parse records."""
        schema = _with_media(exported.schema, exported.kind)
        exact = bool(exported.options.get(EXACT))
        features = features_of(schema, exported.classes, exact)
        said = {
            "dataset": exported.dataset,
            "kind": exported.kind,
            "rows": dict(exported.parts),
            "features": {it.key: it.to_plain(schema.field(it.column).type) for it in features},
        }
        return {self.index: (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()}


class TfRecordGz(PackedFormat):
    """The ``tfrecord.gz`` export: the same, compressed as a whole (``TFRecordDataset(…, compression_type="GZIP")``)."""

    def __init__(self) -> None:
        super().__init__(
            cast("Callable[[], ExportFormat]", TfRecord), "gzip"
        )  # a Told is one, but for `writing`

    def companions(self, exported: Exported) -> Mapping[str, bytes]:
        """As those of :class:`TfRecord`, under another name: both may be in one folder."""
        [data] = TfRecord().companions(exported).values()
        return {"features.gz.json": data}


class RecordFile:
    """A TFRecord file that is being written."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, threads: int, writing: Writing) -> None:
        self._media = writing.media if embeds(writing, schema) else None
        self._names = _media_names(writing.kind)
        if self._media is not None:
            schema = _with_media(schema, writing.kind)
        self._features = features_of(schema, writing.classes, bool(writing.options.get(EXACT)))
        self._overflows: list[int] = []
        self._lines = LineFile(sink, self._records, threads)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if self._media is None:
            self._lines.write(batch)
            return
        for rows, files in runs(batch, self._media):
            self._lines.write(_embed(rows, files, self._names))

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`: to the byte."""
        return self._lines.measure()

    def abandon(self) -> None:
        """End the threads: the file will not be closed."""
        self._lines.abandon()

    def close(self) -> Mapping[str, Any]:
        """Write what is held back."""
        facts = dict(self._lines.close())
        overflows = sum(self._overflows)
        return facts | ({"overflows": overflows} if overflows else {})

    def _records(self, rows: pa.RecordBatch) -> Lines:
        made = encode(rows, self._features)
        self._overflows.append(made.overflows)  # from several threads
        return Lines(framed(made.pieces, rows.num_rows), made.nonfinite)


def framed(pieces: Sequence[pa.Array], rows: int) -> pa.Buffer:
    """The records of as many examples, each the ``pieces`` of its row."""
    from google_crc32c import value

    sizes = sum((binary_sizes(piece) for piece in pieces), np.zeros(rows, np.int64))
    lengths = 1 + varint_sizes(sizes) + sizes
    distinct, which = np.unique(lengths, return_inverse=True)
    length_crcs = _masked(
        np.array([value(int(length).to_bytes(8, "little")) for length in distinct], np.uint32)
    )
    head = Ragged(rows).fixed(byte_rows(lengths.astype("<u8"))).fixed(byte_rows(length_crcs[which]))
    head = head.same(b"\x0a").varints(sizes)
    whole = joined([head.done(), *pieces, Ragged(rows).same(bytes(_FOOT)).done()])
    ends = np.zeros(rows + 1, np.int64)
    np.cumsum(_HEAD + lengths + _FOOT, out=ends[1:])
    data = bytes(memoryview(whole.buffers()[2])[: int(ends[-1])]) if rows else b""
    starts, stops = (ends[:-1] + _HEAD).tolist(), (ends[1:] - _FOOT).tolist()
    crcs = [value(data[start:stop]) for start, stop in zip(starts, stops, strict=True)]
    made = bytearray(data)
    patched = np.frombuffer(made, np.uint8)
    patched[ends[1:, None] - _FOOT + np.arange(_FOOT)] = byte_rows(_masked(np.array(crcs, np.uint32)))
    return pa.py_buffer(made)


def _masked(crcs: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A CRC as it is stored, so that a CRC of data with CRCs in it is no special value."""
    rotated = (crcs >> np.uint32(15)) | (crcs << np.uint32(17))
    return (rotated + np.uint32(0xA282EAD8)).astype("<u4")


def _media_names(kind: str) -> tuple[str, str]:
    return f"{media_kind(kind)}/encoded", f"{media_kind(kind)}/format"


def _with_media(schema: pa.Schema, kind: str) -> pa.Schema:
    """The columns with those of the embedded files."""
    if kind not in ("images", "audio"):
        return schema
    encoded, ending = _media_names(kind)
    return schema.append(pa.field(encoded, pa.binary())).append(pa.field(ending, pa.string()))


def _embed(rows: pa.RecordBatch, files: list[MediaFile | None], names: tuple[str, str]) -> pa.RecordBatch:
    data = pa.array([None if file is None else file.data for file in files], pa.binary())
    ending = pa.array([None if file is None else file.ending for file in files], pa.string())
    fields = [*rows.schema, pa.field(names[0], pa.binary()), pa.field(names[1], pa.string())]
    return pa.RecordBatch.from_arrays([*rows.columns, data, ending], schema=pa.schema(fields))
