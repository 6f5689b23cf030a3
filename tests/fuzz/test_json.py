"""JSON files of every form and damage."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mldata.errors import MldataError
from mldata.formats.jsonfault import MAX_DEPTH, MAX_DIGITS
from tests.formats.reading import read
from tests.fuzz.engine import Example, fuzz
from tests.fuzz.mutate import mutated, packed
from tests.fuzz.stage import Stage

pytestmark = pytest.mark.no_cover

SCALARS = [
    "null", "true", "false", "0", "-0", "1", "-1", "12", "1.5", "-0.0", "1e3", "5e-324", "9007199254740993", "9223372036854775808", "9" * 40,
    '""', '"a"', '"2020-01-01"', '"2020-01-01T00:00:00Z"', '"]}"', '"\\n"', '"\\u00e9"', '"\\ud83d\\ude00"', '"é"', '"日本"', '"\\\\"', '"\\""', '"\\u0000"',
    '"' + "x" * 3000 + '"', "[]", "{}", "[[]]", "[{}]", "1E400", "9" * 77, '"\\ud800"', "NaN", "Infinity", "tru", "01", "'a'", '"a', "None", "\ufeff",
]  # fmt: skip
GOOD = len(SCALARS) - 12
"""So many of them are JSON."""
KEYS = ['"a"', '"b"', '"c"', '"key"', '"A b"', '""', '"\\u007a"', '"é"', '"data"']
TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b'\\"', b"\n", b"\r", b"\r\n", b" ", b"\t", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe",
    b"null", b"NaN", b"nan", b"1", b"-", b"1e999", b"9" * 80, b'"a":1', b'{"a":1}', b'{"a":1},', b",,", b"//x\n", b"/**/", b"#", b"\\u12", b"\\ud800", b"[" * 60, b'{"a":' * 60,
    b"[" * 3000, b"]" * 60, b"}" * 60, b"'", b'"a":', b'"b":"x",',
]  # fmt: skip
PARAMS: list[dict[str, Any]] = [
    {"types": {"a": "string"}}, {"types": {"a": "int8"}}, {"types": {"a": "float64"}}, {"types": {"a": "bool"}}, {"types": {"a": "decimal128(38, 2)"}}, {"types": {"a": "date32"}},
    {"types": {"a": "category"}}, {"types": {"a": "timestamp[s, UTC]"}}, {"types": {"b": "string", "a": "string"}}, {"types": {"a": "binary"}}, {"types": {"key": "int64"}},
    {"records": "row"}, {"records": "values"}, {"records": "data"}, {"records": "/data/a"}, {"columns": "snake_case"},  {"rename": {"a": "z"}}, {"nulls": ["a"]},
    {"on_bad_row": "reject", "max_rejects": "100%"}, {"on_bad_row": "reject", "max_rejects": "100%"}, {"on_bad_row": "reject", "max_rejects": 1},
]  # fmt: skip


class Maker:
    """Makes JSON text from few kinds of values, so that columns have types."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        most = GOOD if rng.random() < 0.9 else len(SCALARS)
        kinds = rng.sample(SCALARS[:most], 3)
        self.columns = {key: self._values(kinds) for key in ['"a"', *rng.sample(KEYS[1:], rng.randint(0, 3))]}

    def _values(self, kinds: list[str]) -> list[str]:
        kinds = self.rng.choice(
            (kinds[:1], kinds[:1], kinds[:1], kinds, ["1", "2"], ["1.5", "2"], ['"x"', "null"])
        )
        return [self._nested(kinds, 0) for _ in range(3)]

    def _nested(self, kinds: list[str], depth: int) -> str:
        way = self.rng.random()
        if way < 0.75 or depth > 4:
            return self.rng.choice(kinds)
        inner = [self._nested(kinds, depth + 1) for _ in range(self.rng.randrange(3))]
        if way < 0.9:
            return "[" + ",".join(inner) + "]"
        return "{" + ",".join(f"{key}:{value}" for key, value in zip(KEYS, inner, strict=False)) + "}"

    def record(self) -> str:
        """One record; at times without one of the keys, or with space in it."""
        keys = [key for key in self.columns if key == '"a"' or self.rng.random() < 0.9]
        space = self.rng.choice(("", "", " ", "\n  "))
        return (
            "{"
            + ("," + space).join(f"{key}:{space}{self.rng.choice(self.columns[key])}" for key in keys)
            + "}"
        )

    def file(self) -> tuple[str, str]:
        """Its name and text."""
        rng = self.rng
        records = [self.record() for _ in range(rng.choice((0, 1, 2, 3, 5, 5, 40)))]
        if rng.random() < 0.05:
            records.insert(rng.randrange(len(records) + 1), rng.choice(SCALARS))
        space = rng.choice(("", " ", "\n", "\r\n"))
        form = rng.randrange(6)
        if form <= 1:
            lines = "\n".join(record.replace("\n", " ") for record in records)
            return rng.choice(("d.jsonl", "d.json")), lines + rng.choice(("", "\n"))
        if form == 2:
            return "d.json", space.join(records)
        array = "[" + f",{space}".join(records) + "]"
        if form == 3:
            return "d.json", array
        if form == 4:
            beside = rng.choice(("", "", '"n":1,', '"b":{"data":[1]},'))
            return "d.json", f'{{{beside}{space}"data":{array}{space}}}'
        return "d.json", "{" + ",".join(
            f'"{number}":{space}{record}' for number, record in enumerate(records)
        ) + "}"


def json_file(rng: Random) -> Example:
    """A file, damaged at times, packed at times."""
    name, text = Maker(rng).file()
    data = text.encode(
        "utf-8"
        if rng.random() < 0.95
        else rng.choice(("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252")),
        "replace",
    )
    if rng.random() < 0.5:
        data = mutated(rng, data, TOKENS)
    name, data = packed(rng, name, data)
    params: dict[str, Any] = {}
    for _ in range(rng.choice((0, 0, 0, 1, 1, 3))):
        params.update(rng.choice(PARAMS))
    return Example(name, data or b"\n", params, rng.choice((None, 1, 30, 300, 3000)))


def test_any_json_file_is_read_or_refused(tmp_path: Path) -> None:
    """In good time, and by an error that names the file; every record is in the table or among the rejects."""
    fuzz(json_file, Stage(tmp_path), 200)


def lines(rng: Random) -> Example:
    """Records one a line, damaged at times."""
    maker = Maker(rng)
    data = "\n".join(maker.record().replace("\n", " ") for _ in range(rng.choice((1, 2, 5, 20)))).encode()
    if rng.random() < 0.5:
        data = mutated(rng, data, TOKENS)
    return Example("d.jsonl", data, {}, rng.choice((1, 30, 300, 1 << 20)))


def test_values_are_those_of_another_parser(tmp_path: Path) -> None:
    """What Python's own parser takes, and we too, has equal values; what it refuses, or takes against RFC 8259, we refuse."""
    taken = 0

    def check(example: Example) -> None:
        nonlocal taken
        rows = other_parser(example.data)
        try:
            table = read(tmp_path, example.data, "jsonl", piece=example.piece)
        except MldataError:
            return
        found = table.to_pylist()
        assert rows is not None, f"read as {found}"
        taken += 1
        assert len(found) == len(rows) or not table.num_columns
        assert all(map(equal, found, rows)), f"{found} is not {rows}"

    fuzz(lines, check, 400)
    assert taken > 60


def other_parser(data: bytes) -> list[Any] | None:
    """The records by Python's parser, made strict; None where one is no object."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is given twice")
        return dict(pairs)

    def whole(text: str) -> int:
        if len(text.lstrip("-")) > MAX_DIGITS:
            raise ValueError("too many digits")
        return int(text)

    def finite(text: str) -> float:
        if abs(float(text)) == float("inf"):
            raise ValueError("too large")
        return float(text)

    try:
        rows = [
            json.loads(
                line, object_pairs_hook=unique, parse_constant=finite, parse_int=whole, parse_float=finite
            )
            for line in data.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
            if line.strip(" \t\r")
        ]
        json.dumps(rows, ensure_ascii=False).encode()  # half surrogates
    except (ValueError, RecursionError):
        return None
    return rows if all(isinstance(row, dict) and depth(row) <= MAX_DEPTH for row in rows) else None


def depth(value: Any) -> int:
    """Objects and arrays inside each other."""
    if isinstance(value, dict | list):
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def equal(ours: Any, theirs: Any) -> bool:
    """Whether a value of a table is that of the file: keys that a record lacks are null, an object without any may be too."""
    if isinstance(theirs, dict):
        if ours is None:
            return not theirs
        return theirs.keys() <= ours.keys() and all(equal(ours[key], theirs.get(key)) for key in ours)
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if isinstance(theirs, bool) or theirs is None or isinstance(theirs, str):
        return ours is theirs or (ours == theirs and type(ours) is type(theirs))
    if isinstance(ours, Decimal):
        return isinstance(theirs, int) and int(ours) == theirs
    return (
        isinstance(ours, int | float)
        and ours == theirs
        and (str(ours)[:1] == "-") == (str(theirs)[:1] == "-")
    )
