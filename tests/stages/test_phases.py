"""Which steps of a transform run together."""

from __future__ import annotations

import pyarrow as pa

from mldata.spec import parse_dataset
from mldata.stages.phases import pack, phases, unpack
from mldata.userrequest import Limits


def together(*steps: object) -> list[tuple[int, list[str], bool]]:
    """Number of the first step, names, and whether the whole table is needed, of each phase."""
    plain = parse_dataset("d", {"source": "x", "transform": list(steps)})["transform"]
    found = list(phases(plain["steps"], [Limits(*pair) for pair in plain["limits"]]))
    assert [limits.seconds for phase in found for limits in phase.limits] == [
        pair[0] for pair in plain["limits"]
    ]
    return [
        (phase.first, [step.get("function", step["step"]) for step in phase.steps], phase.whole)
        for phase in found
    ]


def test_neighbours_run_together() -> None:
    """Steps over fragments up to one that needs the whole table, which runs alone."""
    assert together(
        {"select": "a"},
        "f.py:f",
        {"sample": {"share": 0.5}},
        {"sort": "a"},
        {"dedupe": True},
        {"sample": {"rows": 1}},
        {"filter": "a"},
    ) == [
        (1, ["select", "f.py:f", "sample"], False),
        (4, ["sort"], True),
        (5, ["dedupe"], True),
        (6, ["sample"], True),
        (7, ["filter"], False),
    ]
    assert together({"function": "f.py:f", "scope": "table"}, "f.py:g") == [
        (1, ["f.py:f"], True),
        (2, ["f.py:g"], False),
    ]


def test_functions_of_two_folders_run_apart() -> None:
    """What a name imports depends on the folder of the function's file."""
    assert together({"select": "a"}, "x/f.py:f", "x/g.py:f", {"filter": "a"}, "y/f.py:f", "f.py:f") == [
        (1, ["select", "x/f.py:f", "x/g.py:f", "filter"], False),
        (5, ["y/f.py:f"], False),
        (6, ["f.py:f"], False),
    ]


def test_a_schema_survives_as_text() -> None:
    """Facts and parameters hold schemas as text."""
    schema = pa.schema([pa.field("a", pa.int8(), nullable=False), ("b", pa.list_(pa.string()))])
    assert unpack(pack(schema)).equals(schema, check_metadata=True)
