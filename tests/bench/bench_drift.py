"""Drift: files beside Evidently, cached summaries, and PSI of summaries beside that of all values. Prints tables; asserts nothing.

    python tests/bench/bench_drift.py [--rows 500000] [--cached 10000000] [--exact 2000000] [--rounds 3] [--evidently PYTHON] [--scratch DIR] [--only NAME ...]

``files``: whole processes take turns, each from two Parquet files of ten mixed columns to a report; mldata with an empty store. Evidently has no wheel that goes well with
every other package: ``--evidently`` names a Python that has it. ``cached``: two builds that were compared before. ``exact``: numbers of some distributions, by
:func:`exact_psi` on arrays of all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
EVIDENTLY = """\
import sys, pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
baseline, current = (pd.read_parquet(path) for path in sys.argv[1:3])
Report([DataDriftPreset(method="psi")]).run(current, baseline).save_json(sys.argv[3])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--cached", type=int, default=10_000_000)
    parser.add_argument("--exact", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--evidently", default=None, help="a Python that has it")
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--only", nargs="*", choices=list(BENCHES), default=list(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-drift-") as folder:
        for name in options.only:
            place = Path(folder) / name
            place.mkdir()
            BENCHES[name](place, options)
            shutil.rmtree(place)


class Run(NamedTuple):
    """A process that has ended."""

    seconds: float
    busy: float
    """Seconds of processors."""
    size: float
    """The most that was resident, in MB."""


def make(path: Path, rows: int, seed: int, shift: float) -> None:
    """Write a file, in a process of its own: what is resident in this one would be counted for those that it starts."""
    maker = get_context("spawn").Process(target=write, args=(path, rows, seed, shift))
    maker.start()
    maker.join()
    assert maker.exitcode == 0


def write(path: Path, rows: int, seed: int, shift: float) -> None:
    import pyarrow.parquet as pq

    pq.write_table(mixed(rows, seed, shift), path)


def mixed(rows: int, seed: int, shift: float) -> pa.Table:
    """Ten columns: floats, integers, categories, booleans, times, texts, some missing."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(seed)
    words = np.array([f"word{number}" for number in range(5000)])
    cities = np.array([f"city {number}" for number in range(50)])
    weights = 1 / np.arange(1, 51) ** (1 + shift)
    day = 86_400_000_000
    return pa.table(
        {
            "normal": random.normal(shift, 1, rows),
            "amount": random.lognormal(3, 1 + shift / 5, rows),
            "share": pa.array(random.random(rows), mask=random.random(rows) < 0.02 + shift / 10),
            "id": np.arange(rows),
            "age": random.integers(18, 90, rows),
            "clicks": random.poisson(3 + shift, rows),
            "city": cities[random.choice(50, rows, p=weights / weights.sum())],
            "member": random.random(rows) < 0.3 + shift / 5,
            "at": pa.array(random.integers(0, 365 * day, rows) + int(shift * 30) * day, pa.timestamp("us")),
            "name": words[random.integers(0, 5000, rows)],
        }
    )


def measured(command: list[str], env: dict[str, str] | None = None) -> Run:
    """Run a process that has to succeed."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - begun
    if status:
        raise SystemExit(said.decode())
    return Run(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def drift(words: list[str], cache: Path, *, folder: Path) -> Run:
    """``mldata drift`` as a process."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}
    return measured([sys.executable, "-m", "mldata", "-C", str(folder), "-q", "drift", *words], env)


def files(place: Path, options: argparse.Namespace) -> None:
    paths = [str(place / name) for name in ("baseline.parquet", "current.parquet")]
    for number, path in enumerate(paths):
        make(Path(path), options.rows, number, 0.3 * number)
    found: dict[str, list[Run]] = {"mldata": [], "mldata, read before": [], "Evidently": []}
    for number in range(options.rounds):
        cache = place / f"cache{number}"
        found["mldata"].append(drift(paths, cache, folder=place))
        found["mldata, read before"].append(drift(paths, cache, folder=place))
        if options.evidently:
            report = str(place / "evidently.json")
            found["Evidently"].append(measured([options.evidently, "-c", EVIDENTLY, *paths, report]))
    print(
        f"2 x {options.rows:,} rows x 10 columns of Parquet files, whole processes, {options.rounds} rounds"
    )
    for who, told in found.items():
        if told:
            ratio = statistics.median(
                it.seconds / mine.seconds for it, mine in zip(told, found["mldata"], strict=True)
            )
            print(f"  {who:<20}{shown(told)}{ratio:>8.2f} x", flush=True)


def shown(runs: list[Run]) -> str:
    """Medians of some runs."""
    seconds, busy, size = (statistics.median(column) for column in zip(*runs, strict=True))
    return f"{seconds:>8.2f} s ({busy:.2f} s of processors){size:>8.0f} MB"


def cached(place: Path, options: argparse.Namespace) -> None:
    spec = "version: 1\ndatasets:\n  d: {source: data/*.parquet}\n"
    (place / "mldata.yaml").write_text(spec)
    (place / "data").mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for number in range(10):
        make(place / "data" / f"{number}.parquet", options.cached // 10, number, 0)
    build = [sys.executable, "-m", "mldata", "-C", str(place), "-q", "build"]
    measured(build, env)
    make(place / "data" / "3.parquet", options.cached // 10, 99, 1)
    measured(build, env)
    words = ["d@1", "d@2"]
    first = drift(words, place / "cache", folder=place)
    again = [drift(words, place / "cache", folder=place) for _ in range(options.rounds * 2)]
    idle = [measured([sys.executable, "-c", "import numpy"]) for _ in range(options.rounds * 2)]
    print(f"Two builds of {options.cached:,} rows x 10 columns, a tenth of them edited, whole processes")
    print(f"  first time          {shown([first])}")
    print(f"  read before         {shown(again)}")
    print(f"  import numpy alone  {shown(idle)}")


def exact_psi(before: NDArray[np.float64], after: NDArray[np.float64], bins: int = 10) -> float:
    """PSI of arrays, in bins of the baseline's quantiles as numpy has them; no value may be as frequent as a bin."""
    import numpy as np

    cuts = np.quantile(before, np.arange(1, bins) / bins)
    places = [np.searchsorted(cuts, side, side="left") for side in (before, after)]
    shares = [np.maximum(np.bincount(it, minlength=bins) / len(it), 1e-4) for it in places]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def exact(place: Path, options: argparse.Namespace) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, random = options.exact, np.random.default_rng(11)
    pairs = {
        "normal, as before": (random.normal(size=rows), random.normal(size=rows)),
        "normal, mean + 0.1": (random.normal(size=rows), random.normal(0.1, 1, rows)),
        "normal, mean + 0.5": (random.normal(size=rows), random.normal(0.5, 1, rows)),
        "normal, std x 1.5": (random.normal(size=rows), random.normal(0, 1.5, rows)),
        "lognormal, x 1.2": (random.lognormal(3, 1, rows), 1.2 * random.lognormal(3, 1, rows)),
        "uniform, upper half": (random.random(rows), random.random(rows) / 2 + 0.5),
        "two humps, one grows": (
            np.concatenate([random.normal(0, 1, rows // 2), random.normal(9, 1, rows // 2)]),
            np.concatenate([random.normal(0, 1, rows // 4), random.normal(9, 1, rows // 4 * 3)]),
        ),
    }
    paths = [str(place / name) for name in ("baseline.parquet", "current.parquet")]
    for side, path in enumerate(paths):
        pq.write_table(pa.table({name: pair[side] for name, pair in pairs.items()}), path)
    report = place / "drift.json"
    drift([*paths, "-o", str(report)], place / "cache", folder=place)
    columns = json.loads(report.read_bytes())["columns"]
    print(f"PSI of {rows:,} numbers a side")
    print(f"  {'':<24}{'all values':>12}{'summaries':>12}{'difference':>12}")
    for name, pair in pairs.items():
        true, found = exact_psi(*pair), columns[name]["psi"]
        print(f"  {name:<24}{true:>12.6f}{found:>12.6f}{found - true:>12.1e}")


BENCHES = {"files": files, "cached": cached, "exact": exact}

if __name__ == "__main__":
    main()
