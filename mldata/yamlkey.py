"""Names of columns as YAML has them, for what is suggested to be written into a spec."""

from __future__ import annotations

import re

__all__ = ["types_setting", "yaml_key"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ .-][A-Za-z0-9_]+)*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""What YAML takes for something else than text: https://yaml.org/type/bool.html, https://yaml.org/type/null.html."""


def yaml_key(name: str) -> str:
    """A name as a key or a value that YAML reads back as it is; in double quotes, where it may not stand without. It has no backtick."""
    if _PLAIN.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return f'"{"".join(map(_escaped, name))}"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() and sign != "`" else f"\\U{ord(sign):08x}"


def types_setting(column: str, kind: str) -> str:
    """What to write into a spec so that a column is read as a type."""
    return f"normalize: {{types: {{{yaml_key(column)}: {kind}}}}}"
