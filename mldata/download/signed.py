"""Addresses with a signature or a token in them, as a command is given them: used as they are, and kept nowhere.

What is written down of a source (receipts, the lock, the store's index) is its text, so the text that goes on is without the secret; the whole
address stays in this process, for whoever asks the server.
"""

from __future__ import annotations

import re

from mldata.download.addresses import has_secret, public

__all__ = ["signed", "unsigned"]

_WEB = re.compile(r"(index\+)?https?://", re.IGNORECASE)
_whole: dict[str, str] = {}
"""Addresses by what may be shown of them."""


def unsigned(text: str) -> str:
    """The text of a source without the secret of its address, which :func:`signed` gives back; other texts as they are."""
    found = _WEB.match(text)
    url, mark, fragment = text.partition("#")
    if found is None or not has_secret(url):
        return text
    prefix = len(found[1] or "")
    _whole[public(url[prefix:])] = url[prefix:]
    return text[:prefix] + public(url[prefix:]) + mark + fragment


def signed(url: str) -> str:
    """The whole address, if it was given with a secret to this process; else ``url``."""
    return url if has_secret(url) else _whole.get(public(url), url)
