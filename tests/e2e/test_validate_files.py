"""``mldata validate PATH``: every file of a folder, then the data that they hold; quarantine and back."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.project import Project


def picture(seed: int, kind: str = "JPEG") -> bytes:
    """A picture that no other seed gives."""
    image = Image.new("RGB", (48, 48))
    image.putdata(
        [
            ((x * seed * 7) % 256, (y * 5 + seed * 31) % 256, (x * y + seed) % 256)
            for y in range(48)
            for x in range(48)
        ]
    )
    made = io.BytesIO()
    image.save(made, kind, quality=90)
    return made.getvalue()


def put(project: Project, name: str, data: bytes) -> None:
    """Write a file below the project, folders included."""
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def fill(project: Project, folder: str = "pictures") -> None:
    """Eight pictures under two labels: one of them is cut short, another is a PNG by another name."""
    for seed in range(1, 9):
        data = picture(seed, "PNG" if seed == 6 else "JPEG")
        label = "cat" if seed % 2 else "dog"
        put(project, f"{folder}/{label}/{seed}.jpg", data[: len(data) // 2] if seed == 3 else data)


def state(folder: Path) -> dict[str, str]:
    """Digests of all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def files(project: Project, *args: str, expect: int) -> dict[str, Any]:
    found: dict[str, Any] = project.json("validate", *args, "--checks", "files", expect=expect)["result"]
    return found


def test_a_folder(project: Project) -> None:
    """What is corrupt and what is suspect is told by path, with the reason; the exit code says it; nothing is changed."""
    fill(project)
    before = state(project.root)
    told = files(project, "pictures", expect=2)
    assert (told["passed"], told["counts"]) == (
        False,
        {"valid": 6, "corrupt": 1, "suspect": 1, "skipped": 0, "timeout": 0},
    )
    assert told["checks"]["files"]["status"] == "failed"
    corrupt, suspect = sorted(told["files"], key=lambda it: it["verdict"])
    assert (corrupt["path"], corrupt["verdict"], corrupt["is_valid"]) == ("cat/3.jpg", "corrupt", False)
    assert corrupt["file_type"] == "jpeg" and corrupt["error"] and corrupt["details"]["decoder"]
    assert (suspect["path"], suspect["file_type"], suspect["is_valid"]) == ("dog/6.jpg", "png", True)
    text = project.run("validate", "pictures", "--checks", "files", expect=2).out
    assert "87.5% of 8 files are whole" in text and "cat/3.jpg" in text
    assert state(project.root) == before


def test_what_fails(project: Project) -> None:
    """``--fail-on`` says whether suspect files fail, or nothing does."""
    fill(project)
    assert files(project, "pictures", "--fail-on", "never", expect=0)["counts"]["corrupt"] == 1
    (project / "pictures/cat/3.jpg").unlink()
    assert files(project, "pictures", expect=0)["passed"] is True
    assert files(project, "pictures", "--fail-on", "warning", expect=2)["passed"] is False


def test_files_and_data(project: Project) -> None:
    """A folder is looked at by all checks; the data is that of the files which are whole, and the parts that folders name are compared."""
    for part, seeds in (("train", range(1, 7)), ("test", range(6, 9))):
        for seed in seeds:
            put(project, f"d/{part}/{'a' if seed % 2 else 'b'}/{part}{seed}.jpg", picture(seed))
    put(project, "d/train/a/cut.jpg", picture(9)[:500])
    told = project.json("validate", "d", expect=2)["result"]
    assert told["counts"]["corrupt"] == 1 and told["rows"] == 9 and told["parts"] == {"train": 6, "test": 3}
    assert set(told["checks"]) == {
        "schema",
        "missing",
        "duplicates",
        "labels",
        "leakage",
        "outliers",
        "files",
    }
    assert all(check["duration_seconds"] >= 0 for check in told["checks"].values())
    assert told["checks"]["leakage"]["status"] == "failed"  # picture 6 is in both


def test_tables(project: Project) -> None:
    """Damaged text is told by line, and what cannot be read is a check that could not be made."""
    project.write("t/a.csv", "id,text\n1,a\n2,b\n")
    project.write("t/b.csv", 'id,text\n1,"a\n2,b\n')
    told = project.json("validate", "t", expect=2)["result"]
    assert told["counts"]["corrupt"] == 1
    (bad,) = [it for it in told["files"] if it["verdict"] == "corrupt"]
    assert bad["path"] == "b.csv" and bad["details"]["line"] == 2
    assert told["rows"] == 2  # of the sound one


def test_reports(project: Project) -> None:
    """The report is written as JSON, Markdown or HTML, whichever the name says; another name is refused before anything is looked at."""
    fill(project)
    for name in ("report.json", "report.md", "report.html"):
        project.run("validate", "pictures", "--checks", "files", "-o", name, expect=2)
        assert "cat/3.jpg" in (project / name).read_text()
    assert json.loads((project / "report.json").read_text())["counts"]["corrupt"] == 1
    assert "data:image/" in (project / "report.html").read_text()
    assert "expected a file called" in project.run("validate", "pictures", "-o", "report.txt", expect=3).err


def test_known_files_are_not_decoded_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look starts no decoder, also under other names: verdicts are kept by content."""
    fill(project)
    first = files(project, "pictures", expect=2)
    (project / "pictures").rename(project / "other")
    from mldata.integrity import checking

    monkeypatch.setattr(checking.Checking, "_start", None, raising=False)
    again = files(project, "other", expect=2)
    assert again["files"] == first["files"] and again["counts"] == first["counts"]


def test_quarantine_and_back(project: Project) -> None:
    """Corrupt files are moved inside the folder, which then passes; ``--restore`` puts back every byte."""
    fill(project)
    before = state(project / "pictures")
    told = project.json("validate", "pictures", "--checks", "files", "--quarantine", expect=2)["result"]
    assert [it["path"] for it in told["quarantined"]["moved"]] == ["cat/3.jpg"]
    assert not (project / "pictures/cat/3.jpg").exists()
    assert (project / "pictures/.quarantine/cat/3.jpg").exists()
    assert files(project, "pictures", expect=0)["counts"]["corrupt"] == 0
    done = project.run("validate", "pictures", "--restore")
    assert "cat/3.jpg" in done.out
    assert state(project / "pictures") == before
    refused = project.run("validate", "pictures", "--quarantine", "elsewhere", expect=3)
    assert "inside" in refused.err and state(project / "pictures") == before


DATASET = """\
version: 1
datasets:
  pets:
    source: pictures
    split: {train: 0.5, test: 0.5}
    validate: {checks: [files]}
    export: {formats: [csv]}
"""


def test_a_dataset(project: Project) -> None:
    """A build ends at a corrupt file; ``--quarantine`` leaves it out of the builds from then on, on record; ``--restore`` takes that back."""
    fill(project)
    project.write("mldata.yaml", DATASET)
    assert "1 file of type jpeg" in project.run("build", expect=2).err
    told = files(project, "pets", expect=2)
    assert [it["path"] for it in told["files"] if it["verdict"] == "corrupt"] == ["cat/3.jpg"]
    project.run("validate", "pets", "--checks", "files", "--quarantine", expect=2)
    assert "cat/3.jpg" in (project / "mldata.yaml").read_text()
    project.build()
    manifest = (project / "artifacts/pets/manifest.yaml").read_text()
    assert "rows: 7" in manifest and "cat/3.jpg" in manifest
    assert files(project, "pets", expect=0)["counts"] == {
        "valid": 6,
        "corrupt": 0,
        "suspect": 1,
        "skipped": 0,
        "timeout": 0,
    }
    assert (project / "pictures/cat/3.jpg").exists()
    project.run("validate", "pets", "--restore")
    assert (project / "mldata.yaml").read_text() == DATASET
    project.run("build", expect=2)


def test_a_file_that_the_table_cannot_take(project: Project) -> None:
    """What no build gets past, since it is no picture at all, is still found, and left out by the same words."""
    fill(project)
    put(project, "pictures/dog/4.jpg", b"\xff\xd8\xff\xe0 no picture")
    project.write("mldata.yaml", DATASET)
    told = project.json("validate", "pets", "--quarantine", expect=2)["result"]
    assert set(told["quarantined"]["excluded"]) == {"cat/3.jpg", "dog/4.jpg"}
    assert project.build()["pets"]["stages"]["export"]["rows"] == 6


def test_what_is_no_file(project: Project) -> None:
    """Pipes are never opened, links that lead nowhere or in circles are told, names that are no text are looked at."""
    fill(project)
    folder = project / "pictures"
    os.mkfifo(folder / "pipe.jpg")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "circle").symlink_to(".")
    (folder / "line\nend.jpg").write_bytes(picture(20))
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jpg")).write_bytes(picture(21)[:300])
    told = files(project, "pictures", expect=2)
    by_path = {it["path"]: it for it in told["files"]}
    assert by_path["pipe.jpg"]["file_type"] == "fifo" and by_path["pipe.jpg"]["verdict"] == "skipped"
    assert by_path["gone.jpg"]["verdict"] == "skipped"
    assert by_path["\\xff.jpg"]["verdict"] == "corrupt"
    assert told["counts"]["valid"] == 7
    text = project.run("validate", "pictures", "--checks", "files", expect=2).out
    assert all(line.isprintable() for line in text.splitlines())


def test_nothing_to_look_at(project: Project) -> None:
    """A missing path is an error of the call; an empty folder does not pass as sound data."""
    refused = project.run("validate", "nowhere", expect=3)
    assert "nowhere" in refused.err and "Traceback" not in refused.err
    (project / "empty").mkdir()
    assert project.json("validate", "empty", expect=2)["result"]["passed"] is False


def test_from_python(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """``mldata.validate`` takes a path too, and gives both reports."""
    import mldata

    fill(project)
    monkeypatch.chdir(project.root)
    found = mldata.validate("pictures", checks=["files", "duplicates"])
    assert found.files is not None and found.files.counts["corrupt"] == 1
    assert found.passed is False and found.checks["duplicates"].status == "passed"


def test_a_sample(project: Project) -> None:
    """A share of the files of each folder and type, the same each time, and the report says so."""
    for seed in range(1, 13):
        put(project, f"many/{'a' if seed <= 8 else 'b'}/{seed}.png", picture(seed, "PNG"))
    told = files(project, "many", "--sample", "25%", expect=0)
    assert told["counts"]["valid"] == 3  # two of eight, one of four
    assert told["integrity"]["sampled"] == {"share": 0.25, "seed": 42, "chosen": 3, "of": 12}
    text = project.run("validate", "many", "--checks", "files", "--sample", "25%").out
    assert "a sample: 3 of 12 files (25%, seed 42)" in text
    assert files(project, "many", "--full", expect=0)["counts"]["valid"] == 12
    project.run("validate", "many", "--full", "--sample", "25%", expect=3)


def test_ctrl_c_gives_the_report_so_far(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found by then is told and written, as not finished, and the exit code is that of an interrupted command."""
    from mldata.reporter.files import FilesProgress

    fill(project)
    seen: list[bool] = []

    def found(self: FilesProgress, corrupt: bool) -> None:
        seen.append(corrupt)
        if len(seen) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(FilesProgress, "found", found)
    done = project.run("validate", "pictures", "-o", "report.json", expect=130)
    assert "stopped before all files were looked at" in done.out
    report = json.loads((project / "report.json").read_text())
    assert report["integrity"]["interrupted"] is True and report["passed"] is False
    assert sum(report["counts"].values()) == 4


def test_more_files_than_are_held(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is listed twice, since it has too many files, gives the same report."""
    from mldata import filechecks

    fill(project)
    reports = []
    for held in (50_000, 3):
        monkeypatch.setattr(filechecks, "HELD", held)
        reports.append([files(project, "pictures", *more, expect=None) for more in ((), ("--sample", "50%"))])
    assert reports[0] == reports[1]
    assert reports[0][1]["integrity"]["sampled"]["chosen"] < 8


def test_a_place_without_anything_to_look_at_has_not_passed(project: Project) -> None:
    """A folder without a file that can be checked may be the wrong one: exit code 2, with what was found and what was expected."""
    project.write("notes/a.txt", "hello")
    (project / "empty").mkdir()
    for place, found in (("notes", "1 of other types"), ("empty", "no file")):
        done = project.run("validate", place, "--checks", "files", expect=2)
        assert (
            f"{place}: expected a file that can be checked, found {found}" in done.err and "jpeg" in done.err
        )
        assert f"not checked  expected a file that can be checked, found {found}" in done.out
