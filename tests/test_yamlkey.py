"""Names as YAML has them."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mldata.yamlkey import types_setting, yaml_key


@given(st.text())
@example("null")
@example("No")
@example("1e5")
@example("2020-01-01")
@example("a: b")
@example("tick`s")
@example("👩\u200d🚀")
def test_yaml_reads_back_the_name(name: str) -> None:
    """As a key and as a value, in a flow mapping; and no backtick ends the code that it stands in."""
    told = yaml_key(name)
    assert "`" not in told
    assert yaml.safe_load(f"{{{told}: [{told}]}}") == {name: [name]}


@pytest.mark.parametrize("name", ["a", "sepal_length", "Sepal Length", "a.b", "x-1"])
def test_usual_names_stand_alone(name: str) -> None:
    """Quotes are only where they are needed."""
    assert types_setting(name, "int64") == f"normalize: {{types: {{{name}: int64}}}}"
