"""How each kind of value below ``transform:`` is checked; see :mod:`mldata.specvalues`, whose protocol this follows."""

from __future__ import annotations

import keyword
import math
import posixpath
import re
from typing import Any

from mldata import specvalues as values
from mldata.errors import UsageError
from mldata.quantities import parse_size
from mldata.specvalues import Fault
from mldata.yamltree import Scalar

EXAMPLE = 'for example clean.py:clean, or {filter: "age >= 18"}'
SCOPES = ("fragment", "table")
MAX_SEED = 2**64 - 1
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def function(raw: Any) -> str:
    """``file.py:name``, the file relative to the project and inside it."""
    text = values.as_text(raw)
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier() or keyword.iskeyword(name):
        values.refuse(Fault(f"expected file.py:function, found {values.shown(text)}", EXAMPLE))
    clean = posixpath.normpath(path.replace("\\", "/"))
    if posixpath.isabs(clean) or re.match(r"[A-Za-z]:|~", clean) or clean.split("/")[0] == "..":
        hint = "copy the file into the folder of mldata.yaml: the project then has all that it is built from"
        values.refuse(Fault(f"expected a file inside the project folder, found {path!r}", hint))
    if re.search("[\x00-\x1f\x7f]", clean) or posixpath.basename(clean) == ".py":
        values.refuse(Fault(f"expected a path, found {path!r}"))
    return f"{clean}:{name}"


def scope(raw: Any) -> str:
    """``fragment`` or ``table``."""
    text = values.as_text(raw)
    if text not in SCOPES:
        hint = values.did_you_mean(text, SCOPES)
        values.refuse(Fault(f"expected one of {', '.join(SCOPES)}; found {values.shown(raw)}", hint))
    return text


def timeout(raw: Any) -> float | None:
    """Seconds; None: no limit."""
    text = values.as_written(raw) if isinstance(raw, Scalar | str) else str(raw)
    if text.lower() == "none":
        return None
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2] or "s"] if found else 0.0
    if not 0 < seconds < 1e9:
        values.refuse(
            Fault(f"expected seconds, a time such as 90s, 10m or 2h, or none; found {values.shown(raw)}")
        )
    return seconds


def memory(raw: Any) -> int | None:
    """Bytes; None: no limit."""
    text = values.as_written(raw) if isinstance(raw, Scalar | str) else str(raw)
    if text.lower() == "none":
        return None
    try:
        size = parse_size(text) if text.lower().endswith("b") else 0  # of what, a bare number does not say
    except UsageError:
        size = 0
    if size == 0:
        values.refuse(
            Fault(f"expected a size such as 512MB, 2GB or 4GiB, or none; found {values.shown(raw)}")
        )
    return size


def name(raw: Any) -> str:
    """A column name."""
    text = values.as_text(raw)
    if not text:
        values.refuse(Fault("expected a column name, found ''"))
    return text


def count(raw: Any) -> int:
    """A number of rows."""
    number = values.as_whole_number(raw)
    if not 0 < number < 2**63:
        values.refuse(Fault(f"expected a number of rows of at least 1, found {values.shown(raw)}"))
    return number


def share(raw: Any) -> float:
    """A share in (0, 1]."""
    value = plain(raw)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        values.refuse(Fault(f"expected a share above 0 and at most 1, found {values.shown(raw)}"))
    return float(value)


def seed(raw: Any) -> int:
    """A seed."""
    seed = values.as_whole_number(raw)
    if not 0 <= seed <= MAX_SEED:
        values.refuse(Fault(f"expected a seed from 0 to {MAX_SEED}, found {seed}"))
    return seed


def scalar(raw: Any) -> bool | int | float | str:
    """A value that a column can hold."""
    value = label(raw)
    if value is None:
        values.refuse(Fault(f"expected a value, found {values.shown(raw)}"))
    return value


def label(raw: Any) -> bool | int | float | str | None:
    """A value that a column can hold, or null."""
    value = plain(raw)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, dict | list) or (number and not (math.isfinite(value) and abs(value) < 2**63)):
        values.refuse(Fault(f"expected a number, text, true or false; found {values.shown(raw)}"))
    return value  # type: ignore[no-any-return]


def kind(label: object) -> str:
    """What sort of value a label is; those of one column are of one kind."""
    if isinstance(label, bool):
        return "true or false"
    return "text" if isinstance(label, str) else "numbers"


def too_large(raw: Any) -> bool:
    """Whether a value, or one in it, is a whole number that the spec's own encoding does not have."""
    value = plain(raw)
    if isinstance(value, dict | list):
        return any(map(too_large, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(2**63) <= value < 2**64


def plain(raw: Any) -> Any:
    """Values for a function as plain Python ones."""
    if isinstance(raw, Scalar):
        return raw.value
    if isinstance(raw, dict):
        return {str(key): plain(value) for key, value in raw.items()}
    return [plain(item) for item in raw] if isinstance(raw, list | tuple) else raw


def shown(raw: Any) -> str:
    """What was found, for a message."""
    return "an empty mapping" if raw == {} else "an empty list" if raw == [] else values.shown(raw)
