"""Text that is no UTF-8 in a file that is built, as a user meets it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from tests.e2e.project import Project

SPEC = """\
version: 1
datasets:
  d:
    source: a.parquet
    normalize: {NORMALIZE}
    export: {to: out, formats: [parquet, jsonl]}
"""


def test_no_export_is_made_of_it(project: Project) -> None:
    """A build names file, column and row and leaves no export; with the type that it names, the bytes are kept."""
    values = [b"a", b"\xff\xfe\xe9"]
    column = pa.array(values, pa.binary()).view(pa.string())
    pq.write_table(pa.table({"n": [1, 2], "t": column}), project / "a.parquet")
    project.write("mldata.yaml", SPEC.replace("{NORMALIZE}", "{}"))
    told = project.run("build", expect=1).err
    assert "a.parquet: expected UTF-8 in column 't', found other bytes in row 1" in told
    assert "`normalize: {types: {t: binary}}`" in told
    assert not (project / "out").exists()
    project.write("mldata.yaml", SPEC.replace("{NORMALIZE}", "{types: {t: binary}}"))
    project.build()
    [made] = (project / "out").glob("*.parquet")
    assert pq.read_table(made)["t"].to_pylist() == values
