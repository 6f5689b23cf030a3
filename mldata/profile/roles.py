"""How a column is told: what its values are to whoever reads of them, rather than to Arrow.

=============  =============================================================================================================
role           columns
=============  =============================================================================================================
``empty``      without any value
``constant``   of one value, nulls aside
``id``         of at least :data:`LEAST` values, all different: texts without a space, or integers that are dense (their range at most twice their number)
               or called ``id``, ``user_id``, ``key``, ``index`` or the like
``category``   texts of few different values (:attr:`mldata.profile.summary.ColumnSummary.categorical`)
``text``       all other texts
``number``, ``boolean``, ``time``, ``list``, ``binary``, ``other``    as their types are
=============  =============================================================================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mldata.profile import summary as forms

if TYPE_CHECKING:
    from mldata.profile.summary import ColumnSummary

__all__ = ["LEAST", "all_different", "is_integer", "role_of"]

LEAST = 20
"""Values that it takes to say what they are: few are all different by chance."""
LONGEST = 255
"""Characters that an id has at most."""
_ID = re.compile(r"(^|[\W_])(?i:id|ids|uuid|guid|key|idx|index)$|[a-z]I[dD]$")
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
    if all_different(column) and (_is_code(column) or _is_number(column)):
        return "id"
    return (
        "category" if column.kind == forms.TEXT and column.categorical else _BY_KIND.get(column.kind, "other")
    )


def all_different(column: ColumnSummary) -> bool:
    """Whether no value is there twice, for what is known: of an estimate within three standard errors."""
    if column.distinct is None or column.values < LEAST:
        return False
    return column.distinct.estimate >= column.values * (1 - 3 * column.distinct.error)


def is_integer(dtype: str) -> bool:
    """Of a type as Arrow writes it, also of a dictionary of one."""
    return re.match(r"(dictionary<values=)?u?int\d+\b", dtype) is not None


def _is_code(column: ColumnSummary) -> bool:
    """Texts without spaces that are neither numbers nor times."""
    texts = column.texts
    if texts is None or texts.characters.get("spaces", 0) or (texts.lengths.maximum or 0) > LONGEST:
        return False
    other = sum(texts.looks.get(look, 0) for look in ("number", "date", "datetime"))
    return 2 * other <= texts.looked


def _is_number(column: ColumnSummary) -> bool:
    numbers = column.numbers
    if column.kind != forms.NUMERIC or numbers is None or not is_integer(column.dtype):
        return False
    low, high = numbers.minimum, numbers.maximum
    dense = low is not None and high is not None and high - low < 2 * column.values
    return dense or _ID.search(column.name) is not None
