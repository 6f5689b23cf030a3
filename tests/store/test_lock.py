"""Leftovers are swept only when nobody else has the store open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store import Store, StoreBusy, lock
from store.lock import StoreLock


def leftover(root: Path) -> Path:
    path = root / "tmp/123-dead/t0/0"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    (root / "tmp/loose").write_bytes(b"")
    return path


def test_leftovers_go_when_the_store_is_opened_alone(tmp_path: Path) -> None:
    """A killed process's temporaries are removed by the next."""
    with Store.open(tmp_path / "s"):
        pass
    path = leftover(tmp_path / "s")
    with Store.open(tmp_path / "s"):
        assert not path.exists() and os.listdir(tmp_path / "s/tmp") == []


def test_nothing_is_swept_while_another_process_has_the_store_open(tmp_path: Path) -> None:
    """Its temporaries may be in use; once it is killed they go."""
    code = "import sys; from store import Store; Store.open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert other.stdout is not None and other.stdout.readline() == "open\n"
    path = leftover(tmp_path / "s")
    with Store.open(tmp_path / "s"):
        assert path.exists()
    other.kill()
    other.communicate()
    with Store.open(tmp_path / "s"):
        assert not path.exists()


def test_opening_waits_for_a_sweep_only_so_long(tmp_path: Path) -> None:
    """The error says what was waited for."""
    sweeping, waiting = StoreLock(tmp_path / "lock"), StoreLock(tmp_path / "lock")
    assert sweeping.try_alone() and not waiting.try_alone()
    with pytest.raises(StoreBusy, match=r"within 0\.05 s"):
        waiting.share(timeout=0.05)
    sweeping.share()
    waiting.share(timeout=0.05)
    assert not sweeping.try_alone()
    sweeping.close()
    sweeping.close()
    waiting.close()


def test_a_filesystem_without_flock_is_never_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else works."""

    def refuse(fd: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    with Store.open(tmp_path / "s"):
        pass
    path = leftover(tmp_path / "s")
    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with Store.open(tmp_path / "s") as store:
        assert store.read(store.put(b"x").digest) == b"x" and path.exists()


def test_a_system_without_fcntl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock does nothing and nothing is swept."""
    monkeypatch.setattr(lock, "fcntl", None)
    held = StoreLock(tmp_path / "lock")
    assert not held.try_alone()
    held.share()
    held.close()
