"""Builds with nothing, or next to nothing, to do against bare doit, side by side in one run. Prints a table; asserts nothing.

    python tests/bench/bench_build.py [--rounds 9] [--files 50000] [--rows 100 2000 20000] [--scratch DIR]
        [--csv FILE] [--only NAME ...]

Each figure is the median over rounds; ours and its peer take turns, so that a slow moment of the machine hits both.
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
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
version: 1
datasets:
  d:
    source: src
    split: {train: 0.8, test: 0.2, seed: 1}
    export: {formats: [parquet]}
"""
DODO = 'from mldata.tasks import load\n\nglobals().update(load("mldata.yaml"))\n'
BARE_FIVE = "def task_x():\n    for i in range(5):\n        yield {'name': str(i), 'actions': [], 'uptodate': [True]}\n"
BARE_FILES = (
    "import glob\n\ndef task_x():\n"
    "    return {'file_dep': sorted(glob.glob('src/*')), 'actions': ['true'], 'targets': []}\n"
)
MLDATA = [sys.executable, "-m", "mldata", "-q"]
DOIT = [sys.executable, "-m", "doit"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[100, 2000, 20_000], help="rows a file, one-of-many"
    )
    parser.add_argument(
        "--csv", type=Path, help="one-of-many: a file to cut into 1,000, as bench_normalize makes it"
    )
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--only", nargs="*", choices=sorted(BENCHES), default=sorted(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-build-") as folder:
        for name in options.only:
            place = Path(folder) / name
            place.mkdir()
            BENCHES[name](place, options)


def seconds(command: list[str], place: Path) -> float:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(
        command, cwd=place, check=True, stdout=subprocess.DEVNULL, env={**env, "PYTHONPATH": str(ROOT)}
    )
    return time.perf_counter() - start


def row(what: str, ours: list[float], peer: list[float], limit: str) -> None:
    ratio = statistics.median(a / b for a, b in zip(ours, peer, strict=True))
    print(
        f"{what:<48}{statistics.median(ours) * 1000:>9.0f} ms {statistics.median(peer) * 1000:>9.0f} ms"
        f"  ratio {ratio:5.2f}  ({limit})",
        flush=True,
    )


def versus(what: str, place: Path, bare: Path, rounds: int, limit: str) -> None:
    for command, title in (([*MLDATA, "build"], "mldata build"), ([*DOIT, "build"], "doit build")):
        ours, peer = [], []
        for _ in range(2):  # settle caches and racy stats
            seconds(command, place)
            seconds(DOIT, bare)
        for _ in range(rounds):
            ours.append(seconds(command, place))
            peer.append(seconds(DOIT, bare))
        row(f"{what}: {title} / bare doit", ours, peer, limit)


def project(place: Path, count: int, rows: int) -> Path:
    place.mkdir()
    (place / "src").mkdir()
    (place / "mldata.yaml").write_text(SPEC)
    (place / "dodo.py").write_text(DODO)
    for number in range(count):
        write(place / "src" / f"{number:06d}.csv", number, rows)
    return place


def write(path: Path, number: int, rows: int) -> None:
    lines = [f"{number * rows + i},{(number * 31 + i) % 997 * 0.5},{'ab'[i % 2]}\n" for i in range(rows)]
    path.write_text("id,x,c\n" + "".join(lines))


def bare(place: Path, dodo: str, source: Path | None = None) -> Path:
    place.mkdir()
    (place / "dodo.py").write_text(dodo)
    if source is not None:
        (place / "src").symlink_to(source)
    return place


def nothing(place: Path, options: argparse.Namespace) -> None:
    """Five stages of one small dataset with nothing to do, against five no-op tasks of bare doit."""
    ours = project(place / "ours", 3, 100)
    seconds([*MLDATA, "build"], ours)
    versus("nothing to do", ours, bare(place / "bare", BARE_FIVE), options.rounds, "at most 2.0")


def nothing_many(place: Path, options: argparse.Namespace) -> None:
    """Nothing to do with very many source files, against bare doit with as many file_dep."""
    ours = project(place / "ours", options.files, 2)
    print(f"first build of {options.files} files: {seconds([*MLDATA, 'build'], ours):.1f} s", flush=True)
    peer = bare(place / "bare", BARE_FILES, ours / "src")
    seconds(DOIT, peer)
    versus(f"nothing to do, {options.files} files", ours, peer, options.rounds, "at most 1.2")


def one_of_many(place: Path, options: argparse.Namespace) -> None:
    """One changed file of 1,000: time above a build with nothing to do, as a share of the full build's, by size of file."""
    for rows in options.rows if options.csv is None else []:
        ours = project(place / str(rows), 1000, rows)
        one_changed(
            ours,
            f"{rows} rows",
            options.rounds,
            lambda number, ours=ours, rows=rows: write(ours / "src/000500.csv", 1_000_000 + number, rows),
        )
    if options.csv is not None:
        ours = project(place / "cut", 0, 0)
        cut(options.csv, ours / "src", 1000)
        name = f"{options.csv.stat().st_size >> 20} MiB in all"
        one_changed(ours, name, options.rounds, lambda number: edit(ours / "src/000500.csv", number))


def one_changed(ours: Path, what: str, rounds: int, change: Callable[[int], None]) -> None:
    full = seconds([*MLDATA, "build"], ours)
    idle, changed = [], []
    for number in range(rounds):
        seconds([*MLDATA, "build"], ours)
        idle.append(seconds([*MLDATA, "build"], ours))
        change(number)
        changed.append(seconds([*MLDATA, "build"], ours))
    above = statistics.median(changed) - statistics.median(idle)
    print(
        f"one of 1000 files of {what} changed: full {full:.2f} s, nothing {statistics.median(idle):.2f} s, "
        f"one {statistics.median(changed):.2f} s: {above / full:.1%} of the full build above nothing (at most 5 %)",
        flush=True,
    )
    shutil.rmtree(ours)


def cut(whole: Path, folder: Path, count: int) -> None:
    """A CSV file without line ends in its fields as ``count`` files of about equal size."""
    size = whole.stat().st_size / count
    with open(whole, "rb") as source:
        header = source.readline()
        for number in range(count):
            with open(folder / f"{number:06d}.csv", "wb") as out:
                out.write(header)
                while source.tell() < size * (number + 1) and (line := source.readline()):
                    out.write(line)


def edit(path: Path, number: int) -> None:
    """Another first field, a number, in one row of a file."""
    header, first, rest = path.read_bytes().split(b"\n", 2)
    path.write_bytes(b"\n".join((header, b"-%d,%s" % (number + 1, first.partition(b",")[2]), rest)))


BENCHES: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "nothing": nothing,
    "nothing-many": nothing_many,
    "one-of-many": one_of_many,
}

if __name__ == "__main__":
    main()
