"""What the checkers of binary tables have in common: decoding by Arrow, whose errors become problems without a path in them.

Invariant: what Arrow has no decoder for is :class:`~mldata.integrity.base.Unsupported`, and want of memory stays an error of its own; anything else that it raises is damage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from mldata.errors import DataError
from mldata.formats.base import SourceFile
from mldata.formats.streamed import DAMAGE
from mldata.integrity.base import ERROR, Found, Problem, Unsupported
from mldata.integrity.content import Content
from mldata.integrity.members import Broken
from mldata.integrity.unpacked import source_of, unpacked

__all__ = ["Columnar", "Look"]

TOLD = 10
"""Damaged parts that are told one by one."""
_FOOTER_CODES = (
    ("start with", "bad-signature"),
    ("is it truncated", "truncated"),
    ("not inside the file", "bad-offset"),
    ("two in one", "trailing-data"),
)
_MOST_SAID = 300
_SIZE = re.compile(r"size (\d+)")
ABSURD = 1 << 40
"""So many bytes at once are damage on any machine; fewer may be too many for this one."""


@dataclass
class Look:
    """What is found while one file is looked at."""

    source: SourceFile
    kind: str
    """What it should be, for messages: ``Parquet file``."""
    problems: list[Problem] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def tell(self, code: str, message: str, severity: str = ERROR, row_group: int | None = None) -> None:
        """Note a problem."""
        self.problems.append(Problem(code, message, severity, row_group=row_group))

    @property
    def enough(self) -> bool:
        """Whether no more needs to be looked at."""
        return len(self.problems) >= TOLD

    @contextmanager
    def part(self, code: str, what: str, row_group: int | None = None) -> Iterator[None]:
        """Note the damage that Arrow finds in a part."""
        try:
            yield
        except pa.ArrowMemoryError as error:
            wanted = _SIZE.search(str(error))
            if wanted is None or int(wanted[1]) < ABSURD:
                raise
            said = f"expected {what}, found a size of {int(wanted[1]):,} bytes, which no memory holds"
            self.tell("too-large", said, row_group=row_group)
        except pa.ArrowNotImplementedError as error:
            raise Unsupported(
                f"expected a {self.kind} that Arrow decodes, found one that it does not: {self._said(error)}"
            ) from None
        except DAMAGE as error:
            self.tell(code, f"expected {what}, found damage: {self._said(error)}", row_group=row_group)

    def _said(self, error: BaseException) -> str:
        lines = str(error).replace(str(self.source.path), "the file").strip().splitlines()
        return (lines[0] if lines else type(error).__name__)[:_MOST_SAID]


class Columnar:
    """A checker of binary tables; what is left to a subclass is to look at one."""

    kind: str

    def check(self, content: Content) -> Found:
        """See :class:`~mldata.integrity.base.Checker`."""
        decoder = f"pyarrow {pa.__version__}"
        try:
            with unpacked(content) as inside:
                look = Look(source_of(inside.content), self.kind)
                try:
                    with look.part("bad-footer", f"a sound {self.kind}"):
                        self.look(inside.content, look)
                except DataError as error:
                    if "encrypted" in error.message:
                        raise Unsupported(
                            f"expected a {self.kind} in the clear, found an encrypted one"
                        ) from None
                    if "in another file" in error.message:
                        raise Unsupported(
                            f"expected a {self.kind} with its own data, found one that is in other files"
                        ) from None
                    code = next((code for word, code in _FOOTER_CODES if word in error.message), "bad-footer")
                    look.tell(code, error.message)
                return inside.found(decoder, look.problems, look.facts)
        except Broken as broken:
            return Found(decoder, [broken.problem])

    def look(self, content: Content, look: Look) -> None:
        """Read all of it. May raise ``DataError``, and whatever Arrow raises for damage."""
        raise NotImplementedError
