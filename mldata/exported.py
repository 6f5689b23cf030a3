"""The rows of an export folder, read from its files as the manifest describes them; no project or store is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.datarows import no_media
from mldata.errors import DataError, UsageError
from mldata.manifest import ManifestFile, read_manifest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.manifest import Manifest

__all__ = ["ExportedRows"]

READABLE = ("parquet", "arrow")
"""Formats that hold a schema, best first: reading back the others would be guessing at types."""
ROW_INDEX = "row_index"


class ExportedRows:
    """See :class:`mldata.datarows.Rows`."""

    def __init__(self, folder: Path, *, verify: bool) -> None:
        """Read the manifest, and compare sizes (``verify``: digests) with it. Raises as ``Dataset.from_export``."""
        self._folder = folder
        self._manifest = read_manifest(folder / "manifest.yaml")
        self._paths = {file.path: file for file in self._manifest.files}
        for file in self._manifest.files:
            _check(folder / file.path, file, verify)

    def manifest(self) -> Manifest:
        """See :class:`mldata.datarows.Rows`."""
        return self._manifest

    @cached_property
    def parts(self) -> Mapping[str, int]:
        """See :class:`mldata.datarows.Rows`."""
        return {part.name: part.rows for part in self._manifest.parts}

    @cached_property
    def schema(self) -> pa.Schema:
        """See :class:`mldata.datarows.Rows`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self._file(next(iter(self.parts)))
        path = self._folder / file.path
        if file.format == "parquet":
            return pq.read_schema(path)
        with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
            return reader.schema

    def batches(
        self, part: str | None, columns: Sequence[str] | None, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """See :class:`mldata.datarows.Rows`. All parts: one after the other."""
        files = [self._file(name) for name in (self.parts if part is None else [part])]
        return (batch for file in files for batch in self._read(file, columns, batch_rows))

    def indices(self, part: str) -> NDArray[np.int64]:
        """See :class:`mldata.datarows.Rows`: the column ``row_index`` of the part's file."""
        import numpy as np

        if len(self.parts) == 1 and ROW_INDEX not in self.schema.names:
            return np.arange(self.parts[part], dtype=np.int64)
        if ROW_INDEX not in self.schema.names:
            raise UsageError(
                "the export does not hold the rows' numbers in the source",
                where=str(self._folder),
                hint="Set `row_index: true` below `export:` in mldata.yaml, and build again.",
            )
        found = [np.asarray(batch.column(0)) for batch in self.batches(part, [ROW_INDEX], 1 << 16)]
        return np.concatenate([np.empty(0, np.int64), *found])

    def media_path(self, path: str) -> Path:
        """See :class:`mldata.datarows.Rows`."""
        file = self._paths.get(path)
        if file is None or file.format != "media":
            raise no_media(self._manifest.dataset, path)
        return self._folder / path

    def close(self) -> None:
        """Nothing stays open."""

    def _file(self, part: str) -> ManifestFile:
        files = {file.format: file for file in self._manifest.files if file.part == part}
        for name in READABLE:
            if name in files:
                return files[name]
        raise UsageError(
            f"expected a file of part '{part}' as {' or '.join(READABLE)}, found {', '.join(files) or 'none'}",
            where=str(self._folder),
            hint="Add parquet to `formats:` below `export:` in mldata.yaml, and build again.",
        )

    def _read(
        self, file: ManifestFile, columns: Sequence[str] | None, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._folder / file.path
        names = self.schema.names if columns is None else list(columns)
        if file.format == "parquet":
            with pq.ParquetFile(path) as reader:
                for batch in reader.iter_batches(batch_rows, columns=names):
                    yield batch.select(names)
            return
        with pa.memory_map(str(path)) as data, pa.ipc.open_file(data) as reader:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number).select(names)
                for start in range(0, batch.num_rows, batch_rows):
                    yield batch.slice(start, batch_rows)


def _check(path: Path, file: ManifestFile, verify: bool) -> None:
    """Compare a file with the manifest."""
    hint = "Run `mldata build`, which brings it back, or take the folder from where it came."
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(
            f"the manifest lists this file of {file.size:,} bytes, found {error.strerror or error}",
            where=str(path),
            hint=hint,
        ) from None
    if size != file.size:
        raise DataError(f"expected {file.size:,} bytes, found {size:,}", where=str(path), hint=hint)
    if verify:
        from store import hash_file

        found = hash_file(path).digest
        if found != file.blake3:
            raise DataError(
                f"expected content with BLAKE3 {file.blake3}, found {found}", where=str(path), hint=hint
            )
