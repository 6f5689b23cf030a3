"""PNG (W3C PNG, third edition), still and animated: chunks and checksums, then every frame by Pillow.

A wrong checksum of a critical chunk makes a file corrupt; one of any other chunk (text, a colour profile) makes it suspect, for its pixels are what they were.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mldata.integrity.base import ERROR, WARNING, Found, Problem, Unsupported
from mldata.integrity.pixels import decode, found
from mldata.integrity.pngwalk import walk

if TYPE_CHECKING:
    from mldata.integrity.content import Content

__all__ = ["Png"]

_TEXT = re.compile("MAX_TEXT|too large")


class Png:
    """Checks PNG files."""

    def check(self, content: Content) -> Found:
        """Structure and pixels."""
        seen = walk(content.data)
        if seen.apple:
            raise Unsupported("it is a PNG of Apple's phones (CgBI), which decoders of PNG do not read")
        header = seen.header
        facts = {} if header is None else {"width": header.width, "height": header.height}
        if any(it.severity == ERROR for it in seen.problems):
            return found(seen.problems, facts)
        decoded = decode(content, "PNG")
        decoded.problems = [
            Problem(
                "large-text", "expected at most 1 MiB of text, found more: Pillow does not open it", WARNING
            )
            if it.code == "undecodable" and _TEXT.search(it.message)
            else it
            for it in decoded.problems
        ]
        decoded.facts = facts | decoded.facts
        return decoded.found(seen.problems)
