"""Build records: what was built, when, by what, kept in the store under ``datasets/NAME/N``.

A record is a tree with the output tree of every stage and one file, ``record``, in canonical encoding. Clock times and host
names live here and nowhere else. The reference makes everything that the build produced a root for garbage collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.errors import UnknownDataset
from mldata.stages import STAGES

if TYPE_CHECKING:
    from store import Digest, Store

FORMAT = 1
RECORD = "record"


@dataclass(frozen=True)
class BuildRecord:
    """One build of one dataset."""

    dataset: str
    number: int
    """Counts from 1; each dataset has its own count."""
    outputs: Mapping[str, Digest]
    """Output tree of each stage."""
    stages: Mapping[str, Mapping[str, Any]]
    """Per stage: status, actions, rows, seconds, params, version, libraries, facts."""
    started: str
    """UTC, ISO 8601."""
    seconds: float
    host: str
    project: str
    mldata: str
    python: str
    sources: list[Mapping[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As ``mldata show --json`` prints it."""
        return {
            "dataset": self.dataset,
            "build": self.number,
            "outputs": dict(self.outputs),
            "stages": {name: dict(facts) for name, facts in self.stages.items()},
            "started": self.started,
            "seconds": self.seconds,
            "host": self.host,
            "project": self.project,
            "mldata": self.mldata,
            "python": self.python,
            "sources": [dict(source) for source in self.sources],
            "warnings": list(self.warnings),
        }


def series(dataset: str) -> str:
    """The reference prefix of a dataset's builds."""
    return f"datasets/{dataset}"


def write_record(store: Store, record: BuildRecord) -> int:
    """Publish a record under its number, or under the next free one if that is 0; the number."""
    from store import KIND_FILE, KIND_TREE, TreeEntry, encode

    body = {"version": FORMAT, **record.to_json()}
    del body["build"]  # the reference says it, and is only known afterwards
    made = store.put(encode(body))
    entries = [TreeEntry(RECORD, KIND_FILE, made.digest, made.size)]
    for stage, digest in record.outputs.items():
        size = store.path(digest).stat().st_size
        entries.append(TreeEntry(f"stage-{stage}", KIND_TREE, digest, size))
    tree = store.put_tree(entries)
    if record.number == 0:
        return store.refs.append(series(record.dataset), tree.digest)
    store.refs.set(f"{series(record.dataset)}/{record.number}", tree.digest)
    return record.number


def read_record(store: Store, dataset: str, number: int | None = None) -> BuildRecord:
    """The record of a build; the newest when ``number`` is None.

    Raises:
        UnknownDataset: the dataset has no such build.
    """
    if number is None:
        numbers = build_numbers(store, dataset)
        if not numbers:
            raise UnknownDataset(
                f"dataset {dataset!r} has no build in this store", hint=f"Build it: mldata build {dataset}"
            )
        number = numbers[-1]
    root = store.refs.get(f"{series(dataset)}/{number}")
    if root is None:
        have = ", ".join(map(str, build_numbers(store, dataset))) or "none"
        raise UnknownDataset(
            f"dataset {dataset!r} has no build {number}; builds kept: {have}",
            hint=f"See what there is: mldata log {dataset}",
        )
    return _load(store, root, dataset, number)


def records(store: Store, dataset: str) -> list[BuildRecord]:
    """All builds of a dataset that the store keeps, oldest first."""
    return [read_record(store, dataset, number) for number in build_numbers(store, dataset)]


def build_numbers(store: Store, dataset: str) -> list[int]:
    """Numbers of the builds that the store keeps, ascending."""
    prefix = series(dataset) + "/"
    tails = (name.removeprefix(prefix) for name in store.refs.names(prefix))
    return sorted(int(tail) for tail in tails if tail.isdigit())


def parse_name(text: str) -> tuple[str, int | None]:
    """``penguins`` or ``penguins@3`` as (name, build number)."""
    match = re.fullmatch(r"([^@]+)(?:@(\d+))?", text)
    if match is None:
        raise UnknownDataset(
            f"expected NAME or NAME@BUILD with a build number, found {text!r}", hint="For example: penguins@3"
        )
    return match[1], int(match[2]) if match[2] else None


def _load(store: Store, root: Digest, dataset: str, number: int) -> BuildRecord:
    from store import decode

    entry = store.tree(root).get(RECORD)
    if entry is None:
        raise UnknownDataset(f"{series(dataset)}/{number} names {root}, which is not a build record")
    body = decode(store.read(entry.digest))
    body.pop("version")
    order = {name: place for place, name in enumerate(STAGES)}
    for key in ("outputs", "stages"):  # canonical encoding sorts them by name
        body[key] = dict(sorted(body[key].items(), key=lambda item: order.get(item[0], len(order))))
    return BuildRecord(number=number, **body)
