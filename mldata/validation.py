"""Validating a dataset outside of a build: its data as it is now, by the spec or by other checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, UsageError
from mldata.stages import needs
from mldata.tasks import run_tasks
from mldata.verdict import ValidationFailed

if TYPE_CHECKING:
    from mldata.build import Session
    from mldata.checks.report import Report

__all__ = ["validate"]

STAGE = "validate"


def validate(session: Session, dataset: str, checks: Sequence[str] | None = None) -> Report:
    """Bring a dataset up to date as far as validation goes; the report.

    Args:
        checks: these checks with their defaults where the spec says nothing of them, instead of those of the spec. Such a validation leaves
            no receipt: a build goes by the spec alone.

    Raises:
        MldataError, store.StoreError: a stage failed. What the report says is no error.
    """
    from mldata.stages.validate import read_report

    spec = session.state.spec(dataset)
    own = spec.validate is not None and checks is None
    stages = (STAGE,) if own else needs(STAGE, spec.stages)
    _run(session, dataset, stages)
    if own:
        receipt = session.state.receipt(dataset, STAGE)
        assert receipt is not None
        return read_report(session.store, receipt.output)
    made = session.make(dataset, STAGE, _params(spec.validate or {}, checks or ()))
    return read_report(session.store, made.output.digest)


def _run(session: Session, dataset: str, stages: Sequence[str]) -> None:
    code = run_tasks(session, [f"{stage}:{dataset}" for stage in stages])
    for error in session.failures.values():
        if not isinstance(error, ValidationFailed):
            raise error
    if code and not session.failures:
        raise BuildError(f"doit stopped with code {code}", where=dataset)


def _params(said: Mapping[str, Any], checks: Sequence[str]) -> dict[str, Any]:
    """Parameters of the stage for ``checks`` (all that are built in if there are none), with what the spec says of them."""
    from mldata.checks import CHECKS
    from mldata.checks import checks as known
    from mldata.specvalidate import default_validate

    for number, name in enumerate(checks):
        if name not in CHECKS and name not in known():
            raise UsageError(f"expected one of {', '.join(known())}; found {name!r}", hint=_near(name))
        if name in checks[:number]:
            raise UsageError(f"{name!r} is given twice")
    params = default_validate(checks)
    return {**params, **{name: said[name] for name in (*params["checks"], "fail_on") if name in said}}


def _near(name: str) -> str | None:
    from difflib import get_close_matches

    from mldata.checks import checks

    near = get_close_matches(name, checks(), 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else None
