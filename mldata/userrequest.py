"""What a process for the user's code is to do, and the folder that tells it.

The folder: ``request`` (msgpack), ``code`` (a copy of the code, from the bytes that were hashed), ``work`` (the working folder),
``tmp``, ``out`` (fragments that it makes), ``printed``, and at the end ``answer`` (msgpack).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldata.usercode import RESERVED

__all__ = ["Limits", "Request", "own_path", "prepare"]


@dataclass(frozen=True)
class Limits:
    """What an action may take."""

    seconds: float | None
    memory: int | None
    """Bytes."""


@dataclass(frozen=True)
class Request:
    """What the process is to do."""

    steps: Sequence[Mapping[str, Any]]
    first: int
    """Number of the first step in the spec, from 1."""
    fragments: Sequence[str]
    """Paths of the input's fragments, all of ``schema``."""
    schema: bytes
    whole: bool
    """Whether the fragments are a whole table, and the output is cut anew."""
    code: Mapping[str, bytes]
    source: str
    """What the input is called in messages."""


def prepare(request: Request, limits: Limits, folder: Path, root: Path) -> None:
    """Fill the empty ``folder``; see :func:`mldata.userprocess.run_request`."""
    import msgpack

    for name in ("code", "out", "work", "tmp"):
        (folder / name).mkdir(parents=True)
    for path, data in request.code.items():
        target = folder / "code" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    paths = [step["function"].rpartition(":")[0] for step in request.steps if step["step"] == "function"]
    bases = dict.fromkeys(["", *(os.path.dirname(path) for path in paths)])
    local = {
        path.removeprefix(f"{base}/").partition("/")[0].removesuffix(".py")
        for base in bases
        for path in request.code
    }
    body = {
        "path": own_path(root),
        "code": str(folder / "code"),
        "bases": list(bases),
        "local": sorted(local - sys.stdlib_module_names - RESERVED),
        "steps": [dict(step) for step in request.steps],
        "first": request.first,
        "fragments": list(request.fragments),
        "schema": request.schema,
        "whole": request.whole,
        "memory": limits.memory,
    }
    (folder / "request").write_bytes(msgpack.packb(body))


def own_path(root: Path) -> list[str]:
    """``sys.path`` of this process without the project: only code that was hashed may be found by its name."""
    entries = dict.fromkeys(os.path.abspath(entry) for entry in sys.path)
    return [entry for entry in entries if os.path.realpath(entry) != os.path.realpath(root)]
