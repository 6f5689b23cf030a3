"""When a build is worth a record, and writing it: the link between a project's receipts and the store's build records.

A build is recorded once: a run that ends with the outputs of the newest record adds none. The receipt ``build`` remembers which
record stands for what the project has now.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.receipts import Receipt, read_receipt, write_receipt
from mldata.records import RECORD, BuildRecord, build_numbers, read_record, series, write_record
from mldata.version import __version__

if TYPE_CHECKING:
    from mldata.recipe import Recipe
    from mldata.state import ProjectState
    from store import Digest, Store


@dataclass(frozen=True)
class Told:
    """What a session knows of a dataset's build that receipts do not hold."""

    began: float
    """Seconds since the epoch."""
    reports: Mapping[str, Mapping[str, Any]]
    """What happened to each stage, as JSON shows it."""
    recipe: Recipe
    warnings: list[str] = field(default_factory=list)


def recorded(state: ProjectState, store: Store, dataset: str) -> int | None:
    """Number of the build whose record has exactly the outputs that the receipts name and is whole; else None."""
    found = read_receipt(state.receipt_path(dataset, "build"))
    if not isinstance(found, Receipt) or dict(found.inputs) != _outputs(state, dataset):
        return None
    number = found.facts.get("build")
    if store.refs.get(f"{series(dataset)}/{number}") != found.output:
        return None
    own = (found.output, found.facts.get("record"))
    return number if all(digest and store.intact(digest) for digest in own) else None


def record(state: ProjectState, store: Store, dataset: str, told: Told) -> int:
    """Record what a dataset's receipts say, unless the newest record says the same; the build's number."""
    _mend_reference(state, store, dataset)
    outputs = _outputs(state, dataset)
    number, same = _newest(store, dataset, outputs)
    if not same:
        code = state.code(dataset).files if told.recipe.code else {}
        new = _new_record(state, dataset, number, outputs, told)
        number = write_record(store, new, told.recipe, code)
    reference = store.refs.get(f"{series(dataset)}/{number}")
    assert reference is not None
    entry = store.tree(reference).get(RECORD)
    assert entry is not None
    write_receipt(
        state.receipt_path(dataset, "build"),
        Receipt(
            dataset=dataset,
            stage="build",
            version=1,
            params={},
            inputs=outputs,
            libraries={},
            salt="",
            output=reference,
            size=0,
            objects=1,
            facts={"build": number, "record": entry.digest},
        ),
    )
    return number


def _outputs(state: ProjectState, dataset: str) -> dict[str, Digest]:
    receipts = {stage: state.receipt(dataset, stage) for stage in state.stages(dataset)}
    return {stage: receipt.output for stage, receipt in receipts.items() if receipt}


def _newest(store: Store, dataset: str, outputs: Mapping[str, Digest]) -> tuple[int, bool]:
    """The number to write under (0: the next one), and whether that record has these outputs already."""
    from store import ObjectCorrupt, ObjectMissing

    numbers = build_numbers(store, dataset)
    if not numbers:
        return 0, False
    try:
        same = dict(read_record(store, dataset, numbers[-1]).outputs) == outputs
    except (ObjectMissing, ObjectCorrupt):
        return numbers[-1], False  # its record is lost, what it recorded is here: write it again
    return (numbers[-1], True) if same else (0, False)


def _new_record(
    state: ProjectState, dataset: str, number: int, outputs: Mapping[str, Digest], told: Told
) -> BuildRecord:
    import platform

    stages = {}
    for stage in outputs:
        receipt = state.receipt(dataset, stage)
        assert receipt is not None
        stages[stage] = {
            **told.reports.get(stage, {"status": "up-to-date"}),
            "version": receipt.version,
            "params": dict(receipt.params),
            "libraries": dict(receipt.libraries),
            "facts": dict(receipt.facts),
        }
    return BuildRecord(
        dataset=dataset,
        number=number,
        outputs=outputs,
        stages=stages,
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(told.began)),
        seconds=round(time.time() - told.began, 3),
        host=platform.node(),
        project=str(state.project.root),
        mldata=__version__,
        python=platform.python_version(),
        sources=list(told.recipe.sources),
        warnings=told.warnings,
    )


def _mend_reference(state: ProjectState, store: Store, dataset: str) -> None:
    """Write the newest build's reference again if its file is damaged: the receipt knows what it said."""
    from store import BadRef

    found = read_receipt(state.receipt_path(dataset, "build"))
    if not isinstance(found, Receipt):
        return
    name = f"{series(dataset)}/{found.facts.get('build')}"
    try:
        store.refs.get(name)
    except BadRef:
        if store.intact(found.output):
            store.refs.set(name, found.output)
