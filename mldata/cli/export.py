"""``mldata export``: a kept build as files in a folder."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, add_jobs, check_jobs, open_kept, open_project
from mldata.errors import UsageError
from mldata.sizes import human_size

if TYPE_CHECKING:
    from mldata.manifest import Manifest

EXAMPLE = "  mldata export penguins@1 -o penguins-1 --formats csv,parquet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata export``."""
    parser.description = (
        "Write a kept build to a folder: the files as they were exported then, manifest included, or other formats made of its table "
        "and split. The folder may be new, empty, or hold an earlier export, which is replaced."
    )
    parser.add_argument(
        "name", metavar="NAME[@BUILD]", help="a dataset, or one build of it (default: the newest)"
    )
    parser.add_argument("-o", "--output", metavar="DIR", default=None, help="the folder (needed)")
    parser.add_argument(
        "--formats",
        metavar="FORMAT,...",
        default=None,
        help="such as csv,parquet (default: as the build was exported, else parquet)",
    )
    parser.add_argument(
        "--compression",
        metavar="CODEC[:LEVEL]",
        default=None,
        help="such as zstd:19 or none (default: as the build was exported, else zstd)",
    )
    add_jobs(parser)


def run(args: Arguments, output: Output) -> Result:
    """Make what is missing, and put the files in place."""
    if not args.output:
        raise UsageError(
            "expected a folder to write to", hint=f"For example: mldata export {args.name} -o DIR"
        )
    check_jobs(args)
    from mldata.executor import ThreadExecutor
    from mldata.exportfolder import check_place, earlier_files
    from mldata.exporting import export_tree
    from mldata.manifest import read_manifest

    project = open_project()
    folder = Path(os.path.abspath(args.output))
    check_place(project, folder)
    formats = None if args.formats is None else [name.strip() for name in args.formats.split(",")]
    reporter = output.reporter()
    try:
        with open_kept(project, args.name) as kept:
            made = export_tree(
                kept,
                formats,
                args.compression,
                salt=project.salt,
                executor=ThreadExecutor(args.jobs),
                reporter=reporter,
            )
            files = dict(kept.store.walk(made.digest))
            previous = earlier_files(folder, files)
            done = kept.store.materialize(made.digest, folder, link=project.link, previous=previous)
            manifest = read_manifest(kept.store.path(files["manifest.yaml"].digest))
    finally:
        reporter.close()
    data = {
        "dataset": kept.record.dataset,
        "build": kept.record.number,
        "folder": str(folder),
        "output": made.digest,
        "files": _files(manifest),
        "failed": [],
    }
    left = [f"{path} was left as it is: {why}" for path, why in done.skipped]
    for warning in left:
        output.note(f"warning: {warning}")
    return Result(data, _text(manifest, kept.name, args.output), warnings=[*made.warnings, *left])


def _files(manifest: Manifest) -> list[dict[str, Any]]:
    return [
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


def _text(manifest: Manifest, name: str, folder: str) -> str:
    """A line a file; media files, of which there may be many, as one."""
    lines = [
        f"{file.path}  {file.rows or 0:,} rows, {human_size(file.size)}"
        for file in manifest.files
        if file.format != "media"
    ]
    media = [file.size for file in manifest.files if file.format == "media"]
    if media:
        lines.append(f"{len(media):,} media files, {human_size(sum(media))}")
    return "\n".join([*lines, f"{name} -> {folder}"])
