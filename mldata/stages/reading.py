"""One source file of a table on its way through the passes of normalize: decoded if need be, read, and read again."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from mldata.archives import LIMITS
from mldata.errors import DataError, SourceError, Where
from mldata.formats import load_format
from mldata.formats.base import Options, Piece, Recode, Reject, SourceFile, Span
from mldata.formats.encode import encode, encode_stream
from mldata.formats.layers import Layers
from mldata.formats.recode import read_plain, recode
from mldata.formats.unify import same
from mldata.stages.base import Work
from mldata.table import Fragment
from store import ObjectId
from store import decode as store_decode
from store import encode as store_encode

if TYPE_CHECKING:
    from mldata.formats.base import FormatInfo, TabularFormat
    from mldata.stages.base import Job, Outputs
    from store import Action, ActionResult, Digest, TreeEntry

Entry = tuple[str, "TreeEntry"]


def read_params(format: str, options: Options) -> dict[str, Any]:
    """The parameters of an action that reads a file."""
    return {"format": format, **options.to_params()}


def empty_file(name: str, info: FormatInfo) -> SourceError:
    """The error for a file without a byte, which is no table in any format."""
    return SourceError(
        f"expected {info.name} data, found an empty file (0 bytes)",
        where=Where(name),
        hint="remove the file, or fetch it again if it should hold data",
    )


class File:
    """One source file on its way through both passes."""

    def __init__(
        self,
        entry: Entry,
        info: FormatInfo,
        options: Options,
        params: Mapping[str, Any],
        job: Job,
        threads: int,
    ) -> None:
        """
        Args:
            params: :func:`read_params` of ``info`` and ``options``, one object for all files: it is encoded once.
        """
        self.name, self.entry = entry[0], ObjectId(entry[1].digest, entry[1].size)
        if not self.entry.size:
            raise empty_file(self.name, info)
        self.info, self.options, self.job, self.threads = info, options, job, threads
        self._params = params
        self.format: TabularFormat = _format(info.name)
        self.text = self.format.text
        self.pieces: list[Piece] = []
        self.fragments: list[Fragment] = []
        self.notes: dict[str, Any] = {}
        """How the file is written, as far as the format says."""
        self.rejected = 0
        """Rows that were put aside."""
        self._rejects: Digest | None = None
        self._layers = Layers(self.name)
        self._again: list[int] = []

    def first(self) -> Work:
        """Read the file under its own types."""
        return Work(self._action(self._params), self._read, self.name, self.entry.size)

    def take_first(self, result: ActionResult) -> bool:
        """Take what was read. False if the file was only decoded, and must be read now."""
        if (how := result.facts.get("recoded")) is not None:
            made = result.outputs[_DECODED]
            self.entry = ObjectId(made.digest, made.size)
            self._read_with(
                self._layers.take(Recode(how, sure=result.facts["sure"]), self.options, made.size)
            )
            return False
        self.notes = {**result.facts["notes"], **self._layers.notes}
        self.rejected = result.facts["rejects"]
        self._rejects = result.outputs[_REJECTS].digest if self.rejected else None
        self.pieces = [_decode_piece(fact) for fact in result.facts["pieces"]]
        self.fragments = [self._fragment(result, i, piece) for i, piece in enumerate(self.pieces)]
        return True

    def rejects(self) -> list[Reject]:
        """The rows that were put aside, in file order."""
        if self._rejects is None:
            return []
        return [Reject(*row) for row in store_decode(self.job.store.read(self._rejects))]

    def again(self, **options: Any) -> None:
        """Have the file read once more, with other options than it was."""
        self._read_with(replace(self.options, **options))

    def _read_with(self, options: Options) -> None:
        if options is not self.options:
            self.options, self._params = options, read_params(self.info.name, options)

    @property
    def sure(self) -> bool:
        """Whether its encoding is not merely likely."""
        return self._layers.sure

    def second(self, schema: pa.Schema) -> Work | None:
        """Read the pieces that differ from ``schema`` again; None if there are none."""
        self._again = [i for i, piece in enumerate(self.pieces) if not same(piece.schema, schema)]
        if not self._again:
            return None
        spans = [Span(i, *self.pieces[i].span) for i in self._again]
        params = {**self._params, "schema": _pack(schema), "spans": [list(_astuple(span)) for span in spans]}

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

    def example(self, column: str, other: pa.DataType) -> tuple[Where, str] | None:
        """The place and text of a value of ``column`` that ``other`` does not go with; None if the format does not tell."""
        find = getattr(self.format, "example", None)
        for i, piece in enumerate(self.pieces):
            if find is not None and column in piece.schema.names:
                found = find(self._source(), self.options, Span(i, *piece.span), column, other)
                if found is not None:
                    return cast("tuple[Where, str]", found)
        return None

    def place(self, piece: int, row: int) -> Where:
        """Where a row of a piece begins; without a line if the format does not tell."""
        find = getattr(self.format, "place", None)
        if find is None:
            return Where(self.name)
        span = Span(piece, *self.pieces[piece].span)
        return cast("Where", find(self._source(), self.options, span, row))

    def _read(self, out: Outputs) -> Mapping[str, Any]:
        sink, source = _Sink(out), self._source()
        try:
            pieces = read_plain(self.format, source, self.options, sink, self.threads)
        except Recode as to:
            out.clear()
            with out.writer(_DECODED) as target:
                for data in bounded(source, recode(source, to)):
                    target.write(data)
            return {"recoded": to.how, "sure": to.sure}
        if sink.rejects:
            out.put(_REJECTS, store_encode([list(reject) for reject in sink.rejects]))
        return {
            "pieces": [_encode_piece(piece) for piece in pieces],
            "notes": sink.notes,
            "rejects": len(sink.rejects),
        }

    def _fragment(self, result: ActionResult, index: int, piece: Piece) -> Fragment:
        made = self.entry if piece.own else result.outputs[_output_name(index)]
        return Fragment(made.digest, made.size, piece.rows, self.name)

    def _action(self, params: Mapping[str, Any]) -> Action:
        return self.job.action(params, [("file", self.entry.digest)], libraries=self.info.libraries)

    def _source(self) -> SourceFile:
        return SourceFile(
            self.name, self.job.store.path(self.entry.digest), self.entry.digest, self.entry.size
        )


_DECODED, _REJECTS = "decoded", "rejects"


def bounded(file: SourceFile, content: Iterable[bytes]) -> Iterator[bytes]:
    """What comes out of a file. Raises ``DataError`` when it is more than so few bytes can honestly be."""
    size = 0
    for data in content:
        size += len(data)
        if LIMITS.blown(size, file.size):
            raise DataError(
                f"expected at most {LIMITS.ratio} bytes out of each byte, "
                f"found {size:,} bytes and more out of {file.size:,}",
                where=Where(file.name),
                hint="if you trust the file, decompress it by hand and name what comes out as the source",
            )
        yield data


class _Sink:
    """Writes fragments as outputs of an action."""

    def __init__(self, out: Outputs) -> None:
        self.out = out
        self.notes: dict[str, Any] = {}
        self.rejects: list[Reject] = []

    def note(self, facts: Mapping[str, Any]) -> None:
        self.notes.update(facts)

    def checkpoint(self) -> None:
        self.out.checkpoint()

    def reject(self, rows: Sequence[Reject]) -> None:
        self.rejects += rows

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
