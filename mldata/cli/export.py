"""``mldata export``: a kept build, or data that no spec names, as files in a folder."""

from __future__ import annotations

import argparse
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.cli.base import (
    Arguments,
    Output,
    Result,
    add_jobs,
    check_jobs,
    open_kept,
    open_project,
)
from mldata.cli.flags import FLAGS, add_export_flags, export_section
from mldata.errors import EXIT_BUILD, EXIT_OK, BuildError, UsageError
from mldata.sizes import human_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mldata.exporting import ExportTree
    from mldata.keptbuild import KeptBuild
    from mldata.manifest import Manifest
    from mldata.project import Project
    from mldata.reporter import Reporter
    from mldata.tracking.base import Tracked
    from store import Materialized

EXAMPLE = """\
  mldata export penguins@1 -o penguins-1 --formats csv,parquet
  mldata export 'data/*.csv' -o clean --formats parquet,csv.gz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata export``."""
    parser.description = (
        "Write a kept build to a folder: the files as they were exported then, manifest included, or other formats made of its table\n"
        "and split. Or what no spec names: a file, a folder, an earlier export or a source elsewhere, by its own parts where it has them.\n"
        "The folder may be new, empty, or hold an earlier export, which is replaced."
    )
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME[@BUILD]|PATH",
        help="a dataset, or one build of it (default: the newest); or paths or URIs, whose rows become one table",
    )
    parser.add_argument("-o", "--output", metavar="DIR", default=None, help="the folder (needed)")
    add_export_flags(parser, said="as the build was exported, else parquet")
    parser.add_argument(
        "--force",
        action="store_true",
        default=False,
        help="replace files that are in the way and of no export, or edited since; others stay",
    )
    add_jobs(parser)


def run(args: Arguments, output: Output) -> Result:
    """Make what is missing, and put the files in place."""
    if not args.output:
        raise UsageError(
            "expected a folder to write to",
            hint=f"For example: mldata export {shlex.join(args.names[:1])} -o DIR",
        )
    check_jobs(args)
    from mldata.project import surrounding
    from mldata.subjects import is_place

    base = surrounding(Path.cwd())
    if all(is_place(name, base) for name in args.names):
        return _place(args, output, base)
    if len(args.names) > 1:
        raise UsageError(
            f"expected one dataset for {args.output}, or nothing but paths; found {' and '.join(args.names)}",
            hint="Export each dataset into a folder of its own.",
        )
    return _kept(args, output, open_project())


def _kept(args: Arguments, output: Output, project: Project) -> Result:
    """Export a build that the store keeps."""
    from mldata.exportfolder import check_place

    folder = Path(os.path.abspath(args.output))
    check_place(project, folder)
    reporter = output.reporter()
    begun = time.monotonic()
    try:
        with open_kept(project, args.names[0]) as kept:
            made, done, manifest, tracked = _write_kept(args, kept, project, folder, reporter)
            title, number = kept.name, kept.record.number
    finally:
        reporter.close()
    left = [f"{path} was left as it is: {why}" for path, why in done.skipped]
    told = [warning for it in tracked.values() for warning in it.warnings]
    for warning in (*left, *told):
        output.note(f"warning: {warning}")
    data = {
        "dataset": kept.record.dataset,
        "build": number,
        "folder": str(folder),
        "output": made.digest,
        **_data(manifest, made.failed, tracked),
    }
    text = _text(manifest, title, args.output, time.monotonic() - begun, made.facts, tracked.values())
    errors = _errors(made.failed)
    return Result(
        data, text, EXIT_BUILD if errors else EXIT_OK, errors, warnings=[*made.warnings, *left, *told]
    )


def _write_kept(
    args: Arguments, kept: KeptBuild, project: Project, folder: Path, reporter: Reporter
) -> tuple[ExportTree, Materialized, Manifest, dict[str, Tracked]]:
    """The export of a build, put in place and made known to those that track it. Nothing is written before all is known to be right."""
    from mldata.executor import ThreadExecutor
    from mldata.exportfolder import earlier_files
    from mldata.exporting import export_params, export_tree
    from mldata.exportroom import check_room
    from mldata.manifest import read_manifest
    from mldata.tracking import load_tracker
    from mldata.tracking.base import Place, Published

    section = export_section(args)
    params, settings = export_params(kept, section, FLAGS) if section else (None, {})
    places = {name: Place(folder, said, force=args.force) for name, said in settings.items()}
    for name, place in places.items():
        load_tracker(name).check(place)
    executor = ThreadExecutor(args.jobs)
    made = export_tree(kept, params, salt=project.salt, executor=executor, reporter=reporter, partial=True)
    files = dict(kept.store.walk(made.digest))
    previous = earlier_files(folder, files, force=args.force)
    check_room(kept.store, made.digest, folder, project.link)
    done = kept.store.materialize(made.digest, folder, link=project.link, previous=previous)
    manifest = read_manifest(kept.store.path(files["manifest.yaml"].digest))
    tracked = {
        name: load_tracker(name).track(Published(place, kept.store, made.digest))
        for name, place in places.items()
    }
    return made, done, manifest, tracked


def _place(args: Arguments, output: Output, base: Project | None) -> Result:
    """Export what no spec names."""
    from mldata.buildoptions import Options
    from mldata.manifest import read_manifest
    from mldata.placeexports import export_place

    section = export_section(args)
    begun = time.monotonic()
    session, name = export_place(
        args.names,
        args.output,
        section,
        base,
        Options(jobs=args.jobs, partial=True, overwrite=args.force),
        output.reporter(),
        FLAGS,
        force=args.force,
    )
    report = session.reports[name]["export"]
    manifest = read_manifest(session.state.export_dir(name) / "manifest.yaml")
    tracked, failed = session.tracked.get(name, {}), session.failed.get(name, [])
    data = {
        "dataset": name,
        "folder": str(session.state.export_dir(name)),
        "output": report.output,
        **_data(manifest, failed, tracked),
    }
    text = _text(
        manifest,
        shlex.join(args.names),
        args.output,
        time.monotonic() - begun,
        report.facts,
        tracked.values(),
    )
    errors = _errors(failed)
    code = EXIT_BUILD if errors else EXIT_OK
    return Result(data, text, code, errors, warnings=session.warnings.get(name, []))


def _data(
    manifest: Manifest, failed: list[Mapping[str, str]], tracked: Mapping[str, Tracked]
) -> dict[str, Any]:
    files = [
        {
            "path": file.path,
            "format": file.format,
            "split": file.part,
            "rows": file.rows,
            "size": file.size,
            "digest": file.blake3,
            "sha256": file.sha256,
        }
        for file in manifest.files
    ]
    return {"files": files, "failed": failed, **{name: dict(it.facts) for name, it in tracked.items()}}


def _errors(failed: list[Mapping[str, str]]) -> list[Exception]:
    return [BuildError(f"{it['format']} was not written: {it['error']}") for it in failed]


def _text(
    manifest: Manifest,
    name: str,
    folder: str,
    seconds: float,
    facts: Mapping[str, Any],
    tracked: Iterable[Tracked],
) -> str:
    """A line a file; media files, of which there may be many, as one. Then what it comes to, and what to do next."""
    lines = [
        f"{file.path}  {f'{file.rows:,} rows, ' if file.rows is not None else ''}{human_size(file.size)}"
        for file in manifest.files
        if file.format != "media"
    ]
    media = [file.size for file in manifest.files if file.format == "media"]
    if media:
        lines.append(f"{len(media):,} media files, {human_size(sum(media))}")
    size = sum(file.size for file in manifest.files)
    count = len(manifest.files)
    speed = f" ({human_size(int(size / seconds))}/s)" if seconds > 0.1 else ""
    lines.append(
        f"{name} -> {folder}: {count:,} file{'s'[: count != 1]}, {human_size(size)} in {seconds:.1f} s{speed}"
    )
    for it in tracked:
        lines += ["", *it.lines]
    for framework, snippet in facts.get("snippets", {}).items():
        lines += ["", f"{framework}:", *(f"  {line}".rstrip() for line in snippet.splitlines())]
    return "\n".join(lines)
