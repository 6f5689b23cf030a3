"""TensorFlow reads what was exported, on the example datasets and on every kind of column. It is imported once, in this process."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest

from tests.frameworks.examples import EXAMPLES, Exported, cells

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


def test_pictures_and_recordings(records: Exported) -> None:
    """A picture's pixels and a recording's samples are those of its file."""
    from PIL import Image

    module = records.module("fashion", "tensorflow")
    for part in module.ROWS:
        for batch in module.make_dataset(part, 32):
            assert batch["image"].shape[1:] == (28, 28, 1)
            for path, pixels in zip(batch["path"].numpy(), batch["image"].numpy(), strict=True):
                with Image.open(records.folder("fashion") / path.decode()) as image:
                    assert np.array_equal(np.asarray(image), pixels[:, :, 0])
    module = records.module("spoken-digits", "tensorflow")
    for part in module.ROWS:
        for batch in module.make_dataset(part, 32):
            for path, sound in zip(batch["path"].numpy(), batch["audio"], strict=True):
                file = records.folder("spoken-digits") / path.decode()
                samples, _ = soundfile.read(file, dtype="float32", always_2d=True)
                assert np.array_equal(np.asarray(sound), samples)
    assert next(iter(module.make_dataset("train", 4, frames=100)))["audio"].shape == (4, 100, 1)


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
