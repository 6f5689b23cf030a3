"""What the services over a whole store (gc, check) see of it: its parts, opened. ``Store`` has them all."""

from __future__ import annotations

from typing import Protocol

from store.actions import ActionCache
from store.digest import Digest
from store.index import Index
from store.layout import Layout
from store.leases import Leases
from store.objects import Objects
from store.partials import Partials
from store.refs import Refs
from store.trees import Tree

__all__ = ["Parts"]


class Parts(Protocol):
    """An open store."""

    @property
    def layout(self) -> Layout: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def index(self) -> Index: ...
    @property
    def objects(self) -> Objects: ...
    @property
    def actions(self) -> ActionCache: ...
    @property
    def refs(self) -> Refs: ...
    @property
    def partials(self) -> Partials: ...
    @property
    def leases(self) -> Leases: ...

    def tree(self, digest: Digest) -> Tree:
        """The tree of that digest, verified."""
        ...
