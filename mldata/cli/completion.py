"""``mldata completion``: a completion script for bash, zsh or tcsh."""

from __future__ import annotations

import argparse

from mldata.cli.base import COMMANDS, Arguments, Output, Result, common_options, load_command

EXAMPLE = '  eval "$(mldata completion bash)"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``mldata completion``."""
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"], help="which shell")


def run(args: Arguments, output: Output) -> Result:
    """Print the script."""
    import shtab

    script = shtab.complete(whole_parser(), shell=args.shell)
    return Result({"shell": args.shell, "script": script}, script)


def whole_parser() -> argparse.ArgumentParser:
    """One parser with every command: slow to make, and only needed here and in tests."""
    parser = argparse.ArgumentParser(prog="mldata", parents=[common_options()])
    commands = parser.add_subparsers(dest="command")
    for name, about in COMMANDS.items():
        module = load_command(name)
        module.add_arguments(commands.add_parser(name, help=about, parents=[common_options()]))
    return parser
