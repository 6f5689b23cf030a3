"""``normalize: {exclude: ...}`` in a project: the build leaves files out, says so everywhere, and can be made again."""

from __future__ import annotations

import pytest
import yaml

from store import hash_file
from tests.e2e.project import Project
from tests.e2e.small import small_project


@pytest.fixture
def small(project: Project) -> Project:
    """A dataset of three files, the last of which cannot be read, excluded by its content."""
    made = small_project(project.root)
    made.write("data/2.csv", "x,y\n1,2,3\n")
    digest = hash_file(made / "data/2.csv").digest
    made.replace("mldata.yaml", "    split:", f"    normalize: {{exclude: {{2.csv: {digest}}}}}\n    split:")
    return made


def test_a_build_without(small: Project) -> None:
    """The manifest, the record and status tell of it; the build verifies, and a second one does nothing."""
    small.build()
    manifest = yaml.safe_load((small / "out/d/manifest.yaml").read_text())
    assert manifest["rows"] == 20 and manifest["sources"][0]["excluded"] == {".csv": 1}
    assert list(manifest["params"]["normalize"]["exclude"]) == ["2.csv"]
    assert "excluded 1: 1 .csv (2.csv)" in small.run("show", "d").out
    assert "excluded 1: 2.csv" in small.run("info", "d").out
    assert small.json("rebuild", "d", "--verify")["result"]["verified"] is True
    assert set(small.stages("d").values()) == {"up-to-date"}
    assert set(small.stages("d", "--locked").values()) == {"up-to-date"}


@pytest.mark.no_cover
def test_in_and_out(small: Project) -> None:
    """Status gives the reason in words; taking the file back runs what is about that file alone, and a mended one comes back by itself."""
    small.build()
    small.write("data/2.csv", "x,y\n7,a\n8,b\n")
    told = small.json("build")
    assert told["result"]["datasets"]["d"]["stages"]["normalize"]["rows"] == 22
    assert "another content" in " ".join(told["warnings"])
    spec = small / "mldata.yaml"
    spec.write_text("".join(line for line in spec.read_text().splitlines(True) if "exclude" not in line))
    status = small.json("status")["result"]["datasets"]["d"]["stages"]["normalize"]
    assert [reason["text"] for reason in status["reasons"]] == ["2.csv is no longer excluded"]
    stages = small.build()["d"]["stages"]
    assert stages["normalize"]["actions"]["run"] == 0 and stages["normalize"]["rows"] == 22


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[../a.csv]", "expected the path of a file, found '../a.csv'"),
        ("[a.csv, a.csv]", "given twice"),
        ("{a.csv: 12}", "BLAKE3"),
        ("{/a.csv: }", "expected the path of a file"),
        ("[[a]]", "expected text, found a list"),
    ],
)
def test_mistakes(project: Project, written: str, said: str) -> None:
    """A path that can be none, and a digest that is none, are refused with their line."""
    project.write(
        "mldata.yaml", f"version: 1\ndatasets:\n  d: {{source: x, normalize: {{exclude: {written}}}}}\n"
    )
    done = project.run("build", expect=3)
    assert "mldata.yaml:3:" in done.text and said in done.text
