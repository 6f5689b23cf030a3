"""The build engine: one stage of one dataset at a time, from reasons to receipt.

doit owns the order (``mldata.tasks``); this module answers two questions for it: *why* must a stage run, and *run it*. Both the
``doit`` program and ``mldata build`` come here, so there is one build engine.

Invariant: a receipt is written only after everything that it names is durable in the store, and an export folder is touched
only after the export's tree is published.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError, LockMismatch, MldataError
from mldata.receipts import Receipt, read_receipt, receipt_path, write_receipt
from mldata.reporter import QuietReporter, Reporter
from mldata.sources import open_source
from mldata.sources.base import Listing
from mldata.stages import STAGES
from mldata.stale import Reason, Want, stale
from mldata.version import __version__

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.project import DatasetSpec, Project
    from mldata.snapshot import Changes, Snapshots
    from mldata.stages.base import Stage, StageOutput
    from store import Digest, Store

LOOKED_AT = 4096
"""Outputs of at most this many objects are looked at one by one in every build; ``mldata check`` looks at all of them."""


@dataclass(frozen=True)
class Options:
    """How to build; none of these changes what is made."""

    jobs: int | None = None
    """Worker threads; None: one a processor."""
    force: bool = False
    """Run every action again, whatever receipts and the action cache say."""
    locked: bool = False
    """Fail when a source is not what mldata.lock pins."""
    keep_going: bool = False
    """Run what does not depend on a failure."""


@dataclass(frozen=True)
class StageReport:
    """What happened to a stage in this session."""

    status: str
    """``up-to-date`` or ``ran``."""
    output: Digest
    hits: int = 0
    runs: int = 0
    rows: int | None = None
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As ``mldata build --json`` shows it."""
        return {
            "status": self.status,
            "actions": {"hit": self.hits, "run": self.runs},
            "output": self.output,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class _Sources:
    """The source files of one dataset, as they were found when the session first looked."""

    listing: Listing | None = None
    changes: Changes | None = None
    known: dict[str, Digest] = field(default_factory=dict)
    lost: list[Digest] = field(default_factory=list)
    error: MldataError | None = None


class Session:
    """One invocation of the build over one project. Use it as a context manager, or call :meth:`close`."""

    def __init__(
        self, project: Project, options: Options | None = None, reporter: Reporter | None = None
    ) -> None:
        self.project = project
        self.options = options or Options()
        self.reporter = reporter or QuietReporter()
        self.receipts = project.state / "receipts"
        self.reports: dict[str, dict[str, StageReport]] = {}
        self.builds: dict[str, int | None] = {}
        self.failures: dict[tuple[str, str], Exception] = {}
        self.warnings: dict[str, list[str]] = {}
        self.changed_now: frozenset[str] = frozenset()
        """Changed source files of the dataset whose files doit compares at the moment."""
        self._sources: dict[str, _Sources] = {}
        self._resources = ExitStack()
        self._opened: Store | None = None
        self._working = False
        self._executor: Executor | None = None
        self._began: dict[str, float] = {}
        # Deciding makes many small objects and no cycles: collecting them would take a tenth of a build with nothing to do.
        self._collecting = gc.isenabled()
        gc.disable()

    # -- resources ---------------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The project's store, opened when first needed."""
        if self._opened is None:
            from store import Store

            self._opened = self._resources.enter_context(Store.open(self.project.store_path))
        return self._opened

    def close(self) -> None:
        """Release locks and the store."""
        self._collect()
        self.reporter.close()
        self._resources.close()
        self._opened = None
        self._working = False

    def _collect(self) -> None:
        if self._collecting:
            gc.enable()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_working(self) -> None:
        """Before the first stage runs: one build at a time in a project, and a lease that holds off gc."""
        if self._working:
            return
        self._collect()
        from mldata.executor import ThreadExecutor
        from mldata.projectlock import ProjectLock

        lock = ProjectLock(self.project.state / "lock")
        if not lock.acquire(wait=False):
            self.reporter.message("waiting for another build of this project to finish")
            lock.acquire(wait=True)
        self._resources.callback(lock.release)
        self._resources.enter_context(self.store.lease(f"build of {self.project.root}"))
        self._executor = ThreadExecutor(self.options.jobs)
        self._working = True

    # -- deciding ----------------------------------------------------------------------------------------------------

    def spec(self, dataset: str) -> DatasetSpec:
        """The spec of a dataset."""
        return self.project.datasets[dataset]

    def stages(self, dataset: str) -> tuple[str, ...]:
        """The stages that a dataset goes through, in order."""
        return self.project.datasets[dataset].stages

    def receipt_path(self, dataset: str, stage: str) -> Path:
        """The file that stands for a stage's output: doit's target."""
        return receipt_path(self.receipts, dataset, stage)

    def receipt(self, dataset: str, stage: str) -> Receipt | None:
        """The verified receipt of a stage; None when there is none to trust."""
        found = read_receipt(self.receipt_path(dataset, stage))
        return found if isinstance(found, Receipt) else None

    def want(self, dataset: str, stage: str, receipt: Receipt | None) -> Want:
        """What a stage should be built from, by the spec and the receipts of the stages before it."""
        info = STAGES[stage]
        params, place = self._params(dataset, stage)
        inputs = {}
        for need in info.needs:
            if need in self.stages(dataset):
                before = self.receipt(dataset, need)
                inputs[need] = before.output if before else None
        names = receipt.libraries if receipt else ()
        return Want(
            stage=stage,
            version=info.version,
            params=params,
            inputs=inputs,
            libraries={name: library_version(name) for name in names},
            salt=self.project.salt,
            place=place,
        )

    def reasons(self, dataset: str, stage: str, behind: tuple[str, ...] = ()) -> list[Reason]:
        """Why a stage must run now; empty when it is up to date.

        ``behind`` names earlier stages that are stale themselves and have not run yet (for ``status``).
        """
        from store import StoreError

        found = read_receipt(self.receipt_path(dataset, stage))
        receipt = found if isinstance(found, Receipt) else None
        want = self.want(dataset, stage, receipt)
        lost: list[Digest] = []
        differences: list[tuple[str, str]] = []
        changes = None
        if receipt is not None:
            lost = self._lost(receipt)
            if stage == "export" and not lost:
                try:
                    found_differences = self.store.verify_export(
                        receipt.output, Path(self._export_dir(dataset))
                    )
                    differences = [(difference.path, difference.kind) for difference in found_differences]
                except StoreError:
                    lost = [receipt.output]
        if stage == "fetch":
            sources = self._look(dataset)
            if sources.error is not None:
                return [Reason("source", str(sources.error))]
            changes = sources.changes
            lost = lost + sources.lost
        reasons = stale(want, found, changes=changes, lost=lost, differences=differences, behind=behind)
        if stage == "fetch" and receipt is not None and not reasons:
            reasons += self._lock_reasons(dataset, receipt)
        return reasons

    def status(self, datasets: list[str]) -> dict[str, dict[str, list[Reason]]]:
        """Reasons of every stage of the named datasets, as they stand before anything runs."""
        result: dict[str, dict[str, list[Reason]]] = {}
        for dataset in datasets:
            behind: tuple[str, ...] = ()
            stages = result[dataset] = {}
            for stage in self.stages(dataset):
                stages[stage] = self.reasons(dataset, stage, behind)
                if stages[stage]:
                    behind = (*behind, stage)
        return result

    def source_files(self, dataset: str) -> Sequence[str]:
        """Absolute paths of a dataset's source files; empty when they cannot be listed (the stage then says why)."""
        listing = self._look(dataset).listing
        return listing.paths if listing else ()

    def changed_files(self, dataset: str) -> frozenset[str]:
        """Absolute paths of source files whose content is not what was fetched last."""
        sources = self._look(dataset)
        if sources.listing is None:
            return frozenset()
        if sources.changes is None:
            return frozenset(sources.listing.paths)
        if not sources.changes:
            return frozenset()
        names = {*sources.changes.added, *sources.changes.modified}
        return frozenset(path for name, path, _ in sources.listing if name in names)

    def _params(self, dataset: str, stage: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Parameters that can change bytes, and those that only say where things go."""
        spec = self.spec(dataset)
        if stage == "fetch":
            return {"sources": list(spec.sources)}, {}
        if stage == "normalize":
            return dict(spec.normalize), {}
        if stage == "split":
            return dict(spec.split or {}), {}
        params = dict(spec.export or {})
        place = {"to": params.pop("to"), "link": self.project.link}
        # The manifest tells the whole recipe, so a change of any part of it must write a new manifest.
        params["recipe"] = {
            "sources": list(spec.sources),
            "normalize": dict(spec.normalize),
            "split": dict(spec.split) if spec.split else None,
        }
        return params, place

    def _export_dir(self, dataset: str) -> Path:
        export = self.spec(dataset).export or {}
        return self.project.root / str(export["to"])

    def _lost(self, receipt: Receipt) -> list[Digest]:
        if receipt.objects <= LOOKED_AT:
            return [missing.digest for missing in self.store.missing(receipt.output)]
        return [] if self.store.intact(receipt.output, receipt.size) else [receipt.output]

    def _look(self, dataset: str) -> _Sources:
        """List a dataset's source files, once a session, and find what changed since they were fetched."""
        if dataset in self._sources:
            return self._sources[dataset]
        from mldata.snapshot import combined, compare
        from store import StoreError

        state = self._sources[dataset] = _Sources()
        sources = [open_source(text, self.project.root) for text in self.spec(dataset).sources]
        try:
            listing = state.listing = combined([source.listing() for source in sources])
        except MldataError as error:
            state.error = error
            return state
        receipt = self.receipt(dataset, "fetch")
        snapshots = self._snapshots(dataset)
        if receipt is None:
            state.known = snapshots.known(listing)
        elif not snapshots.unchanged(listing, receipt.output):
            try:
                entries = {
                    path: (entry.digest, entry.size) for path, entry in self.store.walk(receipt.output)
                }
                state.changes, state.known = compare(snapshots, listing, receipt.output, entries)
            except StoreError:
                state.lost = [receipt.output]
        else:
            from mldata.snapshot import Changes

            state.changes = Changes()
        return state

    def _snapshots(self, dataset: str) -> Snapshots:
        from mldata.snapshot import Snapshots

        keys = [open_source(text, self.project.root).key for text in self.spec(dataset).sources]
        return Snapshots(self.store, "\0".join(keys))

    # -- running -----------------------------------------------------------------------------------------------------

    def run_stage(self, dataset: str, stage: str) -> StageReport:
        """Bring a stage up to date and write its receipt.

        Raises:
            MldataError, store.StoreError: nothing of the stage was published, and its old receipt stands.
        """
        self._start_working()
        self._began.setdefault(dataset, time.time())
        reasons = self.reasons(dataset, stage)
        if not reasons and not self.options.force:
            report = self.up_to_date(dataset, stage)
            if report is not None:
                return report
        begun = time.monotonic()
        report = self._run(dataset, stage, begun)
        self.reports.setdefault(dataset, {})[stage] = report
        return report

    def up_to_date(self, dataset: str, stage: str) -> StageReport | None:
        """Note that a stage had nothing to do."""
        receipt = self.receipt(dataset, stage)
        if receipt is None:
            return None
        report = StageReport("up-to-date", receipt.output, rows=receipt.rows, facts=receipt.facts)
        return self.reports.setdefault(dataset, {}).setdefault(stage, report)

    def _run(self, dataset: str, stage: str, begun: float, *, healing: int = 0) -> StageReport:
        from store import ObjectCorrupt, ObjectMissing

        progress = self.reporter.stage(dataset, stage)
        try:
            job, made, hits, runs = self._make(dataset, stage, progress)
            if stage == "fetch" and self.options.locked:
                self._compare_with_lock(dataset, made)
            if stage == "export":
                self._materialize(dataset, made)
        except (ObjectMissing, ObjectCorrupt) as error:
            progress.finish(None)
            if healing >= 2:
                raise
            # Something that an earlier stage made is gone or damaged (and now quarantined): make it again, then go on.
            self.reporter.message(f"{stage}:{dataset}  {error}; making it again")
            for before in self.stages(dataset):
                if before == stage:
                    break
                self._sources.pop(dataset, None)
                self._run(dataset, before, time.monotonic(), healing=healing + 1)
            return self._run(dataset, stage, begun, healing=healing + 1)
        except BaseException:
            progress.finish(None)
            raise
        receipt = self._receipt(dataset, stage, made, job.used_libraries)
        write_receipt(self.receipt_path(dataset, stage), receipt)
        if stage == "fetch":
            self._update_lock(dataset, receipt)
            self._sources.pop(dataset, None)
        self.warnings.setdefault(dataset, []).extend(job.warnings)
        report = StageReport(
            "ran",
            made.output.digest,
            hits=hits,
            runs=runs,
            rows=made.rows,
            seconds=time.monotonic() - begun,
            facts=made.facts,
        )
        progress.finish(_summary(report))
        return report

    def _make(self, dataset: str, stage: str, progress: Any) -> tuple[Any, StageOutput, int, int]:
        from mldata.job import StageJob

        assert self._executor is not None
        info = STAGES[stage]
        params, _ = self._params(dataset, stage)
        inputs = {}
        for need in info.needs:
            if need in self.stages(dataset):
                before = self.receipt(dataset, need)
                if before is None:
                    raise BuildError(
                        f"{need} of {dataset!r} has not been built",
                        where=str(self.receipt_path(dataset, need)),
                        hint=f"Build it first: mldata build {dataset}",
                    )
                inputs[need] = before.output
        recipe = params.pop("recipe", None)
        job = StageJob(
            dataset=dataset,
            stage=stage,
            version=info.version,
            params=params,
            inputs=inputs,
            context=self._context(dataset) if recipe is not None else {},
            libraries=library_version,
            stage_libraries=info.libraries,
            salt=self.project.salt,
            store=self.store,
            executor=self._executor,
            progress=progress,
            force=self.options.force,
            keep_going=self.options.keep_going,
        )
        runner = self._stage(dataset, stage)
        made = runner.build(job)
        if stage == "fetch":
            runs = runner.read  # type: ignore[attr-defined]
            return job, made, made.facts["files"] - runs, runs
        return job, made, job.hits, job.runs

    def _stage(self, dataset: str, stage: str) -> Stage:
        from mldata.stages import load_stage

        if stage != "fetch":
            return load_stage(stage)
        from mldata.stages.fetch import Fetch

        sources = self._look(dataset)
        if sources.error is not None:
            raise sources.error
        assert sources.listing is not None
        known = {} if self.options.force else sources.known
        return Fetch(sources.listing, self._snapshots(dataset), known)

    def _context(self, dataset: str) -> dict[str, Any]:
        """What the manifest tells beside its own stage."""
        spec = self.spec(dataset)
        fetch = self.receipt(dataset, "fetch")
        assert fetch is not None
        stages = self.stages(dataset)
        versions: dict[str, Any] = {}
        params: dict[str, Any] = {}
        for stage in stages:
            receipt = self.receipt(dataset, stage)
            libraries = (
                {name: library_version(name) for name in STAGES[stage].libraries}
                if stage == "export"
                else dict(receipt.libraries)
                if receipt
                else {}
            )
            versions[stage] = {"version": STAGES[stage].version, "libraries": libraries}
            params[stage] = self._params(dataset, stage)[0]
            params[stage].pop("recipe", None)
        return {
            "mldata": __version__,
            "sources": [
                {
                    "source": list(spec.sources) if len(spec.sources) > 1 else spec.sources[0],
                    "tree": fetch.output,
                    "files": fetch.facts["files"],
                    "bytes": fetch.facts["bytes"],
                }
            ],
            "params": params,
            "versions": versions,
        }

    def _receipt(self, dataset: str, stage: str, made: StageOutput, libraries: Mapping[str, str]) -> Receipt:
        want = self.want(dataset, stage, None)
        return Receipt(
            dataset=dataset,
            stage=stage,
            version=want.version,
            params=want.params,
            inputs={name: digest for name, digest in want.inputs.items() if digest},
            libraries=dict(sorted(libraries.items())),
            salt=want.salt,
            output=made.output.digest,
            size=made.output.size,
            objects=_count(self.store, made.output.digest),
            rows=made.rows,
            facts=dict(made.facts),
            place=want.place,
        )

    def _materialize(self, dataset: str, made: StageOutput) -> None:
        before = self.receipt(dataset, "export")
        spec = self.spec(dataset).export or {}
        previous = None
        if before is not None and before.place.get("to") == spec["to"]:
            previous = before.output
        self.store.materialize(
            made.output.digest, self._export_dir(dataset), link=self.project.link, previous=previous
        )

    # -- lock file and build records -----------------------------------------------------------------------------------

    def _lock_reasons(self, dataset: str, receipt: Receipt) -> list[Reason]:
        """A fetch that is up to date must still run if mldata.lock does not say so: to write it, or to refuse."""
        from mldata.lockfile import LockError, locked_tree

        try:
            pinned = locked_tree(self.project, dataset)
        except LockError as error:
            return [Reason("lock", str(error))]
        if pinned == receipt.output:
            return []
        text = f"mldata.lock pins {pinned[:12] if pinned else 'nothing'} for its sources"
        return [Reason("lock", text, {"old": pinned, "new": receipt.output})]

    def _compare_with_lock(self, dataset: str, made: StageOutput) -> None:
        """With --locked, refuse sources that mldata.lock does not pin, before anything is recorded."""
        from mldata.lockfile import locked_tree

        pinned = locked_tree(self.project, dataset)
        if made.output.digest != pinned:
            raise LockMismatch(
                f"expected the sources to be tree {pinned or '(not in the lock)'}, found {made.output.digest}",
                where=f"{self.project.root / 'mldata.lock'}: {dataset}",
                hint=f"Restore the files, or accept what is there: mldata build {dataset}",
            )

    def _update_lock(self, dataset: str, receipt: Receipt) -> None:
        from mldata.lockfile import update_lock

        if not self.options.locked:
            update_lock(
                self.project,
                dataset,
                tree=receipt.output,
                files=receipt.facts["files"],
                size=receipt.facts["bytes"],
            )

    def record(self, dataset: str) -> int | None:
        """Write the build record of a dataset whose stages are all up to date, unless the last record says the same.

        Returns:
            The number of the build that stands for what is there now.
        """
        receipts = {stage: self.receipt(dataset, stage) for stage in self.stages(dataset)}
        outputs = {stage: receipt.output for stage, receipt in receipts.items() if receipt}
        number = self.recorded(dataset)
        if number is None:
            self._start_working()
            number = self._write_record(dataset, receipts, outputs)
        self.builds[dataset] = number
        return number

    def recorded(self, dataset: str) -> int | None:
        """Number of the newest build if it has exactly the outputs that the receipts name; else None."""
        number = self._recorded(dataset)
        if number is not None:
            self.builds[dataset] = number
        return number

    def _recorded(self, dataset: str) -> int | None:
        from mldata.records import series

        found = read_receipt(self.receipt_path(dataset, "build"))
        if not isinstance(found, Receipt):
            return None
        for stage in self.stages(dataset):
            receipt = self.receipt(dataset, stage)
            if receipt is None or found.inputs.get(stage) != receipt.output:
                return None
        if set(found.inputs) != set(self.stages(dataset)):
            return None
        number = found.facts.get("build")
        if self.store.refs.get(f"{series(dataset)}/{number}") != found.output:
            return None
        own = (found.output, found.facts.get("record"))
        return number if all(digest and self.store.intact(digest) for digest in own) else None

    def _mend_reference(self, dataset: str) -> None:
        """Write the newest build's reference again if its file is damaged: the receipt knows what it said."""
        from mldata.records import series
        from store import BadRef

        found = read_receipt(self.receipt_path(dataset, "build"))
        if not isinstance(found, Receipt):
            return
        name = f"{series(dataset)}/{found.facts.get('build')}"
        try:
            self.store.refs.get(name)
        except BadRef:
            if self.store.intact(found.output):
                self.store.refs.set(name, found.output)

    def _write_record(
        self, dataset: str, receipts: Mapping[str, Receipt | None], outputs: dict[str, Digest]
    ) -> int:
        import platform

        from mldata.records import RECORD, BuildRecord, build_numbers, read_record, series, write_record
        from store import ObjectCorrupt, ObjectMissing

        self._mend_reference(dataset)
        numbers = build_numbers(self.store, dataset)
        number = 0
        same = False
        if numbers:
            try:
                same = dict(read_record(self.store, dataset, numbers[-1]).outputs) == outputs
            except (ObjectMissing, ObjectCorrupt):
                number = numbers[-1]  # its record is lost, what it recorded is here: write it again
        if same:
            number = numbers[-1]
        else:
            began = self._began.get(dataset, time.time())
            reports = self.reports.get(dataset, {})
            record = BuildRecord(
                dataset=dataset,
                number=number,
                outputs=outputs,
                stages={
                    stage: {
                        **(reports[stage].to_json() if stage in reports else {"status": "up-to-date"}),
                        "version": receipt.version,
                        "params": dict(receipt.params),
                        "libraries": dict(receipt.libraries),
                        "facts": dict(receipt.facts),
                    }
                    for stage, receipt in receipts.items()
                    if receipt
                },
                started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
                seconds=round(time.time() - began, 3),
                host=platform.node(),
                project=str(self.project.root),
                mldata=__version__,
                python=platform.python_version(),
                sources=self._context(dataset)["sources"],
                warnings=self.warnings.get(dataset, []),
            )
            number = write_record(self.store, record)
        reference = self.store.refs.get(f"{series(dataset)}/{number}")
        assert reference is not None
        record_entry = self.store.tree(reference).get(RECORD)
        assert record_entry is not None
        write_receipt(
            self.receipt_path(dataset, "build"),
            Receipt(
                dataset=dataset,
                stage="build",
                version=1,
                params={},
                inputs=outputs,
                libraries={},
                salt="",
                output=reference,
                size=0,
                objects=1,
                facts={"build": number, "record": record_entry.digest},
            ),
        )
        return number


@cache
def library_version(distribution: str) -> str:
    """Installed version of a distribution, or ``absent``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"


def _count(store: Store, tree: Digest) -> int:
    """How many objects a tree reaches, itself included."""
    from store import KIND_TREE

    return 1 + sum(
        _count(store, entry.digest) if entry.kind == KIND_TREE else 1 for entry in store.tree(tree)
    )


def _summary(report: StageReport) -> str:
    parts = [f"{report.runs} run, {report.hits} from cache"]
    if report.rows is not None:
        parts.append(f"{report.rows:,} rows")
    return ", ".join(parts)
