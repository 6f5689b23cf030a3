"""What a content is, by its first bytes; text, which has none that say so, by the name.

Invariant: a name alone never makes a file an image, a recording or a binary table.
"""

from __future__ import annotations

from mldata.integrity import KINDS, TABLE, KindInfo

__all__ = ["kind_by_name", "kind_of"]


def kind_of(name: str, head: bytes) -> KindInfo | None:
    """The kind of a content; None if it is none that is checked. ``head``: its first 4 KiB, or all there is."""
    return _by_content(head) or _text(kind_by_name(name))


def kind_by_name(name: str) -> KindInfo | None:
    """The kind that a name promises: its suffix, below that of a compression (``a.csv.gz``)."""
    base = name.rsplit("/", 1)[-1].lower()
    return next((info for info in KINDS.values() if base.endswith(info.suffixes)), None)


def _text(info: KindInfo | None) -> KindInfo | None:
    return (
        info
        if info is not None and info.family == TABLE and info.name in ("csv", "tsv", "json", "jsonl")
        else None
    )


def _by_content(head: bytes) -> KindInfo | None:
    for start, name in (
        (b"\xff\xd8\xff", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF8", "gif"),
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
    ):
        if head.startswith(start):
            return KINDS[name]
    return None
