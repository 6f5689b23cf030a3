"""``.dvc`` files as sources: files come from DVC's cache, and nothing that they say is trusted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from mldata.dvcdir import dir_object
from mldata.errors import SourceError
from mldata.manifest import read_manifest
from mldata.sources import open_local
from tests.e2e.project import Project

FILES = {"a.csv": b"x,y\n1,2\n", "more/b.csv": b"x,y\n3,4\n", "more/same.csv": b"x,y\n1,2\n"}


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration of the machine has no say."""
    for name in ("DVC_SYSTEM_CONFIG_DIR", "DVC_GLOBAL_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a DVC repository, with ``raw/data.dvc`` of which nothing is checked out."""
    made = Project(tmp_path / "project")
    made.write(".dvc/config", "")
    made.write("mldata.yaml", "version: 1\ndatasets: {}\n")
    made.write("raw/data.dvc", f"outs:\n{folder(made, FILES, 'data')}")
    return made


def keep(project: Project, data: bytes, end: str = "") -> str:
    """Put an object into DVC's cache; its MD5."""
    md5 = hashlib.md5(data).hexdigest() + end
    path = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(data)
        path.chmod(0o444)
    return md5


def folder(project: Project, files: Mapping[str, bytes], path: str) -> str:
    """An entry of ``outs`` for a folder, whose objects are in the cache."""
    md5 = keep(project, dir_object({name: keep(project, data) for name, data in files.items()}).data, ".dir")
    return f"- md5: {md5}\n  size: 1\n  nfiles: {len(files)}\n  hash: md5\n  path: {path}\n"


def single(project: Project, data: bytes, path: str) -> str:
    return f"- md5: {keep(project, data)}\n  size: {len(data)}\n  hash: md5\n  path: {path}\n"


def listed(project: Project, text: str = "raw/data.dvc") -> dict[str, bytes]:
    return {name: Path(path).read_bytes() for name, path, _ in open_local(text, project.root).listing()}


def refused(project: Project, text: str) -> str:
    project.write("raw/data.dvc", text)
    with pytest.raises(SourceError) as caught:
        open_local("raw/data.dvc", project.root).listing()
    return str(caught.value)


@pytest.mark.no_cover
def test_a_dataset_of_dvc_is_added_and_built(project: Project) -> None:
    """`mldata add` and `mldata build` take what DVC tracks, from its cache, and the working folder gets no copy."""
    added = project.json("add", "d", "raw/data.dvc", "--split", "none")["result"]
    assert added["files"] == 3
    told = project.json("build")
    manifest = read_manifest(project / "artifacts/d/manifest.yaml")
    assert manifest.rows == 3 and manifest.sources[0]["files"] == 3
    assert os.listdir(project / "raw") == ["data.dvc"] and told["warnings"] == []
    assert set(project.stages("d").values()) == {"up-to-date"}


def test_a_new_version_is_built_anew(project: Project) -> None:
    """When the ``.dvc`` file moves on, only what changed is read."""
    project.json("add", "d", "raw/data.dvc", "--split", "none")
    project.build()
    project.write("raw/data.dvc", "outs:\n" + folder(project, FILES | {"a.csv": b"x,y\n9,9\n5,5\n"}, "data"))
    told = project.build()["d"]["stages"]
    assert told["fetch"]["actions"]["run"] == 1
    assert read_manifest(project / "artifacts/d/manifest.yaml").rows == 4


def test_names_are_those_in_the_folder_and_litter_is_left_out(project: Project) -> None:
    """A folder gives its files by their paths in it; hidden ones are left out, as from any folder."""
    assert listed(project) == FILES
    project.write(
        "raw/data.dvc", "outs:\n" + folder(project, FILES | {".DS_Store": b"", "more/.hid/x": b""}, "data")
    )
    assert listed(project) == FILES
    assert open_local("raw/data.dvc", project.root).listing().ignored == {".DS_Store": 1, ".*": 1}


def test_single_files_several_outs_and_another_folder(project: Project) -> None:
    """One file has its name; several things stand below their own paths; ``wdir`` says where they are checked out."""
    project.write("raw/one.csv.dvc", "outs:\n" + single(project, b"x\n1\n", "one.csv"))
    assert listed(project, "raw/one.csv.dvc") == {"one.csv": b"x\n1\n"}
    outs = folder(project, {"a.csv": b"x\n2\n"}, "sub/data") + single(project, b"x\n3\n", "sub/b.csv")
    project.write("raw/two.dvc", f"wdir: ..\nouts:\n{outs}")
    assert listed(project, "raw/two.dvc") == {"sub/data/a.csv": b"x\n2\n", "sub/b.csv": b"x\n3\n"}


def test_what_the_cache_lacks_is_taken_from_the_checkout_or_named(project: Project) -> None:
    """A file that is only checked out will do; where there is none the error says how to bring it."""
    md5 = hashlib.md5(FILES["more/b.csv"]).hexdigest()
    (project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    with pytest.raises(SourceError, match="lacks 1 of 3 files") as caught:
        listed(project)
    assert "dvc pull raw/data.dvc" in str(caught.value)
    project.write("raw/data/more/b.csv", FILES["more/b.csv"].decode())
    assert listed(project) == FILES


def test_a_damaged_object_is_not_taken(project: Project) -> None:
    """A file whose bytes are not those that DVC tracks ends the build, and names its place in the cache."""
    md5 = hashlib.md5(FILES["more/b.csv"]).hexdigest()
    path = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    path.chmod(0o644)
    path.write_bytes(b"x,y\n3,5\n")
    project.json("add", "d", "raw/data.dvc", "--split", "none")
    done = project.run("build", expect=1)
    assert md5 in done.text and str(path) in done.text and "dvc pull" in done.text
    assert not (project / "artifacts").exists()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("outs:\n- md5: {file}\n  hash: md5\n  path: ../../out.csv\n", "leads out of the repository"),
        ("outs:\n- md5: {file}\n  hash: md5\n  path: /etc/passwd\n", "leads out of the repository"),
        ("wdir: /etc\nouts:\n- md5: {file}\n  hash: md5\n  path: passwd\n", "leads out of the repository"),
        ("outs:\n- md5: {file}\n  path: a.csv\n", "one of DVC 2"),
        ("outs:\n- hash: md5\n  path: a.csv\n", "dvc pull raw/data.dvc"),
        ("outs:\n- md5: ../../../../etc/passwd\n  hash: md5\n  path: a.csv\n", "expected an MD5"),
        ("outs:\n- md5: {list}.dir\n  hash: md5\n  path: data\n", "expected a list of files"),
        ("outs: []\n", "no files"),
        ("outs: nothing\n", "a list of `outs`"),
    ],
)
def test_hostile_files_are_refused(project: Project, text: str, found: str) -> None:
    """Paths that lead out, hashes that are none and hashes of another kind: each is an error that says so."""
    file = keep(project, b"x\n1\n")
    hostile = keep(project, b'[{"md5": "%s", "relpath": "../../x"}]' % file.encode(), ".dir")
    assert found in refused(project, text.format(file=file, list=hostile.removesuffix(".dir")))


def test_a_damaged_list_is_refused(project: Project) -> None:
    """The list of a folder has to have the MD5 that the file names."""
    text = (project / "raw/data.dvc").read_text()
    [path] = (project / ".dvc/cache").rglob("*.dir")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"a.csv", b"b.csv"))
    assert "is damaged" in refused(project, text)
    path.unlink()
    assert "dvc pull raw/data.dvc" in refused(project, text)


def test_a_file_in_no_repository_is_refused(tmp_path: Path) -> None:
    """Without a repository there is no cache to take anything from; without a file there is nothing at all."""
    (tmp_path / "x.dvc").write_text("outs:\n- path: x\n")
    with pytest.raises(SourceError, match="in a DVC repository"):
        open_local("x.dvc", tmp_path).listing()
    with pytest.raises(SourceError, match="no such file"):
        open_local("y.dvc", tmp_path).listing()
    (tmp_path / "folder.dvc").mkdir()
    (tmp_path / "folder.dvc/a.csv").write_text("x\n1\n")
    assert list(open_local("folder.dvc", tmp_path).listing().names) == ["a.csv"]
