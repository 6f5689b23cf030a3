"""mldata: a Make-style, content-addressed build system for ML datasets.

From Python::

    import mldata

    mldata.build("penguins")          # as `mldata build penguins` does
    data = mldata.open("penguins")
    data.table("train")               # a pyarrow.Table
    data.path("train")                # the exported file

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from mldata.errors import MldataError
from mldata.version import __version__

if TYPE_CHECKING:
    from mldata.build import StageReport
    from mldata.dataset import Dataset

__all__ = ["MldataError", "__version__", "build", "open"]


def build(
    *names: str,
    project: str | PathLike[str] = ".",
    jobs: int | None = None,
    force: bool = False,
    locked: bool = False,
) -> dict[str, dict[str, StageReport]]:
    """Bring datasets up to date, as ``mldata build`` does.

    Args:
        names: datasets of the spec; none means all.
        project: a folder in the project, or the spec itself.
        jobs: worker threads; None means one a processor. Never changes what is made.
        force: run every action again, whatever the cache has.
        locked: fail when a source is not what ``mldata.lock`` pins.

    Returns:
        By dataset and stage, what happened: ``status``, ``output`` (digest), ``hits``, ``runs``, ``rows``, ``seconds``.

    Raises:
        MldataError: the spec is wrong, a dataset is unknown, or a stage failed.
        store.StoreError: the store is damaged, full or read-only.
    """
    from mldata.api import build_datasets

    return build_datasets(names, project, jobs=jobs, force=force, locked=locked)


def open(name: str, *, project: str | PathLike[str] = ".") -> Dataset:
    """A built dataset, to read from Python.

    Args:
        name: a dataset of the spec (what was built last), or ``NAME@BUILD`` for one build that the store keeps.
        project: a folder in the project, or the spec itself.

    Raises:
        MldataError: there is no such dataset, or it has not been built.
    """
    from mldata.api import open_dataset

    return open_dataset(name, project)
