"""What the HTTP libraries write to Python's logs, for programs that turn those on: no secret may be in it.

``httpx`` logs each address with all its parameters, keys and signatures among them; ``hpack`` and ``httpcore`` log every header when all is
logged. Invariant: such addresses are shown as :func:`mldata.download.addresses.public` has them, and such headers are not logged unless somebody
has set a level for just these libraries.
"""

from __future__ import annotations

import logging

from mldata.download.addresses import public

__all__ = ["keep_secrets_out"]

WIRE = ("hpack", "httpcore")


class _Public(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        import httpx

        if isinstance(record.args, tuple):
            record.args = tuple(public(str(it)) if isinstance(it, httpx.URL) else it for it in record.args)
        return True


_PUBLIC = _Public()


def keep_secrets_out() -> None:
    """Do what this module says; doing it again changes nothing."""
    logging.getLogger("httpx").addFilter(_PUBLIC)
    for name in WIRE:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
