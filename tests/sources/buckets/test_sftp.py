"""What a folder behind SSH is as a source."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

pytest.importorskip("sshfs", reason="the extra sftp is not installed")

from mldata.download.base import Transient
from mldata.errors import AuthError, SourceError
from mldata.sources import open_source
from mldata.sources.base import RemoteSource
from mldata.testing import RemotePlace, RemoteSourceContract
from mldata.testing.expect import raises
from mldata.testing.places import fetch
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


def opened(text: str) -> RemoteSource:
    return cast(RemoteSource, cast(Any, open_source(text, Path("/"))))


def test_a_file_and_a_pattern(tmp_path: Path) -> None:
    """A path is a file, a folder or a pattern; a pattern without ** looks no deeper than it says."""
    with sftp(tmp_path) as place:
        place.put({"a.csv": b"a", "b.csv": b"b", "sub/c.csv": b"c", "sub/deep/d.csv": b"d"})
        for rest, names in {
            "/a.csv": ["a.csv"],
            "/*.csv": ["a.csv", "b.csv"],
            "/*/*.csv": ["sub/c.csv"],
        }.items():
            source = opened(place.uri + rest)
            place.requests.clear()
            assert list(fetch(source, source.resolve())) == names
            assert "/data/sub/deep" not in [asked.path for asked in place.requests]


def test_a_machine_that_is_not_known(tmp_path: Path) -> None:
    """A host whose key is not in known_hosts is refused: it may be another machine in its place."""
    with sftp(tmp_path, known=False) as place:
        place.put({"a.csv": b"a"})
        error = raises(AuthError, opened(place.uri).resolve)
        assert "known_hosts" in str(error.hint)


def test_a_key_that_is_not_let_in(tmp_path: Path) -> None:
    """Without the right key it is an ``AuthError`` that says how keys are given."""
    with sftp(tmp_path) as place:
        place.put({"a.csv": b"a"})
        (tmp_path / "home" / ".ssh" / "id_ed25519").unlink()
        assert "ssh-add" in str(raises(AuthError, opened(place.uri).resolve).hint)


def test_links_are_refused(tmp_path: Path) -> None:
    """A symbolic link could bring any file of that machine."""
    with sftp(tmp_path) as place:
        place.put({"a.csv": b"a"})
        (place.root / "data" / "l.csv").symlink_to("/etc/passwd")
        assert "'l.csv' is a link" in str(raises(SourceError, opened(place.uri).resolve))


def test_a_folder_that_may_not_be_looked_into(tmp_path: Path) -> None:
    """It is an error, and not an empty folder."""
    with sftp(tmp_path) as place:
        place.put({"a.csv": b"a", "sub/b.csv": b"b"})
        place.closed = "/data/sub"
        assert "denied" in str(raises(AuthError, opened(place.uri).resolve))


def test_nobody_answers(tmp_path: Path) -> None:
    """A machine that is not there is a passing failure."""
    assert raises(Transient, opened("sftp://127.0.0.1:9/data").resolve).exit_code == 5
