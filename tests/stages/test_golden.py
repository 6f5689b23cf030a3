"""What every stage makes of fixed inputs is pinned: it changes with the version of the stage, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldata.checks import CHECKS
from mldata.exports import EXPORTS
from mldata.rowsteps import ROW_STEPS
from mldata.stages import STAGES
from mldata.stages.phases import TABLE_STEPS
from mldata.stages.split import METHODS
from store import Store
from tests.pins import GOLDEN, complaints, read_pins
from tests.pins import check_pins as check
from tests.stages.cases import CASES, pins

PINS = GOLDEN / "stages.txt"
HERE = "tests/stages/test_golden.py"


@pytest.mark.no_cover
def test_no_stage_makes_other_bytes(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every case of every stage gives the digest that is pinned for the version of the stage."""
    update = request.config.getoption("--update-golden")
    check(PINS, pins(store, tmp_path, CASES), test=HERE, update=update)


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("split", sorted(METHODS)),
        ("export", sorted(EXPORTS)),
        ("validate", sorted(CHECKS)),
        ("transform", ["function", *sorted(ROW_STEPS), *TABLE_STEPS]),
    ],
)
def test_everything_that_a_stage_can_do_is_pinned(stage: str, names: list[str]) -> None:
    """Each split method, export format and step has a case in ``tests/stages/cases.py``: a new one wants one, too."""
    pinned = {pin.case.split("/")[1].split(",")[0] for pin in read_pins(PINS) if pin.stage == stage}
    assert [name for name in names if name not in pinned] == []


def test_every_stage_is_pinned() -> None:
    """By a case of its own or by the examples."""
    pinned = {pin.stage for pin in [*read_pins(PINS), *read_pins(GOLDEN / "examples.txt")]}
    assert set(STAGES) <= pinned


def other_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from mldata.stages import split

    def backwards(rows: int, seed: int, counts: Any) -> Any:
        return iter([np.repeat(np.arange(len(counts), dtype=np.uint8), counts)])

    monkeypatch.setattr(split, "random_parts", backwards)


def other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(step: Any, schema: Any) -> Any:
        return ORIGINAL({**step, "expression": "value is null"}, schema)

    ORIGINAL = ROW_STEPS["filter"]
    monkeypatch.setitem(ROW_STEPS, "filter", bind)


def other_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from mldata.exports import csv

    monkeypatch.setattr(csv, "_special", lambda data: data != 0)  # quotes around every text


@pytest.mark.parametrize(
    ("case", "change"),
    [("split/random", other_parts), ("transform/filter", other_rows), ("export/csv", other_text)],
)
def test_a_change_is_found(
    case: str,
    change: Callable[[pytest.MonkeyPatch], None],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Code that makes something else fails, with words that say to raise the version; raised, it is to be pinned anew."""
    pinned = [pin for pin in read_pins(PINS) if pin.case == case]
    cases, stage = {case: CASES[case]}, pinned[0].stage
    (tmp_path / "1").mkdir()
    assert complaints(pinned, pins(store, tmp_path / "1", cases)) == ([], [])
    change(monkeypatch)
    with Store.open(tmp_path / "other") as other:
        (tmp_path / "2").mkdir()
        [wrong], due = complaints(pinned, pins(other, tmp_path / "2", cases))
    assert f"the {stage} stage makes something else of {case}" in wrong and not due
    assert "raise its version in mldata/stages/__init__.py" in wrong
    old = STAGES[stage].version
    monkeypatch.setitem(STAGES, stage, STAGES[stage]._replace(version=old + 1))
    with Store.open(tmp_path / "third") as third:
        (tmp_path / "3").mkdir()
        wrong_now, [due_now] = complaints(pinned, pins(third, tmp_path / "3", cases))
    assert not wrong_now
    assert (
        f"the {stage} stage went from version {old} to {old + 1}: pin what it makes of {case} anew" in due_now
    )
