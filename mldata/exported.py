"""The rows of an export folder, read from its files as the manifest describes them; no project or store is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mldata.errors import DataError, UsageError
from mldata.manifest import ManifestFile, read_manifest
from mldata.mediafiles import FolderMedia, MediaFiles

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.manifest import Manifest
    from mldata.rowpieces import Piece

__all__ = ["ExportedRows"]

ROW_INDEX = "row_index"


class ExportedRows:
    """See :class:`mldata.datarows.Rows`."""

    def __init__(self, folder: Path, *, verify: bool) -> None:
        """Read the manifest, and compare sizes (``verify``: digests) with it. Raises as ``Dataset.from_export``."""
        self._folder = folder
        self._manifest = read_manifest(folder / "manifest.yaml")
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
        return self.pieces(next(iter(self.parts)))[0].schema()

    def batches(
        self, part: str | None, columns: Sequence[str] | None, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """See :class:`mldata.datarows.Rows`. All parts: one after the other."""
        import pyarrow as pa

        schema = self.schema
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        return (batch for piece in self.pieces(part) for batch in piece.batches(schema, batch_rows))

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

    def pieces(self, part: str | None) -> list[Piece]:
        """See :class:`mldata.datarows.Rows`. Raises ``UsageError`` where the export has no format that can be read back."""
        from mldata.rowpieces import exported_pieces

        found = []
        for name in self.parts if part is None else [part]:
            pieces = exported_pieces(self._manifest, name, lambda path: str(self._folder / path))
            if not pieces:
                formats = {file.format for file in self._manifest.files if file.part == name}
                raise UsageError(
                    f"expected a file of part '{name}' as parquet, arrow or feather, "
                    f"found {', '.join(sorted(formats)) or 'none'}",
                    where=str(self._folder),
                    hint="Add parquet to `formats:` below `export:` in mldata.yaml, and build again.",
                )
            found += pieces
        return found

    @property
    def kind(self) -> str:
        """See :class:`mldata.datarows.Rows`."""
        return self._manifest.kind

    @cached_property
    def media(self) -> MediaFiles:
        """See :class:`mldata.datarows.Rows`."""
        names = [file.path for file in self._manifest.files if file.format == "media"]
        return FolderMedia(self._manifest.dataset, self._folder, names)

    def close(self) -> None:
        """Nothing stays open."""


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
