"""The real DVC finds everything as if it had added the export itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mldata.sources import open_local
from tests.e2e.project import Project, tree_bytes
from tests.tracking.test_dvc import EACH, SPEC, cached, git

pytestmark = pytest.mark.slow
DRIVER = Path(__file__).with_name("dvcdriver.py")
_VERSION = "import sys, importlib.metadata as m; sys.exit(int(m.version('dvc').split('.')[0]) < 3)"


def interpreter() -> str | None:
    """One that has DVC 3: this one, or that of the program ``dvc``."""
    program = shutil.which("dvc")
    found = [sys.executable, *([str(Path(os.path.realpath(program)).with_name("python"))] if program else [])]
    for python in found:
        with_dvc = [python, "-c", _VERSION]
        if (
            os.path.exists(python)
            and subprocess.run(with_dvc, capture_output=True, check=False).returncode == 0
        ):
            return python
    return None


@dataclass(frozen=True)
class Peer:
    project: Project
    clone: Path
    remote: Path
    before: dict[str, bytes]
    """The export as mldata wrote it."""
    ours: str
    """The ``.dvc`` file as mldata wrote it."""
    each: dict[str, bytes]
    """An export of which each file is tracked, as mldata wrote it."""
    told: dict[str, Any]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """An export, and all that DVC was asked about it, in one process: it takes more than a second to start."""
    python = interpreter()
    if python is None or shutil.which("git") is None:
        pytest.skip("DVC 3 or git is not installed")
    root = tmp_path_factory.mktemp("dvc")
    place = {
        name: str(root / "dvc")
        for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR")
    }
    project = Project(root / "project")
    project.write("mldata.yaml", SPEC + EACH.partition("datasets:\n")[2].replace("  d:", "  e:"))
    project.write("data/ä b.csv", "x,y\n1,ä\n2,b\n")
    project.write(".gitignore", ".mldata/\n.doit*\n")
    project.write(
        ".dvc/config",
        "[core]\n    remote = store\n    analytics = false\n['remote \"store\"']\n    url = ../../remote\n",
    )
    project.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
    git(project.root, "init", "-q")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in place.items():
            patch.setenv(name, value)
        project.build()
    before, ours = project.files("artifacts/d"), (project / "artifacts/d.dvc").read_text()
    each = project.files("artifacts/e")
    git(project.root, "add", ".")
    git(project.root, "commit", "-qm", "one")
    clone = root / "clone"
    done = subprocess.run(
        [python, str(DRIVER), str(project.root), str(clone)],
        env={**os.environ, **place, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    yield Peer(project, clone, root / "remote", before, ours, each, json.loads(done.stdout.splitlines()[-1]))


def test_status_is_clean(peer: Peer) -> None:
    """``dvc status`` finds nothing to do after a build."""
    assert peer.told["status"] == {}


def test_push_takes_everything_at_once(peer: Peer) -> None:
    """``dvc push`` finds every object in the cache: three files and their list."""
    assert peer.told["pushed"] == 4
    there = {path.parent.name + path.name: path.read_bytes() for path in peer.remote.glob("files/md5/*/*")}
    assert there == {md5: path.read_bytes() for md5, path in cached(peer.project).items()}


def test_the_file_is_the_one_that_dvc_would_write(peer: Peer) -> None:
    """``dvc add`` of the same files gives the same hash, size, count and layout, and the same line for git."""
    assert peer.ours.startswith(peer.told["added"])
    assert peer.ours.removeprefix(peer.told["added"]).startswith("meta:\n  mldata:\n")
    assert (peer.project / "artifacts/.gitignore").read_text() == peer.told["gitignore"] == "/d\n"
    assert peer.told["ignored"] == [True]


def test_dvc_keeps_what_mldata_left_in_the_file(peer: Peer) -> None:
    """``dvc add`` of the export itself changes nothing, so that the next build still knows the file."""
    assert peer.told["kept"] == peer.ours


def test_what_dvc_added_is_a_source(peer: Peer) -> None:
    """A ``.dvc`` file that DVC itself wrote lists the files of its folder, with their bytes."""
    listing = open_local("again/d.dvc", peer.project.root).listing()
    assert {name: Path(path).read_bytes() for name, path, _ in listing} == peer.before


def test_checkout_brings_the_same_bytes_back(peer: Peer) -> None:
    """A folder that was removed comes back from the cache, and a build then has nothing to do but to look."""
    assert peer.told["missing"] and peer.told["checked out"] == {}
    assert peer.project.files("artifacts/d") == peer.before


def test_a_clone_pulls_the_same_bytes(peer: Peer) -> None:
    """Elsewhere, ``git clone`` and ``dvc pull`` give the export byte for byte."""
    assert peer.told["cloned"] == {}
    assert tree_bytes(peer.clone / "artifacts/d") == peer.before
    assert tree_bytes(peer.clone / "artifacts/e") == peer.each


def test_each_file_is_tracked_as_dvc_would(peer: Peer) -> None:
    """``dvc add FILE`` of the same files elsewhere gives the same outs and lines for git, and of our own changes nothing."""
    told = peer.told["each"]
    assert set(told["added"]) == {"data.csv.dvc", "data.jsonl.dvc"}
    for name, text in told["added"].items():
        assert peer.each[name].decode().removeprefix(text).startswith("meta:\n  mldata:\n")
    assert told["gitignore"] == peer.each[".gitignore"].decode()
    assert told["kept"] == {name: peer.each[name].decode() for name in told["added"]}
