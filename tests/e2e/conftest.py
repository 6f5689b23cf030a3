"""Projects in temporary folders, driven by the command line as a user drives them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import EXAMPLES, Project, copy_examples


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project folder."""
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


@pytest.fixture(scope="session")
def built_examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The example datasets, built once. Tests only look; ``examples`` is for those that change something."""
    assert EXAMPLES.is_dir()
    project = Project(copy_examples(tmp_path_factory.mktemp("examples") / "project"))
    project.build()
    yield project


@pytest.fixture
def examples(built_examples: Project, tmp_path: Path) -> Project:
    """A built copy of the example datasets that a test may change."""
    return built_examples.copy(tmp_path / "examples")


@pytest.fixture
def plain(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with data and without a spec; the user's cache is beside it."""
    for number in range(3):
        rows = "".join(f"{number * 10 + row},{'ab'[row % 2]}\n" for row in range(10))
        project.write(f"data/{number}.csv", "x,y\n" + rows)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "cache"))
    return project
