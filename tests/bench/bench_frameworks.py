"""Generated loaders beside loops written by hand for the same table: rows a second, peak memory.

Run with ``python -m tests.bench.bench_frameworks [--rows 500000] [--work FOLDER] [--only jax]``. Each line runs in a process of its own, so
that peaks are its own. A loop by hand knows the table's three kinds of columns (numbers with gaps, a category, text) and does the same with
them as the loader beside it. Imports are not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NUMBERS = [f"n{number}" for number in range(6)]
BATCH = 256


def make_export(work: Path, rows: int) -> Path:
    """An export for all frameworks of ``rows`` rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mldata.cli import main

    random = np.random.default_rng(0)
    gaps = random.random(rows) < 0.05
    columns: dict[str, Any] = {name: pa.array(random.normal(size=rows), mask=gaps) for name in NUMBERS}
    words = pa.array(["alpha", "beta", "gamma"])
    columns["label"] = words.take(pa.array(random.integers(0, 3, rows)))
    columns["text"] = pa.array([f"row {row} of {rows}" for row in range(rows)])
    pq.write_table(pa.table(columns), work / "rows.parquet")
    (work / "mldata.yaml").write_text(
        "version: 1\ndatasets:\n  rows:\n    source: rows.parquet\n"
        "    export: {formats: [parquet, tfrecord, huggingface], framework: [pytorch, jax, sklearn, tensorflow, huggingface]}\n"
    )
    if main(["-C", str(work), "build", "-q"]) != 0:
        raise SystemExit("the build failed")
    return work / "artifacts" / "rows"


def generated(folder: Path, framework: str) -> Any:
    """The module of a framework."""
    spec = importlib.util.spec_from_file_location("generated", folder / f"dataset_{framework}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generated"] = module
    spec.loader.exec_module(module)
    return module


def columns_by_hand(folder: Path) -> dict[str, Any]:
    """Numbers and index of the class as NumPy arrays, text as a list."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "data.parquet")
    columns: dict[str, Any] = {name: table[name].to_numpy() for name in NUMBERS}
    codes = table["label"].combine_chunks().dictionary_encode()
    columns["label"] = codes.indices.to_numpy()
    columns["text"] = table["text"].to_pylist()
    return columns


def torch_by_hand(folder: Path) -> Iterator[int]:
    import torch

    columns = columns_by_hand(folder)
    for start in range(0, len(columns["text"]), BATCH):
        batch = {name: values[start : start + BATCH] for name, values in columns.items()}
        made = {name: torch.tensor(values) for name, values in batch.items() if name != "text"}
        yield len(made["label"])


def jax_by_hand(folder: Path) -> Iterator[int]:
    import jax.numpy as jnp

    columns = columns_by_hand(folder)
    for start in range(0, len(columns["text"]), BATCH):
        batch = {name: values[start : start + BATCH] for name, values in columns.items()}
        made = {name: jnp.asarray(values) for name, values in batch.items() if name != "text"}
        yield len(made["label"])


def sklearn_by_hand(folder: Path) -> Iterator[int]:
    import pandas as pd

    frame = pd.read_parquet(folder / "data.parquet")
    frame["label"] = frame["label"].astype("category").cat.codes
    yield len(frame)


def tensorflow_by_hand(folder: Path) -> Iterator[int]:
    import tensorflow as tf

    spec = {name: tf.io.FixedLenFeature([], tf.float32, float("nan")) for name in NUMBERS}
    spec |= {name: tf.io.FixedLenFeature([], tf.string) for name in ("label", "text")}
    data = tf.data.TFRecordDataset([str(folder / "data.tfrecord")]).batch(BATCH)
    for batch in data.map(lambda it: tf.io.parse_example(it, spec), tf.data.AUTOTUNE).prefetch(
        tf.data.AUTOTUNE
    ):
        yield len(batch["label"])


def huggingface_by_hand(folder: Path) -> Iterator[int]:
    from datasets import load_from_disk

    for batch in load_from_disk(str(folder))["train"].iter(BATCH):
        yield len(batch["text"])


WAYS: dict[str, tuple[Callable[[Any], Iterator[int]], Callable[[Path], Iterator[int]]]] = {
    "pytorch": (
        lambda it: (len(batch["label"]) for batch in it.make_loader("data", BATCH)),
        torch_by_hand,
    ),
    "jax": (lambda it: (len(batch["label"]) for batch in it.batches("data", BATCH)), jax_by_hand),
    "sklearn": (lambda it: (len(it.load("data")[0]) for _ in range(1)), sklearn_by_hand),
    "tensorflow": (
        lambda it: (len(batch["label"]) for batch in it.make_dataset("data", BATCH)),
        tensorflow_by_hand,
    ),
    "huggingface": (
        lambda it: (len(batch["text"]) for batch in it.load_part("data", streaming=False).iter(BATCH)),
        huggingface_by_hand,
    ),
}
IMPORTED = {"pytorch": "torch", "huggingface": "datasets", "sklearn": "pandas"}


def run(folder: Path, framework: str, how: str) -> None:
    """Iterate once, and print rows, seconds, and peak memory in bytes before and after."""
    loader, by_hand = WAYS[framework]
    __import__(IMPORTED.get(framework, framework))
    rows = loader(generated(folder, framework)) if how == "loader" else by_hand(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    count = sum(rows)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(count, seconds, (peak - before) * 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", choices=sorted(WAYS))
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        run(Path(args.run[0]), *args.run[1:])
        return
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        folder = make_export(Path(work), args.rows)
        for framework in WAYS if args.only is None else [args.only]:
            told = {}
            for how in ("loader", "by hand"):
                command = [sys.executable, "-m", "tests.bench.bench_frameworks", "--run", str(folder)]
                out = subprocess.run([*command, framework, how], check=True, capture_output=True, text=True)
                rows, seconds, peak = (float(it) for it in out.stdout.split()[-3:])
                told[how] = seconds
                print(
                    f"{framework:12} {how:8} {rows / seconds:12,.0f} rows/s {seconds:7.2f} s {peak / 2**20:7.0f} MiB"
                )
            print(f"{framework:12} {'ratio':8} {told['loader'] / told['by hand']:12.2f}", flush=True)


if __name__ == "__main__":
    main()
