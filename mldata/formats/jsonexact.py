"""The columns of JSON records, value by value: the reading that every other has to equal.

Types of a column: boolean, string, struct and list as in JSON; integers are int64, or decimal128(38, 0) or decimal256(76, 0) if one does not
fit, all digits kept; a number with a point or an exponent is float64, and makes a float64 column of integers if each is within ±2**53. Null, an
empty object and an empty array go with anything that has them. Other mixtures are refused (:class:`Clash`), unless the
spec forces a type: then each value is taken as text, exactly as written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from mldata.errors import brief, shown
from mldata.formats.infer import EXACT
from mldata.formats.jsoncut import Form
from mldata.formats.jsonfault import (
    MAX_DEPTH,
    MAX_DIGITS,
    Fault,
    Path,
    Visit,
    Walker,
    called,
    short,
    skip_space,
)
from mldata.formats.jsonrecords import STRICT, Records, Row

INT64_MOST = 2**63 - 1

FEW_KEYS = 1000
MOST_CELLS = 1 << 26
"""Of the records of a piece, if they have more keys than a few: 8 bytes and more each, whether there is a value or not."""

_DIGITS = re.compile(r"-?[0-9]+")


class Clash(Exception):
    """Values at ``path`` that no type holds without loss."""

    def __init__(self, path: Path, numbers: bool) -> None:
        super().__init__(path)
        self.path = path
        self.numbers = numbers
        """Integers beyond what a float holds, and floats."""


class TooSparse(Exception):
    """The objects at ``path`` have so many different keys that a table of them is mostly nothing, and fills the memory."""

    def __init__(self, path: Path, keys: int, objects: int) -> None:
        super().__init__(path)
        self.path, self.keys, self.objects = path, keys, objects


def exact_table(records: Records, forced: dict[str, pa.DataType]) -> tuple[pa.Table, int]:
    """The table of some records. Raises :class:`Fault`, :class:`Clash`, :class:`TooSparse`."""
    rows = [row for _, row in records]
    names = _keys(rows, ())
    try:
        columns = [_column(name, [row.get(name) for row in rows], forced.get(name)) for name in names]
        return pa.Table.from_arrays(columns, names=list(names)), len(rows)
    except (ValueError, RecursionError):
        raw = frozenset(name for name, kind in forced.items() if wants_text(kind))
        # Half a surrogate pair, nested too deep, or a number too large for a type that is no text.
        if not _put_aside_unfit(records, raw):
            raise
    return exact_table(records, forced)


def _put_aside_unfit(records: Records, raw: frozenset[str]) -> bool:
    """Put aside the records that parse and do not fit; whether there are any. Raises :class:`Fault` where none may be put aside."""
    unfit: list[tuple[int, int, Fault]] = []
    for at, _ in records:
        start = _record_at(records, at)
        try:
            Walker(records.text, raw=raw).value(start)
        except Fault as fault:
            if records.aside is None:
                raise
            unfit.append((at, start, fault))
    for at, start, found in unfit:
        assert records.aside is not None
        records.aside.put(at, start, found)
    return bool(unfit)


def wants_text(kind: pa.DataType) -> bool:
    """Whether a forced type is made from the text of a value: numbers lose their form otherwise, and decimals their digits."""
    text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_binary(kind) or pt.is_large_binary(kind)
    return bool(text or pt.is_dictionary(kind) or pt.is_decimal(kind))


def _column(name: str, values: list[Any], forced: pa.DataType | None) -> pa.Array:
    if forced is None:
        return pa.array(values, infer(values, (name,)))
    # Text of one kind of value is that value, unless text is what is asked for: a decimal keeps digits that a float loses.
    leads = {value[0] for value in values if value is not None}
    if not wants_text(forced):
        typed = [None if value is None or value[0] in '"{[' else STRICT.decode(value) for value in values]
        if not leads & set('"{[') and (not pt.is_boolean(forced) or leads <= set("tf")):
            try:
                return pa.array(typed, infer(typed, (name,)))
            except Clash:
                pass
    return pa.array([None if value is None else _text(value, forced) for value in values], pa.string())


def _text(value: str, forced: pa.DataType) -> str:
    """What a value is made of that is not alone of its kind: text, as a column of its kind would have become the type."""
    if value[0] == '"':
        return str(json.loads(value))
    number = pt.is_integer(forced) or pt.is_floating(forced)
    if number and value in ("true", "false"):
        return "1" if value == "true" else "0"
    if (
        pt.is_integer(forced)
        and value[0] not in "tf{["
        and not _DIGITS.fullmatch(value)
        and float(value).is_integer()
    ):
        return str(int(float(value)))
    return value


def infer(values: Sequence[Any], path: Path = ()) -> pa.DataType:
    """The narrowest type that holds ``values`` as they are. Raises :class:`Clash`, ``RecursionError``."""
    if len(path) > MAX_DEPTH:
        raise RecursionError
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.null()
    if len(kinds) == 1:
        (kind,) = kinds
        if kind is dict:
            return _struct([value for value in values if value is not None], path)
        if kind is list:
            inner: Iterable[Any] = chain.from_iterable(value for value in values if value is not None)
            return pa.list_(infer(list(inner), (*path, None)))
        if kind is int:
            return _integer(value for value in values if value is not None)
        return {bool: pa.bool_(), str: pa.string(), float: pa.float64()}[kind]
    if kinds == {int, float}:
        if all(-EXACT <= value <= EXACT for value in values if type(value) is int):
            return pa.float64()
        raise Clash(path, True)
    raise Clash(path, False)


def _keys(objects: list[Row], path: Path) -> Row:
    """All keys of some objects, in the order that they come in. Raises :class:`TooSparse`."""
    names: Row = {}
    for one in objects:
        if one.keys() != names.keys():
            names.update(dict.fromkeys(one))
            if len(names) > FEW_KEYS and len(names) * len(objects) > MOST_CELLS:
                raise TooSparse(path, len(names), len(objects))
    return names


def _struct(values: list[Row], path: Path) -> pa.DataType:
    names = _keys(values, path)
    return pa.struct([(name, infer([value.get(name) for value in values], (*path, name))) for name in names])


def _integer(values: Iterable[int]) -> pa.DataType:
    values = list(values)
    most = max(max(values), -min(values) - 1)
    if most <= INT64_MOST:
        return pa.int64()
    return pa.decimal128(38, 0) if max(most, -min(values)) < 10**38 else pa.decimal256(MAX_DIGITS, 0)


def place_of(records: Records, at: int, key: str) -> tuple[int, int]:
    """Where the value of ``key`` in the record at ``at`` begins and ends."""
    places: list[int] = []
    visit: Visit = lambda path, place: places.append(place) if path == (key,) else None  # noqa: E731
    Walker(records.text, visit, records.raw).value(_record_at(records, at))
    start = places[0] if places else at
    return start, Walker(records.text, raw=records.raw).value(start, (key,))


def _record_at(records: Records, at: int) -> int:
    """Where the record begins that is told to be at ``at``: behind its key in an object of records."""
    if records.form is not Form.ENTRIES:
        return at
    return skip_space(records.text, skip_space(records.text, Walker(records.text).value(at)) + 1)


def put_aside_rows(records: Records, cells: Mapping[int, tuple[str, pa.DataType]]) -> None:
    """Put rows aside that turned out to be bad when their table was made.

    Args:
        cells: the key that has a bad value, and the type that it should be of, by number of the row.
    """
    assert records.aside is not None
    starts = [at for at, _ in records]
    for row, (key, kind) in cells.items():
        at = starts[row]
        start, end = place_of(records, at, key)
        reason = f"column {shown(key)}: expected {kind}, found {short(records.text[start:end])}"
        records.aside.put(at, _record_at(records, at), Fault(reason, start))


def explain_clash(records: Records, clash: Clash) -> tuple[str, int, int]:
    """What clashes, and where the two values begin."""
    text, first, path = records.text, -1, clash.path
    places: list[int] = []

    def visit(at_path: Path, at: int) -> None:
        if at_path == path:
            places.append(at)

    for start, _ in records:
        Walker(text, visit, records.raw).value(_record_at(records, start))
        for place in places:
            kind = called(text, place)
            if kind == "null" or (clash.numbers and not _decides(text, place)):
                continue
            if first < 0:
                first = place
            elif _group(called(text, first), clash.numbers) != _group(kind, clash.numbers):
                return _told(text, path, first, place), first, place
        places.clear()
    return f"{_named(path)} has values that no type holds without loss", max(first, 0), max(first, 0)


def _group(kind: str, numbers: bool) -> str:
    return "a number" if kind == "an integer" and not numbers else kind


def _decides(text: str, at: int) -> bool:
    """Whether a number is a float, or an integer that no float holds."""
    found = _DIGITS.match(text, at)
    return called(text, at) != "an integer" or found is None or abs(int(found[0])) > EXACT


def _named(path: Path) -> str:
    inner = "".join("[]" if step is None else f".{step}" for step in path[1:])
    return f"column {shown(path[0])}" + (f" (at {brief(inner)})" if inner else "")


def _told(text: str, path: Path, first: int, second: int) -> str:
    shown = [short(text[at : Walker(text).value(at, ("",))]) for at in (first, second)]
    return (
        f"{_named(path)}: found {called(text, second)} ({shown[1]}) after {called(text, first)} ({shown[0]})"
    )
