"""``mldata show``: what a build of a dataset is made of."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldata.cli.base import Arguments, Output, Result, check_dataset, open_project
from mldata.litter import litter_text
from mldata.partnames import part_order
from mldata.pin import Pin
from mldata.sizes import human_size
from mldata.skipped import skipped_text
from mldata.ways import way_text

if TYPE_CHECKING:
    from mldata.records import BuildRecord
    from store import Store

EXAMPLE = "  mldata show penguins@1"
LABELS = 8
"""How many labels are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata show``."""
    parser.add_argument(
        "name", metavar="NAME[@BUILD]", help="a dataset, or one build of it (default: the newest)"
    )
    parser.add_argument(
        "--rejects",
        action="store_true",
        default=False,
        help="list the rows that could not be read and were put aside",
    )


def run(args: Arguments, output: Output) -> Result:
    """Print the build record."""
    from mldata.records import build_numbers, parse_name, read_record
    from store import Store

    name, number = parse_name(args.name)
    project = open_project()
    with Store.open(project.store_path) as store:
        if not build_numbers(store, name):
            check_dataset(project, name)
        record = read_record(store, name, number)
        if args.rejects:
            return _rejects(store, record)
    lines = [
        f"dataset  {output.paint(f'{name}@{record.number}', '33')}",
        f"built    {record.started}, {record.seconds:.1f} s, on {record.host}, mldata {record.mldata}",
    ]
    for source in record.sources:
        named = source["source"] if isinstance(source["source"], str) else ", ".join(source["source"])
        files = f"{source['files']} files, {human_size(source['bytes'])}" if source["files"] else ""
        lines.append(f"source   {named}  {files}".rstrip())
    for stage, facts in record.stages.items():
        versions = ", ".join(f"{library} {version}" for library, version in facts["libraries"].items())
        lines.append(f"\n{stage}  version {facts['version']}{f', {versions}' if versions else ''}")
        lines.append(f"  output  {record.outputs[stage]}")
        if facts.get("rows") is not None:
            lines.append(f"  rows    {facts['rows']:,}")
        lines += [
            f"  code    {path}  {digest[:12]}" for path, digest in facts["params"].get("code", {}).items()
        ]
        lines += _facts(facts)
    lines += [f"\nwarning: {warning}" for warning in record.warnings]
    return Result(record.to_json(), "\n".join(lines))


def _facts(stage: Mapping[str, Any]) -> list[str]:
    """A line for each small fact; parts in the order of the spec, files one a line."""
    lines = []
    for key, value in sorted(stage["facts"].items()):
        if key == "parts":
            order = [name for name, _ in stage["params"].get("parts", [])] or sorted(value, key=part_order)
            lines.append(
                "  parts   " + ", ".join(f"{name} {value[name]:,}" for name in order if name in value)
            )
        elif key == "files" and isinstance(value, list):
            for file in value:
                rows = "" if file.get("rows") is None else f"{file['rows']:,} rows, "
                lines.append(f"  file    {file['path']}  {rows}{human_size(file['size'])}")
        elif key == "steps":
            for number, step in enumerate(value, 1):
                lines.append(
                    f"  step {number}  {step['step']}  {step['rows_in']:,} -> {step['rows_out']:,} rows"
                )
        elif key in ("skipped", "excluded"):
            if value["count"]:
                lines.append(f"  {key} {value['count']:,}: {skipped_text(value)}")
        elif key == "labels":
            lines.append(f"  labels  {_labels(value)}")
        elif key == "metadata":
            lines.append(f"  metadata {_metadata(value)}")
        elif key == "turned":
            lines.append(f"  turned  {value:,} (EXIF orientation other than 1)")
        elif key == "ignored":
            lines.append(f"  ignored {litter_text(value)}")
        elif key == "remote":
            for pin in map(Pin.from_json, value.values()):
                said = [f"{name} {text}" for name, text in pin.facts.items() if isinstance(text, str | int)]
                lines.append(f"  pinned  {pin.source} at {', '.join([pin.revision, *said])}")
        elif key == "read":
            lines += [f"  read    {way_text(way)}" for way in value]
        elif key == "rejects":
            lines.append(f"  rejects {value['count']:,}")
        elif key == "starts":
            lines += [f"  starts  {name} {start}" for name, start in value.items()]
        elif key == "checks":
            lines += [f"  check   {name}: {summary}" for name, summary in value]
        elif key == "passed":
            lines.append(f"  verdict {'passed' if value else 'failed'}")
        elif key in ("failed", "first"):
            continue  # told by the checks
        elif key == "datasets" and isinstance(value, dict):
            found = (f"{name} {digest}" for made in value.values() for name, digest in sorted(made.items()))
            lines += [f"  below   {made}" for made in found]
        elif key == "raw" and value is None:
            pass  # all sources are datasets
        elif key == "bytes":
            lines.append(f"  bytes   {value:,}")
        else:
            lines.append(f"  {key:<7} {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return lines


def _labels(fact: Mapping[str, Any]) -> str:
    named = ", ".join(fact["names"][:LABELS]) + (", ..." if fact["count"] > LABELS else "")
    bare = f"; {_number(fact['without'], 'file')} without one" if fact["without"] else ""
    return f"{fact['count']:,}: {named}{bare}"


def _metadata(fact: Mapping[str, Any]) -> str:
    bare = f"; {_number(fact['without'], 'media file')} without" if "without" in fact else ""
    instead = f"; {' and '.join(fact['instead'])} not from folders" if "instead" in fact else ""
    return f"{_number(fact['columns'], 'column')} of {_number(fact['files'], 'file')}{instead}{bare}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s'[: count != 1]}"


def _rejects(store: Store, record: BuildRecord) -> Result:
    """A line for each row that was put aside."""
    import pyarrow.parquet as pq

    from mldata.errors import Where
    from mldata.table import Table

    table = Table.open(store, record.outputs["normalize"])
    rows: list[dict[str, Any]] = []
    if table.rejects is not None:
        with store.open_object(table.rejects) as file:
            rows = pq.read_table(file).to_pylist()
    for row in rows:
        row["record"] = row["record"].decode(errors="backslashreplace")
    lines = [
        f"{Where(row['file'], row['line'], row.get('column'))}: {row['reason']}: {row['record']!r}"
        for row in rows
    ]
    return Result({"rejects": rows}, "\n".join(lines or ["no row was put aside"]))
