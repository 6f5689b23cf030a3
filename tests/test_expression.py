"""Filter expressions select the rows that Python would, and nothing else can be written in them."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.expression import BadExpression, columns, parse
from mldata.rowsteps import bind

TABLE = pa.table(
    {
        "n": pa.array([1, None, -3, 4], pa.int32()),
        "x": pa.array([0.5, 2.0, None, float("nan")]),
        "s": pa.array(["ab", "B ", None, "abc"]),
        "c": pa.array(["u", "v", "u", None]).dictionary_encode(),
        "b": pa.array([True, False, None, True]),
        "d": pa.array(
            [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1), None, datetime.date(2022, 1, 1)]
        ),
        "m": pa.array([decimal.Decimal("1.50"), decimal.Decimal("2.00"), None, decimal.Decimal("0.10")]),
        "odd name.x": pa.array([1, 2, 3, 4]),
    }
)


def kept(text: str, table: pa.Table = TABLE) -> list[int]:
    """Numbers of the rows that stay."""
    numbered = table.append_column("row number", pa.array(range(table.num_rows)))
    made = bind({"step": "filter", "expression": text}, numbered.schema).run(iter(numbered.to_batches()))
    return [row for batch in made for row in batch.column("row number").to_pylist()]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("n > 0", [0, 3]),
        ("n != 1", [2, 3]),
        ("not n == 1", [2, 3]),
        ("n is null", [1]),
        ("n is not null", [0, 2, 3]),
        ("n is None or b", [0, 1, 3]),
        ("-4 < n < 2", [0, 2]),
        ("n in [1, -3]", [0, 2]),
        ("n not in [1, -3]", [3]),
        ("n in (1, 2.5)", [0]),
        ("x > 1", [1]),
        ("isnan(x)", [3]),
        ("n / 2 == 0.5", [0]),
        ("n * 2 + 1 - n == 2", [0]),
        ("abs(n) == 3", [2]),
        ("-n == 3", [2]),
        ("s == 'ab'", [0]),
        ("s.startswith('ab')", [0, 3]),
        ("s.strip().lower() == 'b'", [1]),
        ("s.upper().endswith('C')", [3]),
        ("s.contains('b')", [0, 3]),
        ("len(s) == 2", [0, 1]),
        ("c == 'u'", [0, 2]),
        ("c in ['u', 'w'] and n > 0", [0]),
        ("b", [0, 3]),
        ("b == false", [1]),
        ("d >= '2021-01-01'", [1, 3]),
        ("'2021-06-01' < d", [3]),
        ("d in ['2020-01-01']", [0]),
        ("m == '2.00'", [1]),
        ("m > 1", [0, 1]),
        ("col('odd name.x') >= 3", [2, 3]),
        ("true", [0, 1, 2, 3]),
    ],
)
def test_rows_that_stay(text: str, rows: list[int]) -> None:
    """Every construct, with nulls: a row stays where the expression is true."""
    assert kept(text) == rows


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "n >",
            "n = 1",
            "n > 1; n",
            "lambda: 1",
            "[n]",
            "n if b else n",
            "f'{n}'",
            "n[0]",
            "n.real",
            "n ** 2",
        ),
        *(
            "__import__('os').system('true')",
            "exec('1')",
            "open('x')",
            "n.__class__",
            "s.format('x')",
            "s.lower('x')",
        ),
        *(
            "s.startswith(s)",
            "col(n)",
            "col('a', 'b')",
            "len(s, s)",
            "n in s",
            "n in []",
            "n in [null]",
            "n == null",
        ),
        *(
            "n is 1",
            "n & 1",
            "~n",
            "n > 0 in [1]",
            "null",
            "(n := 1)",
            "n > 1j",
            "n > b'x'",
            "n > ...",
            "*n",
            "len(x=1)",
        ),
        *(
            "n == " + "9" * 40,
            "not " * 100 + "b",
            "(" * 300 + "n" + ")" * 300,
            "n\x00",
            "n == 1 " + "or n == 1 " * 2000,
        ),
    ],
)
def test_nothing_else_can_be_written(text: str) -> None:
    """Whatever is not in the language is refused with a hint, and never run."""
    with pytest.raises(BadExpression) as caught:
        parse(text)
    assert caught.value.hint


def test_columns_are_named_in_order() -> None:
    """An expression tells which columns it reads."""
    assert columns(parse("b and not col('odd name') > a + len(b) or c.lower() in ['d'] or true")) == [
        "b",
        "odd name",
        "a",
        "c",
    ]


NUMBERS = st.none() | st.integers(-5, 5)


def expressions() -> st.SearchStrategy[str]:
    values = st.sampled_from(["a", "b", "1", "-2", "a + b", "a * 2 - b"])
    compared = st.builds(
        "{} {} {}".format, values, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), values
    )
    listed = st.builds("{} {} [1, -2, 3]".format, values, st.sampled_from(["in", "not in"]))
    null = st.builds("{} is {}null".format, st.sampled_from(["a", "b"]), st.sampled_from(["", "not "]))
    return st.recursive(
        compared | listed | null,
        lambda inner: (
            st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
            | st.builds("(not {})".format, inner)
        ),
        max_leaves=6,
    )


class Unknown:
    """SQL's null in Python's operators; True, False and this are the three truth values."""


def truth(text: str, row: dict[str, Any]) -> Any:
    """The expression by a second, naive interpreter: three-valued logic over Python's own evaluation of its parts."""
    import ast

    def value(node: ast.AST) -> Any:
        if isinstance(node, ast.Name):
            return row[node.id]
        if isinstance(node, ast.BinOp):
            left, right = value(node.left), value(node.right)
            if left is None or right is None:
                return None
            return {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}[type(node.op)]
        return ast.literal_eval(node)  # type: ignore[arg-type]

    def true(node: ast.AST) -> Any:
        if isinstance(node, ast.BoolOp):
            parts = [true(part) for part in node.values]
            ends = isinstance(node.op, ast.Or)
            return ends if ends in parts else None if None in parts else not ends
        if isinstance(node, ast.UnaryOp):
            found = true(node.operand)
            return None if found is None else not found
        assert isinstance(node, ast.Compare)
        left, op, right = value(node.left), node.ops[0], node.comparators[0]
        if isinstance(op, ast.Is | ast.IsNot):
            return (left is None) == isinstance(op, ast.Is)
        if isinstance(op, ast.In | ast.NotIn):
            return None if left is None else (left in [1, -2, 3]) == isinstance(op, ast.In)
        other = value(right)
        if left is None or other is None:
            return None
        return {
            ast.Eq: left == other, ast.NotEq: left != other, ast.Lt: left < other,
            ast.LtE: left <= other, ast.Gt: left > other, ast.GtE: left >= other,
        }[type(op)]  # fmt: skip

    return true(ast.parse(text, mode="eval").body)


@given(expressions(), st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8))
def test_like_a_naive_interpreter(text: str, rows: list[tuple[int | None, int | None]]) -> None:
    """Any expression over any rows keeps those for which three-valued logic says true."""
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.int64())}
    )
    wanted = [n for n, (a, b) in enumerate(rows) if truth(text, {"a": a, "b": b}) is True]
    assert kept(text, table) == wanted
