"""Whatever is damaged below .mldata is noticed and made again, or an error names it. It is never served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.damage import empty, flip, sneak, truncate
from tests.e2e.project import Project
from tests.e2e.small import small_project

pytestmark = pytest.mark.no_cover

DAMAGES: dict[str, Callable[[Path], None]] = {
    "flip": flip,
    "truncate": truncate,
    "empty": empty,
    "delete": Path.unlink,
    "sneak": sneak,
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small_project(tmp_path_factory.mktemp("reference") / "project", files=1)
    project.build()
    return project


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_file_of_the_state(damage: str, reference: Project, tmp_path: Path) -> None:
    """Damage each file alone: the build makes the right exports or names the file, and repair and a build put all right."""
    expected = reference.files("out")
    names = sorted(reference.files(".mldata"))
    assert any("objects/" in name for name in names)
    for turn, name in enumerate(names):
        if name.endswith(("CACHEDIR.TAG", "lock")) or "/leases/" in name or name.startswith("."):
            continue
        project = reference.copy(tmp_path / str(turn))
        path = project / ".mldata" / name
        before = path.read_bytes()
        DAMAGES[damage](path)
        project.write("data/2.csv", "x,y\n91,a\n92,b\n")  # so that the build has to read what it has
        done = project.run("build", expect=None)
        assert "Traceback" not in done.text, f"{damage} {name}"
        assert "internal error" not in done.text, f"{damage} {name}:\n{done.text}"
        if done.code != 0:
            assert path.name in done.text, f"{damage} {name}:\n{done.text}"
            if name.endswith("format"):  # the one file that nothing can stand in for
                _write_back(path, before)
        project.run("check", "--read-data", "--repair", expect=None)
        (project / "data/2.csv").unlink()
        project.run("build")
        assert project.files("out") == expected, f"{damage} {name}"
        told = project.json("check", "--read-data", expect=None)["result"]
        assert told["ok"], f"{damage} {name}: {told['findings']}"


def _write_back(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "sneak"])
def test_a_damaged_object_is_not_exported(damage: str, reference: Project, tmp_path: Path) -> None:
    """With every object damaged at once, an export that has to be written anew is right, or the build fails by name."""
    project = reference.copy(tmp_path / "project")
    for path in (project / ".mldata/store/objects").rglob("*"):
        if path.is_file():
            DAMAGES[damage](path)
    for path in (project / "out/d").iterdir():
        path.unlink()
    done = project.run("build", expect=None)
    assert "Traceback" not in done.text
    if done.code == 0:
        assert project.files("out") == reference.files("out")
    project.run("check", "--read-data", "--repair", expect=None)
    project.run("build")
    assert project.files("out") == reference.files("out")
