"""Validating a dataset outside of a build: its files and its data as they are now, by the spec or by other checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, DataError, UsageError
from mldata.stages import TABLES, needs
from mldata.tasks import require_tasks
from mldata.validated import Validation

if TYPE_CHECKING:
    from mldata.build import Session
    from mldata.checks.report import Report
    from mldata.looking import Looking
    from store import Digest

__all__ = ["make_table", "params_of", "validate", "validate_dataset"]

STAGE = "validate"
FILES = "files"


def validate_dataset(
    session: Session, dataset: str, checks: Sequence[str] | None, looking: Looking, fail_on: str | None = None
) -> Validation:
    """Look at the files of a dataset, as far as they are asked for, then at its data.

    Args:
        checks: see :func:`validate`.
        looking: how to look at files, as far as the spec does not say it.
        fail_on: instead of what the spec says.

    Raises:
        MldataError, store.StoreError: a stage failed, and not for a corrupt file that was found.
    """
    from mldata.filechecks import check_dataset, has_members

    said = session.state.spec(dataset).validate or {}
    params = said if said and checks is None else params_of(said, checks or ())
    checked = None
    if FILES in params["checks"]:
        own = params[FILES]
        looking = replace(
            looking,
            timeout=looking.timeout or own["timeout"],
            share=looking.share or Fraction(str(own["sample"])),
            fail_on=fail_on or params["fail_on"],
        )
        require_tasks(session, [f"fetch:{dataset}"])
        checked = check_dataset(session, dataset, looking)
        if checked.report.interrupted or (params["checks"] == [FILES] and not has_members(session, dataset)):
            return Validation(*checked)
    try:
        data = validate(session, dataset, checks, fail_on)
    except (DataError, BuildError) as error:
        if checked is None or checked.report.passed:
            raise
        return Validation(*checked, None, error, [name for name in params["checks"] if name != FILES])
    if checked is not None and has_members(session, dataset):
        checked = check_dataset(session, dataset, looking, members=True)
    files, places = checked or (None, {})
    return Validation(files, places, data, seconds=session.took.get((dataset, STAGE), {}))


def validate(
    session: Session, dataset: str, checks: Sequence[str] | None = None, fail_on: str | None = None
) -> Report:
    """Bring a dataset up to date as far as validation goes; the report of its data.

    Args:
        checks: these checks with their defaults where the spec says nothing of them, instead of those of the spec. Such a validation leaves
            no receipt: a build goes by the spec alone.
        fail_on: instead of what the spec says; leaves no receipt either.

    Raises:
        MldataError, store.StoreError: a stage failed. What the report says is no error.
    """
    from mldata.stages.validate import read_report

    spec = session.state.spec(dataset)
    said = spec.validate
    own = said is not None and checks is None and fail_on in (None, said["fail_on"])
    stages = (STAGE,) if own else needs(STAGE, spec.stages)
    require_tasks(session, [f"{stage}:{dataset}" for stage in stages])
    if own:
        receipt = session.state.receipt(dataset, STAGE)
        assert receipt is not None
        return read_report(session.store, receipt.output)
    params = dict(said) if said is not None and checks is None else params_of(said or {}, checks or ())
    made = session.make(dataset, STAGE, params | ({"fail_on": fail_on} if fail_on is not None else {}))
    return read_report(session.store, made.output.digest)


def make_table(session: Session, dataset: str) -> Digest:
    """Bring a dataset up to date as far as its table; the output of the stage that makes it. Raises as :func:`validate`."""
    spec = session.state.spec(dataset)
    stage = next(stage for stage in TABLES if stage in spec.stages)
    require_tasks(session, [f"{stage}:{dataset}"])
    receipt = session.state.receipt(dataset, stage)
    assert receipt is not None
    return receipt.output


def params_of(said: Mapping[str, Any], checks: Sequence[str]) -> dict[str, Any]:
    """Parameters of the validate stage for ``checks`` (all that are built in if there are none), with what the spec says of them."""
    from mldata.checks import CHECKS, EXPECT
    from mldata.checks import checks as known
    from mldata.specvalidate import ALL, default_validate

    for number, name in enumerate(checks):
        if name == EXPECT and EXPECT not in said:
            raise UsageError(
                "the check 'expect' needs to be told of a build, and the dataset has no 'expect:'",
                hint="add for example `expect: {against: 3}` to it in mldata.yaml",
            )
        if name not in (ALL, EXPECT) and name not in CHECKS and name not in known():
            raise UsageError(f"expected one of {', '.join(known())}; found {name!r}", hint=_near(name))
        if name in checks[:number]:
            raise UsageError(f"{name!r} is given twice")
    params = default_validate([name for name in checks if name != EXPECT])
    if EXPECT in checks or (EXPECT in said and ALL in checks):
        params["checks"] = [*(() if set(checks) == {EXPECT} else params["checks"]), EXPECT]
    return {**params, **{name: said[name] for name in (*params["checks"], "fail_on") if name in said}}


def _near(name: str) -> str | None:
    from mldata.checks import checks
    from mldata.nearest import nearest

    near = nearest(name, checks(), 0.5)
    return f"did you mean {near!r}?" if near else None
