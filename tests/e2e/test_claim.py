"""Which folders a build without a spec writes to, and which files it leaves alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.e2e.plain import FLAGS, SPEC, into, refused, runs
from tests.e2e.project import Project, environment


def test_folders_that_are_in_the_way(plain: Project) -> None:
    """A folder that is a source, holds one, or holds the project or the store is refused."""
    assert "would be read as part of the source" in refused(plain, "data", "-o", "data/out")
    assert "would be read as part of the source" in refused(plain, "*/*.csv", "-o", "new", "--formats", "csv")
    assert "expected a folder, found something else" in refused(plain, "data/1.csv", "-o", "data/0.csv")
    assert "which was not made by an export" in refused(plain, "data/*.csv", "-o", ".")
    assert "expected a folder apart from" in refused(plain, "data", "-o", "../cache/mldata/store/x")
    plain.write("mldata.yaml", SPEC)
    assert "expected a folder that does not hold the project" in refused(plain, "data", "-o", ".")


def change(project: Project, how: str) -> Callable[[], bool]:
    """Put something of the user's into the folder; whether it is still there."""
    path = (
        project
        / "clean"
        / ("train.csv" if how == "edited" else "val.csv" if how == "in the way" else "notes.txt")
    )
    if how == "edited":
        path.unlink()
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    return lambda: path.read_text() == "mine"


def test_a_folder_with_files_of_others_is_refused(plain: Project) -> None:
    """What no export made is not touched, whatever it is."""
    still = change(plain, "alone")
    assert "clean/notes.txt, which was not made by an export" in refused(plain, "data", "-o", "clean")
    assert still()


@pytest.mark.parametrize("how", ["edited", "in the way"])
def test_a_file_of_the_user_is_never_replaced(plain: Project, how: str) -> None:
    """In an earlier export a file that was edited, or that stands where a new one would, stops the export."""
    into(plain, *FLAGS)
    still = change(plain, how)
    told = into(plain, "--split", "0.5,0.3,0.2", "--formats", "csv", expect=1)
    says = {
        "edited": "clean/train.csv, which was changed since",
        "in the way": "clean/val.csv, which was not made",
    }
    assert says[how] in told["errors"][0]["message"] and still()


def test_a_file_beside_an_earlier_export_stays(plain: Project) -> None:
    """A new export replaces the files of the one before, and leaves what stands beside them."""
    into(plain, *FLAGS)
    still = change(plain, "beside")
    into(plain, "--formats", "csv")
    assert sorted(os.listdir(plain / "clean")) == ["data.csv", "manifest.yaml", "notes.txt"] and still()


def test_a_folder_that_was_emptied_and_filled(plain: Project) -> None:
    """Where nothing of an earlier export is left, files of others are refused as in any folder."""
    into(plain, *FLAGS)
    shutil.rmtree(plain / "clean")
    still = change(plain, "alone")
    told = into(plain, "--formats", "csv", expect=1)
    assert "clean/notes.txt, which was not made by an export" in told["errors"][0]["message"] and still()


def test_an_export_from_elsewhere_is_known_by_its_manifest(plain: Project) -> None:
    """Where nothing is remembered of a folder, its manifest tells: what it lists, and is as it says, gives way."""
    into(plain, *FLAGS)
    shutil.rmtree(plain.root.parent / "cache")
    into(plain, "--formats", "csv")
    assert sorted(os.listdir(plain / "clean")) == ["data.csv", "manifest.yaml"]
    shutil.rmtree(plain.root.parent / "cache")
    (plain / "clean/data.csv").unlink()
    plain.write("clean/data.csv", "mine")
    told = into(plain, "--formats", "jsonl", expect=1)
    assert "clean/data.csv, which was changed since it was exported" in told["errors"][0]["message"]
    assert (plain / "clean/data.csv").read_text() == "mine"


@pytest.mark.parametrize("finish", [True, False])
def test_a_killed_export_goes_on(plain: Project, finish: bool) -> None:
    """A folder that a killed build left half written is written to the end by the next, or anew."""
    code = (
        "import os, sys\nimport store.placing\n"
        "placed = store.placing.Placer.place\n"
        "def place(self, entry, *rest):\n"
        "    if entry.name == 'test.parquet':\n        self.flush()\n        os._exit(9)\n"
        "    return placed(self, entry, *rest)\n"
        "store.placing.Placer.place = place\n"
        "from mldata.cli import main\nmain(sys.argv[1:])\n"
    )
    args = ["build", "data/*.csv", "-o", "clean", *FLAGS]
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=plain.root,
                          env=environment({"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}), timeout=60)  # fmt: skip
    assert done.returncode == 9 and "test.csv" in os.listdir(plain / "clean")
    assert "manifest.yaml" not in os.listdir(plain / "clean") or "train.parquet" not in os.listdir(
        plain / "clean"
    )
    if finish:
        into(plain, *FLAGS)
        assert len(plain.files("clean")) == 5
    else:  # another export takes away what the killed one has written
        into(plain, "--formats", "jsonl")
        assert sorted(plain.files("clean")) == ["data.jsonl", "manifest.yaml"]


def test_a_folder_that_is_gone_is_made_again(plain: Project) -> None:
    """Without running anything."""
    into(plain, *FLAGS)
    before = plain.files("clean")
    shutil.rmtree(plain / "clean")
    assert runs(into(plain, *FLAGS)) == [0, 0, 0, 0] and plain.files("clean") == before


def test_by_way_of_links(plain: Project) -> None:
    """A link to a folder is that folder: one that is a source is refused, and one that was exported to is known."""
    (plain / "link").symlink_to("data")
    assert "would be read as part of the source" in refused(plain, "data", "-o", "link/new")
    into(plain, *FLAGS)
    (plain / "latest").symlink_to("clean")
    told = plain.json("build", "data/*.csv", "-o", "latest", "--formats", "csv")["result"]["datasets"]
    assert list(told) == ["latest"] and sorted(os.listdir(plain / "clean")) == ["data.csv", "manifest.yaml"]
