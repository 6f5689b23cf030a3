"""The local Kaggle is taken for the real one by Kaggle's own clients."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.project import environment
from tests.servers.kaggle import Kaggle

FILES = {"penguins.csv": b"mass\n3750\n" * 20_000, "notes/read.me": b"measured\n"}
REF = "ada/palmer-penguins"
AT_HOME = """
import sys
import kagglesdk.kaggle_env as env
env._env_to_endpoint[env.KaggleEnv.PROD] = {url!r} + "/api"
"""
"""Both clients have the address of the service built in."""


@pytest.fixture
def server() -> Iterator[Kaggle]:
    with Kaggle() as server:
        server.tokens.add("sesame")
        server.add(REF, {**FILES, "notes/read.me": b"old\n"}, FILES)
        yield server


def run(server: Kaggle, folder: Path, code: str, **variables: str) -> str:
    """What a client prints that is at home in ``folder``."""
    code = AT_HOME.format(url=server.url) + code
    env = {**environment(), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cli(*args: str) -> str:
    return f"sys.argv = ['kaggle', *{args!r}]\nfrom kaggle.cli import main\nmain()\n"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("kagglehub") is None, reason="kagglehub is not installed")
def test_kagglehub_downloads_from_it(server: Kaggle, tmp_path: Path) -> None:
    """It takes the newest version as an archive, anonymously, and one zipped file of an old version with a token, which the storage host does not get."""
    cache = {"KAGGLEHUB_CACHE": str(tmp_path / "cache")}
    run(server, tmp_path, f"import kagglehub\nkagglehub.dataset_download({REF!r})\n", **cache)
    versions = tmp_path / "cache/datasets" / REF / "versions"
    found = {name: (versions / "2" / name).read_bytes() for name in FILES}
    assert found == FILES
    server.datasets[REF].token = "sesame"
    code = f"import kagglehub\nkagglehub.dataset_download({REF + '/versions/1'!r}, path='penguins.csv')\n"
    run(server, tmp_path, code, **cache, KAGGLE_API_TOKEN="sesame")
    assert (versions / "1/penguins.csv").read_bytes() == FILES["penguins.csv"]
    sent = {asked.own: asked.headers.get("authorization") for asked in server.steering.asked}
    assert sent == {True: "Bearer sesame", False: None}


@pytest.mark.slow
@pytest.mark.skipif(find_spec("kaggle") is None, reason="kaggle is not installed")
def test_the_kaggle_program_works_with_it(server: Kaggle, tmp_path: Path) -> None:
    """It searches, lists files, and downloads, with a name and a key."""
    server.datasets[REF].token = "sesame"
    server.add("ada/zoo", {"a.csv": b"x\n"}, title="Zoo")
    login = {"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "sesame"}
    assert "ada/zoo" in run(server, tmp_path, cli("datasets", "list", "-s", "zoo"), **login)
    told = run(server, tmp_path, cli("datasets", "files", REF), **login)
    assert all(name in told and str(len(data)) in told for name, data in FILES.items())
    run(server, tmp_path, cli("datasets", "download", REF, "--unzip"), **login)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
