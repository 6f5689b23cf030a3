"""Where a dataset's rows are: in the store, or (:mod:`mldata.exported`) in the files of an export folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from mldata.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mldata.assignment import Assignment
    from mldata.manifest import Manifest
    from mldata.mediafiles import MediaFiles
    from mldata.rowpieces import Piece
    from mldata.table import Table
    from store import Digest, Store

__all__ = ["WHOLE", "Rows", "StoredRows"]

WHOLE = "data"
"""Name of the only part of a dataset that is not split."""


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

    def pieces(self, part: str | None) -> list[Piece]:
        """Files that hold the rows of a part (None: of all), in order, which need neither this object nor the store."""
        ...

    @property
    def kind(self) -> str:
        """``tabular``, ``images`` or ``audio``."""
        ...

    @property
    def media(self) -> MediaFiles:
        """Where the files are that rows name."""
        ...

    def manifest(self) -> Manifest: ...

    def close(self) -> None: ...


class StoredRows:
    """The rows of a built dataset, read from the store."""

    def __init__(self, store: Store, name: str, trees: Mapping[str, Digest], *, current: bool = True) -> None:
        """``current``: the export, if there is one, was made of these very tables."""
        self._store = store
        self._name = name
        self._trees = trees
        self._current = current

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
            {WHOLE: self._table.rows} if split is None else dict(zip(split.parts, split.counts, strict=True))
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

    def pieces(self, part: str | None) -> list[Piece]:
        """See :class:`Rows`: a file of the export that is in the store, if one holds the part; else fragments of the table."""
        import numpy as np

        from mldata.rowpieces import Piece

        if part is None and len(self.parts) == 1:
            part = next(iter(self.parts))
        exported = self._exported_pieces(part) if part is not None else []
        if exported:
            return exported
        split = self._assignment if part is not None else None
        found = []
        for fragment, start in zip(self._table.fragments, self._table.starts, strict=False):
            picked = None
            if split is not None and part is not None:
                picked = np.flatnonzero(split.part_of(start, start + fragment.rows) == split.number(part))
                if len(picked) == fragment.rows:
                    picked = None
                elif not len(picked):
                    continue
            rows = fragment.rows if picked is None else len(picked)
            path = str(self._store.path(fragment.digest))
            found.append(Piece(path, fragment.digest, "parquet", rows, picked))
        return found

    def _exported_pieces(self, part: str) -> list[Piece]:
        from mldata.rowpieces import exported_pieces

        if "export" not in self._trees or not self._current:
            return []
        manifest, tree = self.manifest(), dict(self._store.walk(self._trees["export"]))
        chosen = exported_pieces(manifest, part, lambda path: str(self._store.path(tree[path].digest)))
        return chosen if sum(piece.rows for piece in chosen) == self.parts[part] else []

    @property
    def kind(self) -> str:
        """See :class:`Rows`."""
        return self._table.kind

    @cached_property
    def media(self) -> MediaFiles:
        """See :class:`Rows`. Paths are the objects', which have no suffix."""
        from mldata.mediafiles import StoredMedia

        return StoredMedia(self._name, self._store.root, self._table.media, self._store)

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
