"""Ways in which files are written, in words: ``csv, utf-8, delimiter ';', header, decimal ','``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["way_text", "way_words"]

_USUAL = {"quote": '"', "comment": "", "decimal": ".", "thousands": ""}


def way_text(way: Mapping[str, Any]) -> str:
    """One of the facts that :func:`mldata.stages.dialects.summary` gives, in a line."""
    more = f" and {way['files'] - 1:,} more" if way["files"] > 1 else ""
    return f"{way_words(way)}: {way['first']}{more}"


def way_words(way: Mapping[str, Any]) -> str:
    """:func:`way_text` without the files."""
    said = [way["format"], way.get("compression"), way.get("encoding")]
    said += [f"{key} {way[key]!r}" for key in ("table", "sheet") if key in way]
    if "delimiter" in way:
        said.append(f"delimiter {way['delimiter']!r}")
        said.append("header" if way["header"] else "no header")
        said += [f"{key} {way[key]!r}" for key in _USUAL if way[key] != _USUAL[key]]
    return ", ".join(filter(None, said))
