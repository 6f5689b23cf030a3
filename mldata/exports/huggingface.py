"""The layout of the ``datasets`` library: one set of files that both ``load_dataset(DIR)`` and ``load_from_disk(DIR)`` read.

- ``SPLIT/data-00000-of-00001.arrow``: the rows as an Arrow IPC stream, uncompressed, since it is mapped into memory. A part is a split
  (:func:`mldata.exports.split_name`). The schema's metadata have the features under ``huggingface``, as the library writes them.
- ``dataset_dict.json``, ``SPLIT/dataset_info.json``, ``SPLIT/state.json``: what ``load_from_disk`` starts from.
- ``.huggingface.yaml``: what ``load_dataset`` starts from, so that it sees these files only, whatever else is in the folder. It
  refuses splits without rows, so these are not in it.

Images and recordings are in the files, in the first column, ``image`` or ``audio``: the folder may be moved. Features:
:mod:`mldata.exports.hffeatures`. Source: ``save_to_disk`` and the packaged ``arrow`` builder of ``datasets`` 4 and 5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from mldata.arrays import text_array
from mldata.cardhead import card_configs
from mldata.exports.arrow import canonical
from mldata.exports.cells import plain
from mldata.exports.embedded import MediaFile, MediaGroups, embeds, media_kind
from mldata.exports.hffeatures import MEDIA, Features, features_of, media_feature, unfit
from mldata.exports.rows import Regroup

if TYPE_CHECKING:
    from mldata.exports.base import Classes, Compression, Exported, Writing

__all__ = ["CONFIGS", "HuggingFace"]

CONFIGS = ".huggingface.yaml"
BATCH_ROWS = 8192
BATCH_BYTES = 32 << 20
MEDIA_ROWS = 100
"""Rows of a batch where rows have files: a batch is what a reader has to look at for one row."""


class HuggingFace:
    """The ``huggingface`` export."""

    def unfit(self, kind: pa.DataType) -> bool:
        """Whether a column type has no feature."""
        return unfit(kind)

    def open(
        self,
        sink: BinaryIO,
        schema: pa.Schema,
        compression: Compression,
        threads: int = 1,
        *,
        writing: Writing,
    ) -> ArrowStream:
        """Start a file."""
        return ArrowStream(sink, schema, writing)

    def companions(self, exported: Exported) -> Mapping[str, bytes]:
        """The small files above."""
        features = _features(exported.schema, exported.classes, exported.kind)[0]
        folders: dict[str, list[Any]] = {}
        for file in exported.files:
            folders.setdefault(file.path.rsplit("/", 1)[0], []).append(file)
        made = {"dataset_dict.json": _json({"splits": list(folders)})}
        for split, files in folders.items():
            made[f"{split}/dataset_info.json"] = _json({"features": features})
            made[f"{split}/state.json"] = _json(
                {
                    "_data_files": [{"filename": file.path.rsplit("/", 1)[1]} for file in files],
                    "_fingerprint": _fingerprint([file.digest for file in files]),
                    "_format_columns": None,
                    "_format_kwargs": {},
                    "_format_type": None,
                    "_output_all_columns": False,
                    "_split": split,
                }
            )
        content = _fingerprint([file.digest for file in exported.files])
        made[CONFIGS] = card_configs((it.path for it in exported.files if it.rows), content).encode()
        return made


def _fingerprint(digests: list[str]) -> str | None:
    """What the library takes cached results for: equal for equal rows only. Without it the library makes one of paths and times."""
    from hashlib import sha256

    return sha256("".join(digests).encode()).hexdigest()[:16] if all(digests) else None


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _features(schema: pa.Schema, classes: Classes, kind: str) -> tuple[Features, pa.Schema, str | None]:
    """Features and columns with that of the embedded files, and its name; None if there are none."""
    features, stored = features_of(schema, classes)
    name = None
    if kind in ("images", "audio"):
        name = media_kind(kind)
        while name in features:
            name += "_file"
        features = {name: media_feature(kind)} | features
        stored = stored.insert(0, pa.field(name, MEDIA))
    return features, stored.with_metadata({"huggingface": json.dumps({"info": {"features": features}})}), name


class ArrowStream:
    """An IPC stream that is being written."""

    def __init__(self, sink: BinaryIO, schema: pa.Schema, writing: Writing) -> None:
        self._media = None
        if writing.media is not None and embeds(writing, schema):
            self._media = MediaGroups(writing.media, schema, MEDIA_ROWS)
        kind = writing.kind if self._media is not None else "tabular"
        self._schema = _features(schema, writing.classes, kind)[1]
        self._classes = {name: text_array(words) for name, words in writing.classes.items()}
        self._groups = Regroup(schema, BATCH_ROWS, BATCH_BYTES, step=1024)
        self._stream = pa.PythonFile(sink, mode="w")
        self._writer = pa.ipc.new_stream(self._stream, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if self._media is None:
            for group in self._groups.add(batch):
                self._writer.write_batch(self._batch(group))
            return
        for group, files in self._media.add(batch):
            self._writer.write_batch(self._batch(group, files))

    def measure(self) -> int:
        """See :class:`mldata.exports.base.Measured`: with files, without the other columns of the last batch."""
        written = int(self._stream.tell())
        if self._media is None:
            return self._groups.estimate(written, self._encoded)
        return written + self._media.size

    def close(self) -> Mapping[str, Any]:
        """Write the last batch and the end of the stream."""
        for group in self._groups.rest():
            self._writer.write_batch(self._batch(group))
        for group, files in self._media.rest() if self._media is not None else ():
            self._writer.write_batch(self._batch(group, files))
        self._writer.close()
        self._stream.flush()
        return {}

    def _encoded(self, group: pa.Table) -> int:
        """Bytes that some rows become, about."""
        return int(self._batch(group).nbytes)

    def _batch(self, group: pa.Table, files: list[MediaFile | None] | None = None) -> pa.RecordBatch:
        columns = [] if files is None else [_embedded(files)]
        for name, column in zip(group.column_names, group.columns, strict=True):
            columns.append(self._stored(column, name))
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _stored(self, column: pa.ChunkedArray, name: str) -> pa.Array:
        kind = self._schema.field(name).type
        chunks = [plain(chunk) for chunk in column.chunks]
        whole = pa.chunked_array(chunks) if chunks else column
        if name in self._classes:
            return canonical(pc.index_in(whole.cast(pa.string()), self._classes[name]).cast(kind))
        return canonical(whole.cast(kind))


def _embedded(files: list[MediaFile | None]) -> pa.Array:
    values = [
        None if file is None else {"bytes": file.data, "path": file.path.rsplit("/", 1)[-1]} for file in files
    ]
    return pa.array(values, MEDIA)
