"""What a build was made by, beside its sources: kept in its record, so that it can be made again whatever the spec says by then.

Format, version 1: one JSON object. Mappings keep their order, which shows in manifests; that is why the canonical encoding, which sorts, will
not do. The code that a transform ran is kept beside it, as a tree under the paths that ``params["transform"]["code"]`` names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldata.errors import BuildError

__all__ = ["Recipe"]

VERSION = 1


@dataclass(frozen=True)
class Recipe:
    """How a build was made."""

    sources: Sequence[Mapping[str, Any]]
    """As its manifest tells them."""
    params: Mapping[str, Mapping[str, Any]]
    """By stage, in order, every default filled in."""
    limits: Sequence[Sequence[Any]] = ()
    """Of each step of the transform: [seconds or None, bytes or None]."""

    @property
    def code(self) -> Mapping[str, str]:
        """Digest by path of the files that the transform's functions may run."""
        found: Mapping[str, str] = self.params.get("transform", {}).get("code", {})
        return found

    def to_text(self) -> str:
        """The JSON text."""
        body = {
            "recipe": VERSION,
            "sources": [dict(source) for source in self.sources],
            "params": {stage: dict(params) for stage, params in self.params.items()},
            "limits": [list(pair) for pair in self.limits],
        }
        return json.dumps(body, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str | bytes, where: str) -> Recipe:
        """What :meth:`to_text` wrote. Raises ``BuildError`` for anything else, or another version; ``where`` names the build."""
        try:
            body = json.loads(text)
            version = body["recipe"]
            if version == VERSION:
                return cls(body["sources"], body["params"], body["limits"])
        except (ValueError, LookupError, TypeError, RecursionError):
            version = "none"
        raise BuildError(
            f"expected a recipe of version {VERSION}, found {version!r}",
            where=where,
            hint="If a newer mldata recorded this build, use that one.",
        )
