"""Checking files: photographs beside Pillow's own full decode, and files that are known beside a stat walk. Prints a table; asserts nothing.

    python tests/bench/bench_validate.py [--photographs 2000] [--files 50000] [--rounds 5] [--jobs N] [--scratch DIR] [--only NAME ...]

Both take turns, the one to begin alternating; shown are the medians, and the median of the ratios round by round. Photographs are 512 x 512 JPEGs of gradients and noise, 50 to
80 KB each, and in the page cache. Pillow's peer decodes every pixel in as many spawned processes, start-up included on both sides; cleanvision and ImageMagick's
``identify`` take part where they are installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mldata.integrity.checking import Checking, Options, Target
from mldata.integrity.memo import Memo
from mldata.integrity.walk import walk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=2000)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--only", nargs="*", choices=sorted(BENCHES), default=sorted(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-validate-") as folder:
        print(f"{'what':<52}{'peer s':>9}{'mldata s':>10}{'ratio':>8}   rounds (peer/mldata)")
        for name in options.only:
            place = Path(folder) / name
            place.mkdir()
            BENCHES[name](place, options)
            shutil.rmtree(place)


def compare(what: str, rounds: int, peer: Callable[[], object], ours: Callable[[], object]) -> None:
    """Take turns; print one row."""
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        pair = {}
        for who in (peer, ours) if number % 2 == 0 else (ours, peer):
            start = time.perf_counter()
            who()
            pair[who] = time.perf_counter() - start
        times.append((pair[peer], pair[ours]))
    ratio = statistics.median(b / a for a, b in times)
    each = "  ".join(f"{a:.2f}/{b:.2f}" for a, b in times)
    left, right = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{what:<52}{left:>9.2f}{right:>10.2f}{ratio:>8.2f}   {each}", flush=True)


def check(folder: Path, jobs: int, memo: Path | None = None) -> None:
    """Look at every file, and insist that all are valid."""
    with Checking(Options(jobs=jobs), Memo(memo) if memo is not None else None) as checking:
        for result in checking.run(target for target in walk(folder) if isinstance(target, Target)):
            if result.verdict != "valid":
                raise SystemExit(f"{result.path}: {result.verdict}: {result.error}")


def photographs(place: Path, options: argparse.Namespace) -> None:
    make_photographs(place, options.photographs)
    what = f"{options.photographs} photographs, {options.jobs} processes"

    def ours() -> None:
        check(place, options.jobs)

    compare(f"{what} / Pillow, full decode", options.rounds, lambda: pillow(place, options.jobs), ours)
    if shutil.which("identify"):
        command = f"find {place} -type f -print0 | xargs -0 -P {options.jobs} -n 50 identify -regard-warnings > /dev/null"
        compare(f"{what} / identify", 1, lambda: subprocess.run(command, shell=True), ours)
    if importlib.util.find_spec("cleanvision"):
        code = f"from cleanvision import Imagelab; Imagelab(data_path={str(place)!r}).find_issues(n_jobs={options.jobs})"
        compare(f"{what} / cleanvision", 1, lambda: subprocess.run([sys.executable, "-c", code]), ours)


def make_photographs(place: Path, count: int) -> None:
    """The same for the same count."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(5)
    y, x = np.mgrid[0:512, 0:512]
    for number in range(count):
        picture = np.stack([x * (1 + number % 7) + y, y * 2 + number, (x + y) / 4], -1) % 256 / 2 + 60
        noisy = picture + random.normal(0, 11, picture.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(place / f"{number:05d}.jpg", quality=82)


def pillow(place: Path, jobs: int) -> None:
    """Decode every pixel, in processes of a fresh interpreter each."""
    from multiprocessing import get_context

    paths = [entry.path for entry in os.scandir(place)]
    with get_context("spawn").Pool(jobs) as pool:
        pool.map(decode, paths, chunksize=32)


def decode(path: str) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.load()


def known(place: Path, options: argparse.Namespace) -> None:
    data, memo = place / "data", place / "memo.sqlite"
    make_small(data, options.files)
    check(data, options.jobs, memo)
    compare(f"{options.files} known files / stat walk", options.rounds, lambda: stat_walk(str(data)),
            lambda: check(data, options.jobs, memo))  # fmt: skip


def make_small(place: Path, count: int) -> None:
    """Small JSON files, all different, a thousand a folder."""
    for number in range(count):
        if number % 1000 == 0:
            (place / f"{number // 1000:03d}").mkdir(parents=True)
        (place / f"{number // 1000:03d}" / f"{number:06d}.json").write_text(f'{{"number": {number}}}')


def stat_walk(folder: str) -> None:
    stack = [folder]
    while stack:
        with os.scandir(stack.pop()) as listing:
            for entry in listing:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)


BENCHES = {"photographs": photographs, "known": known}

if __name__ == "__main__":
    main()
