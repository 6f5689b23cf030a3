"""Build records: what was built, when, by what, kept in the store under ``datasets/NAME/N``.

A record is a tree with the output tree of every stage and one file, ``record``, in canonical encoding. Clock times and host
names live here and nowhere else. The reference makes everything that the build produced a root for garbage collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mldata.errors import UnknownDataset
from mldata.stages import STAGES

if TYPE_CHECKING:
    from mldata.recipe import Recipe
    from store import Digest, Store

FORMAT = 1
RECORD = "record"
RECIPE = "recipe"
CODE = "code"
NEWEST = "latest"
"""May stand where a build's number stands."""


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


def write_record(store: Store, record: BuildRecord, recipe: Recipe, code: Mapping[str, bytes]) -> int:
    """Publish a record under its number, or under the next free one if that is 0; the number.

    ``code`` has the files of ``recipe.code``.
    """
    from store import KIND_FILE, KIND_TREE, TreeEntry, encode

    body = {"version": FORMAT, **record.to_json()}
    del body["build"]  # the reference says it, and is only known afterwards
    made = store.put(encode(body))
    told = store.put(recipe.to_text().encode())
    entries = [
        TreeEntry(RECORD, KIND_FILE, made.digest, made.size),
        TreeEntry(RECIPE, KIND_FILE, told.digest, told.size),
    ]
    if code:
        files = store.put_paths((path, store.put(data), False) for path, data in code.items())
        entries.append(TreeEntry(CODE, KIND_TREE, files.digest, files.size))
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
    number, root = find_record(store, dataset, number)
    return load_record(store, root, dataset, number)


def find_record(store: Store, dataset: str, number: int | None = None) -> tuple[int, Digest]:
    """The number of a build (the newest when it is None) and its tree. Raises as :func:`read_record`."""
    numbers = build_numbers(store, dataset)
    if not numbers:
        raise UnknownDataset(
            f"dataset {dataset!r} has no build in this store", hint=f"Build it: mldata build {dataset}"
        )
    wanted = numbers[-1] if number is None else number
    root = store.refs.get(f"{series(dataset)}/{wanted}") if wanted in numbers else None
    if root is None:
        raise _no_such_build(dataset, wanted, numbers)
    return wanted, root


def _no_such_build(dataset: str, number: int, numbers: list[int]) -> UnknownDataset:
    have = ", ".join(map(str, numbers))
    if 1 <= number < numbers[-1]:  # builds count from 1, and the newest always stays
        return UnknownDataset(
            f"build {number} of {dataset!r} is no longer kept: gc removed it; builds kept: {have}",
            hint=f"To have it again, bring back mldata.yaml, mldata.lock, sources and code of then (git), and run: mldata build {dataset}",
        )
    return UnknownDataset(
        f"dataset {dataset!r} has no build {number}; builds kept: {have}",
        hint=f"See what there is: mldata log {dataset}",
    )


def removed(numbers: list[int]) -> list[tuple[int, int]]:
    """Builds that there were and that are no longer kept, as ranges from first to last, by the ``numbers`` of those that are."""
    before = [0, *numbers]
    return [(low + 1, high - 1) for low, high in pairwise(before) if high - low > 1]


def records(store: Store, dataset: str) -> list[BuildRecord]:
    """All builds of a dataset that the store keeps, oldest first."""
    return [read_record(store, dataset, number) for number in build_numbers(store, dataset)]


def build_numbers(store: Store, dataset: str) -> list[int]:
    """Numbers of the builds that the store keeps, ascending."""
    prefix = series(dataset) + "/"
    tails = (name.removeprefix(prefix) for name in store.refs.names(prefix))
    return sorted(int(tail) for tail in tails if tail.isdigit())


def parse_name(text: str) -> tuple[str, int | None]:
    """``penguins``, ``penguins@3`` or ``penguins@latest`` as (name, build number); None is the newest."""
    match = re.fullmatch(rf"([^@]+)(?:@(\d+|{NEWEST}))?", text, re.ASCII)
    if match is None:
        raise UnknownDataset(
            f"expected NAME or NAME@BUILD with a build number, found {text!r}", hint="For example: penguins@3"
        )
    return match[1], int(match[2]) if match[2] and match[2] != NEWEST else None


def load_record(store: Store, root: Digest, dataset: str, number: int) -> BuildRecord:
    """The record in the tree ``root``."""
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
