"""Flags that say how to download: shared by the commands that do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mldata.cli.base import Arguments, parse_size
from mldata.errors import UsageError

if TYPE_CHECKING:
    from mldata.download.base import DownloadOptions

__all__ = ["add_download_flags", "download_options"]


def add_download_flags(parser: argparse._ActionsContainer) -> None:
    """``--segments``, ``--limit-rate``, ``--no-resume``."""
    parser.add_argument(
        "--segments",
        type=int,
        default=None,
        metavar="N",
        help="parts of a large file that are downloaded side by side (default: 4)",
    )
    parser.add_argument(
        "--limit-rate",
        default=None,
        metavar="SIZE",
        help="bytes a second that downloads may take in all, such as 5MB",
    )
    parser.add_argument(
        "--no-resume",
        action="store_true",
        default=False,
        help="begin every download anew, whatever an earlier run left of it",
    )


def download_options(args: Arguments) -> DownloadOptions:
    """How to download: what the flags say, else the defaults. Raises ``UsageError`` for a flag that makes no sense."""
    from dataclasses import replace

    from mldata.download.base import DownloadOptions

    options = DownloadOptions(resume=not args.no_resume)
    if args.segments is not None:
        if args.segments < 1:
            raise UsageError(f"expected 1 or more, found {args.segments}", where="--segments")
        options = replace(options, segments=args.segments)
    if args.limit_rate is not None:
        rate = parse_size(args.limit_rate)
        if rate < 1:
            raise UsageError(
                f"expected 1 byte a second or more, found {args.limit_rate!r}", where="--limit-rate"
            )
        options = replace(options, limit_rate=rate)
    return options
