"""Every kind of file of a store truncated, flipped or deleted: noticed or harmless, and never anything but a ``StoreError``."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import KIND_FILE, KIND_TREE, ActionResult, Output, Store, StoreError, TreeEntry, digest_bytes

KEY = digest_bytes(b"key")
LEAF = b"rows of the leaf " * 20


def make(root: Path) -> None:
    """A store with one of everything."""
    with Store.open(root) as store:
        leaf = store.put(LEAF, hashes=["sha256"])
        tree = store.put_tree([TreeEntry("leaf", KIND_FILE, *leaf)])
        store.actions.put(KEY, ActionResult({"o": Output(*tree, KIND_TREE)}, {"rows": 20}))
        store.refs.append("d", tree.digest)
    (store.layout.leases / "dead.lease").write_text(f"mldata-lease 1 1 x\nf {leaf.digest}\n")


def files(root: Path) -> dict[str, Path]:
    """One file of each kind."""
    with Store.open(root) as store:
        tree = store.refs.get("d/1")
        assert tree is not None
        layout = store.layout
        leaf = store.tree(tree).entries[0].digest
        return {
            "object": layout.object(leaf),
            "tree": layout.object(tree),
            "result": layout.action(KEY),
            "ref": layout.refs / "d/1",
            "format": layout.format,
            "tag": layout.cachedir_tag,
            "index": layout.index,
            "lease": layout.leases / "dead.lease",
            "lock": layout.lock,
            "gate": layout.leases / "gate",
        }


def damages(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Ways to harm a file: (what, new content); None deletes it."""
    yield "deleted", None
    lengths = range(len(data)) if len(data) < 120 else sorted({0, 1, 16, len(data) // 2, len(data) - 1})
    for length in lengths if len(data) < 80 else list(lengths)[:: max(1, len(lengths) // 30)]:
        yield f"cut to {length}", data[:length]
    rng = random.Random(len(data))
    for _ in range(15 if data else 0):
        flipped = bytearray(data)
        place = rng.randrange(len(data) * 8)
        flipped[place // 8] ^= 1 << place % 8
        yield f"bit {place} flipped", bytes(flipped)
    yield "longer", data + b"x"


def use(root: Path) -> list[str]:
    """Do everything that one can do with a store; what went wrong, as ``StoreError`` only. Wrong content is a failure of the test."""
    wrong: list[str] = []

    def step(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except StoreError as error:
            assert str(error)
            wrong.append(str(error))

    def read(store: Store) -> None:
        tree = store.refs.get("d/1")
        if tree is None:
            raise StoreError("the ref is gone")
        for _, entry in store.walk(tree):
            assert store.read(entry.digest) == LEAF
            assert store.path(entry.digest).read_bytes() == LEAF

    def hit(store: Store) -> None:
        result = store.actions.get(KEY)
        if result is None:
            raise StoreError("a miss")
        assert [entry.size for entry in store.tree(result.outputs["o"].digest)] == [len(LEAF)]

    def check(store: Store) -> None:
        for finding in store.check(read_data=True).findings:
            if finding.matters:
                wrong.append(f"{finding.kind}: {finding.path}")

    def work() -> None:
        with Store.open(root) as store:
            for part in (check, hit, read):
                step(lambda part=part: part(store))
            step(lambda: store.check(repair=True))
            step(lambda: store.plan_gc())
            step(lambda: list(store.refs.list()))

    step(work)
    return wrong


def rebuild(root: Path) -> None:
    """What a build does: it makes again what is lost."""
    make(root)
    with Store.open(root) as store:
        assert store.actions.get(KEY) is not None
        assert store.check(read_data=True).ok


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "kind", ["object", "tree", "result", "ref", "format", "tag", "index", "lease", "lock", "gate"]
)
def test_damage_is_noticed_or_harmless(kind: str, tmp_path: Path) -> None:
    """After any damage everything works or ends in a StoreError; what matters is noticed; a build makes it whole."""
    whole = tmp_path / "whole"
    make(whole)
    source = files(whole)[kind]
    data = source.read_bytes()
    for number, (what, content) in enumerate(damages(data)):
        root = tmp_path / str(number) / "s"
        shutil.copytree(whole, root)
        path = root / source.relative_to(whole)
        if content is None:
            path.unlink()
        else:
            mode = path.stat().st_mode
            path.chmod(0o644)
            path.write_bytes(content)
            path.chmod(mode)
        noticed = use(root)
        if kind in ("object", "tree", "result", "ref", "format"):
            assert noticed, f"{kind} {what}: nobody noticed"
        else:
            assert not noticed, f"{kind} {what}: {noticed}"
        if kind == "ref" and content is not None:
            path.unlink()  # as the error says
        if kind == "format":
            path.write_bytes(data)  # as the error says
        rebuild(root)
        shutil.rmtree(root)
