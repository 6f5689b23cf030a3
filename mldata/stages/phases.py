"""The parts of a transform: steps that run as one, and what they have in common.

Neighbouring steps that look at a fragment at a time are one phase, with an action a fragment; a step that needs the whole table is a phase
of its own, with one action.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mldata.table import Fragment

if TYPE_CHECKING:
    from mldata.userrequest import Limits
    from store import ActionResult, Digest

__all__ = ["Phase", "Rows", "cut_fragments", "fragment_of", "output_name", "pack", "phases", "unpack"]

Step = Mapping[str, Any]
TABLE_STEPS = ("dedupe", "sort")


@dataclass(frozen=True)
class Phase:
    """Steps that are one action a fragment, or one over the table."""

    first: int
    """Number of the first step in the spec, from 1."""
    steps: tuple[Step, ...]
    whole: bool
    limits: tuple[Limits, ...]

    @property
    def params(self) -> dict[str, Any]:
        """What the action's parameters say of the steps."""
        return {"steps": [dict(step) for step in self.steps]}

    @property
    def functions(self) -> list[str]:
        """``file.py:name`` of the steps that are functions."""
        return [step["function"] for step in self.steps if step["step"] == "function"]


@dataclass(frozen=True)
class Rows:
    """A table between two steps."""

    schema: pa.Schema
    fragments: list[Fragment] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many."""
        return sum(fragment.rows for fragment in self.fragments)

    @property
    def size(self) -> int:
        """Bytes of the fragments."""
        return sum(fragment.size for fragment in self.fragments)

    @property
    def inputs(self) -> list[tuple[str, Digest]]:
        """The fragments as inputs of an action."""
        return [(f"{number:08d}", fragment.digest) for number, fragment in enumerate(self.fragments)]


def phases(steps: Sequence[Step], limits: Sequence[Limits]) -> Iterator[Phase]:
    """The steps, with neighbours that look at a fragment at a time together; functions of two folders import in two ways."""
    first = 0
    while first < len(steps):
        last, folder = first + 1, _folder(steps[first])
        if not _is_whole(steps[first]):
            while last < len(steps) and not _is_whole(steps[last]):
                other = _folder(steps[last])
                if folder is not None and other not in (None, folder):
                    break
                last, folder = last + 1, other if folder is None else folder
        part = slice(first, last)
        yield Phase(first + 1, tuple(steps[part]), _is_whole(steps[first]), tuple(limits[part]))
        first = last


def _is_whole(step: Step) -> bool:
    if step["step"] == "sample":
        return step["rows"] is not None
    return step["step"] in TABLE_STEPS or step.get("scope") == "table"


def _folder(step: Step) -> str | None:
    return step["function"].rpartition(":")[0].rpartition("/")[0] if step["step"] == "function" else None


def cut_fragments(result: ActionResult, phase: Phase, before: Rows | None) -> list[Fragment]:
    """The fragments of a step over the whole table: those of ``before``, or what became of them; or new ones."""
    facts: Any = result.facts
    if before is None:
        sources = [f"step {phase.first}, piece {number + 1}" for number in range(len(facts["rows"]))]
    else:
        sources = [fragment.source for fragment in before.fragments]
    return [
        before.fragments[number]
        if before is not None and output_name(number) not in result.outputs
        else fragment_of(result, number, rows, source)
        for number, (rows, source) in enumerate(zip(facts["rows"], sources, strict=True))
    ]


def fragment_of(result: ActionResult, number: int, rows: int, source: str) -> Fragment:
    """Output ``number`` of an action as a fragment."""
    made = result.outputs[output_name(number)]
    return Fragment(made.digest, made.size, rows, source)


def output_name(number: int) -> str:
    """Name of an action's output."""
    return f"fragment-{number:05d}"


def pack(schema: pa.Schema) -> str:
    """A schema as text."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def unpack(text: str) -> pa.Schema:
    """What :func:`pack` packed."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))
