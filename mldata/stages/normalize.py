"""The normalize stage: raw files in, one table out.

Tabular sources take two passes. The first reads each file on its own: one action a file, keyed by content and options, never by the file's
name. What it learned of types is joined into the table's schema; the second pass reads again only the pieces that differ from it.
Where files agree (the steady state), an edited file is one action. Media sources take one pass over groups of files.

Output: the table tree of :mod:`mldata.table`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mldata.errors import DataError, SourceError, SpecError, Where
from mldata.formats import HEAD_BYTES, load_format
from mldata.formats import base as formats_base
from mldata.formats.base import Options, Piece, SourceFile, Span
from mldata.formats.choose import choose, some
from mldata.formats.columns import parse_type, unknown_keys
from mldata.formats.encode import encode, encode_stream
from mldata.formats.unify import same, unify
from mldata.stages.base import StageOutput, Work
from mldata.stages.media import build_media
from mldata.table import Fragment, write_table

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo, TabularFormat
    from mldata.stages.base import Job, Outputs
    from store import Action, ActionResult, TreeEntry

SKIPPED_NAMED = 20
"""How many skipped files the facts name."""
MOST_THREADS = 4
"""Threads inside one file: each holds a piece, so they bound memory."""

Entry = tuple[str, "TreeEntry"]


class Normalize:
    """Any number of files of a source → a table. See :class:`mldata.stages.base.Stage`."""

    def build(self, job: Job) -> StageOutput:
        """Raises ``SourceError`` (nothing to read), ``DataError`` (bad data), ``SpecError`` (no such column)."""
        entries = sorted(job.store.walk(job.inputs["fetch"]), key=lambda entry: entry[0].encode())
        names = [name for name, _ in entries]

        def head(index: int) -> bytes:
            with job.store.open_object(entries[index][1].digest) as file:
                return bytes(file.read(HEAD_BYTES))

        choice = choose(names, job.params["format"], head, job.dataset)
        skipped = [names[i] for i in choice.skipped]
        if skipped:
            job.warn(
                f"{len(skipped):,} of {len(names):,} files are in no format that is read here, skipped: {some(skipped)}"
            )
        chosen = [(entries[i], info) for i, info in choice.files]
        if choice.kind == "tabular":
            schema, fragments, media = *_tabular(job, chosen), None
        else:
            schema, fragments, media = build_media(job, [entry for entry, _ in chosen], chosen[0][1])
        output = write_table(
            kind=choice.kind,
            schema=schema,
            fragments=fragments,
            media=media,
            put=job.put,
            put_tree=job.put_tree,
        )
        facts = {
            "kind": choice.kind,
            "files": len(chosen),
            "fragments": len(fragments),
            "columns": len(schema),
            "skipped": {"count": len(skipped), "names": skipped[:SKIPPED_NAMED]},
        }
        return StageOutput(output, sum(fragment.rows for fragment in fragments), facts)


def _tabular(job: Job, chosen: Sequence[tuple[Entry, FormatInfo]]) -> tuple[pa.Schema, list[Fragment]]:
    options = Options.from_params({**job.params, "piece": formats_base.PIECE_BYTES})
    for kind in options.types.values():
        parse_type(kind)  # a wrong name is an error before any work
    threads = max(1, min(job.jobs, MOST_THREADS) // len(chosen))
    files = [_File(entry, info, options, job, threads) for entry, info in chosen]
    for file, result in zip(files, job.run([file.first() for file in files]), strict=True):
        file.take_first(result)
    _refuse_unknown(files, options)
    schema = unify((file.name, file.text, piece) for file in files for piece in file.pieces)
    if not schema:
        raise DataError("expected at least one column, found none that is left", where=job.dataset,
                        hint="see `drop` under normalize in mldata.yaml, and the files")  # fmt: skip
    again = [(file, work) for file in files if (work := file.second(schema)) is not None]
    for (file, _), result in zip(again, job.run([work for _, work in again]) if again else [], strict=True):
        file.take_second(result)
    return schema, [fragment for file in files for fragment in file.fragments]


class _File:
    """One source file on its way through both passes."""

    def __init__(self, entry: Entry, info: FormatInfo, options: Options, job: Job, threads: int) -> None:
        self.name, self.entry = entry
        if not self.entry.size:
            raise SourceError(
                f"expected {info.name} data, found an empty file (0 bytes)",
                where=Where(self.name),
                hint="remove the file, or fetch it again if it should hold data",
            )
        self.info, self.options, self.job, self.threads = info, options, job, threads
        self.format: TabularFormat = _format(info.name)
        self.text = self.format.text
        self.pieces: list[Piece] = []
        self.fragments: list[Fragment] = []
        self._again: list[int] = []

    def first(self) -> Work:
        """Read the file under its own types."""
        return Work(self._action({}), self._read, self.name, self.entry.size)

    def take_first(self, result: ActionResult) -> None:
        self.pieces = [_decode_piece(fact) for fact in result.facts["pieces"]]
        self.fragments = [self._fragment(result, i, piece) for i, piece in enumerate(self.pieces)]

    def second(self, schema: pa.Schema) -> Work | None:
        """Read the pieces that differ from ``schema`` again; None if there are none."""
        self._again = [i for i, piece in enumerate(self.pieces) if not same(piece.schema, schema)]
        if not self._again:
            return None
        spans = [Span(i, *self.pieces[i].span) for i in self._again]
        params = {"schema": _pack(schema), "spans": [list(_astuple(span)) for span in spans]}

        def run(out: Outputs) -> Mapping[str, Any]:
            rows = self.format.reread(self._source(), self.options, schema, spans, _Sink(out), self.threads)
            return {"rows": rows}

        return Work(self._action(params), run, self.name, sum(span.stop - span.start for span in spans))

    def take_second(self, result: ActionResult) -> None:
        for i, rows in zip(self._again, result.facts["rows"], strict=True):
            if rows != self.pieces[i].rows:
                raise DataError(
                    f"expected {self.pieces[i].rows:,} rows in piece {i} when read again, found {rows:,}",
                    where=Where(self.name),
                    hint="this is an error of mldata: please report it with the file",
                )
            made = result.outputs[_output_name(i)]
            self.fragments[i] = Fragment(made.digest, made.size, rows, self.name)

    def _read(self, out: Outputs) -> Mapping[str, Any]:
        pieces = self.format.read(self._source(), self.options, _Sink(out), self.threads)
        return {"pieces": [_encode_piece(piece) for piece in pieces]}

    def _fragment(self, result: ActionResult, index: int, piece: Piece) -> Fragment:
        made = self.entry if piece.own else result.outputs[_output_name(index)]
        return Fragment(made.digest, made.size, piece.rows, self.name)

    def _action(self, more: Mapping[str, Any]) -> Action:
        params = {"format": self.info.name, **self.options.to_params(), **more}
        return self.job.action(params, [("file", self.entry.digest)], libraries=self.info.libraries)

    def _source(self) -> SourceFile:
        return SourceFile(
            self.name, self.job.store.path(self.entry.digest), self.entry.digest, self.entry.size
        )


def _refuse_unknown(files: Sequence[_File], options: Options) -> None:
    names = list(dict.fromkeys(name for file in files for piece in file.pieces for name in piece.names))
    unknown = unknown_keys(names, options)
    if unknown:
        option, key = unknown[0]
        near = get_close_matches(key, names, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"the columns are: {some(names)}"
        raise SpecError(
            f"expected a column of the source, found {key!r}", where=f"normalize.{option}", hint=hint
        )


class _Sink:
    """Writes fragments as outputs of an action."""

    def __init__(self, out: Outputs) -> None:
        self.out = out

    def __call__(self, index: int, table: pa.Table) -> None:
        with self.out.writer(_output_name(index)) as file:
            file.write(encode(table))

    def stream(self, index: int, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
        with self.out.writer(_output_name(index)) as file:
            encode_stream(file, schema, tables)


def _output_name(index: int) -> str:
    return f"fragment-{index:05d}"


@cache
def _format(name: str) -> Any:
    return load_format(name)


def _astuple(span: Span) -> tuple[int, int, int]:
    return span.index, span.start, span.stop


def _encode_piece(piece: Piece) -> dict[str, Any]:
    return {
        "rows": piece.rows,
        "span": list(piece.span),
        "schema": _pack(piece.schema),
        "names": list(piece.names),
        "wide": sorted(piece.wide),
        "spelling": dict(piece.spelling),
        "own": piece.own,
    }


def _decode_piece(fact: Mapping[str, Any]) -> Piece:
    return Piece(
        rows=fact["rows"],
        span=(fact["span"][0], fact["span"][1]),
        schema=_unpack(fact["schema"]),
        names=tuple(fact["names"]),
        wide=frozenset(fact["wide"]),
        spelling=dict(fact["spelling"]),
        own=fact["own"],
    )


def _pack(schema: pa.Schema) -> str:
    return base64.b64encode(schema.remove_metadata().serialize().to_pybytes()).decode()


@cache
def _unpack(packed: str) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))
