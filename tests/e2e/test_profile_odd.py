"""``mldata profile`` of tables that nobody wishes for: told or refused in words, without a warning, a traceback or a number that is none."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldata.profile.markdown import LIMIT
from tests.e2e.project import EXAMPLES, Project

INFINITE = float("inf")
TABLES: Mapping[str, Callable[[], pa.Table]] = {
    "all null": lambda: pa.table(
        {"a": pa.nulls(3), "b": pa.nulls(3, pa.float64()), "c": pa.nulls(3, pa.string())}
    ),
    "no rows": lambda: pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.list_(pa.string()))}),
    "one row": lambda: pa.table(
        {"a": [1], "b": ["x"], "c": [1.5], "d": pa.array([0], pa.timestamp("us", "UTC"))}
    ),
    "one value": lambda: pa.table({"a": [1] * 50, "b": ["x"] * 50, "c": [True] * 50, "d": [0.0] * 50}),
    "infinite": lambda: pa.table(
        {
            "a": [INFINITE] * 3,
            "b": [INFINITE, -INFINITE, float("nan")],
            "c": [1.0, INFINITE, 2.0],
            "d": [1e308, -1e308, 1e308],
            "e": [5e-324, 0.0, -0.0],
        }
    ),
    "huge integers": lambda: pa.table(
        {
            "a": pa.array([2**64 - 1, 0], pa.uint64()),
            "b": [-(2**63), 2**63 - 1],
            "c": pa.array([Decimal(10) ** 37, -(Decimal(10) ** 37)], pa.decimal128(38, 0)),
            "d": pa.array([Decimal(10) ** 75, Decimal(1)], pa.decimal256(76, 0)),
        }
    ),
    "nested": lambda: pa.table(
        {
            "struct": [{"a": 1, "b": [1, 2]}, None],
            "list": [[1, None], []],
            "lists": [[["x"]], [[]]],
            "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
        }
    ),
    "every type": lambda: pa.table(
        {
            "time": pa.array([1, None], pa.time64("ns")),
            "duration": pa.array([1, 2], pa.duration("ms")),
            "date": pa.array([-(10**6), 10**6], pa.date32()),
            "far": pa.array([-(10**14), 10**14], pa.timestamp("s")),
            "half": pa.array(np.array([1.0, 2.0], np.float16)),
            "coded": pa.array(["a", "b"]).dictionary_encode(),
            "fixed": pa.array([b"ab", b"\xff\xfe"], pa.binary(2)),
            "bytes": [b"\x00", b""],
            "bool": [True, None],
        }
    ),
    "odd names": lambda: pa.table(
        {
            "数据": [1, 2],
            "\u202ered\x1b[31m": ["ß", "\x1b[2J"],
            "": [1.0, 2.0],
            " ": [1, 2],
            "a|b`c\n": ["<i>", "*x*"],
        }
    ),
}
CSVS: Mapping[str, tuple[str, int]] = {
    "all null": ("a,b\n,\n,\n", 2),
    "header only": ("a,b\n", 0),
    "one row": ("a\n1\n", 1),
    "infinite": ("a\ninf\n-inf\nnan\n1e400\n", 4),
    "huge integer": (f"a\n{'9' * 400}\n1\n", 2),
    "mixed": ("a,b\n1,x\nfoo,2\n2020-01-01,3.5\n,\n", 4),
    "odd names": ("数据,naïve,a|b\n1,é,3\n", 1),
}
REFUSED: Mapping[str, tuple[str, bytes, str]] = {
    "one name twice": ("x.csv", b"x,x\n1,2\n", "have the same name twice in one file: 'x'"),
    "nothing": ("x.csv", b"", "found an empty file (0 bytes)"),
    "damaged": ("x.parquet", b"PAR1" + bytes(100), "expected a sound Parquet file"),
    "of two types": ("x.jsonl", b'{"a": 1}\n{"a": "x"}\n', "no type holds both"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder without a spec, with a user's cache beside it; and no warning passes."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Project(tmp_path / "here")


def told(place: Project, name: str) -> tuple[dict[str, Any], str]:
    """The result and the text of a terminal, with all reports beside, which are looked at as well."""
    text = profiled(place, name, "report.html", "report.md", "report.json")
    page = (place / "report.html").read_text(encoding="utf-8")
    assert 0 < len(page) < 2_000_000 and "\x1b" not in page
    return result(place), text


def profiled(place: Project, name: str, *reports: str) -> str:
    """The text of a terminal, without a warning on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = place.run("profile", name, "-q", *(word for it in reports for word in ("-o", it)))
    assert done.err == ""
    text = (place / "report.md").read_text(encoding="utf-8")
    assert len(text) < LIMIT
    assert all(line.isprintable() for line in f"{done.out}\n{text}".split("\n"))
    return done.out


def result(place: Project) -> dict[str, Any]:
    """What a program is told."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found: dict[str, Any] = json.loads((place / "report.json").read_text("utf-8"), parse_constant=refuse)
    return found


@pytest.mark.parametrize("name", TABLES)
def test_odd_tables(place: Project, name: str) -> None:
    """Parquet of any kind of table is told, column by column."""
    table = TABLES[name]()
    pq.write_table(table, place / "t.parquet")
    found, text = told(place, "t.parquet")
    assert found["rows"] == table.num_rows
    assert list(found["columns"]) == table.column_names
    assert [it["nulls"] for it in found["columns"].values()] == [it.null_count for it in table.columns]
    assert text.startswith("t.parquet\n")


def test_odd_names_can_be_asked_for(place: Project) -> None:
    """Any column can be named on the command line; one that is not there is an error that shows how."""
    pq.write_table(TABLES["odd names"](), place / "t.parquet")
    for typed, name in (('""', ""), ('" "', " "), ('"a|b`c\n"', "a|b`c\n"), ("数据", "数据")):
        columns = place.json("profile", "t.parquet", "--columns", typed)["result"]["columns"]
        assert list(columns) == [name]
    said = place.run("profile", "t.parquet", "-q", "--columns", "x\ny", expect=3).err
    assert """there are: 数据, \ufffdred\ufffd[31m, "", " ", "a|b`c \"""" in said


@pytest.mark.parametrize("name", CSVS)
def test_odd_csv(place: Project, name: str) -> None:
    """So is what stands in a CSV file."""
    text, rows = CSVS[name]
    place.write("t.csv", text)
    found, _ = told(place, "t.csv")
    assert found["rows"] == rows
    assert list(found["columns"]) == text.split("\n")[0].split(",")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table(place: Project, name: str) -> None:
    """What cannot be read is refused with where and why, as by a build; no report is left."""
    file, data, said = REFUSED[name]
    (place / file).write_bytes(data)
    done = place.run("profile", file, "-q", "-o", "report.html", expect=1)
    assert said in done.err and file in done.err and "Traceback" not in done.err
    assert sorted(it.name for it in place.root.iterdir()) == [file]


@pytest.mark.parametrize("word", ["", "#", "#train"])
def test_a_word_that_names_nothing(place: Project, word: str) -> None:
    """It is not taken for the folder where the command runs."""
    place.write("t.csv", "a\n1\n")
    assert "expected a dataset, a file, a folder" in place.run("profile", word, expect=3).err


def test_texts_that_are_no_utf8(place: Project) -> None:
    """They are told with replacement characters, also inside of others, and a table with them has not drifted from itself."""
    texts = pa.array([b"ab\xff", b"ab\xfe", b"ok"] * 10, pa.binary()).view(pa.string())
    table = pa.table({"t": texts, "s": pa.StructArray.from_arrays([texts], ["x"])})
    pq.write_table(table, place / "t.parquet")
    found, text = told(place, "t.parquet")
    assert found["preview"]["rows"][0] == ["ab\ufffd", "{x: 'ab\ufffd'}"]
    top = found["columns"]["t"]["top"]
    assert [(it["value"], it["count"]) for it in top] == [("ab\ufffd", 20), ("ok", 10)]
    assert found["columns"]["t"]["distinct"] == 3
    assert "case-variants" not in {it["code"] for it in found["alerts"]} and "ab\ufffd 66.7%" in text
    drift = place.json("drift", "t.parquet", "t.parquet", "--columns", "t")["result"]
    assert drift["severity"] == "stable"


def test_numbers_that_are_none(place: Project) -> None:
    """NaN and infinities are counted, and take no part in anything else."""
    pq.write_table(TABLES["infinite"](), place / "t.parquet")
    columns = told(place, "t.parquet")[0]["columns"]
    assert (columns["a"]["infinite"], columns["a"]["mean"], columns["a"]["min"]) == (3, None, None)
    assert (columns["b"]["infinite"], columns["b"]["nan"]) == (2, 1)
    assert (columns["c"]["infinite"], columns["c"]["mean"], columns["c"]["max"]) == (1, 1.5, 2.0)


@pytest.mark.no_cover
def test_2000_columns(place: Project) -> None:
    """The first ones are shown with how to see the rest, and any that are asked for; reports hold all that they have room for."""
    place.write(
        "t.csv", ",".join(f"c{n}" for n in range(2000)) + "\n" + "1," * 1999 + "1\n" + "2," * 1999 + "\n"
    )
    text = profiled(place, "t.csv", "report.md", "report.json")
    assert len(result(place)["columns"]) == 2000
    assert "1,950 more columns" in text and len(text.splitlines()) < 100
    assert "more columns, which an HTML or JSON report has" in (place / "report.md").read_text()
    preview = place.json("profile", "t.csv", "--columns", "c1999,c5")["result"]["preview"]
    assert (preview["columns"], preview["rows"]) == (["c1999", "c5"], [["1", "1"], [None, "2"]])


@pytest.mark.no_cover
@pytest.mark.slow
def test_a_million_distinct_strings(place: Project) -> None:
    """They are counted, and what is told of them stays small."""
    pq.write_table(pa.table({"t": [f"value {n * 7919}" for n in range(1_000_000)]}), place / "t.parquet")
    found, _ = told(place, "t.parquet")
    column = found["columns"]["t"]
    assert column["distinct"] == pytest.approx(1_000_000, rel=0.05)
    assert column["nulls"] == 0 and column["text"]["lengths"]["max"] == len("value 7918992081")


@pytest.mark.slow
def test_cells_of_10_megabytes(place: Project) -> None:
    """They are measured, and shown by their beginning."""
    table = pa.table({"t": ["x" * 10_000_000, "y"], "b": [b"\xff" * 10_000_000, b""]})
    pq.write_table(table, place / "t.parquet")
    found, text = told(place, "t.parquet")
    assert found["columns"]["b"]["lengths"]["max"] == 10_000_000
    assert found["columns"]["t"]["text"]["lengths"]["max"] == 10_000_000
    assert "10,000,000" in text
    assert os.path.getsize(place / "report.json") < 100_000


@pytest.mark.parametrize(
    ("folder", "kind", "column"),
    [("fashion/data", "images", "width"), ("spoken-digits/data", "audio", "duration")],
)
def test_media(place: Project, folder: str, kind: str, column: str) -> None:
    """Folders of pictures and of recordings are told by what is known of their files, some of which are shown on the page."""
    found, text = told(place, str(EXAMPLES / folder))
    assert found["kind"] == kind and column in found["columns"]
    assert "label" in text
    page = (place / "report.html").read_text()
    assert ("data:image/" if kind == "images" else "data:audio/wav") in page
