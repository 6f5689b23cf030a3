"""The split stage: what a build gets from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.assignment import Assignment
from mldata.errors import BuildError
from mldata.stages.split import Split
from store import Digest, Store
from tests.stages.jobs import PlainJob, put_table, split_params

PARTS = {"train": 0.8, "val": 0.1, "test": 0.1}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.open(tmp_path / "store")


def people(rows: int) -> pa.Table:
    """A table with an id, a text, a label with nulls and an uneven second label."""
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "name": [f"name {row % 50}" for row in range(rows)],
            "label": pa.array([["cat", "dog", None, "cat"][row % 4] for row in range(rows)], pa.string()),
            "grade": pa.array([0 if row % 10 else 1 for row in range(rows)], pa.int8()),
            "score": [row / 7 for row in range(rows)],
        }
    )


def cut(table: pa.Table, *places: int) -> list[pa.Table]:
    """The table in pieces that end at these rows."""
    edges = [0, *places, table.num_rows]
    return [table.slice(start, stop - start) for start, stop in pairwise(edges)]


def split(
    store: Store, table: Digest, parts: Mapping[str, float] = PARTS, **params: Any
) -> tuple[np.ndarray, PlainJob, Digest]:
    """Run the stage; the part of each row, the job, and the assignment."""
    job = PlainJob(store, "split", split_params(parts, **params), {"normalize": table})
    made = Split().build(job)
    assignment = Assignment.open(store, made.output.digest)
    found = assignment.part_of(0, assignment.rows)
    assert len(found) == assignment.rows == made.rows
    assert np.bincount(found, minlength=len(parts)).tolist() == list(assignment.counts)
    assert made.facts["parts"] == dict(zip(parts, assignment.counts, strict=True))
    assert assignment.parts == tuple(parts)
    return found, job, made.output.digest


METHODS: list[dict[str, Any]] = [
    {"method": "random"},
    {"method": "random", "seed": 7},
    {"method": "stratify", "stratify": "label"},
    {"method": "stratify", "stratify": "grade"},
    {"method": "hash"},
    {"method": "hash", "by": ["name"]},
    {"method": "hash", "by": ["id", "score"], "seed": 7},
]
LATER: list[dict[str, Any]] = [
    {"method": "group", "group": ["name"]},
    {"method": "group", "group": ["name", "grade"], "seed": 7},
    {"method": "time", "time": "id", "cuts": []},
    {"method": "time", "time": "id", "cuts": [100, 900]},
    {"method": "kfold", "stratify": None, "group": []},
    {"method": "kfold", "stratify": "label", "group": []},
    {"method": "kfold", "stratify": None, "group": ["name"]},
]
"""Methods that know no part with a share of 0."""


@pytest.mark.parametrize("params", [*METHODS, *LATER])
def test_the_cut_into_fragments_does_not_matter(store: Store, params: dict[str, Any]) -> None:
    """A row's part is the same in one fragment and in several, also with empty ones."""
    table = people(1000)
    whole = split(store, put_table(store, [table]), **params)[0]
    pieces = split(store, put_table(store, cut(table, 1, 1, 333, 900)), **params)[0]
    assert (whole == pieces).all()


def test_random_depends_on_the_number_of_rows_only(store: Store) -> None:
    """An edit that keeps the number of rows finds the assignment in the cache."""
    first = split(store, put_table(store, [people(100)]))[2]
    other = put_table(store, [people(100).select(["score"])])
    _, job, second = split(store, other)
    assert (first, len(job.hits), job.runs) == (second, 1, [])


def test_seeds_differ(store: Store) -> None:
    """Another seed is another split, by every method."""
    table = put_table(store, [people(500)])
    for params in METHODS[::2]:
        assert (split(store, table, **params)[0] != split(store, table, **params | {"seed": 1})[0]).any()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(0, 60),
    ratios=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    where=st.lists(st.integers(0, 60), max_size=3),
    method=st.sampled_from(METHODS),
)
def test_every_row_has_one_part(
    tmp_path_factory: pytest.TempPathFactory,
    rows: int,
    ratios: Sequence[int],
    where: list[int],
    method: dict[str, Any],
) -> None:
    """Parts are disjoint, cover the table, and have the counts that the assignment tells, for any sizes."""
    parts = {f"part{number}": ratio / sum(ratios) for number, ratio in enumerate(ratios)}
    pieces = cut(people(rows), *sorted(min(place, rows) for place in where))
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        _, _, digest = split(store, put_table(store, pieces), parts, **method, small_classes="warn")
        assignment = Assignment.open(store, digest)
        indices = np.concatenate([assignment.indices(part) for part in parts])
        assert sorted(indices.tolist()) == list(range(rows))


def test_one_row_goes_to_the_largest_part(store: Store) -> None:
    """The others are empty, which is warned about."""
    found, job, _ = split(store, put_table(store, [people(1)]), {"val": 0.2, "train": 0.8})
    assert found.tolist() == [1]
    assert job.warnings == ["part 'val' has no rows: the table has 1"]


def test_stratify_keeps_proportions(store: Store) -> None:
    """Each class, nulls too, is divided by the ratios."""
    table = people(1000)
    found, job, _ = split(store, put_table(store, [table]), method="stratify", stratify="label")
    labels = np.array(table["label"].to_pylist(), object)
    for label, counts in (("cat", [400, 50, 50]), ("dog", [200, 25, 25]), (None, [200, 25, 25])):
        assert np.bincount(found[labels == label], minlength=3).tolist() == counts
    assert job.warnings == []


def test_stratify_refuses_small_classes(store: Store) -> None:
    """A class with fewer rows than parts cannot be in each: an error that names the smallest, or a warning where that is asked for."""
    table = put_table(store, [pa.table({"label": ["big"] * 100 + [None, "one", "two", "two"]})])
    told = (
        "3 of 4 classes of 'label' are too small to be in every part: None (1 row), one (1 row), two (2 rows)"
    )
    with pytest.raises(BuildError) as error:
        split(store, table, method="stratify", stratify="label")
    assert told in str(error.value) and "small_classes: warn" in str(error.value)
    _, job, _ = split(store, table, method="stratify", stratify="label", small_classes="warn")
    assert job.warnings == [told]
    assert job.runs == []  # only what is said of it is another
    table = put_table(store, [pa.table({"label": ["big"] * 100 + [f"c{number}" for number in range(8)]})])
    _, job, _ = split(store, table, method="stratify", stratify="label", small_classes="warn")
    assert job.warnings[0].endswith("c4 (1 row) and 3 more")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"method": "stratify", "stratify": "labels"},
            r"'labels'(?s:.*)Did you mean 'label'\? The columns are: id, name",
        ),
        (
            {"method": "stratify", "stratify": "score"},
            r"'score' of type double(?s:.*)types: \{score: string\}",
        ),
        (
            {"method": "stratify", "stratify": "id"},
            r"more than 50 distinct values in 100 rows(?s:.*)by: \[id\]",
        ),
        ({"method": "stratify", "stratify": "tags"}, r"'tags' of type list"),
        ({"method": "hash", "by": ["id", "zzz"]}, r"'by' names column 'zzz'(?s:.*)The columns are"),
    ],
)
def test_unfit_columns_are_errors(store: Store, params: dict[str, Any], message: str) -> None:
    """A missing, continuous, nested or nearly unique column is named, with what to do."""
    table = people(100).append_column("tags", pa.array([[1]] * 100))
    with pytest.raises(BuildError, match=message):
        split(store, put_table(store, [table]), **params)


def test_a_hash_of_unhashable_columns_is_an_error(store: Store) -> None:
    """The message says how to go on without the column."""
    table = put_table(store, [people(10)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mldata.rowhash.hash_rows", _refuse)
        with pytest.raises(BuildError, match=r"values of type x(?s:.*)by: \[COLUMN\]"):
            split(store, table, method="hash")


def _refuse(columns: Sequence[pa.Array]) -> np.ndarray:
    raise TypeError("values of type x cannot be hashed")


def test_hash_keeps_rows_where_they_are(store: Store) -> None:
    """Rows inserted anywhere, and fragments added, move no other row."""
    table = people(300)
    before = split(store, put_table(store, [table]), method="hash", by=["id"])[0]
    more = pa.concat_tables(
        [people(1000).slice(900), table.slice(0, 100), people(800).slice(700), table.slice(100)]
    )
    after = split(store, put_table(store, cut(more, 250)), method="hash", by=["id"])[0]
    assert (np.concatenate([after[100:200], after[300:]]) == before).all()


def test_hash_keeps_groups_together(store: Store) -> None:
    """Equal values of the columns in `by` have one part."""
    table = people(1000)
    found = split(store, put_table(store, cut(table, 500)), method="hash", by=["name"])[0]
    for name in set(table["name"].to_pylist()):
        assert len(set(found[np.array(table["name"].to_pylist()) == name].tolist())) == 1


def test_hash_is_near_the_ratios(store: Store) -> None:
    """Counts are within five standard deviations."""
    found = split(store, put_table(store, [people(20_000)]), method="hash")[0]
    for number, ratio in enumerate(PARTS.values()):
        assert abs(int((found == number).sum()) - 20_000 * ratio) < 5 * np.sqrt(20_000 * ratio * (1 - ratio))


@settings(max_examples=25, deadline=None)
@given(
    before=st.sets(st.integers(0, 10_000), min_size=1, max_size=80),
    after=st.sets(st.integers(0, 10_000), max_size=80),
    where=st.lists(st.integers(0, 80), max_size=3),
    params=st.sampled_from([{}, {"by": ["id"]}, {"by": ["name", "label"], "seed": 3}]),
    random=st.randoms(use_true_random=False),
)
def test_rows_that_come_and_go_move_no_other(
    tmp_path_factory: pytest.TempPathFactory,
    before: set[int],
    after: set[int],
    where: list[int],
    params: dict[str, Any],
    random: Any,
) -> None:
    """A row has the same part in any two tables that it is in, whatever else these hold, in any order and any files."""
    everyone = people(10_001)
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        found: list[dict[int, int]] = []
        for ids in (before, after | set(sorted(before)[::2])):
            rows = random.sample(sorted(ids), len(ids))
            pieces = cut(everyone.take(rows), *sorted(min(place, len(rows)) for place in where))
            parts = split(store, put_table(store, pieces), method="hash", **params)[0]
            found.append(dict(zip(rows, parts.tolist(), strict=True)))
    both = found[0].keys() & found[1].keys()
    assert both
    assert {row: found[0][row] for row in both} == {row: found[1][row] for row in both}


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(200, 3000),
    ratios=st.lists(st.integers(1, 20), min_size=2, max_size=5),
    seed=st.integers(0, 2**64 - 1),
)
def test_shares_of_a_hash_are_within_the_binomial_bound(
    tmp_path_factory: pytest.TempPathFactory, rows: int, ratios: list[int], seed: int
) -> None:
    """Of different rows each part has its share, give or take six standard deviations, by any seed and shares."""
    parts = {f"p{number}": ratio / sum(ratios) for number, ratio in enumerate(ratios)}
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        table = put_table(store, [people(rows)])
        found = split(store, table, parts, method="hash", by=["id"], seed=seed)[0]
    for number, share in enumerate(parts.values()):
        bound = 6 * np.sqrt(rows * share * (1 - share)) + 1
        assert abs(int((found == number).sum()) - rows * share) < bound


def test_hash_runs_an_action_a_fragment(store: Store) -> None:
    """Only the fragment that is new is read."""
    pieces = cut(people(300), 100, 200)
    _, job, _ = split(store, put_table(store, pieces), method="hash")
    assert (len(job.runs), len(job.hits)) == (3, 0)
    pieces[1] = people(1000).slice(900)
    _, job, _ = split(store, put_table(store, pieces), method="hash")
    assert (len(job.runs), len(job.hits)) == (1, 2)


def test_workers_share_the_row_groups_of_one_fragment(store: Store) -> None:
    """A table of one file is split by several workers as by one."""
    table = people(1000)
    digest = put_table(store, [table], row_group_size=300)
    params = split_params(PARTS, method="hash")
    job = PlainJob(store, "split", params, {"normalize": digest})
    job.jobs = 2
    assignment = Assignment.open(store, Split().build(job).output.digest)
    expected = split(store, put_table(store, [table]), method="hash")[0]
    assert (assignment.part_of(0, 1000) == expected).all()
    assert np.bincount(expected, minlength=3).tolist() == list(assignment.counts)


def test_hash_of_media_is_of_their_content(store: Store) -> None:
    """An image that is renamed stays where it is."""
    rows = 200
    table = pa.table(
        {"path": [f"{row}.png" for row in range(rows)], "digest": [f"{row:064x}" for row in range(rows)]}
    )
    renamed = table.set_column(0, "path", pa.array([f"new/{row}.png" for row in range(rows)]))
    first, second = (
        split(store, put_table(store, [it], kind="images", media={}), method="hash")[0]
        for it in (table, renamed)
    )
    assert (first == second).all()
    assert len(set(first.tolist())) == 3


def test_a_part_of_no_ratio_gets_nothing(store: Store) -> None:
    """A ratio of 0 is an empty part by every method, and the last part may be empty too."""
    table = put_table(store, [people(200)])
    for params in METHODS:
        found, job, _ = split(store, table, {"none": 0.0, "all": 1.0, "last": 0.0}, **params)
        assert set(found.tolist()) == {1}
        assert len(job.warnings) >= 2
