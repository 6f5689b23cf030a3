"""Buckets and repositories, from the command line."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("s3fs", reason="the extra s3 is not installed")

from tests.e2e.project import Project
from tests.servers.azure import azure
from tests.servers.gcs import gcs
from tests.servers.git import PROGRAM, git_server
from tests.servers.s3 import S3, s3
from tests.servers.sftp import sftp

SECRET = "hunter2-not-for-others"
LARGE = random.Random(1).randbytes(16_000_000)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without datasets, so that the store is in it."""
    made = Project(tmp_path / "project")
    made.write("mldata.yaml", "version: 1\n")
    return made


def everything(folder: Path) -> bytes:
    """All that is kept below a folder: names and contents."""
    found = [
        str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*")
    ]
    return b"\n".join(found)


def test_a_bucket_is_built_pinned_and_updated(project: Project) -> None:
    """Built from the bucket, the dataset asks nothing more, says in the lock what it was, and follows the bucket when it is told to."""
    with s3() as place:
        place.put({"d/a.csv": b"x\n1\n", "d/b.csv": b"x\n2\n", "d/c.txt": b"no"})
        project.write("mldata.yaml", "version: 1\ndatasets:\n  p: {source: 's3://penguins/d/*.csv', export: {formats: [csv]}}\n")  # fmt: skip
        project.build("p")
        assert project.files("artifacts/p")["data.csv"] == b"x\n1\n2\n"
        lock = (project / "mldata.lock").read_text()
        asked = len(place.requests)
        assert set(project.stages("p").values()) == {"up-to-date"} and len(place.requests) == asked
        place.put({"d/a.csv": b"x\n1\n", "d/b.csv": b"x\n3\n"})
        assert set(project.stages("p").values()) == {"up-to-date"}
        project.run("update", "p")
        project.build("p")
        assert project.files("artifacts/p")["data.csv"] == b"x\n1\n3\n"
        assert (project / "mldata.lock").read_text() != lock
        assert [asked.path.partition("?")[0] for asked in place.requests].count("/penguins/d/a.csv") == 1


def test_a_download_that_was_cut_off_goes_on(project: Project) -> None:
    """What came of an object is used by the next pull, under ``If-Match``; an object that changed in between is begun anew."""
    with s3() as place:
        place.put({"large.csv": LARGE})
        _cut_off(project, place)
        before = len(place.requests)
        pulled = project.json("pull", "s3://penguins/large.csv", "-o", "out")["result"]["files"][0]
        assert 0 < pulled["resumed_from"] < len(LARGE)
        ranged = [asked.headers for asked in place.requests[before:] if "range" in asked.headers]
        assert ranged and all("if-match" in headers for headers in ranged)
        assert (project / "out" / "large.csv").read_bytes() == LARGE
        changed = LARGE[:-2] + b"8\n"
        place.put({"large.csv": changed})
        _cut_off(project, place)
        place.put({"large.csv": changed[:-2] + b"9\n"})
        pulled = project.json("pull", "s3://penguins/large.csv", "-o", "again")["result"]["files"][0]
        assert pulled["resumed_from"] == 0
        assert (project / "again" / "large.csv").read_bytes() == changed[:-2] + b"9\n"


def _cut_off(project: Project, place: S3) -> None:
    place.cut(3_000_000)
    place.fail_files(after=1)
    project.spawn("pull", "s3://penguins/large.csv", "-o", "out", expect=5, env={"MLDATA_RETRIES": "1"})
    place.fail_files(after=None)


def test_credentials_are_kept_nowhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private bucket is built with credentials of the environment; they are in no file and in nothing that is printed."""
    with s3(AWS_ACCESS_KEY_ID=SECRET, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=SECRET) as place:
        place.put({"a.csv": b"x\n1\n"})
        place.require_token(SECRET)
        done = project.run("build", "s3://penguins", "-o", "out", "-v")
        place.require_token("another")
        failed = project.run("pull", "s3://penguins", "-o", "no", "-v", expect=4)
        assert SECRET not in done.text + failed.text
        assert SECRET.encode() not in everything(project.root)
        assert not (project / "no").exists()


@pytest.mark.skipif(PROGRAM is None, reason="git is not installed")
def test_a_repository_is_built_at_its_commit(project: Project, tmp_path: Path) -> None:
    """A dataset of a repository stays at the commit that the lock pins, also in another checkout without the files, until it is updated."""
    with git_server(tmp_path / "git") as place:
        first = place.repository.put({"data/a.csv": b"x\n1\n", "README.md": b"r"})
        spec = (
            f"version: 1\ndatasets:\n  p: {{source: '{place.uri}@main#data', export: {{formats: [csv]}}}}\n"
        )
        project.write("mldata.yaml", spec)
        project.build("p")
        assert first in (project / "mldata.lock").read_text()
        place.repository.put({"data/a.csv": b"x\n2\n"})
        other = Project(tmp_path / "other")
        other.write("mldata.yaml", spec)
        other.write("mldata.lock", (project / "mldata.lock").read_text())
        other.build("p", "--locked")
        assert other.files("artifacts/p")["data.csv"] == b"x\n1\n"
        other.run("update", "p")
        other.build("p")
        assert other.files("artifacts/p")["data.csv"] == b"x\n2\n"


@pytest.mark.slow
@pytest.mark.parametrize("service", ["s3", "gs", "az", "sftp", "git"])
def test_clients_say_nothing_of_their_own(project: Project, tmp_path: Path, service: str) -> None:
    """A pull, and one that fails, prints what mldata says and nothing that a client's library would say at its end."""
    serve: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "s3": s3, "gs": gcs, "az": azure, "sftp": lambda: sftp(tmp_path / "ssh"), "git": lambda: git_server(tmp_path / "git"),
    }  # fmt: skip
    with serve[service]() as place:
        place.put({"a.csv": b"x\n1\n", "sub/b.csv": b"x\n2\n" * 1_000_000})
        done = project.spawn("pull", place.uri, "-o", "out")
        assert (project / "out" / "sub" / "b.csv").stat().st_size == 4_000_000
        failed = project.spawn("pull", place.nowhere, "-o", "no", expect=None)
        assert failed.code in (4, 5)
        for line in (done.err + failed.err).splitlines():
            assert re.match(r"fetch:pull  |error: |  |$", line), line
