"""A stage's job: actions that are done in one go, and what becomes of the others when one fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mldata.errors import BuildError, DataError
from mldata.executor import Executor, ThreadExecutor
from mldata.job import StageJob
from mldata.processes import ProcessExecutor
from mldata.reporter import QuietReporter
from mldata.stages import STAGES
from mldata.stages.base import Outputs, Work
from store import Store


@dataclass(frozen=True, eq=False)
class Letters:
    """Writes a letter for each member, all in one go; it cannot write x, and y breaks the law."""

    def run(self, outputs: Mapping[str, Outputs]) -> Mapping[str, Mapping[str, Any] | Exception]:
        made: dict[str, Mapping[str, Any] | Exception] = {}
        for name, out in outputs.items():
            out.put("letter", name.encode())
            made[name] = {"together": len(outputs), "process": os.getpid()}
            if name == "x":
                made[name] = DataError("no x can be written", where="there")
            if name == "y":
                made[name] = ValueError("why?")
        return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(params=[ThreadExecutor, ProcessExecutor])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Either executor of this machine."""
    made = request.param(2)
    yield made
    made.close()


@pytest.fixture
def job_of(store: Store, executor: Executor) -> Callable[[], StageJob]:
    """Jobs in one store, each as of a build of its own."""
    return lambda: StageJob(
        dataset="demo",
        stage="export",
        version=1,
        params={},
        inputs={},
        context={},
        libraries=lambda name: "1",
        stage_libraries=(),
        salt="",
        store=store,
        executor=executor,
        progress=QuietReporter().stage("demo", "export"),
    )


def works(job: StageJob, letters: str) -> list[Work]:
    """An action a letter, all to be done in one go, and one that is done alone in between."""
    together = Letters()

    def alone(out: Outputs) -> Mapping[str, Any]:
        out.put("alone", b"1")
        return {}

    made = [
        Work(job.action({"letter": it}, ()), lambda out: {}, f"demo: {it}", together=together, member=it)
        for it in letters
    ]
    return [*made[:1], Work(job.action({"alone": True}, ()), alone, "demo: alone"), *made[1:]]


def test_what_is_missing_is_done_in_one_go(job_of: Callable[[], StageJob]) -> None:
    """All members at first; later those alone that the cache lacks, with results in the order of the actions."""
    job = job_of()
    found = job.run(works(job, "abc"))
    assert [it.facts.get("together") for it in found] == [3, None, 3, 3]
    assert len({it.facts["process"] for it in found if it.facts}) == 1
    assert [[*it.outputs] for it in found] == [["letter"], ["alone"], ["letter"], ["letter"]]
    job = job_of()
    found = job.run(works(job, "abcd"))
    assert [it.facts.get("together") for it in found] == [3, None, 3, 3, 1]
    assert (job.hits, job.runs) == (4, 1)


def test_one_that_fails_costs_itself_only(job_of: Callable[[], StageJob]) -> None:
    """Its error stands in the place of its result; one that nobody expects says so. The others are in the cache."""
    job = job_of()
    found = job.attempt(works(job, "axyb"))
    assert [isinstance(it, Exception) for it in found] == [False, False, True, True, False]
    assert isinstance(found[2], DataError) and str(found[2]).startswith("there: no x")
    assert isinstance(found[3], BuildError) and "ValueError: why?" in str(found[3])
    job = job_of()
    with pytest.raises(DataError, match="no x can be written"):
        job.run(works(job, "axyb"))
    assert job.hits == 3 and job.warnings == ["demo: y: why?"]


def test_actions_of_another_stage_are_cached_as_its_own(job_of: Callable[[], StageJob]) -> None:
    """What a stage needs of another one is made by that one's actions, and counts where it was needed."""
    job = job_of()
    other = job.for_stage("profile", {"parts": False}, {})
    made = other.action({"alone": True}, ())
    assert (made.stage, made.version) == ("profile", STAGES["profile"].version)
    assert set(made.runtime) == set(STAGES["profile"].libraries) == set(job.used_libraries)
    other.run(works(other, "a"))
    assert (job.runs, job.hits, job.stage, job.params) == (2, 0, "export", {})
    again = job_of()
    again.run(works(again, "a"))
    assert again.runs == 2  # those of its own stage are others
