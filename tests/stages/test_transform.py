"""The transform stage: fragments in, fragments out, only what changed again, and no row lost unsaid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldata.errors import BuildError, DataError, SpecError
from mldata.spec import parse_dataset
from mldata.stages import STAGES
from mldata.stages.base import StageOutput
from mldata.stages.transform import Transform
from mldata.table import Table
from mldata.usercode import functions, read_code
from mldata.userrequest import Limits
from store import Digest, Store
from tests.pins import check_text
from tests.stages.jobs import PlainJob, put_table

Made = tuple[PlainJob, StageOutput, Table]
Transformer = Callable[..., Made]


@pytest.fixture
def transform(store: Store, tmp_path: Path) -> Transformer:
    """``transform(table, steps, files)`` → the job, what the stage made, and the table in it."""
    root = tmp_path / "project"
    root.mkdir()

    def run(table: Digest, steps: Any, files: dict[str, str] | None = None, jobs: int = 1) -> Made:
        for name, text in (files or {}).items():
            (root / name).write_text(text)
        plain = parse_dataset("d", {"source": "x", "transform": steps})["transform"]
        job = PlainJob(store, "transform", {"steps": plain["steps"]}, {"normalize": table})
        job.jobs = jobs
        code = read_code(root, functions(plain))
        limits = [Limits(*pair) for pair in plain["limits"]]
        made = Transform(code, limits, tmp_path / "scratch", root).build(job)
        assert not (tmp_path / "scratch").exists()
        return job, made, Table.open(store, made.output.digest)

    return run


def piece(*values: int | None) -> pa.Table:
    return pa.table({"a": pa.array(values, pa.int64()), "b": [f"r{value}" for value in values]})


def rows(table: Table) -> list[list[Any]]:
    """Column ``a`` of each fragment."""
    return [table.fragment(number)["a"].to_pylist() for number in range(len(table.fragments))]


def test_built_in_steps_by_fragment(store: Store, transform: Transformer) -> None:
    """Neighbouring steps are one action a fragment; fragments stay apart, also empty ones; rows are counted by step."""
    table = put_table(store, [piece(1, 2), piece(), piece(3, None, 5)])
    steps = [{"filter": "a > 1"}, {"select": ["a"]}, {"cast": {"a": "int8"}}]
    job, made, found = transform(table, steps)
    assert rows(found) == [[2], [], [3, 5]]
    assert found.schema == pa.schema([("a", pa.int8())])
    assert [fragment.source for fragment in found.fragments] == ["0.csv", "1.csv", "2.csv"]
    assert len(job.runs) == 3
    assert made.rows == 3
    assert made.facts["rows_in"] == 5
    assert [(it["step"], it["rows_in"], it["rows_out"]) for it in made.facts["steps"]] == [
        ("filter a > 1", 5, 3),
        ("select", 3, 3),
        ("cast", 3, 3),
    ]


def test_only_a_changed_fragment_runs_again(store: Store, transform: Transformer) -> None:
    """One fragment among several that differs is one action; nothing changed is none; a file's name does not matter."""
    steps = [{"filter": "a > 1"}, {"fill_null": {"a": 0}}]
    transform(put_table(store, [piece(1, 2), piece(3), piece(4)]), steps)
    job, _, _ = transform(put_table(store, [piece(1, 2), piece(9), piece(4)]), steps)
    assert (len(job.runs), len(job.hits)) == (1, 2)
    job, _, found = transform(put_table(store, [piece(4), piece(9)]), steps)
    assert (job.runs, rows(found)) == ([], [[4], [9]])


def test_steps_over_the_table(store: Store, transform: Transformer) -> None:
    """Dedupe and sample keep the fragments' borders, and the very object of a fragment that loses nothing; sort does not."""
    pieces = [piece(3, 1), piece(3, 2), piece(5, 4)]
    table = put_table(store, pieces)
    job, _, found = transform(table, {"dedupe": True})
    assert (rows(found), len(job.runs)) == ([[3, 1], [2], [5, 4]], 1)
    before = Table.open(store, table).fragments
    assert [fragment == old for fragment, old in zip(found.fragments, before, strict=True)] == [
        True,
        False,
        True,
    ]
    _, made, found = transform(table, [{"sort": ["-a"]}, {"filter": "a > 1"}])
    assert rows(found) == [[5, 4, 3, 3, 2]]
    assert [step["rows_out"] for step in made.facts["steps"]] == [6, 5]
    _, _, found = transform(table, {"sample": {"rows": 2}})
    assert sum(map(len, rows(found))) == 2
    assert len(found.fragments) == 3


def test_steps_that_do_not_fit_stop_before_anything_runs(store: Store, transform: Transformer) -> None:
    """Columns and types are checked through all steps up to the first function."""
    table = put_table(store, [piece(1, 2)])
    for steps, message in (
        (
            [{"rename": {"a": "c"}}, {"filter": "a > 1"}],
            "transform, step 2 (filter): expected a column of the table, found 'a'",
        ),
        (
            [{"dedupe": ["b"]}, {"sort": ["c"]}],
            "transform, step 2 (sort): expected a column of the table, found 'c'",
        ),
        ([{"select": ["a"]}, {"dedupe": ["b"]}], "transform, step 2 (dedupe): expected a column"),
    ):
        with pytest.raises(SpecError) as caught:
            transform(table, steps)
        assert str(caught.value).startswith(message)
    with pytest.raises(DataError, match=r"column 'b': expected int8, found 'r1' \(in 0.csv\)"):
        transform(table, {"cast": {"b": "int8"}})


def test_steps_after_a_function_are_checked_when_it_has_run(store: Store, transform: Transformer) -> None:
    """Only then are its columns known. Steps around a function run in its process, in order."""
    files = {"f.py": "def f(t):\n    return t.rename_columns(['x', 'a'])\n"}
    table = put_table(store, [piece(1, 2)])
    steps = [{"filter": "a > 1"}, "f.py:f", {"filter": "a.startswith('r')"}]
    _, made, found = transform(table, steps, files)
    assert rows(found) == [["r2"]]
    assert [step["rows_out"] for step in made.facts["steps"]] == [1, 1, 1]
    with pytest.raises(
        BuildError, match=r"^transform, step 2 \(filter\): expected a column of the table, found 'b'"
    ):
        transform(table, ["f.py:f", {"filter": "b > 1"}], files)


def test_what_functions_give_becomes_one_schema(store: Store, transform: Transformer) -> None:
    """Types of fragments join without loss, missing columns are null, or the error names both fragments."""
    code = """
import pyarrow as pa
def f(t):
    n = t["a"][0].as_py()
    if n == 1:
        return pa.table({"a": pa.nulls(1), "c": [1]})
    if n == 2:
        return pa.table({"c": [0.5], "a": ["x"], "d": [True]})
    return pa.table({"a": [5], "c": [1]})
"""
    job, _, found = transform(put_table(store, [piece(1), piece(2)]), "f.py:f", {"f.py": code})
    whole = pa.concat_tables([found.fragment(0), found.fragment(1)])
    assert whole.to_pylist() == [{"a": None, "c": 1.0, "d": None}, {"a": "x", "c": 0.5, "d": True}]
    assert len(job.runs) == 4
    with pytest.raises(BuildError) as caught:
        transform(put_table(store, [piece(1), piece(2), piece(3)]), "f.py:f", {"f.py": code})
    assert "column 'a' is string in 1.csv and int64 in 2.csv" in str(caught.value)
    assert "normalize" not in str(caught.value)


def test_a_function_over_the_table(
    store: Store, transform: Transformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets all rows at once and gives new fragments; another edit of the code is another action."""
    code = "def f(table):\n    return table.sort_by('a').slice(1)\n"
    table = put_table(store, [piece(3, 1), piece(2)])
    step = {"function": "f.py:f", "scope": "table"}
    job, made, found = transform(table, step, {"f.py": code})
    assert (rows(found), len(job.runs), made.facts["rows_out"]) == ([[2, 3]], 1, 2)
    assert (
        transform(table, {**step, "timeout": "1h", "memory": "4GB"}, {"f.py": code, "other.py": "x"})[0].runs
        == []
    )
    assert len(transform(table, step, {"f.py": code + "#"})[0].runs) == 1


def test_media_follow_their_rows(store: Store, transform: Transformer) -> None:
    """Files whose rows are left out are left out; a table of media keeps the column that names them."""
    media = {"cat/1.png": b"1", "cat/2.png": b"2", "dog/1.png": b"3"}
    table = pa.table({"path": list(media), "label": ["cat", "cat", "dog"]})
    digest = put_table(store, [table], kind="images", media=media)
    _, _, found = transform(digest, {"filter": "label == 'cat'"})
    assert found.kind == "images"
    assert found.media is not None
    assert [path for path, _ in store.walk(found.media)] == ["cat/1.png", "cat/2.png"]
    _, _, found = transform(digest, {"map": {"label": {"cat": "Cat"}}})
    assert found.media == Table.open(store, digest).media
    with pytest.raises(SpecError, match="expected the column 'path'"):
        transform(digest, {"select": ["label"]})
    with pytest.raises(BuildError, match=r"found 'cat/3.png'"):
        transform(digest, {"map": {"path": {"cat/1.png": "cat/3.png"}}})


def test_golden_rows(store: Store, transform: Transformer, request: pytest.FixtureRequest) -> None:
    """What the steps make of fixed rows is pinned: another outcome needs another version of the stage."""
    labels = pa.array([f"k{number * 7 % 5}" for number in range(60)])
    values = pa.array([None if number % 11 == 0 else number * 37 % 40 for number in range(60)], pa.int64())
    whole = pa.table({"label": labels, "value": values})
    table = put_table(store, [whole.slice(0, 25), whole.slice(25)])
    steps = [
        {"filter": "value is null or value * 2 / 3 > 2.5 and label not in ['k4']"},
        {"fill_null": {"value": -1}},
        {"sample": {"share": 0.8, "seed": 7}},
        {"map": {"label": {"k1": "one", "k3": None}}},
        {"dedupe": ["label", "value"]},
        {"sample": {"rows": 20, "seed": 3}},
        {"sort": ["-label", "value"]},
        {"cast": {"value": "int16"}},
        {"rename": {"value": "v"}},
        {"select": ["v", "label"]},
    ]
    _, made, found = transform(table, steps)
    got = "".join(f"{line}\n" for line in [*made.facts["steps"], *found.fragment(0).to_pylist()])
    update = request.config.getoption("--update-golden")
    check_text("transform", ".txt", "transform", STAGES["transform"].version, got.encode(), update=update)
