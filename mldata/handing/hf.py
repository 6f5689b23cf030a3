"""Rows as a ``datasets.Dataset`` of Hugging Face, over Arrow that is mapped into memory.

The library maps files of Arrow's stream format only, so the rows are written to one, once, in its own cache: below ``mldata/`` in
``datasets.config.HF_DATASETS_CACHE``, under a name that the content decides. Media files are not copied there: a row has the path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from blake3 import blake3

from mldata.errors import UsageError
from mldata.handing import Rows, library
from mldata.handing.classes import indices

if TYPE_CHECKING:
    import datasets

__all__ = ["to_hf"]

BATCH_ROWS = 1000
"""Rows of a record batch in the file: what the library itself writes, and looks for rows in."""
_SPLIT = re.compile(r"\w+(\.\w+)*\Z")
"""What the library takes for the name of a split."""


def to_hf(rows: Rows, part: str | None, cache_dir: str | os.PathLike[str] | None) -> datasets.Dataset:
    """See :meth:`mldata.dataset.Dataset.to_hf`."""
    hf = library("datasets", "to_hf")
    key = {"images": "image", "audio": "audio"}.get(rows.kind) if "path" in rows.schema.names else None
    if key in rows.schema.names:
        raise UsageError(f"the column '{key}' has the name of the media", hint="Leave it out with columns=.")
    plain = pa.schema([_field(rows, field) for field in rows.schema])
    features = hf.Features.from_arrow_schema(plain)
    for name, values in rows.classes.items():
        features[name] = hf.ClassLabel(names=list(values))
    if key is not None:
        features[key] = hf.Image() if key == "image" else hf.Audio()
    folder = Path(cache_dir or hf.config.HF_DATASETS_CACHE) / "mldata"
    path = folder / f"{_key(rows, key)}.arrow"
    if not path.exists():
        _write(path, rows, plain, key)
    split = hf.NamedSplit(part) if part is not None and _SPLIT.match(part) else None
    info = hf.DatasetInfo(features=features, dataset_name=rows.dataset)
    made: datasets.Dataset = hf.Dataset.from_file(str(path), info=info, split=split)
    return made


def _field(rows: Rows, field: pa.Field) -> pa.Field:
    """A column as the library has it: a class is its index, and a dictionary of anything else its values."""
    kind = field.type
    if field.name in rows.classes:
        return pa.field(field.name, pa.int64())
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.field(field.name, kind)


def _media_field(key: str) -> pa.Field:
    return pa.field(key, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


def _write(path: Path, rows: Rows, schema: pa.Schema, key: str | None) -> None:
    """The file appears whole: several processes may make it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    full = schema if key is None else schema.append(_media_field(key))
    try:
        with pa.OSFile(str(temp), "wb") as sink, pa.ipc.new_stream(sink, full) as writer:
            for batch in _batches(rows, schema, key):
                writer.write_batch(pa.RecordBatch.from_arrays(batch, schema=full))
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)


def _batches(rows: Rows, schema: pa.Schema, key: str | None) -> Iterator[list[pa.Array]]:
    for piece in rows.pieces:
        for batch in piece.batches(rows.schema, BATCH_ROWS):
            columns = [
                indices(column, rows.classes[field.name])
                if field.name in rows.classes
                else column.cast(field.type)
                for field, column in zip(schema, batch.columns, strict=True)
            ]
            if key is not None:
                names = batch.column("path").to_pylist()
                paths = [None if name is None else {"path": str(rows.media.path(name))} for name in names]
                columns.append(pa.array(paths, _media_field(key).type))
            yield columns


def _key(rows: Rows, key: str | None) -> str:
    """A digest of all that the file is made from; of media the place, since it holds paths."""
    hasher = blake3(rows.schema.serialize().to_pybytes())
    said: list[Any] = [sorted(rows.classes.items()), key, str(rows.media) if key is not None else ""]
    hasher.update(repr(said).encode())
    for piece in rows.pieces:
        hasher.update(f"{piece.digest} {piece.kind} {piece.rows}\n".encode())
        if piece.picked is not None:
            hasher.update(piece.picked.tobytes())
    return hasher.hexdigest(length=16)
