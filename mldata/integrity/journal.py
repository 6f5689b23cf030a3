"""The journal of a quarantine: which file came from where, and why.

Format, version 1: ``.journal.jsonl`` in the quarantine's folder. The first line is ``{"quarantine": 1, "root": ".."}``: the way up from the folder to that of
the dataset. Each further line is a file: ``from`` (below the dataset's folder), ``to`` (below the quarantine's), both with ``/``; ``digest`` (BLAKE3) and ``size`` of the
content; ``reason``; and ``link`` with its text for a symbolic link, whose ``digest`` is that of what it led to. A name that is no Unicode has escapes of surrogates.

Invariants: the journal is replaced as a whole, before a file is moved here and after it was moved back. So every file that is in the quarantine is in the journal;
an entry of which nothing is in the quarantine is of a move that did not come about, or that was undone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mldata.errors import UsageError, Where

if sys.platform != "win32":
    import fcntl

__all__ = ["JOURNAL", "Move", "alone", "read_journal", "remove_leftovers", "write_journal"]

JOURNAL = ".journal.jsonl"
VERSION = 1


@dataclass(frozen=True)
class Move:
    """A file in quarantine."""

    source: str
    """Where it was, below the dataset's folder."""
    target: str
    """Where it is, below the quarantine's folder."""
    digest: str
    size: int
    reason: str
    link: str | None = None
    """The text of a symbolic link."""

    def to_json(self) -> dict[str, object]:
        """As the journal has it."""
        plain: dict[str, object] = {
            "from": self.source,
            "to": self.target,
            "digest": self.digest,
            "size": self.size,
            "reason": self.reason,
        }
        return plain if self.link is None else {**plain, "link": self.link}


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no other process into the same block for this folder, which is there.

    Raises:
        UsageError: another one is.
    """
    if sys.platform == "win32":
        yield
        return
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(fd), os.stat(folder))  # or one that was restored has removed it
        except BlockingIOError:
            mine = False
        except FileNotFoundError:
            mine = False
        except OSError:
            mine = True  # no flock on this filesystem
        if not mine:
            raise UsageError(
                "another process is moving files in or out of this quarantine",
                where=str(folder),
                hint="Wait until it is done, then run the command again.",
            )
        yield
    finally:
        os.close(fd)


def read_journal(folder: Path) -> tuple[str, list[Move]] | None:
    """The way up to the dataset's folder, and the files; None if there is no journal.

    Raises:
        UsageError: it is damaged, or of a later version.
    """
    path = folder / JOURNAL
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the journal of the quarantine cannot be read: {error}", where=str(path)) from None
    number, root, moves = 0, "", []
    try:
        for number, line in enumerate(lines, 1):
            plain = json.loads(line)
            if number == 1:
                root = _root(plain)
            else:
                moves.append(_move(plain))
        if not lines:
            raise ValueError("an empty file")
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"expected the journal of a quarantine, version {VERSION}, found a line that is none: {error}",
            where=Where(str(path), max(number, 1)),
            hint="The files are all below that folder: mend or remove the line, or move them by hand.",
        ) from None
    return root, moves


def write_journal(folder: Path, root: str, moves: Sequence[Move]) -> None:
    """Replace the journal, durably. Raises ``UsageError``: it cannot be written; it is as it was."""
    from store import StoreError, publish_bytes

    lines = [json.dumps({"quarantine": VERSION, "root": root})]
    lines += [json.dumps(move.to_json()) for move in moves]
    try:
        publish_bytes(folder / JOURNAL, "".join(f"{line}\n" for line in lines).encode())
    except (StoreError, OSError) as error:
        raise UsageError(
            f"cannot write the journal of the quarantine, so nothing was moved: {error}",
            where=str(folder),
            hint="Look at who may write there: ls -ld " + str(folder),
        ) from None


def remove_leftovers(folder: Path) -> None:
    """What a process that was killed has left of a journal that it wrote. Nobody else may be at it."""
    for name in os.listdir(folder):
        if name.startswith(f".{JOURNAL}.") and name.endswith(".tmp"):
            with suppress(OSError):
                os.unlink(folder / name)


def _root(plain: dict[str, object]) -> str:
    if plain["quarantine"] != VERSION:
        raise ValueError(f"version {plain['quarantine']!r}")
    root = plain["root"]
    if not isinstance(root, str) or set(root.split("/")) != {".."}:
        raise ValueError(f"the root {root!r}, which is not above it")
    return root


def _move(plain: dict[str, object]) -> Move:
    source, target, digest, size, reason = (plain[key] for key in ("from", "to", "digest", "size", "reason"))
    link = plain.get("link")
    for path in (source, target):
        if not isinstance(path, str) or any(part in ("", ".", "..") for part in path.split("/")):
            raise ValueError(f"the unsafe path {path!r}")
    if not (isinstance(digest, str) and type(size) is int and isinstance(reason, str)):
        raise ValueError("no digest, size or reason")
    if link is not None and not isinstance(link, str):
        raise ValueError(f"the link {link!r}")
    assert isinstance(source, str) and isinstance(target, str)
    return Move(source, target, digest, size, reason, link)
