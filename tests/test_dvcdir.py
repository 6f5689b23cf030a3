"""DVC's list of a folder, byte for byte, and what is refused in one of somebody else's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.dvcdir import BadDir, dir_object, parse_dir

A, B = "60b725f10c9c85c70d97880dfe8191b3", "3b5d5c3712955042212316173ccf37be"
NAMES = st.text("abüz-. 7", min_size=1, max_size=4).filter(
    lambda it: it.strip(". ") != "" and it[-1] not in ". "
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


def test_the_bytes_are_those_of_dvc_add() -> None:
    """What DVC 3.67 writes for ``a.csv`` ("a\\n") and ``m/ü.png`` ("b\\n")."""
    made = dir_object({"m/ü.png": B, "a.csv": A})
    assert made.data == (
        b'[{"md5": "60b725f10c9c85c70d97880dfe8191b3", "relpath": "a.csv"}, '
        b'{"md5": "3b5d5c3712955042212316173ccf37be", "relpath": "m/\\u00fc.png"}]'
    )
    assert made.md5 == "a8b7d3f17946b05ca81f15cc00d1f153.dir"


def test_whole_paths_are_sorted_not_folders() -> None:
    """``a-b`` comes before ``a/b``, since ``-`` comes before ``/``: a walk by folders would have it the other way."""
    paths = [entry["relpath"] for entry in json.loads(dir_object({"a/b": A, "a-b": A, "a.b": A}).data)]
    assert paths == ["a-b", "a.b", "a/b"]


@settings(max_examples=30)
@given(st.dictionaries(PATHS, st.sampled_from([A, B]), max_size=5))
def test_what_is_written_is_read(files: dict[str, str]) -> None:
    """Reading gives the files back, in whatever order they were given."""
    data = dir_object(files).data
    assert parse_dir(data) == files
    assert dir_object(dict(reversed(files.items()))).data == data


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "a JSON dict"),
        (b'[{"md5": "%s"}]' % A.encode(), "entry 1"),
        (b'[{"md5": "zz", "relpath": "a"}]', "entry 1"),
        (b'[{"md5": "%s", "relpath": "../a"}]' % A.encode(), "'../a'"),
        (b'[{"md5": "%s", "relpath": "/etc/passwd"}]' % A.encode(), "absolute"),
        (
            b'[{"md5": "%s", "relpath": "a"}, {"md5": "%s", "relpath": "a"}]' % (A.encode(), B.encode()),
            "twice",
        ),
    ],
)
def test_hostile_lists_are_refused(data: bytes, found: str) -> None:
    """What is no list of files with safe paths is an error that says what was found."""
    with pytest.raises(BadDir, match=found.replace("(", r"\(")):
        parse_dir(data)
