"""What a project is now, beside what it was built from: the reading half of the build.

Lists sources, reads receipts, looks at outputs, and puts what it found before the pure decision in ``mldata.stale``. It writes
nothing but the stat cache, so ``status`` and ``explain`` are safe at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.errors import MldataError, SourceError
from mldata.graph import Step, needs_of, references, steps
from mldata.libraries import library_version
from mldata.pin import Pin
from mldata.receipts import Receipt, pins_of, raw_tree, read_receipt, receipt_path
from mldata.snapshot import Changes, Snapshots, combined, compare, raw_files
from mldata.sources import is_remote, open_local
from mldata.sources.base import Listing
from mldata.stages import STAGES
from mldata.stale import NOT_PASSED, Reason, Want, stale
from mldata.tracking import stage_params

if TYPE_CHECKING:
    from mldata.project import DatasetSpec, Project
    from mldata.tracking.base import Place
    from mldata.usercode import Code
    from store import Digest, Store

LOOKED_AT = 4096
"""Outputs of at most this many objects are looked at one by one in every build; ``mldata check`` looks at all of them."""


@dataclass
class Sources:
    """The source files of one dataset, as they were found at the first look."""

    listing: Listing | None = None
    changes: Changes | None = None
    """Against what was fetched last; None when nothing was, or its tree is lost."""
    known: dict[str, Digest] = field(default_factory=dict)
    """Digests that are still good, by name."""
    lost: list[Digest] = field(default_factory=list)
    error: MldataError | None = None
    """Why they cannot be listed."""
    pins: dict[int, Pin] = field(default_factory=dict)
    """What those elsewhere were when they were brought here, by their place in the spec."""
    wanted: dict[int, Pin | None] = field(default_factory=dict)
    """Those elsewhere that have to be brought here first, with what the lock pins of them. Nothing is listed meanwhile."""


class ProjectState:
    """The present state of one project.

    Args:
        project: whose.
        store: gives the project's store; it is opened when first needed.
        offline: never ask for a source elsewhere: what the store does not have of it is an error.
        anew: datasets whose sources elsewhere are looked at anew, whatever pins them.
    """

    def __init__(
        self,
        project: Project,
        store: Callable[[], Store],
        *,
        offline: bool = False,
        anew: Collection[str] = (),
    ) -> None:
        self.project = project
        self.offline = offline
        self.anew = anew
        self._pulled: dict[tuple[str, int], Pin] = {}
        self.receipts = project.state / "receipts"
        self._store = store
        self._sources: dict[str, Sources] = {}
        self._code: dict[str, Code | MldataError] = {}

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
        params, place = self.params(dataset, stage)
        inputs = {}
        for need in needs_of(self.project.datasets, Step(dataset, stage)):
            before = self.receipt(*need.step)
            inputs[need.name] = before.output if before else None
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

    def is_current(self, dataset: str, stage: str) -> bool:
        """Whether a stage is up to date."""
        return not self.reasons(dataset, stage, first=True)

    def reasons(
        self, dataset: str, stage: str, behind: tuple[str, ...] = (), *, first: bool = False
    ) -> list[Reason]:
        """Why a stage must run now; empty when it is up to date.

        ``behind`` names earlier stages that are stale themselves and have not run yet (for ``status``). With ``first``, what is found without a
        look at objects and files is enough, if anything is.
        """
        from store import StoreError

        found = read_receipt(self.receipt_path(dataset, stage))
        receipt = found if isinstance(found, Receipt) else None
        if stage == "transform":
            try:
                self.code(dataset)
            except MldataError as error:
                return [Reason("code", str(error))]
        want = self.want(dataset, stage, receipt)
        sources = self.look(dataset) if stage == "fetch" else None
        if sources is not None and sources.error is not None:
            return [Reason("source", str(sources.error))]
        changes = sources.changes if sources is not None else None
        if first and (reasons := stale(want, found, changes=changes, behind=behind)):
            return reasons
        lost: list[Digest] = sources.lost if sources is not None else []
        differences: list[tuple[str, str]] = []
        if receipt is not None:
            lost = self._lost(receipt) + lost
            if stage == "export" and not lost:
                try:
                    found_differences = self._store().verify_export(receipt.output, self.export_dir(dataset))
                    differences = [(difference.path, difference.kind) for difference in found_differences]
                except StoreError:
                    lost = [receipt.output]
        lacking = self._lacking(dataset, receipt.output) if stage == "export" and receipt is not None else []
        reasons = stale(want, found, changes=changes, lost=lost, differences=differences, behind=behind)
        if not reasons:
            reasons = lacking
        if stage == "fetch" and receipt is not None:
            reasons += self._remote_reasons(dataset)
            if not reasons and self.project.locks:
                reasons += self._lock_reasons(dataset, receipt)
        return reasons

    def status(self, datasets: list[str]) -> dict[str, dict[str, list[Reason]]]:
        """Reasons of every stage of the named datasets, and of those that they stand on, as they stand before anything runs."""
        result: dict[str, dict[str, list[Reason]]] = {}
        wanted = [Step(dataset, stage) for dataset in datasets for stage in self.stages(dataset)]
        for dataset, stage in steps(self.project.datasets, wanted):
            stages = result.setdefault(dataset, {})
            behind = [name for name, reasons in stages.items() if reasons]
            for need in needs_of(self.project.datasets, Step(dataset, stage)):
                if need.step.dataset != dataset and result[need.step.dataset][need.step.stage]:
                    behind.append(need.name)
            stages[stage] = self.reasons(dataset, stage, tuple(behind))
            if stage == "validate" and not stages[stage]:
                stages[stage] = self._not_passed(dataset)
        return result

    def _not_passed(self, dataset: str) -> list[Reason]:
        """Why a build stops at a validation that is up to date; empty when the data passed."""
        from mldata.verdict import failed_checks

        receipt = self.receipt(dataset, "validate")
        if receipt is None or (failed := failed_checks(receipt.facts)) is None:
            return []
        return [Reason(NOT_PASSED, f"the data did not pass: {failed}", {"first": receipt.facts["first"]})]

    def own_files(self, dataset: str, stage: str) -> Sequence[str]:
        """Absolute paths of the files that a stage reads from the project: source files, or the code of functions.

        Empty when they cannot be found: the stage then says why.
        """
        if stage == "transform":
            return [str(self.project.root / path) for path in self._code_digests(dataset)]
        listing = self.look(dataset).listing if stage == "fetch" else None
        return listing.paths if listing else ()

    def changed_files(self, dataset: str, stage: str) -> frozenset[str]:
        """Those of :meth:`own_files` whose content is not what the stage was last made of."""
        if stage == "transform":
            receipt = self.receipt(dataset, stage)
            known = receipt.params.get("code", {}) if receipt else {}
            now = self._code_digests(dataset).items()
            return frozenset(str(self.project.root / path) for path, it in now if known.get(path) != it)
        sources = self.look(dataset)
        if sources.listing is None:
            return frozenset()
        if sources.changes is None:
            return frozenset(sources.listing.paths)
        if not sources.changes:
            return frozenset()
        names = {*sources.changes.added, *sources.changes.modified}
        return frozenset(path for name, path, _ in sources.listing if name in names)

    def params(self, dataset: str, stage: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Parameters that can change bytes, and those that only say where things go."""
        spec = self.spec(dataset)
        if stage == "fetch":
            return {"sources": list(spec.sources)}, {}
        if stage == "normalize":
            params = dict(spec.normalize)
            if len(spec.sources) > 1:
                params["sources"] = len(spec.sources)
            if below := {folder: str(it) for folder, it in references(spec.sources).items()}:
                params["datasets"] = below
            return params, {}
        if stage == "transform":
            return self._transform_params(dataset), {}
        if stage == "split":
            cut = dict(spec.split or {})
            if cut.get("method") == "folder" and len(spec.sources) > 1:
                cut["sources"] = len(spec.sources)
            return cut, {}
        if stage == "validate":
            return dict(spec.validate or {}), {}
        if stage == "profile":
            return dict(spec.profile or {}), {}
        params, _ = stage_params(spec.export or {})
        place = {"to": params.pop("to"), "link": self.project.link}
        # The manifest tells the whole recipe, so a change of any part of it must write a new manifest.
        params["recipe"] = {
            "sources": list(spec.sources),
            "normalize": dict(spec.normalize),
            "split": dict(spec.split) if spec.split else None,
        }
        if spec.transform is not None:
            params["recipe"]["transform"] = self._transform_params(dataset)
        return params, place

    def code(self, dataset: str) -> Code:
        """The code of a dataset's transform, read once a session. Raises ``SpecError`` when it cannot be had."""
        if dataset not in self._code:
            from mldata.usercode import NoSuchFunction, functions, read_code

            transform = self.spec(dataset).transform or {"steps": []}
            try:
                found: Code | MldataError = read_code(self.project.root, functions(transform))
            except NoSuchFunction as error:
                named = [step.get("function") for step in transform["steps"]].index(error.function)
                error.where = self.project.where("datasets", dataset, "transform", named, "function")
                found = error
            except MldataError as error:
                found = error
            self._code[dataset] = found
        code = self._code[dataset]
        if isinstance(code, MldataError):
            raise code
        return code

    def _code_digests(self, dataset: str) -> dict[str, str]:
        try:
            return dict(self.code(dataset).digests)
        except MldataError:
            return {}

    def _transform_params(self, dataset: str) -> dict[str, Any]:
        params: dict[str, Any] = dict(self.spec(dataset).params("transform"))
        if digests := self._code_digests(dataset):
            params["code"] = digests
        return params

    def export_dir(self, dataset: str) -> Path:
        """The folder that a dataset is exported to."""
        export = self.spec(dataset).export or {}
        return self.project.root / str(export["to"])

    def trackers(self, dataset: str) -> dict[str, Place]:
        """What is to be made known to which program that versions files: its place, by the tracker's name."""
        from mldata.tracking.base import Place

        export = self.spec(dataset).export or {}
        _, settings = stage_params(export)
        return {name: Place(self.export_dir(dataset), it) for name, it in settings.items()}

    def _lacking(self, dataset: str, tree: Digest) -> list[Reason]:
        """What programs that version files do not know of an export that is up to date."""
        from mldata.tracking import load_tracker

        found = []
        for name, place in self.trackers(dataset).items():
            if why := load_tracker(name).lacking(place, self._store(), tree):
                found.append(Reason("tracking", why, {"tracker": name}))
        return found

    def _lost(self, receipt: Receipt) -> list[Digest]:
        if receipt.objects <= LOOKED_AT:
            return [missing.digest for missing in self._store().missing(receipt.output)]
        return [] if self._store().intact(receipt.output, receipt.size) else [receipt.output]

    def look(self, dataset: str) -> Sources:
        """List a dataset's source files, once a session, and find what changed since they were fetched."""
        if dataset in self._sources:
            return self._sources[dataset]
        from store import StoreError

        state = self._sources[dataset] = Sources()
        try:
            listings = self._listings(dataset, state)
        except MldataError as error:
            state.error = error
            return state
        if state.wanted:
            return state
        listing = state.listing = combined(listings)
        receipt = self.receipt(dataset, "fetch")
        snapshots = self.snapshots(dataset)
        if receipt is None:
            state.known = snapshots.known(listing)
        elif not snapshots.unchanged(listing, receipt.output):
            try:
                tables = receipt.facts.get("datasets", ())
                files = raw_files(self._store(), receipt.output, tables)
                entries = {path: (entry.digest, entry.size) for path, entry in files}
                state.changes, state.known = compare(snapshots, listing, receipt.output, entries)
            except (StoreError, OSError):  # fetching again says what it was, or puts it right
                state.lost = [receipt.output]
        else:
            state.changes = Changes()
        return state

    def _listings(self, dataset: str, state: Sources) -> list[Listing]:
        """The files of each source, in the order of the spec; of those elsewhere what the store has. Raises ``SourceError``."""
        from mldata.sources.kept import KeptSource
        from store import StoreError

        found = []
        for number, text in enumerate(self.spec(dataset).sources):
            if not is_remote(text):
                found.append(open_local(text, self.project.root).listing())
                continue
            pin = self._pin(dataset, number)
            kept = KeptSource(text, self._store(), pin.tree if pin is not None else None)
            try:
                found.append(kept.listing())
            except (SourceError, StoreError):
                if self.offline:
                    raise
                state.wanted[number] = pin
            else:
                assert pin is not None
                state.pins[number] = pin
        return found

    def _pin(self, dataset: str, number: int) -> Pin | None:
        """What a source elsewhere is: as it was brought here in this session, else as the lock has it (or the last fetch, without one)."""
        if found := self._pulled.get((dataset, number)):
            return found
        if dataset in self.anew:
            return None
        sources = self.spec(dataset).sources
        if not self.project.locks:
            receipt = self.receipt(dataset, "fetch")
            if receipt is None or receipt.params.get("sources") != list(sources):
                return None
            plain = receipt.facts.get("remote", {}).get(str(number))
            return Pin.from_json(plain) if plain is not None else None
        from mldata.lockfile import pinned

        locked = pinned(self.project, dataset)
        place = sum(is_remote(text) for text in sources[:number])
        if locked is None or place >= len(locked.remote) or locked.remote[place].source != sources[number]:
            return None
        return locked.remote[place]

    def pulled(self, dataset: str, number: int, pin: Pin) -> None:
        """Note what a source elsewhere was now that it has been brought here."""
        self._pulled[dataset, number] = pin
        self.forget(dataset)

    def snapshots(self, dataset: str) -> Snapshots:
        """The stat cache of a dataset's sources."""
        keys = (
            f"kept:{text}" if is_remote(text) else open_local(text, self.project.root).key
            for text in self.spec(dataset).sources
        )
        return Snapshots(self._store(), "\0".join(keys))

    def forget(self, dataset: str | None = None) -> None:
        """Look at the sources of a dataset (None: of all, and at all code) anew next time."""
        if dataset is None:
            self._sources.clear()
            self._code.clear()
        else:
            self._sources.pop(dataset, None)

    def _remote_reasons(self, dataset: str) -> list[Reason]:
        """Sources elsewhere that must be brought here."""
        texts = self.spec(dataset).sources
        return [
            Reason("remote", f"{texts[number]} is to be looked at: {why}", {"source": texts[number]})
            for number, pin in self.look(dataset).wanted.items()
            for why in (
                "nothing pins it here" if pin is None else f"the store does not have {pin.tree[:12]}",
            )
        ]

    def _lock_reasons(self, dataset: str, receipt: Receipt) -> list[Reason]:
        """A fetch that is up to date must still run if mldata.lock does not say so: to write it, or to refuse."""
        from mldata.lockfile import LockError, pinned

        try:
            found = pinned(self.project, dataset)
        except LockError as error:
            return [Reason("lock", str(error))]
        raw = raw_tree(receipt.output, receipt.facts)
        tree = found.tree if found is not None else None
        told = [pin.to_json() for pin in found.remote] if found is not None else []
        if tree == raw and told == [pin.to_json() for pin in pins_of(receipt.facts)]:
            return []
        text = f"mldata.lock pins {tree[:12] if tree else 'nothing'} for its sources"
        return [Reason("lock", text, {"old": tree, "new": raw})]
