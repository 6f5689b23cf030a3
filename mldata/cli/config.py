"""``mldata config``: settings of whoever runs mldata, for all their projects."""

from __future__ import annotations

import argparse
import os
from typing import Any

from mldata.cli.base import Arguments, Output, Result
from mldata.config import SETTINGS, Setting, Value, config_file, load_config, setting
from mldata.errors import UsageError

EXAMPLE = """\
  mldata config set segments 8
  mldata config list"""
TAKES = {"get": "NAME", "set": "NAME VALUE", "unset": "NAME", "list": "", "path": ""}
"""What each action takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata config``."""
    width = max(map(len, SETTINGS))
    parser.description = (
        "Show and change settings. Each is taken from the environment (MLDATA_ and its name in capitals, such as\n"
        "MLDATA_HF_ENDPOINT), else from the file, else it is the default. None changes what is built.\n\nsettings:\n"
        + "\n".join(f"  {it.name:<{width}}  {it.about}" for it in SETTINGS.values())
    )
    parser.add_argument(
        "action",
        choices=list(TAKES),
        help="get NAME; set NAME VALUE; unset NAME: the default again; list: all, with where each comes from; path: of the file",
    )
    parser.add_argument("name", nargs="?", default=None, metavar="NAME", help="of a setting")
    parser.add_argument("value", nargs="?", default=None, metavar="VALUE", help="for set")


def run(args: Arguments, output: Output) -> Result:
    """Do one of the actions."""
    given = [word for word in (args.name, args.value) if word is not None]
    if len(given) != len(TAKES[args.action].split()):
        form = f"mldata config {args.action} {TAKES[args.action]}".rstrip()
        raise UsageError(f"expected {form}; found {' '.join(['mldata config', args.action, *given])}",
                         hint="See all settings: mldata config list")  # fmt: skip
    if args.action == "get":
        it = setting(args.name)
        value = load_config().values[it.name]
        return Result(_json(it, value), it.show(value.value))
    if args.action == "set":
        return _set(args.name, args.value)
    if args.action == "unset":
        return _unset(args.name)
    if args.action == "path":
        path = config_file()
        return Result({"path": str(path), "exists": path.exists()}, str(path))
    return _list(output)


def _json(it: Setting, value: Value) -> dict[str, Any]:
    return {"name": it.name, "value": value.value, "origin": value.origin, "default": it.default}


def _list(output: Output) -> Result:
    values = load_config().values
    shown = {name: SETTINGS[name].show(value.value) for name, value in values.items()}
    names, texts = max(map(len, shown)), max(map(len, shown.values()))
    lines = []
    for name, value in values.items():
        line = f"{name:<{names}}  {shown[name]:<{texts}}  {value.origin}"
        lines.append(line if value.origin == "default" else output.paint(line, "1"))
    data = {
        "path": str(config_file()),
        "settings": [_json(SETTINGS[name], it) for name, it in values.items()],
    }
    return Result(data, "\n".join(lines))


def _set(name: str, text: str) -> Result:
    from mldata.configfile import write_entry

    it, path = setting(name), config_file()
    text = text.strip()
    try:
        value = it.read(text)
    except UsageError as error:
        raise UsageError(error.message, where=it.name, hint=error.hint or f"{it.name}: {it.about}") from None
    write_entry(path, it.name, text)
    warnings = []
    if (variable := it.variable_set) is not None:
        warnings.append(
            f"the variable {variable} says {os.environ[variable].strip()}, which counts as long as it is set"
        )
    lines = [f"set {it.name} to {it.show(value)} in {path}", *(f"warning: {warning}" for warning in warnings)]
    return Result(
        {**_json(it, Value(value, str(path))), "path": str(path)}, "\n".join(lines), warnings=warnings
    )


def _unset(name: str) -> Result:
    from mldata.configfile import remove_entry

    path = config_file()
    removed = remove_entry(path, name)  # before the name is judged: it may be one that no setting has
    if not removed:
        setting(name)
    text = f"took {name} out of {path}" if removed else f"{name} is not set in {path}"
    return Result({"name": name, "removed": removed, "path": str(path)}, text)
