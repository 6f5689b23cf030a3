"""Filter expressions (:mod:`mldata.expression`) as expressions of Arrow, for tables of a certain schema."""

from __future__ import annotations

import ast
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

from mldata.expression import WORDS, columns, is_constant

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["compile_expression"]

_COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def compile_expression(tree: ast.expr, schema: pa.Schema) -> Any:
    """``tree`` as a ``pyarrow.compute.Expression`` over tables of ``schema``, which has all of :func:`columns`."""
    return _Compiler(schema).compile(tree)


class _Compiler:
    def __init__(self, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self.schema, self.pa, self.pc = schema, pa, pc

    def compile(self, node: ast.expr) -> Any:
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = [self.compile(value) for value in values]
                return reduce(lambda a, b: a & b if isinstance(op, ast.And) else a | b, parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.compile(operand)
            case ast.UnaryOp(operand=operand):
                if isinstance(operand, ast.Constant):
                    return self._literal(-operand.value)  # type: ignore[operator]
                return self.pc.negate_checked(self.compile(operand))
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.Compare():
                operands = [node.left, *node.comparators]
                steps = zip(node.ops, operands, operands[1:], strict=False)
                return reduce(lambda a, b: a & b, (self._compare(*step) for step in steps))
            case ast.Constant(value=value):
                return self._literal(value)
            case ast.Name(id=name):
                return self.pc.scalar(WORDS[name]) if name in WORDS else self._column(name)
        assert isinstance(node, ast.Call)
        return self._call(node)

    def _literal(self, value: Any) -> Any:
        large = isinstance(value, int) and value >= 1 << 63
        return self.pc.scalar(self.pa.scalar(value, self.pa.uint64()) if large else value)

    def _column(self, name: str) -> Any:
        kind = self.schema.field(name).type
        field = self.pc.field((name,))  # a tuple: a dot in the name is no path
        return field.cast(kind.value_type) if self.pa.types.is_dictionary(kind) else field

    def _arithmetic(self, node: ast.BinOp) -> Any:
        left, right = self.compile(node.left), self.compile(node.right)
        match node.op:
            case ast.Add():
                return self.pc.add_checked(left, right)
            case ast.Sub():
                return self.pc.subtract_checked(left, right)
            case ast.Mult():
                return self.pc.multiply_checked(left, right)
        double = self.pa.float64()
        return self.pc.divide(left.cast(double), right.cast(double))

    def _compare(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Any:
        if isinstance(op, ast.Is | ast.IsNot):
            null = self.compile(left).is_null()
            return null if isinstance(op, ast.Is) else ~null
        if isinstance(op, ast.In | ast.NotIn):
            # Not is_in: a null is in no list, and not outside of one either.
            items: list[Any] = [self._compare(ast.Eq(), left, item) for item in right.elts]  # type: ignore[attr-defined]
            while len(items) > 1:
                pairs = zip(items[::2], items[1::2], strict=False)
                items = [a | b for a, b in pairs] + items[len(items) // 2 * 2 :]
            return items[0] if isinstance(op, ast.In) else ~items[0]
        return _COMPARE[type(op)](self._side(left, right), self._side(right, left))

    def _side(self, node: ast.expr, other: ast.expr) -> Any:
        """One side of a comparison; beside a date, time or decimal column a text is one of these, as a number is a decimal."""
        names = columns(other) if isinstance(other, ast.Name | ast.Call) else []
        if len(names) == 1 and is_constant(node) and not isinstance(node, ast.Name):
            kind, value = self.schema.field(names[0]).type, ast.literal_eval(node)
            if self.pa.types.is_temporal(kind) and isinstance(value, str):
                return self.pc.scalar(self.pa.scalar(value).cast(kind))
            if self.pa.types.is_decimal(kind) and not isinstance(value, bool):
                from decimal import Decimal, InvalidOperation

                try:
                    return self.pc.scalar(self.pa.scalar(Decimal(str(value))))
                except InvalidOperation:
                    raise self.pa.ArrowInvalid(f"{value!r} is no decimal number") from None
        return self.compile(node)

    def _call(self, node: ast.Call) -> Any:
        pc = self.pc
        if isinstance(node.func, ast.Name):
            if node.func.id == "col":
                return self._column(node.args[0].value)  # type: ignore[attr-defined]
            function = {"len": pc.utf8_length, "abs": pc.abs_checked, "isnan": pc.is_nan}[node.func.id]
            return function(self.compile(node.args[0]))
        assert isinstance(node.func, ast.Attribute)
        value, name = self.compile(node.func.value), node.func.attr
        plain = {"lower": pc.utf8_lower, "upper": pc.utf8_upper, "strip": pc.utf8_trim_whitespace}
        if name in plain:
            return plain[name](value)
        match = {"startswith": pc.starts_with, "endswith": pc.ends_with, "contains": pc.match_substring}[name]
        return match(value, node.args[0].value)  # type: ignore[attr-defined]
