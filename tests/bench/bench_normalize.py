"""One large CSV file to zstd Parquet: the normalize stage beside polars, DuckDB and pyarrow. Prints a table; asserts nothing.

    python tests/bench/bench_normalize.py [--rows 10000000] [--rounds 3] [--csv FILE] [--scratch DIR] [--jobs N]

Each takes its turn as a process of its own, so start-up and imports count, and its peak memory is its own. For the normalize stage the
file is in the store already (fetch has put it there) and the store is empty otherwise; its time ends when every fragment is durable. The
file is made when it is absent: 10 columns of mixed types, about 105 bytes a row, the same for the same number of rows.
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
CHUNK_ROWS = 250_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--csv", type=Path, help="a file to read; made there if it is absent")
    parser.add_argument("--scratch", help="folder on the disk to measure")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        READERS[options.run[0]](Path(options.run[1]), Path(options.run[2]), options.jobs)
        return
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-normalize-") as scratch:
        source = options.csv or Path(scratch) / "big.csv"
        if not source.exists():
            generate(source, options.rows)
        measure(source, Path(scratch), options)


def measure(source: Path, scratch: Path, options: argparse.Namespace) -> None:
    """Run every reader in turn, ``--rounds`` times, and print the table."""
    prepare(source, scratch / "fetched")
    runs: dict[str, list[tuple[float, int]]] = {name: [] for name in READERS}
    for number in range(options.rounds):
        for name in list(READERS)[:: 1 if number % 2 == 0 else -1]:
            place = scratch / name
            # Links to the one copy that fetch has made: another copy of the file each round would push the others out of memory.
            shutil.copytree(scratch / "fetched", place, copy_function=link_large)
            warm(max((place / "store" / "objects").rglob("*"), key=lambda path: path.stat().st_size))
            warm(source)
            os.sync()
            runs[name].append(timed(name, source, place, options.jobs))
            shutil.rmtree(place)
    size = source.stat().st_size
    print(
        f"{source.name}: {size / 2**20:,.0f} MiB, {options.rounds} rounds, {options.jobs} threads for mldata"
    )
    print(f"{'reader':<12}{'median s':>10}{'MB/s':>8}{'peak MB':>9}{'mldata is':>12}   rounds")
    for name, rounds in runs.items():
        seconds = statistics.median(second for second, _ in rounds)
        ratio = statistics.median(
            ours / theirs for (ours, _), (theirs, _) in zip(runs["mldata"], rounds, strict=True)
        )
        each = "  ".join(f"{second:.2f}" for second, _ in rounds)
        peak = max(memory for _, memory in rounds)
        print(
            f"{name:<12}{seconds:>10.2f}{size / seconds / 1e6:>8.0f}{peak:>9,}{ratio:>10.2f} x   {each}",
            flush=True,
        )


def timed(name: str, source: Path, place: Path, jobs: int) -> tuple[float, int]:
    """Seconds and peak megabytes of one run in a process of its own."""
    command = [sys.executable, __file__, "--jobs", str(jobs), "--run", name, str(source), str(place)]
    start = time.perf_counter()
    child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{name} failed with status {status}")
    return seconds, usage.ru_maxrss // (1 << 10 if sys.platform == "linux" else 1 << 20)


def prepare(source: Path, place: Path) -> None:
    """Put the file into a new store, as the fetch stage does."""
    place.mkdir()
    sys.path.insert(0, str(ROOT))
    from store import Store

    with Store.open(place / "store") as store:
        tree = store.put_paths([(source.name, store.put_file(source), False)])
    (place / "tree").write_text(tree.digest)


def link_large(source: str, target: str) -> None:
    """Link objects, copy what the store writes to."""
    if os.path.getsize(source) > 1 << 20:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def warm(path: Path) -> None:
    """Read a file, so that no reader waits for the disk where another did not."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def run_mldata(source: Path, place: Path, jobs: int) -> None:
    from mldata.stages.normalize import Normalize
    from store import Digest, Store
    from tests.stages.jobs import PlainJob

    params = {"format": "auto", "columns": "keep", "types": {}, "nulls": ["", "NA"], "drop": [], "rename": {}}
    with Store.open(place / "store") as store:
        job = PlainJob(store, "normalize", params, {"fetch": Digest((place / "tree").read_text())})
        job.jobs = jobs
        Normalize().build(job)


def run_polars(source: Path, place: Path, jobs: int) -> None:
    import polars

    polars.scan_csv(source).sink_parquet(place / "out.parquet")


def run_duckdb(source: Path, place: Path, jobs: int) -> None:
    import duckdb

    duckdb.sql(f"COPY (SELECT * FROM '{source}') TO '{place}/out.parquet' (FORMAT parquet, COMPRESSION zstd)")


def run_pyarrow(source: Path, place: Path, jobs: int) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    with (
        pyarrow.csv.open_csv(source) as reader,
        pyarrow.parquet.ParquetWriter(place / "out.parquet", reader.schema, compression="zstd") as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)


READERS: dict[str, Callable[[Path, Path, int], None]] = {
    "mldata": run_mldata,
    "polars": run_polars,
    "duckdb": run_duckdb,
    "pyarrow": run_pyarrow,
}


def generate(path: Path, rows: int) -> None:
    """Write the file in pieces; seeded, so equal for equal ``rows``."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv

    random = np.random.default_rng(42)
    print(f"making {path} with {rows:,} rows", file=sys.stderr)
    with open(path, "wb") as out:
        for start in range(0, rows, CHUNK_ROWS):
            n = min(CHUNK_ROWS, rows - start)
            seconds = random.integers(1_577_836_800, 1_677_836_800, n)
            tokens = random.bytes(10 * n).hex()
            table = pa.table(
                {
                    "id": np.arange(start, start + n),
                    "price": np.round(random.random(n) * 1000, 4),
                    "score": np.round(random.random(n) * 2 - 1, 6),
                    "user_id": random.integers(0, 100_000, n),
                    "category": np.array(["alpha", "beta", "gamma", "delta", "epsilon"])[
                        random.integers(0, 5, n)
                    ],
                    "active": random.random(n) < 0.3,
                    "created": pc.strftime(pa.array(seconds).cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S"),
                    "day": pa.array(random.integers(16_436, 19_436, n).astype(np.int32)).cast(pa.date32()),
                    "amount": pa.array(random.integers(0, 10**9, n), mask=random.random(n) < 0.05),
                    "token": [tokens[i : i + 20] for i in range(0, 20 * n, 20)],
                }
            )
            how = pa.csv.WriteOptions(include_header=start == 0, quoting_style="none")
            pa.csv.write_csv(table, out, how)


if __name__ == "__main__":
    main()
