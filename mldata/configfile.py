"""``config.yaml`` as text: its entries, and edits that leave everything else in it as it is.

The format is a YAML mapping of names to plain values, in block style: ``name: value``, with comments. Invariant: after an edit the entry reads as
it was wanted and all others as before, or nothing was changed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from mldata import yamltree
from mldata.configlines import PLAIN_VALUE, Entry
from mldata.errors import UsageError, Where
from mldata.personalfile import SETTINGS, alone, write_personal

__all__ = ["read_entries", "remove_entry", "write_entry"]

HEAD = "# Settings of mldata, for all projects of this user; 'mldata config list' shows every one there is.\n"
_SAFE = re.compile(PLAIN_VALUE)


def read_entries(data: bytes, file: str) -> list[Entry]:
    """The entries in order. Raises ``UsageError`` with the place where the file is not what it should be."""
    return [entry for entry, _, _ in _parse(data, file)]


def write_entry(path: Path, name: str, text: str) -> None:
    """Set ``name`` to ``text``: in its place if it is there, else at the end. Raises ``UsageError``."""
    _edit(path, name, text)


def remove_entry(path: Path, name: str) -> bool:
    """Take ``name`` out; False if it is not there. Raises ``UsageError``."""
    return _edit(path, name, None)


def _edit(path: Path, name: str, text: str | None) -> bool:
    if text is None and not path.exists():
        return False
    with alone(path.parent):
        try:
            old = path.read_bytes()
        except FileNotFoundError:
            old = HEAD.encode()
        except OSError as error:
            raise UsageError(
                f"cannot be read: {error.strerror}", where=str(path), hint=f"Look at it: ls -l {path}"
            ) from None
        entries = _parse(old, str(path))
        found = next(((scalar, line) for entry, line, scalar in entries if entry.name == name), None)
        if text is None and found is None:
            return False
        lines = old.decode().splitlines(keepends=True)
        newline = "\r\n" if b"\r\n" in old else "\n"
        if found is None:
            if lines and not lines[-1].endswith(("\n", "\r")):
                lines[-1] += newline
            lines.append(f"{name}: {_scalar(text or '')}{newline}")
        else:
            scalar, line = found
            last = max(line, scalar.span.end_line) if scalar.text or scalar.style else line
            if text is None:
                del lines[line - 1 : last]
            else:
                begin, end = scalar.span.column - 1, scalar.span.end_column - 1
                first, rest = lines[scalar.span.line - 1], lines[scalar.span.end_line - 1]
                gap = "" if first[:begin].endswith(" ") else " "
                lines[scalar.span.line - 1 : scalar.span.end_line] = [
                    first[:begin] + gap + _scalar(text) + rest[end:]
                ]
        new = "".join(lines)
        _check(new, entries, name, text, str(path))
        write_personal(path, new, SETTINGS)
        return True


def _check(
    new: str, before: list[tuple[Entry, int, yamltree.Scalar]], name: str, text: str | None, file: str
) -> None:
    wanted = {entry.name: entry.text for entry, _, _ in before}
    wanted.pop(name, None) if text is None else wanted.update({name: text})
    try:
        now = {entry.name: entry.text for entry in read_entries(new.encode(), file)}
    except UsageError:
        now = None
    if now != wanted:
        what = f"take {name} out" if text is None else f"write {name}: {_scalar(text)}"
        raise UsageError("expected a line a setting, found a layout that cannot be edited safely", where=file,
                         hint=f"Edit it by hand: {what}")  # fmt: skip


def _parse(data: bytes, file: str) -> list[tuple[Entry, int, yamltree.Scalar]]:
    """Each entry, the line of its name, and its value."""
    document = yamltree.compose(data, file)
    if document.problems:
        problem = document.problems[0]
        raise UsageError(problem.message, where=problem.where, hint=problem.hint)
    root = document.root
    if root is None or (isinstance(root, yamltree.Scalar) and root.value is None):
        return []
    form = "expected lines such as segments: 8"
    if not isinstance(root, yamltree.Mapping):
        raise UsageError(f"{form}, found something else", where=Where(file, root.span.line, root.span.column))
    result = []
    for key, value in root.entries:
        where = Where(file, key.span.line, key.span.column)
        if isinstance(value, yamltree.Mapping) and value.entries:
            name = f"{key.text}.{value.entries[0][0].text}"
            raise UsageError(
                f"{form}, found settings below {key.text!r}",
                where=where,
                hint=f"Write it as one name: {name}: ...",
            )
        if not isinstance(value, yamltree.Scalar):
            raise UsageError(f"{form}, found a list or an empty mapping", where=where)
        result.append((Entry(key.text, value.text, where), key.span.line, value))
    return result


def _scalar(text: str) -> str:
    return text if _SAFE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
