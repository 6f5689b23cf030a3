"""Errors that reach the user.

Every error says what was expected, what was found and where, and names the next command to run. The exit code is a
class attribute; ``mldata.cli`` is the only place that turns it into a process status.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

EXIT_OK = 0
EXIT_BUILD = 1
EXIT_INVALID_DATA = 2
EXIT_USAGE = 3
EXIT_AUTH = 4
EXIT_NETWORK = 5
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


@dataclass(frozen=True)
class Where:
    """A place in a file, printed as ``file:line:column`` (line and column count from 1)."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


def brief(text: str, most: int = 80) -> str:
    """Text from data as a message has it: what is longer than ``most`` characters is cut."""
    return text if len(text) <= most else f"{text[:most]}…"


def harmless(text: str) -> str:
    """Text as a terminal may be given it: names and messages of servers could hold sequences that it obeys. Line ends stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def shown(value: object) -> str:
    """A value from data as a message has it: in quotes if it is text, and cut as :func:`brief` does."""
    return brief(repr(value[:100] if isinstance(value, str | bytes) else value))


class MldataError(Exception):
    """Base of all errors that mldata raises on purpose.

    Args:
        message: what was expected and what was found.
        where: the file and position, or dataset, that it is about.
        hint: what to do next, most often a command.
    """

    exit_code = EXIT_BUILD
    code = "error"

    def __init__(self, message: str, *, where: Where | str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as it is: what made it may take other arguments than a message."""
        return Exception.__new__, (type(self), *self.args), self.__dict__

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where is not None else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class BuildError(MldataError):
    """A stage could not make its output."""

    code = "build"


class DataError(BuildError):
    """The data itself is not what its format promises (a bad row, a truncated file)."""

    code = "data"


class SourceError(BuildError):
    """A source is missing, unreadable, empty, or changed while it was read."""

    code = "source"


class NetworkError(MldataError):
    """Another machine cannot be reached, or does not answer as it should."""

    exit_code = EXIT_NETWORK
    code = "network"


@contextmanager
def from_elsewhere() -> Iterator[None]:
    """A source elsewhere that is not as it should be ends a command as a network that fails does: it is not this machine that has to be mended."""
    try:
        yield
    except SourceError as error:
        error.exit_code = EXIT_NETWORK
        raise


class AuthError(MldataError):
    """Another machine wants to know who asks, or does not let them: a token is missing, wrong, or has not been granted access."""

    exit_code = EXIT_AUTH
    code = "auth"


class LockMismatch(BuildError):
    """``--locked`` was asked for and a source is not what mldata.lock pins."""

    code = "locked"


class UsageError(MldataError):
    """Wrong arguments, or a command run in the wrong place."""

    exit_code = EXIT_USAGE
    code = "usage"


class SpecError(UsageError):
    """mldata.yaml does not say something that can be built."""

    code = "spec"


class UnknownDataset(UsageError):
    """A dataset or build that the project does not have."""

    code = "unknown-dataset"


class MissingExtra(UsageError):
    """A feature needs an optional package; the message names the extra to install."""

    code = "missing-extra"
