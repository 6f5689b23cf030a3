"""How a column is told: what its values are to whoever reads of them, rather than to Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata.profile import summary as forms

if TYPE_CHECKING:
    from mldata.profile.summary import ColumnSummary

__all__ = ["role_of"]

_BY_KIND = {
    forms.NUMERIC: "number",
    forms.BOOLEAN: "boolean",
    forms.TIME: "time",
    forms.TEXT: "text",
    forms.BINARY: "binary",
    forms.LIST: "list",
}


def role_of(column: ColumnSummary) -> str:
    """See :attr:`mldata.profile.profile.ColumnProfile.role`."""
    if not column.values:
        return "empty"
    if column.distinct is not None and column.distinct.estimate == 1:
        return "constant"
    if column.kind == forms.TEXT and column.categorical:
        return "category"
    return _BY_KIND.get(column.kind, "other")
