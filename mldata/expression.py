"""Filter expressions: a condition on a row, in a small part of Python's syntax.

``age >= 18 and species != 'x'``, ``0 < price < 10``, ``kind in ['a', 'b']``, ``note is not null``, ``name.lower().startswith('a')``,
``width * height > 100``, ``col('body mass') > 3.5``.

- values: column names (``col('any name')`` where the name is no word), numbers, texts, ``true`` and ``false``
- comparison: ``== != < <= > >=``, chains of them, ``in [...]``, ``not in [...]``, ``is null``, ``is not null``
- ``and``, ``or``, ``not``; ``+ - * /`` (``/`` always gives a float; whole numbers that overflow are an error)
- functions ``len(text)``, ``abs(number)``, ``isnan(number)``; of a text ``.lower()``, ``.upper()``, ``.strip()``, ``.startswith('x')``,
  ``.endswith('x')``, ``.contains('x')``

A comparison with a null is neither true nor false (SQL's rule), and a row stays only where the whole is true. A text that is compared
with a date, time or decimal column is read as one.

Invariant: the text is parsed, never evaluated; a tree that :func:`parse` lets through has no other node than those above.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["WORDS", "BadExpression", "columns", "is_constant", "parse"]

LONGEST = 10_000
DEEPEST = 60
WORDS: dict[str, object] = {"true": True, "True": True, "false": False, "False": False}
NULLS = ("null", "None")
FUNCTIONS = ("len", "abs", "isnan")
METHODS = {"lower": 0, "upper": 0, "strip": 0, "startswith": 1, "endswith": 1, "contains": 1}
"""Number of arguments by name."""
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_HELP = "for example: age >= 18 and species != 'x'"
_INSTEAD: dict[type, str] = {ast.BitAnd: "and", ast.BitOr: "or", ast.Invert: "not"}


class BadExpression(Exception):
    """A text that is no expression, with a hint; ``str()`` says what and where in it (characters count from 1)."""

    def __init__(self, message: str, hint: str = _HELP) -> None:
        super().__init__(message)
        self.hint = hint


def parse(text: str) -> ast.expr:
    """The tree of ``text``, all of which :mod:`mldata.expressioncode` can compile. Raises :class:`BadExpression`."""
    if len(text) > LONGEST:
        raise BadExpression(f"expected at most {LONGEST:,} characters, found {len(text):,}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        hint = "write == to compare" if "=" in text.replace("==", "") and "==" in str(error) else _HELP
        raise BadExpression(f"expected a condition, found {_shown(text)}{at}", hint) from None
    _check(tree, DEEPEST)
    return tree


def columns(tree: ast.expr) -> list[str]:
    """Names of the columns that an expression reads, in order."""
    return list(dict.fromkeys(_columns(tree)))


# -- what may be in it ---------------------------------------------------------------------------------------------------


def _check(node: ast.expr, depth: int) -> None:
    if depth == 0:
        raise BadExpression("expected an expression that is not nested so deeply")
    for child in _operands(node):
        _check(child, depth - 1)


def _operands(node: ast.expr) -> list[ast.expr]:
    """What is to be checked below ``node``, which itself is right."""
    match node:
        case ast.BoolOp(values=values):
            return values
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            return [operand]
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), left=left, right=right):
            return [left, right]
        case ast.Compare():
            return _compared(node)
        case ast.Constant(value=value):
            _check_constant(node, value)
            return []
        case ast.Name(id=name) if name not in NULLS:
            return []
        case ast.Call():
            return _arguments(node)
    op = getattr(node, "op", None)
    if type(op) in _INSTEAD:
        raise _bad(node, "not part of an expression", f"write '{_INSTEAD[type(op)]}'")
    if isinstance(node, ast.Name):
        raise _bad(node, "only to be compared with 'is'", "write 'x is null' or 'x is not null'")
    raise _bad(node, "not part of an expression")


def _compared(node: ast.Compare) -> list[ast.expr]:
    operands = [node.left]
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.Is | ast.IsNot):
            if not _is_null(right):
                raise _bad(right, "not null", "'is' and 'is not' are for null; write == to compare")
        elif isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
                raise _bad(right, "not a list", "'in' takes a list of values: kind in ['a', 'b']")
            for item in right.elts:
                if _is_null(item) or not is_constant(item):
                    raise _bad(
                        item, "not a value", "'in' takes numbers and texts; for null write 'x is null'"
                    )
                operands.append(item)
        elif isinstance(op, _COMPARISONS):
            operands.append(right)
    if len(node.ops) > 1 and not all(isinstance(op, _COMPARISONS) for op in node.ops):
        raise _bad(node, "a chain with 'in' or 'is'", "join the parts with 'and'")
    return operands


def _arguments(node: ast.Call) -> list[ast.expr]:
    arguments = node.args
    texts = all(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in arguments)
    match node.func:
        case ast.Name(id="col") if len(arguments) == 1 and texts and not node.keywords:
            return []
        case ast.Name(id=name) if name in FUNCTIONS and len(arguments) == 1 and not node.keywords:
            return arguments
        case ast.Attribute(value=value, attr=name) if name in METHODS and not node.keywords:
            if len(arguments) == METHODS[name] and texts:
                return [value]
    known = f"functions are {', '.join((*FUNCTIONS, 'col'))}; of a text {', '.join(f'.{m}' for m in METHODS)}"
    raise _bad(node, "not a function of expressions, or not its arguments", known)


def _check_constant(node: ast.expr, value: object) -> None:
    if value is None:
        raise _bad(node, "only to be compared with 'is'", "write 'x is null' or 'x is not null'")
    if not isinstance(value, bool | int | float | str) or (
        isinstance(value, int) and not -(2**63) <= value < 2**64
    ):
        raise _bad(node, "not a number or text that a column can hold")


def _is_null(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in NULLS) or (
        isinstance(node, ast.Constant) and node.value is None
    )


def is_constant(node: ast.expr) -> bool:
    """Whether a part is a value that is written out."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in WORDS)


def _columns(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if node.id not in WORDS and node.id not in NULLS:
            yield node.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "col":
            yield node.args[0].value  # type: ignore[attr-defined]
        else:
            yield from _columns(node.args[0])
    else:
        for child in ast.iter_child_nodes(node):
            yield from _columns(child)


def _bad(node: ast.expr, what: str, hint: str = _HELP) -> BadExpression:
    return BadExpression(f"{_shown(ast.unparse(node))} at character {node.col_offset + 1} is {what}", hint)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
