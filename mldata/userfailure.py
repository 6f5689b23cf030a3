"""What the end of a process with the user's code means: its answer, or an error in words that help to correct the code."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mldata.errors import BuildError, Where
from mldata.userrequest import Limits, Request

__all__ = ["UserCodeError", "answer"]

SHOWN_LINES = 30
SHOWN_BYTES = 16 << 10
"""Of what the code has printed, at most the end of such a size is shown."""


class UserCodeError(BuildError):
    """The user's code failed, hung, crashed or returned something else than a table."""

    code = "user-code"


def answer(
    request: Request,
    limits: Limits,
    folder: Path,
    code: int,
    late: str | None,
    printed: Callable[[str], None],
) -> dict[str, Any]:
    """The answer in ``folder``. Raises :class:`UserCodeError`; ``late`` says why the process was ended, if it was."""
    import msgpack

    text = _tail(folder / "printed")
    if late is None and (folder / "answer").exists():
        found: dict[str, Any] = msgpack.unpackb((folder / "answer").read_bytes())
        if "error" not in found:
            if text:
                printed(text)
            return found
        raise _failed(request, limits, found, _running(request, folder), text)
    name = _running(request, folder)
    hint = None
    if late is not None:
        what = f"{late}, and was ended"
        hint = "give it more time: {function: ..., timeout: 30m}, or 'timeout: none'"
    elif code < 0:
        what = f"it was ended by {_signal(-code)}"
        hint = f"it may use at most {limits.memory:,} bytes: see 'memory:'" if limits.memory else None
    else:
        what = f"it ended with exit code {code} and no result"
    raise UserCodeError(
        f"{name} failed on {request.source}: {what}{_block('printed', text)}",
        where=name.rpartition(":")[0],
        hint=hint,
    )


def _failed(
    request: Request, limits: Limits, found: Mapping[str, Any], name: str, printed: str
) -> UserCodeError:
    file = name.rpartition(":")[0]
    if found["error"] == "step":
        message = f"{found['message']} (on {request.source}){_block('printed', printed)}"
        return UserCodeError(message, where=found["where"] or file, hint=found["hint"])
    hint = None
    if found["memory"] and limits.memory is not None:
        hint = f"it may take {limits.memory:,} bytes: see 'memory:' of the step"
    on = f"{name} on {request.source}"
    trace = _block(on, found["trace"]) if found["trace"] else f" (in {on})"
    return UserCodeError(
        f"{found['summary']}{trace}{_block('printed', printed)}",
        where=Where(*found["place"]) if found["place"] else file,
        hint=hint,
    )


def _running(request: Request, folder: Path) -> str:
    """The function that was running when the process ended."""
    try:
        at = int((folder / "step").read_text()) - request.first
    except (OSError, ValueError):
        at = 0
    functions = [(n, step["function"]) for n, step in enumerate(request.steps) if step["step"] == "function"]
    before = [function for number, function in functions if number <= at]
    return str(before[-1] if before else functions[0][1])


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _tail(path: Path) -> str:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - SHOWN_BYTES))
        text = file.read().decode("utf-8", "replace")
    lines = text.splitlines()
    cut = len(lines) > SHOWN_LINES or size > SHOWN_BYTES
    return "\n".join((["..."] if cut else []) + lines[-SHOWN_LINES:])


def _block(title: str, text: str) -> str:
    return f"\n  {title}:\n" + "\n".join(f"    {line}" for line in text.splitlines()) if text else ""
