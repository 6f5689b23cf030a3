"""The store against the system's own tools, side by side in one run. Prints a table; asserts nothing.

    python tests/bench/bench_store.py [--files 50000] [--big 2048] [--rounds 3] [--scratch DIR] [--only NAME ...]

Each row takes turns with its peer, both end in a sync, and shows the medians and the median of the ratios round by round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from store import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000, help="small files of 4 KiB")
    parser.add_argument("--big", type=int, default=2048, help="MiB of the one large file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", default=None, help="folder on the disk to measure")
    parser.add_argument("--only", nargs="*", choices=sorted(BENCHES), default=sorted(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="bench-store-") as folder:
        print(f"{'what':<44}{'peer s':>9}{'store s':>9}{'ratio':>8}   rounds (peer/store)")
        for name in options.only:
            place = Path(folder) / name
            place.mkdir()
            BENCHES[name](place, options)
            run("rm", "-rf", place)


def compare(what: str, rounds: int, peer: Callable[[int], None], ours: Callable[[int], None]) -> None:
    """Take turns, the one to begin alternating; print one row.

    Nothing is removed between rounds: ext4 will not give out inodes again that were freed in the last minutes, and searching for others
    makes whoever creates files next pay for it.
    """
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        pair = {}
        for who in (peer, ours) if number % 2 == 0 else (ours, peer):
            os.sync()
            start = time.perf_counter()
            who(number)
            pair[who] = time.perf_counter() - start
        times.append((pair[peer], pair[ours]))
    ratio = statistics.median(b / a for a, b in times)
    each = "  ".join(f"{a:.2f}/{b:.2f}" for a, b in times)
    left, right = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{what:<44}{left:>9.2f}{right:>9.2f}{ratio:>8.2f}   {each}", flush=True)


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True)


def make_small(folder: Path, count: int) -> None:
    """``count`` files of 4 KiB, all different, in one folder for each thousand."""
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03d}").mkdir(parents=True)
        (folder / f"{number // 1000:03d}" / f"{number:06d}.bin").write_bytes(os.urandom(4096))


def ingest_small(place: Path, options: argparse.Namespace) -> None:
    make_small(place / "source", options.files)

    def peer(number: int) -> None:
        run("cp", "-r", place / "source", place / f"copy{number}")
        os.sync()

    def ours(number: int) -> None:
        with Store.open(place / f"store{number}") as store:
            store.ingest(place / "source")
        os.sync()

    compare(f"ingest {options.files} x 4 KiB / cp -r + sync", options.rounds, peer, ours)  # fmt: skip


def ingest_again(place: Path, options: argparse.Namespace) -> None:
    make_small(place / "source", options.files)
    with Store.open(place / "store") as store:
        store.ingest(place / "source")

        def peer(number: int) -> None:
            with open("/dev/null", "wb") as nowhere:
                subprocess.run(
                    ["find", place / "source", "-type", "f", "-exec", "cat", "{}", "+"],
                    stdout=nowhere,
                    check=True,
                )

        compare(f"ingest {options.files} known files / cat them", options.rounds, peer,
                lambda _: void(store.ingest(place / "source")))  # fmt: skip


def ingest_big(place: Path, options: argparse.Namespace) -> None:
    source = place / "big"
    with open(source, "wb") as file:
        for _ in range(options.big):
            file.write(os.urandom(1 << 20))

    def peer(number: int) -> None:
        run("cp", source, place / f"copy{number}")
        fd = os.open(place / f"copy{number}", os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)

    def ours(number: int) -> None:
        with Store.open(place / f"store{number}") as store:
            store.put_file(source)

    compare(f"put a file of {options.big} MiB / cp + fsync", options.rounds, peer, ours)  # fmt: skip


def materialize(place: Path, options: argparse.Namespace) -> None:
    make_small(place / "source", options.files)
    with Store.open(place / "store") as store:
        tree = store.ingest(place / "source").digest

        def peer(number: int) -> None:
            run("cp", "-rl", place / "source", place / f"copy{number}")

        compare(f"hardlink {options.files} files / cp -rl", options.rounds, peer,
                lambda number: void(store.materialize(tree, place / f"out{number}", link="hardlink")))  # fmt: skip


def materialize_copy(place: Path, options: argparse.Namespace) -> None:
    make_small(place / "source", options.files)
    with Store.open(place / "store") as store:
        tree = store.ingest(place / "source").digest

        def peer(number: int) -> None:
            run("cp", "-r", place / "source", place / "copy")
            os.sync()

        compare(f"copy out {options.files} files / cp -r + sync", options.rounds, peer,
                lambda number: void(store.materialize(tree, place / f"out{number}", link="copy")))  # fmt: skip


def verify(place: Path, options: argparse.Namespace) -> None:
    make_small(place / "source", options.files)
    with Store.open(place / "store") as store:
        tree = store.ingest(place / "source").digest
        store.materialize(tree, place / "out", link="hardlink")

        def peer(number: int) -> None:
            subprocess.run(["find", place / "out", "-newermt", "2100-01-01"], check=True)

        compare(f"verify an export of {options.files} / find", options.rounds, peer,
                lambda _: void(store.verify_export(tree, place / "out")))  # fmt: skip


def void(value: object) -> None:
    del value


BENCHES = {
    "ingest-small": ingest_small,
    "ingest-again": ingest_again,
    "ingest-big": ingest_big,
    "materialize": materialize,
    "materialize-copy": materialize_copy,
    "verify": verify,
}

if __name__ == "__main__":
    sys.exit(main())
