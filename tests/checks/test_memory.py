"""Checks of tables larger than the memory they may take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROWS, FRAGMENTS, TEXT = 8_000, 20, 500
TABLE = ROWS * FRAGMENTS * (TEXT + 40)
"""Bytes that the values of the table take: some 86 million."""
MOST = TABLE // 2
"""Bytes that all checks, one after the other, may take."""

CODE = f"""
import json, resource, sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldata.checks import base, equalrows, load_check
from mldata.checks.base import Sketch, Subject
from mldata.checks.declaring import Declaring
from mldata.spec import parse_dataset

base.BLOCK_ROWS, equalrows.GATHER_ROWS = 1 << 13, 1 << 15


WORDS = pc.utf8_rpad(pc.binary_join_element_wise("é", pa.array(range({ROWS})).cast(pa.string()), " "), {TEXT}, "x")


def fragment(number):
    random = np.random.default_rng(number)
    numbers = random.integers(0, 10**6, {ROWS})
    return pa.table({{"id": range(number * {ROWS}, (number + 1) * {ROWS}), "n": numbers, "x": random.normal(size={ROWS}), "text": WORDS,
                     "kind": random.choice(["a", "b"], {ROWS}), "label": random.choice(["u", "v", None], {ROWS})}})


class Parts:
    parts = ["train", "test"]

    def part_of(self, start, stop):
        return self.parts_at(np.arange(start, stop))

    def parts_at(self, rows):
        return (rows % 5 == 0).astype(np.uint8)

    def text(self, row, columns):
        return str(row)


def look(plan, folder):
    sketches = []
    for number in range({FRAGMENTS}):
        blobs = {{}}
        for place, blob in enumerate(plan.sketch(iter(fragment(number).select(list(plan.columns)).to_batches(4096)))):
            path = Path(folder, f"{{number}}-{{place}}")
            path.write_bytes(blob.data)
            blobs.setdefault(blob.kind, []).append(path)
        sketches.append(Sketch(number * {ROWS}, {ROWS}, blobs))
    return plan.merge(sketches, Parts())


params = parse_dataset("d", {{"source": "x", "validate": {{}}}})["validate"]
params["labels"]["inputs"] = ["n", "kind"]
total = {ROWS} * {FRAGMENTS}
subject = Subject("tabular", fragment(0).schema, total, {{"train": total - total // 5, "test": total // 5}})
fragment(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
told = {{}}
for name in json.loads(sys.argv[1]):
    plan = Declaring(subject.schema) if name == "declaring" else load_check(name).plan(params[name], subject)
    with TemporaryDirectory(dir=sys.argv[2]) as folder:
        found = look(plan, folder)
    told[name] = sorted(found["id"] if name == "declaring" else {{it.code for it in plan.judge(found)}})
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(json.dumps(told))
assert grown <= {MOST}, f"{{grown:,}} bytes of {MOST:,}"
"""

FOUND = {
    "labels": ["conflicting-labels", "missing-label"],
    "outliers": [],
    "missing": [],
    "schema": [],
    "declaring": ["nullable", "type", "unique"],
}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted in other units")
def test_memory_is_bounded(tmp_path: Path) -> None:
    """A table twice as large as what checks may take is checked by each, and what is in it found."""
    words = [sys.executable, "-c", CODE, json.dumps([*FOUND]), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == FOUND
