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
    """Distributions whose versions can change the bytes, and of what comes with Python ``zlib`` and ``zstd``."""
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
    rewrites: bool = False
    """It takes over what did not change from an earlier file: it is a :class:`mldata.exports.base.Rewriter`."""

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


_ZSTD = range(1, 23)
_GZIP = range(1, 10)
_PARQUET_CODECS = {"zstd": _ZSTD, "snappy": None, "gzip": _GZIP, "lz4": None, "brotli": range(12)}
_ARROW_CODECS = {"zstd": _ZSTD, "lz4": None}
_ORC_CODECS = {"zstd": None, "snappy": None, "gzip": None, "lz4": None}
_SPREADSHEET = ("escape_formulas",)
_TFRECORD = ExportInfo(
    "tfrecord",
    "mldata.exports.tfrecord",
    "TfRecord",
    ".tfrecord",
    {},
    embeds=True,
    options=("exact_floats",),
    companions=True,
    wants_classes=True,
)


def _texts(name: str, module: str, factory: str, options: tuple[str, ...] = ()) -> tuple[ExportInfo, ...]:
    """A text format, and the formats whose files are its files compressed as a whole."""
    plain = ExportInfo(name, module, factory, f".{name}", {}, options=options)
    packed = [
        plain._replace(
            name=f"{name}.{end}",
            module="mldata.exports.packed",
            factory=f"{name}_{end}",
            suffix=f".{name}.{end}",
            codecs={codec: levels},
            libraries=("pyarrow", library),
            wrapped=codec,
        )
        for end, codec, levels, library in (("gz", "gzip", _GZIP, "zlib"), ("zst", "zstd", _ZSTD, "zstd"))
    ]
    return plain, *packed


EXPORTS: dict[str, ExportInfo] = {
    info.name: info
    for info in (
        ExportInfo(
            "parquet", "mldata.exports.parquet", "Parquet", ".parquet", _PARQUET_CODECS, rewrites=True
        ),
        *_texts("csv", "mldata.exports.csv", "Csv", _SPREADSHEET),
        *_texts("tsv", "mldata.exports.csv", "Tsv", _SPREADSHEET),
        *_texts("jsonl", "mldata.exports.jsonl", "JsonLines"),
        *_texts("json", "mldata.exports.json", "Json"),
        ExportInfo("arrow", "mldata.exports.arrow", "ArrowFile", ".arrow", _ARROW_CODECS),
        ExportInfo("feather", "mldata.exports.arrow", "ArrowFile", ".feather", _ARROW_CODECS),
        ExportInfo("orc", "mldata.exports.orc", "Orc", ".orc", _ORC_CODECS),
        _TFRECORD,
        _TFRECORD._replace(
            name="tfrecord.gz",
            factory="TfRecordGz",
            suffix=".tfrecord.gz",
            codecs={"gzip": _GZIP},
            libraries=("pyarrow", "zlib"),
            wrapped="gzip",
        ),
        ExportInfo(
            "webdataset",
            "mldata.exports.webdataset",
            "WebDataset",
            ".tar",
            {},
            path="{part}-000000{suffix}",
            shard_path="{part}-{number:06d}{suffix}",
            embeds=True,
            companions=True,
            wants_classes=True,
        ),
        ExportInfo(
            "huggingface",
            "mldata.exports.huggingface",
            "HuggingFace",
            ".arrow",
            {},
            path="{part}/data-00000-of-00001{suffix}",
            shard_path="{part}/data-{number:05d}-of-{count:05d}{suffix}",
            embeds=True,
            companions=True,
            wants_classes=True,
            splits=True,
        ),
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
