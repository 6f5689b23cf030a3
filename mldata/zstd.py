"""Zstandard: Python's own module from 3.14 on, before that the library that gives it to earlier versions."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor, zstd_version
else:
    from backports.zstd import CompressionParameter, ZstdCompressor, zstd_version

__all__ = ["CompressionParameter", "ZstdCompressor", "zstd_version"]
