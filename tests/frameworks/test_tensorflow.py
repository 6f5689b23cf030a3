"""TensorFlow reads what was exported, on the example datasets and on every kind of column. It is imported once, in this process."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.e2e.project import Project
from tests.frameworks.examples import EXAMPLES, Exported, cells, load

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
pytest.importorskip("google_crc32c")
soundfile = pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def tf() -> Any:
    """TensorFlow, which takes seconds to import: not at all where these tests do not run."""
    return pytest.importorskip("tensorflow")


@pytest.fixture
def records(exported: Exported, tf: Any) -> Exported:
    """The examples, with TensorFlow imported."""
    return exported


def meant(value: Any, column: str, kind: str, module: Any) -> Any:
    """What a value of the table should be read as."""
    if column in module.CATEGORIES:
        return module.CATEGORIES[column].index(value) if value is not None else -1
    if column in module.LISTS:
        return [it.encode() if isinstance(it, str) else it for it in value or []]
    if column in module.NUMBERS:
        missing = -1 if module.NUMBERS[column] == "int8" else math.nan
        return missing if value is None else np.dtype(module.NUMBERS[column]).type(value)
    return (value.encode() if isinstance(value, str) else value) or b""


@pytest.mark.parametrize("name", [*EXAMPLES, "kinds"])
def test_rows_are_those_of_the_table(records: Exported, name: str) -> None:
    """Batches, and single rows, of every part have every row, in order, with equal content."""
    module = records.module(name, "tensorflow")
    for part, count in module.ROWS.items():
        table = records.table(name, part)
        batches = list(module.make_dataset(part, 16))
        assert table.num_rows == count == sum(len(batch[module.COLUMNS[-1]]) for batch in batches)
        for column in module.COLUMNS:
            if column in ("day", "when", "took", "nested"):
                continue
            kind = str(table[column].type)
            expected = [meant(value, column, kind, module) for value in table[column].to_pylist()]
            found = (
                [value for batch in batches for value in batch[column].to_list()]
                if column in module.LISTS
                else cells(batches, column)
            )
            assert len(found) == count
            for one, other in zip(found, expected, strict=True):
                assert one == other or (one != one and other != other), column
        if "path" in module.COLUMNS:
            check_files(records.folder(name), batches)


def test_what_has_no_type_of_its_own(records: Exported) -> None:
    """Dates and times are text, durations numbers, other nested values JSON; missing ones are empty or the least number."""
    module = records.module("kinds", "tensorflow")
    table = records.table("kinds", "test")
    batch = next(iter(module.make_dataset("test", 100)))
    for column in ("day", "when", "nested"):
        gaps = [value == b"" for value in batch[column].numpy()]
        assert gaps == [value is None for value in table[column].to_pylist()] and any(gaps)
    whole = table["took"].cast("int64").to_pylist()
    assert batch["took"].numpy().tolist() == [-(2**63) if value is None else value for value in whole]


def check_files(folder: Path, batches: list[dict[str, Any]]) -> None:
    """The pixels of pictures and the samples of recordings are those of their files."""
    for batch in batches:
        kind = "image" if "image" in batch else "audio"
        for path, found in zip(batch["path"].numpy(), batch[kind], strict=True):
            if kind == "image":
                with Image.open(folder / path.decode()) as image:
                    expected = np.asarray(image)[:, :, np.newaxis]
            else:
                expected, _ = soundfile.read(folder / path.decode(), dtype="float32", always_2d=True)
            assert np.array_equal(found, expected), path


def test_shapes_of_files(records: Exported) -> None:
    """Pictures of one size are one tensor; recordings are ragged, or cut and padded to a length."""
    module = records.module("fashion", "tensorflow")
    assert next(iter(module.make_dataset("train", 4)))["image"].shape == (4, 28, 28, 1)
    module = records.module("spoken-digits", "tensorflow")
    assert next(iter(module.make_dataset("train", 4, frames=100)))["audio"].shape == (4, 100, 1)


def test_compressed_records(tmp_path: Path, tf: Any) -> None:
    """Records that are compressed as a whole are read as well; so are a part without rows, and classes that are numbers."""
    project = Project(tmp_path)
    project.write("rows.csv", "label,flag\n" + "".join(f"{row % 2 + 5},{row % 3 == 0}\n" for row in range(8)))
    export = "{formats: [tfrecord.gz], framework: tensorflow}"
    split = "{train: 0.99, test: 0.01}"
    project.write(
        "mldata.yaml",
        f"version: 1\ndatasets:\n  d:\n    source: rows.csv\n    split: {split}\n    export: {export}\n",
    )
    project.run("build", "-q")
    module = load(tmp_path / "artifacts" / "d" / "dataset.py")
    assert module.ROWS == {"train": 8, "test": 0} and module.CATEGORIES == {"label": [5, 6]}
    assert sorted(cells(list(module.make_dataset("train", 3)), "label")) == [0] * 4 + [1] * 4
    assert list(module.make_dataset("test")) == []


def test_order_and_shares(records: Exported) -> None:
    """Workers share every row; a seed gives one order; a transform makes pairs."""
    module = records.module("kinds", "tensorflow")

    def order(**options: Any) -> list[int]:
        return cells(list(module.make_dataset("train", 4, columns=["small"], **options)), "small")

    straight = order()
    shares = [order(worker_index=it, worker_count=2) for it in range(2)]
    assert shares[0] == straight[::2] and shares[1] == straight[1::2]
    mixed = order(shuffle=True, seed=3)
    assert mixed == order(shuffle=True, seed=3) != straight and sorted(mixed) == straight
    pairs = module.make_dataset("train", 4, transform=lambda row: (row["small"] * 2, row["label"]))
    twice, label = next(iter(pairs))
    assert (twice.numpy() == np.array(straight[:4]) * 2).all() and label.dtype == "int64"
    with pytest.raises(KeyError, match=r"one of train, test; found 'valid'"):
        module.make_dataset("valid")


def test_weights(records: Exported) -> None:
    """Classes weigh by how rare they are; balanced rows have each class about as often."""
    module = records.module("penguins", "tensorflow")
    counts = module.class_counts("train")
    weights = module.class_weights("train")
    assert [weights[it] * counts[it] for it in range(3)] == pytest.approx([sum(counts) / 3] * 3)
    data = module.make_dataset("train", 64, balanced=True, shuffle=True, seed=1)
    drawn = np.bincount(cells(list(data), "species"), minlength=3)
    assert drawn.min() > 0.7 * drawn.max() and abs(drawn.sum() - sum(counts)) < 60
