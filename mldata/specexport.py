"""The section ``export:`` of ``mldata.yaml``: files for others to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from mldata import specvalues as values
from mldata.errors import SpecError
from mldata.exports import EXPORTS, ExportInfo
from mldata.exports.base import Compression
from mldata.frameworks import FRAMEWORKS
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["DEFAULT_COMPRESSION", "FORMATS", "Dvc", "Export", "GitLfs", "narrowed"]

FORMATS = tuple(EXPORTS)
DEFAULT_COMPRESSION = "zstd"
LFS_ABOVE = 10_000_000
"""Bytes from which CSV, JSON Lines and archives are tracked by Git LFS by default."""


def _whole(raw: Any) -> Any:
    """``true`` stands for all defaults, ``false`` for none of it."""
    if isinstance(raw, dict | Section):
        return raw
    return {} if values.as_flag(raw) else None


class Dvc(Section):
    """How DVC tracks an export."""

    example: ClassVar[str] = "true, or {each: true, require: false}"

    require: values.Flag = True
    each: values.Flag = False
    """Each file has a ``.dvc`` file of its own, instead of the folder."""

    def to_plain(self) -> dict[str, Any]:
        """Settings with every default filled in, but for what was added later and is not asked for."""
        return {"require": self.require, **({"each": True} if self.each else {})}


class GitLfs(Section):
    """What Git LFS tracks of an export."""

    example: ClassVar[str] = "true, or {above: 10MB}"

    above: values.Size = LFS_ABOVE
    pointers: values.Flag = False

    def to_plain(self) -> dict[str, Any]:
        """Settings with every default filled in."""
        return {"above": self.above, "pointers": self.pointers}


class Export(Section):
    """Files for others to read."""

    example: ClassVar[str] = "{formats: [parquet]}, or {} for all defaults"

    to: values.ExportFolder | None = None
    formats: Annotated[
        list[Annotated[str, values.one_of(*FORMATS, group="mldata.exports")]],
        AfterValidator(values.distinct),
        BeforeValidator(values.as_list),
    ] = Field(default_factory=lambda: ["parquet"])
    compression: values.Compressions = DEFAULT_COMPRESSION
    row_index: values.Flag = False
    shard_size: values.Size | None = None
    escape_formulas: values.Flag = False
    exact_floats: values.Flag = False
    framework: Annotated[
        list[Annotated[str, values.one_of(*FRAMEWORKS, group="mldata.frameworks")]],
        AfterValidator(values.distinct),
        BeforeValidator(values.as_list),
    ] = Field(default_factory=list)
    dvc: Annotated[Dvc | None, BeforeValidator(_whole)] = None
    git_lfs: Annotated[GitLfs | None, BeforeValidator(_whole)] = None

    def faults(self) -> Iterator[Fault]:
        """An empty list of formats; a codec for a format that is not written; two trackers for one folder."""
        if not self.formats:
            yield Fault(
                f"expected at least one of {', '.join(FORMATS)}; found an empty list", at=("formats",)
            )
        if isinstance(self.compression, dict):
            for name in self.compression:
                if name not in self.formats:
                    yield Fault(
                        f"{name!r} is not among the formats that are written: {', '.join(self.formats)}",
                        at=("compression", name, "[key]"),
                    )
        yield from self._codec_faults()
        if self.dvc is not None and self.git_lfs is not None:
            yield Fault(
                "DVC and Git LFS would both keep the files of this export",
                "leave one of 'dvc' and 'git_lfs' out",
                ("git_lfs", "[key]"),
            )

    def _codec_faults(self) -> Iterator[Fault]:
        """A codec or level that a format lacks, and a codec for all that none of them uses. Formats of plug-ins are judged by the stage."""
        known = [EXPORTS[name] for name in self.formats if name in EXPORTS]
        for info in known:
            try:
                Compression.of(self.compression, info.name, info.codecs, info.wrapped)
            except SpecError as error:
                where = (info.name,) if isinstance(self.compression, dict) else ()
                yield Fault(error.message, at=("compression", *where))
        unused = all(info.wrapped or not info.codecs for info in known) and len(known) == len(self.formats)
        said = self.compression if "compression" in self.model_fields_set else "none"
        if unused and known and isinstance(said, str) and said != "none" and not self.framework:
            names = ", ".join(info.name for info in known)
            yield Fault(
                f"{said!r} is for formats that compress inside, and none of these does: {names}",
                _instead(said, known),
                ("compression",),
            )

    def to_plain(self, name: str) -> dict[str, Any]:
        """Parameters of the stage, and where things go; the order of ``formats`` and ``framework`` has no meaning.

        What is not asked for is left out, so that a new setting changes no export that does not use it.
        """
        return {
            "to": self.to or f"artifacts/{name}",
            "formats": _ordered(self.formats, FORMATS),
            "compression": dict(sorted(self.compression.items()))
            if isinstance(self.compression, dict)
            else self.compression,
            "row_index": self.row_index,
            **({"shard_size": self.shard_size} if self.shard_size else {}),
            **({"escape_formulas": True} if self.escape_formulas else {}),
            **({"exact_floats": True} if self.exact_floats else {}),
            **({"framework": _ordered(self.framework, tuple(FRAMEWORKS))} if self.framework else {}),
            **({"dvc": self.dvc.to_plain()} if self.dvc is not None else {}),
            **({"git_lfs": self.git_lfs.to_plain()} if self.git_lfs is not None else {}),
        }


def narrowed(compression: str | Mapping[str, str], formats: Iterable[str]) -> str | dict[str, str] | None:
    """What holds for ``formats`` of a ``compression`` that was said of other ones; None where nothing does."""
    if not isinstance(compression, str):
        return {name: codec for name, codec in compression.items() if name in formats} or None
    inside = [EXPORTS[name] for name in formats if name in EXPORTS and not EXPORTS[name].wrapped]
    try:
        codecs = [Compression.of(compression, info.name, info.codecs) for info in inside if info.codecs]
    except SpecError:
        return None
    return compression if codecs else None


def _instead(said: str, known: Iterable[ExportInfo]) -> str:
    """What to say in place of a codec that no format uses."""
    packed = {info.wrapped: info.name for info in known if info.wrapped}
    codec = said.partition(":")[0]
    if codec in packed:
        name = packed[codec]
        return f"for the level of a file that is compressed as a whole name the format: compression: {{{name}: {codec}:9}}, or --compression {name}={codec}:9"
    wholes = [
        whole.name
        for whole in EXPORTS.values()
        if whole.wrapped == codec and any(whole.name.startswith(f"{info.name}.") for info in known)
    ]
    if wholes:
        return f"to have files compressed as a whole write {', '.join(wholes)}: --formats {','.join(wholes)}"
    return "leave the compression out, or write a format that has it"


def _ordered(names: list[str], order: tuple[str, ...]) -> list[str]:
    """Built-in ones in their order, then those of plug-ins."""
    return [name for name in order if name in names] + sorted(set(names) - set(order))
