"""The local OpenML is taken for the real one by its own client, and by scikit-learn."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import environment
from tests.servers.openml import Column, Openml, Table

ARFF = b"""@relation iris
@attribute petal numeric
@attribute class {setosa,virginica}
@data
1.4,setosa
?,virginica
5.1,virginica
"""
COLUMNS = (Column("petal", missing=1), Column("class", "nominal", ("setosa", "virginica")))


def parquet() -> bytes:
    made = io.BytesIO()
    classes = pa.array(["setosa", "virginica", "virginica"]).dictionary_encode()
    pq.write_table(pa.table({"petal": pa.array([1.4, None, 5.1]), "class": classes}), made)
    return made.getvalue()


@pytest.fixture
def server() -> Iterator[Openml]:
    with Openml() as server:
        server.keys.add("sesame")
        server.add(Table(61, "iris", ARFF, parquet(), columns=COLUMNS, rows=3, classes=2, target="class"))
        server.add(Table(969, "iris", ARFF, version=3, columns=COLUMNS, rows=3, classes=2, target="class"))
        server.add(Table(70, "mine", ARFF, columns=COLUMNS, rows=3, target="class", key="sesame"))
        yield server


def run(server: Openml, folder: Path, code: str) -> str:
    """What a client prints that is at home in ``folder``."""
    settings = folder / "openml" / "config"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f"server = {server.url}/api/v1/xml\napikey = sesame\ncachedir = {folder / 'cache'}\n")
    env = {**environment(), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(find_spec("openml") is None, reason="openml is not installed")
def test_its_client_works_with_it(server: Openml, tmp_path: Path) -> None:
    """It lists, finds by name, downloads Parquet and ARFF against its MD5, and sees what is private with its key alone."""
    code = """
import openml
def read(which):
    found = openml.datasets.get_dataset(which, download_data=True, download_qualities=True, download_features_meta_data=True)
    table, *_ = found.get_data()
    print(found.id, found.default_target_attribute, found.features[1].nominal_values, int(found.qualities["NumberOfInstances"]),
          table["class"].tolist(), found.parquet_file is not None)
print(sorted(openml.datasets.list_datasets(output_format="dataframe")["did"]))
read("iris"); read(969); read(70)
"""
    told = run(server, tmp_path, code).splitlines()
    values = "class ['setosa', 'virginica'] 3 ['setosa', 'virginica', 'virginica']"
    assert told == ["[61, 70, 969]", f"61 {values} True", f"969 {values} False", f"70 {values} False"]
    assert all("api_key" not in asked.path for asked in server.steering.asked if not asked.own)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_scikit_learn_works_with_it(server: Openml, tmp_path: Path) -> None:
    """It reads the same answers in JSON that mldata reads."""
    code = f"""
import sklearn.datasets._openml as it
for name, value in list(vars(it).items()):  # the address is built in
    if isinstance(value, str) and value.startswith("https://www.openml.org/api"):
        setattr(it, name, value.replace("https://www.openml.org", {server.url!r}))
found = it.fetch_openml(data_id=61, as_frame=True, cache=False, parser="pandas")
print(found.target.tolist(), found.frame["petal"].isna().sum())
print(it.fetch_openml("iris", version=3, as_frame=True, cache=False, parser="pandas").details["id"])
"""
    assert run(server, tmp_path, code).splitlines() == ["['setosa', 'virginica', 'virginica'] 1", "969"]
