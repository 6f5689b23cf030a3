"""Python, and the libraries that mldata's own package asks for."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from mldata.doctor.base import Finding, release
from mldata.version import __version__

__all__ = ["Needed", "look", "needed"]

PACKAGE = "mldata-cli"
LEAST_PYTHON = (3, 11)
MODULES = {"pyyaml": "yaml", "pillow": "PIL", "charset-normalizer": "charset_normalizer"}
"""Of packages whose module is called otherwise."""
FOR_DEVELOPERS = frozenset({"test", "bench"})
_FORM = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:>=\s*([0-9.]+))?")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


@dataclass(frozen=True)
class Needed:
    """A library that the package names."""

    name: str
    least: str | None
    extra: str | None
    """None: it is always needed."""


def look(folder: Path, offline: bool) -> Iterator[Finding]:
    """Versions, and whether the libraries can be imported."""
    yield _python()
    yield Finding("software", "mldata", "ok", f"{__version__} in {Path(__file__).parents[1]}")
    every = needed()
    always = [_library(it) for it in every if it.extra is None]
    yield from always
    if all(it.level == "ok" for it in always):
        yield Finding("software", "libraries", "ok", f"all {len(always)} are as wanted")
    for extra in sorted({it.extra for it in every if it.extra is not None} - FOR_DEVELOPERS):
        yield _extra(extra, [it for it in every if it.extra == extra])


def needed() -> list[Needed]:
    """What the installed package asks for; of a checkout, what its ``pyproject.toml`` says."""
    try:
        texts = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        texts = _of_checkout(Path(__file__).parents[2] / "pyproject.toml")
    return [it for text in texts if (it := _needed(text)) is not None]


def _of_checkout(path: Path) -> list[str]:
    import tomllib

    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    marked = [f'{text}; extra == "{extra}"' for extra, texts in extras.items() for text in texts]
    return [*project["dependencies"], *marked]


def _needed(text: str) -> Needed | None:
    """One requirement (PEP 508), as far as mldata's own go; None for extras that name mldata itself."""
    found = _FORM.match(text)
    if found is None or found[1].lower() == PACKAGE:
        return None
    extra = _EXTRA.search(text.partition(";")[2])
    return Needed(found[1], found[2], extra[1] if extra else None)


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    if sys.version_info[:2] < LEAST_PYTHON:
        return Finding("software", "Python", "fail", text, "Install Python 3.11 or newer.")
    return Finding("software", "Python", "ok", text)


def _version(it: Needed) -> str | None:
    try:
        return metadata.version(it.name)
    except metadata.PackageNotFoundError:
        return None


def _wanted(it: Needed) -> str:
    return f"{it.name}>={it.least}" if it.least else it.name


def _library(it: Needed) -> Finding:
    version, remedy = _version(it), f"pip install '{_wanted(it)}'"
    if version is None:
        return Finding("software", it.name, "fail", "not installed", remedy)
    if it.least and release(version) < release(it.least):
        return Finding("software", it.name, "fail", f"{version}, expected {it.least} or newer", remedy)
    try:
        import_module(MODULES.get(it.name.lower(), it.name.replace("-", "_")))
    except Exception as error:  # whatever a broken library does
        said = f"{version} cannot be imported: {type(error).__name__}: {error}"
        return Finding("software", it.name, "fail", said, f"pip install --force-reinstall '{_wanted(it)}'")
    return Finding("software", it.name, "ok", version, detail=True)


def _extra(extra: str, every: list[Needed]) -> Finding:
    found = {it: _version(it) for it in every}
    name, remedy = f"extra {extra}", f"pip install '{PACKAGE}[{extra}]'"
    missing = [it.name for it, version in found.items() if version is None]
    if missing:
        return Finding("software", name, "note", f"not installed: {', '.join(missing)}", remedy)
    old = [it for it, version in found.items() if it.least and release(version or "") < release(it.least)]
    if old:
        wrong = ", ".join(f"{it.name} {found[it]}, expected {it.least} or newer" for it in old)
        return Finding("software", name, "warn", wrong, remedy)
    return Finding("software", name, "ok", ", ".join(f"{it.name} {version}" for it, version in found.items()))
