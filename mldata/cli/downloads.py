"""Flags that say how to download: shared by the commands that do."""

from __future__ import annotations

import argparse
from typing import Any

from mldata.cli.base import Arguments
from mldata.config import SETTINGS
from mldata.errors import UsageError

__all__ = ["add_download_flags", "download_options"]


def add_download_flags(parser: argparse._ActionsContainer) -> None:
    """``--segments``, ``--limit-rate``, ``--no-resume``."""
    parser.add_argument(
        "--segments",
        default=None,
        metavar="N",
        help="parts of a large file that are downloaded side by side (default: as the spec or your settings say, else 4)",
    )
    parser.add_argument(
        "--limit-rate",
        default=None,
        metavar="SIZE",
        help="bytes a second that downloads may take in all, such as 5MB; or none",
    )
    parser.add_argument(
        "--no-resume",
        action="store_true",
        default=False,
        help="begin every download anew, whatever an earlier run left of it",
    )


def download_options(args: Arguments) -> dict[str, Any]:
    """What the flags say of how to download, by the fields of ``DownloadOptions``. Raises ``UsageError`` for what makes no sense."""
    said = {"segments": args.segments, "limit_rate": args.limit_rate}
    options: dict[str, Any] = {"resume": False} if args.no_resume else {}
    for name, text in said.items():
        if text is not None:
            try:
                options[name] = SETTINGS[name].read(text)
            except UsageError as error:
                error.where = f"--{name.replace('_', '-')}"
                raise
    return options
