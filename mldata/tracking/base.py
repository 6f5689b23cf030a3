"""What a tracker is: it makes an export known to a program that versions files (DVC, Git LFS), from digests.

Invariant: the files of the export are not read again, what they are is known to the store; nothing that the user had is changed
without being asked for; of a tracker that fails nothing half-written is left, and the export stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from store import Digest, Store

__all__ = ["Place", "Published", "Tracked", "Tracker"]


@dataclass(frozen=True)
class Place:
    """Where an export is or is to be, and what was asked for."""

    folder: Path
    """Absolute."""
    settings: Mapping[str, Any]
    """Those of the tracker, as the spec has them in its plain form, every default filled in."""
    force: bool = False
    """Replace what somebody else wrote."""


@dataclass(frozen=True)
class Published:
    """An export that stands in its folder."""

    place: Place
    store: Store
    tree: Digest
    """Of the export; each file in the folder has the bytes that it says."""


@dataclass(frozen=True)
class Tracked:
    """What a tracker did."""

    facts: Mapping[str, Any]
    """What ``--json`` gives below the tracker's name."""
    lines: tuple[str, ...] = ()
    """What a person is shown: what was written, and the next commands."""
    warnings: tuple[str, ...] = field(default=())


class Tracker(Protocol):
    """Makes exports known to one program."""

    def check(self, place: Place) -> None:
        """Whether it can be done, before anything is built or written.

        Raises ``MldataError`` with what to do: a program is missing, there is no repository, a file is in the way.
        """
        ...

    def lacking(self, place: Place, store: Store, tree: Digest) -> str | None:
        """Why :meth:`track` has to be run for an export that is up to date; None if all is as it would leave it.

        Quick, since every build asks: it reads small files and looks at others, and starts no program.
        """
        ...

    def track(self, published: Published) -> Tracked:
        """Do it. What is right already stays untouched. Raises ``MldataError``."""
        ...
