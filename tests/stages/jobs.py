"""A small real job for tests of stages: a real store, real actions, no build around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldata.outputs import StagedOutputs, run_together
from mldata.reporter.writing import WritingView
from mldata.stages.base import Previous, Work
from mldata.table import Fragment, write_table
from store import Action, ActionResult, Digest, ObjectId, Store


class PlainJob:
    """The :class:`mldata.stages.base.Job` protocol, in the plainest way."""

    dataset = "demo"
    jobs = 1

    def __init__(
        self,
        store: Store,
        stage: str,
        params: Mapping[str, Any],
        inputs: Mapping[str, Digest],
        context: Mapping[str, Any] | None = None,
        previous: Previous | None = None,
    ) -> None:
        self.store = store
        self.stage = stage
        self.params = params
        self.inputs = inputs
        self.context = context or {"mldata": "0.0", "sources": [], "params": {}, "versions": {}}
        self.previous = previous
        self.hits: list[str] = []
        self.runs: list[str] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.salt = ""
        self.view = WritingView()
        self.map: Callable[..., Iterable[ActionResult]] = map

    def action(
        self,
        params: Mapping[str, Any],
        inputs: Sequence[tuple[str, Digest]],
        *,
        libraries: Sequence[str] | None = None,
    ) -> Action:
        return Action(self.stage, 1, params, tuple(inputs), dict.fromkeys(libraries or (), "1"), self.salt)

    partial = False

    def for_stage(self, stage: str, params: Mapping[str, Any], inputs: Mapping[str, Digest]) -> PlainJob:
        other = copy(self)
        other.stage, other.params, other.inputs = stage, params, inputs
        return other

    def run(self, works: Sequence[Work]) -> list[ActionResult]:
        results = []
        for result in self.attempt(works):
            if isinstance(result, Exception):
                raise result
            results.append(result)
        return results

    def attempt(self, works: Sequence[Work]) -> list[ActionResult | Exception]:
        found: dict[int, ActionResult | Exception] = {}
        missing: list[int] = []
        first: dict[Digest, int] = {}
        for index, work in enumerate(works):
            result = self.store.actions.get(work.action.key)
            new = result is None and first.setdefault(work.action.key, index) == index
            (self.runs if new else self.hits).append(work.label)
            if result is not None:
                found[index] = result
            elif new:
                missing.append(index)
        alone = [index for index in missing if works[index].together is None]
        found |= dict(zip(alone, self.map(self._run, [works[index] for index in alone]), strict=True))
        shared = [index for index in missing if works[index].together is not None]
        if shared:
            [together] = {id(works[index].together): works[index].together for index in shared}.values()
            assert together is not None
            with self.store.batch() as batch:
                members = [works[index].member for index in shared]
                results, errors = run_together(together, members, batch, Event())
                for place, result in results.items():
                    batch.add_result(works[shared[place]].action.key, result)
            found |= {shared[place]: it for place, it in {**results, **errors}.items()}
        return [
            found[index if index in found else first[work.action.key]] for index, work in enumerate(works)
        ]

    def _run(self, work: Work) -> ActionResult:
        with self.store.batch() as batch:
            out = StagedOutputs(batch, Event())
            facts = work.run(out)
            result = ActionResult(outputs=out.finished(), facts=dict(facts))
            batch.add_result(work.action.key, result)
        return result

    def writing(self) -> WritingView:
        return self.view

    def count(self, *, hits: int, runs: int) -> None:
        pass

    def put(self, data: bytes) -> ObjectId:
        return self.store.put(data)

    def put_tree(self, entries: Sequence[Any]) -> ObjectId:
        return self.store.put_tree(entries)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def note(self, message: str) -> None:
        self.notes.append(message)


def put_table(
    store: Store,
    pieces: Iterable[pa.Table],
    *,
    kind: str = "tabular",
    media: Mapping[str, bytes] | None = None,
    compression: str = "zstd",
    row_group_size: int | None = None,
    write: Callable[[pa.Table], pa.Buffer] | None = None,
    sources: Sequence[str] | None = None,
) -> Digest:
    """A table tree whose fragments are ``pieces`` (at least one; all of one schema), written by ``write`` or plainly."""
    fragments, schema = [], None
    for number, piece in enumerate(pieces):
        schema = schema or piece.schema
        data = write(piece) if write else _plain(piece, row_group_size, compression)
        made = store.put(data.to_pybytes())
        source = f"{number}.csv" if sources is None else sources[number]
        fragments.append(Fragment(made.digest, made.size, piece.num_rows, source))
    folder = None
    if media is not None:
        folder = store.put_paths((path, store.put(data), False) for path, data in media.items())
    return write_table(
        kind=kind,
        schema=schema,
        fragments=fragments,
        media=folder,
        put=store.put,
        put_tree=store.put_tree,
    ).digest


def _plain(table: pa.Table, row_group_size: int | None, compression: str) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size, compression=compression)
    return sink.getvalue()


def split_params(parts: Mapping[str, float], **more: Any) -> dict[str, Any]:
    """Parameters of the split stage with defaults filled in."""
    return {
        "parts": [list(part) for part in parts.items()],
        "method": "random",
        "seed": 42,
        "stratify": None,
        "by": [],
    } | more


def export_params(*formats: str, **more: Any) -> dict[str, Any]:
    """Parameters of the export stage with defaults filled in."""
    return {"formats": list(formats), "compression": "zstd", "row_index": False} | more
