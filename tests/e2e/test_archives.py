"""A dataset out of archives, from the spec to the export."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from tests.archives.making import PACKERS, info, make_tar, make_zip
from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  pets:
    source: data
    split: {train: 0.5, test: 0.5}
    export: {formats: [csv]}
"""


def png(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (2, 2), shade).save(out, "png")
    return out.getvalue()


@pytest.mark.no_cover
def test_pictures_in_archives(tmp_path: Path) -> None:
    """Pictures of several archives are labelled, exported under the archive's name, and an edit to one archive opens that one."""
    project = Project(tmp_path / "p")
    project.write("mldata.yaml", SPEC)
    (project / "data").mkdir()
    (project / "data/a.zip").write_bytes(make_zip({f"cat/{i}.png": png(i) for i in range(4)}))
    (project / "data/b.tar.gz").write_bytes(PACKERS["tar.gz"](make_tar(("dog/1.png", png(9)), ("._x", b""))))
    told = project.build()["pets"]["stages"]
    assert told["normalize"]["actions"]["run"] == 3 and told["normalize"]["rows"] == 5
    files = project.files("artifacts/pets")
    assert files["a.zip/cat/3.png"] == png(3) and files["b.tar.gz/dog/1.png"] == png(9)
    table = files["train.csv"] + files["test.csv"]
    assert b"a.zip/cat/3.png,cat," in table and b"b.tar.gz/dog/1.png,dog," in table
    assert set(project.stages("pets").values()) == {"up-to-date"}
    (project / "data/b.tar.gz").write_bytes(PACKERS["tar.gz"](make_tar(("dog/1.png", png(8)))))
    assert project.build()["pets"]["stages"]["normalize"]["actions"] == {"hit": 1, "run": 2}


def test_info(tmp_path: Path) -> None:
    """What is in archives is shown before anything is built, links and archives in archives too; too many of these are refused."""
    project = Project(tmp_path / "p")
    inner = make_tar(("b.csv", b"a\n2\n3\n"), info("c.csv", tarfile.SYMTYPE, "b.csv"))
    project.root.mkdir()
    (project / "x.zip").write_bytes(make_zip({"a.csv": b"a\n1\n", "in.tar": inner, "notes.md": b"#"}))
    (told,) = project.json("info", "x.zip")["result"]["sources"]
    assert (told["rows"], told["files"], told["skipped"]) == (5, 3, ["x.zip/notes.md"])
    (project / "x.zip").write_bytes(make_zip({"y.zip": make_zip({"z.tar": inner})}))
    assert "x.zip/y.zip/z.tar: expected at most one" in project.run("info", "x.zip", expect=1).text
    assert [path.name for path in project.root.iterdir()] == ["x.zip"]


def test_a_hostile_archive(tmp_path: Path) -> None:
    """The build ends with exit code 1, the names of archive and member and what to do, and writes nothing."""
    project = Project(tmp_path / "p")
    project.write("mldata.yaml", SPEC)
    (project / "data").mkdir()
    (project / "data/a.zip").write_bytes(make_zip({"ok.png": png(1), "../../evil.png": png(2)}))
    done = project.run("build", expect=1)
    assert "a.zip: member '../../evil.png': expected a name that is safe" in done.text
    assert "name the folder as the source" in done.text and "Traceback" not in done.text
    assert not list(tmp_path.rglob("evil.png")) and not (project / "artifacts").exists()
    project.run("check", "--read-data")
