"""``mldata profile`` on what a user has: datasets, builds, parts, exports, files; what it tells, and what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, environment
from tests.e2e.small import small_project


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A dataset of 30 rows in two parts, built and exported."""
    project = small_project(tmp_path_factory.mktemp("profile") / "project")
    project.write("mldata.yaml", (project / "mldata.yaml").read_text() + "  plain: {source: data/0.csv}\n")
    project.build("d")
    return project


def profile(project: Project, *args: str) -> dict[str, Any]:
    """The result of ``--json``."""
    told: dict[str, Any] = project.json("profile", *args)["result"]
    return told


def test_in_a_terminal(built: Project) -> None:
    """The table in a line, a line a column, and how to see more; progress is no part of it."""
    done = built.run("profile", "d", "-q")
    lines = done.out.splitlines()
    assert lines[0] == "d"
    assert lines[1].startswith("30 rows, 2 columns, ") and lines[1].endswith(" s")
    assert "mean 14.5, median 14.5, 0 to 29" in next(line for line in lines if line.startswith("x "))
    assert "a 50%, b 50%" in next(line for line in lines if line.startswith("y "))
    assert lines[-1] == "split into train, test: --splits compares them, --split looks at one"
    assert done.err == "" and "\x1b" not in done.out


def test_the_result(built: Project) -> None:
    """A program gets rows, and of each column its type, counts, statistics, most frequent values and alerts."""
    told = profile(built, "d")
    assert told["rows"] == 30 and told["title"] == "d" and list(told["columns"]) == ["x", "y"]
    x, y = told["columns"].values()
    assert (x["dtype"], x["nulls"], x["distinct"], x["min"], x["max"], x["mean"]) == (
        "int64",
        0,
        30,
        0,
        29,
        14.5,
    )
    assert x["percentiles"]["50"] == 14.5 and x["std"] == pytest.approx(8.8034)
    assert [(top["value"], top["count"]) for top in y["top"]] == [("a", 15), ("b", 15)]
    assert told["parts"] == {} and isinstance(x["alerts"], list)


def test_reports(built: Project, tmp_path: Path) -> None:
    """Each ``-o`` is written, in the form that its suffix says, and again the same bytes; parts are compared."""
    files = [tmp_path / f"new/report{suffix}" for suffix in (".html", ".md", ".json")]
    wanted = [word for path in files for word in ("-o", str(path))]
    told = profile(built, "d", *wanted)
    first = [path.read_bytes() for path in files]
    assert first[0].lower().startswith(b"<!doctype html>") and b"train" in first[0]
    assert b"| rows | 18 (60%) | 12 (40%) |" in first[1]
    assert json.loads(first[2]) == told and list(told["parts"]) == ["train", "test"]
    built.run("profile", "d", *wanted, "-j", "1")
    assert [path.read_bytes() for path in files] == first
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in files)


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (["d@1"], 30),
        (["d#train"], 18),
        (["d", "--split", "test"], 12),
        (["d@1#test"], 12),
        (["d@1", "--split", "train"], 18),
        (["dataset://d#test"], 12),
        (["out/d"], 30),
        (["out/d#train"], 18),
        (["data/*.csv"], 30),
        (["data/0.csv"], 10),
        (["data"], 30),
        (["plain"], 10),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_what_can_be_named(built: Project, words: list[str], rows: int) -> None:
    """A dataset, a build, a part of either, an export, files and folders."""
    told = profile(built, *words)
    assert told["rows"] == rows and told["columns"]["x"]["rows"] == rows
    assert "#" in told["title"] or "#" not in " ".join(words)


def test_a_part_is_the_same_however_it_is_named(built: Project) -> None:
    """``NAME#PART``, ``--split PART`` and the part beside the others tell the same of its columns."""
    one, other = profile(built, "d#train"), profile(built, "d", "--split", "train")
    assert one == other
    beside = profile(built, "d", "--splits")["parts"]["train"]
    for key in ("rows", "nulls", "distinct", "mean", "std", "min", "max", "percentiles", "top"):
        assert beside["columns"]["x"][key] == one["columns"]["x"][key]


def test_parts_in_a_terminal(built: Project) -> None:
    """``--splits`` sets the parts side by side; of a part by itself, and of what is not split, it says that there is nothing to compare."""
    text = built.run("profile", "d", "-q", "--splits").out
    assert "train    18    60%" in text and "test     12    40%" in text
    assert "split into" not in text
    assert "split into" not in built.run("profile", "d#train", "-q").out
    for words in (["plain"], ["d#train"], ["d", "--split", "train"]):
        lines = built.run("profile", *words, "-q", "--splits").out.splitlines()
        assert lines[-2:] == ["", "there are no parts that --splits could compare"]


def test_names_of_parts_have_room(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long they are, no line is wider than the terminal."""
    parts = ", ".join(f"part_with_a_rather_long_name_{number}: 0.25" for number in range(4))
    built.write("wide/mldata.yaml", f"version: 1\ndatasets: {{w: {{source: ../data, split: {{{parts}}}}}}}\n")
    monkeypatch.setenv("COLUMNS", "80")
    lines = built.run("profile", "w", "-q", "-C", str(built / "wide")).out.splitlines()
    assert any(line.startswith("split into part_with_a_rather_long_name_0, ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_some_columns(built: Project) -> None:
    """``--columns`` tells of these alone, in this order, in parts and rows too."""
    told = profile(built, "d", "--columns", "y,x", "--splits")
    assert list(told["columns"]) == ["y", "x"]
    told = profile(built, "d", "--columns", "y", "--splits")
    assert (
        list(told["columns"])
        == list(told["parts"]["train"]["columns"])
        == told["preview"]["columns"]
        == ["y"]
    )


def test_the_size_is_of_what_is_told(built: Project) -> None:
    """Bytes of the whole table are told beside all of its rows and columns, and not as if a part or some columns took them."""
    assert profile(built, "d")["size"] > 0
    assert profile(built, "d", "--splits")["parts"]["train"]["size"] is None
    for words in (["d#train"], ["d", "--columns", "y"]):
        assert profile(built, *words)["size"] is None
        assert " B, " not in built.run("profile", *words, "-q").out


def test_python_tells_the_same(built: Project) -> None:
    """``mldata.profile`` gives what ``--json`` is made of; a column that is named twice is told once."""
    import mldata
    from mldata.profile.form import to_json

    found = mldata.profile("d", split="train", columns=["y", "y"], project=built.root)
    assert to_json(found) == profile(built, "d#train", "--columns", "y")
    with pytest.raises(mldata.MldataError, match="'z'"):
        mldata.profile("d", columns=["z"], project=built.root)


def test_a_sample(built: Project) -> None:
    """A share of the rows is looked at, the same ones each time, and that is said."""
    told = profile(built, "d", "--sample", "50%")
    assert 0 < told["rows"] < 30 and told["share"] == 0.5
    assert profile(built, "d", "--sample", "0.5") == told
    assert "(a sample of 50%)" in built.run("profile", "d", "-q", "--sample", "50%").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["nothere"],
            "'nothere' is no file or folder here, and not a dataset of mldata.yaml; it has: d, plain",
        ),
        (["dd@1"], "Did you mean: d"),
        (["d@7"], "7"),
        (["d#validation"], "expected a part of d (train, test); found 'validation'"),
        (["d", "--split", "validation"], "expected a part of d (train, test); found 'validation'"),
        (["plain", "--split", "train"], "expected a part of plain, which is not split; found 'train'"),
        (["data/0.csv", "--split", "train"], "which is not split"),
        (["d#train", "--split", "train"], "expected no other part beside 'train', found 'd#train'"),
        (["d", "--columns", "z"], "expected columns of the table, found 'z'"),
        (["d", "--columns", ","], "expected names of columns, found none"),
        (["d", "--sample", "0"], "expected a share"),
        (["d", "-j", "0"], "expected -j of at least 1"),
        (
            ["d", "-o", "report.txt"],
            "expected a file called *.html, *.md or *.json after -o, found 'report.txt'",
        ),
        (["d", "-o", "folder.md"], "expected a file after -o, found the folder folder.md"),
        (["d", "-o", "data/0.csv/report.md"], "cannot write the report to data/0.csv/report.md"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_what_cannot_be(built: Project, words: list[str], said: str) -> None:
    """Exit code 3, with what was expected and found; no report is written."""
    (built / "folder.md").mkdir(exist_ok=True)
    done = built.run("profile", *words, "-o", "made.json", expect=3)
    assert said in done.err and done.out == ""
    assert "Traceback" not in done.err
    assert not (built / "made.json").exists() or "data/0.csv/report.md" in words


COMMANDS = (["profile", "d"], ["validate", "d"], ["drift", "d", "d"], ["diff", "d", "d"])


@pytest.mark.parametrize("words", COMMANDS, ids=lambda it: it[0])
@pytest.mark.parametrize("data", ['[{"x": 1}]', '{"form": 1}', "{", "7"])
def test_a_report_replaces_no_data(built: Project, words: list[str], data: str) -> None:
    """JSON that no command has written may be what is looked at, or other data: it stays as it is."""
    built.write("own.json", data)
    said = built.run(*words, "-o", "own.json", expect=3).err
    assert "expected a new file or an earlier report after -o, found own.json" in said
    assert (built / "own.json").read_text() == data


@pytest.mark.parametrize("words", COMMANDS, ids=lambda it: it[0])
def test_a_report_replaces_an_earlier_one(built: Project, words: list[str]) -> None:
    """That of any command, and a file with nothing in it."""
    built.write("again.json", "")
    more = (["validate", "data", "--checks", "files"], ["diff", "d@1", "d@1", "--manifest"])
    for other in (*COMMANDS, *more, words):
        built.run(*other, "-q", "-o", "again.json")
    json.loads((built / "again.json").read_text())


def test_a_missing_path(built: Project) -> None:
    """A path where nothing is ends as a source that is missing does, here and in a folder without a spec."""
    done = built.run("profile", "data/nothere.csv", expect=1)
    assert "data/nothere.csv: no such file or folder" in done.err


def test_colours(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where colours are wanted they come from here alone; and the text is the same without them."""
    import re

    plain = built.run("profile", "d", "-q").out
    monkeypatch.setenv("MLDATA_COLOR", "always")
    painted = built.run("profile", "d", "-q").out
    took = re.compile(r"\d+\.\d s$", re.MULTILINE)
    assert "\x1b[1md\x1b[0m" in painted
    assert took.sub("", re.sub("\x1b\\[\\d+m", "", painted)).split() == took.sub("", plain).split()
    assert "\x1b" not in built.run("profile", "d", "-q", "--no-color").out


def test_a_plain_terminal(built: Project) -> None:
    """A terminal that knows ASCII alone is given nothing else, by a process that no warning comes from."""
    built.write("odd/数据.csv", "数据,y\n" + "é,1\n" * 4 + "ü,2\n")
    env = {"PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error", "COLUMNS": "80"}
    done = built.spawn("profile", "-q", "odd/数据.csv", env=env)
    assert done.out.isascii() and done.err == ""
    assert "odd/????.csv" in done.out and "@-" in done.out


def test_a_second_look_loads_little(project: Project) -> None:
    """What is known is told without loading what builds and what computes; times, too, whatever else is installed."""
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: data.csv}\n")
    project.write(
        "data.csv", "number,word,at\n" + "".join(f"{n},w{n % 3},2026-01-{n:02}\n" for n in range(1, 29))
    )
    told = project.run("profile", "d", "--json", "-q").out
    assert json.loads(told)["result"]["columns"]["at"]["kind"] == "time"
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom mldata.cli import main\nmain(['profile', 'd', '--json', '-q'])\n"
        "print({'doit', 'pandas', 'pyarrow.compute', 'multiprocessing', 'statistics'} & (set(sys.modules) - before), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=project.root, env=environment(), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["result"] == json.loads(told)["result"]
    assert done.stderr == "set()\n"


def test_files_of_one_name_in_two_folders_are_two(project: Project, tmp_path: Path) -> None:
    """Where no project is around, what is known of a file is known of that file: one of the same name elsewhere is looked at by itself."""
    for folder, rows in (("one", 1), ("two", 2)):
        other = Project(tmp_path / "elsewhere" / folder)
        other.write("same.csv", "x\n" + "7\n" * rows)
        done = other.run("profile", "same.csv")
        assert "normalize:same.csv  " in done.err
    again = Project(tmp_path / "elsewhere" / "one").run("profile", "same.csv")
    assert "normalize:" not in again.err and "1 row," in again.out
