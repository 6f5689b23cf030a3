"""The example datasets build to what they should be."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from blake3 import blake3

from tests.e2e.project import EXAMPLES, Project
from tests.pins import GOLDEN as PINS
from tests.pins import Pin, check_pins

ROWS = {"penguins": 344, "fashion": 100, "spoken-digits": 50}
PARTS = {
    "penguins": ("train", "val", "test"),
    "fashion": ("train", "val", "test"),
    "spoken-digits": ("train", "test"),
}
FORMATS = {
    "penguins": ("parquet", "csv", "jsonl"),
    "fashion": ("parquet",),
    "spoken-digits": ("parquet", "jsonl"),
}
MEDIA = {"fashion": ("*.png",), "spoken-digits": ("*.wav", "*.flac", "*.ogg")}
GOLDEN = PINS / "examples.txt"


def table(project: Project, name: str, part: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(project / f"artifacts/{name}/{part}.parquet")


@pytest.mark.parametrize("name", ROWS)
def test_every_part_in_every_format(name: str, built_examples: Project) -> None:
    """There is a file for each part and format, and the parts are all rows, each once."""
    total = 0
    for part in PARTS[name]:
        rows = table(built_examples, name, part).num_rows
        total += rows
        for kind in FORMATS[name]:
            path = built_examples / f"artifacts/{name}/{part}.{kind}"
            if kind == "csv":
                with path.open(newline="", encoding="utf-8") as file:
                    assert len(list(csv.DictReader(file))) == rows
            elif kind == "jsonl":
                assert len([json.loads(line) for line in path.read_text("utf-8").splitlines()]) == rows
    assert total == ROWS[name]


@pytest.mark.parametrize(("name", "column"), [("penguins", "species"), ("fashion", "label")])
def test_parts_keep_the_share_of_each_class(name: str, column: str, built_examples: Project) -> None:
    """A stratified part has of each class its share, to within one row."""
    shares = yaml.safe_load((EXAMPLES / "mldata.yaml").read_text())["datasets"][name]["split"]
    counts = {
        part: Counter(table(built_examples, name, part).column(column).to_pylist()) for part in PARTS[name]
    }
    whole = sum(counts.values(), Counter[str]())
    for part, count in counts.items():
        for value, number in whole.items():
            assert abs(count[value] - number * shares[part]) <= 1, (part, value)


def test_penguins_arrive_unchanged(built_examples: Project) -> None:
    """Every row of the source is in the exported CSV files, value for value."""

    def rows(paths: list[Path]) -> Counter[tuple[tuple[str, object], ...]]:
        found: Counter[tuple[tuple[str, object], ...]] = Counter()
        for path in paths:
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    found[tuple(sorted((k, number(v)) for k, v in row.items()))] += 1
        return found

    def number(text: str) -> object:
        if text in ("", "NA"):
            return None
        try:
            return float(text)
        except ValueError:
            return text

    source = sorted((EXAMPLES / "penguins/data").glob("*.csv"))
    exported = sorted((built_examples / "artifacts/penguins").glob("*.csv"))
    assert rows(exported) == rows(source)


def test_types_of_penguins(built_examples: Project) -> None:
    """Types are those that all the rows allow, or that the spec asks for."""
    schema = table(built_examples, "penguins", "train").schema
    assert str(schema.field("year").type) == "int16"
    assert str(schema.field("body_mass_g").type) in ("int64", "int32", "int16")
    assert str(schema.field("bill_length_mm").type) == "double"
    assert "string" in str(schema.field("species").type)


@pytest.mark.parametrize("name", MEDIA)
def test_media_stand_beside_the_table(name: str, built_examples: Project) -> None:
    """Each row's path leads to the media file, whose bytes are the source's and have the row's digest."""
    folder = built_examples / f"artifacts/{name}"
    source = EXAMPLES / name / "data"
    seen = set()
    for part in PARTS[name]:
        for row in table(built_examples, name, part).to_pylist():
            data = (folder / row["path"]).read_bytes()
            original = source / row["label"] / Path(row["path"]).name
            assert data == original.read_bytes()
            assert row["digest"] == blake3(data).hexdigest()
            assert row["size"] == len(data)
            seen.add(original.name)
            if name == "fashion":
                assert (row["width"], row["height"], row["mode"]) == (28, 28, "L")
            else:
                assert row["sample_rate"] == 8000
                assert row["channels"] == 1
                assert 0.1 < row["duration"] < 1.5
    assert len(seen) == ROWS[name]


@pytest.mark.parametrize("name", ROWS)
def test_manifest_tells_the_truth(name: str, built_examples: Project) -> None:
    """The manifest lists every other file of the export with its size, BLAKE3 and SHA-256."""
    folder = built_examples / f"artifacts/{name}"
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    listed = {entry["path"]: entry for entry in manifest["files"]}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"manifest.yaml"}
    assert set(listed) == there
    for path, entry in listed.items():
        data = (folder / path).read_bytes()
        assert entry["size"] == len(data)
        assert blake3(data).hexdigest() in (entry.get("blake3"), entry.get("digest"))
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ROWS)
def test_examples_have_origin_and_licence(name: str) -> None:
    """Each example ships with where it comes from and what may be done with it."""
    assert (EXAMPLES / name / "LICENSE").stat().st_size > 500
    assert "icence" in (EXAMPLES / name / "ORIGIN.md").read_text(encoding="utf-8")


def test_examples_are_small() -> None:
    """What ships is under 5 MB."""
    files = [p for p in EXAMPLES.rglob("*") if p.is_file()]
    shipped = [p for p in files if not {"artifacts", ".mldata"} & set(p.relative_to(EXAMPLES).parts)]
    assert sum(p.stat().st_size for p in shipped) < 5_000_000


def test_the_shipped_lock_is_current(built_examples: Project) -> None:
    """mldata.lock in the repository pins the example data as it is."""
    assert (EXAMPLES / "mldata.lock").read_bytes() == (built_examples / "mldata.lock").read_bytes()


def made(project: Project) -> Iterator[Pin]:
    """What each stage of each dataset made, from the receipts."""
    for path in sorted((project / ".mldata/receipts").glob("*/*.json")):
        receipt = json.loads(path.read_text(encoding="utf-8"))
        if path.stem != "build":
            yield Pin(
                path.parent.name, path.stem, receipt["version"], receipt["output"], receipt["libraries"]
            )


def test_golden_digests(built_examples: Project, request: pytest.FixtureRequest) -> None:
    """What the stages make of the examples does not change while their version stays."""
    update = request.config.getoption("--update-golden")
    check_pins(GOLDEN, made(built_examples), test="tests/e2e/test_examples.py", update=update)
