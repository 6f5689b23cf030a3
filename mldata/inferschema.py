"""A declared schema to start from: what a table's columns hold, as ``validate.schema`` of the spec says it.

The section is valid, and the table that it was made from passes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store import Digest, Store

__all__ = ["infer_schema", "schema_text"]

_WHOLE = "data"


def infer_schema(store: Store, digest: Digest) -> dict[str, Any]:
    """The section ``schema`` for the table ``digest``, in plain values: ``{"columns": {NAME: {"type": ..., "nullable": False, ...}}}``.

    The table is read once, a batch at a time; what is put aside meanwhile is 16 bytes a row and column of ids, in a temporary folder.

    Raises ``BuildError`` when it is no table, ``DataError`` when a source file is damaged, or a ``store`` error.
    """
    from mldata.checkedrows import CheckedRows
    from mldata.checks.base import Sketch
    from mldata.checks.declaring import Declaring
    from mldata.table import Table

    table = Table.open(store, digest)
    declaring = Declaring(table.schema)
    with TemporaryDirectory(prefix="mldata-schema-") as folder:
        sketches = []
        for number, (start, fragment) in enumerate(zip(table.starts, table.fragments, strict=False)):
            blobs: dict[str, list[Path]] = {}
            batches = table.encoded_batches(fragment, declaring.columns)
            for place, blob in enumerate(declaring.sketch(batches) if declaring.columns else ()):
                path = Path(folder, f"{number}-{place}")
                path.write_bytes(blob.data)
                blobs.setdefault(blob.kind, []).append(path)
            sketches.append(Sketch(start, fragment.rows, blobs))
        columns = declaring.merge(sketches, CheckedRows(table, None, (_WHOLE,)))
    return {"columns": columns}


def schema_text(schema: Mapping[str, Any]) -> str:
    """What :func:`infer_schema` gave as lines of ``mldata.yaml``, to stand below a dataset: ``validate:`` with the section in it."""
    from mldata.speclines import flow

    lines = ["validate:", "  schema:", "    columns:"]
    if not schema["columns"]:
        lines[-1] += " {}"
    lines += [f"      {flow(name)}: {flow(said)}" for name, said in schema["columns"].items()]
    return "\n".join(lines) + "\n"
