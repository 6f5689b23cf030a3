"""File integrity: whether every file is whole, down to the last pixel, sample and row.

The kinds of content by name. A checker's module is imported in a worker process, when a file of its kind comes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mldata.integrity.base import Checker

__all__ = ["KINDS", "SNIFFING", "KindInfo", "load_checker"]

IMAGE, AUDIO, TABLE, VIDEO = "image", "audio", "table", "video"

SNIFFING = 1
"""Raised whenever :mod:`mldata.integrity.kinds` takes the same bytes of the same name for another kind."""


class KindInfo(NamedTuple):
    """What is known of a kind of content without importing its checker."""

    name: str
    family: str
    """``image``, ``audio``, ``table`` or ``video``."""
    suffixes: tuple[str, ...]
    """Names that such files have, in lower case; the first is the usual one."""
    module: str
    factory: str
    version: int = 1
    """Raised whenever the same bytes would be found to be something else."""
    libraries: tuple[str, ...] = ()
    """Distributions whose versions can change what is found."""
    extra: str | None = None
    """What has to be installed for it, if it is not in the core."""


_IMAGES = ("pillow",)
_SOUNDS = ("soundfile", "numpy")
_TABLES = ("pyarrow",)
_TEXTS = ("pyarrow", "charset-normalizer")

KINDS: dict[str, KindInfo] = {
    info.name: info
    for info in (
        KindInfo("jpeg", IMAGE, (".jpg", ".jpeg", ".jpe", ".jfif"), "mldata.integrity.jpeg", "Jpeg", 1, (*_IMAGES, "simplejpeg")),
        KindInfo("png", IMAGE, (".png", ".apng"), "mldata.integrity.png", "Png", 1, _IMAGES),
        KindInfo("gif", IMAGE, (".gif",), "mldata.integrity.gif", "Gif", 1, _IMAGES),
        KindInfo("bmp", IMAGE, (".bmp", ".dib"), "mldata.integrity.bmp", "Bmp", 1, _IMAGES),
        KindInfo("webp", IMAGE, (".webp",), "mldata.integrity.webp", "WebP", 1, _IMAGES),
        KindInfo("tiff", IMAGE, (".tiff", ".tif"), "mldata.integrity.tiff", "Tiff", 1, _IMAGES),
        KindInfo("wav", AUDIO, (".wav", ".wave"), "mldata.integrity.wav", "Wav", 1, _SOUNDS),
        KindInfo("aiff", AUDIO, (".aiff", ".aif", ".aifc"), "mldata.integrity.aiff", "Aiff", 1, _SOUNDS),
        KindInfo("flac", AUDIO, (".flac",), "mldata.integrity.flac", "Flac", 1, _SOUNDS),
        KindInfo("ogg", AUDIO, (".ogg", ".oga", ".opus"), "mldata.integrity.ogg", "Ogg", 1, _SOUNDS),
        KindInfo("mp3", AUDIO, (".mp3",), "mldata.integrity.mp3", "Mp3", 1, _SOUNDS),
        KindInfo("parquet", TABLE, (".parquet", ".pq"), "mldata.integrity.parquet", "Parquet", 1, _TABLES),
        KindInfo("arrow", TABLE, (".arrow", ".feather", ".ipc"), "mldata.integrity.arrow", "Arrow", 1, _TABLES),
        KindInfo("orc", TABLE, (".orc",), "mldata.integrity.orc", "Orc", 1, _TABLES),
        KindInfo("csv", TABLE, (".csv",), "mldata.integrity.csv", "Csv", 1, _TEXTS),
        KindInfo("tsv", TABLE, (".tsv", ".tab"), "mldata.integrity.csv", "Tsv", 1, _TEXTS),
        KindInfo("json", TABLE, (".json",), "mldata.integrity.json", "Json", 1),
        KindInfo("jsonl", TABLE, (".jsonl", ".ndjson"), "mldata.integrity.jsonl", "JsonLines", 1, _TABLES),
        KindInfo("mp4", VIDEO, (".mp4", ".m4v", ".mov"), "mldata.integrity.video", "Video", 1, ("av",), "video"),
        KindInfo("avi", VIDEO, (".avi",), "mldata.integrity.video", "Video", 1, ("av",), "video"),
        KindInfo("mkv", VIDEO, (".mkv",), "mldata.integrity.video", "Video", 1, ("av",), "video"),
        KindInfo("webm", VIDEO, (".webm",), "mldata.integrity.video", "Video", 1, ("av",), "video"),
    )
}  # fmt: skip


def load_checker(name: str) -> Checker:
    """Import and make the checker of a kind (a key of :data:`KINDS`)."""
    info = KINDS[name]
    made: Checker = getattr(import_module(info.module), info.factory)()
    return made
