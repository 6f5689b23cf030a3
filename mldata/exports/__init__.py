"""The export formats, by name. A format's module is imported only when it writes.

Third parties add one through an entry point of the group ``mldata.exports`` that loads to an :class:`ExportInfo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from mldata.plugins import plugins

if TYPE_CHECKING:
    from mldata.exports.base import ExportFormat

__all__ = ["EXPORTS", "ExportInfo", "exports", "find_export", "load_export"]


class ExportInfo(NamedTuple):
    """What planning an export needs to know of a format without importing it."""

    name: str
    module: str
    factory: str
    suffix: str
    """End of the file's name."""
    codecs: Mapping[str, range | None]
    """Levels by codec; None: the codec has none. Empty: the file is plain."""
    libraries: tuple[str, ...] = ("pyarrow",)
    """Distributions whose versions can change the bytes."""


_PARQUET_CODECS = {"zstd": range(1, 23), "snappy": None, "gzip": range(1, 10), "lz4": None, "brotli": None}
_ARROW_CODECS = {"zstd": range(1, 23), "lz4": None}

EXPORTS: dict[str, ExportInfo] = {
    info.name: info
    for info in (
        ExportInfo("parquet", "mldata.exports.parquet", "Parquet", ".parquet", _PARQUET_CODECS),
        ExportInfo("csv", "mldata.exports.csv", "Csv", ".csv", {}),
        ExportInfo("jsonl", "mldata.exports.jsonl", "JsonLines", ".jsonl", {}),
        ExportInfo("arrow", "mldata.exports.arrow", "ArrowFile", ".arrow", _ARROW_CODECS),
    )
}


def exports() -> dict[str, ExportInfo]:
    """The built-in formats, then those of installed plug-ins (which cannot replace a built-in one)."""
    return EXPORTS | {name: info for name, info in plugins("mldata.exports").items() if name not in EXPORTS}


def find_export(name: str) -> ExportInfo:
    """What is known of the format called ``name``; plug-ins are looked for only if it is not built in."""
    return EXPORTS.get(name) or exports()[name]


def load_export(name: str) -> ExportFormat:
    """Import and make the format called ``name`` (a key of :func:`exports`)."""
    info = find_export(name)
    made: ExportFormat = getattr(import_module(info.module), info.factory)()
    return made
