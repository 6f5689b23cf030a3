"""The contract with a build, as the validate stage holds its data to it (:mod:`mldata.checks.expect`).

Of both tables the schema is read, and summaries only where they are asked for: as their builds keep them, else made by the profile stage's own actions, so
that a fragment which was ever sketched is not read again. What of the build the data was held against stays with the report (``baseline.schema``,
``baseline.summary``), so that it can be judged again where there is no such build: a rebuild hands these files over in the job's context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mldata.checks.expect import Known, expectations
from mldata.errors import BuildError, SpecError, UnknownDataset
from mldata.profile.output import WHOLE
from mldata.profile.summary import TableSummary
from mldata.stages import STAGES, needs, table_of
from mldata.stages.profile import Profile
from mldata.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.checks.base import Finding
    from mldata.keptbuild import KeptBuild
    from mldata.stages.base import Job
    from store import Digest, ObjectId, Store

__all__ = ["BASELINE", "Expected", "baseline_files", "held_to"]

BASELINE = "baseline"
"""In the context of a job: digest and size of each of the files below, by name."""
SCHEMA, SUMMARY = "baseline.schema", "baseline.summary"
PROFILE = "profile"

File = Callable[[str], "ObjectId"]
"""Gives the file of a build that has its schema, or its summary."""


class Expected(NamedTuple):
    """How the contract is kept."""

    findings: list[Finding]
    files: Mapping[str, ObjectId]
    """What the data was held against, to stay with the report."""


def held_to(job: Job, params: Mapping[str, Any], table: Table) -> Expected:
    """What has changed from the build that ``params`` name to ``table``, which the job's inputs have.

    Raises:
        SpecError: there is no such build, or the parameters name a column that there is not (``where`` has the keys that lead to it).
        BuildError: what the build made is lost. ``store`` errors: what the dataset has made is.
    """
    files: dict[str, ObjectId] = {}
    with _opened(job, params["against"]) as file:

        @cache
        def before() -> TableSummary:
            files[SUMMARY] = file(SUMMARY)
            return TableSummary.from_bytes(job.store.read(files[SUMMARY].digest))

        @cache
        def now() -> TableSummary:
            return TableSummary.from_bytes(job.store.read(_summary(job, job.inputs).digest))

        files[SCHEMA] = file(SCHEMA)
        rows, schema = _read_schema(job.store, files[SCHEMA].digest)
        found = expectations(
            params,
            Known(params["against"], rows, schema, before),
            Known(job.dataset, table.rows, table.schema, now),
        )
    return Expected(found, dict(sorted(files.items())))


def baseline_files(store: Store, output: Digest) -> dict[str, ObjectId]:
    """Those of the files of a validation's output that its data was held against. Raises a ``store`` error."""
    from store import ObjectId

    tree = store.tree(output)
    entries = {name: tree.get(name) for name in (SCHEMA, SUMMARY)}
    return {name: ObjectId(it.digest, it.size) for name, it in entries.items() if it is not None}


@contextmanager
def _opened(job: Job, against: str) -> Iterator[File]:
    """What gives the files of a build, which gc leaves alone meanwhile."""
    from mldata.keptbuild import open_build
    from mldata.records import parse_name
    from store import ObjectCorrupt, ObjectId, ObjectMissing

    if (given := job.context.get(BASELINE)) is not None:
        yield lambda name: ObjectId(*given[name])
        return
    with ExitStack() as stack:
        try:
            kept = stack.enter_context(open_build(job.store, *parse_name(against)))
        except UnknownDataset as error:
            raise SpecError(
                f"expected the build {against}, which {job.dataset!r} is to be held against, in the store {job.store.root}: {error.message}",
                where="expect.against",
                hint=f"{error.hint}; or name a build that is there",
            ) from None

        def file(name: str) -> ObjectId:
            try:
                made = _of_build(job, kept, name)
                job.store.path(made.digest)
            except (ObjectMissing, ObjectCorrupt) as error:
                raise BuildError(
                    f"expected the data of {against} in the store, found it lost or damaged: {error}",
                    where=f"expect: {against}",
                    hint="`mldata check` says what else is; hold the data against another build (`expect: {against: ...}`)",
                ) from error
            return made

        yield file


def _of_build(job: Job, kept: KeptBuild, name: str) -> ObjectId:
    """A file of a build: the summary that it keeps, or one made of its table."""
    from store import encode

    outputs = kept.record.outputs
    if name == SCHEMA:
        table = Table.open(job.store, table_of(outputs))
        schema = table.schema.serialize().to_pybytes()
        return job.put(encode({"rows": table.rows, "schema": schema}))
    told = kept.record.stages.get(PROFILE)
    if (
        told is not None
        and told["version"] == STAGES[PROFILE].version
        and not job.store.missing(outputs[PROFILE], 1)
    ):
        return _whole(job.store, outputs[PROFILE])
    return _held_to_last(job) or _summary(job, outputs)


def _held_to_last(job: Job) -> ObjectId | None:
    """The summary that the last report, made by the same contract, has beside it: gc leaves it where no sketch is left."""
    if job.previous is None or job.store.missing(job.previous.output, 1):
        return None
    return baseline_files(job.store, job.previous.output).get(SUMMARY)


def _summary(job: Job, outputs: Mapping[str, Digest]) -> ObjectId:
    """The summary of a table, by the outputs of the stages that made it."""
    inputs = {need: outputs[need] for need in needs(PROFILE, tuple(outputs))}
    made = Profile().build(job.for_stage(PROFILE, {"parts": False}, inputs))
    return _whole(job.store, made.output.digest)


def _whole(store: Store, output: Digest) -> ObjectId:
    from store import ObjectId

    entry = store.tree(output).get(WHOLE)
    assert entry is not None
    return ObjectId(entry.digest, entry.size)


def _read_schema(store: Store, digest: Digest) -> tuple[int, pa.Schema]:
    import pyarrow as pa

    from store import decode

    plain: Any = decode(store.read(digest))
    return plain["rows"], pa.ipc.read_schema(pa.py_buffer(plain["schema"]))
