"""Splits as the source itself is divided into folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.assignment import Assignment
from mldata.errors import BuildError
from mldata.stages.divided import part_words
from mldata.stages.split import Split
from store import Store
from tests.stages.jobs import PlainJob, put_table, split_params


def parted(
    store: Store, files: Sequence[str], values: Mapping[str, str] | None = None, sources: int = 1
) -> tuple[list[str], dict[str, int]]:
    """The part's name of each row of a table with two rows a file, and the rows of each part."""
    params = {"parts": [], "method": "folder", "values": dict(values or {})}
    if sources > 1:
        params["sources"] = sources
    pieces = [pa.table({"x": [number, number]}) for number, _ in enumerate(files)]
    job = PlainJob(store, "split", params, {"normalize": put_table(store, pieces, sources=files)})
    made = Split().build(job)
    assignment = Assignment.open(store, made.output.digest)
    return [assignment.parts[n] for n in assignment.part_of(0, assignment.rows)], made.facts["parts"]


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        (["train/a.csv", "train/b.csv", "test/a.csv"], ["train", "train", "test"]),
        (["data/x/train/a.csv", "data/x/test/a.csv"], ["train", "test"]),
        (["data/extra/a/b.csv", "data/other/c.csv"], ["extra", "other"]),
        (["train/en/a.csv", "train/de/b.csv"], ["train", "train"]),
        (["train.csv", "test-00000-of-00001.csv"], ["train", "test"]),
        (["d/train_1.csv", "d/Validation.csv"], ["train", "Validation"]),
        (["trains.csv", "test.csv"], [None, "test"]),
    ],
)
def test_what_says_the_part(files: list[str], parts: list[str | None]) -> None:
    """The first folder that not all share, the shared one that is called like a part, or the name of a file without a folder."""
    assert list(part_words(files).items()) == list(zip(files, parts, strict=True))


@given(st.lists(st.tuples(st.sampled_from(["train", "test", "a", "b"]), st.sampled_from("xyz")), min_size=1))
def test_files_of_one_folder_are_in_one_part(files: list[tuple[str, str]]) -> None:
    """Whatever there is beside them."""
    names = [f"{folder}/{name}.csv" for folder, name in files]
    words = part_words([f"data/{name}" for name in names])
    by_folder = {
        folder: {words[f"data/{folder}/{name}.csv"] for f, name in files if f == folder}
        for folder, _ in files
    }
    assert all(len(found) == 1 for found in by_folder.values())


def test_every_row_is_in_the_part_of_its_file(store: Store) -> None:
    """Parts stand in the usual order, under the names that ``values`` gives."""
    files = ["test/a.csv", "train/a.csv", "train/b.csv", "validation/a.csv"]
    found, counts = parted(store, files, {"validation": "val"})
    assert found == ["test"] * 2 + ["train"] * 4 + ["val"] * 2
    assert list(counts.items()) == [("train", 4), ("val", 2), ("test", 2)]


def test_of_a_list_of_sources(store: Store) -> None:
    """The folders that only number the sources say nothing."""
    found, _ = parted(store, ["0/train/a.csv", "0/test/a.csv", "1/train/b.csv"], sources=2)
    assert found == ["train"] * 2 + ["test"] * 2 + ["train"] * 2


@pytest.mark.parametrize(
    ("files", "said"),
    [(["a.csv", "b.csv"], "'a.csv'"), (["x/a.csv", "b.csv"], "'b.csv'"), (["a b/a.csv", "c/a.csv"], "'a b'")],
)
def test_a_file_without_a_part_is_an_error(store: Store, files: list[str], said: str) -> None:
    """It is named, with what to do."""
    with pytest.raises(BuildError, match="split: ") as caught:
        parted(store, files)
    assert said in str(caught.value) and caught.value.hint


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["train/a.csv", "test/a.csv"], ["train, test"]),
        (["data/train-0.csv", "data/dev-0.csv", "data/test-0.csv"], ["train, dev, test"]),
        (["train/a.csv", "train/b.csv"], []),
        (["north/a.csv", "south/b.csv"], []),
        (["train/a.csv", "other/b.csv"], []),
    ],
)
def test_parts_that_are_mixed_anew_are_told(store: Store, files: list[str], told: list[str]) -> None:
    """Shares over a source that has parts of its own give a warning that names them and how to keep them; other folders do not."""
    pieces = [pa.table({"x": range(10)}) for _ in files]
    params = split_params({"train": 0.5, "test": 0.5})
    job = PlainJob(store, "split", params, {"normalize": put_table(store, pieces, sources=files)})
    Split().build(job)
    assert len(job.warnings) == len(told)
    assert all(text in job.warnings[0] and "method: predefined" in job.warnings[0] for text in told)
