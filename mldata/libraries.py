"""Versions of the libraries that write outputs, which are in the keys of actions."""

from __future__ import annotations

from functools import cache

__all__ = ["library_version"]


@cache
def library_version(name: str) -> str:
    """The version of a distribution, or ``absent``; of ``zlib`` and ``zstd``, the version of the library that runs inside of Python."""
    from importlib.metadata import PackageNotFoundError, version

    if name == "zlib":
        import zlib

        return zlib.ZLIB_RUNTIME_VERSION
    try:
        if name == "zstd":
            from mldata.zstd import zstd_version

            return zstd_version
        return version(name)
    except (PackageNotFoundError, ImportError):
        return "absent"
