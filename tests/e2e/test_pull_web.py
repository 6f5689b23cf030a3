"""mldata pull over HTTP, as a user on a bad line meets it: what came is never asked for again, and what is stored is right."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Store
from tests.e2e.project import Project, environment
from tests.servers.files import Fault, FileServer, Large, Served

SIZE = 18 * 1024 * 1024
MIB = 1024 * 1024


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without datasets."""
    made = Project(tmp_path / "project")
    made.write("mldata.yaml", "version: 1\n")
    return made


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server of one large file and some small ones."""
    small = {f"/s/{number}.csv": Served(b"x\n%d\n" % number, f'"{number}"') for number in range(20)}
    with FileServer({"/big.bin": Served(Large(SIZE)), **small}) as server:
        yield server


def begin(project: Project, *args: str) -> subprocess.Popen[str]:
    """``mldata ARGS`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "mldata", "-C", str(project.root), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def until_kept(project: Project, process: subprocess.Popen[str]) -> None:
    """Wait until a download has so much that its state says that some of it is kept."""
    deadline = time.monotonic() + 60
    path = project / ".mldata/store"
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        if (path / "partial").is_dir():
            with Store.open(path, read_only=True) as store:
                if any(kept.have >= MIB for kept in store.partials.kept()):
                    return
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_came_is_used(project: Project, server: FileServer, how: signal.Signals) -> None:
    """However a pull is ended, the next one says that it resumes, asks only for the rest, and stores the right bytes."""
    url = server.url("/big.bin")
    first = begin(project, "pull", url, "--limit-rate", "4MB")
    until_kept(project, first)
    first.send_signal(how)
    _, err = first.communicate(timeout=30)
    assert first.returncode == {signal.SIGINT: 130}.get(
        how, -how if how == signal.SIGKILL else first.returncode
    )
    assert "Starting download of big.bin, 18.0 MiB" in err and "Traceback" not in err
    before = server.sent()
    if how == signal.SIGKILL:
        # Not on a terminal there are plain lines: what resumes and from where.
        second = begin(project, "pull", url, "-o", "out", "-v")
        _, err = second.communicate(timeout=60)
        assert "Resuming big.bin from " in err and " of 18.0 MiB are here)" in err and "Starting" not in err
        assert (project / "out/big.bin").read_bytes() == Large(SIZE)[:]
        return
    second = begin(project, "pull", url, "-o", "out", "--json")
    out, err = second.communicate(timeout=60)
    told = json.loads(out)["result"]
    [file] = told["files"]
    assert file["resumed_from"] >= MIB
    assert file["resumed_from"] + told["bytes_downloaded"] == SIZE
    assert server.sent() - before == told["bytes_downloaded"]
    assert (project / "out/big.bin").read_bytes() == Large(SIZE)[:]
    project.run("check", "--read-data")


def test_begun_anew_when_asked(project: Project, server: FileServer) -> None:
    """--no-resume takes nothing of an earlier run, --clean throws it away."""
    url = server.url("/big.bin")
    for flags in (["--no-resume"], ["--clean"]):
        first = begin(project, "pull", url, "--limit-rate", "4MB")
        until_kept(project, first)
        first.kill()
        first.communicate()
        if flags == ["--clean"]:
            assert "removed what 1 unfinished download left" in project.run("pull", "--clean").out
            assert "no unfinished download" in project.run("pull", "--clean").out
        told = project.json("pull", url, *flags)["result"]
        assert told["bytes_downloaded"] == SIZE and told["files"][0]["resumed_from"] == 0
        Path(project / ".mldata").rename(project / f"old{flags[0]}")


def test_a_changed_file_is_fetched_whole(project: Project, server: FileServer) -> None:
    """What came of another state of the file is of no use: said, and fetched anew."""
    url = server.url("/big.bin")
    first = begin(project, "pull", url, "--limit-rate", "4MB")
    until_kept(project, first)
    first.kill()
    first.communicate()
    server.files["/big.bin"] = Served(Large(SIZE - 5), '"2"')
    told = project.json("pull", url)
    assert told["result"]["bytes_downloaded"] == SIZE - 5
    assert any("starting again, since" in warning for warning in told["warnings"])


def test_two_at_once(project: Project, server: FileServer) -> None:
    """Two pulls of one file beside each other both succeed, and neither damages what the other does."""
    url = server.url("/big.bin")
    both = [begin(project, "pull", url, "-o", name) for name in ("a", "b")]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    for name in ("a", "b"):
        assert (project / name / "big.bin").read_bytes() == Large(SIZE)[:]
    project.run("check", "--read-data")
    assert "no unfinished download" in project.run("pull", "--clean").out


def test_a_bad_line(project: Project, server: FileServer) -> None:
    """A connection that breaks again and again costs time and nothing else."""
    server.fail("/big.bin", *[Fault(reset_at=3 * MIB)] * 6)
    told = project.json("pull", server.url("/big.bin"), "--segments", "2", "-o", "out")["result"]
    assert told["bytes_downloaded"] == SIZE and (project / "out/big.bin").read_bytes() == Large(SIZE)[:]


def test_a_dataset_over_the_web(project: Project, server: FileServer) -> None:
    """A spec with addresses builds, the lock pins what they were, and a build in another clone of the project gives the same bytes."""
    urls = ", ".join(server.url(f"/s/{number}.csv") for number in range(3))
    project.write(
        "mldata.yaml", f"version: 1\ndatasets:\n  d: {{source: [{urls}], export: {{formats: [csv]}}}}\n"
    )
    project.build()
    assert project.files("artifacts/d")["data.csv"] == b"x\n0\n1\n2\n"
    asked = len(server.asked)
    project.build()
    assert len(server.asked) == asked
    other = Project(project.root.parent / "clone")
    for name in ("mldata.yaml", "mldata.lock"):
        other.write(name, (project / name).read_text())
    other.build("--locked")
    assert other.files("artifacts") == project.files("artifacts")
    server.files["/s/1.csv"] = Served(b"x\n7\n", '"new"')
    assert "1/1.csv was changed" in project.run("update").out
