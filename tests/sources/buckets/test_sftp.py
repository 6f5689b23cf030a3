"""What a folder behind SSH is as a source."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("sshfs", reason="the extra sftp is not installed")

from mldata.testing import RemotePlace, RemoteSourceContract
from tests.servers.sftp import sftp


class TestSftp(RemoteSourceContract):
    """``sftp://`` by sshfs, from asyncssh's server."""

    malformed = ("sftp://", "sftp://host", "sftp://u:secret@host/a", "sftp://ho st/a", "sftp://host:x/a")
    unsafe = ("con.csv", "a\\..\\x.csv", "C:\\x.csv")
    many = 50
    lacks: ClassVar[Mapping[str, str]] = {
        "old": "files are read as they are now",
        "token": "SSH has keys",
        "gate": "a machine has no terms to accept",
        "rename": "a machine cannot be renamed",
        "move": "bytes come from the machine itself",
        "fail": "SFTP has no status of HTTP",
        "cut": "asyncssh's server cannot be told to break off",
    }

    def serve(self, folder: Path) -> AbstractContextManager[RemotePlace]:
        return sftp(folder)
