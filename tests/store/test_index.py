"""The index may be lost, damaged, locked or read-only: that costs time, never an answer."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from store import Hashes, Index, Store, digest_bytes, disposable

ONE = Hashes(digest_bytes(b"1"), 1, "0" * 32, None)
TWO = Hashes(digest_bytes(b"2"), 2, "1" * 32, "2" * 64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed index with two rows of hashes and one blob."""
    made = Index(tmp_path / "index.sqlite")
    made.put_hashes([ONE, TWO])
    made.put_blob("key", b"blob" * 500)
    made.close()
    return tmp_path / "index.sqlite"


def right_or_unknown(opened: Index) -> None:
    """Every answer is what was put, or none; and the index can be written again."""
    assert opened.get_hashes([ONE.digest, TWO.digest]).items() <= {ONE.digest: ONE, TWO.digest: TWO}.items()
    assert opened.get_blob("key") in (None, b"blob" * 500)


def test_what_was_put_is_known(path: Path) -> None:
    """Hashes, also merged from two calls, and blobs survive closing; what was not put is not known."""
    opened = Index(path)
    three = digest_bytes(b"3")
    assert opened.get_hashes([TWO.digest, three, ONE.digest]) == {TWO.digest: TWO, ONE.digest: ONE}
    opened.put_hashes([Hashes(ONE.digest, 1, None, "f" * 64)])
    assert opened.get_hashes([ONE.digest])[ONE.digest] == Hashes(ONE.digest, 1, "0" * 32, "f" * 64)
    opened.put_blob("key", b"new")
    assert opened.get_blob("key") == b"new" and opened.get_blob("other") is None
    opened.put_hashes([Hashes(three, 1)])
    assert opened.get_hashes([three]) == {} == opened.get_hashes([])
    opened.close()


def test_damage_at_any_byte_is_noticed(path: Path) -> None:
    """Truncated at, or flipped in, each of many places, it answers rightly or not at all, and can be used again."""
    good = path.read_bytes()
    places = [*range(0, 110, 4), *range(110, len(good), 331)]
    for place in places:
        for data in (good[:place], good[:place] + bytes([good[place] ^ 0x41]) + good[place + 1 :]):
            path.write_bytes(data)
            opened = Index(path)
            right_or_unknown(opened)
            opened.put_hashes([ONE])
            opened.put_blob("key", b"blob" * 500)
            right_or_unknown(opened)
            opened.close()


def test_a_row_that_was_changed_is_not_known(path: Path) -> None:
    """Also when SQLite itself finds nothing wrong with it."""
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE hashes SET md5 = ? WHERE size = 1", (b"\xff" * 16,))
        db.execute("UPDATE hashes SET size = 'x' WHERE size = 2")
        db.execute("UPDATE blobs SET value = x'00'")
    db.close()
    opened = Index(path)
    assert opened.get_hashes([ONE.digest, TWO.digest]) == {} and opened.get_blob("key") is None
    opened.close()


@pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\0" + bytes(100)])
def test_something_else_in_its_place_is_replaced(path: Path, content: bytes) -> None:
    """A file that is no index becomes one."""
    path.write_bytes(content)
    opened = Index(path)
    assert opened.get_blob("key") is None
    opened.put_blob("key", b"x")
    assert opened.get_blob("key") == b"x"
    opened.close()


def test_another_version_is_replaced(path: Path) -> None:
    """An index of the future is a cache of the future: made anew."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    opened = Index(path)
    assert opened.get_blob("key") is None
    opened.put_blob("key", b"x")
    assert opened.get_blob("key") == b"x"
    opened.close()


def test_a_locked_index_is_done_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes are forgotten while another process holds it; nothing fails."""
    monkeypatch.setattr(disposable, "BUSY_SECONDS", 0.01)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    opened = Index(path)
    opened.put_blob("key", b"lost")
    right_or_unknown(opened)
    db.execute("ROLLBACK")
    assert opened.get_blob("key") == b"blob" * 500
    opened.close()
    db.close()


def test_a_folder_or_nothing_in_its_place_is_done_without(tmp_path: Path) -> None:
    """There is no index to be had, and nothing fails."""
    (tmp_path / "folder").mkdir()
    for opened in (
        Index(tmp_path / "folder"),
        Index(tmp_path / "none/index"),
        Index(tmp_path / "x", read_only=True),
    ):
        opened.put_blob("key", b"x")
        opened.put_hashes([ONE])
        assert opened.get_blob("key") is None and opened.get_hashes([ONE.digest]) == {}
        opened.close()


def test_read_only_reads_and_leaves_no_trace(path: Path) -> None:
    """No side file appears, and damage is left for those who may write."""
    opened = Index(path, read_only=True)
    assert opened.get_hashes([ONE.digest]) == {ONE.digest: ONE}
    opened.put_blob("key", b"no")
    assert opened.get_blob("key") == b"blob" * 500
    opened.close()
    assert os.listdir(path.parent) == [path.name]
    path.write_bytes(b"garbage")
    opened = Index(path, read_only=True)
    assert opened.get_blob("key") is None
    assert path.read_bytes() == b"garbage"


def test_threads_and_a_deleted_file(path: Path) -> None:
    """Threads take turns; deleting the file under them costs only what it knew."""
    opened = Index(path)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                opened.put_blob(f"{number}", b"%d" % turn)
                assert opened.get_blob(f"{number}") in (None, b"%d" % turn)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    path.unlink()
    for thread in threads:
        thread.join()
    assert errors == []
    opened.put_blob("after", b"x")
    assert opened.get_blob("after") == b"x"
    opened.close()


def test_a_forked_child_opens_its_own(path: Path) -> None:
    """The parent's connection stays as it was."""
    opened = Index(path)
    assert opened.get_blob("key")
    child = os.fork()
    if child == 0:
        opened.put_blob("child", b"c")
        os._exit(0 if opened.get_blob("child") == b"c" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert opened.get_blob("child") == b"c"
    opened.close()


def test_a_store_without_its_index_works(tmp_path: Path) -> None:
    """Deleted, it is made anew, and digests are computed again."""
    with Store.open(tmp_path / "s") as store:
        digest = store.put(b"x", hashes=["md5"]).digest
    for name in os.listdir(tmp_path / "s"):
        if name.startswith("index"):
            (tmp_path / "s" / name).unlink()
    with Store.open(tmp_path / "s") as store:
        assert store.hashes([digest], ["md5"])[digest].md5 == "9dd4e461268c8034f5c8564e155c67a6"
    shutil.rmtree(tmp_path / "s")


def test_objects_are_found_by_sha256(path: Path) -> None:
    """Objects are found by their SHA-256, by a store that may write and by one that may not; a row that was altered is not known."""
    opened = Index(path)
    opened.put_hashes([Hashes(ONE.digest, 1, None, "f" * 64)])
    assert [it.digest for it in opened.find_sha256("f" * 64)] == [ONE.digest]
    assert opened.find_sha256("e" * 64) == []
    opened.close()
    assert [it.digest for it in Index(path, read_only=True).find_sha256("f" * 64)] == [ONE.digest]
    with sqlite3.connect(path) as db:
        db.execute("UPDATE hashes SET sha256 = ?", (b"\xee" * 32,))
    db.close()
    assert Index(path).find_sha256("ee" * 32) == []
