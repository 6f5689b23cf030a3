"""What is there, and what is reached."""

from __future__ import annotations

from pathlib import Path

from store import KIND_FILE, KIND_TREE, Digest, ObjectMissing, Tree, TreeEntry, digest_bytes
from store.reach import TREE_MAGIC, Reach, is_tree_file, scan

LEAF, OTHER = digest_bytes(b"leaf"), digest_bytes(b"other")


def entry(name: str, digest: Digest, kind: str = KIND_FILE) -> TreeEntry:
    return TreeEntry(name, kind, digest, 10)


class Trees(dict[Digest, Tree]):
    """Trees by digest, that counts how often each is read."""

    def add(self, *entries: TreeEntry) -> Digest:
        tree = Tree(entries)
        digest = digest_bytes(tree.encode())
        self[digest] = tree
        return digest

    def read(self, digest: Digest) -> Tree:
        if digest not in self:
            raise ObjectMissing(digest)
        return self[digest]


def test_every_tree_begins_alike() -> None:
    """The first bytes tell a tree, whatever is in it."""
    for tree in (Tree([]), Tree([entry("a", LEAF)])):
        assert tree.encode().startswith(TREE_MAGIC)
    assert TREE_MAGIC == b"\x96\xa4tree\x01"


def test_is_tree_file(tmp_path: Path) -> None:
    """Only a file that begins so is taken for a tree; absence and folders are no error."""
    (tmp_path / "tree").write_bytes(Tree([]).encode())
    (tmp_path / "file").write_bytes(b"\x96\xa4tre")
    assert [is_tree_file(tmp_path / name) for name in ("tree", "file", "absent", ".")] == [
        True,
        False,
        False,
        False,
    ]


def test_reach_counts_each_object_once() -> None:
    """Sizes add up over all roots without counting shared parts twice."""
    trees = Trees()
    inner = trees.add(entry("x", LEAF), entry("y", LEAF))
    outer = trees.add(entry("i", inner, KIND_TREE), entry("o", OTHER))
    reach = Reach(trees.read)
    assert reach.spread(outer, tree=True, size=5).size == 5 + 10 + 10 + 10
    assert reach.size == 0 and LEAF not in reach
    reach.add(inner, tree=True, size=7)
    assert reach.size == 17 and LEAF in reach
    reach.add(outer, tree=True, size=5)
    assert reach.size == 32
    assert reach.add(outer, tree=True, size=5).objects == set()
    assert reach.size == 32


def test_file_with_the_bytes_of_a_tree_is_followed_when_met_as_tree() -> None:
    """The same object first as a file, then as a tree: its entries are reached."""
    trees = Trees()
    tree = trees.add(entry("x", LEAF))
    reach = Reach(trees.read)
    reach.add(tree, tree=False)
    assert LEAF not in reach
    reach.add(tree, tree=True)
    assert LEAF in reach


def test_lost_tree_is_noted_and_tried_again() -> None:
    """A tree that cannot be read is no crash, and once it is back what it lists is reached."""
    trees = Trees()
    tree = trees.add(entry("x", LEAF))
    lost = trees.pop(tree)
    reach = Reach(trees.read)
    assert list(reach.add(tree, tree=True).lost) == [tree]
    assert tree in reach and LEAF not in reach
    reach.retry()
    assert list(reach.lost) == [tree]
    trees[tree] = lost
    reach.retry()
    assert LEAF in reach and not reach.lost


def test_base_is_not_followed_again() -> None:
    """What an earlier reach has followed is not read again."""
    trees = Trees()
    tree = trees.add(entry("x", LEAF))
    base = Reach(trees.read)
    base.add(tree, tree=True)
    trees.clear()
    reach = Reach(trees.read, base)
    assert reach.add(tree, tree=True).lost == {}


def test_scan_tells_ours_from_strays(tmp_path: Path) -> None:
    """Only a regular file with a full name in its own folder is an object."""
    good = tmp_path / LEAF[:2] / LEAF
    good.parent.mkdir()
    good.write_text("x")
    (good.parent / "stray").write_text("x")
    (good.parent / OTHER).write_text("x")
    (tmp_path / "loose").write_text("x")
    (tmp_path / OTHER[:2]).mkdir(exist_ok=True)
    (tmp_path / OTHER[:2] / OTHER).mkdir()
    found = {path[len(str(tmp_path)) + 1 :]: digest for digest, path, _ in scan(tmp_path)}
    assert found == {
        f"{LEAF[:2]}/{LEAF}": LEAF, f"{LEAF[:2]}/stray": None, f"{LEAF[:2]}/{OTHER}": None,
        "loose": None, f"{OTHER[:2]}/{OTHER}": None,
    }  # fmt: skip
    assert list(scan(tmp_path / "absent")) == []
