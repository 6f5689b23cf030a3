"""What the checks count is what a database counts."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from mldata.checks import CHECKS
from mldata.checks.base import Finding
from mldata.testing.checks import check_pieces

ROWS = 3000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Rows of which many are equal, with nulls, NaN and odd values, each in a part."""
    random = np.random.default_rng(5)
    numbers = random.integers(0, 40, ROWS)
    words = random.choice(["a", "bb", "ccc", ""], ROWS)
    floats = random.choice([0.5, 1.5, np.nan], ROWS)
    return pa.table(
        {
            "n": pa.array(numbers, mask=random.random(ROWS) < 0.1),
            "w": pa.array(words, mask=random.random(ROWS) < 0.2),
            "x": pa.array(floats, mask=random.random(ROWS) < 0.3, from_pandas=False),
            "part": random.choice(["train", "val", "test"], ROWS, p=[0.8, 0.1, 0.1]),
        }
    )


def findings(check: str, table: pa.Table, **params: Any) -> list[Finding]:
    parts = {
        name: np.flatnonzero(np.array(table["part"]) == name).tolist() for name in ("train", "val", "test")
    }
    rows = table.drop_columns("part")
    pieces = [rows.slice(at, 700) for at in range(0, ROWS, 700)]
    found = check_pieces(CHECKS[check], params, pieces, parts=parts)
    assert not isinstance(found, str)
    return found


def asked(table: pa.Table, query: str) -> Any:
    with duckdb.connect() as database:
        database.register("t", table)
        return database.sql(query).fetchall()


def test_missing(table: pa.Table) -> None:
    """Nulls by column and part."""
    for finding in findings("missing", table, max=0, columns={}, row=None, sentinels=[]):
        empty = " and ".join(f"{name} is null" for name in ("n", "w", "x"))
        where = empty if finding.code == "row-empty" else f"{finding.column} is null"
        if finding.code == "row-mostly-missing":
            where = "(n is null)::int + (w is null)::int + (x is null)::int = 2"
        counts = asked(table, f"select part, count(*) from t where {where} group by part")
        assert finding.parts == dict(counts)
        assert finding.rows == sum(finding.parts.values()) > 0


def test_schema(table: pa.Table) -> None:
    """Values out of range (DuckDB, too, has NaN above all numbers), that are not allowed, of another pattern or length, or there again."""
    columns = {
        "n": {"min": 3, "max": 30, "unique": True},
        "w": {"pattern": "[ab]*", "allowed": ["a", "bb"], "min_length": 1, "max_length": 2},
        "x": {"max": 1},
    }
    queries = {
        ("n", "range"): "n not between 3 and 30",
        ("w", "pattern"): "not regexp_full_match(w, '[ab]*')",
        ("w", "allowed"): "w not in ('a', 'bb')",
        ("w", "length"): "length(w) not between 1 and 2",
        ("x", "range"): "x > 1",
    }
    found = {
        (it.column, it.code): it
        for it in findings("schema", table, columns=columns, extra="allow", unseen=None)
    }
    [(again,)] = asked(table, "select count(n) - count(distinct n) from t")
    assert found.pop(("n", "unique")).rows == again
    assert found.keys() == queries.keys()
    for at, finding in found.items():
        counts = asked(table, f"select part, count(*) from t where {queries[at]} group by part")
        assert finding.parts == dict(counts), at


@pytest.mark.parametrize("columns", [[], ["n"], ["n", "x"]])
def test_duplicates(table: pa.Table, columns: list[str]) -> None:
    """Rows that are there again within a part, and rows of a later part that an earlier one has; null equals null."""
    names = columns or ["n", "w", "x"]
    keys = ", ".join(names)
    same = " and ".join(f"a.{name} is not distinct from b.{name}" for name in names)
    found = findings("duplicates", table, within=0, across=0, columns=columns)
    within = {it.part: it.rows for it in found if it.code == "duplicate-within"}
    query = (
        f"select part, sum(c - 1) from (select part, count(*) c from t group by part, {keys}) group by part"
    )
    assert within == {part: int(count) for part, count in asked(table, query) if count}
    across = {it.part: it.rows for it in found if it.code == "duplicate-across"}
    order = "case {}.part when 'train' then 0 when 'val' then 1 else 2 end"
    earlier = f"exists(select 1 from t b where {same} and {order.format('b')} < {order.format('a')})"
    assert across == dict(asked(table, f"select part, count(*) from t a where {earlier} group by part"))
