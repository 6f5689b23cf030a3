"""``mldata info``: what files look like to a build, without building anything; of a source elsewhere, without downloading it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mldata.cli.base import Arguments, Output, Result, check_dataset, open_project
from mldata.cli.online import need_network
from mldata.cli.text import one_line
from mldata.errors import UsageError
from mldata.formats.choose import some
from mldata.litter import litter_text
from mldata.reference import FORM, Reference, is_reference, parse_reference
from mldata.sizes import human_size
from mldata.ways import way_text

if TYPE_CHECKING:
    from mldata.formats.base import Options
    from mldata.preview import Preview
    from mldata.table import Table
    from store import Digest, Store

EXAMPLE = "  mldata info data/penguins.csv --sample 3"
SAMPLE = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata info``."""
    parser.add_argument(
        "source",
        metavar="NAME|SOURCE",
        help="a dataset of the spec (also dataset://NAME#PART), a file, a folder, a glob pattern, or a source elsewhere",
    )
    parser.add_argument(
        "--sample",
        type=int,
        nargs="?",
        const=SAMPLE,
        default=None,
        metavar="N",
        help=f"show the first N rows ({SAMPLE} if N is left out), reading no more than that takes",
    )
    parser.add_argument(
        "--schema",
        action="store_true",
        default=False,
        help="show the columns, reading no more than the beginning of the files",
    )
    parser.add_argument(
        "--format", default=None, metavar="FORMAT", help="read as this format, whatever the files are called"
    )


def run(args: Arguments, output: Output) -> Result:
    """Look at the source, and say what it is."""
    from mldata.formats import formats
    from mldata.formats.base import Options

    sources, root, params, pins = _sources(args.source)
    if args.format is not None and args.format not in formats():
        raise UsageError(f"expected one of {', '.join(formats())}; found {args.format!r}", where="--format")
    if args.sample is not None and args.sample < 1:
        raise UsageError(f"expected at least 1 row, found {args.sample}", where="--sample")
    form = args.format or params.get("format", "auto")
    rows = args.sample if args.sample is not None else 0 if args.schema else None
    looker = Looker(root, Options.from_params(params), form, rows, pins)
    told = [
        looker.look(source, _excluded(params.get("exclude", {}), number, len(sources)))
        for number, source in enumerate(sources)
    ]
    warnings = [warning for one in told for warning in one.warnings]
    for warning in warnings:
        output.note(f"warning: {one_line(warning)}")
    data = {"sources": [one.data for one in told]}
    return Result(data, "\n\n".join(one.text for one in told), warnings=warnings)


class Told(NamedTuple):
    """What is said of one source."""

    data: dict[str, Any]
    text: str
    warnings: Sequence[str]


class Looker:
    """Looks at sources, in the way that each can be looked at."""

    def __init__(
        self, root: Path, options: Options, format: str, rows: int | None, pins: Mapping[str, str]
    ) -> None:
        """``pins``: the revisions that mldata.lock has, by source."""
        self.root, self.options, self.format, self.rows, self.pins = root, options, format, rows, pins

    def look(self, text: str, exclude: Mapping[str, str | None]) -> Told:
        """What is to be said of a source, without the files that the spec leaves out."""
        from mldata.sources import is_remote, open_local, open_remote

        if (reference := parse_reference(text)) is not None:
            return _below(reference, self.rows or 0)
        if self.rows is None and not is_remote(text):
            return _previewed(self._preview(text, exclude), text)
        from mldata.cli.glances import glance_json, glance_text
        from mldata.glance import Wish, glance, glance_local

        wish = Wish(self.options, self.format, self.rows)
        if is_remote(text):
            need_network(f"a look at {text}")
            made = glance(open_remote(text, self.root), wish, self.pins.get(text))
        else:
            made = glance_local(open_local(text, self.root), wish)
        return Told(glance_json(made, text), glance_text(made, text), made.warnings)

    def _preview(self, text: str, exclude: Mapping[str, str | None]) -> Preview:
        import os

        from mldata.preview import preview
        from mldata.sources import open_local

        return preview(open_local(text, self.root), self.options, self.format, os.cpu_count() or 1, exclude)


def _excluded(paths: Mapping[str, str | None], number: int, count: int) -> dict[str, str | None]:
    """What is excluded of one of several sources, by path below it."""
    from mldata.sources.base import folder_of

    folder = f"{folder_of(number, count)}/" if count > 1 else ""
    return {path.removeprefix(folder): digest for path, digest in paths.items() if path.startswith(folder)}


def _previewed(made: Preview, source: str) -> Told:
    return Told(_plain(made, source), _text(made, source), made.warnings)


def _below(reference: Reference, sample: int) -> Told:
    """What the table of another dataset looks like, as it was built last, with so many of its rows."""
    from mldata.build import Session
    from mldata.inputs import referred
    from mldata.preview import Preview
    from mldata.table import Table

    project = open_project()
    check_dataset(project, reference.dataset)
    if reference.part is not None and project.datasets[reference.dataset].split is None:
        raise UsageError(f"{reference.dataset!r} has no split, so no part {reference.part!r}")
    with Session(project) as session:
        made = referred(session.state, reference)
        table = Table.open(session.store, made["table"].output)
        split = made["split"].output if reference.part is not None else None
        first = _first_rows(session.store, table, split, reference.part, sample) if sample else []
    rows = table.rows if reference.part is None else made["split"].facts["parts"][reference.part]
    columns = [(field.name, str(field.type)) for field in table.schema]
    size = sum(fragment.size for fragment in table.fragments)
    preview = Preview(table.kind, len(table.fragments), size, [], rows, columns=columns)
    told = _previewed(preview, str(reference))
    if not first:
        return told
    from mldata.cli.glances import sample_text

    return Told({**told.data, "sample": first}, f"{told.text}\n{sample_text(first)}", told.warnings)


def _first_rows(
    store: Store, table: Table, split: Digest | None, part: str | None, most: int
) -> list[dict[str, Any]]:
    """The first rows of a table, or of a part of it."""
    import pyarrow as pa

    from mldata.assignment import Assignment
    from mldata.partrows import rows_by_part
    from mldata.plainrows import plain_rows

    assignment = Assignment.open(store, split) if split is not None else None
    only = assignment.number(part) if assignment is not None and part is not None else None
    found: list[pa.RecordBatch] = []
    for _, batch in rows_by_part(table, assignment, only=only):
        found.append(batch.slice(0, most))
        most -= found[-1].num_rows
        if not most:
            break
    return plain_rows(pa.Table.from_batches(found, schema=table.schema))


def _sources(text: str) -> tuple[list[str], Path, Mapping[str, Any], Mapping[str, str]]:
    """The sources that are meant, the folder they are in, how the spec reads them, and the revisions that mldata.lock pins."""
    from mldata.download.signed import unsigned
    from mldata.errors import MldataError, UnknownDataset
    from mldata.lockfile import pinned
    from mldata.sources import LOCAL, find_source, known_sources, scheme_of

    here = Path.cwd()
    if is_reference(text) and parse_reference(text) is None:
        raise UsageError(f"expected {FORM}, found {text!r}")
    scheme = scheme_of(text)
    if find_source(scheme) is None:
        known = ", ".join(f"{name}://" for name in known_sources() if name[:1].isalpha())
        raise UsageError(f"expected a path or one of {known}; found {text!r}", where="SOURCE")
    if scheme != LOCAL or any(sign in text for sign in "/\\*?[") or (here / text).exists():
        return [unsigned(text)], here, {}, {}
    try:
        project = open_project()
    except MldataError as error:
        datasets: list[str] = []  # no project to have any, or none that can be read
        beside = error.message
    else:
        if text in project.datasets:
            dataset = project.datasets[text]
            locked = pinned(project, text)
            pins = {pin.source: pin.revision for pin in locked.remote} if locked is not None else {}
            return list(dataset.sources), project.root, dataset.params("normalize"), pins
        datasets = list(project.datasets)
        beside = f"{project.spec_path.name} has: {', '.join(datasets) or 'none yet'}"
    raise UnknownDataset(
        f"expected a file, a folder or a dataset, found none called {text!r}; {beside}",
        hint=_near(text, here, datasets),
    )


def _near(text: str, here: Path, datasets: Sequence[str]) -> str:
    """What may have been meant, of both kinds."""
    import difflib

    files = sorted(path.name for path in here.iterdir())
    near = [f"the dataset {name}" for name in difflib.get_close_matches(text, datasets, 1)]
    near += [f"the path {name}" for name in difflib.get_close_matches(text, files, 2)]
    return f"Did you mean {' or '.join(near)}?" if near else "Say which with a name of the spec, or a path"


def _text(made: Preview, source: str) -> str:
    what = "built    {} fragments of {}" if is_reference(source) else "files    {} {}"
    lines = [
        f"source   {source}",
        f"{what.format(f'{made.files:,}', made.kind)}, {human_size(made.bytes)}",
    ]
    lines += [f"read as  {way_text(way)}" for way in made.read]
    if made.metadata:
        lines.append(f"metadata {some(made.metadata)}")
    if made.skipped:
        lines.append(f"skipped  {len(made.skipped):,}: {some(made.skipped)}")
    if made.excluded:
        lines.append(f"excluded {len(made.excluded):,}: {some(made.excluded)}")
    if made.ignored:
        lines.append(f"ignored  {litter_text(made.ignored)}")
    lines.append(f"rows     {made.rows:,}")
    if made.rejects:
        lines.append(f"rejects  {made.rejects:,}")
    width = max((len(name) for name, _ in made.columns), default=0)
    lines += [f"  {name:<{width}}  {kind}" for name, kind in made.columns]
    return "\n".join(lines)


def _plain(made: Preview, source: str) -> dict[str, Any]:
    return {
        "source": source,
        "kind": made.kind,
        "files": made.files,
        "bytes": made.bytes,
        "metadata": made.metadata,
        "excluded": made.excluded,
        "ignored": dict(sorted(made.ignored.items())),
        "skipped": made.skipped,
        "rows": made.rows,
        "rejects": made.rejects,
        "columns": [{"name": name, "type": kind} for name, kind in made.columns],
        "read": made.read,
    }
