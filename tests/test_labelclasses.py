"""Which columns are labels, and their classes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from mldata import labelclasses
from mldata.labelclasses import class_columns, find_classes, label_column
from mldata.table import Table
from store import Store
from tests.stages.jobs import put_table


def classes_of(tmp_path: Path, *pieces: pa.Table) -> dict[str, tuple[str, ...]]:
    """The classes of a table of these fragments."""
    with Store.open(tmp_path / "store") as store:
        return find_classes(Table.open(store, put_table(store, list(pieces))))


def test_labels_are_known_by_name_or_type() -> None:
    """Text that is called so, in any case; text that is dictionary-encoded; no numbers, no lists."""
    words = pa.dictionary(pa.int8(), pa.string())
    schema = pa.schema(
        [
            ("Label", pa.string()),
            ("group", words),
            ("text", pa.string()),
            ("class", pa.int64()),
            ("target", pa.list_(pa.string())),
            ("codes", pa.dictionary(pa.int8(), pa.int64())),
        ]
    )
    assert class_columns(schema) == ["Label", "group"]


def test_classes_are_those_of_all_fragments_in_order(tmp_path: Path) -> None:
    """By their UTF-8, each once; missing ones are none, and so are words of a dictionary that no row has."""
    words = pa.DictionaryArray.from_arrays(pa.array([1, 1, None], pa.int8()), ["unused", "z"])
    first = pa.table({"label": ["b", None, "é"], "group": words})
    second = pa.table({"label": ["B", "b", "a"], "group": words})
    assert classes_of(tmp_path, first, second) == {"label": ("B", "a", "b", "é"), "group": ("z",)}


def test_too_many_values_or_none_are_no_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text of that name may be anything."""
    monkeypatch.setattr(labelclasses, "MOST_CLASSES", 3)
    table = pa.table({"label": list("abcd"), "class": list("abca"), "target": pa.nulls(4, pa.string())})
    assert classes_of(tmp_path, table) == {"class": ("a", "b", "c")}


@pytest.mark.parametrize(
    ("names", "label"),
    [(["group", "target", "Label"], "Label"), (["group"], "group"), (["a", "b"], None), ([], None)],
)
def test_what_is_to_be_learnt(names: list[str], label: str | None) -> None:
    """The most telling name, or else the only column with classes."""
    assert label_column(dict.fromkeys(names, ("x",))) == label
