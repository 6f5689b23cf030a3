"""A project: the folder of a ``mldata.yaml``, and its spec in plain form.

This is what the rest of the code reads; it knows neither pydantic nor YAML. The spec's plain form is kept in
``.mldata/cache/spec-KEY.msgpack``, so that a build with nothing to do parses nothing. KEY is the digest of the spec's
bytes, of the code that reads specs, and of :data:`PLAIN_VERSION`; the file is msgpack of ``Spec.to_plain()`` followed
by the 32-byte BLAKE3 digest of it. Invariant: the cache only saves time. Damaged, it is made again; in a place that
cannot be written, it is done without.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import msgpack
from blake3 import blake3

from mldata.errors import UnknownDataset, UsageError, Where

if TYPE_CHECKING:
    from mldata.spec import InvalidSpec

__all__ = [
    "SPEC_NAME",
    "STORE_VARIABLE",
    "DatasetSpec",
    "NoProject",
    "Project",
    "find_project",
    "load_project",
    "make_dataset",
    "surrounding",
    "within",
]

SPEC_NAME = "mldata.yaml"
STATE_NAME = ".mldata"
STORE_VARIABLE = "MLDATA_STORE"
PLAIN_VERSION = 5
"""Raised when the plain form changes its shape."""

_DIGEST_SIZE = 32
_READERS = (
    *("spec.py", "specsections.py", "specsection.py", "specvalues.py", "specsplit.py", "speccuts.py"),
    *(
        "specdialect.py",
        "specsteps.py",
        "stepvalues.py",
        "specgraph.py",
        "reference.py",
        "partnames.py",
        "quantities.py",
    ),
    *(
        "specvalidate.py",
        "specfetch.py",
        "specprofile.py",
        "specexpect.py",
        "config.py",
        "quantities.py",
        "timecuts.py",
    ),
    *("expression.py", "yamltree.py"),
    *(
        f"checkspecs/{check}.py"
        for check in ("schema", "missing", "duplicates", "labels", "leakage", "outliers", "files")
    ),
)


class NoProject(UsageError):
    """There is no mldata.yaml in a folder or above it."""


@dataclass(frozen=True)
class DatasetSpec:
    """What the spec says of one dataset, every default filled in."""

    name: str
    sources: tuple[str, ...]
    """As written: paths and globs, relative ones to the project's root."""
    normalize: Mapping[str, Any]
    """Parameters of the stage, as for :attr:`split` and :attr:`export`: plain JSON types that enter action keys."""
    split: Mapping[str, Any] | None
    """None if the dataset is not split."""
    export: Mapping[str, Any] | None
    """None if the dataset is only built into the store. ``to`` is relative to the root, or absolute."""
    transform: Mapping[str, Any] | None = None
    """``steps``, which are the stage's parameters, and their ``limits``; None if the table stays as it was read."""
    validate: Mapping[str, Any] | None = None
    """None if nothing is checked."""
    fetch: Mapping[str, Any] = field(default_factory=dict)
    """How to download, as far as the spec says it: see :class:`mldata.download.options.DownloadOptions`."""
    profile: Mapping[str, Any] | None = None
    """None if builds keep no summaries of the data."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that it goes through, in order."""
        optional = (
            ("transform", self.transform),
            ("split", self.split),
            ("validate", self.validate),
            ("profile", self.profile),
            ("export", self.export),
        )
        return ("fetch", "normalize", *(stage for stage, params in optional if params is not None))

    def params(self, stage: str) -> Mapping[str, Any]:
        """Parameters of a stage of :attr:`stages`."""
        if stage == "transform":
            return {"steps": (self.transform or {})["steps"]}
        found: Mapping[str, Any] = {} if stage == "fetch" else getattr(self, stage)
        return found


@dataclass(frozen=True)
class Project:
    """A project folder."""

    root: Path
    """Absolute."""
    spec_path: Path
    store_path: Path
    """Absolute: MLDATA_STORE (relative to the working folder) or else ``store:`` (relative to the root)."""
    state: Path
    """Where receipts, records and caches are: ``.mldata`` in the root."""
    link: Literal["auto", "reflink", "hardlink", "copy"]
    """How exports are materialized: auto, reflink, hardlink or copy."""
    salt: str
    datasets: Mapping[str, DatasetSpec]
    """By name, in the order of the spec."""
    places: Callable[[tuple[str | int, ...]], Where | None] | None = None
    """Where something is said that is not in the spec; None: everything is (see ``mldata.into``)."""
    locks: bool = True
    """Whether sources are compared with mldata.lock, and it is kept."""

    def dataset(self, name: str) -> DatasetSpec:
        """The dataset called ``name``. Raises UnknownDataset with the nearest name."""
        try:
            return self.datasets[name]
        except KeyError:
            from mldata.nearest import nearest

            near = nearest(name, self.datasets)
            hint = f"did you mean {near!r}?" if near else None
            if hint is None:
                have = ", ".join(sorted(self.datasets)[:20])
                hint = f"it has {have}" if have else f"'mldata add {name} SOURCE' adds one"
            raise UnknownDataset(f"{self.spec_path.name} has no dataset {name!r}", hint=hint) from None

    def stages(self, dataset: str | DatasetSpec) -> tuple[str, ...]:
        """Names of the stages that a dataset goes through, in order."""
        return (self.datasets[dataset] if isinstance(dataset, str) else dataset).stages

    def where(self, *keys: str | int) -> Where:
        """Where the spec says something, for example ``where("datasets", "penguins", "source")``; reads it again."""
        if self.places is not None and (place := self.places(keys)) is not None:
            return place
        from mldata.spec import locate

        file = _shown(self.spec_path)
        try:
            return locate(self.spec_path.read_bytes(), file, *keys)
        except OSError:
            return Where(file)


def find_project(start: Path | str = ".") -> Path:
    """The nearest folder, from ``start`` upwards, that holds a mldata.yaml.

    The search ends at the root of a git work tree: what lies above belongs to something else.

    Raises:
        NoProject: there is none. UsageError: its name is not right.
    """
    folder = Path(os.path.abspath(start))
    for candidate in (folder, *folder.parents):
        if os.path.lexists(candidate / SPEC_NAME):
            return candidate
        if os.path.lexists(candidate / "mldata.yml"):
            hint = f"rename it: mv {candidate / 'mldata.yml'} {candidate / SPEC_NAME}"
            raise UsageError(f"expected {SPEC_NAME} in {candidate}, found mldata.yml", hint=hint)
        if os.path.lexists(candidate / ".git"):
            break
    hint = "'mldata init' makes one here; '-C DIR' works in another folder"
    raise NoProject(f"no {SPEC_NAME} in {folder} or above it", hint=hint)


def load_project(folder_or_spec: Path | str) -> Project:
    """Read the project in a folder, or of a spec file.

    Raises:
        UsageError: there is no spec, or it cannot be read.
        SpecError: the spec is not valid; every problem in it is named.
    """
    path = Path(os.path.abspath(folder_or_spec))
    spec_path = path / SPEC_NAME if path.is_dir() else path
    try:
        data = spec_path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"expected a spec, found no {_shown(spec_path)}", hint="'mldata init' makes one"
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot read {_shown(spec_path)}: {error.strerror}", hint="check that it is a readable file"
        ) from None
    root = spec_path.parent
    plain = _plain(data, spec_path, root / STATE_NAME)
    store = os.environ.get(STORE_VARIABLE) or str(root / plain["store"])
    project = Project(
        root=root,
        spec_path=spec_path,
        store_path=Path(os.path.abspath(os.path.expanduser(store))),
        state=root / STATE_NAME,
        link=plain["link"],
        salt=plain["salt"],
        datasets=MappingProxyType(
            {name: make_dataset(name, dataset) for name, dataset in plain["datasets"].items()}
        ),
    )
    _check_exports(project)
    return project


def surrounding(start: Path | str) -> Project | None:
    """The project that a folder lies in, if it lies in one."""
    try:
        return load_project(find_project(start))
    except NoProject:
        return None


def make_dataset(name: str, plain: Mapping[str, Any]) -> DatasetSpec:
    """A dataset from its plain form (``Spec.to_plain()["datasets"][name]``, ``spec.parse_dataset``)."""
    return DatasetSpec(
        name,
        tuple(plain["source"]),
        plain["normalize"],
        plain["split"],
        plain["export"],
        plain["transform"],
        plain["validate"],
        plain["fetch"],
        plain["profile"],
    )


def _plain(data: bytes, spec_path: Path, state: Path) -> Mapping[str, Any]:
    cache = state / "cache" / f"spec-{_cache_key(data)}.msgpack"
    plain = _read_cache(cache)
    if plain is None:
        from mldata.spec import parse_spec

        plain = parse_spec(data, _shown(spec_path)).to_plain()
        _write_cache(cache, plain)
    return plain


def _cache_key(data: bytes) -> str:
    key = blake3(b"mldata spec %d" % PLAIN_VERSION)
    for name in _READERS:
        # Size and time of the code rather than its version: right for an installed release and a work tree alike.
        stat = os.stat(os.path.join(os.path.dirname(__file__), name))
        key.update(b" %d %d" % (stat.st_size, stat.st_mtime_ns))
    return key.update(b"\n").update(data).hexdigest()


def _read_cache(path: Path) -> Mapping[str, Any] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    body, digest = content[:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    if blake3(body).digest() != digest:
        return None
    plain: Mapping[str, Any] = msgpack.unpackb(body)
    return plain


def _write_cache(path: Path, plain: Mapping[str, Any]) -> None:
    from store import StoreError, publish_bytes

    body = msgpack.packb(plain)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        publish_bytes(path, body + blake3(body).digest())
        for old in path.parent.glob("spec-*.msgpack"):
            if old != path:
                old.unlink(missing_ok=True)
    except (OSError, StoreError):
        pass  # a read-only or full disk: the next run parses the spec again


def _check_exports(project: Project) -> None:
    """Refuse exports in each other's or anybody's way that only absolute paths tell; the spec itself knows no root."""
    root, kept = str(project.root), (str(project.state), str(project.store_path))
    folders: dict[str, str] = {}
    exports = [dataset.export for dataset in project.datasets.values() if dataset.export is not None]
    absolute = any(os.path.isabs(export["to"]) for export in exports)
    for name, dataset in project.datasets.items():
        if dataset.export is None:
            continue
        to = os.path.normpath(os.path.join(root, dataset.export["to"]))
        if within(root, to):
            raise _export_error(
                project, name, f"expected a folder that does not hold the project, found {to}"
            )
        for folder in kept:
            if within(to, folder) or within(folder, to):
                raise _export_error(project, name, f"expected a folder apart from {folder}, found {to}")
        for source in dataset.sources:
            if within(to, os.path.normpath(os.path.join(root, os.path.expanduser(source)))):
                raise _export_error(
                    project, name, f"the export to {to} would be read as part of the source {source!r}"
                )
        for other, other_name in folders.items() if absolute else ():
            if within(to, other) or within(other, to):
                raise _export_error(
                    project, name, f"the exports of {other_name!r} and {name!r} would share a folder"
                )
        folders[to] = name


def within(path: str, folder: str) -> bool:
    """Whether an absolute, normal path is ``folder`` or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _export_error(project: Project, dataset: str, message: str) -> InvalidSpec:
    from mldata.spec import InvalidSpec
    from mldata.yamltree import Problem

    where = project.where("datasets", dataset, "export", "to")
    return InvalidSpec([Problem(where, message, "give it another 'to:'")])


def _shown(path: Path) -> str:
    """As a person would type it: relative where that is shorter."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)
