"""What a profile says of a table and its columns in a few words: shares, numbers, times, values; what stands in a terminal and in Markdown alike.

Invariant: text from data is on one line, without anything that a terminal would obey. Escaping for Markdown or HTML is left to who writes that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeGuard

from mldata.cells import one_line
from mldata.plural import counted
from mldata.sizes import human_size

if TYPE_CHECKING:
    from mldata.profile.profile import ColumnProfile, Duplicates, Profile, Spread
    from mldata.profile.summary import Value

    Quote = Callable[[Value, int], str]
    Tell = Callable[[Value | None], str]

__all__ = [
    "bars",
    "described",
    "distinct_text",
    "duplicate_rows",
    "duplicates_text",
    "estimate",
    "facts",
    "glimpse",
    "more_are",
    "name_text",
    "number",
    "percent",
    "short_type",
    "spark",
    "teller",
    "teller_of",
    "type_text",
    "value_text",
]

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = ".:-=+*#@"
VALUE = 24
"""Characters of a value among others."""
DIGITS = (6, 8, 10, 12, 15, 17)
EXACT = 10**15
"""Whole numbers below are told in full rather than by powers of ten, where it takes more than four digits to tell them apart."""
APART = 0.01
"""Of the greater one: two numbers that differ by more look different by four digits."""
_MIDNIGHT = re.compile(r"[T ]00:00:00(\.0+)?(Z|[+-]\d\d:\d\d)?$")
_DATE = re.compile(r"[+-]?\d{4,}-\d\d-\d\d(?=[T ])")


def percent(share: float) -> str:
    """``3.2%``; ``<0.1%`` and ``99.9%`` where rounding would make it nothing or all."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{100 * share if share in (0, 1) else min(100 * share, 99.9):.1f}%".replace(".0%", "%")


def number(value: Value | None) -> str:
    """A number with four digits that count; whole ones as they are where they are short. Times come as text, and lose a midnight."""
    if value is None:
        return ""
    if isinstance(value, str):
        return one_line(_MIDNIGHT.sub("", value).replace("T", " ", 1) if _DATE.match(value) else value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        if abs(value) < 10_000:
            return str(value)
        return f"{value:,}" if abs(value) < 10**9 else f"{value:.4g}"
    size = abs(value)
    if 1e-3 <= size < 1e9 or size == 0:
        return f"{value:,.0f}" if size >= 10_000 else f"{value:.0f}" if size >= 1000 else f"{value:.4g}"
    return f"{value:.4g}"


def teller(values: Iterable[Value | None]) -> Tell:
    """What tells numbers as :func:`number` does, or by as many more digits as it takes for different ones of ``values`` to look different."""
    known = {value for value in values if _is_number(value)}
    if len(set(map(number, known))) == len(known):
        return number
    whole = [",.0f"] if all(abs(value) < EXACT for value in known) else []
    forms = [*whole, *(f",.{digits}g" for digits in DIGITS), ","]
    form = next(form for form in forms if len({format(value, form) for value in known}) == len(known))
    return lambda value: format(value, form) if _is_number(value) else number(value)


def _is_number(value: Value | None) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def teller_of(spread: Spread) -> Tell:
    """What tells numbers of a spread so that its ends look different, if they are."""
    low, high = spread.min, spread.max
    if isinstance(low, str) or isinstance(high, str) or low is None or high is None:
        return number
    if high - low > APART * max(abs(low), abs(high)):
        return number
    return teller((low, high))


def value_text(value: Value, most: int = VALUE) -> str:
    """A value on one line; text in quotes where its ends would not be seen; an integer in full where there is room."""
    if isinstance(value, int) and not isinstance(value, bool) and len(f"{value:,}") <= most:
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if not isinstance(value, str):
        return number(value)
    text = one_line(value)
    return _quoted(text if len(text) <= most else f"{text[: most - 3]}...")


def name_text(name: str) -> str:
    """The name of a column on one line; in quotes where it would not be seen, or its ends."""
    return _quoted(one_line(name))


def _quoted(text: str) -> str:
    return f'"{text}"' if not text or text != text.strip() else text


def short_type(dtype: str) -> str:
    """An Arrow type without its parameters: ``timestamp[us, tz=UTC]`` is a ``timestamp``."""
    return re.split(r"[\[<(]", dtype, maxsplit=1)[0] or dtype


def type_text(dtype: str, cells: int) -> str:
    """An Arrow type, without its parameters where there is no room for them."""
    return one_line(dtype if len(dtype) <= cells else short_type(dtype))


def distinct_text(column: ColumnProfile) -> str:
    """``164``; ``~863,000``, ``~1.2M`` where it is an estimate; nothing where values cannot be told apart."""
    if column.distinct is None:
        return ""
    about = "~" if column.distinct_error else ""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M")):
        if column.distinct >= size:
            return f"{about}{column.distinct / size:.3g}{unit}"
    return f"{about}{estimate(column.distinct)}" if about else f"{column.distinct:,}"


def estimate(count: int) -> str:
    """A count that is an estimate, with the three digits that mean something: ``863,000``."""
    return f"{float(f'{count:.3g}'):,.0f}"


def facts(profile: Profile) -> Iterator[str]:
    """The table in a few words each: rows, columns, size, missing values, duplicate rows."""
    sampled = f" (a sample of {percent(profile.share)})" if profile.share < 1 else ""
    yield f"{counted(profile.rows, 'row')}{sampled}"
    yield counted(len(profile.columns), "column")
    if profile.size is not None:
        yield human_size(profile.size)
    yield f"{percent(profile.missing)} missing" if profile.missing else "nothing missing"
    if profile.duplicates is not None:
        yield duplicates_text(profile.duplicates)


def duplicates_text(found: Duplicates) -> str:
    """``no duplicate rows``, ``2 duplicate rows (0.6%)``, ``0 to 3% duplicate rows``."""
    if not found.rows and not found.error:
        return "no duplicate rows"
    told = duplicate_rows(found)
    share = f" ({percent(found.share)})" if not told.endswith("%") else ""
    return f"{told} duplicate row{'s'[: told != '1']}{share}"


def duplicate_rows(found: Duplicates, about: str = "~") -> str:
    """How many there are: ``2``; of an estimate ``~2,000``, or ``0 to 3%`` where it may as well be none. ``about`` marks an estimate."""
    blur = 3 * found.error
    if blur and found.share <= blur:
        return f"0 to {percent(found.share + blur)}"
    return f"{about}{estimate(found.rows)}" if blur else f"{found.rows:,}"


def described(column: ColumnProfile, quote: Quote = value_text) -> Sequence[str]:
    """What the values are like, in words: all of it first, then shorter and shorter forms of it. ``quote`` writes values, in so many characters."""
    if column.kind == "time":
        quote = _moment
    if column.role == "empty" or column.rows == column.nulls:
        return ["no values" if not column.rows else "no values but nulls", "no values"]
    if column.role == "constant" and column.top:
        return [f"always {quote(column.top[0].value, 60)}", f"always {quote(column.top[0].value, VALUE)}"]
    if column.spread is not None and column.role in ("number", "time", "id", "constant", "other"):
        return _spread(column.spread, column.role == "time" or column.kind == "time")
    if column.text is not None and column.role in ("text", "id", "other"):
        return _lengths(column.text.lengths, "characters")
    if column.lengths is not None:
        return _lengths(column.lengths, "bytes" if column.kind == "binary" else "elements")
    if column.top:
        return _tops(column, quote)
    return ["" if column.spread is None else _range(column.spread)]


def glimpse(part: ColumnProfile, whole: ColumnProfile, quote: Quote = value_text) -> Sequence[str]:
    """What the values of a column are like in a part, told so that parts can be compared: of numbers the mean, of texts the length, of others how
    frequent the values are that are most frequent in the whole. All of it first, then shorter forms."""
    spread = part.spread
    if spread is not None and spread.mean is not None and whole.role != "category":
        mean = (teller_of(whole.spread) if whole.spread is not None else number)(spread.mean)
        std = f" (std {number(spread.std)})" if spread.std and part.kind == "numeric" else ""
        return [f"{mean}{std}", mean]
    if whole.role not in ("text", "id") and whole.top and part.rows > part.nulls:
        shares = {it.value: percent(it.share) for it in part.top}
        rare = "rare" if part.top_rest else "0%"
        told = [f"{quote(it.value, VALUE)} {shares.get(it.value, rare)}" for it in whole.top[:3]]
        return [", ".join(told[:most]) for most in range(len(told), 0, -1)]
    lengths = part.text.lengths if part.text is not None else part.lengths
    if lengths is not None and lengths.mean is not None:
        return [f"length {number(lengths.mean)}", number(lengths.mean)]
    return described(part, quote)


def bars(column: ColumnProfile, most: int) -> Sequence[int]:
    """How values are spread, as counts: of numbers and times by size, of texts and lists by length; of categories the ``most`` frequent ones."""
    if column.spread is not None and column.spread.histogram is not None and column.role != "category":
        return column.spread.histogram.counts
    if column.role in ("category", "boolean") or (
        column.top and column.text is None and column.lengths is None
    ):
        return [top.count for top in column.top[:most]]
    lengths = column.text.lengths if column.text is not None else column.lengths
    return lengths.histogram.counts if lengths is not None and lengths.histogram is not None else ()


def spark(counts: Sequence[int], most: int, *, ascii_only: bool = False) -> str:
    """Counts as bars of at most ``most`` characters; a space is a count of none."""
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    heights = list(counts) if len(counts) <= most else _rebinned(counts, most)
    top = max(heights, default=0)
    steps = len(blocks)
    return "".join(blocks[min(steps * count // top, steps - 1)] if count else " " for count in heights)


def _rebinned(counts: Sequence[int], bins: int) -> list[int]:
    """Counts of fewer bins of equal width, ``bins`` times too high: what lies across an edge goes to both sides by how much of it there is."""
    made = [0] * bins
    for at, count in enumerate(counts):
        # In whole numbers: old bins are ``bins`` wide, new ones as wide as there are old ones.
        place, end = bins * at, bins * (at + 1)
        while place < end:
            into = place // len(counts)
            stop = min(end, (into + 1) * len(counts))
            made[into] += count * (stop - place)
            place = stop
    return made


def more_are(count: int, what: str) -> str:
    """``1 more column is``, ``20 more columns are``."""
    return f"{counted(count, f'more {what}')} {'is' if count == 1 else 'are'}"


def _moment(value: Value, most: int) -> str:
    return number(value)


def _range(spread: Spread) -> str:
    if spread.min is None:
        return "no finite number"
    low, high = spread.min, spread.max
    days = [_DATE.match(str(end)) for end in (low, high)]
    if days[0] and days[1] and days[0][0] != days[1][0]:
        return f"{days[0][0]} to {days[1][0]}"
    tell = teller_of(spread)
    return f"{tell(low)} to {tell(high)}" if low != high else tell(low)


def _spread(spread: Spread, time: bool) -> Sequence[str]:
    ends = _range(spread)
    if spread.min is None or spread.min == spread.max or spread.mean is None:
        return [ends]
    tell, median = teller_of(spread), spread.percentiles.get("50")
    if time:
        return [f"{ends}, median {number(median)}", ends] if median is not None else [ends]
    mean = f"mean {tell(spread.mean)}"
    told = [f"{mean}, median {tell(median)}, {ends}"] if median is not None else []
    return [*told, f"{mean}, {ends}", ends, mean]


def _lengths(spread: Spread, unit: str) -> Sequence[str]:
    ends = _range(spread)
    unit = unit.removesuffix("s") if ends == "1" else unit
    mean = f", mean {number(spread.mean)}" if spread.min != spread.max else ""
    return [f"{ends} {unit}{mean}", f"{ends} {unit}", ends]


def _tops(column: ColumnProfile, quote: Quote) -> Sequence[str]:
    about = "~" if column.top_over else ""
    told = [f"{quote(it.value, VALUE)} {about}{percent(it.share)}" for it in column.top]
    more = [f"{', '.join(told[:most])}, ..." for most in range(min(len(told) - 1, 5), 0, -1)]
    whole = [", ".join(told)] if not column.top_rest and len(told) <= 6 else []
    return [*whole, *more, told[0], quote(column.top[0].value, VALUE)]
