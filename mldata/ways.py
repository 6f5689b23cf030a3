"""Ways in which files are written, in words: ``csv, utf-8, delimiter ';', header, decimal ','``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["way_text"]

_USUAL = {"quote": '"', "comment": "", "decimal": ".", "thousands": ""}


def way_text(way: Mapping[str, Any]) -> str:
    """One of the facts that :func:`mldata.stages.dialects.summary` gives, in a line."""
    more = f" and {way['files'] - 1:,} more" if way["files"] > 1 else ""
    said = [way["format"], way.get("compression"), way.get("encoding")]
    if "delimiter" in way:
        said.append(f"delimiter {way['delimiter']!r}")
        said.append("header" if way["header"] else "no header")
        said += [f"{key} {way[key]!r}" for key in _USUAL if way[key] != _USUAL[key]]
    return f"{', '.join(filter(None, said))}: {way['first']}{more}"
