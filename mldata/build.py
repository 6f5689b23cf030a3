"""The build engine: one stage of one dataset at a time, from reasons to receipt.

doit owns the order (``mldata.tasks``), ``mldata.state`` knows why a stage must run, this module runs it. Both the ``doit`` program and
``mldata build`` come here, so there is one build engine.

Invariant: a receipt is written only after everything that it names is durable in the store, and an export folder is touched
only after the export's tree is published.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any

from mldata import pins
from mldata.buildoptions import Options
from mldata.elsewhere import bring
from mldata.errors import MldataError, SpecError
from mldata.graph import Step, steps
from mldata.inputs import name_folders, stage_inputs, tables_below
from mldata.libraries import library_version
from mldata.publishing import Claim, check_trackers, materialize, track
from mldata.receipts import Receipt, pins_of, write_receipt
from mldata.reporter import QuietReporter, Reporter
from mldata.stagereport import StageReport
from mldata.stages import STAGES
from mldata.state import ProjectState
from mldata.verdict import failed_checks, require_passed

if TYPE_CHECKING:
    from mldata.executor import Executor
    from mldata.job import StageJob
    from mldata.project import Project
    from mldata.pulling import Pulled
    from mldata.reporter import StageProgress
    from mldata.stages.base import Previous, Stage, StageOutput
    from mldata.tracking.base import Tracked
    from store import Digest, Store


class Session:
    """One invocation of the build over one project. Use it as a context manager, or call :meth:`close`.

    Args:
        claim: whether the folder of an export may be written, where the spec does not say that it is one.
    """

    def __init__(
        self,
        project: Project,
        options: Options | None = None,
        reporter: Reporter | None = None,
        claim: Claim | None = None,
    ) -> None:
        self._claim = claim
        self.project = project
        self.options = options or Options()
        self.reporter = reporter or QuietReporter()
        self.state = ProjectState(
            project, lambda: self.store, offline=self.options.offline, anew=self.options.anew
        )
        self.reports: dict[str, dict[str, StageReport]] = {}
        self.builds: dict[str, int | None] = {}
        self.failures: dict[tuple[str, str], Exception] = {}
        self.warnings: dict[str, list[str]] = {}
        self.pulled: dict[str, list[Pulled]] = {}
        """What sources elsewhere were found to be, as far as they were looked at."""
        self.took: dict[tuple[str, str], Mapping[str, float]] = {}
        """Seconds by part of a stage's work, where the stage ran and tells."""
        self.tracked: dict[str, dict[str, Tracked]] = {}
        """What programs that version files were told, by dataset and program."""
        self.exporting: set[str] = set()
        """Datasets that are to be exported: what could stop that is looked at before the first of their stages runs."""
        self.failed: dict[str, list[Mapping[str, str]]] = {}
        """Formats that could not be written, by dataset, where the others were all the same (see ``Options.partial``)."""
        self.changed_now: frozenset[str] = frozenset()
        """Changed source files of the dataset whose files doit compares at the moment."""
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

    def _new_executor(self) -> Executor:
        if self.options.executor == "processes":
            from mldata.processes import ProcessExecutor

            return ProcessExecutor(self.options.jobs)
        from mldata.executor import ThreadExecutor

        return ThreadExecutor(self.options.jobs)

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
        from mldata.projectlock import project_lock
        from store import seldom_collecting

        def waiting() -> None:
            self.reporter.message("waiting for another build of this project to finish")

        if self._resources.enter_context(project_lock(self.project.state / "lock", waiting)):
            self.state.forget()
        self._resources.enter_context(self.store.lease(f"build of {self.project.root}"))
        self._executor = self._resources.enter_context(closing(self._new_executor()))
        self._working = True
        self._resources.enter_context(seldom_collecting())  # most of what stages make lives until they end
        self._collect()

    # -- running -----------------------------------------------------------------------------------------------------

    def run_stage(self, dataset: str, stage: str) -> StageReport:
        """Bring a stage up to date and write its receipt.

        Raises:
            ValidationFailed: the data did not pass; report and receipt of the validation are there.
            MldataError, store.StoreError: nothing of the stage was published, and its old receipt stands.
        """
        report = self._bring_up_to_date(dataset, stage)
        if stage == "validate":
            require_passed(dataset, report.facts)
        return report

    def _bring_up_to_date(self, dataset: str, stage: str) -> StageReport:
        self._start_working()
        self._began.setdefault(dataset, time.time())
        if not self.options.force and self.state.is_current(dataset, stage):
            report = self.up_to_date(dataset, stage)
            if report is not None:
                return report
        if stage == "export" or dataset in self.exporting:
            check_trackers(self.state, dataset, overwrite=self.options.overwrite)
            self.exporting.discard(dataset)
        begun = time.monotonic()
        report = self._run(dataset, stage, begun)
        self.reports.setdefault(dataset, {})[stage] = report
        return report

    def up_to_date(self, dataset: str, stage: str) -> StageReport | None:
        """Note that a stage had nothing to do."""
        receipt = self.state.receipt(dataset, stage)
        if receipt is None:
            return None
        report = StageReport("up-to-date", receipt.output, rows=receipt.rows, facts=receipt.facts)
        return self.reports.setdefault(dataset, {}).setdefault(stage, report)

    def current(self, dataset: str, stage: str) -> bool:
        """Whether a stage has nothing to do, which is noted, and the data has passed where it is a validation. Raises what looking at it does."""
        return (
            not self.options.force
            and self.state.is_current(dataset, stage)
            and self.up_to_date(dataset, stage) is not None
            and (stage != "validate" or self.passed(dataset))
        )

    def make(self, dataset: str, stage: str, params: Mapping[str, Any]) -> StageOutput:
        """What a stage makes with other parameters than those of the spec. It stays in the store's cache; no receipt tells of it.

        Raises as :meth:`run_stage` does, where stages that it needs have not been built too.
        """
        self._start_working()
        progress = self.reporter.stage(dataset, stage)
        try:
            job, made = self._make(dataset, stage, progress, params)
        except BaseException:
            progress.finish(None)
            raise
        self.warnings.setdefault(dataset, []).extend(job.warnings)
        progress.finish(f"{job.runs} run, {job.hits} from cache")
        return made

    def passed(self, dataset: str) -> bool:
        """Whether the data passed when it was validated last."""
        receipt = self.state.receipt(dataset, "validate")
        return receipt is not None and failed_checks(receipt.facts) is None

    def _run(self, dataset: str, stage: str, begun: float, *, healing: int = 0) -> StageReport:
        from store import ObjectCorrupt, ObjectMissing

        progress = self.reporter.stage(dataset, stage)
        tracked: list[Tracked] = []
        try:
            job, made = self._make(dataset, stage, progress)
            if self.options.locked:
                pins.compare(self.project, self.store, dataset, stage, made)
            if stage == "export":
                materialize(self.state, self.store, dataset, made, self._claim)
                done = track(self.state, self.store, dataset, made, overwrite=self.options.overwrite)
                self.tracked.setdefault(dataset, {}).update(done)
                tracked = list(done.values())
        except (ObjectMissing, ObjectCorrupt) as error:
            progress.finish(None)
            if healing >= 2:
                raise
            # Something that an earlier stage made is gone or damaged (and now quarantined): make it again, then go on.
            self.reporter.message(f"{stage}:{dataset}  {error}; making it again")
            for before in steps(self.project.datasets, [Step(dataset, stage)]):
                if before != (dataset, stage):
                    self.state.forget(before.dataset)
                    self._run(*before, time.monotonic(), healing=healing + 1)
            return self._run(dataset, stage, begun, healing=healing + 1)
        except BaseException as error:
            progress.finish(None)
            if stage == "normalize" and isinstance(error, MldataError):
                name_folders(error, self.state.spec(dataset).sources)
            raise
        if stage == "export" and (failed := made.facts.get("failed")):
            self.failed[dataset] = failed  # and no receipt: what is there is not what was asked for
        else:
            receipt = self._new_receipt(dataset, stage, made, job.used_libraries)
            write_receipt(self.state.receipt_path(dataset, stage), receipt)
        if stage in ("fetch", "normalize") and not self.options.locked:
            pins.update(self.state, dataset)
        if stage == "fetch":
            self.state.forget(dataset)
            if job.runs < job.hits:
                self._look_ahead(dataset)
        told = [warning for it in tracked for warning in it.warnings]
        for warning in told:
            progress.warn(warning)
        self.warnings.setdefault(dataset, []).extend([*job.warnings, *told])
        report = StageReport(
            "ran",
            made.output.digest,
            hits=job.hits,
            runs=job.runs,
            rows=made.rows,
            seconds=time.monotonic() - begun,
            facts=made.facts,
        )
        progress.finish(report.summary())
        return report

    def _make(
        self, dataset: str, stage: str, progress: StageProgress, other: Mapping[str, Any] | None = None
    ) -> tuple[StageJob, StageOutput]:
        """``other`` parameters than those of the spec may be given."""
        from mldata.job import StageJob

        assert self._executor is not None
        info = STAGES[stage]
        params = self.state.params(dataset, stage)[0] if other is None else dict(other)
        inputs = stage_inputs(self.state, Step(dataset, stage))
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
            previous=self._previous(dataset, stage),
        )
        job.partial = self.options.partial
        try:
            made = self._stage(dataset, stage, job).build(job)
            self.took[dataset, stage] = made.seconds
        except SpecError as error:
            if stage == "validate" and isinstance(error.where, str):  # the keys that lead to it
                error.where = self.project.where("datasets", dataset, *error.where.split("."))
            raise
        return job, made

    def _previous(self, dataset: str, stage: str) -> Previous | None:
        """The stage's last output, if code, parameters, libraries and salt are still the same, and cached work may be used."""
        from mldata.stages.base import Previous

        receipt = self.state.receipt(dataset, stage)
        if receipt is None or self.options.force:
            return None
        want = self.state.want(dataset, stage, receipt)
        same = (want.version, want.salt, dict(want.libraries)) == (
            receipt.version,
            receipt.salt,
            dict(receipt.libraries),
        ) and _without_recipe(want.params) == _without_recipe(receipt.params)
        return Previous(receipt.output, receipt.inputs) if same else None

    def _look_ahead(self, dataset: str) -> None:
        """Have the files that an export may take rows over from hashed while the stages before it run: most source files are as they were."""
        from mldata.exports import find_export

        before, stages = self.state.receipt(dataset, "export"), self.state.stages(dataset)
        if before is None or self.options.executor == "processes":  # another process would not hear of it
            return
        with suppress(MldataError):  # what is wrong with a stage is told when it is its turn
            if all(self._previous(dataset, stage) for stage in stages if stage != "fetch"):
                files = before.facts["files"]
                digests = [file["digest"] for file in files if find_export(file["format"]).rewrites]
                self.store.verify_ahead(digests)

    def _stage(self, dataset: str, stage: str, job: StageJob) -> Stage:
        from mldata.stages import load_stage

        if stage == "transform":
            return self._transform(dataset)
        if stage != "fetch":
            return load_stage(stage)
        from mldata.stages.fetch import Fetch

        brought = 0
        sources = self.state.look(dataset)
        if sources.wanted:
            options = self.options
            pulled = bring(
                self.state,
                self.store,
                dataset,
                sources.wanted,
                options.download,
                job,
                locked=options.locked,
                samples=options.samples,
            )
            self.pulled[dataset] = pulled
            brought = sum(file.new for it in pulled for file in it.files)
            sources = self.state.look(dataset)
        if sources.error is not None:
            raise sources.error
        assert sources.listing is not None
        receipt = self.state.receipt(dataset, stage)
        # Another salt disowns digests that are remembered by stat, too.
        salted = receipt is not None and receipt.salt != self.project.salt
        known = {} if self.options.force or salted else sources.known
        tables = tables_below(self.state, dataset)
        md5 = "dvc" in (self.state.spec(dataset).export or {})
        return Fetch(
            sources.listing, self.state.snapshots(dataset), known, tables, sources.pins, brought, md5=md5
        )

    def _transform(self, dataset: str) -> Stage:
        from mldata.stages.transform import Transform
        from mldata.userrequest import Limits

        limits = [Limits(*pair) for pair in (self.state.spec(dataset).transform or {})["limits"]]
        return Transform(
            self.state.code(dataset), limits, self.project.state / "transform", self.project.root
        )

    def _context(self, dataset: str) -> dict[str, Any]:
        """What the manifest tells beside its own stage."""
        from mldata.context import Made, manifest_context

        spec = self.state.spec(dataset)
        fetch, normalize = (self.state.receipt(dataset, name) for name in ("fetch", "normalize"))
        assert fetch is not None
        facts = normalize.facts if normalize is not None else {}
        left_out = {
            key: told for key in ("skipped", "excluded") if (told := facts.get(key, {}).get("suffixes"))
        }
        made: dict[str, Made] = {}
        for stage in self.state.stages(dataset):
            receipt = self.state.receipt(dataset, stage)
            made[stage] = Made(STAGES[stage].version, receipt.libraries if receipt else {})
        source = {
            "source": list(spec.sources) if len(spec.sources) > 1 else spec.sources[0],
            "tree": fetch.output,
            "files": fetch.facts["files"],
            "bytes": fetch.facts["bytes"],
            **{key: fetch.facts[key] for key in ("datasets",) if key in fetch.facts},
            **({"remote": [pin.to_json() for pin in found]} if (found := pins_of(fetch.facts)) else {}),
            **left_out,
        }
        return manifest_context([source], self._params(dataset), made)

    def _params(self, dataset: str) -> dict[str, Any]:
        """Parameters of each stage of a dataset, without what only the manifest tells."""
        stages = self.state.stages(dataset)
        return {stage: _without_recipe(self.state.params(dataset, stage)[0]) for stage in stages}

    def _new_receipt(
        self, dataset: str, stage: str, made: StageOutput, libraries: Mapping[str, str]
    ) -> Receipt:
        want = self.state.want(dataset, stage, None)
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

    # -- build records -------------------------------------------------------------------------------------------------

    def record(self, dataset: str) -> int:
        """Record the build of a dataset whose stages are all up to date; its number."""
        from mldata import history

        number = self.recorded(dataset)
        if number is None:
            from mldata.recipe import Recipe

            self._start_working()
            context = self._context(dataset)
            transform = self.state.spec(dataset).transform or {"limits": []}
            told = history.Told(
                began=self._began.get(dataset, time.time()),
                reports={stage: report.to_json() for stage, report in self.reports.get(dataset, {}).items()},
                recipe=Recipe(context["sources"], self._params(dataset), transform["limits"]),
                warnings=self.warnings.get(dataset, []),
            )
            number = history.record(self.state, self.store, dataset, told)
        self.builds[dataset] = number
        return number

    def recorded(self, dataset: str) -> int | None:
        """Number of the build that stands for what is there now; None when it has to be recorded."""
        from mldata.history import recorded

        number = recorded(self.state, self.store, dataset)
        if number is not None:
            self.builds[dataset] = number
        return number


def _count(store: Store, tree: Digest) -> int:
    """How many objects a tree reaches, itself included."""
    from store import KIND_TREE

    return 1 + sum(
        _count(store, entry.digest) if entry.kind == KIND_TREE else 1 for entry in store.tree(tree)
    )


def _without_recipe(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without what only the manifest tells."""
    return {name: value for name, value in params.items() if name != "recipe"}
