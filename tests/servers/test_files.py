"""The server of files does what clients in use everywhere expect of one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.files import Fault, FileServer, Large, Served

DATA = os.urandom(200_000)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_goes_on(tmp_path: Path) -> None:
    """curl takes it for a server of ranges: it goes on where a reset ended it, and refuses what is wrong."""
    out = tmp_path / "out"
    with FileServer({"/a": Served(DATA), "/whole": Served(DATA, ranges=False)}) as server:

        def curl(path: str, *more: str) -> int:
            command = ["curl", "-s", "-f", "-o", str(out), "-C", "-", *more, server.url(path)]
            return subprocess.run(command, timeout=30).returncode

        server.fail("/a", Fault(end_at=70_000))
        assert curl("/a") == 18 and out.stat().st_size == 70_000  # 18: a part of the file
        assert curl("/a") == 0 and out.read_bytes() == DATA
        assert server.asked[1].range == (70_000, None) and server.asked[1].status == 206
        out.write_bytes(DATA[:1000])
        assert curl("/whole") == 33  # the server gives no ranges
        out.unlink()
        server.fail("/a", Fault(status=503))
        assert curl("/a") == 22
        server.fail("/a", Fault(length=len(DATA) + 5))
        assert curl("/a") == 18


def test_large_files_are_made_up_as_they_are_read() -> None:
    """Any part of one is what the whole has there."""
    large = Large(1 << 40)
    place = (1 << 39) + 5
    part = large[place - 10 : place + 100_000]
    assert len(part) == 100_010 and large[place : place + 20] == part[10:30]
    assert Large(1000)[:] == bytes(1000)
