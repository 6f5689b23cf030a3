"""--offline: nothing but what this machine has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mldata.download.base import Origin, Validator
from mldata.errors import NetworkError
from mldata.sources import SOURCES, SourceInfo
from mldata.sources.base import RemoteFile, Resolved
from mldata.sources.local import LocalSource
from store import hash_bytes
from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  d:
    source: [far://one, here]
    export: {to: out/d, formats: [csv]}
  alone:
    source: far://one
    export: {to: out/alone, formats: [csv]}
"""


class Far:
    """A source on a network that can be down: a folder, and a file that says so."""

    def __init__(self, text: str, root: Path) -> None:
        self.text = self.key = text
        self._root = root

    def resolve(self, revision: str | None = None) -> Resolved:
        if (self._root / "down").exists():
            raise NetworkError("cannot be reached", where=self.text)
        listing = LocalSource("far", self._root).listing()
        files = [RemoteFile(name, path, stat.size, version=str(stat)) for name, path, stat in listing]
        return Resolved(hash_bytes(repr(files).encode()).digest, files)

    def origin(self, file: RemoteFile) -> Origin:
        return DiskOrigin(file.place)


class DiskOrigin:
    """A file of that folder."""

    def __init__(self, path: str) -> None:
        self.name = self.identity = path

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> DiskBody:
        return DiskBody(self.name, start, stop)


class DiskBody:
    """Its bytes."""

    ranges = False
    reason = None
    digests: Mapping[str, str] = {}

    def __init__(self, path: str, start: int, stop: int | None) -> None:
        self.start = start
        self._bytes = Path(path).read_bytes()
        self.validator = Validator(size=len(self._bytes))
        self._part = self._bytes[start:stop]

    def __iter__(self) -> Iterator[bytes]:
        yield self._part

    def close(self) -> None: ...
    def __enter__(self) -> DiskBody:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def far(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with sources on that network and here."""
    monkeypatch.setitem(SOURCES, "far", SourceInfo("far", __name__, "Far", remote=True))
    project.write("far/a.csv", "x\n1\n2\n")
    project.write("far/sub/b.csv", "x\n3\n")
    project.write("here/c.csv", "x\n4\n")
    project.write("mldata.yaml", SPEC)
    return project


def test_what_was_fetched_is_taken_from_the_store(far: Project) -> None:
    """With the network down, --offline builds the same from what the lock pins, also without receipts; local files are still looked at."""
    before = far.build()
    files = far.files("out")
    far.write("down", "")
    shutil.rmtree(far / "far")
    assert "far://one: cannot be reached" in far.run("update", expect=5).err
    again = far.build("--offline")
    assert {told["status"] for told in again["d"]["stages"].values()} == {"up-to-date"}
    shutil.rmtree(far / ".mldata/receipts")
    again = far.build("--offline")
    for name in before:
        for stage, told in before[name]["stages"].items():
            assert again[name]["stages"][stage]["output"] == told["output"], f"{stage}:{name}"
    assert far.files("out") == files
    far.write("here/c.csv", "x\n5\n")
    changed = far.build("--offline")
    assert changed["d"]["stages"]["normalize"]["actions"] == {"hit": 2, "run": 1}
    assert changed["alone"]["stages"]["fetch"]["status"] == "up-to-date"


def test_what_changed_there_is_not_seen(far: Project) -> None:
    """The lock decides, not what the network would say: only an update looks there again."""
    far.build()
    far.write("far/a.csv", "x\n100\n")
    for flags in (["--offline"], []):
        told = far.build(*flags)["alone"]["stages"]
        assert told["fetch"]["status"] == told["export"]["status"] == "up-to-date"
    assert "a.csv was changed" in far.run("update", "alone").out
    assert far.build()["alone"]["stages"]["normalize"]["status"] == "ran"


def test_what_was_never_fetched_is_an_error(far: Project) -> None:
    """Without an entry in the lock, or without the objects, the source is named and what to do."""
    err = far.run("build", "alone", "--offline", expect=1).err
    assert "far://one" in err and "mldata.lock pins nothing for it" in err and "without --offline" in err
    far.build()
    shutil.rmtree(far / ".mldata")
    err = far.run("build", "alone", "--offline", expect=1).err
    assert "the store does not have" in err


def test_local_sources_need_nothing(project: Project) -> None:
    """A project without remote sources builds offline as it does otherwise."""
    project.write("data/a.csv", "x\n1\n")
    project.write("mldata.yaml", "version: 1\ndatasets:\n  d: {source: data, export: {}}\n")
    assert project.build("--offline")["d"]["build"] == 1
    assert project.stages("d")["fetch"] == "up-to-date"
