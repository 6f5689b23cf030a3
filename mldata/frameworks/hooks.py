"""Methods that the user may override: what a value of a nested column becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata.frameworks.literal import assignment
from mldata.frameworks.naming import hook_names, in_docstring

if TYPE_CHECKING:
    from mldata.frameworks.base import Described

__all__ = ["hook_constants", "hook_methods"]

_CALLS = '''    def decode_nested(self, row: dict[str, Any]) -> dict[str, Any]:
        """Put what its hook returns in place of each nested value of a row."""
        for name, hook in NESTED.items():
            if name in row:
                row[name] = getattr(self, hook)(row[name])
        return row
'''


def hook_constants(described: Described) -> list[str]:
    """``NESTED``: the name of the method of each nested column, if there is one."""
    names = hook_names([column.name for column in described.of_role("nested")])
    doc = "Columns of lists, structs and maps, and the method that decodes each."
    return [assignment("NESTED", "dict[str, str]", names, doc)] if names else []


def hook_methods(described: Described) -> str:
    """A method for each nested column and ``decode_nested``, indented for a class; empty where there is no such column."""
    names = hook_names([column.name for column in described.of_role("nested")])
    methods = [
        f"    def {name}(self, value: Any) -> Any:\n"
        f'        """A value of {in_docstring(column, "a column")}: Python objects as they are; override it."""\n'
        "        return value\n"
        for column, name in names.items()
    ]
    return "\n".join([*methods, _CALLS]) if methods else ""
