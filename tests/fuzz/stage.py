"""Normalizes an example as a build would, and says whether it ended as it may."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from mldata.errors import MldataError, SpecError
from mldata.formats import base
from mldata.stages.normalize import Normalize
from mldata.table import Table
from store import Store, StoreError
from tests.fuzz.engine import Example
from tests.stages.conftest import fetched, normalize_params
from tests.stages.jobs import PlainJob

MOST_STORED = 300
"""Examples that share a store: it is not to grow for hours."""
FOREIGN = re.compile(r"Traceback|pyarrow|zipfile\.|tarfile\.|codec can't|0x[0-9a-f]{9}|\bobject at\b")
"""What only a library would say."""


class Stage:
    """The normalize stage over a scratch store."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder / "store", 0
        self._store = Store.open(self._folder)

    def __call__(self, example: Example) -> MldataError | StoreError | tuple[int, int]:
        """Rows and rejects of an example, or the error that a user would see.

        Raises ``AssertionError`` for an error that does not say what a user must know, and what else is raised.
        """
        self._count += 1
        if self._count % MOST_STORED == 0:
            self._store.close()
            shutil.rmtree(self._folder)
            self._store = Store.open(self._folder)
        inputs = {"fetch": fetched(self._store, {example.name: example.data})}
        job = PlainJob(self._store, "normalize", normalize_params(**example.params), inputs)
        try:
            with _piece(example.piece):
                made = Normalize().build(job)
        except (MldataError, StoreError) as error:
            text = str(error)
            spec = isinstance(error, SpecError)  # that is about a key of the spec
            assert spec or example.name in text, f"an error that does not name the file: {text}"
            assert not FOREIGN.search(text.replace(example.name, "")), f"an error of a library: {text}"
            assert len(text) < 4000, f"an error of {len(text):,} characters: {text[:200]}"
            return error
        table = Table.open(self._store, made.output.digest)
        rows = sum(batch.num_rows for batch in table.batches())
        assert rows == made.rows == table.rows
        rejects = 0
        if table.rejects is not None:
            with self._store.open_object(table.rejects) as file:
                rejects = pq.read_table(file).num_rows
        assert rejects == made.facts.get("rejects", {"count": 0})["count"]
        return rows, rejects


@contextmanager
def _piece(size: int | None) -> Iterator[None]:
    usual = base.PIECE_BYTES
    base.PIECE_BYTES = size or usual
    try:
        yield
    finally:
        base.PIECE_BYTES = usual
