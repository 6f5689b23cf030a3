"""Split and export of a large table, stage by stage: seconds, rows a second, peak memory.

Run with ``python -m tests.bench.bench_split_export [--rows 10000000] [--work FOLDER]``. Each line runs in a process of
its own, so that peaks are its own; where polars is installed, its writers run side by side.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

PARTS = {"train": 0.8, "val": 0.1, "test": 0.1}
SPLITS = {
    "split random": {},
    "split stratify": {"method": "stratify", "stratify": "category"},
    "split hash by user_id": {"method": "hash", "by": ["user_id"]},
    "split hash by token": {"method": "hash", "by": ["token"]},
    "split hash, whole row": {"method": "hash"},
}
EXPORTS = {
    "export parquet": ["parquet"],
    "export csv": ["csv"],
    "export jsonl": ["jsonl"],
    "export arrow": ["arrow"],
    "export parquet, csv, jsonl": ["parquet", "csv", "jsonl"],
}
PEERS = ["polars parquet", "polars csv", "polars jsonl"]
PIECE_ROWS = 160_000
"""As the normalize stage cuts 16 MiB of such a CSV file."""
THREADS = 2


def make_table(work: Path, rows: int) -> str:
    """A table of ten columns of mixed types in a new store, as the normalize stage writes it."""
    import numpy as np
    import pyarrow as pa

    from mldata.formats.encode import encode
    from store import Store
    from tests.stages.jobs import put_table

    def piece(start: int, stop: int) -> pa.Table:
        rng, n = np.random.default_rng(start), stop - start
        words = pa.array(["alpha", "beta", "gamma", "delta", "epsilon"])
        seconds = rng.integers(1_577_836_800, 1_677_836_800, n)
        return pa.table(
            {
                "id": pa.array(np.arange(start, stop)),
                "price": np.round(rng.random(n) * 1000, 4),
                "score": np.round(rng.random(n) * 2 - 1, 6),
                "user_id": rng.integers(0, 100_000, n),
                "category": words.take(pa.array(rng.integers(0, 5, n))),
                "active": rng.random(n) < 0.3,
                "created": pa.array(seconds * 1_000_000, pa.timestamp("us")),
                "day": pa.array(rng.integers(16_436, 19_436, n).astype(np.int32), pa.date32()),
                "amount": pa.array(rng.integers(0, 10**9, n), mask=rng.random(n) < 0.05),
                "token": pa.array([bytes(row).hex() for row in rng.integers(0, 256, (n, 10), np.uint8)]),
            }
        )

    with Store.open(work / "store") as store:
        starts = range(0, rows, PIECE_ROWS)
        return put_table(
            store, (piece(start, min(start + PIECE_ROWS, rows)) for start in starts), write=encode
        )


def run_case(work: Path, table: str, case: str) -> None:
    """One line of the result, in this process: seconds, processor seconds (with start-up), peak memory in MB, to stdout."""
    if case == "make":
        print(make_table(work, int(table)))
        return
    seconds = (
        polars_sink(work, table, case.split()[1]) if case.startswith("polars") else _stage(work, table, case)
    )
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{seconds:.3f} {usage.ru_utime + usage.ru_stime:.3f} {usage.ru_maxrss / 1024:.0f}")


def _stage(work: Path, table: str, case: str) -> float:
    from concurrent.futures import ThreadPoolExecutor

    from mldata.stages.export import Export
    from mldata.stages.split import Split
    from store import Digest, Store
    from tests.stages.jobs import PlainJob, export_params, split_params

    stage: Split | Export
    with Store.open(work / "store") as store:
        inputs = {"normalize": Digest(table)}
        if case in SPLITS:
            stage, job = Split(), PlainJob(store, "split", split_params(PARTS, **SPLITS[case]), inputs)
        else:
            inputs["split"] = (
                Split().build(PlainJob(store, "split", split_params(PARTS), inputs)).output.digest
            )
            stage, job = Export(), PlainJob(store, "export", export_params(*EXPORTS[case]), inputs)
        job.jobs = THREADS
        with ThreadPoolExecutor(THREADS) as pool:
            job.map = pool.map
            begin = time.perf_counter()
            stage.build(job)
            return time.perf_counter() - begin


def polars_sink(work: Path, table: str, name: str) -> float:
    import polars as pl

    from mldata.table import Table
    from store import Digest, Store

    with Store.open(work / "store") as store:
        paths = [store.path(fragment.digest) for fragment in Table.open(store, Digest(table)).fragments]
    frame = pl.scan_parquet(paths)
    out = work / f"polars.{name}"
    begin = time.perf_counter()
    if name == "parquet":
        frame.sink_parquet(out, compression="zstd")
    elif name == "csv":
        frame.sink_csv(out)
    else:
        frame.sink_ndjson(out)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--work", type=Path, help="where to put the store (default: a temporary folder)")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="", help="run the lines whose name has this in it")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        run_case(options.work, *options.case)
        return
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work = Path(folder)
        # Linux counts a parent's memory into its child's peak, so this process stays small.
        table = _child(work, str(options.rows), "make")
        peers = PEERS if find_spec("polars") else []
        print(f"{options.rows:,} rows")
        print(f"{'':28} {'seconds':>8} {'cpu s':>8} {'Mrows/s':>8} {'peak MB':>8}")
        for case in [*SPLITS, *EXPORTS, *peers]:
            if options.only not in case:
                continue
            found = []
            for _ in range(options.repeat):
                command = [sys.executable, "-m", "tests.bench.bench_split_export", "--work", str(work)]
                out = subprocess.run(
                    [*command, "--case", table, case], check=True, capture_output=True, text=True
                )
                found.append(tuple(map(float, out.stdout.split())))
                forget(work)
            seconds, processor, peak = sorted(found)[len(found) // 2]
            print(
                f"{case:28} {seconds:8.2f} {processor:8.2f} {options.rows / seconds / 1e6:8.2f} {peak:8.0f}",
                flush=True,
            )


def _child(work: Path, table: str, case: str) -> str:
    command = [
        sys.executable,
        "-m",
        "tests.bench.bench_split_export",
        "--work",
        str(work),
        "--case",
        table,
        case,
    ]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def forget(work: Path) -> None:
    """Drop action results, so that the next run has none to take."""
    import shutil

    shutil.rmtree(work / "store" / "actions")
    (work / "store" / "actions").mkdir()


if __name__ == "__main__":
    main()
