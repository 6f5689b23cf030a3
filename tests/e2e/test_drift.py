"""``mldata drift`` as a user runs it: on builds, parts, files of any format; what it says, writes, and ends with."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from mldata.cli import main
from tests.e2e.project import Project, environment

SPEC = """\
version: 1
datasets:
  d:
    source: data/*.csv
    split: {train: 0.5, test: 0.5, seed: 1, stratify: city}
    export: {to: out/d, formats: [parquet]}
"""
ROWS = 300
NOT_LOADED = {
    *("pyarrow", "doit", "pydantic", "rich", "yaml", "httpx"),
    *(
        "asyncio",
        "concurrent.futures",
        "email",
        "http",
        "importlib.metadata",
        "socket",
        "sqlite3",
        "statistics",
        "subprocess",
        "zipfile",
    ),
    *(
        "mldata.assignment",
        "mldata.build",
        "mldata.into",
        "mldata.lockfile",
        "mldata.sources.base",
        "store.partials",
    ),
}
"""What a comparison of known summaries does without, so that it takes less than half a second."""


def rows(start: int, *, age: int = 0, cities: str = "bonn ulm") -> str:
    names = cities.split()
    lines = (
        f"{row},{20 + row * 7 % 50 + age},{names[row * 13 % len(names)]}"
        for row in range(start, start + ROWS)
    )
    return "id,age,city\n" + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two builds of two files, one of which became another in between."""
    project = Project(tmp_path_factory.mktemp("drift") / "project")
    project.write("mldata.yaml", SPEC)
    for number in range(2):
        project.write(f"data/{number}.csv", rows(number * ROWS))
    project.build()
    project.write("data/1.csv", rows(ROWS, age=30, cities="bonn bonn bonn rom"))
    project.build()
    return project


@pytest.fixture
def builds(moved: Project, tmp_path: Path) -> Project:
    """A copy that a test may change."""
    return moved.copy(tmp_path / "moved")


def test_builds_after_an_edit(moved: Project) -> None:
    """What an edit did to the columns is told, the worst first; --fail-on decides about the exit code."""
    done = moved.run("drift", "d@1", "d@2", "-q")
    lines = done.out.splitlines()
    assert lines[0] == "Drift of d@2 against d@1: ✕ major"
    assert lines[1] == "2 of 3 columns drifted (67%); 600 rows before, 600 now"
    assert [line.split()[0] for line in lines[3:] if not line.startswith(" ")] == [
        "column",
        "city",
        "age",
        "id",
    ]
    assert "unseen 0% → 12%; ulm: 50% → 25%" in done.out
    assert re.search(r"mean 44\.\d+ → 59\.\d+", done.out)
    for limit in ("moderate", "major"):
        assert moved.run("drift", "d@1", "d@2", "--fail-on", limit, expect=2).out == done.out
    # What is called major can be said.
    assert "! moderate" in moved.run("drift", "d@1", "d@2", "--major", "50", "--fail-on", "major").out
    envelope = moved.json("drift", "d@1", "d@2", "--fail-on", "major", expect=2)
    assert not envelope["success"] and envelope["errors"] == []
    assert envelope["result"]["columns"]["age"]["severity"] == "major"


@pytest.mark.no_cover
def test_a_build_and_the_data_as_it_is_now(builds: Project) -> None:
    """A dataset without a build number is brought up to date first; equal rows are stable, whichever way they are named."""
    assert builds.json("drift", "d@2", "d", "--fail-on", "moderate")["result"]["severity"] == "stable"
    builds.write("data/1.csv", rows(ROWS))
    told = builds.json("drift", "d@1", "d", "--fail-on", "moderate")["result"]
    assert (told["drift"], told["share"]) == (False, 0.0)
    assert all(column["psi"] == 0 for column in told["columns"].values())
    assert builds.json("drift", "d@2", "out/d")["result"]["severity"] == "stable"


def test_parts(moved: Project) -> None:
    """Two parts of one dataset are compared, and parts of different builds; each has the rows of its own."""
    told = moved.json("drift", "d#train", "d#test")["result"]
    assert (told["baseline"], told["current"]) == (
        {"name": "d#train", "rows": 301},
        {"name": "d#test", "rows": 299},
    )
    assert told["columns"]["city"]["psi"] < 0.01  # it is stratified by it
    assert moved.json("drift", "d@1#train", "d@2#train")["result"]["severity"] == "major"


def test_files_of_different_formats(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CSV file and a Parquet file of the same rows have not drifted, though their types differ."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "cache"))
    table = pa.table({"n": pa.array(range(500), pa.int16()), "ä b": [f"k{row % 7}" for row in range(500)]})
    pq.write_table(table, project / "new.parquet")
    pc.write_csv(table, project / "old.csv")
    told = project.json("drift", "old.csv", "new.parquet", "--fail-on", "moderate")["result"]
    assert (told["severity"], told["columns"]["n"]["psi"]) == ("stable", 0)
    assert told["columns"]["n"]["note"] == "its type went from int64 to int16"


def test_reports(moved: Project, tmp_path: Path) -> None:
    """Several files are written at once; each says the same, the same bytes each time, and the page needs no other file."""
    names = [tmp_path / f"drift.{suffix}" for suffix in ("html", "md", "json")]
    asked = [word for name in names for word in ("-o", str(name))]
    told = moved.json("drift", "d@1", "d@2", *asked)["result"]
    page, text, plain = (name.read_bytes() for name in names)
    assert json.loads(plain) == told
    assert text.decode().startswith("# Drift of d@2 against d@1: 🔴 major\n\n2 of 3 columns drifted (67%)")
    assert b"<script" not in page and not re.search(rb'(src|href)="(?!#|data:)', page)
    moved.run("drift", "d@1", "d@2", *asked)
    assert [name.read_bytes() for name in names] == [page, text, plain]


def test_detailed(moved: Project) -> None:
    """--detailed shows every measure and the bins, of the columns that --columns asks for."""
    out = moved.run("drift", "d@1", "d@2", "--detailed", "--columns", "city").out
    assert "id" not in out.split() and "age" not in out.split()
    for word in ("PSI", "KL", "JS", "Hellinger", "chi2", "(unseen)", "bonn"):
        assert word in out, word


def test_no_data_is_read_again(builds: Project) -> None:
    """Builds whose summaries are known are compared without any of their fragments, which may be gone."""
    known = builds.run("drift", "d@1", "d@2", "-q").out
    from mldata.records import read_record
    from mldata.table import Table
    from store import Store

    with Store.open(builds / ".mldata/store") as store:
        outputs = [read_record(store, "d", number).outputs["normalize"] for number in (1, 2)]
        paths = {
            store.path(fragment.digest)
            for output in outputs
            for fragment in Table.open(store, output).fragments
        }
    assert len(paths) == 3
    # Nor is what reads data loaded, or what runs builds.
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom mldata.cli import main\nmain(['drift', 'd@1', 'd@2', '-q'])\n"
        f"print({NOT_LOADED} & (set(sys.modules) - before), file=sys.stderr)"
    )
    command, env = [sys.executable, "-c", program], environment(measured=False)
    done = subprocess.run(command, cwd=builds.root, env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (known, "set()\n")
    for path in paths:
        os.chmod(path.parent, 0o755)
        path.unlink()
    assert builds.run("drift", "d@1", "d@2", "-q").out == known


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("d@1", "nowhere.csv"), "nowhere.csv"),
        (("d@1", "d@9"), "no build 9"),
        (("d#trian", "d#test"), "expected a part of d (train, test); found 'trian'"),
        (("d#train", "d#tset"), "expected a part of d (train, test); found 'tset'"),
        (("other", "d"), "other"),
        (("d@1", "d@2", "--columns", "agee"), "Did you mean: age"),
        (("d@1", "d@2", "--bins", "1"), "expected 2 to 1,000 bins, found 1"),
        (("d@1", "d@2", "--moderate", "0.3"), "found 0.3 and 0.25"),
        (("d@1", "d@2", "--major", "nan"), "found 0.1 and nan"),
        (("d@1", "d@2", "--epsilon", "0"), "found 0"),
        (("d@1", "d@2", "--epsilon", "1e-320"), "expected a share from 1e-9 to 0.1 for an empty bin"),
        (("d@1", "d@2", "-o", "drift.pdf"), "*.html, *.md or *.json"),
        (("d@1",), "CURRENT"),
    ],
)
def test_bad_input(moved: Project, words: tuple[str, ...], said: str) -> None:
    """What cannot be compared is told with what was expected, and nothing else is printed."""
    done = moved.run("drift", *words, "-q", expect=3)
    assert done.out == ""
    assert said in done.err and "Traceback" not in done.err and "internal error" not in done.err


def test_outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no project is, a file with an @ in its name is a file; one that is not there is told as neither a file nor a build."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = Project(tmp_path / "folder")
    folder.write("a@1.csv", rows(0))
    assert folder.json("drift", "a@1.csv", "a@1.csv")["result"]["severity"] == "stable"
    err = folder.run("drift", "a@2.csv", "a@1.csv", expect=3).err
    assert "'a@2.csv' is no file or folder here, and for a build of a dataset there is no mldata.yaml" in err


def test_odd_tables(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables without rows, without a column in common, with names that no terminal may be given, are compared without complaint."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "cache"))
    odd = "x\x1b[31m\u202e|<b>`"
    tables = {
        "empty": pa.table({"a": pa.array([], pa.int64())}),
        "full": pa.table({"a": pa.array(range(50))}),
        "other": pa.table({"b": [None, 1.5]}),
        "odd": pa.table({odd: ["a"] * 60, "n": [[{"k": 1}]] * 60, "t": pa.array(range(60), pa.date32())}),
    }
    for name, table in tables.items():
        pq.write_table(table, project / f"{name}.parquet")
    both = project.json("drift", "empty.parquet", "empty.parquet")["result"]
    assert (both["severity"], both["share"]) == ("stable", 0)
    assert project.json("drift", "empty.parquet", "full.parquet")["result"]["severity"] == "major"
    none = project.json("drift", "full.parquet", "other.parquet")["result"]
    assert (none["columns"], none["added"], none["removed"], none["comparable"]) == ({}, ["b"], ["a"], False)
    for limit in ("moderate", "major"):
        out = project.run("drift", "full.parquet", "other.parquet", "--fail-on", limit, expect=2).out
        assert "✕ major\nno column in common: nothing could be compared" in out and "added: b" in out
    asked = ("-o", "odd.md", "-o", "odd.html", "--detailed", "-q")
    out = project.run("drift", "odd.parquet", "odd.parquet", *asked).out
    assert "\x1b" not in out and "\u202e" not in out
    assert "\u202e" not in (project / "odd.md").read_text() + (project / "odd.html").read_text()
    assert "<b>" not in (project / "odd.html").read_text().partition("<h2>Columns")[2].partition("<h2>How")[0]


def test_a_terminal_without_the_signs(moved: Project) -> None:
    """Where standard output has no check marks, arrows or umlauts, all else is told, and JSON is the same."""
    asked = ["-C", str(moved.root), "drift", "d@1", "d@2", "-q"]
    texts = []
    for more in ([], ["--json"]):
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        with contextlib.chdir(moved.root), contextlib.redirect_stdout(out):
            assert main([*asked, *more]) == 0
        out.seek(0)
        texts.append(out.read())
    assert texts[0].startswith("Drift of d@2 against d@1: ? major\n") and "unseen 0% ? 12%" in texts[0]
    assert json.loads(texts[1])["result"] == moved.json("drift", "d@1", "d@2")["result"]


@pytest.mark.parametrize(
    ("words", "code"), [(("d@1", "d@2", "-q", "--fail-on", "major"), 2), (("d@9", "d", "--json"), 3)]
)
def test_nobody_reads(moved: Project, words: tuple[str, ...], code: int) -> None:
    """What goes into a pipe whose reader has gone ends with the exit code that it has otherwise, and without a complaint."""
    reader, writer = os.pipe()
    os.close(reader)
    command, env = [sys.executable, "-m", "mldata", "drift", *words], environment()
    try:
        done = subprocess.run(
            command, cwd=moved.root, env=env, stdout=writer, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (code, "")


def test_media(examples: Project) -> None:
    """Folders of images and recordings are compared by what is known of their files."""
    told = examples.json("drift", "fashion#train", "fashion#test")["result"]
    assert told["columns"]["label"]["kind"] == "categorical"
    told = examples.json("drift", "fashion", "spoken-digits")["result"]
    assert "label" in told["columns"] and told["added"] and told["removed"]


def test_from_python(moved: Project) -> None:
    """``mldata.drift`` finds what the command finds, and is the function whatever was imported."""
    import mldata
    import mldata.drift.compare  # would put the package in the function's place
    from mldata.errors import UsageError

    found = mldata.drift("d@1", "d@2", project=moved.root, columns=["age", "city"])
    assert (found.severity, found.share) == ("major", 1.0)
    told = moved.json("drift", "d@1", "d@2", "--columns", "age,city")["result"]
    assert found.to_json() == told
    assert found.to_markdown().startswith("# Drift of d@2")
    assert found.to_html().startswith("<!DOCTYPE html>")
    with pytest.raises(UsageError, match="bins"):
        mldata.drift("d@1", "d@2", project=moved.root, bins=0)
