"""The lines that git lfs and a custom transfer agent exchange: one JSON object each, over standard input and output.

Source: ``docs/custom-transfers.md`` of Git LFS. A request is ``init`` (answered by ``{}``), ``upload`` or ``download`` (answered by any
number of ``progress`` and one ``complete``), or ``terminate`` (not answered).

Invariant: an object id that leaves here is 64 lower-case hex digits, so that it is safe in a path; a size is no negative number.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

__all__ = ["LONGEST", "Request", "TransferError", "complete", "failure", "parse", "progress"]

LONGEST = 1 << 20
"""Bytes of a line; git lfs sends a few hundred, more with the headers of a server."""

BAD_REQUEST, NOT_FOUND, NOT_AS_PROMISED = 400, 404, 422
"""Codes of errors, as HTTP has them: git lfs shows them and nothing more."""

_OID = re.compile(r"[0-9a-f]{64}\Z")
_EVENTS = ("init", "upload", "download", "terminate")


class TransferError(Exception):
    """What ends one transfer, and no other."""

    def __init__(self, message: str, code: int = BAD_REQUEST, *, oid: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.oid = oid
        """What the request called the object, where that is known and the request itself is what is wrong."""


class Request(NamedTuple):
    """One line of git lfs."""

    event: Literal["init", "upload", "download", "terminate"]
    operation: str = ""
    """Of ``init``: ``upload`` or ``download``."""
    oid: str = ""
    """SHA-256 of the content, as the others."""
    size: int = 0
    path: str = ""
    """Of an ``upload``: the file to read."""


def parse(line: bytes) -> Request:
    """A request. Raises :class:`TransferError` for a line that is none."""
    try:
        said: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TransferError(f"expected a JSON object on one line, found {line[:80]!r}: {error}") from None
    event = said.get("event") if isinstance(said, dict) else None
    if event not in _EVENTS:
        raise TransferError(
            f"expected an event of {', '.join(_EVENTS)}, found {event!r:.80}; is this program run by git lfs?",
            oid=_named(said),
        )
    if event == "terminate":
        return Request("terminate")
    if event == "init":
        operation = said.get("operation")
        if operation not in ("upload", "download"):
            raise TransferError(f"expected the operation upload or download, found {operation!r:.80}")
        return Request("init", operation)
    return _transfer(event, said)


def _transfer(event: Any, said: dict[str, Any]) -> Request:
    oid, size, path = said.get("oid"), said.get("size"), said.get("path", "")
    if not isinstance(oid, str) or not _OID.match(oid):
        raise TransferError(
            f"expected an object id of 64 lower-case hex digits, found {oid!r:.100}", oid=_named(said)
        )
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise TransferError(f"expected the size of {oid} in bytes, found {size!r:.80}", oid=oid)
    if event == "upload" and (not isinstance(path, str) or not path or "\0" in path):
        raise TransferError(f"expected the path of {oid}, found {path!r:.80}", oid=oid)
    return Request(event, oid=oid, size=size, path=path if event == "upload" else "")


def _named(said: Any) -> str:
    """The object id as it was said: git lfs takes an answer only where it repeats what was asked for."""
    oid = said.get("oid") if isinstance(said, dict) else None
    return oid if isinstance(oid, str) else ""


def progress(oid: str, so_far: int, since_last: int) -> dict[str, Any]:
    """Bytes of a transfer that are done."""
    return {"event": "progress", "oid": oid, "bytesSoFar": so_far, "bytesSinceLast": since_last}


def complete(oid: str, path: str | None = None) -> dict[str, Any]:
    """A transfer has ended well; ``path`` is what was fetched."""
    return {"event": "complete", "oid": oid, **({"path": path} if path is not None else {})}


def failure(error: TransferError, oid: str) -> dict[str, Any]:
    """A transfer has not."""
    return {"event": "complete", "oid": oid, "error": {"code": error.code, "message": str(error)}}
