"""scikit-learn fits models on what was exported: the example datasets, and a table with every kind of column."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from tests.frameworks.examples import Exported


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Imported by the process that runs these tests, and not by every one that collects them."""
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")


def learnt(module: Any, ordinal: bool = False) -> float:
    """The share of the test part that a model which learnt from the training part gets right."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    step = module.make_preprocessor(ordinal=True) if ordinal else module.make_preprocessor()
    model: Any = (
        DecisionTreeClassifier(random_state=0) if ordinal else LogisticRegression(max_iter=200, tol=0.001)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make_pipeline(step, model).fit(*module.load("train"))
        return float(model.score(*module.load("test")))


def test_models_beat_chance(exported: Exported) -> None:
    """A model on the preprocessor's columns is right far more often than by chance, on tables, pictures and recordings."""
    penguins = exported.module("penguins", "sklearn")
    assert learnt(penguins) > 0.9 and learnt(penguins, ordinal=True) > 0.8
    assert learnt(exported.module("fashion", "sklearn")) > 0.4
    digits = exported.module("spoken-digits", "sklearn")
    X, y = digits.load("train")
    assert X.shape == (40, 80) and np.isfinite(X).all() and learnt(digits) >= 0.2
    assert [digits.class_names()[it] for it in y] == exported.table("spoken-digits", "train")[
        "label"
    ].to_pylist()


def test_x_and_y_are_the_table(exported: Exported) -> None:
    """X has the columns but the label, in order, with equal values, gaps where they are, and y the label's index."""
    module = exported.module("penguins", "sklearn")
    for part in module.ROWS:
        table = exported.table("penguins", part)
        X, y = module.load(part)
        assert list(X.columns) == table.column_names[1:] and len(X) == table.num_rows
        assert [module.class_names()[it] for it in y] == table["species"].to_pylist()
        for name in X.columns:
            found = [None if value != value else value for value in X[name].tolist()]
            assert found == table[name].to_pylist(), name
    other, island = module.load("train", label="island")
    assert "species" in other and "island" not in other and island.max() == 2
    mass = module.load("train", label="body_mass_g")[1]
    assert np.isnan(mass).sum() == exported.table("penguins", "train")["body_mass_g"].null_count
    assert module.load("train", label=None)[1] is None
    with pytest.raises(KeyError, match="'sepal'"):
        module.load("train", label="sepal")


def test_every_kind_of_column(exported: Exported) -> None:
    """Numbers, flags, times, text and, by a hook, nested columns become finite numbers; a fitted step can be pickled."""
    module = exported.module("kinds", "sklearn")
    hooks = {"list": lambda values: len(values or [])}
    X, _ = module.load("train", hooks=hooks)
    table = exported.table("kinds", "train")
    assert X["list"].tolist() == [len(values or []) for values in table["list"].to_pylist()]
    assert "bytes" not in X and "nested" not in X and "nested" not in module.load("train")[0]
    for name in ("class", "yes", "when", "day", "took", "cost"):
        assert X[name].isna().tolist() == [value is None for value in table[name].to_pylist()], name
    assert X["text"].tolist() == [value or "" for value in table["text"].to_pylist()]
    step = module.make_preprocessor(words=64, hooks=hooks).fit(X)
    made = step.transform(module.load("test", hooks=hooks)[0])
    made = made.toarray() if hasattr(made, "toarray") else made
    assert made.shape[0] == module.ROWS["test"] and made.shape[1] > 64 and np.isfinite(made).all()
    again = pickle.loads(pickle.dumps(step)).transform(X)
    assert again.shape[1] == made.shape[1]
    with pytest.raises(KeyError, match="'txt'"):
        module.load("train", hooks={"txt": len})


def test_batches_are_the_whole(exported: Exported) -> None:
    """Pieces together are what ``load`` gives, for a model that learns piece by piece."""
    import pandas as pd

    module = exported.module("penguins", "sklearn")
    X, y = module.load("train")
    pieces = list(module.batches("train", 50))
    assert [len(piece) for piece, _ in pieces] == [50] * 5 + [25]
    pd.testing.assert_frame_equal(pd.concat([piece for piece, _ in pieces], ignore_index=True), X)
    assert np.array_equal(np.concatenate([piece for _, piece in pieces]), y)
    pictures = exported.module("fashion", "sklearn")
    whole = np.concatenate([piece for piece, _ in pictures.batches("test", 7)])
    assert np.array_equal(whole, pictures.load("test")[0])


def test_pictures_of_several_sizes(exported: Exported) -> None:
    """Another size is brought to one when asked; without being asked it is an error that says how."""
    from PIL import Image

    module = exported.module("fashion", "sklearn")
    X, y = module.load("test")
    assert X.shape == (20, 784) and X.min() >= 0 and X.max() == 1 and len(y) == 20
    table = exported.table("fashion", "test")
    with Image.open(exported.folder("fashion") / table["path"][0].as_py()) as image:
        assert np.array_equal(X[0], np.asarray(image, np.float32).ravel() / 255)
    assert module.load("test", size=(14, 10))[0].shape == (20, 140)
    assert module.load("test", transform=lambda pixels: [pixels.mean()])[0].shape == (20, 1)
    module.SIZE = None
    with pytest.raises(ValueError, match=r"pictures of one size; .* give `size` or `transform`"):
        module.load("test")


def test_weights(exported: Exported) -> None:
    """Weights are those that scikit-learn calls balanced, by class and by row."""
    from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

    module = exported.module("penguins", "sklearn")
    y = module.load("train")[1]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    assert module.class_weights("train") == pytest.approx(dict(enumerate(expected)))
    assert module.sample_weights("train") == pytest.approx(compute_sample_weight("balanced", y))
