"""The Hub that the tests run is proven by the Hub's own clients: what they accept, mldata is tested against."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import environment
from tests.servers.hub import TOKEN, Hub, hub

huggingface_hub = pytest.importorskip("huggingface_hub", reason="the Hub's own client is not installed")

CSV = b"a,b\n1,x\n2,y\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Hub]:
    with hub() as made:
        made.page = 2
        card = b"---\nlicense: mit\ntask_categories:\n- text-classification\n---\n# Pets\n"
        files = {f"data/{n}.csv": CSV for n in range(4)}
        made.repo("owner/pets", {"README.md": card, "big.bin": b"\0" * 5000, **files}, downloads=3)
        made.repo("owner/secret", {"a.csv": CSV}, private=True, readers=frozenset({"reader"}))
        made.repo("owner/gated", {"a.csv": CSV}, gated="manual", readers=frozenset({"reader"}))
        made.repo("owner/off", {"a.csv": CSV}, disabled=True)
        made.moved["pets"] = "owner/pets"
        yield made


def test_the_client_lists_and_downloads(served: Hub, tmp_path: Path) -> None:
    """Info, tree with paging, one file, a snapshot and the list of datasets are as the client expects them."""
    api = huggingface_hub.HfApi(endpoint=served.endpoint, token=TOKEN)
    info = api.repo_info("owner/pets", repo_type="dataset")
    sha = served.repos["owner/pets"].refs["main"]
    assert (info.sha, info.card_data.license) == (sha, "mit")
    assert api.repo_info("pets", repo_type="dataset").id == "owner/pets"
    tree = {it.path: it for it in api.list_repo_tree("owner/pets", repo_type="dataset", recursive=True)}
    assert len(tree) == 7
    assert tree["big.bin"].lfs.size == 5000
    assert [it.path for it in api.get_paths_info("owner/pets", ["data"], repo_type="dataset")] == ["data"]
    got = api.hf_hub_download("owner/pets", "big.bin", repo_type="dataset", cache_dir=tmp_path / "a")
    assert Path(got).read_bytes() == b"\0" * 5000
    folder = api.snapshot_download("owner/pets", repo_type="dataset", cache_dir=tmp_path / "b")
    assert (Path(folder) / "data/3.csv").read_bytes() == CSV
    assert [it.id for it in api.list_datasets(search="pet", filter="license:mit")] == ["owner/pets"]
    assert api.whoami()["name"] == "reader"


def test_the_client_understands_the_errors(served: Hub) -> None:
    """Each refusal comes to the client as the exception that the Hub's answers come to."""
    errors = huggingface_hub.errors
    anyone = huggingface_hub.HfApi(endpoint=served.endpoint, token=False)
    reader = huggingface_hub.HfApi(endpoint=served.endpoint, token=TOKEN)
    with pytest.raises(errors.RepositoryNotFoundError):
        anyone.dataset_info("owner/secret")
    assert reader.dataset_info("owner/secret").private
    with pytest.raises(errors.RepositoryNotFoundError):
        reader.dataset_info("owner/none")
    with pytest.raises(errors.GatedRepoError):
        anyone.auth_check("owner/gated", repo_type="dataset")
    reader.auth_check("owner/gated", repo_type="dataset")
    with pytest.raises(errors.RevisionNotFoundError):
        reader.dataset_info("owner/pets", revision="v9")
    with pytest.raises(errors.DisabledRepoError):
        reader.dataset_info("owner/off")
    with pytest.raises(errors.HfHubHTTPError, match="Invalid credentials"):
        huggingface_hub.HfApi(endpoint=served.endpoint, token="hf_wrong").dataset_info("owner/pets")


@pytest.mark.slow
def test_datasets_loads_from_it(served: Hub, tmp_path: Path) -> None:
    """The library ``datasets`` makes splits out of a repository there."""
    pytest.importorskip("datasets", reason="the library datasets is not installed")
    files = {"data/train.csv": CSV * 1, "data/test.csv": CSV}
    served.repo("owner/split", files)
    code = (
        "import datasets\n"
        "made = datasets.load_dataset('owner/split')\n"
        "print({name: part.num_rows for name, part in made.items()})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment(), "HF_ENDPOINT": served.endpoint, "HF_HOME": str(tmp_path), "HF_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "{'train': 2, 'test': 2}"
