"""Downloads, next to what else a machine offers for the same job, from a real nginx on loopback.

    python tests/bench/bench_download.py [--big 1024] [--files 10000] [--rounds 3] [--scratch DIR] [--only NAME ...]

Each row takes turns with its peer; each is a process of its own, measured from its start to its end, with its peak of memory. What mldata does
is more: it hashes, compares and publishes durably, where its peers leave a file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = """
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 100000;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""

OURS = """
import sys
from mldata.download.base import Want
from mldata.download.options import DownloadOptions
from mldata.download.engine import download
from mldata.download.web import Web
from store import Store

class Watch:
    def begin(self, name, size, resumed_from): pass
    def advance(self, name, size): pass
    def end(self, name): pass
    def warn(self, message): print(message)
    def note(self, message): pass

place, segments, *lines = sys.argv[1:]
web = Web()
urls = open(lines[0][1:]).read().split() if lines[0].startswith("@") else lines
wants = [Want(str(n), web.origin(url), int(size) if size else None) for n, (url, _, size) in enumerate(u.partition("#") for u in urls)]
with Store.open(place) as store, store.lease("bench"):
    count = sum(1 for _ in download(store, wants, DownloadOptions(segments=int(segments)), Watch()))
assert count == len(urls)
"""

HTTPX = """
import sys, httpx
with httpx.stream("GET", sys.argv[1]) as answer, open(sys.argv[2], "wb") as file:
    for data in answer.iter_bytes():
        file.write(data)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--big", type=int, default=1024, help="MiB of the one large file")
    parser.add_argument("--files", type=int, default=10_000, help="small files of 4 KiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--port", type=int, default=8931)
    parser.add_argument("--only", nargs="*", choices=sorted(BENCHES), default=list(BENCHES))
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-download-") as name,
        nginx(Path(name), options.port),
    ):
        print(f"{'what':<40}{'peer s':>8}{'ours s':>8}{'ratio':>7}{'peak MB':>9}   rounds (peer/ours)")
        for bench in options.only:
            BENCHES[bench](Path(name), options)


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[None]:
    """A server of ``folder/www``."""
    (folder / "www").mkdir()
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port))
    with subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL) as server:
        try:
            time.sleep(0.5)
            yield
        finally:
            server.terminate()


def run(*command: str | Path) -> tuple[float, float]:
    """Seconds that a program takes, and megabytes that it has at most."""
    start = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise SystemExit(f"{command[0]} failed: {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1000


def ours(place: Path, segments: int, *urls: str) -> tuple[float, float]:
    shutil.rmtree(place, ignore_errors=True)
    return run(sys.executable, "-c", OURS, place, str(segments), *urls)


def compare(
    what: str, rounds: int, peer: Callable[[], tuple[float, float]], own: Callable[[], tuple[float, float]]
) -> None:
    """Take turns, the one to begin alternating; print one row."""
    times, peaks = [], []
    for number in range(rounds):
        found = {}
        for who in (peer, own) if number % 2 == 0 else (own, peer):
            os.sync()
            found[who] = who()
        times.append((found[peer][0], found[own][0]))
        peaks.append(found[own][1])
    ratio = statistics.median(b / a for a, b in times)
    left, right = (statistics.median(column) for column in zip(*times, strict=True))
    each = "  ".join(f"{a:.2f}/{b:.2f}" for a, b in times)
    print(f"{what:<40}{left:>8.2f}{right:>8.2f}{ratio:>7.2f}{max(peaks):>9.0f}   {each}", flush=True)


def big(folder: Path, options: argparse.Namespace) -> str:
    """The large file's address, with its size behind ``#``."""
    path = folder / "www" / "big"
    if not path.exists():
        with open(path, "wb") as file:
            for _ in range(options.big):
                file.write(os.urandom(1 << 20))
    return f"http://127.0.0.1:{options.port}/big#{options.big << 20}"


def one_stream(folder: Path, options: argparse.Namespace) -> None:
    url = big(folder, options)
    compare(
        f"{options.big} MiB, one stream / httpx to a file",
        options.rounds,
        lambda: run(sys.executable, "-c", HTTPX, url.partition("#")[0], folder / "peer"),
        lambda: ours(folder / "store", 1, url),
    )


def curl(folder: Path, options: argparse.Namespace) -> None:
    url = big(folder, options)
    compare(
        f"{options.big} MiB, one stream / curl",
        options.rounds,
        lambda: run("curl", "-s", "-o", folder / "peer", url.partition("#")[0]),
        lambda: ours(folder / "store", 1, url),
    )


def segments(folder: Path, options: argparse.Namespace) -> None:
    url = big(folder, options)
    flags = ("-q", "-x4", "-s4", "--file-allocation=none", "--allow-overwrite=true", "-d")
    compare(
        f"{options.big} MiB, 4 segments / aria2c -x4",
        options.rounds,
        lambda: run("aria2c", *flags, folder, "-o", "peer", url.partition("#")[0]),
        lambda: ours(folder / "store", 4, url),
    )


def small(folder: Path, options: argparse.Namespace) -> None:
    where = folder / "www" / "small"
    where.mkdir()
    lines = []
    for number in range(options.files):
        (where / f"{number}").write_bytes(os.urandom(4096))
        lines.append(f"http://127.0.0.1:{options.port}/small/{number}")
    (folder / "list").write_text("\n".join(lines))

    def peer() -> tuple[float, float]:
        shutil.rmtree(folder / "peers", ignore_errors=True)
        return run("aria2c", "-q", "-j8", "-i", folder / "list", "-d", folder / "peers")

    compare(
        f"{options.files} x 4 KiB, 8 at a time / aria2c -i",
        options.rounds,
        peer,
        lambda: ours(folder / "store", 4, f"@{folder / 'list'}"),
    )


BENCHES = {"one-stream": one_stream, "curl": curl, "segments": segments, "small": small}

if __name__ == "__main__":
    sys.exit(main())
