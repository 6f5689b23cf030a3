"""A table: fragments in order under one schema, read from the store without ever being whole in memory.

In the store it is a tree of

- ``table``: canonical encoding of ``{"version": 1, "kind": "tabular" | "images" | "audio", "rows": N, "schema": Arrow IPC schema
  message, "fragments": [{"source": file name, "rows": n}, ...]}``
- ``fragments``: a tree of Parquet objects ``00000000.parquet``, ``00000001.parquet``, ...
- ``media`` (images and audio only): a tree of the media files under their paths.
- ``rejects`` (only if there are any): the rows that could not be read and were put aside, a Parquet object with the columns ``file``,
  ``line``, ``column``, ``reason`` and ``record``.

Invariant: every fragment has exactly the table's columns and types (metadata aside) and the rows that ``table`` says; rows are in the
order of the source files (sorted by the UTF-8 bytes of their names), then in file order, unless a transform has put them in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from store import Digest, ObjectId, Store, TreeEntry

__all__ = ["BATCH_ROWS", "Fragment", "Table", "write_table"]

VERSION = 1
KINDS = ("tabular", "images", "audio")
BATCH_ROWS = 1 << 16
BATCH_BYTES = 64 << 20
"""About the most that a batch takes: rows may be large (documents, pictures in a column)."""

DICTIONARY_BYTES = 64 << 10
"""A dictionary page of at most this size (as it is in the file) is worth keeping."""


@dataclass(frozen=True)
class Fragment:
    """One part of a table: a Parquet object."""

    digest: Digest
    size: int
    rows: int
    source: str
    """The source file (of media: the first of a group) it was made from, or the step that cut it anew."""


@dataclass(frozen=True)
class Table:
    """A stored table, opened. Reads rows when asked; keeps none."""

    store: Store
    kind: str
    """``tabular``, ``images`` or ``audio``."""
    rows: int
    schema: pa.Schema
    fragments: tuple[Fragment, ...]
    media: Digest | None
    """The tree of media files, for images and audio."""
    rejects: Digest | None = None
    """The Parquet object of rows that were put aside, if there are any."""

    @classmethod
    def open(cls, store: Store, digest: Digest) -> Table:
        """Read the table tree ``digest``. Raises ``BuildError`` when it is none, or a ``store`` error."""
        import pyarrow as pa

        from store import decode

        tree = store.tree(digest)
        meta_entry, fragments_entry, media = tree.get("table"), tree.get("fragments"), tree.get("media")
        rejects = tree.get("rejects")
        if meta_entry is None or fragments_entry is None:
            raise BuildError(
                f"expected a table with 'table' and 'fragments', found {sorted(tree.names)} in {digest}"
            )
        meta: Any = decode(store.read(meta_entry.digest))
        if meta.get("version") != VERSION:
            raise BuildError(
                f"expected a table of version {VERSION}, found version {meta.get('version')!r} in {digest}",
                hint="build it again with this mldata, or read it with the one that made it",
            )
        entries, facts = list(store.tree(fragments_entry.digest)), meta["fragments"]
        if len(entries) != len(facts) or sum(fact["rows"] for fact in facts) != meta["rows"]:
            raise BuildError(
                f"expected {len(facts)} fragments of {meta['rows']} rows, found {len(entries)} in {digest}"
            )
        return cls(
            store=store,
            kind=meta["kind"],
            rows=meta["rows"],
            schema=pa.ipc.read_schema(pa.py_buffer(meta["schema"])),
            fragments=tuple(
                Fragment(entry.digest, entry.size, fact["rows"], fact["source"])
                for entry, fact in zip(entries, facts, strict=True)
            ),
            media=media.digest if media is not None else None,
            rejects=rejects.digest if rejects is not None else None,
        )

    @property
    def starts(self) -> list[int]:
        """Number of the first row of each fragment, and of the row after the last."""
        return list(accumulate((fragment.rows for fragment in self.fragments), initial=0))

    def fragment(self, index: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Fragment ``index`` whole, under the table's schema (or its ``columns``, in their order)."""
        import pyarrow as pa

        return pa.Table.from_batches(
            self.fragment_batches(self.fragments[index], columns=columns), schema=self._schema(columns)
        )

    def batches(
        self, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """All rows in order, in batches of at most ``batch_rows``, conforming to the schema. Memory does not grow with the table."""
        for fragment in self.fragments:
            yield from self.fragment_batches(fragment, columns, batch_rows)

    def fragment_batches(
        self, fragment: Fragment, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one fragment, as :meth:`batches` gives them."""
        schema = self._schema(columns)
        with self.open_fragment(fragment) as file:
            rows = bounded_rows(file.metadata, batch_rows, BATCH_BYTES)
            yield from _sound(
                file.iter_batches(rows, columns=schema.names, use_threads=False), fragment, schema
            )

    def encoded_batches(
        self,
        fragment: Fragment,
        columns: Sequence[str],
        row_groups: Sequence[int] | None = None,
        *,
        use_threads: bool = False,
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one fragment, or of some of its row groups, with text as the file keeps it.

        A text column with a small dictionary comes as dictionary arrays: read in half the time, for whoever needs to look
        at each distinct value only. Otherwise as :meth:`batches` gives them. ``use_threads``: columns are read side by side, for who has no other fragment to read.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path, schema = self.store.path(fragment.digest), self._schema(columns)
        with pq.ParquetFile(path, pre_buffer=False) as plain:
            meta = plain.metadata
        encoded = [name for name in small_dictionaries(meta) if name in columns and _is_text(schema, name)]
        for name in encoded:
            number = schema.get_field_index(name)
            field = schema.field(number)
            schema = schema.set(number, field.with_type(pa.dictionary(pa.int32(), field.type)))
        rows = bounded_rows(meta, BATCH_ROWS, BATCH_BYTES)
        with pq.ParquetFile(
            path, metadata=meta, read_dictionary=encoded, pre_buffer=False, buffer_size=1 << 20
        ) as file:
            yield from _sound(
                file.iter_batches(rows, row_groups, schema.names, use_threads=use_threads), fragment, schema
            )

    def open_fragment(self, fragment: Fragment) -> pq.ParquetFile:
        """The Parquet file of a fragment, verified by the store. Columns have the table's types, but maybe other metadata."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.store.path(fragment.digest), pre_buffer=False, buffer_size=1 << 20)

    def _schema(self, columns: Sequence[str] | None) -> pa.Schema:
        import pyarrow as pa

        return self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])


def _sound(
    batches: Iterator[pa.RecordBatch], fragment: Fragment, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """``batches`` under ``schema``. A Parquet file of the source may be a fragment as it stands, so damage in its data shows here first.

    Raises:
        DataError: naming the source file.
    """
    import pyarrow as pa

    try:
        for batch in batches:
            yield conform(batch, schema)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"expected a sound Parquet file, found damaged data: {str(error).splitlines()[0]}",
            where=fragment.source,
            hint="fetch or write the file again",
        ) from error


def bounded_rows(meta: pq.FileMetaData, most: int, size: int) -> int:
    """How many rows of a Parquet file, at most ``most``, take about ``size`` bytes (uncompressed, in its widest row group)."""
    widest = 1.0
    for index in range(meta.num_row_groups):
        group = meta.row_group(index)
        widest = max(widest, group.total_byte_size / max(group.num_rows, 1))
    return max(1, min(most, int(size / widest)))


def small_dictionaries(meta: pq.FileMetaData) -> set[str]:
    """Columns whose dictionary is small in every row group of a Parquet file.

    A large one is most often that of a column of distinct values, which its writer gave up: Arrow would make it anew from
    all values, five times slower than reading them as they are.
    """
    found: set[str] | None = None
    for index in range(meta.num_row_groups):
        group = meta.row_group(index)
        columns = [group.column(number) for number in range(group.num_columns)]
        small = {
            column.path_in_schema
            for column in columns
            if column.has_dictionary_page
            and 0 < column.data_page_offset - column.dictionary_page_offset <= DICTIONARY_BYTES
        }
        found = small if found is None else found & small
    return found or set()


def _is_text(schema: pa.Schema, name: str) -> bool:
    import pyarrow.types as pt

    return bool(pt.is_string(schema.field(name).type) or pt.is_binary(schema.field(name).type))


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` under ``schema``: columns in its order, its metadata. Raises ``BuildError`` when types differ."""
    import pyarrow as pa

    if batch.schema.equals(schema, check_metadata=True):
        return batch
    try:
        return pa.RecordBatch.from_arrays([batch.column(name) for name in schema.names], schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError) as error:
        raise BuildError(f"a fragment does not have the table's schema: {error}") from error


def write_table(
    *,
    kind: str,
    schema: pa.Schema,
    fragments: Sequence[Fragment],
    media: ObjectId | None,
    rejects: ObjectId | None = None,
    put: Callable[[bytes], ObjectId],
    put_tree: Callable[[Sequence[TreeEntry]], ObjectId],
) -> ObjectId:
    """Put the tree of a table whose fragments (and media tree) are in the store already, with ``Job.put`` and ``Job.put_tree``."""
    from store import KIND_FILE, KIND_TREE, TreeEntry, encode

    meta = put(
        encode(
            {
                "version": VERSION,
                "kind": kind,
                "rows": sum(fragment.rows for fragment in fragments),
                "schema": schema.serialize().to_pybytes(),
                "fragments": [{"source": fragment.source, "rows": fragment.rows} for fragment in fragments],
            }
        )
    )
    listed = put_tree(
        [
            TreeEntry(f"{i:08d}.parquet", KIND_FILE, fragment.digest, fragment.size)
            for i, fragment in enumerate(fragments)
        ]
    )
    entries = [TreeEntry("table", KIND_FILE, *meta), TreeEntry("fragments", KIND_TREE, *listed)]
    if media is not None:
        entries.append(TreeEntry("media", KIND_TREE, *media))
    if rejects is not None:
        entries.append(TreeEntry("rejects", KIND_FILE, *rejects))
    return put_tree(entries)
