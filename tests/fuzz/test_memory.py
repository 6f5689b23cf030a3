"""Memory stays in proportion to a file, whatever is in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import ROOT, environment

pytestmark = pytest.mark.no_cover

SIZE = 1 << 20
MOST = 400 << 20
"""Bytes more than before; without the limits that a few of these run into, they would take gigabytes."""
CASES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a long cell": ("d.csv", lambda: b"a,b\n1," + b"x" * SIZE),
    "a quote that is never closed": ("d.csv", lambda: b'a,b\n1,"' + b"x,\n" * (SIZE // 16)),
    "nothing but NULs": ("d.csv", lambda: b"a\n" + bytes(SIZE)),
    "very many columns": ("d.csv", lambda: b"," * (120_000)),
    "bare CR": ("d.csv", lambda: b"a\r" * (SIZE // 2)),
    "brackets": ("d.json", lambda: b"[" * SIZE),
    "objects": ("d.json", lambda: b'{"a":' * (SIZE // 5)),
    "a long text": ("d.json", lambda: b'[{"a":"' + b"x" * SIZE + b'"}]'),
    "a long number": ("d.jsonl", lambda: b'{"a":' + b"9" * SIZE + b"}"),
    "blank lines": ("d.jsonl", lambda: b"\n" * SIZE + b"x"),
    "another key in each record": ("d.jsonl", lambda: b"".join(b'{"k%d":1}\n' % n for n in range(20_000))),
    "another key deep in each": ("d.json", lambda: b"".join(b'{"a":{"k%d":1}}\n' % n for n in range(20_000))),
    "an array of keys": ("d.json", lambda: b"[" + b",".join(b'{"k%d":1}' % n for n in range(20_000)) + b"]"),
    "a tar of zeros": ("d.tar", lambda: bytes(SIZE)),
}  # fmt: skip


def run_cases(folder: Path) -> None:
    """For a child process: fail if an example takes more memory than it may."""
    import resource

    from tests.fuzz.engine import Example
    from tests.fuzz.stage import Stage

    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, most))  # the machine's memory is not at stake
    resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
    stage = Stage(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, (file, make) in CASES.items():
        for params in ({}, {"on_bad_row": "reject", "max_rejects": "100%"}):
            stage(Example(file, make(), params))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        assert grown < MOST, f"{name}: {grown:,} bytes more than before"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted in other units")
def test_memory_is_bounded(tmp_path: Path) -> None:
    """Hostile files are read or refused within a bound, and within the time of a processor that they may take together."""
    code = f"from pathlib import Path; from tests.fuzz.test_memory import run_cases; run_cases(Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
