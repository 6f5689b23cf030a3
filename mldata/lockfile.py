"""``mldata.lock``: which exact files the sources of each dataset were when they were last built.

Format, version 1: YAML of one fixed shape, so that it reads well, merges line by line, and needs no YAML parser::

    # Made by mldata: what the sources in mldata.yaml were when they were built. Commit it; do not edit it.
    version: 1
    datasets:
      penguins:
        source:
          - "data/penguins/*.csv"
        tree: "64 hex digits of the source tree's digest"
        files: 3
        bytes: 13519
        read:
          - "csv, utf-8, delimiter ',', header"
        remote:
          - source: "https://example.org/penguins.csv"
            revision: "etag \\"abc\\""
            tree: "64 hex digits"
            facts: {"license": "CC0-1.0"}

``tree`` is of the raw files; what comes from another dataset of the spec is pinned by the entry of that one.
``read`` says how text files were found to be written, once for each way; there is none where no file is text. ``remote`` has each
source that is elsewhere, in the order of ``source``, with the revision that was fetched; ``facts`` is JSON with sorted keys.
Datasets are sorted by name; text is in JSON's quotes, and a name that YAML might take for something else too. Invariant:
equal locks are equal bytes, and :func:`parse_lock` refuses whatever :func:`format_lock` would not have written (but for
comments, blank lines and the line ends of another system).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mldata.errors import UsageError, Where
from mldata.pin import Pin

if TYPE_CHECKING:
    from mldata.project import Project
    from store import Digest

__all__ = [
    "LOCK_NAME",
    "LockError",
    "Locked",
    "format_lock",
    "locked_read",
    "locked_tree",
    "parse_lock",
    "pinned",
    "read_lock",
    "update_lock",
]

LOCK_NAME = "mldata.lock"
_HEADER = (
    "# Made by mldata: what the sources in mldata.yaml were when they were built. Commit it; do not edit it."
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9._-]*")
_NOT_PLAIN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,19}")
# JSON leaves these as they are; YAML takes them for line breaks, for a byte order mark, or for nothing printable.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_HINT = f"restore it (git checkout -- {LOCK_NAME}), or delete it and run 'mldata build'"
_writing = threading.Lock()


class LockError(UsageError):
    """mldata.lock is not what mldata writes: damaged, merged badly, or of a newer version."""

    code = "lock"


@dataclass(frozen=True)
class Locked:
    """What the sources of one dataset were."""

    sources: tuple[str, ...]
    """As the spec has them."""
    tree: Digest
    files: int
    bytes: int
    read: tuple[str, ...] = ()
    """In which ways text files are written."""
    remote: tuple[Pin, ...] = ()
    """What its sources elsewhere were."""


def read_lock(path: Path) -> Mapping[str, Locked]:
    """The lock file at ``path``, by dataset; nothing if there is no such file. Raises LockError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LockError(f"cannot read it: {error.strerror}", where=Where(str(path)), hint=_HINT) from None
    return parse_lock(content, str(path))


def pinned(project: Project, dataset: str) -> Locked | None:
    """What the lock has for the sources that the spec names now; None if it has nothing of them. Raises LockError."""
    locked = read_lock(project.root / LOCK_NAME).get(dataset)
    return locked if locked is not None and locked.sources == project.datasets[dataset].sources else None


def locked_read(project: Project, dataset: str) -> tuple[str, ...]:
    """How the lock says that the text files of a dataset are written; empty if it says nothing."""
    locked = pinned(project, dataset)
    return locked.read if locked is not None else ()


def locked_tree(project: Project, dataset: str) -> Digest | None:
    """Digest of the source tree that the lock pins; None if it has none for the sources that the spec names now."""
    locked = pinned(project, dataset)
    return locked.tree if locked is not None else None


def update_lock(
    project: Project,
    dataset: str,
    *,
    tree: Digest | None,
    files: int,
    size: int,
    read: Sequence[str] | None = None,
    remote: Sequence[Pin] = (),
) -> bool:
    """Record what the sources of a dataset were, and drop datasets that the spec no longer has.

    The file is left alone, with its time stamp, if it says so already. Safe among threads; processes that write one
    project's lock must take turns.

    Args:
        tree: of the raw files; None: all sources are datasets, which the lock pins by the raw files of those.
        read: how text files are written; None leaves what the lock says of these sources.
        remote: what its sources elsewhere were.

    Returns:
        Whether the file changed.

    Raises:
        LockError: what is there is damaged; it is not overwritten, since it may hold pins of others.
    """
    from store import publish_bytes

    path = project.root / LOCK_NAME
    with _writing:
        before = read_lock(path)
        read = locked_read(project, dataset) if read is None else read
        after = {name: locked for name, locked in before.items() if name in project.datasets}
        after.pop(dataset, None)
        if tree is not None:
            sources = project.datasets[dataset].sources
            after[dataset] = Locked(sources, tree, files, size, tuple(read), tuple(remote))
        if after == before:
            return False
        publish_bytes(path, format_lock(after).encode())
    return True


def format_lock(locked: Mapping[str, Locked]) -> str:
    """The file's text."""
    lines = [_HEADER, "version: 1", "datasets:" if locked else "datasets: {}"]
    for name, entry in sorted(locked.items()):
        plain = _PLAIN_NAME.fullmatch(name) and name not in _NOT_PLAIN
        lines += [f"  {name if plain else _quoted(name)}:", "    source:"]
        lines += [f"      - {_quoted(source)}" for source in entry.sources]
        lines += [f'    tree: "{entry.tree}"', f"    files: {entry.files}", f"    bytes: {entry.bytes}"]
        lines += ["    read:", *(f"      - {_quoted(way)}" for way in entry.read)] if entry.read else []
        lines += ["    remote:"] if entry.remote else []
        for pin in entry.remote:
            lines += [f"      - source: {_quoted(pin.source)}", f"        revision: {_quoted(pin.revision)}"]
            lines += [f'        tree: "{pin.tree}"']
            lines += [f"        facts: {_quoted(pin.facts)}"] if pin.facts else []
    return "\n".join(lines) + "\n"


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


@lru_cache(maxsize=1)
def parse_lock(content: bytes, file: str) -> Mapping[str, Locked]:
    """The lock that ``content`` holds, by dataset. Raises LockError with the line that is wrong."""
    reader = _Reader(content, file)
    if reader.take(r"version: (.+)", "version: 1") != "1":
        reader.fail("expected version 1; a newer mldata may read it")
    locked: dict[str, Locked] = {}
    if reader.take(r"datasets:( \{\})?", "datasets:") is None:
        while reader.more():
            name = reader.take(r"  ([^ ].*):", "a dataset's name")
            name = reader.text(name) if name.startswith('"') else name
            if not _NAME.fullmatch(name) or name in locked or (locked and name < next(reversed(locked))):
                reader.fail("expected dataset names once each, in order")
            locked[name] = _entry(reader)
    if reader.more():
        reader.take(r"(?!)", "the end of the file")
    return locked


def _entry(reader: _Reader) -> Locked:
    reader.take(r"    source:()", "source:")
    sources = [reader.text(reader.take(r"      - (.+)", "a source"))]
    while reader.more("      - "):
        sources.append(reader.text(reader.take(r"      - (.+)", "a source")))
    tree: Any = reader.take(rf'    tree: "({_DIGEST.pattern})"', "tree: with 64 hex digits in quotes")
    files = int(reader.take(rf"    files: ({_NUMBER.pattern})", "files: with a number"))
    size = int(reader.take(rf"    bytes: ({_NUMBER.pattern})", "bytes: with a number"))
    read: list[str] = []
    if reader.more("    read:"):
        reader.take(r"    read:()", "read:")
        read.append(reader.text(reader.take(r"      - (.+)", "a way in which files are written")))
        while reader.more("      - "):
            read.append(reader.text(reader.take(r"      - (.+)", "a way in which files are written")))
    remote: list[Pin] = []
    if reader.more("    remote:"):
        reader.take(r"    remote:()", "remote:")
        remote.append(_pin(reader))
        while reader.more("      - "):
            remote.append(_pin(reader))
    return Locked(tuple(sources), tree, files, size, tuple(read), tuple(remote))


def _pin(reader: _Reader) -> Pin:
    source = reader.text(reader.take(r"      - source: (.+)", "the source of a pin"))
    revision = reader.text(reader.take(r"        revision: (.+)", "revision:"))
    tree: Any = reader.take(rf'        tree: "({_DIGEST.pattern})"', "tree: with 64 hex digits in quotes")
    facts: dict[str, Any] = {}
    if reader.more("        facts:"):
        facts = reader.facts(reader.take(r"        facts: (.+)", "facts:"))
    return Pin(source, revision, tree, facts)


class _Reader:
    """Takes the file line by line, and knows the number of the line it took last."""

    def __init__(self, content: bytes, file: str) -> None:
        self.file = file
        self.number = 1
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            self.number = content[: error.start].count(b"\n") + 1
            self.fail("expected UTF-8 text")
        numbered = enumerate(text.replace("\r\n", "\n").split("\n"), 1)
        self._lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
        self._next = 0

    def more(self, start: str = "") -> bool:
        """Whether there is another line, and it begins with ``start``."""
        return self._next < len(self._lines) and self._lines[self._next][1].startswith(start)

    def take(self, pattern: str, expected: str) -> Any:
        """Group 1 of ``pattern`` in the next line."""
        if not self.more():
            self.fail(f"expected {expected}, found the end of the file")
        self.number, line = self._lines[self._next]
        self._next += 1
        match = re.fullmatch(pattern, line)
        if match is None:
            conflict = line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||"))
            self.fail(f"expected {expected}, found {'a merge conflict' if conflict else repr(line[:80])}")
        return match[1]

    def text(self, quoted: str) -> str:
        """What ``quoted`` stands for."""
        text = self._json(quoted)
        if not isinstance(text, str):
            self.fail(f"expected text in quotes, found {quoted[:80]!r}")
        return text

    def facts(self, written: str) -> dict[str, Any]:
        """The mapping that ``written`` stands for."""
        facts = self._json(written)
        if not isinstance(facts, dict) or not facts:
            self.fail(f"expected a mapping in braces, found {written[:80]!r}")
        return facts

    def _json(self, written: str) -> Any:
        """The value, None if it is not written as :func:`_quoted` does."""
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            return None
        return value if _quoted(value) == written else None

    def fail(self, message: str) -> NoReturn:
        raise LockError(message, where=Where(self.file, self.number), hint=_HINT)
