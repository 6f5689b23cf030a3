"""Tracking an export of many small files with DVC, against a stat walk of it and against `dvc add` where DVC 3 is installed.

    python tests/bench/bench_dvc.py [--files 50000] [--rounds 3] [--scratch DIR] [--dvc]

The files are in the store with their MD5s known, as a build leaves them. Prints a table; asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from mldata.tracking.base import Place, Published
from mldata.tracking.dvc import Dvc
from store import ObjectId, Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000, help="small files of 4 KiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--dvc", action="store_true", help="run `dvc add` too, which takes a while")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-dvc-") as folder:
        root = Path(folder)
        (root / ".dvc").mkdir()
        make_small(root / "source", options.files)
        with Store.open(root / "store") as store:
            tree = store.ingest(root / "source", hashes=("md5",))
            store.materialize(tree, root / "out", link="hardlink")
            published = Published(Place(root / "out", {"require": False}), store, tree.digest)
            os.sync()
            walks = [timed(lambda: stat_walk(root / "out")) for _ in range(options.rounds)]
            walk = statistics.median(walks)
            show("stat walk", walk, walk)
            first = []
            for _ in range(options.rounds):
                shutil.rmtree(root / ".dvc/cache", ignore_errors=True)
                (root / "out.dvc").unlink(missing_ok=True)
                os.sync()
                first.append(timed(lambda: Dvc().track(published)))
            show("track, cache empty", statistics.median(first), walk)
            again = [timed(lambda: Dvc().track(published)) for _ in range(options.rounds)]
            show("track, cache full", statistics.median(again), walk)
            place = published.place
            looks = [timed(lambda: Dvc().lacking(place, store, tree.digest)) for _ in range(options.rounds)]
            show("look whether there is anything to do", statistics.median(looks), walk)
            ids = [(f"{d[:2]}/{d[2:]}", ObjectId(d, e.size)) for _, e in store.walk(tree) for d in [e.digest]]
            shutil.rmtree(root / ".dvc/cache")
            show("of it, the links", timed(lambda: store.hand_over(ids, root / "links")), walk)
        if options.dvc:
            peer(root, walk)


def peer(root: Path, walk: float) -> None:
    """``dvc add`` of the same files in a repository of its own, by hardlink and by copy."""
    for kind in ("hardlink", "copy"):
        place = root / f"peer-{kind}"
        place.mkdir()
        env = {**os.environ, "DVC_SITE_CACHE_DIR": str(root / f"site-{kind}"), "DVC_NO_ANALYTICS": "1"}
        for words in (("init", "-q", "--no-scm"), ("config", "cache.type", kind)):
            subprocess.run(["dvc", *words], cwd=place, env=env, check=True)
        shutil.copytree(root / "source", place / "out")
        os.sync()

        def add(place: Path = place, env: dict[str, str] = env) -> None:
            subprocess.run(["dvc", "add", "-q", "out"], cwd=place, env=env, check=True)

        show(f"dvc add, {kind}", timed(add), walk)


def timed(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show(what: str, seconds: float, walk: float) -> None:
    print(f"{what:<40}{seconds:>9.3f} s{seconds / walk:>8.2f} x walk", flush=True)


def stat_walk(folder: Path) -> int:
    """Look at every file once."""
    count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            os.stat(os.path.join(place, name))
            count += 1
    return count


def make_small(folder: Path, count: int) -> None:
    """``count`` files of 4 KiB, all different, in one folder for each thousand."""
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03d}").mkdir(parents=True)
        (folder / f"{number // 1000:03d}" / f"{number:06d}.bin").write_bytes(os.urandom(4096))


if __name__ == "__main__":
    main()
