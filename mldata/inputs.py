"""What a stage is handed: the outputs, by receipts, of the stages that it reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldata.errors import BuildError, MldataError, SpecError
from mldata.graph import Step, needs_of, references, table_steps
from mldata.nearest import nearest
from mldata.partnames import part_order
from mldata.sources.base import folder_of

if TYPE_CHECKING:
    from mldata.receipts import Receipt
    from mldata.reference import Reference
    from mldata.state import ProjectState
    from store import Digest, ObjectId

__all__ = ["name_folders", "referred", "stage_inputs", "tables_below"]


def stage_inputs(state: ProjectState, step: Step) -> dict[str, Digest]:
    """Output of each stage that ``step`` reads, by its name there. Raises ``BuildError`` where one has not been built."""
    return {need.name: _receipt(state, need.step).output for need in needs_of(state.project.datasets, step)}


def tables_below(state: ProjectState, dataset: str) -> dict[str, dict[str, ObjectId]]:
    """What a dataset takes from others: by folder, the outputs of the stages that :func:`mldata.graph.table_steps` names.

    Raises:
        BuildError: one of these has not been built.
        SpecError: a split has no such part, as only its table could tell.
    """
    from store import ObjectId

    found: dict[str, dict[str, ObjectId]] = {}
    for folder, reference in references(state.spec(dataset).sources).items():
        try:
            made = referred(state, reference)
        except SpecError as error:
            error.message = f"{dataset!r} reads {reference}, and {error.message}"
            error.where = state.project.where("datasets", dataset, "source", int(folder))
            raise
        found[folder] = {name: ObjectId(it.output, it.size) for name, it in made.items()}
    return found


def referred(state: ProjectState, reference: Reference) -> dict[str, Receipt]:
    """Receipts of the stages that give what a reference names: ``table`` and, for a part, ``split``. Raises as :func:`tables_below`."""
    made = {
        name: _receipt(state, step) for name, step in table_steps(state.project.datasets, reference).items()
    }
    parts = sorted(made["split"].facts["parts"], key=part_order) if "split" in made else []
    if reference.part is not None and reference.part not in parts:
        near = nearest(reference.part, parts)
        raise SpecError(
            f"{reference.dataset!r} has no part {reference.part!r}",
            hint=f"did you mean {near!r}?" if near else f"its parts are {', '.join(parts)}",
        )
    return made


def name_folders(error: MldataError, sources: Sequence[str]) -> None:
    """Say in an error's hint which sources the folders are that it names: files of a list of sources are called ``0/a.csv``, ``1/a.csv``."""
    text = f"{error.where} {error.message}"
    folders = {folder_of(number, len(sources)): source for number, source in enumerate(sources)}
    named = [f"{it}/ is {folders[it]}" for it in sorted(folders) if re.search(rf"(?<![\w./]){it}/", text)]
    if len(sources) > 1 and named:
        error.hint = "; ".join(filter(None, (error.hint, f"here {', '.join(named)}")))


def _receipt(state: ProjectState, step: Step) -> Receipt:
    found = state.receipt(*step)
    if found is None:
        raise BuildError(
            f"{step.stage} of {step.dataset!r} has not been built",
            where=str(state.receipt_path(*step)),
            hint=f"Build it first: mldata build {step.dataset}",
        )
    return found
