"""Which stages stand on which."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mldata.graph import Need, Step, needs_of, references, steps
from mldata.project import DatasetSpec
from mldata.reference import Reference


def dataset(name: str, *sources: str, **stages: Any) -> DatasetSpec:
    return DatasetSpec(name, sources, {}, stages.get("split"), stages.get("export"), stages.get("transform"))


SOME = {
    "top": dataset("top", "x.csv", "dataset://base#train", "dataset://base", "dataset://plain", export={}),
    "base": dataset("base", "data", transform={}, split={}, export={}),
    "plain": dataset("plain", "dataset://base"),
}


def test_references_by_folder() -> None:
    """Each source that is a dataset has the folder of its place in the list."""
    assert references(SOME["top"].sources) == {
        "1": Reference("base", "train"),
        "2": Reference("base"),
        "3": Reference("plain"),
    }
    assert list(references(["x"] * 10 + ["dataset://a"])) == ["10"]
    assert references(["dataset://a"]) == {"0": Reference("a")}


def test_fetch_needs_tables_of_others() -> None:
    """Fetch reads the last table of each dataset that is named, and its split for a part; once each."""
    assert needs_of(SOME, Step("top", "fetch")) == [
        Need("transform:base", Step("base", "transform")),
        Need("split:base", Step("base", "split")),
        Need("normalize:plain", Step("plain", "normalize")),
    ]
    assert needs_of(SOME, Step("top", "export")) == [Need("normalize", Step("top", "normalize"))]


def test_no_more_than_is_needed() -> None:
    """What nothing wanted reads is not among the steps: the export of a dataset that is only read."""
    assert list(steps(SOME, [Step("plain", "normalize")])) == [
        Step("base", "fetch"),
        Step("base", "normalize"),
        Step("base", "transform"),
        Step("plain", "fetch"),
        Step("plain", "normalize"),
    ]


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30), st.data())
def test_everything_comes_after_what_it_stands_on(below: list[list[int]], data: st.DataObject) -> None:
    """Steps come once each, and each after its needs, whatever the graph."""
    datasets = {
        f"d{n}": dataset(f"d{n}", *(f"dataset://d{other % n}" for other in others if n), export={})
        for n, others in enumerate(below)
    }
    wanted = data.draw(st.lists(st.sampled_from([Step(name, "export") for name in datasets]), max_size=5))
    order = list(steps(datasets, wanted))
    assert len(set(order)) == len(order) and set(wanted) <= set(order)
    for place, step in enumerate(order):
        assert {need.step for need in needs_of(datasets, step)} <= set(order[:place])


def test_a_tower_of_datasets() -> None:
    """No recursion: thousands of datasets may stand on each other."""
    tower = {"d0": dataset("d0", "x")} | {
        f"d{n}": dataset(f"d{n}", f"dataset://d{n - 1}") for n in range(1, 3000)
    }
    assert len(list(steps(tower, [Step("d2999", "normalize")]))) == 6000
