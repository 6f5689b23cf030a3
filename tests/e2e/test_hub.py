"""Datasets of the Hugging Face Hub, from their name to files for training."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.project import Project
from tests.servers.hub import Hub, hub


def table(*rows: int) -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table({"x": rows}), out)
    return out.getvalue()


SPEC = "version: 1\ndatasets:\n  pets: {source: hf://owner/pets, split: {method: predefined}, export: {to: out}}\n"


@pytest.fixture
def served(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub with a dataset of two splits, and a spec that takes it as it is."""
    with hub() as made:
        monkeypatch.setenv("HF_ENDPOINT", made.endpoint)
        monkeypatch.setenv("HF_HOME", str(project.root.parent / "hf"))
        files = {
            "data/train-00000-of-00001.parquet": table(1, 2, 3),
            "data/test-00000-of-00001.parquet": table(4),
        }
        made.repo("owner/pets", {"README.md": b"---\nlicense: mit\n---\n", **files})
        project.write("mldata.yaml", SPEC)
        yield made


def rows(project: Project, name: str) -> list[int]:
    found: list[int] = pq.read_table(project / name).column("x").to_pylist()
    return found


def test_the_splits_of_the_hub_are_the_parts(project: Project, served: Hub) -> None:
    """Each split becomes a part with its own rows; a second build asks for nothing, and none is needed offline."""
    project.run("build")
    assert (rows(project, "out/train.parquet"), rows(project, "out/test.parquet")) == ([1, 2, 3], [4])
    asked = len(served.seen)
    assert "up to date" in project.run("build").text
    project.run("build", "--offline")
    assert len(served.seen) == asked


def test_the_lock_pins_the_commit(project: Project, served: Hub) -> None:
    """A dataset that moves on is built as it was until it is updated; then only new files come."""
    project.run("build")
    repo = served.repos["owner/pets"]
    first = repo.refs["main"]
    assert first in (project / "mldata.lock").read_text()
    files = dict(repo.commits[first])
    second = repo.commit({**files, "data/test-00000-of-00001.parquet": table(4, 5)})
    project.run("build")
    assert rows(project, "out/test.parquet") == [4]
    served.steering.asked.clear()
    project.run("update")
    project.run("build")
    assert second in (project / "mldata.lock").read_text()
    assert rows(project, "out/test.parquet") == [4, 5]
    paths = [seen.path for seen in served.seen if "/resolve/" in seen.path]
    assert len(paths) == 1


def test_a_split_for_a_build_without_a_spec(project: Project, served: Hub) -> None:
    """``--method predefined`` keeps the splits of a source that is built into a folder."""
    project.run("build", "hf://owner/pets", "-o", "made", "--method", "predefined")
    assert (rows(project, "made/train.parquet"), rows(project, "made/test.parquet")) == ([1, 2, 3], [4])


def test_refusals_have_the_exit_codes(project: Project, served: Hub) -> None:
    """What is private or gated ends with 4, what is not there or does not answer with 5."""
    served.repo("owner/gated", {"a.csv": b"x\n1\n"}, gated="auto")
    said = project.run("pull", "hf://owner/gated", expect=4)
    assert f"{served.endpoint}/datasets/owner/gated" in said.text
    project.run("pull", "hf://owner/none", expect=4)
    project.run("pull", "hf://owner/pets@v9", expect=5)
    served.steering.failures = (500, None, {"Retry-After": "0"})
    project.run("pull", "hf://owner/pets", expect=5)


def test_flags_choose_beside_what_the_source_says(project: Project, served: Hub) -> None:
    """A revision with a slash in it stays one when a flag adds to the source."""
    repo = served.repos["owner/pets"]
    repo.commit(
        {"data/train-00000-of-00001.parquet": table(7), "data/test-00000-of-00001.parquet": table(8)},
        "try/it",
    )
    project.run("pull", "hf://owner/pets@try%2Fit", "--split", "test", "-o", "got")
    assert rows(project, "got/data/test-00000-of-00001.parquet") == [8]
    assert len(project.files("got")) == 1


@pytest.mark.no_cover
def test_a_token_that_others_may_read_is_warned_of(project: Project, served: Hub) -> None:
    """A build that uses it says so, with the command that mends it, and not the token."""
    path = project.root.parent / "hf" / "token"
    path.parent.mkdir()
    path.write_text("hf_reader")
    path.chmod(0o644)
    done = project.run("build")
    assert f"chmod 600 {path}" in done.err and "hf_reader" not in done.text
    path.chmod(0o600)
    assert "chmod" not in project.run("build", "--force").err


def picture(shade: int) -> bytes:
    """A PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (4, 4), shade).save(out, "png")
    return out.getvalue()


def test_pictures_keep_labels_and_splits(project: Project, served: Hub) -> None:
    """Folders of a media dataset are its labels, but for those that name a split, however deep it keeps both."""
    names = ["train/cat/1", "train/dog/2", "val/cat/3", "test/dog/4"]
    files = {f"pictures/{name}.png": picture(number) for number, name in enumerate(names)}
    served.repo("owner/art", {"README.md": b"# Art\n", **files})
    project.write("mldata.yaml", SPEC.replace("owner/pets", "owner/art"))
    project.run("build")
    found = {
        part: pq.read_table(project / f"out/{part}.parquet").column("label").to_pylist()
        for part in ("train", "validation", "test")
    }
    assert found == {"train": ["cat", "dog"], "validation": ["cat"], "test": ["dog"]}
