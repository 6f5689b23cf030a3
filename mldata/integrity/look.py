"""What a worker saw of a file, as it goes between processes and into the memo, and the result that is made of it."""

from __future__ import annotations

import stat as stat_module
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mldata.integrity.base import (
    CORRUPT,
    SKIPPED,
    TIMEOUT,
    UNKNOWN,
    VALID,
    WARNING,
    FileCheckResult,
    Found,
    Problem,
    result_of,
    skipped,
)
from store import FileStat

__all__ = [
    "EMPTY",
    "NO_KIND",
    "Look",
    "Seen",
    "as_result",
    "crashed",
    "kind_text",
    "late",
    "special",
    "state_of",
]


NO_KIND = "no kind of file that is checked"
EMPTY = "it is empty"


class Seen(NamedTuple):
    """What depends on the content and its kind alone: what the memo keeps by digest."""

    decoder: str = ""
    problems: Sequence[Mapping[str, Any]] = ()
    """As ``Problem.to_json`` gives them."""
    facts: Mapping[str, Any] = {}  # never changed
    unsupported: str | None = None
    """Why it could not be told."""


class Look(NamedTuple):
    """One file. Plain values: it is sent by ``marshal`` as the tuple that it is."""

    file_type: str = UNKNOWN
    size: int = 0
    seen: tuple[Any, ...] | None = None
    """A :class:`Seen`; None: no checker has looked at it."""
    verdict: str = SKIPPED
    """Of a file that no checker has looked at: ``skipped``, ``corrupt`` or ``timeout``."""
    code: str = ""
    """Its error class."""
    reason: str = ""
    promised: str | None = None
    """The kind that the name says where the content is another."""
    digest: str | None = None
    state: tuple[int, int, int, int] | None = None
    """A ``FileStat``: the file as it was when it was read, where that may be relied on later; else None."""


def as_result(path: str, look: Look) -> FileCheckResult:
    """What is told of a file that is called ``path``."""
    file_type, size, seen, _, _, _, promised, digest, _ = look
    if seen is None:
        return _not_seen(path, look)
    decoder, problems, facts, unsupported = seen
    if unsupported is not None:
        details = {"size": size, "digest": digest, "error_class": "unsupported"}
        return skipped(path, file_type, unsupported, **details)
    if not problems and promised is None:
        sound = _new(FileCheckResult)
        # Of the many files that are sound and known: a frozen dataclass sets its fields one by one, which takes longer than to recall them.
        _set(
            sound,
            "__dict__",
            {
                "path": path,
                "file_type": file_type,
                "is_valid": True,
                "error": None,
                "details": {"decoder": decoder, "size": size, "digest": digest, **facts},
                "verdict": VALID,
            },
        )
        return sound
    told = [Problem.from_json(problem) for problem in problems]
    if promised is not None:
        told.append(
            Problem(
                "other-type",
                f"expected {kind_text(promised)} by the name, found {kind_text(file_type)}",
                WARNING,
            )
        )
    return result_of(path, file_type, Found(decoder, told, facts), size=size, digest=digest)


def _not_seen(path: str, look: Look) -> FileCheckResult:
    details: dict[str, Any] = {"size": look.size}
    if look.code:
        details["error_class"] = look.code
    if look.verdict == SKIPPED:
        return skipped(path, look.file_type, look.reason, **details)
    if look.verdict == CORRUPT:
        details["problems"] = [Problem(look.code, look.reason).to_json()]
    return FileCheckResult(path, look.file_type, False, look.reason, details, look.verdict)


_new, _set = object.__new__, object.__setattr__


def kind_text(kind: str) -> str:
    """A kind as people write it: ``JPEG``."""
    return _TEXTS.get(kind, kind.upper())


_TEXTS = {
    "webp": "WebP",
    "parquet": "Parquet",
    "arrow": "Arrow",
    "jsonl": "JSON Lines",
    "webm": "WebM",
    "ogg": "Ogg",
}


def special(mode: int) -> str:
    """What is there instead of a file, by its mode: a name for ``FileCheckResult.file_type``."""
    for test, name in (
        (stat_module.S_ISDIR, "folder"),
        (stat_module.S_ISFIFO, "fifo"),
        (stat_module.S_ISSOCK, "socket"),
        (stat_module.S_ISLNK, "link"),
    ):
        if test(mode):
            return name
    return "device"


def late(kind: str, limit: float, size: int) -> Look:
    """A file that took too long."""
    return Look(
        kind,
        size,
        verdict=TIMEOUT,
        code="timeout",
        reason=f"took longer than {limit:g} s to check; it may need more (--timeout)",
    )


def crashed(kind: str, how: str, size: int) -> Look:
    """A file on which a worker died, twice."""
    return Look(
        kind,
        size,
        verdict=CORRUPT,
        code="decoder-crash",
        reason=f"the decoder crashed on it, and again when it was tried alone ({how})",
    )


def state_of(stat: FileStat) -> tuple[int, int, int, int]:
    """As :attr:`Look.state` has it."""
    return stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode
