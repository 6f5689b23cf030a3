"""Where two files differ first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata import bytediff
from mldata.bytediff import bytes_difference


def difference(folder: Path, old: bytes, new: bytes) -> bytediff.ByteDifference | None:
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    return bytes_difference(folder / "old", folder / "new")


@pytest.mark.parametrize(
    ("old", "new", "where", "expected", "got"),
    [
        (b"a,b\n1,2\n", b"a,b\n1,3\n", "line 2, column 3", "1,2", "1,3"),
        (b"a\n", b"a\nb\n", "line 2, column 1", "", "b"),
        (b"", b"x", "line 1, column 1", "", "x"),
        (b"a" * 100 + b"x", b"a" * 100 + b"y", "line 1, column 101", "a" * 24 + "x", "a" * 24 + "y"),
        ("é".encode() * 40 + b"x", "é".encode() * 40 + b"y", "line 1, column 81", "é" * 12 + "x", "é" * 12 + "y"),
        (b"PAR1\0\1", b"PAR1\0\2", "byte 5", "'PAR1\\x00\\x01'", "'PAR1\\x00\\x02'"),
        (b"\xff\xfea", b"\xff\xfeb", "byte 2", "'\\xff\\xfea'", "'\\xff\\xfeb'"),
    ],
)  # fmt: skip
def test_a_text_by_line_and_other_bytes_by_number(
    old: bytes, new: bytes, where: str, expected: str, got: str, tmp_path: Path
) -> None:
    """Line and column count from 1; the text around the difference is shown."""
    found = difference(tmp_path, old, new)
    assert found is not None
    assert (found.where, found.expected, found.got) == (where, expected, got)


@given(
    same=st.binary(max_size=40), old=st.binary(max_size=9), new=st.binary(max_size=9), chunk=st.integers(1, 7)
)
def test_the_first_byte_is_found(
    same: bytes, old: bytes, new: bytes, chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the pieces in which files are read."""
    one, two = same + old, same + new
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bytediff, "CHUNK", chunk)
        found = difference(tmp_path_factory.mktemp("files"), one, two)
    if one == two:
        assert found is None
        return
    assert found is not None
    assert one[: found.offset] == two[: found.offset]
    assert one[found.offset : found.offset + 1] != two[found.offset : found.offset + 1]
    if found.line is not None:
        lines = one[: found.offset].split(b"\n")
        assert (found.line, found.column) == (len(lines), len(lines[-1]) + 1)
