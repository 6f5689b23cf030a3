"""Summaries that builds keep: what runs again after which change, and that what is kept is never made twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import mldata
from mldata.profiling import summarize_parts, summarize_subject
from mldata.project import load_project
from mldata.reporter import QuietReporter
from mldata.subjects import Subject, open_subject
from tests.e2e.project import Project, environment
from tests.e2e.small import assert_sound, kept_results
from tests.e2e.test_validate import data, runs, status

FILES = 3
PROFILE = "    profile: {parts: true}\n"
SPEC = f"""\
version: 1
datasets:
  d:
    source: data/*.csv
    split: {{train: 0.5, test: 0.5, by: id}}
{PROFILE}    export: {{formats: [csv]}}
"""
STAGES = ["fetch", "normalize", "split", "profile", "export"]


@pytest.fixture(scope="module")
def built_profiled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three files, summarized with their parts, built once."""
    project = Project(tmp_path_factory.mktemp("profiled") / "project")
    for number in range(FILES):
        project.write(f"data/{number}.csv", data(number))
    project.write("mldata.yaml", SPEC)
    told = project.build()["d"]["stages"]
    assert sorted(told) == sorted(STAGES)
    # Each file as it is, each by part, and what comes of that for all rows and two parts.
    assert told["profile"]["actions"] == {"hit": 0, "run": 2 * FILES + 3}
    assert told["profile"]["rows"] == 8 * FILES
    return project


@pytest.fixture
def profiled(built_profiled: Project, tmp_path: Any) -> Project:
    """A built copy."""
    return built_profiled.copy(tmp_path / "profiled")


@contextmanager
def opened(project: Project, word: str) -> Iterator[Subject]:
    with open_subject(word, load_project(project.root), QuietReporter()) as subject:
        yield subject


def forget_results(project: Project) -> None:
    """What gc leaves, but without any action result."""
    project.run("gc")
    for path in (project / ".mldata/store/actions").glob("*/*"):
        path.unlink()
    assert not kept_results(project)


def lose_fragments(project: Project) -> None:
    """Let the rows themselves be gone."""
    with opened(project, "d@1") as subject:
        for fragment in subject.table.fragments:
            subject.store.path(fragment.digest).unlink()


@pytest.mark.no_cover
def test_nothing_to_do(profiled: Project) -> None:
    """A second build, and a status, run nothing and load no library that reads data."""
    assert set(profiled.stages("d").values()) == {"up-to-date"}
    program = "import sys\nfrom mldata.cli import main\nmain(['build'])\nmain(['status'])\nprint(*{'pyarrow', 'numpy', 'pydantic'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=profiled.root,
        env=environment(measured=False),
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["d  up to date  build 1", "d  up to date", ""], done.stderr


def test_one_edited_file(profiled: Project) -> None:
    """It alone is read, once whole and once by part; then what is known is put together."""
    profiled.write("data/1.csv", data(1, bad="5"))
    told = profiled.build()["d"]["stages"]
    assert told["profile"]["actions"]["run"] <= 2 + 3
    assert told["profile"]["actions"]["hit"] >= 2 * (FILES - 1)


def test_the_export_knows_nothing_of_it(profiled: Project) -> None:
    """A build with or without summaries exports the same bytes, and another choice of summaries runs the stage alone."""
    before = profiled.files()
    profiled.replace("mldata.yaml", PROFILE, "    profile: true\n")
    assert "parts changed from true to false" in profiled.run("explain", "d", "profile").out
    told = profiled.build()
    assert status(told) == {**dict.fromkeys(STAGES, "up-to-date"), "profile": "ran"}
    assert runs(told)["profile"] == 0  # all known from before
    profiled.replace("mldata.yaml", "    profile: true\n", "")
    told = profiled.build()
    assert "profile" not in told["d"]["stages"] and set(status(told).values()) == {"up-to-date"}
    assert (
        profiled.files() == before and "profile" not in (profiled / "artifacts/d/manifest.yaml").read_text()
    )


def test_what_a_build_keeps_is_not_made_again(profiled: Project) -> None:
    """After gc, without any action result and without the rows, builds and parts of them are still known."""
    with opened(profiled, "d@1") as subject:
        expected = summarize_subject(subject, parts=True)
    forget_results(profiled)
    with opened(profiled, "d") as subject:
        now = summarize_subject(subject, parts=True)
    lose_fragments(profiled)
    for word in ("d@1", "d@1#test"):
        with opened(profiled, word) as subject:
            found = summarize_subject(subject, parts=True)
            wanted = expected.whole if subject.part is None else expected.parts["test"]
            assert (
                found.whole.to_bytes() == now.whole.to_bytes() if subject.part is None else found.parts == {}
            )
            assert found.whole.to_bytes() == wanted.to_bytes()
    with opened(profiled, "d@1") as subject:
        assert summarize_parts(subject, "train")["train"].to_bytes() == expected.parts["train"].to_bytes()


def test_without_it_summaries_are_cached_all_the_same(profiled: Project) -> None:
    """A dataset whose spec does not ask for summaries has them made when they are needed, and from the cache the next time."""
    profiled.replace("mldata.yaml", PROFILE, "")
    profiled.run("build")
    forget_results(profiled)
    profiled.run("gc", "--keep-last", "1")
    before = kept_results(profiled)
    with opened(profiled, "d") as subject:
        first = summarize_subject(subject)
    made = kept_results(profiled)
    assert made > before
    with opened(profiled, "d") as subject:
        assert summarize_subject(subject).whole.to_bytes() == first.whole.to_bytes()
        assert summarize_subject(subject, sample=0.5).whole.rows < first.whole.rows
    assert kept_results(profiled) > made


@pytest.mark.no_cover
def test_made_again(profiled: Project) -> None:
    """A rebuild makes the same summaries, and so does a build that trusts no result; the store is sound."""
    assert profiled.json("rebuild", "d", "--verify")["result"]["verified"]
    output = profiled.build()["d"]["stages"]["profile"]["output"]
    told = profiled.build("--force")["d"]["stages"]["profile"]
    assert told["output"] == output and told["actions"]["run"] == 2 * FILES + 3
    assert "summaries 3" in profiled.run("show", "d").out
    assert_sound(profiled)


def test_from_python(profiled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset, a part of it, a build, and a file without a project."""
    found = mldata.profile("d", project=profiled.root, parts=True)
    assert (found.rows, [it.name for it in found.columns]) == (24, ["id", "value"])
    assert sum(part.rows for part in found.parts.values()) == 24
    assert found.preview is not None and found.preview.rows[0] == ("00", "0")
    train = mldata.profile("d@1", split="train", project=profiled.root)
    assert train.rows == found.parts["train"].rows and not train.parts
    file = str(profiled / "data/1.csv")
    assert mldata.profile(file, project=profiled.root).rows == 8
    for wrong in ({"split": "val"}, {"sample": 0.0}, {"sample": 1.5}):
        with pytest.raises(mldata.MldataError):
            mldata.profile("d", project=profiled.root, **wrong)  # type: ignore[arg-type]
    with pytest.raises(mldata.MldataError):
        mldata.profile("d#test", split="train", project=profiled.root)
