"""The ``cuts`` of a split by time, and the names of the parts around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from mldata.partnames import MAX_PARTS, case_clashes, part_name_fault
from mldata.specvalues import Fault, as_written, refuse, shown
from mldata.timecuts import parse_cut

__all__ = ["USUAL_PARTS", "CutText", "cut_faults", "name_faults"]

USUAL_PARTS = {1: ("train", "test"), 2: ("train", "val", "test")}
"""Around so many cuts, where the spec does not name them."""


def _as_cut(raw: Any) -> int | str:
    """A number or a time, times written in one way."""
    if isinstance(raw, date):
        text = raw.isoformat()
    else:
        text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else as_written(raw)
    cut = parse_cut(text)
    if cut is None:
        expected = "expected a date such as 2024-01-31, a time such as 2024-01-31T12:30, or a whole number"
        refuse(Fault(f"{expected}; found {shown(raw)}"))
    return cut if isinstance(cut, int) else cut.isoformat()


CutText = Annotated[int | str, BeforeValidator(_as_cut)]


def cut_faults(cuts: Sequence[int | str], parts: list[str], shares: dict[str, float]) -> Iterator[Fault]:
    """Cuts that do not ascend or are not alike, and parts that do not fit around them."""
    times = [parse_cut(str(cut)) for cut in cuts]
    kinds = [
        "number" if isinstance(time, int) else "time with offset" if time and time.tzinfo else "time"
        for time in times
    ]
    for number in range(1, len(cuts)):
        at = ("cuts", str(number))
        one, two = times[number - 1], times[number]
        if kinds[number] != kinds[number - 1]:
            yield Fault(f"a {kinds[number]} after a {kinds[number - 1]}", "write all cuts alike", at)
        elif not _before(one, two):
            yield Fault(f"expected a cut after {cuts[number - 1]}, found {cuts[number]}", at=at)
    if shares:
        first = next(iter(shares))
        hint = "remove the shares, and name the parts by 'parts: [train, val, test]'"
        yield Fault(f"'cuts' and shares exclude each other, found {first!r}", hint, (first, "[key]"))
    elif not parts and len(cuts) not in USUAL_PARTS:
        names = f"the names of the {len(cuts) + 1} parts around {len(cuts)} cuts"
        yield Fault(f"expected {names}", "add 'parts: [NAME, ...]'", ("cuts",))
    elif parts and len(parts) != len(cuts) + 1:
        many = "1 cut" if len(cuts) == 1 else f"{len(cuts)} cuts"
        yield Fault(f"expected {len(cuts) + 1} parts around {many}, found {len(parts)}", at=("parts",))
    elif len(parts) > MAX_PARTS:
        yield Fault(f"expected at most {MAX_PARTS} parts, found {len(parts)}", at=("parts",))
    yield from name_faults(parts, [("parts", str(number)) for number in range(len(parts))])


def _before(one: Any, two: Any) -> bool:
    return bool(one < two)


def name_faults(names: list[str], places: list[tuple[str, ...]]) -> Iterator[Fault]:
    """Names that no part can have, and names that differ by case only; ``places`` says where each stands."""
    clashes = {name: first for first, name in case_clashes(names)}
    for name, at in zip(names, places, strict=True):
        if message := part_name_fault(name):
            yield Fault(message, at=at)
        elif name in clashes:
            yield Fault(f"parts {clashes[name]!r} and {name!r} differ by case only", "rename one of them", at)
