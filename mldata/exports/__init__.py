"""The export formats, by name. A format's module is imported only when it writes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mldata.exports.base import ExportFormat

__all__ = ["EXPORTS", "ExportInfo", "load_export"]


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


def load_export(name: str) -> ExportFormat:
    """Import and make the format called ``name`` (a key of :data:`EXPORTS`)."""
    info = EXPORTS[name]
    made: ExportFormat = getattr(import_module(info.module), info.factory)()
    return made
