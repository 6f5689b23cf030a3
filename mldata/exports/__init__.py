"""The export formats, by name. A format's module is imported only when it writes.

Third parties add one through an entry point of the group ``mldata.exports`` that loads to an :class:`ExportInfo`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from mldata.plugins import plugins

if TYPE_CHECKING:
    from mldata.exports.base import ExportFormat

__all__ = ["EXPORTS", "ExportInfo", "exports", "find_export", "load_export", "split_name"]


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
    wrapped: str | None = None
    """The codec that the whole file is compressed with, as in ``.csv.gz``: ``compression: CODEC`` for all formats is not for it."""
    path: str = "{part}{suffix}"
    """Where the only file of a part is in the export folder."""
    shard_path: str = "{part}-{number:05d}-of-{count:05d}{suffix}"
    """Where file ``number`` (from 0) of ``count`` is, if parts are cut into shards."""
    embeds: bool = False
    """It holds the media files themselves: they need not be beside it. Its :meth:`open` wants ``writing``."""
    options: tuple[str, ...] = ()
    """Settings of ``export:`` that change its bytes, beside the codec; they come in ``writing.options``."""
    companions: bool = False
    """It has small files beside its files: it is a :class:`mldata.exports.base.Accompanied`."""
    wants_classes: bool = False
    """It writes labels as numbers: its :meth:`open` wants ``writing`` with the classes (:mod:`mldata.labelclasses`)."""
    splits: bool = False
    """Parts have other names in its paths: see :func:`split_name`."""

    @property
    def told(self) -> bool:
        """Whether its :meth:`open` wants ``writing``: it is a :class:`mldata.exports.base.Told`."""
        return bool(self.embeds or self.options or self.wants_classes)

    def file_path(self, part: str, number: int = 0, count: int | None = None) -> str:
        """The path of a file; ``count`` None: a part is one file."""
        template = self.path if count is None else self.shard_path
        part = split_name(part) if self.splits else part
        return template.format(part=part, suffix=self.suffix, number=number, count=count or 1)


def split_name(part: str) -> str:
    """What a part is called as a split of the ``datasets`` library: letters, digits and '_'; never ``all``, which stands for every split.

    The only part of a table that is not split, ``data``, is ``train`` there, as everybody expects who loads a dataset without splits.
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", part)
    return {"data": "train", "all": "all_"}.get(name.lower(), name)


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
