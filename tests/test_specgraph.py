"""Datasets of a spec that stand on others."""

from __future__ import annotations

import pytest

from mldata.reference import Reference, is_reference, parse_reference
from mldata.spec import InvalidSpec, parse_spec

HEAD = "version: 1\ndatasets:\n"


def told(*lines: str) -> str:
    """What is said of a spec with these datasets; nothing if it is right."""
    try:
        parse_spec(HEAD + "".join(f"  {line}\n" for line in lines), "f")
    except InvalidSpec as error:
        return str(error)
    return ""


def test_references() -> None:
    """A dataset is named with or without a part; the scheme may be in capitals, and nothing else may stand there."""
    assert parse_reference("dataset://b") == Reference("b")
    assert parse_reference("Dataset://b#train") == Reference("b", "train")
    assert str(Reference("b", "train")) == "dataset://b#train"
    for wrong in ("dataset://", "dataset://b#", "dataset://b/x", "dataset://b@3", "dataset://b#a#b"):
        assert is_reference(wrong) and parse_reference(wrong) is None
    assert not is_reference("data/dataset.csv")


def test_a_list_of_files_and_datasets() -> None:
    """Files and datasets stand side by side, the dataset after the one that reads it or before."""
    assert told("a: {source: [x.csv, dataset://b#train, dataset://c]}", "b: {source: y, split: {train: 1}}",
                "c: {source: dataset://b}") == ""  # fmt: skip


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("dataset://bo", "f:3:15: 'a' reads dataset://bo, and there is no dataset 'bo'\n  did you mean 'b'?"),
        ("[x, dataset://zzz]", "f:3:19: 'a' reads dataset://zzz, and there is no dataset 'zzz'\n  other datasets here are b, c"),
        ("dataset://b#tran", "f:3:15: 'a' reads dataset://b#tran, and 'b' has no part 'tran'\n  did you mean 'train'?"),
        ("dataset://c#train", "f:3:15: 'a' reads dataset://c#train, and 'c' has no split, so no part 'train'"),
        ("dataset://", "f:3:15: expected dataset://NAME or dataset://NAME#PART, found 'dataset://'"),
        ("dataset://b@3", "f:3:15: expected dataset://NAME or dataset://NAME#PART, found 'dataset://b@3'"),
        ("dateset://b", "f:3:15: expected a file, a folder, a glob or dataset://NAME; found the unknown scheme dateset://"),
    ],
)  # fmt: skip
def test_what_is_not_there(source: str, says: str) -> None:
    """A dataset or a part that does not exist is named with its place, with who reads it and with the nearest name."""
    got = told(f"a: {{source: {source}}}", "b: {source: x, split: {train: 1}}", "c: {source: x}")
    assert got.startswith(says), got


def test_a_part_of_a_column_is_known_later() -> None:
    """Parts that are the values of a column can be any."""
    assert told("a: {source: dataset://b#dev}", "b: {source: x, split: {column: part}}") == ""


def test_a_cycle_is_shown() -> None:
    """Datasets that stand on each other are an error that shows the way round, once, with its place."""
    got = told("z: {source: dataset://a}", "a: {source: [x, dataset://b]}", "b: {source: dataset://c}",
               "c: {source: dataset://a}")  # fmt: skip
    assert got == "f:6:15: a dataset cannot stand on itself: a -> b -> c -> a\n  break the circle"


def test_a_dataset_on_itself() -> None:
    """The shortest cycle."""
    assert told("a: {source: dataset://a}").startswith("f:3:15: a dataset cannot stand on itself: a -> a")


def test_a_long_chain() -> None:
    """Thousands of datasets may stand on each other."""
    assert told("d0: {source: x}", *(f"d{n + 1}: {{source: dataset://d{n}}}" for n in range(1500))) == ""


@pytest.mark.parametrize("setting", ["delimiter: ','", "header: false", "format: csv", "on_bad_row: reject"])
def test_ways_to_read_files(setting: str) -> None:
    """How files are read means nothing where all sources are tables already; beside a file it does."""
    name = setting.partition(":")[0]
    got = told(f"a: {{source: dataset://b, normalize: {{{setting}}}}}", "b: {source: x}")
    assert got.startswith(f"f:3:40: {name!r} says how files are read, and the sources are datasets"), got
    assert told(f"a: {{source: [y, dataset://b], normalize: {{{setting}}}}}", "b: {source: x}") == ""


def test_settings_of_tables() -> None:
    """Names, types and columns left out apply to datasets too."""
    settings = "{columns: snake_case, types: {x: int8}, drop: [y], rename: {z: w}, nulls: [none]}"
    assert told(f"a: {{source: dataset://b, normalize: {settings}}}", "b: {source: x}") == ""
