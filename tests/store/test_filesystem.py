"""What a filesystem can do is found out by doing it, and nothing is left behind."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from store import StoreError, abilities


def test_an_ordinary_folder(tmp_path: Path) -> None:
    """Linux has links, locks and fine times everywhere that tests run; the folder is as it was."""
    found = abilities(tmp_path)
    assert (found.hardlink, found.symlink, found.flock, found.fine_times) == (True, True, True, True)
    assert list(tmp_path.iterdir()) == []


def test_what_fails_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of the system is an answer, not an error."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "not permitted")

    for name in ("link", "symlink"):
        monkeypatch.setattr(os, name, refuse)
    found = abilities(tmp_path)
    assert (found.hardlink, found.symlink) == (False, False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is an error of the store, with the folder's name."""
    with pytest.raises(StoreError, match="none"):
        abilities(tmp_path / "none")
