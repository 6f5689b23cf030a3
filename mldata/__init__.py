"""mldata: a Make-style, content-addressed build system for ML datasets.

From Python::

    import mldata

    mldata.build("penguins")          # as `mldata build penguins` does
    mldata.build(source="data/*.csv", to="clean", split={"train": 0.8, "test": 0.2})    # without a spec
    mldata.pull("hf://owner/name", to="raw")    # as `mldata pull` does
    mldata.validate("penguins").passed
    mldata.profile("penguins", split="train").columns    # as `mldata profile` tells it
    mldata.drift("penguins@1", "penguins").severity
    mldata.diff("penguins@1", "penguins").breaking
    data = mldata.open("penguins")
    data.table("train")               # a pyarrow.Table
    data.to_polars("train")           # a LazyFrame; also to_arrow, to_pandas, to_torch, to_hf
    data.path("train")                # the exported file

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

import sys
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING

from mldata.errors import MldataError
from mldata.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mldata.dataset import Dataset
    from mldata.diffing import Diff
    from mldata.drifting import Drift
    from mldata.profile.profile import Profile
    from mldata.stagereport import StageReport
    from mldata.validated import Validation

__all__ = ["MldataError", "__version__", "build", "diff", "drift", "open", "profile", "pull", "validate"]


def build(
    *names: str,
    project: str | PathLike[str] = ".",
    jobs: int | None = None,
    force: bool = False,
    locked: bool = False,
    source: str | Sequence[str] | None = None,
    to: str | PathLike[str] | None = None,
    normalize: Mapping[str, Any] | None = None,
    split: Mapping[str, Any] | None = None,
    export: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, StageReport]]:
    """Bring datasets up to date, as ``mldata build`` does; or build sources into a folder, as ``mldata build SOURCE -o DIR`` does.

    Args:
        names: datasets of the spec; none means all. With ``to`` one of them, which is then exported there.
        project: a folder in the project, or the spec itself.
        jobs: worker threads; None means one a processor. Never changes what is made.
        force: run every action again, whatever the cache has.
        locked: fail when a source is not what ``mldata.lock`` pins.
        source: a file, folder, pattern or URI, or several; relative ones start at the working folder. No spec is needed.
        to: the folder; it must be new, empty, or an earlier export.
        normalize, split, export: sections as the spec has them (``export`` without ``to``), for what is built into a folder.

    Returns:
        By dataset and stage, what happened: ``status``, ``output`` (digest), ``hits``, ``runs``, ``rows``, ``seconds``.

    Raises:
        MldataError: the spec is wrong, a dataset is unknown, or a stage failed.
        store.StoreError: the store is damaged, full or read-only.
    """
    from mldata.api import build_datasets, build_into

    sections = {"normalize": normalize, "split": split, "export": export}
    said = {name: section for name, section in sections.items() if section is not None}
    if to is not None or source is not None or said:
        words = [*names, *([source] if isinstance(source, str) else source or ())]
        return build_into(words, to, said, project, jobs=jobs, force=force, locked=locked)
    return build_datasets(names, project, jobs=jobs, force=force, locked=locked)


def pull(
    *sources: str,
    to: str | PathLike[str] | None = None,
    revision: str | None = None,
    subset: str | None = None,
    split: str | None = None,
    max_samples: int | None = None,
    offline: bool = False,
    project: str | PathLike[str] = ".",
) -> dict[str, Any]:
    """Bring sources into the store, and into a folder, as ``mldata pull`` does; what was cut off is gone on with.

    Args:
        sources: sources (``hf://OWNER/NAME``, ``https://...``, a path), or one dataset of the spec, which is taken as ``mldata.lock`` pins it.
        to: a folder for the files; it must be new, empty, or an earlier pull or export.
        revision, subset, split: of sources that have such.
        max_samples: only so many first rows, as Parquet (of media the first files); None: all files as they are.
        offline: use no network: what was pulled before, or an error.
        project: a folder in the project whose store is used, or the spec itself.

    Returns:
        ``files`` (path, size, digest and ``resumed_from`` of each), ``bytes_downloaded``, ``revision``, ``sources``, ``tree``, ``warnings``, and
        ``folder`` where there is one.

    Raises:
        MldataError: a source cannot be had (``AuthError``, ``NetworkError``, ``SourceError``), or the folder is in the way.
        store.StoreError: the store is damaged, full or read-only.
    """
    from mldata.api import pull_sources

    options = {"revision": revision, "subset": subset, "split": split}
    return pull_sources(sources, to, options, project, samples=max_samples, offline=offline)


def validate(
    place: str,
    *,
    checks: Sequence[str] | None = None,
    fail_on: str | None = None,
    timeout: float | None = None,
    sample: float | None = None,
    project: str | PathLike[str] = ".",
    jobs: int | None = None,
) -> Validation:
    """Look at every file and at the data, as ``mldata validate`` does. A dataset is brought up to date as far as its split.

    Args:
        place: a dataset of the spec, with or without ``validate:``; a folder, a file, or a source elsewhere.
        checks: these checks (with what the spec says of them) instead of those of the spec. A build does not see what they find.
        fail_on: ``error``, ``warning`` or ``never``, instead of what the spec says.
        timeout: seconds for one file; None means as the spec says, else 5.
        sample: the share of a folder's files that is looked at, up to 1; None means a tenth where there are more than 10,000.
        project: a folder in the project, or the spec itself.
        jobs: workers; None means one a processor. Never changes what is found.

    Returns:
        What was found: ``passed``; ``checks`` (of the data, by name, with their findings); ``files`` (the report of the files, or None);
        ``to_markdown()``, ``to_json()``.

    Raises:
        MldataError: the spec is wrong, there is no such place, or a stage failed. Data that does not pass is no error.
        store.StoreError: the store is damaged, full or read-only.
    """
    from fractions import Fraction

    from mldata.api import validate_place
    from mldata.looking import Looking

    share = Fraction(str(sample)) if sample is not None else None
    looking = Looking(timeout, share, jobs=jobs, fail_on=fail_on or "error")
    return validate_place(place, checks, project, looking, fail_on)


def drift(
    baseline: str,
    current: str,
    *,
    columns: Sequence[str] | None = None,
    moderate: float = 0.1,
    major: float = 0.25,
    bins: int = 10,
    epsilon: float = 1e-4,
    project: str | PathLike[str] = ".",
    jobs: int | None = None,
) -> Drift:
    """How far rows have moved from others, column by column, as ``mldata drift`` tells it. What was read before is not read again.

    Args:
        baseline, current: a dataset of the spec (``NAME``), a build of it (``NAME@3``), a part (``NAME#train``), an export folder, a file or a source elsewhere.
        columns: these columns only; None means all.
        moderate, major: the PSI from which on a column has drifted, and above which it has drifted far.
        bins: how many bins of the baseline's quantiles numbers are compared in.
        epsilon: the share that an empty bin is taken to have.
        project: a folder in the project, or the spec itself.
        jobs: workers; None means one a processor. Never changes what is found.

    Returns:
        What was found: ``drift``, ``share``, ``severity`` (``stable``, ``moderate`` or ``major``); ``columns``, each with its measures, ``severity`` and
        what ``moved``; ``added``, ``removed``; ``comparable``: whether they have a column in common, without which it is ``major``; ``to_json()``,
        ``to_markdown()``, ``to_html()``.

    Raises:
        MldataError: the spec is wrong, one of the two is nothing, or a stage failed. Drift is no error.
        store.StoreError: the store is damaged, full or read-only.
    """
    from mldata.api import drift_between
    from mldata.drift.report import Thresholds

    return drift_between(
        baseline, current, Thresholds(moderate, major, epsilon, bins), columns, project, jobs
    )


def profile(
    place: str,
    *,
    split: str | None = None,
    parts: bool = False,
    sample: float | None = None,
    columns: Sequence[str] | None = None,
    project: str | PathLike[str] = ".",
    jobs: int | None = None,
) -> Profile:
    """What is in a table, as ``mldata profile`` tells it. Only rows that were never looked at are read; a dataset is brought up to date as far as its split.

    Args:
        place: a dataset of the spec, a build (``NAME@3``), a part of one of these (``NAME#train``); a file, a folder, an export, or a source elsewhere.
        split: only this part.
        parts: each part by itself, too.
        sample: the share of the rows that is looked at, up to 1; always the same rows. None means all.
        columns: only these, in this order; None means all. Rows are duplicates where all columns of the table say so.
        project: a folder in the project, or the spec itself.
        jobs: workers; None means one a processor. Never changes what is found.

    Returns:
        The profile: ``rows``, ``columns``, ``correlations``, ``alerts``, ``parts``, ``preview`` and more.

    Raises:
        MldataError: there is no such place or part, the spec is wrong, or a stage failed.
        store.StoreError: the store is damaged, full or read-only.
    """
    from mldata.api import profile_place

    return profile_place(place, project, split=split, parts=parts, sample=sample, columns=columns, jobs=jobs)


def diff(
    old: str,
    new: str,
    *,
    sections: Sequence[str] = (),
    key: Sequence[str] = (),
    project: str | PathLike[str] = ".",
    jobs: int | None = None,
) -> Diff:
    """What has changed from ``old`` to ``new``, as ``mldata diff`` tells it.

    Args:
        old, new: a dataset of the spec (``NAME``), a build of it (``NAME@3``), a part (``NAME#train``), an export folder, a file or a source elsewhere.
        sections: ``schema``, ``data`` (the rows), ``drift``, ``manifest`` (sources, parameters, code, versions); none: the schema, the making where both tell it,
            and how much of the data is equal, as far as that is known without reading it.
        key: columns that name a row: rows are compared, and changed ones told from others.
        project: a folder in the project, or the spec itself.
        jobs: workers; None means one a processor. Never changes what is found.

    Returns:
        What was found: ``same``, ``breaking``; ``schema`` (its ``changes``), ``making``, ``data``, ``drift``, each None where nobody asked for it;
        ``to_json()``, ``to_markdown()``.

    Raises:
        MldataError: the spec is wrong, one of the two is nothing, a key is not in both, or a stage failed. A difference is no error.
        store.StoreError: the store is damaged, full or read-only.
    """
    from mldata.api import diff_between

    return diff_between(old, new, sections, key, project, jobs)


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


class _Package(ModuleType):
    """Keeps ``mldata.build`` the function: Python would put the module of that name in its place when that is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
