"""Frameworks in an export: what is found out about the rows, and the files that are written for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldata.errors import BuildError, SpecError, UsageError
from mldata.exportfolder import earlier_files
from mldata.frameworks import FRAMEWORKS, find_framework, formats_for
from mldata.frameworks.base import Described
from mldata.manifest import read_manifest
from mldata.stages.export import Export
from mldata.stages.exportdescribe import MOST_CLASSES, described
from mldata.stages.exportplan import ExportPlan, OutputFile
from store import Store
from tests.frameworks.making import export_folder
from tests.stages.jobs import PlainJob, export_params, put_table
from tests.tables import tables


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.open(tmp_path / "store")


def plan_of(store: Store, pieces: Sequence[pa.Table], stratify: str | None = None, **more: Any) -> ExportPlan:
    """The plan of an export with the framework ``pytorch``."""
    context = {"params": {"split": {"stratify": stratify}}}
    table = put_table(store, pieces, **more)
    params = export_params("parquet", framework=["pytorch"])
    return ExportPlan.of(PlainJob(store, "export", params, {"normalize": table}, context))


def describe(store: Store, pieces: Sequence[pa.Table], stratify: str | None = None, **more: Any) -> Described:
    return described(plan_of(store, pieces, stratify, **more), [])


def test_columns_have_roles(store: Store) -> None:
    """A role comes from the type; text of few distinct values is a category, and so is any dictionary of text or whole numbers."""
    n = 40
    rows = pa.table(
        {
            "few": ["b", "a"] * 20,
            "many": [f"text {number}" for number in range(n)],
            "long": ["x" * 201, "y"] * 20,
            "year": pa.array([2007, 2008] * 20, pa.int16()),
            "coded": pa.array([str(number) for number in range(n)]).dictionary_encode(),
            "flag": [True, None] * 20,
            "share": pa.array([0.5] * n),
            "nothing": pa.nulls(n),
            "day": pa.array([1] * n, pa.date32()),
            "raw": [b"x"] * n,
            "tags": [["x"]] * n,
        }
    )
    found = {it.name: it for it in describe(store, [rows]).columns}
    assert {name: it.role for name, it in found.items()} == {
        "few": "category",
        "many": "text",
        "long": "text",
        "year": "number",
        "coded": "category",
        "flag": "boolean",
        "share": "number",
        "nothing": "number",
        "day": "time",
        "raw": "binary",
        "tags": "nested",
    }
    assert found["few"].classes == ("a", "b") and found["few"].counts == {"data": (20, 20)}
    assert (found["flag"].nulls, found["nothing"].nulls, found["few"].nulls) == (20, 40, 0)
    assert found["year"].span == (2007, 2008) and found["nothing"].span is None


def test_the_label_is_told_by_the_split_or_its_name(store: Store) -> None:
    """What the split keeps the shares of is learnt, else what is called so, if it has classes; whole numbers can be classes there."""
    rows = pa.table({"kind": ["u", "v"] * 4, "Target": [1, 0] * 4, "y": [0.5] * 8})
    found = describe(store, [rows])
    assert found.label == "Target" and found.columns[1].classes == (0, 1)
    found = describe(store, [rows], "kind")
    assert found.label == "kind" and found.columns[1].role == "number"
    assert describe(store, [rows.select(["y"])]).label is None  # measured, not one of some classes
    media = pa.table({"path": ["a/1.png"], "label": ["a"], "mode": ["L"]})
    found = describe(store, [media], kind="images", media={"a/1.png": b"x"})
    assert found.label == "label" and [it.role for it in found.columns] == ["media", "category", "category"]


def test_too_many_classes_are_none(store: Store) -> None:
    """A column has classes up to a limit, also when they come in several pieces."""
    texts = [f"{number:04}" for number in range(MOST_CLASSES + 1)]
    most, more = (pa.table({"t": texts[:count] * 3}) for count in (MOST_CLASSES, MOST_CLASSES + 1))
    assert len(describe(store, [most]).columns[0].classes) == MOST_CLASSES
    assert describe(store, [more]).columns[0].role == "text"
    assert describe(store, [more.slice(0, 300), more.slice(300)]).columns[0].role == "text"


@given(tables(max_rows=20), st.integers(0, 20))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_table_is_described_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, table: pa.Table, cut: int
) -> None:
    """Every type is described, and the same rows in other fragments are described alike."""
    with Store.open(tmp_path_factory.mktemp("store") / "store") as store:
        whole = describe(store, [table])
        cut = min(cut, table.num_rows)
        pieces = describe(store, [table.slice(0, cut), table.slice(cut)])
        assert [vars(it) for it in whole.columns] == [vars(it) for it in pieces.columns]
        assert [it.nulls for it in whole.columns] == [
            sum(value is None for value in column.to_pylist()) for column in table.columns
        ]


def test_rows_are_looked_at_once(store: Store) -> None:
    """Another framework, or the same again, reads no row; what depends on rows is an action of its own."""
    rows = pa.table({"a": ["u", "v"] * 4})
    digest = put_table(store, [rows])

    def run(*names: str) -> list[str]:
        params = export_params("parquet", framework=list(names))
        job = PlainJob(store, "export", params, {"normalize": digest})
        Export().build(job)
        return job.runs

    assert run("pytorch") == ["demo: columns", "demo: loaders", "demo: manifest.yaml"]
    assert run("pytorch") == []
    assert run("lightning") == ["demo: loaders", "demo: manifest.yaml"]


def small() -> pa.Table:
    return pa.table({"a": ["u", "v"] * 10, "n": range(20)})


def test_files_are_in_the_folder_and_the_manifest(tmp_path: Path) -> None:
    """One framework has ``dataset.py``; README and labels go with it, and the facts have the snippet."""
    folder, facts = export_folder(tmp_path, [small()], "pytorch", parts={"train": 0.5, "test": 0.5})
    names = {"README.md", "dataset.py", "labels.json", "manifest.yaml", "train.parquet", "test.parquet"}
    assert {it.name for it in folder.iterdir()} == names
    listed = {it.path: it.format for it in read_manifest(folder / "manifest.yaml").files}
    assert {path for path, what in listed.items() if what == "loader"} == {
        "README.md",
        "dataset.py",
        "labels.json",
    }
    assert facts["snippets"] == {
        "pytorch": 'from dataset import make_loader\n\nfor batch in make_loader("train", batch_size=32, shuffle=True):\n    ...'
    }
    readme = (folder / "README.md").read_text()
    assert facts["snippets"]["pytorch"] in readme
    assert "| `n` | `int64` | number | int64 | none |" in readme
    labels = json.loads((folder / "labels.json").read_text())
    assert labels["columns"]["a"]["classes"] == ["u", "v"] and labels["columns"]["a"]["index"]["v"] == 1
    assert np.sum(list(labels["columns"]["a"]["counts"].values())) == 20


def test_several_frameworks_have_a_module_each(tmp_path: Path) -> None:
    """Their names are in the modules' and in the snippets, and README has a section for each."""
    folder, facts = export_folder(tmp_path, [small()], "pytorch", "lightning")
    assert {it.name for it in folder.glob("*.py")} == {"dataset_pytorch.py", "dataset_lightning.py"}
    assert "from dataset_lightning import DemoDataModule" in facts["snippets"]["lightning"]
    readme = (folder / "README.md").read_text()
    assert readme.index("## pytorch") < readme.index("## lightning") < readme.index("## Columns")


def test_a_format_that_can_be_read_is_added(tmp_path: Path) -> None:
    """A framework that reads none of the formats asked for gets the first of its own; one that reads one of them adds none."""
    folder, _ = export_folder(tmp_path / "a", [small()], "pytorch", formats=["csv"])
    assert (folder / "data.parquet").exists() and "data.parquet" in (folder / "dataset.py").read_text()
    folder, _ = export_folder(tmp_path / "b", [small()], "pytorch", formats=["arrow"])
    assert not (folder / "data.parquet").exists() and "data.arrow" in (folder / "dataset.py").read_text()
    assert formats_for(["pytorch", "lightning"], ["csv"]) == ["csv", "parquet"]


def test_an_export_without_frameworks_is_as_it_was(tmp_path: Path) -> None:
    """Nothing is written for frameworks that were not asked for."""
    folder, facts = export_folder(tmp_path, [small()])
    assert {it.name for it in folder.iterdir()} == {"data.parquet", "manifest.yaml"}
    assert "snippets" not in facts


def test_files_depend_on_the_data_alone(tmp_path: Path) -> None:
    """The same rows in other fragments, in another place, give the same files."""
    one, _ = export_folder(tmp_path / "1", [small()], "pytorch", compression="zstd:3")
    two, _ = export_folder(
        tmp_path / "2", [small().slice(0, 7), small().slice(7)], "pytorch", compression="zstd:3"
    )
    assert {it.name: it.read_bytes() for it in one.iterdir()} == {
        it.name: it.read_bytes() for it in two.iterdir()
    }


def test_a_readme_of_a_format_stays_first(store: Store) -> None:
    """What a format has written as README, with YAML at its start, is followed by what frameworks say, in one file."""
    from mldata.stages.exportloaders import loaders

    plan = plan_of(store, [small()])
    card = store.put(b"---\nlicense: mit\n---\n\n# Demo\n")
    data = store.put(b"rows")
    files = [
        OutputFile("README.md", "parquet", None, None, card.digest, card.size),
        OutputFile("data.parquet", "parquet", "data", 20, data.digest, data.size),
    ]
    made = {it.path: it for it in loaders(plan, files).files}
    assert sorted(made) == ["README.md", "data.parquet", "dataset.py", "labels.json"]
    text = store.read(made["README.md"].digest).decode()
    assert text.startswith("---\nlicense: mit\n---\n\n# Demo\n\n20 rows in 1 part") and "## pytorch" in text


def test_a_framework_whose_format_failed_is_left_out(store: Store) -> None:
    """Where formats may fail, so may what reads them: a warning says so, and the others are whole. Else it is an error."""
    from mldata.stages.exportloaders import loaders

    data = store.put(b"rows")
    files = [OutputFile("data.csv", "csv", "data", 20, data.digest, data.size)]
    plan = plan_of(store, [small()])
    with pytest.raises(BuildError, match="pytorch reads parquet or arrow, which could not be written"):
        loaders(plan, files)
    plan.job.partial = True  # type: ignore[misc]
    assert loaders(plan, files).files == files
    assert "pytorch reads parquet or arrow" in plan.job.warnings[0]  # type: ignore[attr-defined]


def test_a_file_of_the_media_is_not_written_over(tmp_path: Path) -> None:
    """Media in the place of a loader's file are an error before anything is written."""
    rows = pa.table({"path": ["dataset.py"], "label": ["a"]})
    with pytest.raises(BuildError, match=r"'dataset.py'.*would be one file"):
        export_folder(tmp_path, [rows], "pytorch", kind="images", media={"dataset.py": b"x"})


def test_a_module_can_be_imported_where_it_is(tmp_path: Path) -> None:
    """What Python keeps of an imported module does not stand in the way of the next export; any other file still does."""
    folder, _ = export_folder(tmp_path, [small()], "pytorch")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/dataset.cpython-311.pyc").write_bytes(b"x")
    assert set(earlier_files(folder, {})) == {it.name for it in folder.iterdir()} - {"__pycache__"}
    (folder / "own.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"found own\.txt"):
        earlier_files(folder, {})


def test_unknown_frameworks_are_errors() -> None:
    """The message lists those that there are."""
    with pytest.raises(SpecError) as caught:
        find_framework("keras")
    assert all(name in str(caught.value) for name in FRAMEWORKS)
