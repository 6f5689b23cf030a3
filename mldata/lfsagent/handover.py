"""The folder in which git lfs finds what was fetched: below its own ``tmp``, so that moving a file into its storage is one rename.

Git lfs keeps what is in a young folder there, and removes what a killed process left after an hour.

Invariant: the folder is this process's own, made when first needed, and gone when it ends.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from mldata.lfsagent.git import git
from mldata.lfsagent.protocol import TransferError

__all__ = ["Handover"]

_PREFIX = "mldata-"
_ABANDONED = 86400.0
"""Seconds after which an empty folder of this kind is nobody's."""


class Handover:
    """A context manager around :meth:`folder`."""

    def __init__(self) -> None:
        self._made: Path | None = None

    def folder(self) -> Path:
        """An absolute path. Raises :class:`TransferError` outside of a repository, ``OSError`` where nothing can be written."""
        if self._made is None:
            tmp = _lfs_tmp()
            tmp.mkdir(parents=True, exist_ok=True)
            _tidy(tmp)
            made = tmp / f"{_PREFIX}{os.getpid()}-{os.urandom(6).hex()}"
            made.mkdir(mode=0o700)
            self._made = made
        return self._made

    def __enter__(self) -> Handover:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)


def _lfs_tmp() -> Path:
    """``tmp`` in git lfs's storage: ``lfs`` in the repository's folder, shared by its worktrees, unless ``lfs.storage`` says another."""
    common = git("rev-parse", "--git-common-dir")
    if common is None:
        raise TransferError(
            f"expected a git repository at {os.getcwd()}, found none; git lfs runs this program"
        )
    storage = git("config", "--type=path", "--get", "lfs.storage") or "lfs"
    return Path(os.path.abspath(common)) / storage / "tmp"


def _tidy(tmp: Path) -> None:
    """Remove the empty folders of agents that were killed."""
    for entry in os.scandir(tmp):
        if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
            with suppress(OSError):  # not empty, or somebody was faster
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED:
                    os.rmdir(entry.path)
