"""Opening, sharing and reading a store."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import store as package
from store import (
    KIND_FILE,
    ObjectCorrupt,
    ObjectId,
    Store,
    StoreReadOnly,
    StoreVersionError,
    TreeEntry,
    digest_bytes,
)


def everything(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """All below a folder, with times: to see that nothing was touched."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in (folder, *folder.rglob("*"))
    }


def test_the_example_of_the_package_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that a reader sees works as it stands."""
    assert package.__doc__ is not None
    block = re.search(r"meet::\n\n(.*?)\n\n\w", package.__doc__, re.DOTALL)
    assert block
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_bytes(b"content")
    exec(textwrap.dedent(block[1]), {})
    assert (tmp_path / "out/file").read_bytes() == b"content"
    for name in package.__all__:
        assert hasattr(package, name)


def test_a_store_is_made_when_absent(tmp_path: Path) -> None:
    """With its format, its tag for backup programs, and the folders; a second time it is opened."""
    root = tmp_path / "deep/er/s"
    with Store.open(root) as store:
        id = store.put(b"x")
        assert store.root == root and not store.read_only
    assert (root / "format").read_text() == "mldata-store 1\n"
    assert (root / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    with Store.open(root) as store:
        assert store.read(id.digest) == b"x"


def test_missing_folders_are_made_again(tmp_path: Path) -> None:
    """An empty folder that somebody cleaned away is no damage."""
    with Store.open(tmp_path / "s"):
        pass
    for name in ("tmp", "quarantine", "objects", "leases"):
        (tmp_path / "s" / name).rmdir()
    with Store.open(tmp_path / "s") as store:
        assert store.read(store.put(b"x").digest) == b"x"
        (tmp_path / "s/tmp").rmdir()
        store.put(b"y")


@pytest.mark.parametrize(
    "line",
    ["mldata-store 2\n", "mldata-store 1", "", "mldata-store 1\nmore\n", "\0" * 300, "MLDATA-STORE 1\n"],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_an_unknown_version_is_refused_untouched(tmp_path: Path, line: str, read_only: bool) -> None:
    """The error shows what was found and expected."""
    root = tmp_path / "s"
    (root / "objects").mkdir(parents=True)
    (root / "tmp").mkdir()
    (root / "tmp/left").touch()
    (root / "format").write_text(line)
    before = everything(root)
    with pytest.raises(StoreVersionError, match="expected 'mldata-store 1'"):
        Store.open(root, read_only=read_only)
    assert everything(root) == before


def test_a_folder_with_other_things_is_refused_untouched(tmp_path: Path) -> None:
    """Also a store that lost its format file, and a file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/thesis.tex").write_text("")
    before = everything(tmp_path)
    with pytest.raises(StoreVersionError, match=r"thesis\.tex"):
        Store.open(tmp_path / "folder")
    with pytest.raises(StoreVersionError, match="found a file"):
        Store.open(tmp_path / "folder/thesis.tex")
    assert everything(tmp_path) == before
    with pytest.raises(StoreVersionError, match="found none"):
        Store.open(tmp_path / "none", create=False)
    with pytest.raises(StoreVersionError):
        Store.open(tmp_path / "none", read_only=True)
    assert not (tmp_path / "none").exists()


def test_many_may_make_it_at_once(tmp_path: Path) -> None:
    """Threads and processes that open a store that is not there yet all succeed, with one store."""
    root = tmp_path / "s"
    code = "import sys; from store import Store\nwith Store.open(sys.argv[1]) as s: s.put(b'same')"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, root], cwd=Path(__file__).parents[2]) for _ in range(3)
    ]
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with Store.open(root) as store:
                store.put(b"same")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and [process.wait() for process in processes] == [0, 0, 0]
    with Store.open(root) as store:
        assert len(list(store.objects)) == 1 and store.check(read_data=True).ok


def test_a_read_only_store_is_read_without_a_trace(tmp_path: Path) -> None:
    """Nothing is written, also where a lost seal or a bad object is found; writing is refused."""
    with Store.open(tmp_path / "s") as store:
        good, bad = store.put(b"good", hashes=["md5"]), store.put(b"bad")
        tree = store.put_tree([TreeEntry("good", KIND_FILE, *good)])
        store.refs.set("x", tree.digest)
    os.utime(store.layout.object(good.digest))
    store.layout.object(bad.digest).chmod(0o644)
    store.layout.object(bad.digest).write_bytes(b"BAD")
    before = everything(tmp_path / "s")
    with Store.open(tmp_path / "s", read_only=True) as store:
        assert store.read_only and store.read(good.digest) == b"good" == store.path(good.digest).read_bytes()
        assert store.refs.get("x") == tree.digest and store.missing(tree.digest) == []
        assert store.hashes([good.digest], ["md5", "sha256"])[good.digest].md5
        store.materialize(tree.digest, tmp_path / "out", link="copy")
        for read in (store.read, store.path):
            with pytest.raises(ObjectCorrupt):
                read(bad.digest)
        for write in (store.batch, lambda: store.put(b""), lambda: store.execute_gc(store.plan_gc())):
            with pytest.raises(StoreReadOnly):
                write()
    assert everything(tmp_path / "s") == before


def test_a_store_on_a_read_only_filesystem_can_be_read(small_disk: Path) -> None:
    """Opened as usual it finds that out by itself; a new store there is an error."""
    with Store.open(small_disk / "s") as store:
        id = store.put(b"x", hashes=["md5"])
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with Store.open(small_disk / "s") as store:
        assert store.read_only and store.read(id.digest) == b"x"
        assert store.hashes([id.digest], ["md5"])[id.digest].md5
        with pytest.raises(StoreReadOnly):
            store.put(b"y")
    with pytest.raises(StoreReadOnly, match="other"):
        Store.open(small_disk / "other")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


def test_missing_names_what_is_lost_below_a_tree(store: Store) -> None:
    """Absent and altered objects, and trees; each once, up to a limit."""
    ids = [store.put(b"%d" % number) for number in range(4)]
    tree = store.put_paths([(f"d/{number}", id, False) for number, id in enumerate([*ids, ids[0]])])
    assert store.missing(tree.digest) == []
    store.layout.object(ids[0].digest).unlink()
    store.layout.object(ids[2].digest).chmod(0o644)
    store.layout.object(ids[2].digest).write_bytes(b"x")
    os.utime(store.layout.object(ids[1].digest))
    assert store.missing(tree.digest) == [ids[0], ids[2]]
    assert store.missing(tree.digest, limit=1) == [ids[0]]
    inner = store.tree(tree.digest).entries[0]
    store.layout.object(inner.digest).unlink()
    assert store.missing(tree.digest) == [ObjectId(inner.digest, inner.size)]
    assert store.missing(digest_bytes(b"none")) == [ObjectId(digest_bytes(b"none"), 0)]


def test_a_forked_child_goes_on_with_the_store(store: Store) -> None:
    """Both can put and read, and the child's end does not take the parent's lock."""
    before = store.put(b"before", hashes=["md5"])
    child = os.fork()
    if child == 0:
        ok = store.read(before.digest) == b"before" and store.put(b"child").size == 5
        store.close()
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.read(digest_bytes(b"child")) == b"child"
    (store.layout.tmp / "in-use").touch()
    with Store.open(store.root):
        assert (store.layout.tmp / "in-use").exists()
