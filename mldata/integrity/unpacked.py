"""A table without what is around it: compression, and an encoding that is not UTF-8.

The decoded content lies in a temporary file without a name, so that memory is bounded and nothing is left behind however the process ends.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mldata.formats.base import SourceFile
from mldata.formats.layers import MOST
from mldata.formats.recode import COMPRESSIONS
from mldata.integrity.base import Found, Problem, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.members import Broken, members

__all__ = ["Unpacked", "first", "last", "source_of", "spooled", "unpacked"]


@dataclass
class Unpacked:
    """What is inside of a file."""

    content: Content
    problems: list[Problem] = field(default_factory=list)
    """Of what is around it."""
    layers: Sequence[str] = ()
    """Compressions, the outer one first."""

    def found(self, decoder: str, problems: Iterable[Problem], facts: Mapping[str, Any]) -> Found:
        """What is wrong around and inside of it. Offsets inside of a compressed file are none of the file: they are left out."""
        inner = [replace(one, offset=None) for one in problems] if self.layers else list(problems)
        packed = {"compression": " in ".join(reversed(self.layers))} if self.layers else {}
        return Found(decoder, [*self.problems, *inner], {**packed, **facts})


@contextmanager
def unpacked(content: Content) -> Iterator[Unpacked]:
    """The content without compression, as its first bytes tell it.

    Raises:
        Broken: a compressed stream is damaged, holds nothing, or far too much.
        Unsupported: there is no room to unpack it.
    """
    with ExitStack() as held:
        inside = Unpacked(content)
        layers: list[str] = []
        while (how := _compression(first(inside.content))) is not None:
            if len(layers) == MOST:
                reason = f"expected at most {MOST} layers of compression, found more"
                raise Broken(Problem("too-many-layers", reason))
            layers.append(how)
            outer = inside.content
            spool = held.enter_context(spooled(members(outer.file, how, outer.size, inside.problems)))
            inside.content = spool
            if not spool.size:
                raise Broken(Problem("empty", f"expected data, found nothing inside ({how})"))
        inside.layers = tuple(layers)
        yield inside


@contextmanager
def spooled(pieces: Iterable[bytes]) -> Iterator[Content]:
    """Pieces of bytes as a content. Raises ``Unsupported`` if there is no room for them."""
    with tempfile.TemporaryFile(prefix="mldata-") as out:
        try:
            for piece in pieces:
                out.write(piece)
            out.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise Unsupported(
                "expected room in the folder for temporary files to unpack it (TMPDIR), found none"
            ) from None
        with Content(os.dup(out.fileno())) as content:
            yield content


def first(content: Content, size: int = 4096) -> bytes:
    """The first bytes of a content, which may be larger than there is room to map."""
    content.file.seek(0)
    return content.file.read(size)


def last(content: Content, size: int) -> bytes:
    """The last bytes of a content."""
    content.file.seek(max(0, content.size - size))
    return content.file.read(size)


def source_of(content: Content) -> SourceFile:
    """A content as the formats take it."""
    name = content.file.name
    path = Path(f"/dev/fd/{name}") if isinstance(name, int) else Path(os.fsdecode(name))
    return SourceFile("the file", path, "", content.size)


def _compression(head: bytes) -> str | None:
    return next((how for how, magic in COMPRESSIONS.items() if head.startswith(magic)), None)
