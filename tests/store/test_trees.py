"""Trees: sorted, safe, and the same bytes for the same entries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import (
    KIND_FILE,
    KIND_TREE,
    BadDigest,
    BadEncoding,
    Digest,
    NameCollision,
    ObjectId,
    Store,
    Tree,
    TreeEntry,
    UnsafeName,
    digest_bytes,
    encode,
)

A, B = digest_bytes(b"a"), digest_bytes(b"b")
names = st.lists(
    st.text("abcdé日-.", min_size=1, max_size=4).filter(lambda n: n[-1] not in ". "), unique_by=str.casefold
)


@given(names, st.randoms())
def test_round_trip_in_any_order(chosen: list[str], random: Any) -> None:
    """Entries come back sorted, and the order they were given in does not matter."""
    entries = [TreeEntry(name, KIND_FILE, A, 1, executable=len(name) > 2) for name in chosen]
    tree = Tree(entries)
    random.shuffle(entries)
    assert Tree(entries).encode() == tree.encode()
    again = Tree.decode(tree.encode())
    assert again == tree and hash(again) == hash(tree)
    assert list(again.names) == sorted(chosen, key=lambda name: name.encode())
    assert len(again) == len(chosen) and list(again) == list(tree.entries)


def test_entries_are_found_by_name() -> None:
    """``get`` gives the entry, or None."""
    tree = Tree([TreeEntry("b", KIND_TREE, B, 2), TreeEntry("a", KIND_FILE, A, 1)])
    assert tree.get("a") == TreeEntry("a", KIND_FILE, A, 1) and tree.get("c") is None
    assert "TreeEntry" in repr(tree) and tree != object()


GOOD: list[Any] = ["tree", 1, ["a", "b"], b"\x00\x02", [1, 2], bytes(64)]


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, "not"), (1, 2), (2, "ab"), (2, ["a"]), (2, [1, 2]), (2, ["b", "a"]), (3, b"\x00\x03"), (3, [0, 2]), (4, [1, -2]),
     (4, [1, "2"]), (4, [1, True]), (4, [1, 2**63]), (5, bytes(63)), (5, "x" * 64)],
)  # fmt: skip
def test_a_damaged_tree_is_refused(position: int, value: Any) -> None:
    """Columns of wrong type, length, order or range raise BadEncoding."""
    Tree.decode(encode(GOOD))
    with pytest.raises(BadEncoding):
        Tree.decode(encode([*GOOD[:position], value, *GOOD[position + 1 :]]))


@pytest.mark.parametrize("bad", [["..", "a"], ["a", "b/c"], ["A", "a"], ["a", "nul"]])
def test_a_hostile_tree_is_refused(bad: list[str]) -> None:
    """Names are checked when a tree is read, whoever wrote it."""
    with pytest.raises((UnsafeName, NameCollision)):
        Tree.decode(encode([*GOOD[:2], bad, *GOOD[3:]]))


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (TreeEntry("a", "link", A, 1), BadEncoding),
        (TreeEntry("a", KIND_TREE, A, 1, executable=True), BadEncoding),
        (TreeEntry("a", KIND_FILE, A, -1), BadEncoding),
        (TreeEntry("a", KIND_FILE, Digest("x"), 1), BadDigest),
    ],
)
def test_impossible_entries_are_refused(entry: TreeEntry, error: type[Exception]) -> None:
    """A tree that could not be read back cannot be written."""
    with pytest.raises(error):
        Tree([entry]).encode()


def test_paths_become_nested_trees(store: Store) -> None:
    """Files of any depth and order, and no files at all, give the tree that lists them."""
    x, y = store.put(b"x"), store.put(b"y")
    root = store.put_paths([("b/c/d", x, False), ("a", y, True), ("b/a", x, False)])
    assert [(path, entry.digest, entry.executable) for path, entry in store.walk(root.digest)] == [
        ("a", y.digest, True),
        ("b/a", x.digest, False),
        ("b/c/d", x.digest, False),
    ]
    assert store.tree(store.put_paths([]).digest).entries == ()


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        ("a", "a", NameCollision),
        ("a", "a/b", NameCollision),
        ("a/b", "a", NameCollision),
        ("A/x", "a/y", NameCollision),
        ("d/é", "d/e\u0301", NameCollision),
        ("a", "/b", UnsafeName),
        ("a", "", UnsafeName),
        ("a/b", "a/../c", UnsafeName),
        ("a", "b//c", UnsafeName),
        ("a", "d/" * 500 + "x", UnsafeName),
    ],
)
def test_paths_that_cannot_stand_together_are_refused(
    store: Store, first: str, second: str, error: type[Exception]
) -> None:
    """Files and folders that collide, and unsafe parts, raise with their names, and nothing becomes visible."""
    id = ObjectId(A, 1)
    with pytest.raises(error):
        store.put_paths([(first, id, False), (second, id, False)])
    assert list(store.objects) == []
