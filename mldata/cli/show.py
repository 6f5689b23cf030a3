"""``mldata show``: what a build of a dataset is made of."""

from __future__ import annotations

import argparse

from mldata.cli.base import Arguments, Output, Result, check_dataset, open_project

EXAMPLE = "  mldata show penguins@1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata show``."""
    parser.add_argument("name", metavar="NAME[@BUILD]", help="a dataset, or one build of it (default: the newest)")


def run(args: Arguments, output: Output) -> Result:
    """Print the build record."""
    from mldata.records import build_numbers, parse_name, read_record
    from mldata.reporter import human_size
    from store import Store

    name, number = parse_name(args.name)
    project = open_project()
    with Store.open(project.store_path) as store:
        if not build_numbers(store, name):
            check_dataset(project, name)
        record = read_record(store, name, number)
    lines = [
        f"dataset  {output.paint(f'{name}@{record.number}', '33')}",
        f"built    {record.started}, {record.seconds:.1f} s, on {record.host}, mldata {record.mldata}",
    ]
    for source in record.sources:
        lines.append(f"source   {source['source']}  {source['files']} files, {human_size(source['bytes'])}")
    for stage, facts in record.stages.items():
        versions = ", ".join(f"{library} {version}" for library, version in facts["libraries"].items())
        lines.append(f"\n{stage}  version {facts['version']}{f', {versions}' if versions else ''}")
        lines.append(f"  output  {record.outputs[stage]}")
        if facts.get("rows") is not None:
            lines.append(f"  rows    {facts['rows']:,}")
        for key, value in sorted(facts["facts"].items()):
            lines.append(f"  {key:<7} {_plain(value)}")
    lines += [f"\nwarning: {warning}" for warning in record.warnings]
    return Result(record.to_json(), "\n".join(lines))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
