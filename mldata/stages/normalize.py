"""The normalize stage: raw files in, one table out.

Tabular sources take two passes. The first reads each file on its own: one action a file, keyed by content and options, never by the file's
name. What it learned of types is joined into the table's schema; the second pass reads again only the pieces that differ from it.
Where files agree (the steady state), an edited file is one action. Media sources take one pass over groups of files; tables that describe them
are read as tables are, and joined (:mod:`mldata.stages.describe`).
Before that, archives give way to the files in them (:mod:`mldata.stages.archives`), files that the spec excludes are taken out
(:mod:`mldata.stages.exclude`), and tables of other datasets give way to their fragments, which are read as files of Parquet (:mod:`mldata.stages.given`).

Output: the table tree of :mod:`mldata.table`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldata.errors import DataError, SpecError, Where, shown
from mldata.formats import HEAD_BYTES, find_format, formats
from mldata.formats import base as formats_base
from mldata.formats.base import Options
from mldata.formats.choose import choose, some
from mldata.formats.columns import parse_type, unknown_keys
from mldata.formats.unify import ColumnConflict, unify
from mldata.litter import litter_text
from mldata.nearest import nearest
from mldata.skipped import skipped_facts, skipped_text
from mldata.snapshot import raw_files
from mldata.stages.archives import open_archives
from mldata.stages.base import StageOutput
from mldata.stages.dialects import doubts, settle, summary
from mldata.stages.exclude import Excluding
from mldata.stages.given import Given, as_files, folders, given_tables, the_kind, with_tables
from mldata.stages.mediafiles import joined, kept
from mldata.stages.metadata import FORCED, Metadata, check_columns
from mldata.stages.reading import Entry, File, read_params
from mldata.stages.rejects import put_rejects, without_rejects
from mldata.table import Fragment, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from mldata.formats.base import FormatInfo
    from mldata.stages.base import Job
    from store import Digest, ObjectId

MOST_THREADS = 4
"""Threads inside one file: each holds a piece, so they bound memory."""


class Normalize:
    """Any number of files of a source → a table. See :class:`mldata.stages.base.Stage`."""

    def build(self, job: Job) -> StageOutput:
        """Raises ``SourceError`` (nothing to read), ``DataError`` (bad data), ``SpecError`` (no such column)."""
        given = given_tables(job)
        tables = {it.folder for it in given}
        excluding = Excluding(job)
        raw = excluding.without(list(raw_files(job.store, job.inputs["fetch"], tables)))
        opened = open_archives(job, raw)
        entries = sorted(excluding.without(opened.entries), key=lambda entry: entry[0].encode())
        excluded = excluding.facts(len(entries) + len(given))
        chosen, described, skipped, kind = _choose(job, entries, given)
        told_skipped = skipped_facts(skipped)
        more: dict[str, Any] = {"archives": opened.facts()} if opened.archives else {}
        more |= excluded
        if opened.ignored:
            more["ignored"] = dict(sorted(opened.ignored.items()))
            job.note(f"left out of archives: {litter_text(opened.ignored)}")
        tables_read = with_tables(job, chosen, given) if kind == "tabular" else described
        rejects, rejecting = None, job.params.get("on_bad_row") == "reject"
        if rejecting and (
            deaf := without_rejects([(entry[0], info) for entry, info in tables_read or chosen])
        ):
            job.warn(deaf)
        files: list[File] = []
        if kind == "tabular" or not given:
            files = _tabular_files(job, tables_read, {} if kind == "tabular" else FORCED)
        if how := summary(files):
            more["read"] = how
        if rejecting:
            rejects, more["rejects"] = put_rejects(job, files)
        if kind == "tabular":
            schema, fragments, media = *_table(job, files), None
        elif given:
            schema, fragments, media = _joined_media(
                job, chosen, described, given, opened.archives, excluding.names
            )
        else:
            from mldata.stages.media import build_media

            made = build_media(
                job,
                [entry for entry, _ in chosen],
                chosen[0][1],
                {*opened.archives, *folders(job)},
                _metadata(job, files),
                excluding.names,
            )
            schema, fragments, media = made.schema, made.fragments, made.media
            more |= made.facts
        if given:
            more["datasets"] = [str(it.reference) for it in given]
        output = write_table(
            kind=kind,
            schema=schema,
            fragments=fragments,
            media=media,
            rejects=rejects,
            put=job.put,
            put_tree=job.put_tree,
        )
        facts = {
            "kind": kind,
            "files": len(chosen),
            "fragments": len(fragments),
            "columns": len(schema),
            **more,
            "skipped": told_skipped,
        }
        return StageOutput(output, sum(fragment.rows for fragment in fragments), facts)


def _choose(
    job: Job, entries: Sequence[Entry], given: Sequence[Given]
) -> tuple[list[tuple[Entry, FormatInfo]], list[tuple[Entry, FormatInfo]], list[str], str]:
    """The raw files that are read, each with its format; those that describe them; the names of others; the kind of the table."""
    if not entries and given:
        return [], [], [], the_kind(job.dataset, None, given)
    names = [name for name, _ in entries]

    def head(index: int) -> bytes:
        with job.store.open_object(entries[index][1].digest) as file:
            return bytes(file.read(HEAD_BYTES))

    choice = choose(names, job.params["format"], head, job.dataset)
    skipped = [names[i] for i in choice.skipped]
    if skipped:
        job.warn(
            f"{len(skipped):,} of {len(names):,} files are in no format that is read here, skipped: "
            + skipped_text(skipped_facts(skipped))
            + _shy_note(skipped)
        )
    return (
        [(entries[i], info) for i, info in choice.files],
        [(entries[i], info) for i, info in choice.metadata],
        skipped,
        the_kind(job.dataset, choice.kind, given),
    )


def _shy_note(skipped: Sequence[str]) -> str:
    """What to do if skipped files are data after all."""
    shy = sorted({info.name for name in skipped if (info := find_format(name, b"")) and info.shy})
    if not shy:
        return ""
    return f" (beside other data {' and '.join(shy)} files are taken for notes; `normalize: {{format: {shy[0]}}}` reads them)"


def _tabular_files(
    job: Job, chosen: Sequence[tuple[Entry, FormatInfo]], types: Mapping[str, str], *, plain: bool = False
) -> list[File]:
    """Every file, read under its own types, and those that are given. ``plain``: nothing that the spec says is meant for them."""
    params: Mapping[str, Any] = {} if plain else job.params
    wanted = Options.from_params({**params, "piece": formats_base.PIECE_BYTES})
    for kind in wanted.types.values():
        parse_type(kind)  # a wrong name is an error before any work
    if not plain:
        _refuse_unused(job, [info for _, info in chosen])
    options = replace(wanted, types={**wanted.types, **types}) if types else wanted
    threads = max(1, min(job.jobs, MOST_THREADS) // max(len(chosen), 1))
    keys = {name: read_params(name, options) for name in {info.name for _, info in chosen}}
    files = [File(entry, info, options, keys[info.name], job, threads) for entry, info in chosen]
    _read(job, files)
    _read(job, settle(files))
    for warning in doubts(files):
        job.warn(warning)
    if not plain:
        _refuse_unknown(files, wanted)
    return files


def _joined_media(
    job: Job,
    chosen: Sequence[tuple[Entry, FormatInfo]],
    described: Sequence[tuple[Entry, FormatInfo]],
    given: Sequence[Given],
    archives: Collection[str],
    excluded: Sequence[str],
) -> tuple[pa.Schema, list[Fragment], ObjectId]:
    """Schema, fragments and media tree of media files beside tables of media, or of such tables alone."""
    from mldata.stages.media import build_media

    files = []
    trees: list[tuple[str, Digest]] = []
    tables = {it.folder: it for it in given}
    for folder in folders(job):
        own, said_here = (
            [(entry, info) for entry, info in them if entry[0].startswith(f"{folder}/")]
            for them in (chosen, described)
        )
        if said_here and not own:
            raise DataError(
                "expected media files that this table describes, found none in its source",
                where=Where(said_here[0][0][0]),
                hint="put it beside the files that it describes, or leave it out",
            )
        if folder in tables:
            fragments, tree = tables[folder].fragments(job), tables[folder].table.media
            assert tree is not None  # media of this kind have one
            trees.append((str(tables[folder].reference), tree))
        elif own:
            said = _metadata(job, _tabular_files(job, said_here, FORCED, plain=True))
            entries = [entry for entry, _ in own]
            made = build_media(job, entries, own[0][1], {*archives, *folders(job)}, said, excluded)
            fragments = made.fragments
            trees.append(("a folder among the sources", made.media.digest))
        else:
            continue
        files += as_files(fragments)
    schema, fragments = _table(job, _tabular_files(job, files, {}))
    return schema, fragments, kept(job, joined(job, trees), schema, fragments, f"normalize of {job.dataset}")


def _metadata(job: Job, files: Sequence[File]) -> Metadata | None:
    """What metadata files say, if there are any."""
    if not files:
        return None
    check_columns(files)
    return Metadata(files, _table(job, files)[0])


def _table(job: Job, files: Sequence[File]) -> tuple[pa.Schema, list[Fragment]]:
    """One schema over all files, and their fragments under it."""
    try:
        schema = unify((file.name, file.text, piece) for file in files for piece in file.pieces)
    except ColumnConflict as conflict:
        raise _placed(conflict, files) from None
    if not schema:
        raise DataError(f"expected at least one column, found none that is left of {some([file.name for file in files])}",
                        where=job.dataset, hint="see `drop` under normalize in mldata.yaml, and the files")  # fmt: skip
    again = [(file, work) for file in files if (work := file.second(schema)) is not None]
    for (file, _), result in zip(again, job.run([work for _, work in again]) if again else [], strict=True):
        file.take_second(result)
    return schema, [fragment for file in files for fragment in file.fragments]


def _placed(conflict: ColumnConflict, files: Sequence[File]) -> DataError:
    """The conflict with a value of each side and its place, where the format can tell."""
    a, b = conflict.sides
    places = []
    for side, other in ((a, b), (b, a)):
        file = next(file for file in files if file.name == side.source)
        if (found := file.example(conflict.column, other.type)) is not None:
            places.append(found)
    if not places:
        return conflict
    values = " and ".join(f"{value} at {where}" for where, value in places)
    return DataError(f"{conflict.message}: found {values}", where=places[-1][0], hint=conflict.hint)


def _read(job: Job, files: Sequence[File]) -> None:
    """Read files under their own types; those that turn out to be compressed or in another encoding, decoded."""
    while files:
        results = job.run([file.first() for file in files])
        files = [file for file, result in zip(files, results, strict=True) if not file.take_first(result)]


def _refuse_unused(job: Job, infos: Sequence[FormatInfo]) -> None:
    """Raise ``SpecError`` for what the spec says of files that are not there, most often since it is meant for others."""
    used = {key for info in infos for key in info.options}
    for info in formats().values():
        for key in info.options:
            if key not in used and job.params.get(key) is not None:
                raise SpecError(
                    f"expected {info.name} files, for which {key!r} is, found none",
                    where=f"normalize.{key}",
                    hint="remove it, or see the source",
                )


def _refuse_unknown(files: Sequence[File], options: Options) -> None:
    names = list(dict.fromkeys(name for file in files for piece in file.pieces for name in piece.names))
    unknown = unknown_keys(names, options)
    if unknown:
        option, key = unknown[0]
        near = nearest(key, names, 0.5)
        hint = f"did you mean {shown(near)}?" if near else f"the columns are: {some(names)}"
        if not files:  # media without metadata
            hint = "this is for columns of tables and of metadata files; `transform` changes those of images and audio"
        raise SpecError(
            f"expected a column of the source, found {key!r}", where=f"normalize.{option}", hint=hint
        )
