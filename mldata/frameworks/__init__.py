"""Frameworks that an export can be made ready for, by name. A framework's module is imported only when it is used.

Third parties add one through an entry point of the group ``mldata.frameworks`` that loads to a :class:`FrameworkInfo`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from mldata.errors import SpecError
from mldata.plugins import plugins

if TYPE_CHECKING:
    from mldata.frameworks.base import Framework

__all__ = [
    "FRAMEWORKS",
    "FrameworkInfo",
    "find_framework",
    "formats_for",
    "frameworks",
    "load_framework",
]


class FrameworkInfo(NamedTuple):
    """What planning an export needs to know of a framework without importing it."""

    name: str
    module: str
    factory: str
    formats: tuple[str, ...]
    """Export formats that its loader reads, the best first: one of them must be exported, the first is added where none is."""
    version: int = 1
    """Raised whenever the same dataset would give other files."""


FRAMEWORKS: dict[str, FrameworkInfo] = {
    info.name: info
    for info in (
        FrameworkInfo("pytorch", "mldata.frameworks.pytorch", "PyTorch", ("parquet", "arrow")),
        FrameworkInfo("lightning", "mldata.frameworks.lightning", "Lightning", ("parquet", "arrow")),
        FrameworkInfo(
            "tensorflow", "mldata.frameworks.tensorflow", "TensorFlow", ("tfrecord", "tfrecord.gz")
        ),
        FrameworkInfo("jax", "mldata.frameworks.jax", "Jax", ("parquet", "arrow")),
        FrameworkInfo("huggingface", "mldata.frameworks.huggingface", "HuggingFace", ("huggingface",)),
        FrameworkInfo("sklearn", "mldata.frameworks.sklearn", "Sklearn", ("parquet", "arrow"), version=2),
    )
}


def frameworks() -> dict[str, FrameworkInfo]:
    """The built-in frameworks, then those of installed plug-ins (which cannot replace a built-in one)."""
    return FRAMEWORKS | {
        name: info for name, info in plugins("mldata.frameworks").items() if name not in FRAMEWORKS
    }


def find_framework(name: str) -> FrameworkInfo:
    """What is known of the framework called ``name``; plug-ins are looked for only if it is not built in.

    Raises:
        SpecError: there is none; the message lists those that there are.
    """
    info = FRAMEWORKS.get(name) or frameworks().get(name)
    if info is None:
        raise SpecError(
            f"expected a framework, one of {', '.join(frameworks())}; found {name!r}",
            hint="Install the plug-in that has it, or leave it out of `framework:`.",
        )
    return info


def formats_for(names: Iterable[str], formats: Iterable[str]) -> list[str]:
    """``formats``, and the first one of each framework that reads none of them."""
    wanted = list(formats)
    for name in names:
        able = find_framework(name).formats
        if not set(able) & set(wanted):
            wanted.append(able[0])
    return wanted


def load_framework(name: str) -> Framework:
    """Import and make the framework called ``name`` (a key of :func:`frameworks`)."""
    info = find_framework(name)
    made: Framework = getattr(import_module(info.module), info.factory)()
    return made
