"""A build straight into a folder, without a spec: ``mldata build SOURCE -o DIR``.

A project is made up around one dataset, and the one build engine builds it, so that it gives the bytes that a spec would. Results go to
the store of the project that the working folder lies in, else to ``MLDATA_STORE``, else to ``mldata/store`` in the user's cache
(``XDG_CACHE_HOME``). Receipts and doit's state are kept beside that, below ``folders/KEY``, where KEY stands for the folder's path: nothing
but the export is ever in the folder itself, and nothing at all in the working folder.

Invariant: two builds of one folder take turns (``mldata.projectlock``), and no lock file or receipt of the surrounding project is touched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mldata.errors import SourceError, UsageError, Where
from mldata.graph import Step, steps
from mldata.partnames import unportable
from mldata.project import (
    SPEC_NAME,
    STORE_VARIABLE,
    DatasetSpec,
    Project,
    make_dataset,
    within,
)
from mldata.reference import is_reference, parse_reference
from mldata.sources import LOCAL, local_path, scheme_of
from mldata.userfolders import cache_folder

if TYPE_CHECKING:
    from mldata.spec import Flags

__all__ = [
    "FOLDERS",
    "Order",
    "default_store",
    "folder_key",
    "from_root",
    "make_home",
    "order",
]

FOLDERS = "folders"
"""Where the state of such builds is, in a project's state or the user's cache."""
FALLBACK = "dataset"
"""Name of the dataset where the folder's name gives none."""


@dataclass(frozen=True)
class Order:
    """What is to be built into a folder."""

    name: str
    """Of the dataset; the manifest has it."""
    folder: Path
    """Absolute."""
    project: Project
    """Made up: the dataset, and those of the surrounding project that it stands on."""


def order(
    words: Sequence[str],
    to: str | os.PathLike[str],
    sections: Mapping[str, Any],
    base: Project | None,
    flags: Flags | None = None,
) -> Order:
    """What ``words`` ask for: a dataset of the spec by its name, or sources.

    Args:
        to: the folder.
        sections: ``normalize``, ``split`` and ``export`` (without ``to``), as in a spec, as far as they are said.
        base: the project that the working folder lies in.
        flags: what to call settings in messages.

    Raises:
        UsageError, InvalidSpec: what is asked for makes no sense, or the folder is in the way of something.
    """
    if not os.fspath(to):
        raise UsageError("expected a folder, found ''", where=(flags or {}).get(("export", "to"), "to"))
    typed = os.path.abspath(os.path.expanduser(to))
    folder = Path(os.path.realpath(typed))
    named = _named(words, folder, sections, base, flags)
    spec = named or _unnamed(words, _name(os.path.basename(typed)), folder, sections, base, flags)
    datasets = {**(base.datasets if base is not None else {}), spec.name: spec}
    needed = {step.dataset for step in steps(datasets, [Step(spec.name, stage) for stage in spec.stages])}
    home = base.state if base is not None else cache_folder()
    project = Project(
        root=base.root if base is not None else Path.cwd(),
        spec_path=base.spec_path if base is not None else Path.cwd() / SPEC_NAME,
        store_path=base.store_path if base is not None else default_store(),
        state=home / FOLDERS / folder_key(folder),
        link=base.link if base is not None else "auto",
        salt=base.salt if base is not None else "",
        datasets=MappingProxyType({name: it for name, it in datasets.items() if name in needed}),
        places=None if named is not None else _Places(spec.name, flags),
        locks=False,
    )
    _check_folder(project, spec, base, flags)
    make_home(project.state)
    return Order(spec.name, folder, project)


@dataclass(frozen=True)
class _Places:
    """Where the settings of a dataset are said that is in no spec."""

    name: str
    flags: Flags | None

    def __call__(self, keys: tuple[str | int, ...]) -> Where | None:
        from mldata.spec import argument_place

        return argument_place(keys[2:], "arguments", self.flags) if keys[1:2] == (self.name,) else None


def _named(
    words: Sequence[str], folder: Path, sections: Mapping[str, Any], base: Project | None, flags: Flags | None
) -> DatasetSpec | None:
    """The dataset of the spec that is meant, exported to ``folder``; None if none is."""
    names = [word for word in words if base is not None and word in base.datasets]
    if base is None or not names:
        return None
    if len(words) > 1:
        raise UsageError(
            f"expected one dataset for {folder}, found {' and '.join(words)}",
            hint=f"build each into a folder of its own; or all into one table: dataset://{names[0]} is {names[0]!r} as a source",
        )
    said = [name for name in sections if name != "export"]
    if said:
        where = (flags or {}).get((said[0],), said[0])
        raise UsageError(
            f"the spec says how {names[0]!r} is made; only its export may be another one here",
            where=where,
            hint=f"leave it out; or take the dataset as a source: dataset://{names[0]}",
        )
    from mldata.spec import parse_dataset
    from mldata.specexport import narrowed

    found = base.datasets[names[0]]
    own = {name: value for name, value in (found.export or {}).items() if name != "to"}
    wanted = sections.get("export", {})
    if (
        "formats" in wanted
        and own
        and (codec := narrowed(own.pop("compression"), wanted["formats"])) is not None
    ):
        own["compression"] = codec
    export = {**own, **wanted, "to": str(folder)}
    plain = parse_dataset(names[0], {"source": list(found.sources), "export": export}, flags=flags)
    return replace(found, export=plain["export"])


def _unnamed(
    words: Sequence[str],
    name: str,
    folder: Path,
    sections: Mapping[str, Any],
    base: Project | None,
    flags: Flags | None,
) -> DatasetSpec:
    """The dataset of sources, called ``name`` unless it reads one of that name."""
    from mldata.download.signed import unsigned
    from mldata.spec import InvalidSpec, argument_place, parse_dataset
    from mldata.specgraph import graph_faults
    from mldata.yamltree import Problem

    there = base.datasets if base is not None else {}
    if base is None and (lone := next(filter(is_reference, words), None)) is not None:
        raise UsageError(
            f"expected {lone} to be a dataset of {SPEC_NAME}, found no such file in {Path.cwd()} or above it",
            where=(flags or {}).get(("source",), "source"),
            hint="'-C DIR' works in the folder of a project",
        )
    read = [it.dataset for word in words if (it := parse_reference(word)) is not None and it.dataset in there]
    if name in {step.dataset for step in steps(there, [Step(it, "normalize") for it in read])}:
        name = next(other for n in range(2, len(there) + 3) if (other := f"{name}-{n}") not in there)
    root = base.root if base is not None else Path.cwd()
    section = {"source": [unsigned(from_root(word, root)) for word in words], **sections}
    section["export"] = {**sections.get("export", {}), "to": str(folder)}
    plain = parse_dataset(name, section, flags=flags)
    graph = {other: {"source": it.sources, "split": it.split} for other, it in there.items()}
    problems = [
        Problem(argument_place(fault.at[2:], "arguments", flags), fault.message, fault.hint)
        for fault in graph_faults({**graph, name: plain})
    ]
    if problems:
        raise InvalidSpec(problems)
    return make_dataset(name, plain)


def _name(folder: str) -> str:
    """A dataset name like the folder's."""
    like = re.sub(r"[^a-z0-9._-]+", "-", folder.lower()).strip("-._")[:90].rstrip("-._")
    return FALLBACK if not like or unportable(like) else like


def from_root(text: str, root: Path) -> str:
    """A source as typed in the working folder, as the spec must have it: relative to the spec's folder.

    Raises:
        UsageError: it is meant to be a path, and is none of this machine.
    """
    if scheme_of(text) == "index+file" and "//" not in text[: len("index+file://")]:
        scheme, _, path = text.partition(":")
        return f"{scheme}:{from_root(path, root)}"
    if scheme_of(text) != LOCAL:
        return text
    try:
        text = local_path(text)
    except SourceError as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from None
    if os.path.isabs(text) or text.startswith("~"):
        return text
    here = Path.cwd()
    return text if here == root else Path(os.path.relpath(here / text, root)).as_posix()


def _check_folder(project: Project, spec: DatasetSpec, base: Project | None, flags: Flags | None) -> None:
    """Refuse a folder that holds, or lies in, what must stay apart from it."""
    to = str((spec.export or {})["to"])

    def refuse(message: str) -> UsageError:
        where = (flags or {}).get(("export", "to"), "to")
        return UsageError(message, where=where, hint="choose another folder")

    if base is not None and within(os.path.realpath(base.root), to):
        raise refuse(f"expected a folder that does not hold the project, found {to}")
    for kept in map(os.path.realpath, (project.store_path, project.state)):
        if within(to, kept) or within(kept, to):
            raise refuse(f"expected a folder apart from {kept}, found {to}")
    for name, other in base.datasets.items() if base is not None else ():
        theirs = os.path.realpath(project.root / other.export["to"]) if other.export is not None else None
        if theirs is not None and (within(to, theirs) or within(theirs, to)):
            raise refuse(f"{theirs} is where the spec exports {name!r}: 'mldata build {name}' does")
    from mldata.spec import export_faults

    paths = [
        os.path.realpath(os.path.join(project.root, os.path.expanduser(source)))
        for source in spec.sources
        if scheme_of(source) == LOCAL
    ]
    plain = {"source": paths, "split": spec.split, "export": spec.export}
    for fault in export_faults({spec.name: plain}):
        raise refuse(fault.message)


def make_home(state: Path) -> None:
    """Make the folder for the state of what is built without a spec. Raises ``UsageError`` where that cannot be."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write {state}: {error.strerror}",
            hint="XDG_CACHE_HOME names another folder for caches, MLDATA_STORE one for the results",
        ) from None


def default_store() -> Path:
    """The store where there is no project."""
    named = os.environ.get(STORE_VARIABLE)
    return Path(os.path.abspath(os.path.expanduser(named))) if named else cache_folder() / "store"


def folder_key(folder: Path) -> str:
    """Names a folder in those of the state."""
    from blake3 import blake3

    return blake3(os.fsencode(folder)).hexdigest()[:32]
