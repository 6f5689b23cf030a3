"""`mldata info` of sources elsewhere: what they are, their columns and first rows, without downloading them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.errors import AuthError, NetworkError, SourceError
from mldata.sources.base import About
from tests.e2e.project import ROOT, Project, environment
from tests.servers.parts import Parts, serve_parts
from tests.sources.made_up import Place, listed, make_place

ABOUT = About(
    title="Birds of the south",
    description="Three species.\nMeasured near Palmer Station.",
    homepage="https://example.org/birds",
    license="cc0-1.0",
    size=123_456,
    rows=200_000,
    splits={"train": 150_000, "test": 50_000},
    subsets=("all", "few"),
    features=(("id", "int64"), ("species", "ClassLabel")),
    target="species",
    tags=("modality:tabular",),
)


def parquet(rows: int) -> bytes:
    table = pa.table(
        {
            "id": range(rows),
            "species": [("adelie", "gentoo", None)[n % 3] for n in range(rows)],
            "noise": [(n * 2654435761) % 4294967296 / 7 for n in range(rows)],
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=rows // 16)
    return out.getvalue()


@pytest.fixture(scope="module")
def shard() -> bytes:
    return parquet(100_000)


@pytest.fixture
def server(shard: bytes) -> Iterator[Parts]:
    with serve_parts(
        {"data/train-0.parquet": shard, "data/train-1.parquet": shard, "README.md": b"# x"}
    ) as state:
        yield state


@pytest.fixture
def place(server: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with make_place(monkeypatch, "place") as made:
        made.url, made.files, made.about = server.url, listed(server.files), ABOUT
        yield made


def told(project: Project, *args: str) -> dict[str, object]:
    (source,) = project.json("info", *args)["result"]["sources"]
    return dict(source)


def test_what_a_place_tells(project: Project, place: Place, server: Parts) -> None:
    """Licence, size, splits, features, homepage, the revision and the files: nothing of the content is asked for."""
    got = told(project, "place://a/birds")
    assert (got["license"], got["homepage"], got["target"]) == (
        "cc0-1.0",
        "https://example.org/birds",
        "species",
    )
    assert (got["rows"], got["splits"], got["subsets"]) == (200_000, ABOUT.splits, ["all", "few"])
    assert got["features"] == [{"name": "id", "type": "int64"}, {"name": "species", "type": "ClassLabel"}]
    assert got["files"] == 3
    assert got["first_files"] == [
        {"name": file.name, "size": file.size} for file in sorted(place.files, key=lambda f: f.name)
    ]
    assert "columns" not in got and "sample" not in got
    assert server.asked == [] and got["bytes_read"] == 0
    text = project.run("info", "place://a/birds").out
    for part in (
        "Birds of the south",
        "cc0-1.0",
        "train 150,000, test 50,000",
        "species",
        "README.md",
        "120.6 KiB",
    ):
        assert part in text


def test_first_rows_of_parquet(project: Project, place: Place, server: Parts, shard: bytes) -> None:
    """--sample gives the first rows and the columns as the files have them, for a small share of the bytes, and says how many."""
    got = told(project, "place://a/birds", "--sample", "2")
    assert got["sample"] == [
        {"id": 0, "species": "adelie", "noise": 0.0},
        {"id": 1, "species": "gentoo", "noise": 379205108.71428573},
    ]
    assert got["columns"] == [
        {"name": "id", "type": "int64"},
        {"name": "species", "type": "string"},
        {"name": "noise", "type": "double"},
    ]
    assert got["types_from_rows"] is None
    assert got["bytes_read"] == server.sent
    assert server.sent * 4 < len(shard)
    assert {name for name, _ in server.asked} == {"data/train-0.parquet"}
    text = project.run("info", "place://a/birds", "--sample").out
    assert "the first 5 rows" in text and "adelie" in text and "KiB of " in text


def test_schema_of_parquet(project: Project, place: Place, server: Parts, shard: bytes) -> None:
    """--schema reads the footer of the first file, and no row."""
    got = told(project, "place://a/birds", "--schema")
    assert [column["name"] for column in got["columns"]] == ["id", "species", "noise"]  # type: ignore[attr-defined]
    assert got["sample"] == []
    assert server.sent <= 4 * 65536 < len(shard)
    assert "double" in project.run("info", "place://a/birds", "--schema").out


def test_text_files(project: Project, place: Place, server: Parts) -> None:
    """Of a large text file the beginning is read, and how many rows the types were told from is said."""
    server.files = {"a.csv": b"n;t\n" + b"".join(b"%d;x%d\n" % (n, n) for n in range(200_000))}
    place.files = listed(server.files)
    got = told(project, "place://a", "--sample", "1")
    assert got["sample"] == [{"n": 0, "t": "x0"}]
    assert 1000 < int(str(got["types_from_rows"])) < 200_000
    assert server.sent * 4 < len(server.files["a.csv"])
    out = project.run("info", "place://a", "--sample", "1").out
    assert "types as told by the first" in out and "';'" in out


def test_values_of_every_kind_are_json(project: Project, place: Place, server: Parts) -> None:
    """Times, decimals, binary and nested values are shown as the export of JSON Lines writes them."""
    import datetime
    import decimal

    table = pa.table(
        {
            "when": [datetime.datetime(2024, 5, 6, 7, 8, 9)],
            "price": [decimal.Decimal("1.20")],
            "raw": [b"\x00\xff"],
            "list": [[1, 2]],
            "pair": [{"a": 1, "b": "x"}],
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    server.files = {"a.parquet": out.getvalue()}
    place.files = listed(server.files)
    (row,) = told(project, "place://a", "--sample", "1")["sample"]  # type: ignore[misc]
    assert row == {
        "when": "2024-05-06T07:08:09.000000",
        "price": "1.20",
        "raw": "AP8=",
        "list": [1, 2],
        "pair": {"a": 1, "b": "x"},
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AuthError("this is gated", hint="Accept its terms: https://example.org"), 4),
        (NetworkError("no answer"), 5),
        (SourceError("there is no such dataset"), 5),
    ],
)
def test_what_cannot_be_had(project: Project, place: Place, error: Exception, code: int) -> None:
    """A place that refuses, or does not answer, is an error with its own exit code."""
    place.fails = error
    assert str(error) in project.run("info", "place://a", expect=code).err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere://a/b"], "place://"),
        (["place://a", "--sample", "0"], "at least 1 row"),
        (["place://a", "--sample", "-1"], "at least 1 row"),
        (["place://a", "--sample", "x"], "--sample"),
        (["place://a", "--format", "floppy"], "parquet"),
    ],
)
def test_wrong_arguments(project: Project, place: Place, args: list[str], said: str) -> None:
    """A scheme that nobody knows, and numbers that mean nothing, are refused as wrong arguments."""
    assert said in project.run("info", *args, expect=3).err


def test_local_sources(project: Project) -> None:
    """Sources on this machine have --sample and --schema too, by the beginning of the files; without them all is read, as ever."""
    project.write("data/a.csv", "x,y\n1,a\n2,b\n")
    project.write("data/b.csv", "x,y\n3,c\n")
    got = told(project, "data", "--sample", "3")
    assert got["sample"] == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}, {"x": 3, "y": "c"}]
    assert "revision" not in got
    assert told(project, "data", "--schema")["columns"] == [
        {"name": "x", "type": "int64"},
        {"name": "y", "type": "string"},
    ]
    assert told(project, "data")["rows"] == 3


def test_a_dataset_of_the_spec(project: Project, place: Place, server: Parts) -> None:
    """A dataset is looked at as the spec reads it, each of its sources."""
    server.files = {"a.csv": b"x|y\n1|a\n"}
    place.files = listed(server.files)
    project.write("b.csv", "x|y\n2|b\n")
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d:\n    source: [place://a, b.csv]\n"
        '    normalize: {delimiter: "|", rename: {y: z}}\n',
    )
    one, two = project.json("info", "d", "--sample")["result"]["sources"]
    assert (one["sample"], two["sample"]) == ([{"x": 1, "z": "a"}], [{"x": 2, "z": "b"}])
    assert one["license"] == "cc0-1.0"


def test_rows_of_another_dataset(project: Project) -> None:
    """Of a dataset that was built the first rows are shown, or those of a part."""
    project.write("a.csv", "x,y\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(20)))
    project.write(
        "mldata.yaml",
        "version: 1\ndatasets:\n  d: {source: a.csv, split: {train: 0.5, test: 0.5, seed: 1}}\n",
    )
    project.build()
    assert told(project, "dataset://d", "--sample", "2")["sample"] == [{"x": 0, "y": "a"}, {"x": 1, "y": "b"}]
    parts = [told(project, f"dataset://d#{part}", "--sample", "99")["sample"] for part in ("train", "test")]
    assert sorted(row["x"] for rows in parts for row in rows) == list(range(20))  # type: ignore[attr-defined]
    assert "the first row\n" in project.run("info", "dataset://d#test", "--sample", "1").out


def test_the_pinned_state(
    project: Project, place: Place, server: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataset of the spec is looked at as mldata.lock pins it; a source as it is now."""
    server.files = {"a.csv": b"x\n1\n"}
    place.files = listed(server.files)
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: place://a}\n")
    project.run("update")
    now = told(project, "place://a")["revision"]
    server.files = {"a.csv": b"x\n1\n2\n"}
    place.files = listed(server.files)
    got = told(project, "d")
    assert (got["revision"], got["pinned"]) == (now, True)
    assert "mldata.lock" in project.run("info", "d").out
    assert told(project, "place://a")["revision"] != now
    monkeypatch.setenv("MLDATA_OFFLINE", "true")
    assert "offline" in project.run("info", "place://a", expect=5).err


def test_wide_rows(project: Project) -> None:
    """Rows that do not fit the width of the terminal are shown a value a line, long values cut."""
    project.write(
        "a.csv", ",".join(f"column{n}" for n in range(30)) + "\n" + ",".join(["y" * 300] * 30) + "\n"
    )
    out = project.run("info", "a.csv", "--sample").out
    assert max(map(len, out.splitlines())) < 110
    assert out.count("column29") == 2 and "…" in out


def test_nothing_steers_the_terminal(project: Project, place: Place, server: Parts) -> None:
    """Names, titles and values from elsewhere are shown without anything that a terminal would obey."""
    server.files = {"a.csv": b"x\x1b[2J,y\n\x1b]0;t\x07,2\n"}
    place.files = listed(server.files)
    place.about = About(title="a\x1b[31m\nb", description="\x9b31m", splits={"tr\x1bain": 1}, tags=("\x1b",))
    out = project.run("info", "place://a", "--sample").out
    assert not {"\x1b", "\x9b", "\x07"} & set(out)


def test_help_is_quick(project: Project) -> None:
    """Help and the first look load nothing heavy."""
    code = (
        "import sys\nfrom mldata.cli import main\nfor command in ('info', 'search'):\n"
        "    try:\n        main([command, '--help'])\n    except SystemExit:\n        pass\n"
        "heavy = {'pyarrow', 'numpy', 'httpx', 'pydantic', 'yaml', 'sqlite3', 'rich'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_the_envelope_is_json(project: Project, place: Place) -> None:
    """What --json prints is JSON as the standard has it: no NaN."""
    out = project.run("info", "place://a", "--sample", "--json").out
    json.loads(out, parse_constant=lambda text: pytest.fail(text))
