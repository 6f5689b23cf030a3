"""What files of the web are called, whatever a server says. (Which name is chosen: tests/sources/test_http.py.)"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mldata.download.filenames import file_name
from mldata.download.stated import stated_digests
from store import split_path

HEADERS = st.sampled_from(
    [
        "content-disposition",
        "content-type",
        "digest",
        "repr-digest",
        "x-goog-hash",
        "content-md5",
        "x-amz-checksum-sha1",
    ]
)
PIECES = st.sampled_from(
    ["attachment", "; filename=", "; filename*=UTF-8''", '"', "..", "/", "\\", "%00", "%2F", "con", ".csv", "*0=", "=", ":", ",", "sha-256", "\x00", "é"]
)  # fmt: skip
VALUES = st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)


@given(st.lists(PIECES).map("".join), st.dictionaries(HEADERS, VALUES))
def test_a_name_is_always_safe(path: str, headers: dict[str, str]) -> None:
    """No path and no header makes a name that cannot stand in one folder, or fails."""
    name = file_name(f"https://h/{path}", "https://h/x", headers)
    assert split_path(name) == [name] and name.isprintable()
    assert all(len(value) in (64, 40, 32) for value in stated_digests(headers, whole=True).values())
