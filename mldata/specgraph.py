"""Datasets of a spec that stand on others: what they name must be there, and nothing may stand on itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mldata.reference import Reference, parse_reference
from mldata.sources import STDIN
from mldata.specvalues import Fault, did_you_mean

__all__ = ["graph_faults", "stdin_faults"]

Graph = Mapping[str, Sequence[tuple[int, Reference]]]
"""By dataset: which of its sources are datasets, by their place in the list."""


def graph_faults(datasets: Mapping[str, Any]) -> Iterator[Fault]:
    """Sources that name a dataset or a part that is not there, and cycles.

    Args:
        datasets: plain forms, by name.
    """
    graph: Graph = {
        name: [
            (place, found)
            for place, text in enumerate(dataset["source"])
            if (found := parse_reference(text)) is not None
        ]
        for name, dataset in datasets.items()
    }
    for name, sources in graph.items():
        for place, found in sources:
            fault = _missing(found, datasets, name)
            if fault is not None:
                yield fault._replace(
                    message=f"{name!r} reads {found}, and {fault.message}", at=_at(name, place)
                )
    yield from _cycles(graph)


def stdin_faults(datasets: Mapping[str, Any]) -> Iterator[Fault]:
    """Sources that are standard input, in a spec that is to be built again and again.

    Args:
        datasets: plain forms, by name.
    """
    for name, dataset in datasets.items():
        if STDIN in dataset["source"]:
            what = f"{name!r} reads standard input, which cannot be read again when the dataset is built the next time"
            place = list(dataset["source"]).index(STDIN)
            yield Fault(
                what, "save it as a file, or build it without a spec: mldata build - -o DIR", _at(name, place)
            )


def _missing(found: Reference, datasets: Mapping[str, Any], reader: str) -> Fault | None:
    """Why there is no such table, if so."""
    base = datasets.get(found.dataset)
    if base is None:
        others = [name for name in datasets if name != reader]
        have = f"other datasets here are {', '.join(others)}" if others else "there is no other one here"
        return Fault(f"there is no dataset {found.dataset!r}", did_you_mean(found.dataset, others) or have)
    if found.part is None:
        return None
    if base["split"] is None:
        hint = f"read it whole ({Reference(found.dataset)}), or give {found.dataset!r} a 'split:'"
        return Fault(f"{found.dataset!r} has no split, so no part {found.part!r}", hint)
    parts = [part for part, _ in base["split"]["parts"]]
    if parts and found.part not in parts:  # what a column says is only known when the table is there
        hint = did_you_mean(found.part, parts) or f"its parts are {', '.join(parts)}"
        return Fault(f"{found.dataset!r} has no part {found.part!r}", hint)
    return None


def _cycles(graph: Graph) -> Iterator[Fault]:
    """A fault for each cycle, at the first source on it."""
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        path = {start: None}  # in order, and quick to look in
        steps = [(start, iter(graph[start]))]
        while steps:
            name, sources = steps[-1]
            place, found = next(sources, (-1, None))
            if found is None:
                done.add(name)
                steps.pop()
                del path[name]
            elif found.dataset in path:
                around = list(path)[list(path).index(found.dataset) :]
                shown = " -> ".join([*around, found.dataset])
                yield Fault(
                    f"a dataset cannot stand on itself: {shown}", "break the circle", _at(name, place)
                )
            elif found.dataset in graph and found.dataset not in done:
                path[found.dataset] = None
                steps.append((found.dataset, iter(graph[found.dataset])))


def _at(name: str, place: int) -> tuple[str, ...]:
    return ("datasets", name, "source", str(place))
