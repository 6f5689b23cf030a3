"""``.dvc`` files: what DVC 3 tracks, read strictly and edited with care.

Format: a YAML mapping whose ``outs`` are mappings with ``path``, relative to ``wdir`` (by default the file's own folder), ``md5`` (with
``.dir`` at its end for a folder), ``size`` and ``nfiles``, ``hash: md5`` (without it the hash is DVC 2's, in which line ends of text do
not count), and what a user says of it: ``desc``, ``type``, ``labels``, ``meta``, ``remote``, ``push``, ``cache``. DVC keeps all of these
when it writes the file anew, the mapping's own ``meta`` too: there mldata leaves ``mldata: {tree: DIGEST}``, by which it knows its own.

Invariant: an edit changes the values that it is about and not one other character; where a text cannot be edited so, it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldata.dvcdir import DIR
from mldata.errors import MldataError, SourceError
from mldata.speclines import Lines, scalar
from mldata.yamltree import Mapping, Node, Scalar, Sequence, compose

__all__ = ["SUFFIX", "BadDvcFile", "DvcFile", "Out", "is_own", "new_text", "read_dvc", "updated_text"]

SUFFIX = ".dvc"
_MARK = "mldata"
_MOST = 8 * 1024 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")


class BadDvcFile(SourceError):
    """A ``.dvc`` file that cannot be read, or says what mldata cannot take."""

    code = "dvc-file"


@dataclass(frozen=True)
class Out:
    """Something that is tracked."""

    path: str
    """As the file has it."""
    md5: str | None
    """In lower case; None: DVC has not hashed it, or its hash is of another kind."""
    size: int | None
    nfiles: int | None
    legacy: bool
    """The hash is DVC 2's."""

    @property
    def is_folder(self) -> bool:
        """Whether the hash is that of a folder."""
        return self.md5 is not None and self.md5.endswith(DIR)


@dataclass(frozen=True)
class DvcFile:
    """A file that was read."""

    path: Path
    text: str
    outs: tuple[Out, ...]
    wdir: str | None
    tree: str | None
    """Digest of the tree, or of the one file, that mldata wrote it for; None where somebody else did."""
    imported: bool
    """It has dependencies: ``dvc import`` or ``dvc import-url`` made it."""

    @property
    def is_own(self) -> bool:
        """Whether mldata wrote it, for what its name says."""
        names = [out.path for out in self.outs]
        return self.tree is not None and names == [self.path.name.removesuffix(SUFFIX)]


def read_dvc(path: Path) -> DvcFile | None:
    """Read a file; None if there is none.

    Raises:
        BadDvcFile: it is no regular file, or not what DVC writes.
    """
    try:
        if path.is_symlink() or not path.is_file():
            if not path.is_symlink() and not path.exists():
                return None
            raise _bad(path, "expected a regular file, found a link or a folder")
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from None
    return _parse(path, data)


def is_own(path: Path) -> bool:
    """Whether a file is there that mldata wrote, and that still says so."""
    try:
        file = read_dvc(path)
    except MldataError:
        return False
    return file is not None and file.is_own


def _parse(path: Path, data: bytes) -> DvcFile:
    document = compose(data, str(path))
    if document.problems:
        first = document.problems[0]
        raise BadDvcFile(first.message, where=first.where, hint=first.hint)
    root = document.root
    outs = _at(root, "outs")
    if not isinstance(root, Mapping) or not isinstance(outs, Sequence):
        raise _bad(path, "expected a mapping with a list of `outs`")
    found = []
    for number, out in enumerate(outs.items, start=1):
        name = _text(_at(out, "path"))
        if not name:
            raise _bad(path, f"expected a `path`, found none in entry {number} of `outs`")
        md5 = _text(_at(out, "md5"))
        found.append(
            Out(
                name,
                md5.lower() if md5 else None,
                _number(_at(out, "size")),
                _number(_at(out, "nfiles")),
                _text(_at(out, "hash")) != "md5",
            )
        )
    return DvcFile(
        path,
        data.decode(),
        tuple(found),
        _text(_at(root, "wdir")),
        _text(_at(_at(_at(root, "meta"), _MARK), "tree")),
        _at(root, "deps") is not None,
    )


def _bad(path: Path, message: str) -> BadDvcFile:
    return BadDvcFile(message, where=str(path), hint="Look at it; `dvc add` writes it anew.")


def _at(node: Node | None, key: str) -> Node | None:
    entry = node.find(key) if isinstance(node, Mapping) else None
    return entry[1] if entry is not None else None


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) and (node.style or node.value is not None) else None


def _number(node: Node | None) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def new_text(out: Out, tree: str) -> str:
    """A new file as DVC would write it, marked as mldata's."""
    lines = [f"- md5: {_md5(out)}", f"  size: {out.size}"]
    lines += [f"  nfiles: {out.nfiles}"] if out.nfiles is not None else []
    lines += ["  hash: md5", f"  path: {scalar(out.path, _PLAIN)}"]
    return "\n".join(["outs:", *lines, "meta:", f"  {_MARK}:", f"    tree: {tree}", ""])


def updated_text(file: DvcFile, out: Out, tree: str) -> str:
    """The text of a file with one out, with other values for what is tracked; whatever else it says stays as it is.

    Raises:
        BadDvcFile: the file is written in a way in which that cannot be done.
    """
    wanted: dict[str, str | None] = {
        "md5": _md5(out),
        "size": str(out.size),
        "nfiles": str(out.nfiles) if out.nfiles is not None else None,
        "hash": "md5",
    }
    root = compose(file.text, str(file.path)).root
    outs = _at(root, "outs")
    assert isinstance(root, Mapping) and isinstance(outs, Sequence)
    [mapping] = outs.items
    assert isinstance(mapping, Mapping)
    edit = _Edit(file.text)
    for key, value in wanted.items():
        edit.set(mapping, key, value, before="path")
    edit.mark(root, tree)
    text = edit.text()
    if not _says(file, text, out, tree):
        raise BadDvcFile(
            "cannot be brought up to date without changing how it is written",
            where=str(file.path),
            hint=f"Move it away, build again, and put your own keys back into {file.path.name}.",
        )
    return text


class _Edit:
    """Replacements and insertions in one text, by offset."""

    def __init__(self, text: str) -> None:
        self._lines = Lines(text)
        self._changes: list[tuple[int, int, str]] = []

    def set(self, mapping: Mapping, key: str, value: str | None, before: str) -> None:
        """Give ``key`` a value, in a line of its own before another one if it is new; None: take its line out."""
        entry = mapping.find(key)
        name, node = entry if entry is not None else (None, None)
        if name is not None and isinstance(node, Scalar):
            if value is None:
                start = self._lines.offset(name.span.line, 1)
                self._changes.append((start, self._lines.offset(name.span.line + 1, 1), ""))
            elif node.text != value.strip('"'):
                self._replace(node, value)
        elif value is not None and (place := mapping.find(before)) is not None and not mapping.flow:
            at = self._lines.offset(place[0].span.line, place[0].span.column)
            indent = " " * (place[0].span.column - 1)
            self._changes.append((at, at, f"{key}: {value}{self._lines.newline}{indent}"))

    def mark(self, root: Mapping, tree: str) -> None:
        """Say for which tree the file is."""
        meta = _at(root, "meta")
        own = _at(_at(meta, _MARK), "tree")
        newline = self._lines.newline
        if isinstance(own, Scalar):
            self._replace(own, tree)
        elif isinstance(meta, Mapping) and not meta.flow and _at(meta, _MARK) is None and meta.entries:
            self.set(meta, _MARK, f"{{tree: {tree}}}", before=meta.entries[0][0].text)
        elif root.find("meta") is None:
            text = self._lines.text
            start = "" if text.endswith(("\n", "\r")) else newline
            lines = ("meta:", f"  {_MARK}:", f"    tree: {tree}", "")
            self._changes.append((len(text), len(text), start + newline.join(lines)))

    def _replace(self, node: Scalar, value: str) -> None:
        span = node.span
        start = self._lines.offset(span.line, span.column)
        self._changes.append((start, self._lines.offset(span.end_line, span.end_column), value))

    def text(self) -> str:
        """The text with everything changed."""
        text = self._lines.text
        # From the end, so that offsets hold; of two at one place the later one first, so that they come to stand in order.
        for start, end, value in sorted(self._changes, key=lambda change: change[0])[::-1]:
            text = text[:start] + value + text[end:]
        return text


def _says(file: DvcFile, text: str, out: Out, tree: str) -> bool:
    """Whether a text says of the out what it should, and of everything else what the file did."""
    try:
        found = _parse(file.path, text.encode())
    except MldataError:
        return False
    old, new = (_plain(compose(it, "").root) for it in (file.text, text))
    for plain in (old, new):
        for key in ("md5", "size", "nfiles", "hash"):
            plain["outs"][0].pop(key, None)
        meta = plain.pop("meta", None) or {}
        meta.pop(_MARK, None)
        plain["meta"] = meta
    return found.outs == (out,) and found.tree == tree and old == new


def _plain(node: Node | None) -> Any:
    if isinstance(node, Mapping):
        return {key.text: _plain(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return (node.text, node.style) if isinstance(node, Scalar) else None


def _md5(out: Out) -> str:
    assert out.md5 is not None
    return scalar(out.md5, _PLAIN)
