"""The user's code as it is at one moment: the files that the functions of a spec are in, and the local modules that these import.

Imports are found by reading ``import`` and ``from ... import`` statements, wherever in a file they stand, and followed from file to file.
A module is local when it is found, as Python would find it, from the project's folder or from the folder of the function's file; a
package is its ``__init__.py`` and what is imported of it (of ``from package import *``: all modules in it). Names of the standard library
are the standard library's (and :data:`RESERVED` ones the packages'), installed packages are not followed, and a module that is imported by a computed name is not seen: it will not be
there when the function runs.

Invariant: a :class:`Code` holds the bytes that its digests are of. What runs is written out of it and never read from the project a second
time, so an edit during a build cannot be recorded as what was run. Every file lies inside the project.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import SpecError, Where
from mldata.nearest import nearest

if TYPE_CHECKING:
    from store import Digest

__all__ = ["RESERVED", "Code", "NoSuchFunction", "functions", "read_code"]

RESERVED = frozenset({"mldata", "pyarrow", "numpy"})
"""What runs the code needs these modules itself: a local module cannot have such a name."""


class NoSuchFunction(SpecError):
    """A spec names a function that is not there; whoever knows the spec says where it does."""

    def __init__(self, message: str, function: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.function = function


@dataclass(frozen=True)
class Code:
    """The files of a project's functions. Paths are relative to the project, with ``/``."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By function (``file.py:name``), the sorted paths of the files that it may run."""
    digests: Mapping[str, Digest] = field(default_factory=dict)


def functions(transform: Mapping[str, Any]) -> Iterator[str]:
    """``file.py:name`` of every function that a transform names, in order."""
    for step in transform["steps"]:
        if step["step"] == "function":
            yield step["function"]


def read_code(root: Path, wanted: Iterable[str]) -> Code:
    """The code of the functions ``wanted`` of the project in ``root``.

    Raises:
        NoSuchFunction: a file is missing, or has no such function.
        SpecError: a file is outside the project or no Python.
    """
    from store import digest_bytes

    reader = _Reader(root)
    needs = {function: tuple(sorted(reader.closure(function))) for function in dict.fromkeys(wanted)}
    files = {
        path: reader.files[path] for path in sorted({path for paths in needs.values() for path in paths})
    }
    return Code(files, needs, {path: digest_bytes(data) for path, data in files.items()})


class _Reader:
    """Reads each file once."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self.files: dict[str, bytes] = {}
        self._trees: dict[str, ast.Module] = {}

    def closure(self, function: str) -> set[str]:
        """Every file that ``function`` may run."""
        path, _, name = function.rpartition(":")
        if not os.path.isfile(os.path.join(self.root, path)):
            hint = "the path starts at the folder of mldata.yaml"
            raise NoSuchFunction(
                f"expected a file with the function {name!r}, found no {path}", function, hint
            )
        _check_defined(self._tree(path), function)
        folder = os.path.dirname(path)
        found: set[str] = set()
        todo = [path, *self._packages(path)]
        while todo:
            path = todo.pop()
            if path not in found:
                found.add(path)
                todo += self._imported(path, folder)
        return found

    def _tree(self, path: str) -> ast.Module:
        if path not in self._trees:
            full = os.path.join(self.root, path)
            if not os.path.realpath(full).startswith(self.root.rstrip(os.sep) + os.sep):
                raise SpecError(
                    f"expected code inside the project folder, found a link to {os.path.realpath(full)}",
                    where=path,
                    hint="copy the file into the folder of mldata.yaml",
                )
            try:
                data = Path(full).read_bytes()
                self._trees[path] = ast.parse(data, path)
            except OSError as error:
                raise SpecError(f"cannot be read: {error.strerror or error}", where=path) from None
            except SyntaxError as error:
                where = Where(path, error.lineno, error.offset) if error.lineno else Where(path)
                raise SpecError(f"not Python: {error.msg}", where=where) from None
            except (ValueError, RecursionError, MemoryError) as error:
                raise SpecError(f"not Python: {error}", where=path) from None
            self.files[path] = data
        return self._trees[path]

    def _packages(self, path: str) -> list[str]:
        """The ``__init__.py`` of the folders around a file: with it in a package, they run first."""
        folders = path.split("/")[:-1]
        tried = ["/".join([*folders[: depth + 1], "__init__.py"]) for depth in range(len(folders))]
        return [each for each in tried if self._is_file(each)]

    def _imported(self, path: str, folder: str) -> Iterator[str]:
        """The local files that ``path`` imports; ``folder`` is that of the function's file."""
        bases = list(dict.fromkeys(["", folder]))
        for node in ast.walk(self._tree(path)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._local(alias.name.split("."), bases)
            elif isinstance(node, ast.ImportFrom):
                parts = node.module.split(".") if node.module else []
                starts = bases
                if node.level:
                    above = path.split("/")[: -node.level]
                    if len(path.split("/")) < node.level:
                        continue
                    starts, parts = [""], [*above, *parts]
                for alias in node.names:
                    if alias.name == "*":
                        yield from self._star(parts, starts)
                    yield from self._local([*parts, alias.name], starts, relative=bool(node.level))

    def _local(self, parts: list[str], bases: list[str], *, relative: bool = False) -> list[str]:
        """Files of the module with the dotted name ``parts`` or, if the last part is a name in it, of that module."""
        if not relative and parts[0] in sys.stdlib_module_names | RESERVED:
            return []
        for base in bases:
            found, folder = [], base
            for part in parts:
                inner = f"{folder}/{part}" if folder else part
                if self._is_file(f"{inner}/__init__.py"):
                    found.append(f"{inner}/__init__.py")
                elif self._is_file(f"{inner}.py"):
                    found.append(f"{inner}.py")
                    break
                folder = inner
            if found:
                return found
        return []

    def _star(self, parts: list[str], bases: list[str]) -> Iterator[str]:
        for base in bases:
            folder = "/".join([base, *parts] if base else parts)
            if self._is_file(f"{folder}/__init__.py"):
                for name in sorted(os.listdir(os.path.join(self.root, folder))):
                    if name.endswith(".py"):
                        yield f"{folder}/{name}"
                return

    def _is_file(self, path: str) -> bool:
        return os.path.isfile(os.path.join(self.root, path))


def _check_defined(tree: ast.Module, function: str) -> None:
    """Raise unless the module binds ``name`` at its top level, or imports what cannot be known."""
    path, _, name = function.rpartition(":")
    names: set[str] = set()
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            if any(alias.name == "*" for alias in node.names):
                return
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        else:
            todo += ast.iter_child_nodes(node)
    if name not in names:
        defined = sorted(
            node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"
        )
        near = nearest(name, defined)
        hint = f"did you mean {near!r}?" if near else f"it has {', '.join(defined[:20])}" if defined else None
        raise NoSuchFunction(f"expected a function {name!r} in {path}, found none", function, hint)
