"""What of its making has changed between two builds, two exports, or one of each: sources, parameters, code, versions. Told by a build's record, or by the
manifest of an export; no data is read.

Invariant: only what both tell is compared. A manifest says nothing of Python, nor of the stages that an export is made without, so of a build and an
export these are left out. Nothing of clock times, hosts, folders or how long something took is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from mldata.evolution.paths import below
from mldata.stages import UNTOLD

if TYPE_CHECKING:
    from mldata.evolution.datadiff import FilesDiff
    from mldata.manifest import Manifest
    from mldata.records import BuildRecord

    FilesOf = Callable[[Any, Any], FilesDiff | None]

__all__ = [
    "MISSING",
    "Difference",
    "Making",
    "MakingDiff",
    "as_json",
    "compare_making",
    "making_of_export",
    "making_of_record",
]


class _Missing:
    """Stands where one side has no such setting; null is a setting."""

    def __repr__(self) -> str:
        return "(not set)"


MISSING = _Missing()
ADDED, REMOVED, CHANGED = "added", "removed", "changed"


def as_json(value: Any) -> Any:
    """A setting as JSON has it. A manifest that somebody has edited may hold what YAML has besides: dates, NaN, numbers as keys."""
    if isinstance(value, Mapping):
        return {str(name): as_json(it) for name, it in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(it) for it in value]
    plain = (
        value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    )
    return value if plain else str(value)


@dataclass(frozen=True)
class Making:
    """How something was made."""

    sources: Sequence[Mapping[str, Any]]
    """``source`` as the spec names it, digest of its ``tree``, ``files``, ``bytes``, and ``remote``: which revision of it."""
    params: Mapping[str, Any]
    """By stage."""
    versions: Mapping[str, Any]
    """``mldata``, ``python``, and by stage ``version`` and ``libraries``."""
    code: Mapping[str, str]
    """Digest by path of the files that the transform's functions are in."""
    whole: bool
    """Whether it is of a build, which tells all."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was."""

    path: str
    old: Any
    """:data:`MISSING`: there was none."""
    new: Any

    @property
    def change(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        return ADDED if self.old is MISSING else REMOVED if self.new is MISSING else CHANGED

    def to_json(self) -> dict[str, Any]:
        """What is missing is null."""
        old, new = (None if it is MISSING else as_json(it) for it in (self.old, self.new))
        return {"path": self.path, "change": self.change, "old": old, "new": new}


@dataclass(frozen=True)
class SourceDifference(Difference):
    """A source that is not as it was: its name, its revision, or its files."""

    files: FilesDiff | None = None
    """None: its files are the same, there were or are none, or the store does not have their list."""

    def to_json(self) -> dict[str, Any]:
        """With the files."""
        return {**super().to_json(), "files": self.files.to_json() if self.files is not None else None}


@dataclass(frozen=True)
class MakingDiff:
    """What has changed of a making."""

    sources: Sequence[SourceDifference] = ()
    params: Sequence[Difference] = ()
    code: Sequence[Difference] = ()
    versions: Sequence[Difference] = ()
    left_out: Sequence[str] = ()
    """What only one side tells, and was not compared."""

    @property
    def same(self) -> bool:
        """Whether nothing has."""
        return not (self.sources or self.params or self.code or self.versions)

    def to_json(self) -> dict[str, Any]:
        """As ``mldata diff --json`` has it."""
        told = {
            name: [it.to_json() for it in getattr(self, name)]
            for name in ("sources", "params", "code", "versions")
        }
        return {**told, "left_out": list(self.left_out), "same": self.same}


def making_of_record(record: BuildRecord) -> Making:
    """How a build was made."""
    params = {stage: _own(facts.get("params", {})) for stage, facts in record.stages.items()}
    versions: dict[str, Any] = {
        stage: {"version": facts.get("version"), "libraries": dict(facts.get("libraries", {}))}
        for stage, facts in record.stages.items()
    }
    whole = {"mldata": record.mldata, "python": record.python}
    return _making(record.sources, params, {**whole, **versions}, True)


def making_of_export(manifest: Manifest, where: str) -> Making:
    """How an export was made. Raises ``BadManifest`` for a manifest that tells it in another form than mldata does; ``where`` names the export."""
    from mldata.manifest import BadManifest

    told = (*manifest.sources, *manifest.params.values(), *manifest.versions.values())
    transform = manifest.params.get("transform", {})
    code = transform.get("code", {}) if isinstance(transform, Mapping) else {}
    if not all(isinstance(it, Mapping) for it in (*told, code)):
        raise BadManifest(
            "expected a manifest with a mapping for each source, and of params and versions for each stage; found something else",
            where=where,
            hint="Write the export again: mldata build, or mldata export NAME -o DIR.",
        )
    params = {stage: _own(it) for stage, it in manifest.params.items()}
    return _making(manifest.sources, params, {"mldata": manifest.mldata, **manifest.versions}, False)


def _own(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a stage alone: those of an export repeat what the stages before it were given."""
    return {name: value for name, value in params.items() if name != "recipe"}


def _making(
    sources: Sequence[Mapping[str, Any]],
    params: dict[str, dict[str, Any]],
    versions: dict[str, Any],
    whole: bool,
) -> Making:
    params.pop("fetch", None)  # its sources are told beside it
    code = params.get("transform", {}).pop("code", {})
    return Making(sources, params, versions, code, whole)


def compare_making(old: Making, new: Making, files: FilesOf) -> MakingDiff:
    """What is not as it was.

    Args:
        files: what became of the files of one tree in another, by their digests; None where that is not known.
    """
    left_out = ("python", *sorted(UNTOLD)) if old.whole != new.whole else ()
    params, versions = (
        [{key: value for key, value in it.items() if key not in left_out} for it in pair]
        for pair in ((old.params, new.params), (old.versions, new.versions))
    )
    return MakingDiff(
        tuple(_sources(old.sources, new.sources, files)),
        tuple(_changes("", *params)),
        tuple(_code(old.code, new.code)),
        tuple(_changes("", *versions)),
        left_out,
    )


def _sources(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], files: FilesOf
) -> Iterator[SourceDifference]:
    """By their places: a source that has another name is the same one elsewhere."""
    for before, after in zip_longest(old, new, fillvalue=MISSING):
        if before != after:
            trees = [it.get("tree") if isinstance(it, Mapping) else None for it in (before, after)]
            moved = trees[0] != trees[1] and None not in trees
            name = source_name(after if after is not MISSING else before)
            yield SourceDifference(name, before, after, files(*trees) if moved else None)


def source_name(source: Any) -> str:
    """How the spec names a source; several that make one table in a row."""
    named = source.get("source", "")
    return ", ".join(map(str, named)) if isinstance(named, list | tuple) else str(named)


def _code(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for path in sorted({*old, *new}):
        was, now = old.get(path, MISSING), new.get(path, MISSING)
        if was != now:
            yield Difference(path, was, now)


def _changes(path: str, old: Any, new: Any) -> Iterator[Difference]:
    """The innermost settings that differ: of mappings by their keys, of lists of one length by their places."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from _changes(below(path, str(name)), old.get(name, MISSING), new.get(name, MISSING))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _nested(old, new):
        for number, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _changes(f"{path}[{number}]", was, now)
    elif not _equal(old, new):
        yield Difference(path, old, new)


def _nested(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether lists are of mappings; a list of plain values is one value."""
    return all(isinstance(value, Mapping) for value in (*old, *new))


def _equal(old: Any, new: Any) -> bool:
    """1 and true are two settings."""
    return bool(old == new) and (isinstance(old, bool) == isinstance(new, bool))
