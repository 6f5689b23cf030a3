"""Standard input as a source."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from mldata.standardinput import _suffix, spooled
from tests.e2e.project import Done, Project, environment

CSV = b"x,y\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(100))


def given(project: Project, data: bytes, *words: str, expect: int = 0) -> Done:
    """Run ``mldata WORDS`` with this on its standard input, in this process."""
    spooled.cache_clear()  # a process has one standard input, and reads it once
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(project.root.parent / "cache"))
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        try:
            return project.run(*words, expect=expect)
        finally:
            spooled.cache_clear()


def piped(project: Project, data: bytes, *words: str, expect: int = 0) -> Done:
    """Run ``mldata WORDS`` in a process of its own, with this in a pipe to its standard input."""
    env = environment({"XDG_CACHE_HOME": str(project.root.parent / "cache")})
    command = [sys.executable, "-m", "mldata", *words]
    made = subprocess.run(command, cwd=project.root, env=env, input=data, capture_output=True, check=False)
    done = Done(made.returncode, made.stdout.decode(), made.stderr.decode())
    assert done.code == expect, done.text
    return done


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (CSV, ".csv"),
        (b'{"a": 1}\n', ".jsonl"),
        (b'\n  [{"a": 1}]', ".json"),
        (b"PAR1....", ".parquet"),
        (b"@relation x\n", ".arff"),
        (b"\x89PNG\r\n\x1a\n....", ".jpg"),
        (gzip.compress(CSV, mtime=0), ".csv.gz"),
        (gzip.compress(b'{"a": 1}\n', mtime=0), ".jsonl.gz"),
        (gzip.compress(tar({"a.csv": CSV}), mtime=0), ".tar.gz"),
        (tar({"a.csv": CSV}), ".tar"),
        (b"PK\x03\x04....", ".zip"),
        (b"\x1f\x8b broken", ".csv.gz"),
    ],
)
def test_what_it_holds_is_told_by_its_first_bytes(data: bytes, suffix: str) -> None:
    """The file gets the suffix of what it is; text that is nothing else is CSV."""
    assert _suffix(data) == suffix


def test_built_into_a_folder(project: Project) -> None:
    """What is piped in is built as a file with these bytes is; the manifest calls it -, and no copy is left in the cache."""
    (project / "stdin.csv").write_bytes(CSV)
    given(project, b"", "build", "stdin.csv", "-o", "file/out", "--split", "0.8,0.2")
    piped(project, CSV, "build", "-", "-o", "pipe/out", "--split", "0.8,0.2")
    files, pipes = project.files("file/out"), project.files("pipe/out")
    assert b'{"source": "-", ' in pipes.pop("manifest.yaml") and files.pop("manifest.yaml")
    assert files == pipes and len(files) == 2
    assert not list((project.root.parent / "cache" / "mldata").glob("stdin-*"))


def test_other_input_is_built_anew(project: Project) -> None:
    """The folder holds what was piped in last."""
    given(project, CSV, "build", "-", "-o", "out", "--formats", "csv")
    given(project, b"x,y\n7,8\n", "build", "-", "-o", "out", "--formats", "csv")
    assert project.files("out")["data.csv"] == b"x,y\n7,8\n"


def test_the_format_can_be_said(project: Project) -> None:
    """--format is stronger than what the first bytes look like."""
    given(project, b"{a}\tb\n1\t2\n", "build", "-", "-o", "out", "--format", "tsv", "--formats", "csv")
    assert project.files("out")["data.csv"] == b"{a},b\n1,2\n"


def test_info(project: Project) -> None:
    """mldata info - tells what comes."""
    told = json.loads(piped(project, CSV, "info", "-", "--json").out)["result"]["sources"][0]
    assert (told["source"], told["rows"]) == ("-", 100)


def test_nothing_came(project: Project) -> None:
    """Empty input is an error that says so, and nothing is built."""
    done = given(project, b"", "build", "-", "-o", "out", expect=1)
    assert "expected data on standard input, found nothing" in done.err
    assert not (project / "out").exists()


def test_a_terminal_is_not_waited_for(project: Project) -> None:
    """Without a pipe there is an error, not a program that hangs."""
    above, below = pty.openpty()
    try:
        made = subprocess.run(
            [sys.executable, "-m", "mldata", "info", "-"], cwd=project.root, env=environment(), stdin=below,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(above)
        os.close(below)
    assert made.returncode == 3 and "found a terminal" in made.stderr


def test_a_spec_cannot_name_it(project: Project, tmp_path: Path) -> None:
    """mldata.yaml is built again and again: add and build refuse standard input there, and say what to do."""
    project.write("mldata.yaml", 'version: 1\ndatasets:\n  a:\n    source: [x.csv, "-"]\n')
    told = project.run("build", expect=3).err
    assert "mldata.yaml:4:21: 'a' reads standard input" in told and "mldata build - -o DIR" in told
    project.write("mldata.yaml", "version: 1\n")
    assert "can be read again" in project.run("add", "b", "-", expect=3).err
    assert (project / "mldata.yaml").read_text() == "version: 1\n"
