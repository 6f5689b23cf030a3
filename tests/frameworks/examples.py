"""The three example datasets, exported once for several frameworks, and a table with every kind of column."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.e2e.project import Project, copy_examples

EXAMPLES = ("penguins", "fashion", "spoken-digits")


@dataclass(frozen=True)
class Exported:
    """Export folders of one project."""

    project: Project

    def folder(self, name: str) -> Path:
        """The export of a dataset."""
        return self.project.root / "artifacts" / name

    def module(self, name: str, framework: str) -> ModuleType:
        """Its generated module for a framework."""
        found = list(self.folder(name).glob(f"dataset*{framework}.py"))
        return load(found[0] if found else self.folder(name) / "dataset.py")

    def table(self, name: str, part: str) -> pa.Table:
        """The rows of a part, from the Parquet file."""
        return pq.read_table(self.folder(name) / f"{part}.parquet")


def load(path: Path) -> ModuleType:
    """A module by its path, under a name of its own."""
    name = re.sub(r"\W", "_", "_".join(path.parts[-3:]))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def build(root: Path, frameworks: Sequence[str], formats: Sequence[str]) -> Exported:
    """Build the examples and the table ``kinds`` in ``root``."""
    copy_examples(root)
    project = Project(root)
    text = (root / "mldata.yaml").read_text()
    export = f"formats: [{', '.join(formats)}], framework: [{', '.join(frameworks)}]"
    text = re.sub(r"formats: \[[^]]*\]", export, text)
    pq.write_table(kinds(), root / "kinds.parquet")
    text += f"\n  kinds:\n    source: kinds.parquet\n    split: {{train: 0.7, test: 0.3}}\n    export: {{{export}}}\n"
    (root / "mldata.yaml").write_text(text)
    project.run("build", "-q")
    return Exported(project)


def kinds() -> pa.Table:
    """A row each of many kinds of values, some of them missing; names that mean something in Python."""
    n = 30
    some = [None if row % 7 == 3 else row for row in range(n)]

    def values(kind: pa.DataType, make: Any) -> pa.Array:
        return pa.array([None if it is None else make(it) for it in some], kind)

    return pa.table(
        {
            "label": pa.array([f'it\'s "{row % 3}"' for row in range(n)]),
            "class": values(pa.int8(), lambda it: it - 5),
            'a"""b\\': values(pa.float32(), lambda it: it / 4),
            "big": pa.array([2**60 + row for row in range(n)]),
            "unsigned": values(pa.uint64(), lambda it: 2**63 + it),
            "small": pa.array(range(n), pa.int64()),
            "yes": values(pa.bool_(), lambda it: it % 2 == 0),
            "no": pa.array([row % 2 == 1 for row in range(n)]),
            "text": values(pa.string(), lambda it: f"wörds {it} {'x' * it}"),
            "bytes": values(pa.binary(), lambda it: bytes([it])),
            "day": values(pa.date32(), int),
            "when": values(pa.timestamp("us", "UTC"), lambda it: 1_700_000_000_000_000 + it),
            "took": values(pa.duration("ms"), int),
            "cost": values(pa.decimal128(10, 2), int),
            "list": values(pa.list_(pa.int64()), lambda it: list(range(it % 4))),
            "words": values(pa.list_(pa.string()), lambda it: ["a", "b"][: it % 3]),
            "nested": values(pa.struct([("a", pa.int64())]), lambda it: {"a": it}),
        }
    )


def cells(batches: Iterable[dict[str, Any]], name: str) -> list[Any]:
    """A column of all batches, value by value."""
    columns = [batch[name] if isinstance(batch[name], list) else np.asarray(batch[name]) for batch in batches]
    return [value for column in columns for value in column]
