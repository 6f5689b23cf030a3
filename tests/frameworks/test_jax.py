"""JAX reads what was exported, on the example datasets and on every kind of column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.frameworks.examples import EXAMPLES, Exported, cells

soundfile = pytest.importorskip("soundfile")


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Imported by the process that runs these tests, and not by every one that collects them."""
    pytest.importorskip("jax")


def rows_of(table: Any, module: Any, name: str) -> list[Any]:
    """What a column of the table should be read as."""
    values = table[name]
    if name in module.CATEGORIES:
        places = {value: place for place, value in enumerate(module.CATEGORIES[name])}
        return [places.get(value, -1) for value in values.to_pylist()]
    if name in module.TIMES:
        whole = values.cast(f"int{values.type.bit_width}").to_pylist()
        return [-(2**63) if value is None else value for value in whole]
    return values.to_pylist()


@pytest.mark.parametrize("name", [*EXAMPLES, "kinds"])
def test_rows_are_those_of_the_table(exported: Exported, name: str) -> None:
    """Batches of every part have every row, in order, with equal content; so has ``read``."""
    module = exported.module(name, "jax")
    for part, count in module.ROWS.items():
        table = exported.table(name, part)
        batches = list(module.batches(part, 16))
        whole = module.read(part)
        assert table.num_rows == count == len(whole[module.COLUMNS[0]])
        for column in table.column_names:
            expected = rows_of(table, module, column)
            exact = cells(batches, column)
            assert len(exact) == count
            for found, read, value in zip(exact, whole[column], expected, strict=True):
                if isinstance(value, float):
                    assert np.float32(value) == found and read == value
                elif column in module.NUMBERS and value is None:
                    assert np.isnan(found) or (module.NUMBERS[column] == "int8" and found == -1)
                elif column in module.NUMBERS and module.NUMBERS[column] == "float64":
                    assert np.float32(float(value)) == found and read == float(value)
                else:
                    assert found == value and read == value, column


def test_pictures_and_recordings(exported: Exported) -> None:
    """A picture's pixels are those of its file; recordings are padded to one length, or cut."""
    from PIL import Image

    module = exported.module("fashion", "jax")
    for part in module.ROWS:
        for batch in module.batches(part, 16):
            assert str(batch["image"].dtype) == "uint8" and batch["image"].shape[1:] == (28, 28, 1)
            for path, pixels in zip(batch["path"], np.asarray(batch["image"]), strict=True):
                with Image.open(exported.folder("fashion") / path) as image:
                    assert np.array_equal(np.asarray(image), pixels[:, :, 0])
    module = exported.module("spoken-digits", "jax")
    for part in module.ROWS:
        for batch in module.batches(part, 16):
            sounds, lengths = np.asarray(batch["audio"]), batch["audio_length"].tolist()
            for path, sound, length in zip(batch["path"], sounds, lengths, strict=True):
                samples, _ = soundfile.read(exported.folder("spoken-digits") / path, dtype="float32")
                assert np.array_equal(sound[:length, 0], samples) and not sound[length:].any()
    cut = next(module.batches("train", 4, frames=100))
    assert cut["audio"].shape == (4, 100, 1) and cut["audio_length"].tolist() == [100] * 4


def test_shuffled_and_shared(exported: Exported) -> None:
    """A seed gives one order, streamed or not; processes share every row, with as many batches each."""
    module = exported.module("kinds", "jax")
    rows = module.ROWS["train"]

    def order(**options: Any) -> list[int]:
        options = {"columns": ["small"]} | options
        return cells(module.batches("train", 4, **options), "small")

    straight = order()
    for streaming in (False, True):
        mixed = order(shuffle=True, seed=1, streaming=streaming)
        assert mixed == order(shuffle=True, seed=1, streaming=streaming) != straight
        assert mixed != order(shuffle=True, seed=2, streaming=streaming)
        assert sorted(mixed) == sorted(straight)
        shares = [
            order(shuffle=True, streaming=streaming, process_index=it, process_count=3) for it in range(3)
        ]
        assert sorted(it for share in shares for it in share) == sorted(straight)
        assert order(streaming=streaming) == straight
    whole = [
        [len(batch["small"]) for batch in module.batches("train", 4, process_index=it, **processes)]
        for processes in [{"process_count": 2, "drop_remainder": True}]
        for it in range(2)
    ]
    assert whole == [[4] * (rows // 8)] * 2
    with pytest.raises(KeyError, match=r"one of train, test; found 'valid'"):
        order_of = module.batches("valid")
        next(order_of)


def test_wide_numbers_keep_their_bits(exported: Exported) -> None:
    """Without 64 bits, numbers that need them stay NumPy's; with them, all are JAX's and exact."""
    import jax

    module = exported.module("kinds", "jax")
    assert set(module.WIDE) == {"big", "day", "when", "took"}
    batch = next(module.batches("train"))
    assert isinstance(batch["big"], np.ndarray) and isinstance(batch["small"], jax.Array)
    assert str(batch["small"].dtype) == "int32"
    with jax.enable_x64(True):
        batch = next(module.batches("train"))
        assert isinstance(batch["big"], jax.Array) and str(batch["big"].dtype) == "int64"
        assert int(batch["big"][0]) >= 2**60


def test_transform_and_weights(exported: Exported) -> None:
    """``transform`` sees a row and makes another; classes weigh by how rare they are, and are drawn as often."""
    module = exported.module("penguins", "jax")

    def double(row: dict[str, Any]) -> dict[str, Any]:
        return {"twice": row["body_mass_g"] * 2, "pair": np.array([row["year"], 1]), "island": row["island"]}

    batch = next(module.batches("train", 8, transform=double))
    table = exported.table("penguins", "train")
    assert float(batch["twice"][0]) == 2 * table["body_mass_g"][0].as_py() and batch["pair"].shape == (8, 2)
    counts = module.class_counts("train")
    assert np.allclose(module.class_weights("train") * np.array(counts), sum(counts) / 3)
    drawn = np.concatenate([it["species"] for it in module.batches("train", 64, balanced=True)])
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    assert len(drawn) == module.ROWS["train"] and shares.min() > 0.23
    with pytest.raises(ValueError, match="streaming=False"):
        next(module.batches("train", balanced=True, streaming=True))


def test_a_model_learns(exported: Exported) -> None:
    """Logistic regression by gradient descent under ``jit`` tells penguins apart."""
    import jax
    import jax.numpy as jnp

    module = exported.module("penguins", "jax")
    names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"]

    def inputs(batch: dict[str, Any]) -> Any:
        X = jnp.stack([batch[name] for name in names], axis=1)
        return (jnp.nan_to_num(X) - jnp.array([44.0, 17.0, 200.0])) / jnp.array([5.0, 2.0, 14.0])

    def loss(weights: Any, X: Any, y: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(X @ weights), y[:, None], 1).mean()

    step = jax.jit(lambda weights, X, y: weights - 0.5 * jax.grad(loss)(weights, X, y))
    weights = jnp.zeros((3, 3))
    for epoch in range(4):
        for batch in module.batches("train", 64, shuffle=True, seed=epoch, drop_remainder=True):
            weights = step(weights, inputs(batch), batch["species"])
    test = next(module.batches("test", 64))
    assert ((inputs(test) @ weights).argmax(1) == test["species"]).mean() > 0.7
