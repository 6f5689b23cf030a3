"""The stages of a build, in order, by name. A stage's module is imported only when the stage runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

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
    """Earlier stages whose output it reads, where the dataset has them."""


STAGES: dict[str, StageInfo] = {
    info.name: info
    for info in (
        StageInfo("fetch", "mldata.stages.fetch", "Fetch", 1, (), ()),
        StageInfo(
            "normalize",
            "mldata.stages.normalize",
            "Normalize",
            2,
            ("pyarrow", "pillow", "soundfile"),
            ("fetch",),
        ),
        StageInfo("split", "mldata.stages.split", "Split", 2, (), ("normalize",)),
        StageInfo("export", "mldata.stages.export", "Export", 3, ("pyarrow",), ("normalize", "split")),
    )
}


def load_stage(name: str) -> Stage:
    """Import and make the stage called ``name`` (a key of :data:`STAGES`)."""
    info = STAGES[name]
    stage: Stage = getattr(import_module(info.module), info.factory)()
    return stage
