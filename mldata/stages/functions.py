"""The actions of a transform that run a user's functions, each in a process of its own: over a fragment, or over the whole table."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mldata.errors import BuildError
from mldata.stages.base import Work
from mldata.stages.phases import Phase, Rows, cut_fragments, output_name, pack, unpack
from mldata.userprocess import run_request
from mldata.userrequest import Limits, Request

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.stages.base import Job, Outputs
    from mldata.table import Fragment
    from mldata.usercode import Code
    from store import Digest

__all__ = ["Functions"]


class Functions:
    """Makes the actions. A context manager: the folder for processes is there inside, and nothing of it afterwards."""

    def __init__(self, code: Code, scratch: Path, root: Path) -> None:
        self._code, self._scratch, self._root = code, scratch, root
        self._digests: dict[int, Digest] = {}

    def __enter__(self) -> Functions:
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a killed build has left
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def work(self, job: Job, phase: Phase, schema: pa.Schema, fragment: Fragment) -> Work:
        """The action of a phase over one fragment. Its facts are what :func:`mldata.userprocess.run_request` returns."""
        inputs = [("fragment", fragment.digest), ("code", self._digest(job, phase))]
        run = self._runner(job, phase, schema, [fragment], fragment.source)
        action = job.action({**phase.params, "schema": pack(schema)}, inputs)
        return Work(action, run, fragment.source, fragment.size, here=True)

    def whole(self, job: Job, phase: Phase, rows: Rows) -> Rows:
        """What a phase makes of the whole table."""
        inputs = [*rows.inputs, ("code", self._digest(job, phase))]
        run = self._runner(job, phase, rows.schema, rows.fragments, "the whole table")
        action = job.action({**phase.params, "schema": pack(rows.schema)}, inputs)
        label = f"{job.dataset}: {phase.functions[0]}"
        [result] = job.run([Work(action, run, label, rows.size, here=True)])
        return Rows(unpack(str(result.facts["schema"])), cut_fragments(result, phase, None))

    def _needs(self, phase: Phase) -> list[str]:
        return sorted({path for function in phase.functions for path in self._code.needs[function]})

    def _digest(self, job: Job, phase: Phase) -> Digest:
        """Digest of the tree of the files that the phase may run."""
        if phase.first not in self._digests:
            files = [(path, job.store.put(self._code.files[path]), False) for path in self._needs(phase)]
            self._digests[phase.first] = job.store.put_paths(files).digest
        return self._digests[phase.first]

    def _runner(
        self, job: Job, phase: Phase, schema: pa.Schema, fragments: Sequence[Fragment], source: str
    ) -> Callable[[Outputs], Mapping[str, Any]]:
        def run(out: Outputs) -> Mapping[str, Any]:
            request = Request(
                steps=phase.steps,
                first=phase.first,
                fragments=[str(job.store.path(fragment.digest)) for fragment in fragments],
                schema=schema.serialize().to_pybytes(),
                whole=phase.whole,
                code={path: self._code.files[path] for path in self._needs(phase)},
                source=source,
            )
            self._scratch.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self._scratch))
            try:
                answer = run_request(
                    request,
                    _together(phase),
                    folder,
                    self._root,
                    out.checkpoint,
                    lambda text: job.note(f"{source}: {text}"),
                )
                for number, rows in enumerate(answer["fragments"]):
                    _take(folder / "out" / f"{number:08d}", rows, out, output_name(number))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return {
                "rows": answer["fragments"] if phase.whole else answer["rows"],
                "schema": base64.b64encode(answer["schema"]).decode(),
                "wide": answer["wide"],
            }

        return run


def _together(phase: Phase) -> Limits:
    """The limits of functions that run in one process: their times added up, the largest memory."""
    own = [
        limits for limits, step in zip(phase.limits, phase.steps, strict=True) if step["step"] == "function"
    ]
    times, sizes = [limits.seconds for limits in own], [limits.memory for limits in own]
    return Limits(
        None if None in times else sum(time for time in times if time is not None),
        None if None in sizes else max(size for size in sizes if size is not None),
    )


def _take(path: Path, rows: int, out: Outputs, name: str) -> None:
    """Bring a file that a process wrote into the store."""
    import pyarrow.parquet as pq

    found = pq.read_metadata(path).num_rows
    if found != rows:
        raise BuildError(f"expected {rows:,} rows in what the code made, found {found:,}", where=str(path))
    with out.writer(name) as sink, open(path, "rb") as file:
        shutil.copyfileobj(file, sink, 1 << 20)
