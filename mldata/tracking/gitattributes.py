"""Files with attributes, read as git reads them, and what they say of one attribute of a path.

Format (gitattributes(5)): a line is a pattern, in double quotes as in C where it has to be, and attributes: ``name`` sets one, ``-name``
unsets it, ``!name`` leaves it unspecified, ``name=value`` gives it a value. ``[attr]NAME …`` defines a macro, where it may.

Invariant: of two lines that match, the later one of a file counts, and of two files the one nearer to the path; ``info/attributes`` of
the repository comes before all, the user's own and the system's after all. What git ignores (negative patterns, names that are none, lines
of 2,048 bytes, a link in place of the file) is ignored.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mldata.tracking.wildmatch import Matcher, matcher

__all__ = [
    "ATTRIBUTES",
    "LONGEST",
    "AttributesFile",
    "Finding",
    "Line",
    "Stack",
    "State",
    "parse",
    "read_regular",
]

ATTRIBUTES = ".gitattributes"
State = bool | bytes | None
"""Set, unset, a value; None: unspecified."""
States = tuple[tuple[bytes, State], ...]

_BLANK = b" \t\r\n"
LONGEST = 2048
"""Bytes of a line that git leaves out for its length."""
_LARGEST = 100 << 20
_MACRO = b"[attr]"
_NAME = re.compile(rb"[A-Za-z0-9_.][-A-Za-z0-9_.]*\Z")
_ESCAPE = re.compile(rb'\\(?:([abfnrtv\\"])|([0-3][0-7]{2}))|[^\\"]')
_ESCAPES = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92, b'"': 34}


@dataclass(frozen=True)
class Line:
    """A line that says something."""

    number: int
    """From 1."""
    pattern: bytes
    """Of a macro: its name."""
    states: States
    """In the order of the line."""
    macro: bool = False


def parse(data: bytes, *, macros: bool = True) -> list[Line]:
    """The lines of a file that git heeds.

    Args:
        macros: whether macros may be defined there.
    """
    found = []
    if len(data) < _LARGEST:
        for number, text in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
            line = _line(number, text.partition(b"\0")[0])
            if line is not None and (macros or not line.macro):
                found.append(line)
    return found


def _line(number: int, text: bytes) -> Line | None:
    if len(text.removesuffix(b"\r")) >= LONGEST:
        return None
    text = text.lstrip(_BLANK)
    if not text or text.startswith(b"#"):
        return None
    quoted = _unquote(text) if text.startswith(b'"') else None
    pattern, rest = quoted or _cut(text)
    macro = pattern.startswith(_MACRO) and len(pattern) > len(_MACRO)
    if macro:
        pattern, _ = _cut(pattern.removeprefix(_MACRO).lstrip(_BLANK))
        if not _NAME.match(pattern):
            return None
    elif pattern.startswith(b"!"):
        return None
    states = []
    for word in rest.split():
        name, equals, value = word.partition(b"=")
        sign = name[:1] if name[:1] in (b"-", b"!") else b""
        name = name.removeprefix(sign)
        if not _NAME.match(name):
            return None
        state: State = {b"-": False, b"!": None}.get(sign, value if equals else True)
        states.append((name, state))
    return Line(number, pattern, tuple(states), macro)


def _cut(text: bytes) -> tuple[bytes, bytes]:
    """The first word, and what comes after it."""
    word = re.match(rb"[^ \t\r\n]*", text)
    assert word is not None
    return word[0], text[word.end() :]


def _unquote(text: bytes) -> tuple[bytes, bytes] | None:
    """What is between double quotes, and what comes after them; None if they do not end, or an escape is none."""
    at, found = 1, bytearray()
    while match := _ESCAPE.match(text, at):
        at = match.end()
        if match[1]:
            found.append(_ESCAPES[match[1]])
        elif match[2]:
            found.append(int(match[2], 8))
        else:
            found += match[0]
    return (bytes(found), text[at + 1 :]) if text[at : at + 1] == b'"' else None


def read_regular(path: Path | str) -> bytes | None:
    """The content of a regular file; None if there is none, or a link. Raises ``OSError`` if it cannot be read."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
    except OSError:
        return None
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    with open(fd, "rb") as file:
        return file.read()


@dataclass(frozen=True)
class AttributesFile:
    """What one file says."""

    name: str
    """As a message has it: the path below the repository's root, or where it is."""
    base: bytes
    """The folder that its patterns are for, below the root, with ``/`` at its end; empty for the root."""
    lines: tuple[Line, ...]
    shared: bool = True
    """It is part of the repository: whoever clones that has it."""


@dataclass(frozen=True)
class Finding:
    """What an attribute of a path is, and what says so."""

    state: State = None
    file: AttributesFile | None = None
    line: Line | None = None


NOTHING = Finding()


@dataclass
class Stack:
    """All files that count for the paths of a repository, and one attribute.

    Args:
        attribute: its name.
        first: ``info/attributes``; nothing if it has none.
        last: the user's own and the system's, in this order.
        below: the ``.gitattributes`` of a folder, by its path below the root (empty, or with ``/`` at its end).
        ignore_case: as ``core.ignoreCase`` is.
    """

    attribute: bytes
    first: Sequence[AttributesFile]
    last: Sequence[AttributesFile]
    below: Mapping[bytes, AttributesFile]
    ignore_case: bool = False
    _folders: dict[bytes, list[_Ready]] = field(default_factory=dict)
    _macros: dict[bytes, Line] = field(default_factory=dict)
    _relevant: set[bytes] = field(default_factory=set)
    _ready: dict[bytes, _Ready] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = [self.below[b""]] if b"" in self.below else []
        for file in (*self.last[::-1], *root, *self.first):  # the one that counts most comes last
            self._macros.update((line.pattern, line) for line in file.lines if line.macro)
        self._relevant.add(self.attribute)
        more = True
        while more:
            named = {
                name
                for name, line in self._macros.items()
                if any(it in self._relevant for it, _ in line.states)
            }
            more = not named <= self._relevant
            self._relevant |= named
        fixed = (*self.first, *self.last)
        self._fixed = {id(file): _Ready(file, self._relevant, self.ignore_case) for file in fixed}
        for folder, file in self.below.items():
            self._ready[folder] = _Ready(file, self._relevant, self.ignore_case)

    def find(self, path: bytes) -> Finding:
        """What the attribute of a file is.

        Args:
            path: below the root of the repository.
        """
        head, slash, _ = path.rpartition(b"/")
        folder = head + slash
        files = self._folders.get(folder)
        if files is None:
            files = self._folders[folder] = self._of(folder)
        seen: dict[bytes, Finding] = {}
        for file in files:
            for line, states in file.matching(path):
                self._take(states, file.file, line, seen)
                if self.attribute in seen:
                    return seen[self.attribute]
        return NOTHING

    def _of(self, folder: bytes) -> list[_Ready]:
        found = [self._fixed[id(file)] for file in self.first]
        at = folder
        while True:
            if at in self._ready:
                found.append(self._ready[at])
            if not at:
                break
            at = at[: at.rfind(b"/", 0, -1) + 1]
        found += [self._fixed[id(file)] for file in self.last]
        return [ready for ready in found if ready.lines]

    def _take(self, states: States, file: AttributesFile, line: Line, seen: dict[bytes, Finding]) -> None:
        for name, state in reversed(states):
            if name in self._relevant and name not in seen:
                seen[name] = Finding(state, file, line)
                if state is True and name in self._macros:
                    self._take(self._macros[name].states, file, line, seen)


class _Ready:
    """A file with its patterns ready, the last line first; without those that say nothing of what is asked."""

    def __init__(self, file: AttributesFile, relevant: set[bytes], ignore_case: bool) -> None:
        self.file = file
        self.ignore_case = ignore_case
        self.lines: list[tuple[Matcher, Line, States]] = []
        for line in reversed(file.lines):
            states = tuple((name, state) for name, state in line.states if name in relevant)
            if states and not line.macro:
                made = _matcher(line.pattern, ignore_case)
                if made is not None:
                    self.lines.append((made, line, states))

    def matching(self, path: bytes) -> Iterable[tuple[Line, States]]:
        name = path[path.rfind(b"/") + 1 :]
        below = path[len(self.file.base) :]
        for made, line, states in self.lines:
            if made.expression.fullmatch(name if made.by_name else below):
                yield line, states


@cache
def _matcher(pattern: bytes, ignore_case: bool) -> Matcher | None:
    return matcher(pattern, ignore_case=ignore_case)
