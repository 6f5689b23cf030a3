"""The formats a source may have, by name, and which of its files are read with which.

A format's module is imported only when a file of it is read. Third parties add one through an entry point of the group
``mldata.formats`` that loads to a :class:`~mldata.formats.base.FormatInfo`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mldata.formats.base import FormatInfo
from mldata.plugins import plugins

__all__ = ["FORMATS", "MEDIA", "FormatInfo", "find_format", "formats", "load_format"]

FORMATS: dict[str, FormatInfo] = {
    info.name: info
    for info in (
        FormatInfo("csv", "tabular", (".csv",), "mldata.formats.csv", "Csv", rejects=True),
        FormatInfo("tsv", "tabular", (".tsv", ".tab"), "mldata.formats.csv", "Tsv", rejects=True),
        FormatInfo(
            "jsonl",
            "tabular",
            (".jsonl", ".ndjson"),
            "mldata.formats.json",
            "JsonLines",
            (b"{",),
            rejects=True,
        ),
        FormatInfo(
            "json", "tabular", (".json",), "mldata.formats.json", "Json", (b"[",), rejects=True, shy=True
        ),
        FormatInfo(
            "parquet", "tabular", (".parquet", ".pq"), "mldata.formats.parquet", "Parquet", (b"PAR1",)
        ),
        FormatInfo(
            "arrow",
            "tabular",
            (".arrow", ".feather", ".ipc"),
            "mldata.formats.arrow",
            "Arrow",
            (b"ARROW1", b"FEA1"),
        ),
        FormatInfo("orc", "tabular", (".orc",), "mldata.formats.orc", "Orc", (b"ORC",)),
        FormatInfo(
            "arff",
            "tabular",
            (".arff",),
            "mldata.formats.arff",
            "Arff",
            (b"@relation", b"@RELATION", b"@Relation"),
        ),
        FormatInfo(
            "sqlite",
            "tabular",
            (".sqlite", ".sqlite3", ".db", ".db3"),
            "mldata.formats.sqlite",
            "Sqlite",
            (b"SQLite format 3\0",),
            options=("table",),
            companions=("-wal", "-journal"),
        ),
        FormatInfo(
            "xlsx",
            "tabular",
            (".xlsx", ".xlsm"),
            "mldata.formats.xlsx",
            "Xlsx",
            libraries=("pyarrow", "openpyxl"),
            options=("sheet",),
            refused=(".xls", ".xlsb", ".ods"),
        ),
        FormatInfo(
            "npy",
            "tabular",
            (".npy", ".npz"),
            "mldata.formats.npy",
            "Npy",
            (b"\x93NUMPY",),
            libraries=("pyarrow", "numpy"),
        ),
        FormatInfo(
            "images",
            "images",
            (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
            "mldata.formats.images",
            "Images",
            (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"),
        ),
        FormatInfo(
            "audio",
            "audio",
            (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"),
            "mldata.formats.audio",
            "Audio",
            (b"fLaC", b"OggS", b"ID3"),
        ),
    )
}

MEDIA = frozenset({"images", "audio"})
"""Kinds of formats whose files are rows."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
"""Suffixes behind that of the format: ``table.csv.gz``."""
HEAD_BYTES = 16
"""How much of a file without a suffix is looked at."""


def formats() -> dict[str, FormatInfo]:
    """The built-in formats and those of installed plug-ins (which cannot replace a built-in one)."""
    return {**plugins("mldata.formats"), **FORMATS}


def find_format(name: str, head: bytes) -> FormatInfo | None:
    """The format of a file by its name or, where the name has no suffix, by its first bytes."""
    base = name.rsplit("/", 1)[-1].lower()
    inner = base.removesuffix(next((end for end in COMPRESSED if base.endswith(end)), ""))
    if inner != base:
        return next(
            (i for i in formats().values() if i.kind == "tabular" and inner.endswith(i.suffixes)), None
        )
    dot = base.rfind(".")
    for info in formats().values():
        if dot > 0 and base.endswith((*info.suffixes, *info.refused)):
            return info
    if dot > 0:
        return None
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"WEBP"):
        return formats()["audio" if head[8:12] == b"WAVE" else "images"]
    for info in formats().values():
        if info.magic and head.startswith(info.magic):
            return info
    return None


def load_format(name: str) -> Any:
    """Import and make the format called ``name``: a ``TabularFormat`` or ``MediaFormat`` by its kind."""
    info = formats()[name]
    return getattr(import_module(info.module), info.factory)()
