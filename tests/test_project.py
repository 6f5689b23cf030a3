"""Projects: found from below, read from a cache that only ever saves time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mldata.project as project_module
from mldata.errors import SpecError, UnknownDataset, UsageError
from mldata.project import DatasetSpec, Project, find_project, load_project, make_dataset

SPEC = """\
version: 1
link: copy
salt: pepper
datasets:
  penguins:
    source: [data/a.csv, data/b.csv]
    split: {train: 0.8, test: 0.2}
    export: {formats: [csv]}
  bare: {source: raw}
"""


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLDATA_STORE", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "mldata.yaml").write_text(SPEC)
    return tmp_path


def cache(home: Path) -> Path:
    (path,) = (home / ".mldata" / "cache").iterdir()
    return path


def test_a_project(home: Path) -> None:
    """Paths are absolute, settings plain, datasets in the order of the spec."""
    project = load_project(home)
    assert (project.root, project.spec_path) == (home, home / "mldata.yaml")
    assert (project.state, project.store_path) == (home / ".mldata", home / ".mldata" / "store")
    assert (project.link, project.salt) == ("copy", "pepper")
    assert list(project.datasets) == ["penguins", "bare"]
    penguins = project.dataset("penguins")
    assert penguins.sources == ("data/a.csv", "data/b.csv")
    assert penguins.export is not None
    assert penguins.export["to"] == "artifacts/penguins"
    assert load_project(home / "mldata.yaml") == project


def test_stages(home: Path) -> None:
    """A dataset goes through the stages that its section asks for; each has its parameters."""
    project = load_project(home)
    assert project.stages("penguins") == ("fetch", "normalize", "split", "export")
    assert project.stages(project.datasets["bare"]) == ("fetch", "normalize")
    assert project.dataset("penguins").params("split")["parts"] == [["train", 0.8], ["test", 0.2]]
    assert project.dataset("bare").params("fetch") == {}


def test_find_project(home: Path, tmp_path: Path) -> None:
    """From any folder below, up to the nearest spec."""
    below = home / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below) == home
    (home / "a" / "mldata.yaml").write_text(SPEC)
    assert find_project(below) == home / "a"


def test_find_project_stops_at_a_work_tree(home: Path) -> None:
    """A spec above the root of a git work tree belongs to something else."""
    inner = home / "repo" / "src"
    inner.mkdir(parents=True)
    (home / "repo" / ".git").mkdir()
    with pytest.raises(UsageError, match=r"no mldata\.yaml in .*src or above it") as caught:
        find_project(inner)
    assert "mldata init" in str(caught.value)
    (home / "repo" / "mldata.yml").touch()
    with pytest.raises(UsageError, match=r"found mldata\.yml"):
        find_project(inner)


def test_no_spec(tmp_path: Path) -> None:
    """A missing or unreadable spec is an error that says what to do."""
    with pytest.raises(UsageError, match="mldata init"):
        load_project(tmp_path)
    (tmp_path / "mldata.yaml").mkdir()
    with pytest.raises(UsageError, match=r"cannot read .*mldata\.yaml"):
        load_project(tmp_path)


def test_a_bad_spec_is_named_as_one_types_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is relative to the working folder, so that an editor can open it."""
    (home / "mldata.yaml").write_text("version: 3\n")
    monkeypatch.chdir(home)
    with pytest.raises(SpecError, match=r"^mldata\.yaml:1:10: expected version 1"):
        load_project(".")
    (home / "sub").mkdir()
    monkeypatch.chdir(home / "sub")
    with pytest.raises(SpecError) as caught:
        load_project("..")
    assert str(caught.value).startswith(f"{home}/mldata.yaml:1:10: ")


def test_unknown_dataset(home: Path) -> None:
    """The nearest name is offered, else those that there are."""
    project = load_project(home)
    with pytest.raises(UnknownDataset, match="did you mean 'penguins'"):
        project.dataset("pengins")
    with pytest.raises(UnknownDataset, match="it has bare, penguins"):
        project.dataset("zzz")
    (home / "mldata.yaml").write_text("version: 1\n")
    with pytest.raises(UnknownDataset, match="'mldata add x SOURCE' adds one"):
        load_project(home).dataset("x")


def test_the_store_can_be_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the spec, from the root; by MLDATA_STORE, which wins, from the working folder."""
    (home / "mldata.yaml").write_text(SPEC + "store: ../shared\n")
    assert load_project(home).store_path == home.parent / "shared"
    (home / "sub").mkdir()
    monkeypatch.chdir(home / "sub")
    monkeypatch.setenv("MLDATA_STORE", "mine")
    assert load_project(home).store_path == home / "sub" / "mine"
    monkeypatch.setenv("MLDATA_STORE", "~/mine")
    assert load_project(home).store_path == Path.home() / "mine"
    monkeypatch.setenv("MLDATA_STORE", "")
    assert load_project(home).store_path == home.parent / "shared"


def test_where(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later stages can name the place in the spec that they speak of."""
    monkeypatch.chdir(home)
    project = load_project(home)
    assert str(project.where("datasets", "penguins", "source", 1)) == "mldata.yaml:6:26"
    project.spec_path.unlink()
    assert str(project.where("datasets")) == "mldata.yaml"


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ("{source: x, export: {to: ROOT}}", "does not hold the project"),
        ("{source: x, export: {to: ROOT/..}}", "does not hold the project"),
        ("{source: x, export: {to: ROOT/.mldata/y}}", "apart from"),
        ("{source: x, export: {to: kept}}", "apart from"),
        ("{source: x, export: {to: kept/x}}", "apart from"),
        ("{source: ROOT/y, export: {to: y/z}}", "read as part of the source"),
        ("{source: x, export: {to: ROOT/artifacts}}", "'e' and 'd' would share a folder"),
        ("{source: x, export: {to: ROOT/artifacts/e/f}}", "'e' and 'd' would share a folder"),
    ],
)
def test_exports_by_absolute_path(home: Path, dataset: str, words: str) -> None:
    """What the spec alone cannot see, since it knows no root: the error names the place all the same."""
    spec = f"version: 1\nstore: kept\ndatasets:\n  e: {{source: x, export: {{}}}}\n  d: {dataset}\n"
    (home / "mldata.yaml").write_text(spec.replace("ROOT", str(home)))
    with pytest.raises(SpecError, match=words) as caught:
        load_project(home)
    assert ":5:" in str(caught.value)


# -- the cache -------------------------------------------------------------------------------------------------------


def test_a_known_spec_is_not_parsed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain form of these very bytes is used; other bytes are parsed, and replace it."""
    first = load_project(home)
    before = cache(home)
    monkeypatch.setattr("mldata.spec.parse_spec", None)
    assert load_project(home) == first
    monkeypatch.undo()
    (home / "mldata.yaml").write_text(SPEC + "# a comment\n")
    assert load_project(home) == first
    assert cache(home) != before


def test_a_damaged_cache_is_made_again(home: Path) -> None:
    """Cut at every length or with any bit flipped, it is noticed and rewritten."""
    project = load_project(home)
    path = cache(home)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in range(0, len(whole), 31)]
    for content in damaged:
        path.write_bytes(content)
        assert project_module._read_cache(path) is None
    assert load_project(home) == project
    assert path.read_bytes() == whole


def test_without_a_place_for_the_cache(home: Path) -> None:
    """A project that cannot be written can be read."""
    (home / ".mldata").write_text("in the way")
    assert load_project(home).salt == "pepper"
    assert (home / ".mldata").read_text() == "in the way"


def test_new_code_reads_the_spec_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that another version of the reader compiled is not used."""
    load_project(home)
    before = cache(home)
    monkeypatch.setattr(project_module, "PLAIN_VERSION", 999)
    load_project(home)
    assert cache(home) != before


def test_nothing_heavy_is_imported_for_a_known_spec(home: Path) -> None:
    """A build with nothing to do loads neither pydantic nor YAML."""
    load_project(home)
    code = """
import sys
from mldata.project import load_project
from mldata.lockfile import locked_tree
project = load_project(sys.argv[1])
project.stages("penguins"), locked_tree(project, "penguins")
print(sorted(m for m in ("pydantic", "yaml", "difflib", "unicodedata", "pyarrow") if m in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(home)],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout == "[]\n"


def test_a_dataset_made_without_a_spec() -> None:
    """parse_dataset and make_dataset together serve a build that has no mldata.yaml."""
    from mldata.spec import parse_dataset

    dataset = make_dataset("d", parse_dataset("d", {"source": "x.csv", "export": {"to": "/tmp/out"}}))
    assert isinstance(dataset, DatasetSpec)
    assert dataset.stages == ("fetch", "normalize", "export")


def test_projects_are_values(home: Path) -> None:
    """A project cannot be changed once it is read."""
    project = load_project(home)
    with pytest.raises(TypeError):
        project.datasets["x"] = project.datasets["bare"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        project.salt = ""  # type: ignore[misc]
    assert isinstance(project, Project)
