"""What ``mldata validate --quarantine`` and ``--restore`` do: with the files of a folder, or with what a dataset is built of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Result
from mldata.errors import EXIT_BUILD, EXIT_OK, UsageError, harmless
from mldata.integrity.base import CORRUPT

if TYPE_CHECKING:
    from mldata.integrity.quarantine import Outcome
    from mldata.project import Project
    from mldata.validated import Validation

__all__ = ["check_request", "put_aside", "take_back"]

NAMED = 10
"""Files that a text for people names."""


def check_request(place: str, folder: str | None, project: Project | None) -> None:
    """Refuse, before anything is looked at, a quarantine that cannot be.

    Args:
        folder: as typed; None: the usual one.
        project: has a dataset called ``place``; None: it is a path.
    """
    from mldata.integrity.quarantine import check_quarantine
    from mldata.sources import LOCAL, scheme_of

    if project is not None:
        if folder is not None:
            raise UsageError(
                f"expected no folder: the files of the dataset {place!r} stay where they are, and are left out of its builds",
                where="--quarantine",
                hint=f"mldata validate {place} --quarantine",
            )
        return
    if scheme_of(place) != LOCAL:
        raise UsageError(
            f"expected a folder of this machine, found {place}",
            where="--quarantine",
            hint="Add it to mldata.yaml (mldata add NAME SOURCE): what is corrupt can be left out of a dataset's builds.",
        )
    check_quarantine(_root(place), _folder(place, folder))


def put_aside(place: str, folder: str | None, project: Project | None, found: Validation) -> tuple[Any, str]:
    """Put what is corrupt into quarantine; what was done, for programs and for people."""
    from mldata.integrity.quarantine import quarantine

    assert found.files is not None
    corrupt = found.files.of(CORRUPT)
    if project is not None:
        from mldata.specexclude import exclude

        digests: dict[str, str | None] = {it.path: str(it.details["digest"]) for it in corrupt}
        if digests:
            exclude(project.spec_path, place, digests)
        told = _lines(list(digests), f"left out of the builds of {place} from now on, by mldata.yaml")
        return {"excluded": digests}, f"{told}\nundo: mldata validate {place} --restore" if digests else told
    outcome = quarantine(
        _root(place), _folder(place, folder), [(found.places[it.path], it) for it in corrupt]
    )
    told = _lines([move.source for move in outcome.moved], f"moved to {outcome.folder}")
    if outcome.moved:
        told += f"\nundo: mldata validate {place} --restore" + (f" {folder}" if folder is not None else "")
    return _plain(outcome), told + _left(outcome)


def take_back(place: str, folder: str | None, project: Project | None) -> Result:
    """Undo :func:`put_aside`."""
    from mldata.integrity.quarantine import restore

    if project is not None:
        from mldata.specexclude import include

        # What was excluded by name alone was excluded by hand.
        said = project.datasets[place].normalize.get("exclude", {})
        paths = [path for path, digest in said.items() if digest is not None]
        if paths:
            include(project.spec_path, place, paths)
        return Result({"included": paths}, _lines(paths, f"part of the builds of {place} again"))
    outcome = restore(_folder(place, folder))
    text = _lines([move.source for move in outcome.moved], f"back in {place}") + _left(outcome)
    return Result(_plain(outcome), text, EXIT_BUILD if outcome.left else EXIT_OK)


def _folder(place: str, folder: str | None) -> Path:
    from mldata.integrity.quarantine import QUARANTINE

    return Path(folder) if folder is not None else _root(place) / QUARANTINE


def _root(place: str) -> Path:
    from mldata.sources import local_path

    return Path(local_path(place)).expanduser()


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "folder": str(outcome.folder),
        "moved": [{"path": move.source, "to": move.target} for move in outcome.moved],
        "left": [{"path": left.path, "reason": left.why} for left in outcome.left],
    }


def _left(outcome: Outcome) -> str:
    return "".join(f"\nnot moved: {harmless(left.path)}: {left.why}" for left in outcome.left)


def _lines(paths: list[str], what: str) -> str:
    names = [f"  {harmless(path)}" for path in paths[:NAMED]]
    more = [f"  and {len(paths) - NAMED:,} more"] if len(paths) > NAMED else []
    return "\n".join([f"{len(paths):,} file{'s'[: len(paths) != 1]} {what}", *names, *more])
