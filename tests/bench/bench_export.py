"""An export beside what else there is: three formats in one pass against three runs of polars, and a folder of media against ``cp -rl``.

Run with ``python -m tests.bench.bench_export [--rows 10000000] [--files 50000] [--repeat 3] [--work FOLDER]``. Everything runs in a
process of its own, in turns, so that whatever else the machine does weighs on all alike; medians and their ratios are printed.
``split`` exports three parts, as most datasets have them; the others one, as polars writes one file.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench.bench_split_export import PARTS, PEERS, THREADS, forget, make_table, polars_sink

OURS = ["one pass", "one pass, split"]
FORMATS = ["parquet", "csv", "jsonl"]
MEDIA_FOLDERS = 500


def one_pass(work: Path, table: str, *, split: bool) -> None:
    """Time the export stage."""
    from concurrent.futures import ThreadPoolExecutor

    from mldata.stages.export import Export
    from mldata.stages.split import Split
    from store import Digest, Store
    from tests.stages.jobs import PlainJob, export_params, split_params

    with Store.open(work / "store") as store, ThreadPoolExecutor(THREADS) as pool:
        inputs = {"normalize": Digest(table)}
        if split:
            given = split_params(PARTS)
            inputs["split"] = Split().build(PlainJob(store, "split", given, inputs)).output.digest
        job = PlainJob(store, "export", export_params(*FORMATS), inputs)
        job.jobs, job.map = THREADS, pool.map
        with measured():
            Export().build(job)
        for name, wrote in job.view.wrote.items():
            rate = wrote.size / 1e6 / (wrote.seconds or 1)
            print(
                f"  {name}: {wrote.size / 1e6:.0f} MB, {wrote.seconds:.1f} s, {rate:.0f} MB/s",
                file=sys.stderr,
            )


class measured:
    """Prints seconds, processor seconds and the peak of memory of what runs inside."""

    def __enter__(self) -> None:
        self._begun, self._used = time.perf_counter(), _used()

    def __exit__(self, *_: object) -> None:
        seconds, peak = time.perf_counter() - self._begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{seconds:.3f} {_used() - self._used:.3f} {peak / 1024:.0f}", flush=True)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def media(work: Path, files: int, case: str) -> None:
    """Time a folder of small files: ``cp -rl`` of it, or what the store writes by hardlink."""
    from store import Store

    with Store.open(work / "media-store") as store:
        made = work / "tree.txt"
        if case == "make":
            with store.batch() as batch:
                listed = [
                    (f"{n % MEDIA_FOLDERS:03d}/{n}.bin", batch.put(b"%d" % n), False) for n in range(files)
                ]
            made.write_text(store.put_paths(listed).digest)
            store.materialize(made.read_text(), work / "plain", link="hardlink")
            return
        out = work / "out"
        shutil.rmtree(out, ignore_errors=True)
        with measured():
            if case == "cp -rl":
                subprocess.run(["cp", "-rl", str(work / "plain"), str(out)], check=True)
            else:
                store.materialize(made.read_text(), out, link="hardlink")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where to put the store (default: a temporary folder)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--table", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        _case(options.work, options.case, options.table, options)
        return
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work = Path(folder)
        if options.rows:
            table = _child(work, options, "make rows")
            _compare(work, options, [*OURS, *PEERS], table, PEERS, f"{options.rows:,} rows")
        if options.files:
            _child(work, options, "make media")
            _compare(work, options, ["materialize", "cp -rl"], "", ["cp -rl"], f"{options.files:,} files")


def _case(work: Path, case: str, table: str, options: argparse.Namespace) -> None:
    if case == "make rows":
        print(make_table(work, options.rows))
    elif case == "make media":
        media(work, options.files, "make")
    elif case in OURS:
        one_pass(work, table, split=case != OURS[0])
    elif case in PEERS:
        with measured():
            polars_sink(work, table, case.split()[1])
    else:
        media(work, options.files, case)


def _compare(
    work: Path, options: argparse.Namespace, cases: list[str], table: str, peers: list[str], title: str
) -> None:
    found: dict[str, list[tuple[float, ...]]] = {case: [] for case in cases}
    for _ in range(options.repeat):
        for case in cases:
            found[case].append(tuple(map(float, _child(work, options, case, table).split())))
            forget(work)
    times = {case: [median(column) for column in zip(*rows, strict=True)] for case, rows in found.items()}
    print(f"{title}\n{'':20} {'seconds':>8} {'cpu s':>8} {'peak MB':>8}")
    for case, (seconds, processor, peak) in times.items():
        print(f"{case:20} {seconds:8.2f} {processor:8.2f} {peak:8.0f}")
    for case in cases:
        if case not in peers:
            total, processor = (sum(times[peer][column] for peer in peers) for column in (0, 1))
            print(
                f"{case}: {times[case][0] / total:.2f} x the seconds, {times[case][1] / processor:.2f} x the "
                f"processor seconds of {' + '.join(peers)}",
                flush=True,
            )


def _child(work: Path, options: argparse.Namespace, case: str, table: str = "") -> str:
    command = [sys.executable, "-m", "tests.bench.bench_export", "--work", str(work), "--case", case]
    command += ["--table", table, "--rows", str(options.rows), "--files", str(options.files)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    main()
