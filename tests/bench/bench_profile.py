"""Profiles beside what others make of the same files: whole processes, start-up and bringing the file into an empty store included. Prints a table; asserts nothing.

    python tests/bench/bench_profile.py [--rows 1000000] [--rounds 3] [--ydata PYTHON] [--scratch DIR] [--only NAME ...]

``file`` is one Parquet file of ten mixed columns (five of doubles, one with nulls and one with NaN; two of integers; texts of 4, of 300 and of distinct values) beside DuckDB's
SUMMARIZE, polars' describe, and ydata-profiling's minimal report, by an interpreter that has it. ``fragments`` is a dataset of 100 such files of a hundredth of the
rows each: a first profile, one after a file has changed, one after nothing has, and drift between the two builds.

Peers and mldata take turns, the one to begin alternating; shown are the medians of seconds and of the most memory (MB, resident), and the median of the ratios of seconds.
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SPEC = "version: 1\ndatasets:\n  d:\n    source: data/*.parquet\n    profile: true\n"
DUCKDB = "import duckdb, sys; duckdb.sql(f\"SUMMARIZE SELECT * FROM '{sys.argv[1]}'\").fetchall()"
POLARS = "import polars, sys; polars.read_parquet(sys.argv[1]).describe()"
YDATA = (
    "import pandas, sys, warnings; warnings.simplefilter('ignore'); from ydata_profiling import ProfileReport; "
    "ProfileReport(pandas.read_parquet(sys.argv[1]), minimal=True, progress_bar=False).to_file(sys.argv[2])"
)


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ydata", default=None, help="an interpreter that has ydata-profiling")
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--only", nargs="*", choices=sorted(BENCHES), default=sorted(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-profile-") as folder:
        print(f"{'what':<58}{'peer s':>8}{'MB':>7}{'mldata s':>10}{'MB':>7}{'ratio':>7}")
        for name in options.only:
            place = Path(folder) / name
            place.mkdir()
            BENCHES[name](place, options)
            shutil.rmtree(place)


def run(*command: str, place: Path) -> Cost:
    """Run a process to its end; it is to succeed."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(place / "cache")}
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{said}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(time.perf_counter() - begun, used.ru_maxrss / scale)


def mldata(place: Path, *args: str) -> Cost:
    return run(sys.executable, "-m", "mldata", "-q", *args, place=place)


def compare(what: str, rounds: int, peer: Callable[[], Cost], ours: Callable[[], Cost]) -> None:
    """Take turns; print one row."""
    costs: list[tuple[Cost, Cost]] = []
    for number in range(rounds):
        pair = {}
        for who in (peer, ours) if number % 2 == 0 else (ours, peer):
            pair[who] = who()
        costs.append((pair[peer], pair[ours]))
    tell(what, costs)


def tell(what: str, costs: Sequence[tuple[Cost, Cost]]) -> None:
    ratio = statistics.median(b.seconds / a.seconds for a, b in costs)
    told = [
        statistics.median(value) for column in zip(*costs, strict=True) for value in zip(*column, strict=True)
    ]
    print(f"{what:<58}{told[0]:>8.2f}{told[1]:>7.0f}{told[2]:>10.2f}{told[3]:>7.0f}{ratio:>7.2f}", flush=True)


def make_files(*files: tuple[Path, int, int, int]) -> None:
    """Write files in a process of its own: the memory that this one had would count as that of each process it starts."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from bench_profile import make_file; from pathlib import Path\n"
    calls = "".join(
        f"make_file(Path({str(path)!r}), {rows}, {start}, {seed})\n" for path, rows, start, seed in files
    )
    subprocess.run([sys.executable, "-c", code + calls, str(Path(__file__).parent)], check=True)


def make_file(path: Path, rows: int, start: int, seed: int) -> None:
    """Ten mixed columns; the same for the same arguments."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng([seed, start])
    writer = None
    for first in range(start, start + rows, 1 << 20):
        count = min(1 << 20, start + rows - first)
        columns = {
            f"d{n}": random.normal(size=count) if n < 3 else random.exponential(size=count) for n in range(5)
        }
        columns["d4"][::17] = np.nan
        columns["d3"] = pa.array(columns["d3"], mask=random.random(count) < 0.05)
        columns["i0"], columns["i1"] = random.integers(0, 100, count), random.integers(0, 1 << 40, count)
        columns["few"] = np.array(["red", "green", "blue", "black"])[random.integers(0, 4, count)]
        cities = np.array([f"city {n}" for n in range(300)])
        columns["some"] = cities[np.minimum(random.geometric(0.02, count), 299)]
        columns["all"] = [f"user-{n:09d}" for n in range(first, first + count)]
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def one_file(place: Path, options: argparse.Namespace) -> None:
    file = place / "table.parquet"
    make_files((file, options.rows, 0, 7))
    what = f"{options.rows:,} x 10 as Parquet"

    def ours() -> Cost:
        shutil.rmtree(place / "cache", ignore_errors=True)
        return mldata(place, "profile", str(file))

    def peer(code: str, python: str = sys.executable) -> Callable[[], Cost]:
        return lambda: run(python, "-c", code, str(file), str(place / "report.html"), place=place)

    compare(f"{what} / DuckDB SUMMARIZE", options.rounds, peer(DUCKDB), ours)
    compare(f"{what} / polars describe", options.rounds, peer(POLARS), ours)
    if options.ydata:
        compare(f"{what} / ydata-profiling minimal", 1, peer(YDATA, options.ydata), ours)


def fragments(place: Path, options: argparse.Namespace) -> None:
    each = options.rows // 100
    (place / "data").mkdir()
    (place / "mldata.yaml").write_text(SPEC)
    make_files(*((place / f"data/{number:02d}.parquet", each, number * each, 7) for number in range(100)))
    first = mldata(place, "profile", "d")
    mldata(place, "build")
    make_files((place / "data/50.parquet", each, 50 * each, 8))
    changed = mldata(place, "profile", "d")
    again = mldata(place, "profile", "d")
    mldata(place, "build")
    what = f"100 x {each:,} x 10: first profile"
    tell(f"{what} / one changed", [(first, changed)])
    tell(f"{what} / nothing changed", [(first, again)])
    tell(f"{what} / drift of two builds", [(first, mldata(place, "drift", "d@1", "d@2"))])


BENCHES = {"file": one_file, "fragments": fragments}

if __name__ == "__main__":
    main()
