"""How values, shares and counts are told. A module of its own: a profile, which checks nothing, tells of them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SHOWN_CHARACTERS", "percent", "shown", "text_of"]

SHOWN_CHARACTERS = 60
_INSIDE = 20
"""How much of a list or struct is put into words before it is shortened."""


def percent(count: int, total: int) -> str:
    """``3.2%``: a share for people."""
    share = 100 * count / total if total else 0.0
    if 0 < share < 0.1:
        return "<0.1%"
    return "100%" if count == total and total else f"{min(share, 99.9):.1f}%".replace(".0%", "%")


def shown(scalar: pa.Scalar) -> str:
    """A value as people read it, shortened: text and bytes in quotes."""
    text = _words(scalar)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


def text_of(scalar: pa.Scalar) -> str:
    """The text of a string that is not null; what is no UTF-8 in it is told by replacement characters."""
    return bytes(scalar.as_buffer()).decode("utf-8", "replace")


def _words(scalar: pa.Scalar) -> str:
    import pyarrow as pa
    import pyarrow.types as pt

    kind = scalar.type
    if not scalar.is_valid:
        return "null"
    if pt.is_struct(kind):
        named = [f"{kind.field(n).name}: {_words(scalar[n])}" for n in range(min(kind.num_fields, _INSIDE))]
        return f"{{{', '.join(named)}}}"
    if pt.is_nested(kind):
        return f"[{', '.join(_words(item) for item in scalar.values.slice(0, _INSIDE))}]"
    if pt.is_dictionary(kind) or isinstance(scalar, pa.ExtensionScalar):
        return _words(scalar.value)
    if pt.is_temporal(kind):
        # Arrow's own words: what Python makes of nanoseconds depends on whether pandas is there, and ``pa.array`` would load it.
        return str(pa.repeat(scalar, 1)).strip("[] \n")
    if pt.is_string(kind) or pt.is_large_string(kind):
        return repr(text_of(scalar))
    value = scalar.as_py()
    return repr(value) if isinstance(value, str | bytes) else str(value)
