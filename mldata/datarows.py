"""Where a dataset's rows are: in the store, or (:mod:`mldata.exported`) in the files of an export folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mldata.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.assignment import Assignment
    from mldata.manifest import Manifest
    from mldata.table import Table
    from store import Digest, Store

__all__ = ["Rows", "StoredRows", "no_media"]


class Rows(Protocol):
    """What a :class:`mldata.dataset.Dataset` reads from. Parts and columns that are asked for exist."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def parts(self) -> Mapping[str, int]:
        """Rows by part; one part named ``data`` when the dataset is not split."""
        ...

    def batches(
        self, part: str | None, columns: Sequence[str] | None, batch_rows: int
    ) -> Iterator[pa.RecordBatch]: ...

    def indices(self, part: str) -> NDArray[np.int64]: ...

    def media_path(self, path: str) -> Path: ...

    def manifest(self) -> Manifest: ...

    def close(self) -> None: ...


class StoredRows:
    """The rows of a built dataset, read from the store."""

    def __init__(self, store: Store, name: str, trees: Mapping[str, Digest]) -> None:
        self._store = store
        self._name = name
        self._trees = trees

    @cached_property
    def _table(self) -> Table:
        from mldata.stages import table_of
        from mldata.table import Table

        return Table.open(self._store, table_of(self._trees))

    @cached_property
    def _assignment(self) -> Assignment | None:
        from mldata.assignment import Assignment

        return Assignment.open(self._store, self._trees["split"]) if "split" in self._trees else None

    @property
    def schema(self) -> pa.Schema:
        """See :class:`Rows`."""
        return self._table.schema

    @cached_property
    def parts(self) -> Mapping[str, int]:
        """See :class:`Rows`."""
        split = self._assignment
        return (
            {"data": self._table.rows} if split is None else dict(zip(split.parts, split.counts, strict=True))
        )

    def batches(
        self, part: str | None, columns: Sequence[str] | None, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """See :class:`Rows`."""
        if part is None or self._assignment is None:
            return self._table.batches(columns, batch_rows)
        from mldata.partrows import rows_by_part

        number = self._assignment.number(part)
        found = rows_by_part(
            self._table, self._assignment, only=number, columns=columns, batch_rows=batch_rows
        )
        return (batch for _, batch in found)

    def indices(self, part: str) -> NDArray[np.int64]:
        """See :class:`Rows`."""
        import numpy as np

        if self._assignment is None:
            return np.arange(self._table.rows, dtype=np.int64)
        return self._assignment.indices(part)

    def media_path(self, path: str) -> Path:
        """See :class:`Rows`. The path is the object's, which has no suffix."""
        from store import KIND_FILE, KIND_TREE

        tree, names = self._table.media, path.split("/")
        for name in names[:-1]:
            entry = self._store.tree(tree).get(name) if tree is not None else None
            tree = entry.digest if entry is not None and entry.kind == KIND_TREE else None
        found = self._store.tree(tree).get(names[-1]) if tree is not None else None
        if found is None or found.kind != KIND_FILE:
            raise no_media(self._name, path)
        return self._store.path(found.digest)

    def manifest(self) -> Manifest:
        """See :class:`Rows`."""
        from mldata.manifest import read_manifest

        tree = self._store.tree(self._trees["export"]) if "export" in self._trees else None
        entry = tree.get("manifest.yaml") if tree is not None else None
        if entry is None:
            raise UsageError(
                f"dataset '{self._name}' has not been exported", hint=f"Run `mldata build {self._name}`."
            )
        return read_manifest(self._store.path(entry.digest))

    def close(self) -> None:
        """Close the store."""
        self._store.close()


def no_media(dataset: str, path: str) -> UsageError:
    """The error for a media file that a dataset does not have."""
    return UsageError(
        f"dataset '{dataset}' has no media file '{path}'",
        hint="Take paths from the column `path` of its rows.",
    )
