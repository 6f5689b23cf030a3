"""Reads the imports of a source tree and says where they break DESIGN.md, section 2.

Works on any folder that holds ``store/`` and ``mldata/``, so that the checker itself is tested on made-up trees. Imports
inside functions and under ``TYPE_CHECKING`` count as much as those at module top: they are dependencies all the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "workers", "collecting", "disposable"}),
    frozenset({"digest", "names"}),
    frozenset({"canonical", "layout", "seal"}),
    frozenset({"atomic", "index"}),
    frozenset({"lock", "copying", "source", "claims", "partialstate"}),
    frozenset({"objects", "refs", "leases", "filesystem"}),
    frozenset({"trees", "ahead"}),
    frozenset({"reach"}),
    frozenset({"actions", "stager", "retention", "findings", "gcplan", "inspection"}),
    frozenset({"batch", "placing"}),
    frozenset({"partial"}),
    frozenset({"partials"}),
    frozenset({"parts"}),
    frozenset({"bulk", "gcplanner", "borrow"}),
    frozenset({"ingest"}),
)
"""``store``'s modules from the bottom up; each may import only those of the layers below its own."""

UPPER = frozenset({"materialize", "handing", "gc", "check"})
"""Services on everything above, and not on each other."""

TOP = frozenset({"store", "__init__", "testing"})
"""May import everything; nothing but each other imports them."""

FAMILIES = frozenset({"sources", "formats", "checks", "stages", "exports", "frameworks", "tracking"})
"""Plug-in families of ``mldata``. A member knows its own family only; a stage, which brings others together, may use
another family's registry, protocol and shared helpers, and none of its registered members."""


@dataclass(frozen=True)
class Import:
    """One imported module, as written in one file."""

    module: str
    """Dotted name of the imported module, made absolute."""
    name: str | None
    """The imported name, when it is not a module of the tree."""
    line: int


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path
    text: str
    imports: tuple[Import, ...]

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """Parsed again where it is wanted: trees of all modules together are slow to look through for garbage."""
        return ast.parse(self.text, str(self.path))


def read(root: Path) -> dict[str, Module]:
    """All modules of ``store`` and ``mldata`` below ``root``, by dotted name."""
    paths = {}
    for package in ("store", "mldata"):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    modules = {}
    for name, path in paths.items():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        here = name if path.name == "__init__.py" else name.rpartition(".")[0]
        modules[name] = Module(name, path, text, tuple(_imports(tree, here, paths)))
    return modules


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements in a node, however deep: far fewer than there are expressions."""
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        below = getattr(node, field, None)
        for statement in below if isinstance(below, list) else ():
            yield statement
            yield from _statements(statement)


def _imports(tree: ast.Module, package: str, known: Mapping[str, Path]) -> Iterator[Import]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                if f"{base}.{alias.name}" in known:
                    yield Import(f"{base}.{alias.name}", None, node.lineno)
                else:
                    yield Import(base, alias.name, node.lineno)


def violations(root: Path) -> list[str]:
    """Every broken rule, one ``path:line: what`` each, sorted."""
    modules = read(root)
    found: list[str] = []
    for module in modules.values():
        where = module.path.relative_to(root).as_posix()
        check = _store_rules if module.package == "store" else _mldata_rules
        found += [f"{where}:{line}: {text}" for line, text in check(module, modules)]
        found += [f"{where}:{line}: {text}" for line, text in _printing(module)]
    return sorted(found) + [f"cycle: {' -> '.join(cycle)}" for cycle in cycles(modules)]


def _allowed(name: str) -> frozenset[str]:
    """The modules of ``store`` that its module ``name`` may import."""
    core = frozenset[str]().union(*LAYERS)
    if name in TOP:
        return core | UPPER | TOP
    if name in UPPER:
        return core
    for height, layer in enumerate(LAYERS):
        if name in layer:
            return frozenset[str]().union(*LAYERS[:height])
    return frozenset()


def _store_rules(module: Module, modules: Mapping[str, Module]) -> Iterator[tuple[int, str]]:
    own = module.name.removeprefix("store").lstrip(".") or "__init__"
    if own not in frozenset[str]().union(*LAYERS, UPPER, TOP):
        yield 1, f"store.{own} has no place in the layers (tests/layers.py)"
        return
    for item in module.imports:
        package, _, rest = item.module.partition(".")
        if package == "mldata":
            yield item.line, "store must not import mldata"
        elif package == "store" and (rest or "__init__") not in _allowed(own):
            yield item.line, f"store.{own} must not import {item.module}"


def _mldata_rules(module: Module, modules: Mapping[str, Module]) -> Iterator[tuple[int, str]]:
    public = _public(modules.get("store"))
    family = _family(module.name)
    for item in module.imports:
        package, _, rest = item.module.partition(".")
        if package == "store":
            if rest:
                yield item.line, f"mldata must import from store, not from {item.module}"
            elif item.name is None:
                yield (
                    item.line,
                    "write `from store import NAME`: names are then checked against store.__all__",
                )
            elif item.name not in public:
                yield item.line, f"{item.name} is not in store.__all__"
        elif _in_cli(item.module) and module.name != "mldata.__main__" and not _in_cli(module.name):
            yield item.line, "only __main__ may import mldata.cli"
        other = _family(item.module)
        if family and other and other != family:
            if family != "stages":
                yield item.line, f"a member of {family} must not import {item.module}"
            elif item.module in _members(other, modules):
                yield item.line, f"a stage must not import {item.module}, only the registry mldata.{other}"


def _printing(module: Module) -> Iterator[tuple[int, str]]:
    shows = _in_cli(module.name) or f"{module.name}.".startswith("mldata.reporter.")
    if shows or module.name in ("mldata.testing", "store.testing"):
        return
    may = re.search(r"\bprint\b|\bstdout\b|\bstderr\b", module.text)
    for node in ast.walk(module.tree) if may else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "only cli and reporter print"
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in ("stdout", "stderr")
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        ):
            yield node.lineno, f"only cli and reporter use sys.{node.attr}"
    for item in module.imports:
        if item.module == "rich" or item.module.startswith("rich."):
            yield item.line, "only cli and reporter use rich"
        if item.module == "sys" and item.name in ("stdout", "stderr"):
            yield item.line, f"only cli and reporter use sys.{item.name}"


def _public(package: Module | None) -> frozenset[str]:
    """The names in the literal ``__all__`` of a package."""
    for node in package.tree.body if package else ():
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets) and node.value is not None:  # type: ignore[attr-defined]
            return frozenset(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return frozenset()


def _in_cli(name: str) -> bool:
    return name == "mldata.cli" or name.startswith("mldata.cli.")


def _family(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "mldata" and parts[1] in FAMILIES else None


def _members(family: str, modules: Mapping[str, Module]) -> frozenset[str]:
    """The modules that a family's registry names, as text: they are imported when they are needed."""
    registry = modules.get(f"mldata.{family}")
    nodes = ast.walk(registry.tree) if registry else ()
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(name for name in texts if name in modules and name != f"mldata.{family}")


def cycles(modules: Mapping[str, Module]) -> list[list[str]]:
    """Import cycles, each as the modules on it, starting and ending with its first name in sorting order."""
    graph = {
        m.name: sorted({i.module for i in m.imports if i.module in modules} - {m.name})
        for m in modules.values()
    }
    for module in modules.values():
        if any(item.module == module.name for item in module.imports):
            graph[module.name].append(module.name)
    found: set[tuple[str, ...]] = set()
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            loop = path[path.index(name) :]
            first = loop.index(min(loop))
            found.add((*loop[first:], *loop[: first + 1]))
            return
        if name in done:
            return
        for target in graph[name]:
            visit(target, [*path, name])
        done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return [list(loop) for loop in sorted(found)]
