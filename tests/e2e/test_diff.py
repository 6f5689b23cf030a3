"""``mldata diff``: what has changed from one build, export, file or part to another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  d:
    source: data/*.csv
    split: {train: 0.6, test: 0.4, seed: 1}
    export: {to: out/d, formats: [parquet]}
"""
NEW_SPEC = SPEC.replace("seed: 1", "seed: 2").replace(
    "    split", "    normalize: {rename: {y: label}, drop: [z], types: {x: float64}}\n    split"
)


def rows(first: int, count: int = 20) -> str:
    """A CSV file."""
    return "x,y,z\n" + "".join(f"{n},{'ab'[n % 2]}{n % 7},{n}\n" for n in range(first, first + count))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Build 1, then build 2 with a column renamed, one dropped, one of a wider type, another seed, and a file more. Tests only look."""
    project = Project(tmp_path_factory.mktemp("diff") / "project")
    project.write("mldata.yaml", SPEC)
    project.write("data/0.csv", rows(0))
    project.write("data/1.csv", rows(20))
    project.build()
    project.run("export", "d@1", "-o", "first")
    project.write("data/2.csv", rows(40))
    project.write("mldata.yaml", NEW_SPEC)
    project.build()
    return project


def score(built: Project) -> str:
    """Of the guess that ``y`` is ``label``, as people see it."""
    [guess] = built.json("diff", "d@1", "d@2", "--schema")["result"]["schema"]["renamed"]
    return f"{guess['score']:.2f}"


def table(path: Path, **columns: object) -> str:
    """A Parquet file; its name."""
    pq.write_table(pa.table(columns), path)
    return path.name


def test_two_builds(built: Project) -> None:
    """Without a section: schema, making, and how much of the data is equal."""
    got = built.json("diff", "d@1", "d@2")["result"]
    schema = got["schema"]
    assert [it["path"] for it in schema["removed"]] == ["z"]
    assert [(it["old"], it["new"], it["guess"]) for it in schema["renamed"]] == [("y", "label", True)]
    assert [(it["path"], it["old"], it["new"], it["change"]) for it in schema["type_changes"]] == [
        ("x", "int64", "double", "other")
    ]
    assert schema["added"] == schema["reordered"] == schema["nullability_changes"] == []
    assert schema["breaking"] is got["breaking"] is True and got["same"] is False
    making = got["manifest"]
    assert {it["path"]: (it["old"], it["new"]) for it in making["params"]} == {
        "normalize.drop": ([], ["z"]),
        "normalize.rename.y": (None, "label"),
        "normalize.types.x": (None, "float64"),
        "split.seed": (1, 2),
    }
    [source] = making["sources"]
    assert (source["path"], source["old"]["files"], source["new"]["files"]) == ("data/*.csv", 2, 3)
    assert [it["path"] for it in source["files"]["added"]] == ["2.csv"] and source["files"]["unchanged"] == 2
    assert making["versions"] == making["code"] == []
    assert got["data"]["rows"] == [40, 60] and got["data"]["compared"] is False
    assert got["drift"] is None


def test_sections(built: Project) -> None:
    """A section by its flag alone is what was asked for; the rest is null, and nothing of it is made."""
    got = built.json("diff", "d@1", "d@2", "--manifest")["result"]
    assert got["manifest"]["same"] is False
    assert got["schema"] is got["data"] is got["drift"] is None
    got = built.json("diff", "d@1", "d@2", "--drift", "--data", "--key", "x")["result"]
    assert got["drift"]["removed"] == ["y", "z"] and set(got["drift"]["columns"]) == {"x"}
    assert (got["data"]["added"], got["data"]["removed"], got["data"]["changed"]) == (20, 0, 0)
    assert got["schema"] is got["manifest"] is None


def test_a_build_and_an_export(built: Project) -> None:
    """What only a record tells is left out, and that is said; an export of a build was made as the build."""
    got = built.json("diff", "d@1", "first")["result"]
    assert got["schema"]["same"] and got["manifest"]["same"]
    assert "python" in got["manifest"]["left_out"]
    assert got["manifest"]["params"] == got["manifest"]["sources"] == []
    told = built.json("diff", "first", "out/d", "--manifest")["result"]["manifest"]
    assert told["left_out"] == [] and len(told["sources"][0]["files"]["added"]) == 1
    assert [it["path"] for it in told["params"]][-1] == "split.seed"


def test_exports_from_elsewhere(built: Project, tmp_path: Path) -> None:
    """Of two exports that came without their project the files of the sources are not known: their trees tell that they differ."""
    plain = Project(tmp_path)
    for name, folder in (("one", "first"), ("two", "out/d")):
        shutil.copytree(built / folder, tmp_path / name)
    [source] = plain.json("diff", "one", "two", "--manifest")["result"]["manifest"]["sources"]
    assert "normalize:" not in plain.run("diff", "one", "two", "--manifest").err
    assert source["files"] is None and source["old"]["tree"] != source["new"]["tree"]
    assert "  source   data/*.csv: tree " in plain.run("diff", "one", "two", "--manifest").out
    manifest = tmp_path / "one" / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace('"tree": "', '"tree": "../'))
    assert plain.json("diff", "one", "two", "--manifest")["result"]["manifest"]["sources"][0]["files"] is None


def test_the_same_twice(built: Project) -> None:
    """Whatever it is, nothing differs, and nothing fails."""
    for word in ("d", "d@1", "out/d", "data/0.csv", "d@2#train"):
        got = built.json("diff", word, word, "--fail-on", "any")["result"]
        assert got["same"] is True, word
        assert got["data"]["rows"][0] == got["data"]["rows"][1] > 0
        assert built.json("diff", word, word, "--drift", "--data", "--schema")["result"]["same"] is True


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["d@1", "d@2", "--fail-on", "breaking"], 2),
        (["d@1", "d@2", "--data", "--fail-on", "breaking"], 2),
        (["d@2", "out/d", "--fail-on", "breaking"], 0),
        (["d@2", "out/d", "--schema", "--fail-on", "any"], 0),
        (["data/0.csv", "data/1.csv", "--fail-on", "breaking"], 0),
        (["data/0.csv", "data/1.csv", "--fail-on", "any"], 2),
        (["d@1#train", "d@1#test", "--schema", "--fail-on", "any"], 0),
        (["d@1", "d@2", "--drift", "--fail-on", "any"], 2),
        (["d@1", "d@2"], 0),
    ],
)
def test_exit_codes(built: Project, words: list[str], code: int) -> None:
    """2 for what --fail-on names, else 0; the report is the same."""
    done = built.run("diff", *words, expect=code)
    assert done.out.startswith(f"{words[0]} -> {words[1]}\n")


def test_any_compares_rows_that_may_be_equal(project: Project) -> None:
    """Files with the same rows in other bytes are no difference, which only their rows tell."""
    one, two = table(project / "one.parquet", a=[1, 2, 3]), project / "two.parquet"
    pq.write_table(pa.table({"a": [1, 2, 3]}), two, compression="none", use_dictionary=False)
    told = project.json("diff", one, "two.parquet")["result"]
    assert told["data"]["fragments"]["equal"] == 0 and told["same"] is False
    told = project.json("diff", one, "two.parquet", "--fail-on", "any")["result"]
    assert told["same"] is True and told["data"]["added"] == 0


def test_reports(built: Project, tmp_path: Path) -> None:
    """-o writes Markdown or the JSON of the result; --markdown prints what the file has."""
    done = built.run("diff", "d@1", "d@2", "-o", str(tmp_path / "diff.md"), "--markdown")
    text = (tmp_path / "diff.md").read_text(encoding="utf-8")
    assert done.out == text
    assert text.startswith("# d@1 → d@2\n\n**Breaking changes.**\n")
    assert (
        f"| renamed | label | was y, a guess ({score(built)}) | **breaking**: whoever reads it by that name fails |\n"
        in text
    )
    assert "| parameter | `split.seed` | 1 → 2 |" in text
    assert "| source | `data/*.csv` | files: 1 added, 2 unchanged |" in text
    got = built.json("diff", "d@1", "d@2", "-o", str(tmp_path / "diff.json"))["result"]
    assert json.loads((tmp_path / "diff.json").read_text(encoding="utf-8")) == got


def test_reports_of_drift(built: Project) -> None:
    """Drift is told in a line a column that has moved, -D of all; no verdict is given of what nobody looked at."""
    moved = ("diff", "data/0.csv", "data/1.csv", "--drift")
    out = built.run(*moved).out
    assert "\ndrift: major; 2 of 3 columns drifted (67%); 20 rows before, 20 now\n" in out
    assert "\n  x  major  PSI " in out and "  y  " not in out
    text = built.run(*moved, "--markdown").out
    assert text.startswith("# data/0.csv → data/1.csv\n\n## Drift\n\nMajor: 2 of 3 columns drifted")
    assert "\n| x | major | " in text
    lacking = built.run("diff", "d@1", "d@2", "--drift")
    assert "\n  columns that only one has: 2 before, 1 now\n" in lacking.out
    still = ("diff", "d@1#train", "d@1#train", "--drift")
    assert "  x  stable" in built.run(*still, "-D").out and "  x  stable" not in built.run(*still).out
    assert "| x | stable | 0.000 |" in built.run(*still, "-D", "--markdown").out


def test_terminal(built: Project) -> None:
    """A line a change, and what breaks is said of each."""
    out = built.run("diff", "d@1", "d@2").out
    assert "schema: 1 removed, 1 renamed (a guess), 1 of another type; 3 breaking\n" in out
    assert "  - z      int64                  breaking: whoever reads it fails\n" in out
    assert (
        f"  = label  was y, a guess ({score(built)})  breaking: whoever reads it by that name fails\n" in out
    )
    assert "  param    split.seed: 1 -> 2\n" in out
    assert "rows: 40 rows before, 60 now" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["d@1", "d@7"], "dataset 'd' has no build 7"),
        (["d@1", "no/such.csv"], "no/such.csv"),
        (["d@1", "nope"], "nope"),
        (["d@1#nope", "d@2"], "expected a part of d@1 (train, test); found 'nope'"),
        (["data/0.csv", "d@1", "--manifest"], "leave --manifest out"),
        (["d@1", "d@2", "--key", "x,"], "expected distinct columns"),
        (["d@1", "d@2", "--key", "q"], "columns of both are x"),
        (["d@1", "d@2", "--key", "x", "--drift"], "add --data"),
        (
            ["d@1", "d@2", "-o", "diff.html"],
            "a file called *.md or *.json after -o, found 'diff.html'\n  -o diff.md",
        ),
        (["d@1", "d@2", "-o", "no/folder/diff.txt"], "a file called *.md or *.json after -o"),
        (["d@1", "d@2", "-o", "out"], "found the folder out\n  -o out/report.md"),
        (["d@1", "d@2", "--key", "x,x"], "found 'x,x'"),
        (["d@1", "d@2", "--key", "x\ny"], "found 'x\\ny'"),
        (["d@1", "d@2", "--key", '"a,b",x'], "found 'a,b': neither has such a column"),
        (["d@1"], "required"),
    ],
)
def test_what_cannot_be_compared(built: Project, words: list[str], said: str) -> None:
    """Each says what is wrong, with an exit code, and no traceback."""
    done = built.run("diff", *words, expect=None)
    assert done.code in (1, 3)
    assert said in done.err and "Traceback" not in done.text


def test_empty_tables(project: Project) -> None:
    """No rows, or no values, are no reason to fail; nothing is guessed of them."""
    empty = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})
    pq.write_table(empty, project / "empty.parquet")
    table(project / "nulls.parquet", a=pa.nulls(3, pa.int64()), c=pa.nulls(3, pa.string()))
    words = ("diff", "empty.parquet", "nulls.parquet")
    got = project.json(*words, "--schema", "--data", "--drift")["result"]
    assert [it["path"] for it in got["schema"]["added"]] == ["c"]
    assert got["schema"]["renamed"] == []
    assert got["data"]["added"] == 3
    project.run(*words[:1], *words[:0:-1], "--schema", "--data", "--drift", "--markdown")


def test_unicode_names_and_hostile_ones(project: Project) -> None:
    """Names are told as they are where that is safe, and never break a line, a table or the terminal."""
    names = ["größe", "列", "a|b", "a.b", "x\x1b[31my", "<b>"]
    table(project / "one.parquet", **{name: [1, 2] for name in names})
    table(project / "two.parquet", **{name: ["p", "q"] for name in names})
    done = project.run("diff", "one.parquet", "two.parquet", "--schema")
    assert "größe" in done.out and "列" in done.out and '"a.b"' in done.out
    assert "\x1b" not in done.out
    text = project.run("diff", "one.parquet", "two.parquet", "--schema", "--markdown").out
    lines = [line for line in text.splitlines() if line.startswith("| type")]
    assert len(lines) == len(names) and "\x1b" not in text
    assert all(line.replace("\\|", "").count("|") == 5 for line in lines)


@pytest.mark.no_cover
def test_thousands_of_columns(project: Project) -> None:
    """Of 2,000 columns that went a terminal shows a few, -D all."""
    columns = {f"c{number}": [number] for number in range(2000)}
    table(project / "one.parquet", **columns)
    table(project / "two.parquet", keep=[1], **columns)
    short = project.run("diff", "two.parquet", "one.parquet")
    assert short.out.count("breaking:") == 1
    table(project / "three.parquet", c0=[0])
    assert "\n  and 1,979 more (-D shows them)\n" in project.run("diff", "one.parquet", "three.parquet").out
    assert project.run("diff", "-D", "one.parquet", "three.parquet").out.count("breaking:") == 1999


def test_rows_are_looked_at_only_for_renames(project: Project) -> None:
    """A summary is made where some columns went and others came; where columns only came, or went, nothing is read."""
    one, two = table(project / "one.parquet", a=[1, 2]), table(project / "two.parquet", a=[1, 2], b=[3, 4])
    three = table(project / "three.parquet", c=[1, 2])
    for words in ((one, two), (two, one)):
        assert "profile:" not in project.run("diff", *words).err
    assert "profile:" not in project.run("diff", one, three, "--manifest", "--schema", expect=3).err
    assert "profile:" not in project.run("diff", one, three, "--key", "q", expect=3).err
    assert project.run("diff", one, three).err.count("profile:") == 2


def test_media(examples: Project) -> None:
    """The columns of media, and their files by their paths."""
    folder = examples / "fashion" / "data"
    (folder / "coat").rename(folder / "mantel")
    examples.build("fashion")
    told = examples.json("diff", "fashion@1", "fashion@2")["result"]
    assert told["schema"]["same"] is True
    assert told["data"]["rows"] == [100, 100]
    exported = examples.json("diff", "fashion@1", "artifacts/fashion", "--manifest")["result"]["manifest"]
    assert exported["sources"] == told["manifest"]["sources"]
    files = examples.json("diff", "fashion@1", "fashion@2", "--data")["result"]["data"]["files"]
    assert files["added"] == files["removed"] == files["changed"] == []
    assert len(files["moved"]) == 10
    [source] = told["manifest"]["sources"]
    assert source["files"]["unchanged"] == 90 and len(source["files"]["moved"]) == 10


def test_from_python(built: Project) -> None:
    """``mldata.diff`` finds what the command finds."""
    import mldata

    found = mldata.diff("d@1", "d@2", project=built.root)
    assert found.breaking and not found.same
    assert found.to_json() == built.json("diff", "d@1", "d@2")["result"]
    assert found.to_markdown() == built.run("diff", "d@1", "d@2", "--markdown").out
    rows = mldata.diff("d@1", "d@2", sections=["data"], key=["x"], project=built.root)
    assert rows.schema is None and rows.data is not None and rows.data.differs
    with pytest.raises(mldata.MldataError, match="expected sections of schema, manifest, data, drift"):
        mldata.diff("d@1", "d@2", sections=["rows"], project=built.root)


def test_two_datasets_of_one_project(project: Project) -> None:
    """Both are brought up to date, and summarized for their drift, by one command."""
    project.write("mldata.yaml", "version: 1\ndatasets:\n  a: {source: a.csv}\n  b: {source: b.csv}\n")
    project.write("a.csv", rows(0))
    project.write("b.csv", rows(0).replace("x,y,z", "u,v,w"))
    got = project.json("diff", "a", "b", "--schema", "--drift")["result"]
    assert len(got["schema"]["renamed"]) == 3
    assert got["drift"]["columns"] == {}
