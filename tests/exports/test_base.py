"""Compression as the spec names it."""

from __future__ import annotations

import pytest

from mldata.errors import SpecError
from mldata.exports import EXPORTS
from mldata.exports.base import Compression


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("zstd", "parquet", Compression("zstd")),
        ("zstd:22", "parquet", Compression("zstd", 22)),
        ("gzip:1", "parquet", Compression("gzip", 1)),
        ("none", "parquet", Compression("none")),
        ("lz4", "arrow", Compression("lz4")),
        ("brotli", "csv", Compression("none")),
    ],
)
def test_a_compression_is_read(text: str, name: str, expected: Compression) -> None:
    """Codec and level; formats that are not compressed ignore it."""
    found = Compression.parse(text, EXPORTS[name].codecs, name)
    assert found == expected
    assert str(found) == ("none" if name == "csv" else text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("snappy", "arrow"),
        ("zstd:23", "parquet"),
        ("zstd:x", "parquet"),
        ("lz4:3", "parquet"),
        ("rar", "parquet"),
    ],
)
def test_what_a_format_lacks_is_an_error(text: str, name: str) -> None:
    """The message lists what it has."""
    has = (
        "zstd\\[:1-22\\], lz4, none"
        if name == "arrow"
        else "zstd\\[:1-22\\], snappy, gzip\\[:1-9\\], lz4, brotli\\[:0-11\\], none"
    )
    with pytest.raises(
        SpecError, match=f"the {name} format cannot be compressed with '{text}'; it has {has}"
    ):
        Compression.parse(text, EXPORTS[name].codecs, name)
