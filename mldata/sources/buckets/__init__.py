"""What each kind of bucket or remote file system needs to be listed and read: one file a kind, all as a :class:`~.base.Kind`.

A kind's module is imported only when a source of it is opened; the client's package only when something is asked.
"""

from __future__ import annotations

from importlib import import_module

from mldata.sources.buckets.base import Kind

__all__ = ["ALIASES", "kind_of"]

ALIASES = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}
"""Other names of schemes."""
_MODULES = {"s3": "s3", "gs": "gs", "az": "az", "sftp": "sftp"}


def kind_of(scheme: str) -> Kind:
    """What is known of a scheme; one that only fsspec knows is read as any file system."""
    name = ALIASES.get(scheme, scheme)
    if name not in _MODULES:
        from mldata.sources.buckets.other import other_kind

        return other_kind(name)
    kind: Kind = import_module(f"mldata.sources.buckets.{_MODULES[name]}").KIND
    return kind
