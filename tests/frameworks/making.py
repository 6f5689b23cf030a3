"""Exports with frameworks in temporary folders, and the modules that they have."""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from mldata.stages.export import Export
from mldata.stages.split import Split
from store import Store
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

__all__ = ["export_folder", "load_module"]

_NUMBERS = itertools.count()


def export_folder(
    root: Path,
    pieces: Sequence[pa.Table],
    *frameworks: str,
    parts: Mapping[str, float] | None = None,
    stratify: str | None = None,
    formats: Sequence[str] = ("parquet",),
    media: Mapping[str, bytes] | None = None,
    kind: str = "tabular",
    **params: Any,
) -> tuple[Path, Any]:
    """The folder of an export with frameworks, and the facts of the stage."""
    with Store.open(root / "store") as store:
        inputs = {"normalize": put_table(store, pieces, kind=kind, media=media)}
        context: dict[str, Any] = {"mldata": "0", "sources": [], "params": {}, "versions": {}}
        if parts:
            told = split_params(parts, stratify=stratify)
            inputs["split"] = Split().build(PlainJob(store, "split", told, dict(inputs))).output.digest
            context["params"] = {"split": told}
        asked = export_params(*formats, framework=list(frameworks), **params)
        made = Export().build(PlainJob(store, "export", asked, inputs, context))
        folder = root / f"export{next(_NUMBERS)}"
        store.materialize(made.output.digest, folder, link="copy")
        return folder, made.facts


def load_module(folder: Path, name: str = "dataset") -> ModuleType:
    """A generated module, under a name of its own, by which other processes find it, too: what it defines can be pickled."""
    own = f"generated_{os.getpid()}_{next(_NUMBERS)}"
    shutil.copyfile(folder / f"{name}.py", folder / f"{own}.py")
    sys.path.append(str(folder))
    importlib.invalidate_caches()
    return importlib.import_module(own)
