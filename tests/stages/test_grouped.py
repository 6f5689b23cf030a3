"""Splits by group: whole groups, parts near their shares, and what is told when that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import BuildError
from store import Store
from tests.stages.jobs import put_table
from tests.stages.test_split import PARTS, cut, people, split


def sides(table: pa.Table, columns: Sequence[str], found: np.ndarray) -> dict[tuple[Any, ...], set[int]]:
    """Parts in which each group is."""
    parts: dict[tuple[Any, ...], set[int]] = {}
    for row, part in zip(table.select(list(columns)).to_pylist(), found.tolist(), strict=True):
        parts.setdefault(tuple(row.values()), set()).add(part)
    return parts


@settings(max_examples=30, deadline=None)
@given(
    groups=st.lists(st.integers(0, 25), min_size=20, max_size=120),
    ratios=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    where=st.lists(st.integers(0, 120), max_size=3),
    seed=st.integers(0, 9),
    random=st.randoms(use_true_random=False),
)
def test_a_group_is_never_on_two_sides(
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[int],
    ratios: list[int],
    where: list[int],
    seed: int,
    random: Any,
) -> None:
    """Whatever the groups, shares, fragments and order of rows; and the order does not move a group."""
    shares = {f"p{number}": ratio / sum(ratios) for number, ratio in enumerate(ratios)}
    table = pa.table({"user": [f"u{group}" for group in groups]})
    order = list(range(len(groups)))
    random.shuffle(order)
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        pieces = cut(table, *sorted(min(place, len(groups)) for place in where))
        mixed = table.take(order)
        try:
            found = split(store, put_table(store, pieces), shares, method="group", group=["user"], seed=seed)[
                0
            ]
        except BuildError:
            with pytest.raises(BuildError):
                split(store, put_table(store, [mixed]), shares, method="group", group=["user"], seed=seed)
            return
        again = split(store, put_table(store, [mixed]), shares, method="group", group=["user"], seed=seed)[0]
    parts = sides(table, ["user"], found)
    assert all(len(it) == 1 for it in parts.values())
    assert sides(mixed, ["user"], again) == parts


def test_parts_are_near_their_shares(store: Store) -> None:
    """None is off by more than the largest group, and the seed decides who goes where."""
    table = people(1000)
    found, job, _ = split(store, put_table(store, cut(table, 300)), method="group", group=["name"])
    assert np.bincount(found).tolist() == [800, 100, 100]
    assert job.warnings == []
    other = split(store, put_table(store, [table]), method="group", group=["name"], seed=1)[0]
    assert (found != other).any()


def test_several_columns_make_a_group(store: Store) -> None:
    """A group is a combination of values, of any types."""
    table = people(2000).append_column("day", pa.array([row % 40 for row in range(2000)], pa.date32()))
    found = split(store, put_table(store, [table]), method="group", group=["name", "day"])[0]
    parts = sides(table, ["name", "day"], found)
    assert len(parts) == 200
    assert all(len(it) == 1 for it in parts.values())
    assert max(map(len, sides(table, ["name"], found).values())) > 1


def test_one_action_reads_the_columns(store: Store) -> None:
    """The same table is a hit; other columns may change without moving a group."""
    table = people(100)
    found, job, _ = split(store, put_table(store, [table]), method="group", group=["name"])
    assert (len(job.runs), len(job.hits)) == (1, 0)
    again, job, _ = split(store, put_table(store, [table]), method="group", group=["name"])
    assert (len(job.runs), len(job.hits)) == (0, 1)
    less = split(store, put_table(store, [table.select(["name"])]), method="group", group=["name"])[0]
    assert (found == again).all()
    assert (found == less).all()


def test_a_group_larger_than_its_part(store: Store) -> None:
    """A warning names the group while every part has something like its share, an error when one is starved."""
    large = put_table(store, [pa.table({"user": ["bot"] * 70 + [f"u{row}" for row in range(30)]})])
    with pytest.raises(BuildError) as caught:
        split(store, large, {"train": 0.1, "val": 0.1, "test": 0.8}, method="group", group=["users"])
    assert "Did you mean 'user'?" in str(caught.value)
    _, job, _ = split(store, large, {"a": 0.5, "b": 0.5}, method="group", group=["user"])
    assert job.warnings == [
        "parts are not near their shares: 'a' has 70 rows (share: 50), 'b' has 30 rows (share: 50); groups of 'user' "
        "stay whole, of which there are 31, and the largest, 'bot', has 70 rows"
    ]
    most = put_table(store, [pa.table({"user": ["bot"] * 97 + ["x", "y", "z"]})])
    with pytest.raises(BuildError) as caught:
        split(store, most, method="group", group=["user"])
    assert "part 'val' would have 2 of 100 rows where its share is 10" in str(caught.value)
    assert "the largest, 'bot', has 97 rows" in str(caught.value)


def test_fewer_groups_than_parts_is_an_error(store: Store) -> None:
    """The part that would be empty is named, with how many groups there are."""
    table = put_table(store, [pa.table({"user": ["a", "b"] * 20})])
    with pytest.raises(BuildError, match=r"part 'test' would have 0 of 40 rows(?s:.*)there are 2"):
        split(store, table, method="group", group=["user"])


@pytest.mark.parametrize("type_", [pa.string(), pa.int64(), pa.float64()])
def test_a_row_without_a_group_is_an_error(store: Store, type_: pa.DataType) -> None:
    """It is neither one group of all such rows nor many: that is for the user to say."""
    table = put_table(store, [pa.table({"user": pa.array([None, None, *range(8)]).cast(type_)})])
    with pytest.raises(BuildError, match=r"'user' has none in 2 of 10 rows(?s:.*)Fill them in"):
        split(store, table, method="group", group=["user"])


def test_groups_of_one_row_are_warned_of(store: Store) -> None:
    """A column of ids keeps nothing together."""
    _, job, _ = split(store, put_table(store, [people(50)]), method="group", group=["id"])
    assert job.warnings == ["every row is a group of its own: no two have equal values in 'id'"]


def test_no_rows(store: Store) -> None:
    """An empty table has empty parts, as by other methods."""
    _, job, _ = split(store, put_table(store, [people(0)]), method="group", group=["name"])
    assert len(job.warnings) == 3


def test_a_column_that_cannot_be_hashed(store: Store) -> None:
    """What cannot be hashed cannot be a group."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mldata.rowhash.hash_rows", _refuse)
        with pytest.raises(BuildError, match=r"'group' cannot use every column: values of type x"):
            split(store, put_table(store, [people(10)]), PARTS, method="group", group=["name"])


def _refuse(columns: Sequence[pa.Array]) -> np.ndarray:
    raise TypeError("values of type x cannot be hashed")
