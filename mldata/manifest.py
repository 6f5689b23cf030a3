"""``manifest.yaml``: what an exported dataset is, and where each byte of it came from.

Format, version 1: a YAML mapping. Top-level keys stand in a fixed order; below them every entry is one line in JSON,
which is YAML, so that a manifest of 50,000 files is written and read in a moment and differs line by line::

    manifest: 1
    mldata: "0.1.0"
    dataset: "penguins"
    kind: "tabular"
    sources:
    - {"source": "data/*.csv", "tree": "…", "files": 3, "bytes": 15241}
    rows: 344
    schema:
    - {"name": "species", "type": "string", "nullable": true}
    parts:
    - {"name": "train", "rows": 275, "ratio": 0.8}
    params:
      split: {"method": "random", …}
    versions:
      split: {"version": 1, "libraries": {}}
    file_count: 2
    files:
    - {"path": "train.parquet", "blake3": "…", "sha256": "…", "size": 8123, "format": "parquet", "part": "train", "rows": 275}
    - {"path": "cat/1.png", "blake3": "…", "sha256": "…", "size": 512, "format": "media"}

Invariant: equal datasets have equal manifests. No time, host, user or absolute path of the machine is in it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mldata.errors import MldataError, UsageError, Where

__all__ = [
    "BadManifest",
    "Manifest",
    "ManifestField",
    "ManifestFile",
    "ManifestPart",
    "manifest_text",
    "read_manifest",
]

VERSION = 1

Record = TypeVar("Record")


class BadManifest(MldataError):
    """A manifest.yaml that mldata did not write, or that was damaged."""

    code = "manifest"


@dataclass(frozen=True)
class ManifestField:
    """A column of the exported files."""

    name: str
    type: str
    """Arrow's name of the type."""
    nullable: bool


@dataclass(frozen=True)
class ManifestPart:
    """A part of the dataset."""

    name: str
    rows: int
    ratio: float | None = None
    """What the spec asked for; None when the dataset is not split."""


@dataclass(frozen=True)
class ManifestFile:
    """A file of the export folder."""

    path: str
    """Relative to the manifest's folder, with ``/``."""
    blake3: str
    sha256: str
    size: int
    """Bytes."""
    format: str
    """Name of an export format, or ``media`` for a file that rows refer to."""
    part: str | None = None
    rows: int | None = None
    md5: str | None = None
    """Where DVC tracks the export: by this it knows the file."""


@dataclass(frozen=True)
class Manifest:
    """All that a manifest says."""

    mldata: str
    """Version of mldata."""
    dataset: str
    kind: str
    """``tabular``, ``images`` or ``audio``."""
    sources: tuple[Mapping[str, Any], ...]
    """``source`` as the spec has it, digest of its ``tree``, ``files`` and ``bytes``, and how many files of each suffix were ``skipped`` and ``excluded``."""
    rows: int
    schema: tuple[ManifestField, ...]
    """Of each exported file: the table's columns, and the row index where it was asked for."""
    parts: tuple[ManifestPart, ...]
    params: Mapping[str, Any]
    """Parameters by stage, with defaults filled in."""
    versions: Mapping[str, Any]
    """``version`` and ``libraries`` by stage."""
    files: tuple[ManifestFile, ...]


def manifest_text(manifest: Manifest) -> str:
    """The manifest as YAML: the same text for equal manifests."""
    return "".join(f"{line}\n" for line in _lines(manifest))


def _lines(manifest: Manifest) -> Iterator[str]:
    yield f"manifest: {VERSION}"
    yield f"mldata: {_json(manifest.mldata)}"
    yield f"dataset: {_json(manifest.dataset)}"
    yield f"kind: {_json(manifest.kind)}"
    yield from _listed("sources", manifest.sources)
    yield f"rows: {manifest.rows}"
    yield from _listed("schema", [vars(field) for field in manifest.schema])
    yield from _listed("parts", [_present(vars(part)) for part in manifest.parts])
    yield from _keyed("params", manifest.params)
    yield from _keyed("versions", manifest.versions)
    yield f"file_count: {len(manifest.files)}"  # so that a manifest that was cut short is noticed
    yield "files:" if manifest.files else "files: []"
    for file in manifest.files:  # only text and whole numbers, for which json's own encoder does
        yield "- " + _yaml_safe(json.dumps(_present(vars(file)), ensure_ascii=False))


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _listed(key: str, items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"{key}:" if items else f"{key}: []"
    for item in items:
        yield f"- {_json(item)}"


def _keyed(key: str, items: Mapping[str, Any]) -> Iterator[str]:
    yield f"{key}:" if items else f"{key}: {{}}"
    for name in items:
        yield f"  {name}: {_json(items[name])}"


_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What JSON may leave as it is and YAML may not, or takes for a line end. (JSON's pairs of escapes for a character
beyond U+FFFF would be two characters in YAML, so nothing else is escaped.)"""


def _json(value: Any) -> str:
    """``value`` as text that JSON and YAML 1.1 read alike. Mappings keep their order.

    Raises ``ValueError`` for NaN and infinities, which JSON lacks.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a manifest cannot hold {value}")
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")  # YAML 1.1 takes 1e-05 for text
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_json(str(key))}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_json, value)) + "]"
    return _yaml_safe(json.dumps(value, ensure_ascii=False))


def _yaml_safe(text: str) -> str:
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def read_manifest(path: Path | str) -> Manifest:
    """Read a manifest.

    Raises:
        UsageError: there is none at ``path``.
        BadManifest: the file is not a manifest of a version that this mldata knows; unknown and missing keys count.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            "expected a manifest, found no such file",
            where=str(path),
            hint="`mldata build` writes one into the export.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadManifest(f"the manifest cannot be read: {error}", where=str(path)) from error
    try:
        return _manifest(_parse(text))
    except _Unexpected as error:
        raise BadManifest(
            f"expected a manifest of version {VERSION} as mldata writes it, found {error}",
            where=Where(str(path)),
            hint="Delete the file and run `mldata build`, which writes it again.",
        ) from error


class _Unexpected(Exception):
    """What was found instead."""


def _parse(text: str) -> Any:
    """The text as plain data. The files are read line by line as JSON: YAML takes a minute for 50,000 of them."""
    import yaml

    head, mark, tail = text.partition("\nfiles:\n")
    try:
        data = yaml.safe_load(head)
        if mark and isinstance(data, dict):
            if not all(line.startswith("- {") for line in tail.splitlines()):
                raise _Unexpected("a line below `files:` that is not a list entry")
            data["files"] = [json.loads(line[2:]) for line in tail.splitlines()]
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        raise _Unexpected(" ".join(str(error).split())) from error
    return data


def _manifest(data: Any) -> Manifest:
    _check(data, {"manifest": (int,), "file_count": (int,)} | _TYPES[Manifest], "at the top")
    if data["manifest"] != VERSION:
        raise _Unexpected(f"version {data['manifest']}")
    files = _records(ManifestFile, data["files"], "files")
    if len(files) != data["file_count"]:
        raise _Unexpected(f"{len(files)} files where {data['file_count']} should be")
    for file in files:
        if any(name in ("", ".", "..") for name in file.path.split("/")) or "\\" in file.path:
            raise _Unexpected(f"the unsafe path {file.path!r}")
    return Manifest(
        **{key: data[key] for key in ("mldata", "dataset", "kind", "rows", "params", "versions")},
        sources=tuple(data["sources"]),
        schema=_records(ManifestField, data["schema"], "schema"),
        parts=_records(ManifestPart, data["parts"], "parts"),
        files=files,
    )


_TYPES: dict[type, dict[str, tuple[type | None, ...]]] = {
    Manifest: {
        "mldata": (str,),
        "dataset": (str,),
        "kind": (str,),
        "sources": (list,),
        "rows": (int,),
        "schema": (list,),
        "parts": (list,),
        "params": (dict,),
        "versions": (dict,),
        "files": (list,),
    },
    ManifestField: {"name": (str,), "type": (str,), "nullable": (bool,)},
    ManifestPart: {"name": (str,), "rows": (int,), "ratio": (float, None)},
    ManifestFile: {
        "path": (str,),
        "blake3": (str,),
        "sha256": (str,),
        "size": (int,),
        "format": (str,),
        "part": (str, None),
        "rows": (int, None),
        "md5": (str, None),
    },
}
"""Types of every key; None: it may be missing."""


def _records(kind: type[Record], items: list[Any], key: str) -> tuple[Record, ...]:
    for number, item in enumerate(items):
        _check(item, _TYPES[kind], f"in entry {number + 1} of `{key}`")
    return tuple(kind(**item) for item in items)


def _check(item: Any, types: Mapping[str, tuple[type | None, ...]], where: str) -> None:
    if not isinstance(item, dict):
        raise _Unexpected(f"{type(item).__name__} instead of a mapping {where}")
    for key, allowed in types.items():
        if type(item.get(key)) not in allowed and not (key not in item and None in allowed):
            raise _Unexpected(f"no `{key}` {where}" if key not in item else f"`{key}: {item[key]!r}` {where}")
    unknown = item.keys() - types
    if unknown:
        raise _Unexpected(f"the unknown key `{min(unknown, key=str)}` {where}")
