"""``near`` of ``validate.duplicates`` and ``validate.leakage``: what is nearly equal."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["Near"]

LEAST_ALIKE = 0.5
"""Below it most texts of a kind have a pair by chance, and to look for them takes long."""
MOST_BITS = 10
"""Above it hashes of pictures, or recordings, that have nothing to do with each other are near."""


def _alike(raw: Any) -> float | None:
    value = reads.plain(raw)
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not LEAST_ALIKE <= value <= 1:
        values.refuse(
            Fault(f"expected a number from {LEAST_ALIKE} to 1, or false, found {values.shown(raw)}")
        )
    return float(value)


def _bits(raw: Any) -> int | None:
    value = reads.plain(raw)
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_BITS:
        values.refuse(
            Fault(f"expected a whole number from 0 to {MOST_BITS}, or false, found {values.shown(raw)}")
        )
    return value


class Near(Section):
    """How near texts, pictures and recordings are that count as nearly equal, and how many rows may have such."""

    example: ClassVar[str] = "{text: 0.9, images: 4}"

    text: Annotated[float | None, BeforeValidator(_alike)] = 0.9
    """Share of shingles that two texts have in common (Jaccard); ``false``: texts are not compared. 0.9: two texts of 100 characters that differ in a letter, or of
    1,000 that differ in a sentence of 50. A copy with another title or spelling is found; two that a template made and that differ in what matters, mostly not."""
    images: Annotated[int | None, BeforeValidator(_bits)] = 4
    """Bits of 64 in which the perceptual hashes of two pictures may differ; ``false``: pictures are not compared. 4: what scaling and compressing anew do to a
    picture changes 0 to 4 bits; pictures of different things differ in about 32."""
    audio: Annotated[int | None, BeforeValidator(_bits)] = 8
    """Bits of 64 in which the hashes of two recordings may differ; ``false``: recordings are not compared. 8: what lossy encoders do to a recording changes 0 to 8
    bits; different words of one voice differ in 16 or more."""
    columns: values.Columns = Field(default_factory=list)
    """Columns of text that are compared, whatever their values are like. None: all, by values that read like text."""
    most: values.Most | None = None
    """Rows that may be nearly equal to an earlier one. None: any number, and a warning; what is alike need not be wrong."""

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {
            "text": self.text,
            "images": self.images,
            "audio": self.audio,
            "columns": sorted(self.columns),
            "most": self.most,
        }
