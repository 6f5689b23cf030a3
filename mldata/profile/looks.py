"""What texts look like, and their words, of a sample of them.

What a text looks like is its form, not whether it is one: 2024-02-31 looks like a date. At most one look each, the first that fits of those below. Spaces around it do not count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from mldata.profile.summary import Frequent

__all__ = ["LOOKS", "looks_of", "words_of"]

_DATE = r"(?:\d{4}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.]\d{4})"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
LOOKS = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",  # RFC 9562
    "datetime": rf"{_DATE}[t ]{_TIME} ?(?:z|[+-]\d{{2}}:?\d{{2}})?",  # RFC 3339, and as people write it
    "date": _DATE,
    "number": r"[+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?",
    "boolean": r"true|false|yes|no|t|f|y|n",
    "url": r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+",  # RFC 3986
    "email": r"[^@\s/:]+@[^@\s/:]+\.[^@\s/:.]+",
    "path": r"(?:[a-z]:[\\/]|~?/|\.{1,2}/)(?:[^\s/\\]+[\\/])*[^\s/\\]*|(?:[\w.-]+/)+[\w.-]*\.[a-z][a-z0-9]{0,7}",
}
"""Of a text in lower case."""
_LOOKS = re.compile("|".join(f"(?P<{name}>{look})" for name, look in LOOKS.items()), re.ASCII)
_WORD = re.compile(r"\w+")
WORDS = 10_000
"""Words that are kept."""


def looks_of(texts: Counter[str]) -> dict[str, int]:
    """How many of some texts have each look, in the order of the names; looks that none has are left out."""
    found: Counter[str] = Counter()
    for text, count in texts.items():
        bare = text.strip().lower()
        fit = _LOOKS.fullmatch(bare) if bare else None
        if fit is not None and fit.lastgroup is not None:
            found[fit.lastgroup] += count
    return dict(sorted(found.items()))


def words_of(texts: Counter[str]) -> Frequent:
    """Words in lower case, the most frequent first; equal counts by word."""
    found: Counter[str] = Counter()
    once = [text for text, count in texts.items() if count == 1]
    found.update(_WORD.findall("\n".join(once).lower()))
    for text, count in texts.items():
        if count > 1:
            for word in _WORD.findall(text.lower()):
                found[word] += count
    told = sorted(found.items(), key=lambda it: (-it[1], it[0]))
    if len(told) <= WORDS:
        return Frequent(tuple(told))
    rest: Sequence[tuple[str, int]] = told[WORDS:]
    return Frequent(tuple(told[:WORDS]), sum(count for _, count in rest), rest[0][1], complete=False)
