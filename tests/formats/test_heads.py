"""What is cut off the beginning of a file is whole records, and enough of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.formats import csvhead, heads, jsonhead, load_format
from mldata.formats import json as jsonformat
from mldata.formats.base import Options, SourceFile
from mldata.formats.heads import Uncut

text = st.text(st.sampled_from("ab \",\n;é[{}]\\:'"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


@contextmanager
def small_steps(size: int) -> Iterator[None]:
    """So little is taken at a time that files are cut at every place."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (heads, jsonhead):
            patch.setattr(module, "STEP", 1 + size // 3)
        for module in (jsonformat, jsonhead):
            patch.setattr(module, "FIRST_BYTES", size)
        patch.setattr(csvhead, "FIRST_BYTES", max(size, 64))
        yield


def head(format: str, data: bytes, rows: int, **options: Any) -> bytes:
    """The file that a format cuts off ``data``."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(b"")
        file = SourceFile(f"a.{format}", path, "", len(data))
        used = load_format(format).head(file, io.BytesIO(data), Options(**options), rows)
        assert used == format
        return path.read_bytes()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(text, text), min_size=1, max_size=30),
    st.integers(0, 35),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 60),
)
def test_records_of_csv(rows: list[tuple[str, str]], wanted: int, quoting: Any, end: str, size: int) -> None:
    """Of quoted values with line ends, quotes and delimiters in them none is cut in two."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator=end)
    writer.writerows([("x", "y"), *rows])
    data = out.getvalue().encode()
    with small_steps(size):
        made = head("csv", data, wanted, delimiter=",", quote='"', header=True, comment="")
    assert data.startswith(made)
    read = list(csv.reader(io.StringIO(made.decode(), newline="")))
    assert read == [["x", "y"], *map(list, rows)][: len(read)]
    assert len(read) > min(wanted, len(rows)) or made == data


@settings(max_examples=40)
@given(
    st.lists(st.dictionaries(text, values, max_size=3), max_size=12), st.integers(0, 15), st.integers(1, 60)
)
def test_lines_of_json(rows: list[Any], wanted: int, size: int) -> None:
    """Lines are whole objects, from the first on."""
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with small_steps(size):
        made = head("jsonl", data, wanted)
    read = [json.loads(line) for line in made.splitlines()]
    assert read == rows[: len(read)]
    assert len(read) >= min(wanted, len(rows))


@settings(max_examples=40)
@given(
    st.lists(st.dictionaries(text, values, max_size=3), min_size=1, max_size=12),
    st.integers(0, 15),
    st.integers(1, 60),
    st.sampled_from([None, 1]),
)
def test_elements_of_an_array(rows: list[Any], wanted: int, size: int, indent: int | None) -> None:
    """What is cut off an array is an array again, of its first elements."""
    data = json.dumps(rows, indent=indent, ensure_ascii=False).encode()
    with small_steps(size):
        made = head("json", data, wanted)
    read = json.loads(made)
    assert read == rows[: len(read)]
    assert len(read) >= min(wanted, len(rows))


def test_records_inside_of_an_object() -> None:
    """Records that stand inside of an object cannot be cut off: the file has to be read as a whole, if it is not a small one."""
    data = json.dumps({"data": [{"x": n} for n in range(100)]}).encode()
    with small_steps(20), pytest.raises(Uncut):
        head("json", data, 1)
    assert head("json", data, 1) == data


def test_what_is_no_table() -> None:
    """A file whose records never end is taken up to a limit, for its format to say what is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "LONGEST", 1000)
        made = head("jsonl", b"[" * 3_000_000, 5)
    assert len(made) == heads.FIRST_BYTES
