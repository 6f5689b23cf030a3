"""Which stages stand on which, within a dataset and from one to another: pure, from the spec alone.

A dataset with ``source: dataset://b`` reads in its fetch stage what the last table stage of ``b`` made, and for ``dataset://b#train``
what its split made too. Invariant: the spec has no cycles (``mldata.specgraph``), so every stage comes after all that it stands on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mldata.reference import Reference, parse_reference
from mldata.sources.base import folder_of
from mldata.stages import needs, table_of

if TYPE_CHECKING:
    from mldata.project import DatasetSpec

__all__ = ["Need", "Step", "gates_of", "needs_of", "references", "steps"]

Datasets = Mapping[str, "DatasetSpec"]


class Step(NamedTuple):
    """A stage of a dataset."""

    dataset: str
    stage: str

    def __str__(self) -> str:
        """As doit calls it."""
        return f"{self.stage}:{self.dataset}"


class Need(NamedTuple):
    """A stage whose output another one reads."""

    name: str
    """The stage's for one of the same dataset; else that and the dataset's, as doit has them: ``normalize:b``."""
    step: Step


def references(sources: Sequence[str]) -> dict[str, Reference]:
    """The sources that are datasets, by the folder that each has in the output of fetch."""
    found = ((number, parse_reference(text)) for number, text in enumerate(sources))
    return {folder_of(number, len(sources)): it for number, it in found if it is not None}


def needs_of(datasets: Datasets, step: Step) -> list[Need]:
    """What a stage reads of earlier ones."""
    own = [Need(name, Step(step.dataset, name)) for name in needs(step.stage, datasets[step.dataset].stages)]
    if step.stage != "fetch":
        return own
    below = {
        str(it): Need(str(it), it)
        for reference in references(datasets[step.dataset].sources).values()
        for it in table_steps(datasets, reference).values()
    }
    return own + list(below.values())


def table_steps(datasets: Datasets, reference: Reference) -> dict[str, Step]:
    """The stages that give what a reference names: ``table`` and, for a part, ``split``."""
    stages = datasets[reference.dataset].stages
    found = {"table": Step(reference.dataset, table_of({stage: stage for stage in stages}))}
    if reference.part is not None:
        found["split"] = Step(reference.dataset, "split")
    return found


def gates_of(datasets: Datasets, step: Step) -> list[Step]:
    """Validations that must have passed before a stage runs: nothing of theirs is read.

    Data that did not pass is neither exported nor handed on to another dataset.
    """
    checked: Iterable[str] = ()
    if step.stage == "export":
        checked = (step.dataset,)
    elif step.stage == "fetch":
        checked = dict.fromkeys(it.dataset for it in references(datasets[step.dataset].sources).values())
    return [Step(name, "validate") for name in checked if "validate" in datasets[name].stages]


def steps(datasets: Datasets, wanted: Iterable[Step]) -> Iterator[Step]:
    """The wanted stages and all that they stand on or wait for, each once, after all of that."""

    def before(step: Step) -> Iterator[Step]:
        yield from (need.step for need in needs_of(datasets, step))
        yield from gates_of(datasets, step)

    done: set[Step] = set()
    for want in wanted:
        waiting = [(want, before(want))] if want not in done else []
        while waiting:
            step, rest = waiting[-1]
            need = next(rest, None)
            if need is None:
                waiting.pop()
                if step not in done:
                    done.add(step)
                    yield step
            elif need not in done:
                waiting.append((need, before(need)))
