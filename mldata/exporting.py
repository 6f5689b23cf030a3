"""Writing a kept build to a folder: as it was exported then, or in other formats from its table and split.

What is asked for as it was then is the export's own tree, byte for byte. Anything else runs the export stage: its actions are cached as those of
any build, and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.errors import SpecError, UsageError

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.keptbuild import KeptBuild
    from mldata.reporter import Reporter
    from mldata.spec import Flags
    from store import Digest

__all__ = ["ExportTree", "export_params", "export_tree"]


@dataclass(frozen=True)
class ExportTree:
    """An export as a tree in the store."""

    digest: Digest
    warnings: list[str] = field(default_factory=list)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Of the stage; of an export that was made before, those that its build recorded."""
    failed: list[Mapping[str, str]] = field(default_factory=list)
    """``format`` and ``error`` of each format that could not be written; the others are there."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each format took that was written now."""


def export_params(
    kept: KeptBuild, wanted: Mapping[str, Any], flags: Flags | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters of the export stage: those of the build but for what is wanted; the spec's defaults where it was not exported.

    Args:
        wanted: settings as ``export:`` in the spec has them, without ``to``.
        flags: what to call settings in messages.

    Returns:
        The parameters, and the settings of the programs that are to track the files, by name.

    Raises:
        InvalidSpec: an unknown format or compression.
    """
    from mldata.spec import parse_dataset
    from mldata.specexport import narrowed
    from mldata.tracking import stage_params

    made = dict(kept.params("export")) if "export" in kept.stages else {}
    md5 = made.pop("md5", False)
    said = {**made, **wanted}
    if made and "compression" not in wanted:
        codec = narrowed(said.pop("compression"), said["formats"])
        said |= {"compression": codec} if codec is not None else {}
    section = {"source": "-", "export": said}
    plain = parse_dataset(kept.record.dataset, section, "mldata export", flags)["export"]
    del plain["to"]
    params, tracked = stage_params(plain)
    return ({**params, "md5": True} if md5 else params), tracked


def export_tree(
    kept: KeptBuild,
    params: Mapping[str, Any] | None,
    *,
    salt: str,
    executor: Executor,
    reporter: Reporter,
    partial: bool = False,
) -> ExportTree:
    """The export of a build, made if it is not there.

    Args:
        params: of :func:`export_params`; None: as the build has it.
        salt: of the spec, as in every action.
        partial: write the other formats where some fail; if all do, the first error is raised all the same.

    Raises:
        UsageError: a format or compression that there is not, or that does not fit. BuildError: a column that a format cannot hold.
    """
    there = kept.record.outputs.get("export")
    if there is not None and (params is None or params == kept.params("export")):
        return ExportTree(there, facts=kept.record.stages["export"].get("facts", {}))
    if params is None:
        params, _ = export_params(kept, {})
    progress = reporter.stage(kept.record.dataset, "export")
    job = kept.job(
        "export",
        kept.store,
        kept.inputs("export", kept.record.outputs),
        executor=executor,
        progress=progress,
        params=params,
        context=kept.context(kept.as_made(), params),
        salt=salt,
    )
    job.partial = partial
    from mldata.stages import load_stage

    try:
        made = load_stage("export").build(job)
    except SpecError as error:  # its hint is for a spec
        progress.finish(None)
        raise UsageError(error.message, hint="Choose others with --formats and --compression.") from error
    except BaseException:
        progress.finish(None)
        raise
    progress.finish(f"{job.runs} run, {job.hits} from cache")
    failed = made.facts.get("failed", [])
    return ExportTree(made.output.digest, job.warnings, made.facts, failed, made.seconds)
