"""Writing a kept build to a folder: as it was exported then, or in other formats from its table and split.

What is asked for as it was then is the export's own tree, byte for byte. Anything else runs the export stage: its actions are cached as those of
any build, and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.errors import SpecError, UsageError

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.keptbuild import KeptBuild
    from mldata.reporter import Reporter
    from store import Digest

__all__ = ["ExportTree", "export_params", "export_tree"]


@dataclass(frozen=True)
class ExportTree:
    """An export as a tree in the store."""

    digest: Digest
    warnings: list[str] = field(default_factory=list)


def export_params(kept: KeptBuild, formats: Sequence[str] | None, compression: str | None) -> dict[str, Any]:
    """Parameters of the export stage: those of the build but for what is given; the spec's defaults where it was not exported.

    Raises:
        InvalidSpec: an unknown format or compression.
    """
    from mldata.spec import parse_dataset

    given = {"formats": formats, "compression": compression}
    wanted = {name: value for name, value in given.items() if value is not None}
    plain = parse_dataset(kept.record.dataset, {"source": "-", "export": wanted}, "mldata export")["export"]
    del plain["to"]
    if "export" not in kept.stages:
        return dict(plain)
    return kept.params("export") | {name: plain[name] for name in wanted}


def export_tree(
    kept: KeptBuild,
    formats: Sequence[str] | None,
    compression: str | None,
    *,
    salt: str,
    executor: Executor,
    reporter: Reporter,
) -> ExportTree:
    """The export of a build, made if it is not there.

    Args:
        formats, compression: None: as the build has it.
        salt: of the spec, as in every action.

    Raises:
        UsageError: a format or compression that there is not, or that does not fit. BuildError: a column that a format cannot hold.
    """
    there = kept.record.outputs.get("export")
    if there is not None and formats is None and compression is None:
        return ExportTree(there)
    params = export_params(kept, formats, compression)
    if there is not None and params == kept.params("export"):
        return ExportTree(there)
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
    return ExportTree(made.output.digest, job.warnings)
