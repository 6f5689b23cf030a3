"""Stored assignments."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.assignment import Assignment, Segment, write_assignment
from mldata.errors import BuildError, UsageError
from store import KIND_FILE, KIND_TREE, Digest, Store, TreeEntry, encode


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.open(tmp_path / "store")


def write(store: Store, pieces: list[bytes], parts: tuple[str, ...] = ("train", "val", "test")) -> Digest:
    """An assignment of these segments."""
    whole = b"".join(pieces)
    return write_assignment(
        parts=parts,
        ratios=[1 / len(parts)] * len(parts),
        counts=[whole.count(number) for number in range(len(parts))],
        segments=[Segment(store.put(piece).digest, len(piece)) for piece in pieces],
        put=store.put,
        put_tree=store.put_tree,
    ).digest


def test_what_is_written_is_read(store: Store) -> None:
    """Parts, ratios, counts, rows and segments come back."""
    found = Assignment.open(store, write(store, [b"\0\1", b"\2\0\0"]))
    assert (found.parts, found.counts, found.rows) == (("train", "val", "test"), (3, 1, 1), 5)
    assert found.ratios == (1 / 3,) * 3
    assert [segment.rows for segment in found.segments] == [2, 3]


@settings(max_examples=30, deadline=None)
@given(pieces=st.lists(st.binary(max_size=6).map(lambda raw: bytes(b % 3 for b in raw)), max_size=5))
def test_rows_are_found_in_their_segments(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    """Any range of rows, and the rows of any part, whatever the cut into segments."""
    whole = b"".join(pieces)
    with Store.open(tmp_path_factory.mktemp("s") / "store") as store:
        found = Assignment.open(store, write(store, pieces))
        for start in range(-1, len(whole) + 1):
            for stop in range(start, len(whole) + 3):
                assert found.part_of(start, stop).tobytes() == whole[max(start, 0) : max(stop, 0)]
        for number, part in enumerate(found.parts):
            assert found.indices(part).tolist() == [row for row, value in enumerate(whole) if value == number]
            assert found.indices(part).dtype == "int64"


def test_an_unknown_part_is_an_error(store: Store) -> None:
    """The message lists the parts there are."""
    found = Assignment.open(store, write(store, [b"\0"]))
    with pytest.raises(UsageError, match=r"train, val, test.*'dev'"):
        found.indices("dev")


def _broken(store: Store, meta: Any, segments: list[bytes]) -> Digest:
    made = store.put(encode(meta))
    listed = store.put_tree(
        TreeEntry(f"{number:08d}", KIND_FILE, *store.put(piece)) for number, piece in enumerate(segments)
    )
    return store.put_tree(
        [TreeEntry("assignment", KIND_FILE, *made), TreeEntry("segments", KIND_TREE, *listed)]
    ).digest


META = {"version": 1, "parts": ["a"], "ratios": [1.0], "counts": [2], "rows": 2, "segments": [2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 1, found version 2"),
        ({"rows": 3}, "for 3 rows"),
        ({"segments": [1, 1]}, r"segments of \[1, 1\] rows, found \[2\]"),
    ],
)
def test_an_assignment_that_contradicts_itself_is_refused(
    store: Store, change: dict[str, Any], message: str
) -> None:
    """Unknown versions and segments of another size are named."""
    with pytest.raises(BuildError, match=message):
        Assignment.open(store, _broken(store, META | change, [b"\0\0"]))


def test_another_tree_is_refused(store: Store) -> None:
    """A tree that is no assignment is named with what it has."""
    tree = store.put_tree([TreeEntry("x", KIND_FILE, *store.put(b""))])
    with pytest.raises(BuildError, match=r"expected an assignment.*found x"):
        Assignment.open(store, tree.digest)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 19), max_size=30), st.integers(1, 6))
def test_parts_of_any_rows(rows: list[int], pieces: int) -> None:
    """Parts of rows in any order, and again and again, are those of the rows one by one."""
    numbers = bytes(n * 7 % 3 for n in range(20))
    cuts = [20 * n // pieces for n in range(pieces + 1)]
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "store") as store:
        segments = [Segment(store.put(numbers[a:b]).digest, b - a) for a, b in pairwise(cuts)]
        assignment = Assignment(store, ("a", "b", "c"), (None,) * 3, (7, 7, 6), 20, tuple(segments))
        assert assignment.parts_at(np.array(rows, np.int64)).tolist() == [numbers[row] for row in rows]
