"""Only what a change really touches is done again."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project

FILES = 200
ROWS = 5
SPEC = """\
version: 1
datasets:
  many:
    source: data/*.csv
    split: {train: 0.8, test: 0.2, seed: 1}
    export: {formats: [csv]}
"""


def rows(number: int, *, factor: float = 1.0) -> str:
    lines = [f"{number},{row},{(number * ROWS + row) * 0.25 * factor}" for row in range(ROWS)]
    return "\n".join(["file,row,value", *lines]) + "\n"


@pytest.fixture(scope="session")
def built_many(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """200 source files, built once."""
    project = Project(tmp_path_factory.mktemp("many") / "project")
    for number in range(FILES):
        project.write(f"data/{number:03}.csv", rows(number))
    project.write("mldata.yaml", SPEC)
    told = project.build()["many"]["stages"]
    assert told["normalize"]["actions"] == {"hit": 0, "run": FILES}
    assert told["normalize"]["rows"] == FILES * ROWS
    return project


@pytest.fixture
def many(built_many: Project, tmp_path: Path) -> Project:
    """A built copy of the 200 files."""
    project = built_many.copy(tmp_path / "many")
    assert set(project.stages("many").values()) == {"up-to-date"}
    return project


def actions(told: dict[str, Any]) -> dict[str, int]:
    """Actions run by each stage; fetch has none, it counts the files that it reads."""
    return {s: report["actions"]["run"] for s, report in told["many"]["stages"].items() if s != "fetch"}


def statuses(told: dict[str, Any]) -> dict[str, str]:
    return {stage: report["status"] for stage, report in told["many"]["stages"].items()}


def test_one_edited_file_runs_one_action(many: Project) -> None:
    """Editing one file of 200 normalizes that file; the other 199 are hits."""
    many.write("data/007.csv", rows(7, factor=3))
    told = many.build()
    assert told["many"]["stages"]["normalize"]["actions"] == {"hit": FILES - 1, "run": 1}
    assert told["many"]["stages"]["normalize"]["rows"] == FILES * ROWS
    exported = b"".join(many.files("artifacts/many").values())
    assert b"7,4,29.25" in exported
    assert b"7,4,9.75" not in exported


def test_one_added_file_runs_one_action(many: Project) -> None:
    """A new file is normalized alone, and its rows arrive."""
    many.write("data/1000.csv", rows(1000))
    told = many.build()
    assert told["many"]["stages"]["normalize"]["actions"] == {"hit": FILES, "run": 1}
    assert told["many"]["stages"]["export"]["rows"] == (FILES + 1) * ROWS


def test_one_removed_file_runs_no_normalize_action(many: Project) -> None:
    """Without one file, everything left is a hit, and its rows are gone."""
    (many / "data/007.csv").unlink()
    told = many.build()
    assert told["many"]["stages"]["normalize"]["actions"] == {"hit": FILES - 1, "run": 0}
    assert told["many"]["stages"]["export"]["rows"] == (FILES - 1) * ROWS
    assert b"\n7,4," not in b"".join(many.files("artifacts/many").values())


def test_a_file_that_returns_is_a_hit(many: Project) -> None:
    """Undoing an edit finds everything in the action cache, exports included."""
    before = many.files("artifacts/many")
    many.write("data/007.csv", rows(7, factor=3))
    many.build()
    many.write("data/007.csv", rows(7))
    assert set(actions(many.build()).values()) == {0}
    assert many.files("artifacts/many") == before


def test_touched_files_run_nothing(many: Project) -> None:
    """New time stamps on all files, contents equal: nothing is stale."""
    for path in (many / "data").iterdir():
        os.utime(path)
    told = many.build()
    assert set(statuses(told).values()) == {"up-to-date"}
    assert set(actions(told).values()) == {0}


def test_rewritten_files_run_nothing(many: Project) -> None:
    """Files replaced by equal ones (another inode) are not stale either."""
    for path in list((many / "data").iterdir()):
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    assert set(statuses(many.build()).values()) == {"up-to-date"}


def test_edit_within_the_clock_tick_is_seen(many: Project) -> None:
    """An edit of equal length with the old time stamp put back is still an edit."""
    path = many / "data/007.csv"
    stamp = path.stat().st_mtime_ns
    old = path.read_text()
    path.write_text(old.replace("7,4,9.75", "7,4,9.85"))
    os.utime(path, ns=(stamp, stamp))
    assert actions(many.build())["normalize"] == 1
    assert b"7,4,9.85" in b"".join(many.files("artifacts/many").values())


def test_an_edit_without_meaning_stops_after_normalize(many: Project) -> None:
    """Quoting a field changes the file and not the table: split and export stay up to date."""
    many.replace("data/007.csv", "7,4,9.75", '"7",4,9.7500')
    told = many.build()
    assert actions(told) == {"normalize": 1, "split": 0, "export": 0}
    assert statuses(told)["normalize"] == "ran"
    assert statuses(told)["split"] == "up-to-date"


def test_a_changed_ratio_runs_split_and_later(many: Project) -> None:
    """The table is not made again for another split."""
    many.replace("mldata.yaml", "train: 0.8, test: 0.2", "train: 0.6, test: 0.4")
    told = many.build()
    assert statuses(told) == {
        "fetch": "up-to-date",
        "normalize": "up-to-date",
        "split": "ran",
        "export": "ran",
    }
    assert (many / "artifacts/many/train.csv").read_text().count("\n") == FILES * ROWS * 6 // 10 + 1


def test_comments_and_key_order_run_nothing(many: Project) -> None:
    """The spec is compared by meaning."""
    many.write(
        "mldata.yaml",
        "# reordered\ndatasets:\n  many:  # the same\n    export:\n      formats: csv\n"
        "    split: {seed: 1, test: 0.2, train: 0.8}\n    source: ['data/*.csv']\nversion: 1\n",
    )
    told = many.build()
    assert set(statuses(told).values()) == {"up-to-date"}


def test_a_deleted_export_comes_back_alone(many: Project) -> None:
    """Nothing but the missing file is written, and no action runs."""
    before = many.files("artifacts/many")
    kept = (many / "artifacts/many/test.csv").stat().st_mtime_ns
    (many / "artifacts/many/train.csv").unlink()
    told = many.build()
    assert set(actions(told).values()) == {0}
    assert {stage for stage, status in statuses(told).items() if status == "ran"} <= {"export"}
    assert many.files("artifacts/many") == before
    assert (many / "artifacts/many/test.csv").stat().st_mtime_ns == kept


def test_an_edited_export_comes_back_alone(many: Project) -> None:
    """An export that someone wrote into is replaced, also when it was a hardlink into the store."""
    before = many.files("artifacts/many")
    path = many / "artifacts/many/train.csv"
    path.chmod(0o644)
    with path.open("ab") as file:
        file.write(b"999,999,999\n")
    many.build()
    assert many.files("artifacts/many") == before
    assert many.json("check", "--read-data")["result"]["ok"]


def test_a_deleted_export_folder_comes_back(many: Project) -> None:
    """The whole folder is made again from the store."""
    import shutil

    before = many.files("artifacts/many")
    shutil.rmtree(many / "artifacts")
    assert set(actions(many.build()).values()) == {0}
    assert many.files("artifacts/many") == before


def test_salt_disowns_every_result(many: Project) -> None:
    """Another ``salt:`` reads every file and runs every action of every dataset again, says so, and gives the same files."""
    for number in (1, 2):
        many.write(f"few/{number}.csv", rows(number, factor=7))
    two = SPEC + "  few:\n    source: few/*.csv\n    export: {formats: [csv]}\n"
    many.write("mldata.yaml", two)
    many.build()
    before = many.files("artifacts")
    many.write("mldata.yaml", two.replace("version: 1", "version: 1\nsalt: again"))
    for name in ("many", "few"):
        told = many.json("explain", name)["result"]["datasets"][name]["stages"]
        assert {"code": "salt", "text": "salt changed from '' to 'again'", "old": "", "new": "again"} in told[
            "fetch"
        ]["reasons"]
        assert all("salt" in {it["code"] for it in state["reasons"]} for state in told.values())
    told = many.build()
    for name, files in (("many", FILES), ("few", 2)):
        stages = told[name]["stages"]
        assert {stage["actions"]["hit"] for stage in stages.values()} == {0}
        assert [stages[stage]["actions"]["run"] for stage in ("fetch", "normalize")] == [files, files]
    assert many.files("artifacts") == before


def test_the_salt_of_before_owns_its_results_again(many: Project) -> None:
    """A salt is part of what an action is: with the old one back, the old results are found."""
    many.write("mldata.yaml", SPEC.replace("version: 1", "version: 1\nsalt: again"))
    many.build()
    many.write("mldata.yaml", SPEC)
    assert set(actions(many.build()).values()) == {0}


def test_lost_receipts_cost_no_action(many: Project) -> None:
    """Receipts and doit's database are caches: without them all actions are hits."""
    import shutil

    before = many.files("artifacts/many")
    shutil.rmtree(many / ".mldata/receipts")
    for database in (many / ".mldata").glob("doit*"):
        database.unlink()
    assert set(actions(many.build()).values()) == {0}
    assert many.files("artifacts/many") == before


def test_a_source_edited_later_is_not_missed(many: Project) -> None:
    """Edits made right after a build, while clocks may still show the same tick, are seen every time."""
    for turn in range(3):
        many.write("data/007.csv", rows(7, factor=turn + 2))
        begun = time.monotonic()
        assert actions(many.build())["normalize"] == 1, f"turn {turn}, {time.monotonic() - begun:.3f} s"
