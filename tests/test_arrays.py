"""Arrays from Python values, equal to Arrow's own, and no import of pandas in any usual build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from mldata.arrays import as_numpy, filled, null, number_array, text_array, text_scalar
from tests.e2e.project import Project, environment


def test_they_are_equal_to_arrows_own() -> None:
    """Of texts, numbers of any width, and nulls."""
    for words in ([], [""], ["a", "", "日本"]):
        assert text_array(words).equals(pa.array(words, pa.string()))
    assert text_scalar("ä").equals(pa.scalar("ä"))
    for kind in ("int8", "uint32", "int64", "float64", "bool"):
        values = np.array([1, 2, 100], kind)[::-1]
        made = number_array(values)
        made.validate(full=True)
        assert made.equals(pa.array(values))
    for array in (
        pa.array([True, False] * 9),
        pa.array(range(20), pa.int16()),
        pa.array([0.5] * 20),
        pa.array([], pa.int8()),
    ):
        for part in (array, array[3:], array[5:9]):
            assert as_numpy(part).tolist() == part.to_pylist()
    assert null(pa.bool_()).equals(pa.scalar(None, pa.bool_()))
    assert filled(pa.array([1, None, 3], pa.int8()), 300).tolist() == [1, 300, 3]


SPEC = """\
version: 1
datasets:
  forced: {source: data/*.csv, normalize: {types: {y: bool, x: int8, t: category}}, split: {train: 0.5, test: 0.5, stratify: y},
    export: {formats: [parquet, csv, jsonl, arrow], row_index: true}}
  hash: {source: data/*.csv, split: {train: 0.5, test: 0.5, method: hash}}
  group: {source: data/*.csv, split: {train: 0.5, test: 0.5, group: x}}
  time: {source: data/*.csv, split: {train: 0.5, test: 0.5, time: d}}
  column: {source: data/*.csv, split: {column: t}}
  folds: {source: data/*.csv, split: {folds: 2, stratify: y}}
  json: {source: data/*.jsonl, export: {}}
"""


def test_pandas_is_not_looked_for(tmp_path: Path) -> None:
    """Where it is installed, importing it takes longer than a small build."""
    project = Project(tmp_path)
    for number in range(2):
        rows = "".join(f"{row},{row % 2},2020-01-0{row},w{row}\n" for row in range(1, 9))
        project.write(f"data/{number}.csv", "x,y,d,t\n" + rows)
    project.write("data/a.jsonl", '{"a":1,"b":[1.5],"c":"x"}\n')
    project.write("mldata.yaml", SPEC)
    # Arrow passes over what the import raises, so the stub leaves a mark.
    mark = project / "imported"
    stub = project.write("installed/pandas.py", f"open({str(mark)!r}, 'w').close()\nraise ImportError").parent
    env = {"PYTHONPATH": os.pathsep.join([str(stub), environment()["PYTHONPATH"]])}
    project.spawn("build", "-q", "forced", "hash", "group", "time", "column", "folds", "json", env=env)
    assert not mark.exists()
    code = "import numpy, pyarrow; numpy.asarray(pyarrow.nulls(1))"
    subprocess.run([sys.executable, "-c", code], env=environment(env), check=True)
    assert mark.exists()  # else there is nothing to look for any more
