"""A dataset for those who use it from Python: its parts as Arrow tables, its exported files, its media."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mldata.datarows import Rows, StoredRows
from mldata.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.manifest import Manifest
    from store import Digest, Store

__all__ = ["Dataset"]

BATCH_ROWS = 1 << 16


class Dataset:
    """A dataset, opened by :func:`mldata.open` or :meth:`Dataset.from_export`. Nothing is read until asked for.

    A context manager; leaving it closes the store. Rows come in the order of the source, in each part as in the whole.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        trees: Mapping[str, Digest],
        export_dir: Path | None,
        params: Mapping[str, Any],
        build: int | None = None,
    ) -> None:
        """A built dataset.

        Args:
            store: where it is; closed with the dataset.
            name: its name in the spec.
            trees: output tree of each stage that was built.
            export_dir: the export folder; None when this build is not in one.
            params: parameters of each stage.
            build: its number, if it was asked for by that.
        """
        self._name = name
        self._build = build
        self._folder = export_dir
        self._params = params
        self._formats = tuple(params.get("export", {}).get("formats", ()))
        self._rows: Rows = StoredRows(store, name, trees)

    @classmethod
    def from_export(cls, folder: Path | str, *, verify: bool = False) -> Dataset:
        """A dataset in an export folder, with or without the project that made it.

        Args:
            folder: where ``manifest.yaml`` is.
            verify: read every file and compare its digest; otherwise only sizes are compared.

        Raises:
            UsageError: there is no manifest in ``folder``.
            BadManifest: the manifest is damaged.
            DataError: a file is missing or is not what the manifest says.
        """
        from mldata.exported import ExportedRows
        from mldata.exports import EXPORTS

        rows = ExportedRows(Path(folder), verify=verify)
        dataset = cls.__new__(cls)
        dataset._name = rows.manifest().dataset
        dataset._build = None
        dataset._folder = Path(folder)
        dataset._params = rows.manifest().params
        formats = {file.format for file in rows.manifest().files}
        dataset._formats = (
            *(name for name in EXPORTS if name in formats),
            *sorted(formats - {"media", *EXPORTS}),
        )
        dataset._rows = rows
        return dataset

    @property
    def name(self) -> str:
        """The dataset's name in the spec."""
        return self._name

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters by stage, every default filled in."""
        return self._params

    @property
    def parts(self) -> Mapping[str, int]:
        """Rows by part, in order; one part named ``data`` when the dataset is not split."""
        return self._rows.parts

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(self.parts.values())

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._rows.schema

    def table(self, part: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of ``part`` (None: of all) in memory, with all columns or those named, in that order.

        Raises ``UsageError`` for an unknown part or column, or a ``store`` error.
        """
        import pyarrow as pa

        batches = list(self.batches(part, columns))
        schema = self.schema
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        return pa.Table.from_batches(batches, schema)

    def batches(
        self, part: str | None = None, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """The rows of ``part`` (None: of all) in batches of at most ``batch_rows``: memory does not grow with the data.

        Raises as :meth:`table` does, before the first batch.
        """
        if part is not None:
            self._check_part(part)
        for name in columns or ():
            if name not in self.schema.names:
                raise UsageError(
                    f"dataset '{self.name}' has no column '{name}'",
                    hint=f"It has {', '.join(self.schema.names)}.",
                )
        return self._rows.batches(part, columns, batch_rows)

    def indices(self, part: str) -> NDArray[np.int64]:
        """Row numbers in the source table (from 0) of the rows of ``part``, in order.

        Raises ``UsageError`` for an unknown part, or for an export folder whose files do not have them.
        """
        self._check_part(part)
        return self._rows.indices(part)

    def path(self, part: str | None = None, format: str | None = None) -> Path:
        """The exported file of a part.

        Args:
            part: may be left out when there is only one.
            format: ``parquet``, ``csv``...; left out: the first in which the dataset was exported.

        Raises:
            UsageError: it has not been exported so, or another build is in the folder now; the message names the command that does it.
        """
        from mldata.exports import find_export

        if part is None:
            if len(self.parts) > 1:
                raise UsageError(
                    f"dataset '{self.name}' has {len(self.parts)} parts, a file each",
                    hint=f"Name one of {', '.join(self.parts)}.",
                )
            part = next(iter(self.parts))
        self._check_part(part)
        if self._folder is None and self._build is not None:
            raise UsageError(
                f"build {self._build} of dataset '{self.name}' is not in its export folder now",
                hint=f"Write it to a folder: mldata export {self.name}@{self._build} -o DIR",
            )
        formats = self._formats
        chosen = format or (formats[0] if formats else "parquet")
        if self._folder is None or chosen not in formats:
            raise UsageError(
                f"dataset '{self.name}' has not been exported as {chosen}"
                + (f", only as {', '.join(formats)}" if formats and self._folder else ""),
                hint=f"Add {chosen} to `formats:` below `export:` in mldata.yaml and run `mldata build {self.name}`.",
            )
        path = self._folder / find_export(chosen).file_path(part)
        if not path.exists():
            raise UsageError(
                "expected an exported file, found none",
                where=str(path),
                hint=f"Run `mldata build {self.name}`.",
            )
        return path

    def media_path(self, path: str) -> Path:
        """A file with the content of the image or clip that the column ``path`` of a row names. Do not write to it.

        Raises ``UsageError`` when the dataset has no such media file, or a ``store`` error.
        """
        return self._rows.media_path(path)

    @cached_property
    def manifest(self) -> Manifest:
        """What the export says about itself. Raises ``UsageError`` when the dataset has not been exported."""
        return self._rows.manifest()

    def close(self) -> None:
        """Close the store."""
        self._rows.close()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        parts = ", ".join(f"{part}: {rows:,}" for part, rows in self.parts.items())
        return f"<Dataset {self.name!r}: {len(self.schema)} columns, {parts} rows>"

    def _check_part(self, part: str) -> None:
        if part not in self.parts:
            raise UsageError(
                f"dataset '{self.name}' has no part '{part}'", hint=f"It has {', '.join(self.parts)}."
            )
