"""Folds: equal sizes, at random, by class and by group."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import BuildError
from store import Digest, Store
from tests.stages.jobs import PlainJob, put_table
from tests.stages.test_grouped import sides
from tests.stages.test_split import cut, people, split

WAYS: list[dict[str, Any]] = [{}, {"stratify": "label"}, {"group": ["name"]}]


def folded(store: Store, table: Digest, folds: int, **params: Any) -> tuple[np.ndarray, PlainJob]:
    """Fold of each row, and the job."""
    names = {f"fold_{number}": None for number in range(folds)}
    said = {"method": "kfold", "stratify": None, "group": []} | params
    found, job, _ = split(store, table, names, **said)  # type: ignore[arg-type]
    return found, job


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(10, 80),
    folds=st.integers(2, 9),
    where=st.lists(st.integers(0, 80), max_size=3),
    way=st.sampled_from(WAYS[:2]),
    seed=st.integers(0, 5),
)
def test_sizes_differ_by_at_most_one(
    tmp_path_factory: pytest.TempPathFactory,
    rows: int,
    folds: int,
    where: list[int],
    way: dict[str, Any],
    seed: int,
) -> None:
    """Of all rows, and of each class where it is by class; the cut into fragments does not matter."""
    table = people(rows)
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        pieces = put_table(store, cut(table, *sorted(min(place, rows) for place in where)))
        found, _ = folded(store, pieces, folds, seed=seed, **way, small_classes="warn")
        again, _ = folded(store, put_table(store, [table]), folds, seed=seed, **way, small_classes="warn")
    assert (found == again).all()
    labels = np.array([str(label) for label in table["label"].to_pylist()])
    for chosen in [found, *(found[labels == label] for label in set(labels.tolist()) if way)]:
        counts = np.bincount(chosen, minlength=folds)
        assert counts.max() - counts.min() <= 1


def test_groups_stay_whole(store: Store) -> None:
    """Folds are as near to each other as whole groups let them."""
    table = people(1010)
    found, job = folded(store, put_table(store, cut(table, 500)), 7, group=["name"])
    assert all(len(it) == 1 for it in sides(table, ["name"], found).values())
    counts = np.bincount(found)
    assert counts.max() - counts.min() <= 21
    assert job.warnings == []


@pytest.mark.parametrize("way", WAYS)
def test_seeds_differ(store: Store, way: dict[str, Any]) -> None:
    """Another seed gives other folds, the same one the same."""
    table = put_table(store, [people(500)])
    first, again, other = (folded(store, table, 5, **way, seed=seed)[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_an_edit_that_keeps_the_rows_is_a_hit(store: Store) -> None:
    """Folds at random depend on the number of rows alone."""
    folded(store, put_table(store, [people(100)]), 5)
    _, job = folded(store, put_table(store, [people(100).select(["score"])]), 5)
    assert (len(job.hits), job.runs) == (1, [])


def test_a_class_smaller_than_the_folds_is_refused(store: Store) -> None:
    """It cannot be in each, unless that is accepted."""
    table = put_table(store, [pa.table({"label": ["a"] * 20 + ["b"] * 3})])
    told = "1 of 2 classes of 'label' are too small to be in every part: b (3 rows)"
    with pytest.raises(BuildError, match=re.escape(told)):
        folded(store, table, 5, stratify="label")
    _, job = folded(store, table, 5, stratify="label", small_classes="warn")
    assert job.warnings == [told]


def test_too_few_rows_or_groups(store: Store) -> None:
    """Every fold has something, or the build says what is missing."""
    with pytest.raises(BuildError, match="5 folds need as many rows, the table has 4"):
        folded(store, put_table(store, [people(4)]), 5)
    table = put_table(store, [pa.table({"user": ["a", "b", "c"] * 10})])
    with pytest.raises(BuildError, match=r"part 'fold_3' would have 0 of 30 rows(?s:.*)there are 3"):
        folded(store, table, 5, group=["user"])
    with pytest.raises(BuildError, match="Did you mean 'user'"):
        folded(store, table, 3, group=["uesr"])
    with pytest.raises(BuildError, match="Did you mean 'user'"):
        folded(store, table, 3, stratify="uesr")
