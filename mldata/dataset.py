"""A dataset for those who use it from Python: its parts as Arrow tables, its exported files, its media."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from mldata.datarows import Rows, StoredRows
from mldata.errors import UsageError

if TYPE_CHECKING:
    import datasets
    import numpy as np
    import pandas
    import polars
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.handing import Rows as Handed
    from mldata.handing.torch import TorchRows
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
        *,
        current: bool = True,
    ) -> None:
        """A built dataset.

        Args:
            store: where it is; closed with the dataset.
            name: its name in the spec.
            trees: output tree of each stage that was built.
            export_dir: the export folder; None when this build is not in one.
            params: parameters of each stage.
            build: its number, if it was asked for by that.
            current: whether the export was made of the tables in ``trees``, and not of earlier ones.
        """
        self._name = name
        self._build = build
        self._folder = export_dir
        self._params = params
        self._formats = tuple(params.get("export", {}).get("formats", ()))
        self._rows: Rows = StoredRows(store, name, trees, current=current)

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
        return pa.Table.from_batches(batches, self._columns(columns))

    def batches(
        self, part: str | None = None, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """The rows of ``part`` (None: of all) in batches of at most ``batch_rows``: memory does not grow with the data.

        Raises as :meth:`table` does, before the first batch.
        """
        if part is not None:
            self._check_part(part)
        self._columns(columns)
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
        folder, chosen = self._exported(format)
        path = folder / find_export(chosen).file_path(part)
        if not path.exists():
            shards = self.paths(part, format)
            if len(shards) != 1:
                raise UsageError(
                    f"part '{part}' of dataset '{self.name}' is {len(shards)} files as {chosen}",
                    hint=f"All of them, in order: dataset.paths({part!r}).",
                )
            return shards[0]
        return path

    def paths(self, part: str | None = None, format: str | None = None) -> list[Path]:
        """The exported files of a part (None: of all), several where it is cut into shards, in the order of its rows.

        Raises as :meth:`path` does.
        """
        if part is not None:
            self._check_part(part)
        folder, chosen = self._exported(format)
        files = [it for it in self.manifest.files if it.format == chosen and part in (None, it.part)]
        order = list(self.parts)
        files.sort(key=lambda it: (order.index(it.part) if it.part in order else 0, it.path))
        found = [folder / it.path for it in files]
        for path in found:
            if not path.exists():
                raise UsageError(
                    "expected an exported file, found none",
                    where=str(path),
                    hint=f"Run `mldata build {self.name}`.",
                )
        return found

    def _exported(self, format: str | None) -> tuple[Path, str]:
        """The folder of the export and the format, the first if none is named. Raises ``UsageError`` where there is no such export."""
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
        return self._folder, chosen

    def to_arrow(self, part: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of ``part`` (None: of all) as a table, with all columns or those named, in that order.

        Where the part is exported as an Arrow file without compression, the table is that file, mapped into memory: nothing is copied, and
        memory is used for what is looked at. Otherwise Parquet is decoded into memory, of the columns asked for only.
        A file in an export folder must not be changed while its table is used; those of the store never are.

        Raises ``UsageError`` for an unknown part or column, or a ``store`` error.
        """
        from mldata.handing.arrow import to_arrow

        return to_arrow(self._handed(part, columns))

    def to_pandas(
        self,
        part: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        dtype_backend: Literal["numpy", "pyarrow"] = "numpy",
    ) -> pandas.DataFrame:
        """The rows of ``part`` (None: of all) as a frame, in memory.

        Args:
            dtype_backend: ``numpy``: a copy, with the dtypes that pandas has for the columns (whole numbers that miss some become ``float64``);
                ``pyarrow``: columns of :meth:`to_arrow` as they are (``pandas.ArrowDtype``), which copies nothing.

        Raises as :meth:`to_arrow` does, and ``MissingExtra`` where pandas is not installed.
        """
        from mldata.handing.pandas import to_pandas

        return to_pandas(self._handed(part, columns), dtype_backend)

    def to_polars(self, part: str | None = None, columns: Sequence[str] | None = None) -> polars.LazyFrame:
        """The rows of ``part`` (None: of all) as a lazy frame: nothing is read before ``collect()``, and then what the query needs.

        Files that hold just the part (exported, or of an unsplit dataset) are scanned by polars; else the part's rows are picked from the
        store's, a batch at a time. It can be collected after this dataset is closed.

        Raises as :meth:`to_arrow` does, and ``MissingExtra`` where polars is not installed.
        """
        from mldata.handing.polars import to_polars

        return to_polars(self._handed(part, columns))

    def to_torch(
        self,
        part: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        classes: Sequence[str] | None = None,
        media: bool = True,
        missing_text: str | None = "",
    ) -> TorchRows:
        """The rows of ``part`` (None: of all) as a map-style ``torch.utils.data.Dataset``, for a ``DataLoader`` with any number of workers.

        Rows are read when they are asked for, a row group at a time; what was read last is held, about 256 MiB of it in each process.
        A row is a dict, by column:

        - numbers: a tensor of no dimension with the column's own dtype. Whole numbers of a column that misses some are ``float64`` with NaN;
          decimals are ``float64``.
        - booleans: ``bool``; ``int8`` with -1 where the column misses some.
        - classes: ``int64``, the place of the value in ``dataset.classes[column]``; -1 where it is missing.
        - times: ``int64`` in the column's own unit since 1970-01-01 (UTC if it has a zone) or midnight; -2**63 where it is missing.
        - text and bytes: ``str`` and ``bytes``; missing text is ``missing_text``, since a ``DataLoader`` cannot make a batch with None.
        - nested values: Python's lists and dicts.
        - of images, ``image``: their pixels as (channels, height, width), turned as EXIF says, ``uint8`` of grey, RGB and RGBA.
        - of audio, ``audio``: samples from -1 to 1 as (channels, frames), ``float32``.

        Every value is the caller's own. Pictures and recordings of different sizes need a ``transform`` that makes them one size, or a
        ``collate_fn``.

        Args:
            transform: is given the row, and returns the item. It must be picklable where workers are spawned, not forked.
            classes: columns of text that are classes; left out: those of a dictionary type, and the label of media.
            media: decode the media file of each row; it needs the column ``path``.
            missing_text: what stands for missing text; None is possible.

        Raises as :meth:`to_arrow` does, and ``MissingExtra`` where torch is not installed.
        """
        from mldata.handing import library

        library("torch", "to_torch")
        from mldata.handing.classes import class_lists, lacking
        from mldata.handing.torch import TorchRows

        schema = self._columns(columns)
        rows = self._handed(part, columns, class_lists(self._rows, schema, classes))
        return TorchRows(rows, lacking(self._rows, schema), transform, media, missing_text)

    def to_hf(
        self,
        part: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        classes: Sequence[str] | None = None,
        cache_dir: str | PathLike[str] | None = None,
    ) -> datasets.Dataset | datasets.DatasetDict:
        """The rows of ``part`` as a ``datasets.Dataset``; without ``part`` those of all, as a ``DatasetDict`` by part if the dataset is split.

        The rows are written once as Arrow, below ``mldata/`` in the library's cache, and mapped into memory from there. Features are those
        of the columns' types, ``ClassLabel`` of classes, and a column ``image`` or ``audio`` of media, which is decoded from the
        media file when it is asked for (``Audio`` needs the package torchcodec then).

        Args:
            classes: columns of text that are classes; left out: those of a dictionary type, and the label of media.
            cache_dir: a folder in place of the library's cache.

        Raises as :meth:`to_arrow` does, and ``MissingExtra`` where the package ``datasets`` is not installed.
        """
        from mldata.handing import library
        from mldata.handing.classes import class_lists
        from mldata.handing.hf import to_hf

        hf = library("datasets", "to_hf")
        known = class_lists(self._rows, self._columns(columns), classes)
        if part is None and len(self.parts) > 1:
            made = {name: to_hf(self._handed(name, columns, known), name, cache_dir) for name in self.parts}
            found: datasets.DatasetDict = hf.DatasetDict(made)
            return found
        return to_hf(self._handed(part, columns, known), part, cache_dir)

    def media_path(self, path: str) -> Path:
        """A file with the content of the image or clip that the column ``path`` of a row names. Do not write to it.

        Raises ``UsageError`` when the dataset has no such media file, or a ``store`` error.
        """
        return self._rows.media.path(path)

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

    def _handed(
        self,
        part: str | None,
        columns: Sequence[str] | None,
        classes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Handed:
        """What is handed to another library. Raises as :meth:`table` does."""
        from mldata.handing import Rows as Handed

        if part is not None:
            self._check_part(part)
        schema, pieces = self._columns(columns), tuple(self._rows.pieces(part))
        return Handed(self.name, self._rows.kind, schema, pieces, self._rows.media, classes or {})

    def _columns(self, columns: Sequence[str] | None) -> pa.Schema:
        """All columns or those named, in that order. Raises ``UsageError`` for one that is not there."""
        import pyarrow as pa

        for name in columns or ():
            if name not in self.schema.names:
                raise UsageError(
                    f"dataset '{self.name}' has no column '{name}'",
                    hint=f"It has {', '.join(self.schema.names)}.",
                )
        return self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])

    def _check_part(self, part: str) -> None:
        if part not in self.parts:
            raise UsageError(
                f"dataset '{self.name}' has no part '{part}'", hint=f"It has {', '.join(self.parts)}."
            )
