"""The stages of a build, in order, by name. A stage's module is imported only when the stage runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from mldata.stages.base import Stage


class StageInfo(NamedTuple):
    """What deciding staleness needs to know of a stage without importing it."""

    name: str
    module: str
    factory: str
    version: int
    """Raised whenever the same inputs would give other bytes; enters every action key."""
    libraries: tuple[str, ...]
    """Distributions whose versions can change the stage's output bytes."""
    needs: tuple[str, ...]
    """Earlier stages whose output it reads, where the dataset has them (see :func:`needs`)."""


STAGES: dict[str, StageInfo] = {
    info.name: info
    for info in (
        StageInfo("fetch", "mldata.stages.fetch", "Fetch", 1, (), ()),
        StageInfo(
            "normalize",
            "mldata.stages.normalize",
            "Normalize",
            5,
            ("pyarrow", "pillow", "soundfile"),
            ("fetch",),
        ),
        StageInfo("transform", "mldata.stages.transform", "Transform", 1, ("pyarrow",), ("normalize",)),
        StageInfo("split", "mldata.stages.split", "Split", 2, (), ("normalize", "transform")),
        StageInfo(
            "validate",
            "mldata.stages.validate",
            "Validate",
            4,
            ("pyarrow",),
            ("normalize", "transform", "split"),
        ),
        StageInfo(
            "profile",
            "mldata.stages.profile",
            "Profile",
            1,
            ("pyarrow", "numpy"),
            ("normalize", "transform", "split"),
        ),
        StageInfo(
            "export", "mldata.stages.export", "Export", 6, ("pyarrow",), ("normalize", "transform", "split")
        ),
    )
}
UNTOLD = frozenset({"validate", "profile"})
"""Stages that an export is made without, so that its manifest tells nothing of them: a changed threshold writes no new one."""
TABLES = ("transform", "normalize")
"""Stages that make a table, the last first: a later stage reads the last one that the dataset has."""

T = TypeVar("T")


def needs(stage: str, present: Collection[str]) -> tuple[str, ...]:
    """The stages among those ``present`` in a dataset whose output ``stage`` reads."""
    found = [need for need in STAGES[stage].needs if need in present]
    tables = [name for name in TABLES if name in found]
    return tuple(need for need in found if need not in tables[1:])


def table_of(outputs: Mapping[str, T]) -> T:
    """The table among the outputs of stages."""
    return outputs[next(stage for stage in TABLES if stage in outputs)]


def load_stage(name: str) -> Stage:
    """Import and make the stage called ``name`` (a key of :data:`STAGES`)."""
    info = STAGES[name]
    stage: Stage = getattr(import_module(info.module), info.factory)()
    return stage
