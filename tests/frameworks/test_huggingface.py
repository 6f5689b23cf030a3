"""``datasets`` loads what was exported, on the example datasets and on every kind of column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.frameworks.examples import EXAMPLES, Exported

datasets: Any


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Imported by the process that runs these tests, and not by every one that collects them."""
    global datasets
    datasets = pytest.importorskip("datasets")


def plain_rows(data: Any) -> list[dict[str, Any]]:
    """Rows as the table has them: names of labels, without the files that are in them."""
    rows = [{name: value for name, value in row.items() if not is_file(value)} for row in undecoded(data)]
    for name, feature in data.features.items():
        if isinstance(feature, datasets.ClassLabel):
            for row in rows:
                row[name] = feature.int2str(row[name])
    return rows


def is_file(value: Any) -> bool:
    """Whether a value is a picture or a recording."""
    return isinstance(value, dict) and "bytes" in value and "path" in value


def undecoded(data: Any) -> Any:
    """The rows with files as bytes."""
    for name, feature in data.features.items():
        if isinstance(feature, datasets.Image | datasets.Audio):
            data = data.cast_column(name, type(feature)(decode=False))
    return data


@pytest.mark.parametrize("name", EXAMPLES)
def test_rows_are_those_of_the_table(exported: Exported, name: str) -> None:
    """Every part is a split with every row, in order, with equal content; files are the very bytes."""
    module = exported.module(name, "huggingface")
    loaded = module.load()
    assert list(loaded) == list(module.SPLITS.values()) == list(module.ROWS)
    for part, rows in module.ROWS.items():
        data = module.load_part(part)
        assert data.num_rows == rows
        assert plain_rows(data) == exported.table(name, part).to_pylist()
        for row in undecoded(data):
            for value in filter(is_file, row.values()):
                assert value["bytes"] == (exported.folder(name) / row["path"]).read_bytes()


def test_load_dataset_gives_the_same(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``load_dataset`` of the folder has the features and rows of ``load_from_disk``, whatever else is in it."""
    for name in ("penguins", "kinds"):
        folder = str(exported.folder(name))
        one = datasets.load_dataset(folder, cache_dir=str(tmp_path / "cache"))
        other = exported.module(name, "huggingface").load()
        assert set(one) == set(other)
        for split in one:
            assert one[split].features == other[split].features
            assert list(one[split]) == list(other[split])


def test_transform_streaming_and_weights(exported: Exported) -> None:
    """A transform is given lists by column; a stream has every row; balanced rows have each class as often."""
    module = exported.module("penguins", "huggingface")

    def double(rows: dict[str, Any]) -> dict[str, Any]:
        return {"twice": [None if it is None else 2 * it for it in rows["body_mass_g"]]}

    expected = [
        None if it is None else 2 * it for it in exported.table("penguins", "val")["body_mass_g"].to_pylist()
    ]
    assert [row["twice"] for row in module.load_part("val", transform=double)] == expected
    stream = module.load_part("val", streaming=True, transform=double)
    assert [row["twice"] for row in stream] == expected and stream.num_shards > 1
    drawn = module.balanced("train", seed=1)
    shares = np.unique(drawn["species"], return_counts=True)[1] / len(drawn)
    assert len(drawn) == module.ROWS["train"] and shares.min() > 0.23
    pictures = exported.module("fashion", "huggingface").balanced("train")
    assert len(pictures) == 70 and len(set(pictures["label"])) == 10
    counts = module.class_counts("train")
    assert np.allclose(np.array(module.class_weights("train")) * counts, sum(counts) / 3)
    with pytest.raises(KeyError, match=r"one of train, val, test; found 'all'"):
        module.load_part("all")
