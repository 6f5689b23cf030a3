"""Files are added to what a dataset excludes, and taken out again; what the user wrote stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import SpecError, UnknownDataset, UsageError
from mldata.spec import parse_spec
from mldata.specexclude import exclude, exclude_files, include, include_files

D1, D2 = "1a" * 32, "2b" * 32
FILES = {"a/b.jpg": D1, "x: y #.png": D2, "*odd[1].jpg": None}
HEAD = "# mine\nversion: 1\ndatasets:\n"
LAYOUTS = {
    "no normalize": "  d:\n    source: x # here\n    # split\n    split: {train: 0.5, test: 0.5}\n",
    "sources in lines": "  d:\n    source:\n      - x\n      - y\n    export: {}\n",
    "nothing else": "  d:\n    source: x",
    "flow": "  d: {source: x}\n  e: {source: y}\n",
    "flow normalize": "  d: {source: x, normalize: {drop: [a]}, export: {}} # end\n",
    "block normalize": "  d:\n    source: x\n    normalize:\n      drop: [a]   # why\n      nulls:\n      - NA\n    export: {}\n",
    "normalize in a line": "  d:\n    source: x\n    normalize: {drop: [a]}\n",
    "empty normalize": "  d:\n    source: x\n    normalize: {}\n",
    "empty exclude": "  d:\n    source: x\n    normalize:\n      exclude: {}\n      drop: [a]\n",
    "some": f"  d:\n    source: x\n    normalize:\n      exclude:\n        # bad ones\n        0.jpg: {D1}\n        1.jpg:   # why\n    export: {{}}\n",
    "some in a line": f"  d:\n    source: x\n    normalize: {{exclude: {{0.jpg: {D1}}}}}\n",
}
"""With digests."""
LISTS = {
    "one": "  d:\n    source: x\n    normalize: {exclude: 0.jpg}\n",
    "flow list": "  d: {source: x, normalize: {exclude: [0.jpg, 1.jpg]}}\n",
    "block list": "  d:\n    source: x\n    normalize:\n      exclude:\n      - 0.jpg # bad\n      - 1.jpg\n      drop: [a]\n",
}
"""Of paths alone."""


def excluded(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = (
        parse_spec(text, "f").to_plain()["datasets"]["d"]["normalize"].get("exclude", {})
    )
    return found


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_added_and_taken_out(layout: str, newline: str) -> None:
    """Whatever the layout, files are added with their digests and nothing else is touched; taking them out gives the text that was there."""
    text = (HEAD + LAYOUTS[layout]).replace("\n", newline)
    new = exclude_files(text, "d", FILES)
    assert excluded(new) == excluded(text) | FILES
    rest = iter(new)
    if layout not in ("empty normalize", "empty exclude"):
        assert all(char in rest for char in text)  # every character is there, in order
    if newline == "\r\n":
        assert "\n" not in new.replace("\r\n", "")
    assert exclude_files(new, "d", FILES) == new
    back = include_files(new, "d", list(FILES))
    assert parse_spec(back, "f").to_plain() == parse_spec(text, "f").to_plain()
    if layout not in ("empty normalize", "empty exclude"):
        assert back.rstrip() == text.rstrip()


@pytest.mark.parametrize("layout", LISTS)
def test_lists(layout: str) -> None:
    """A list stays one: paths alone are added."""
    text = HEAD + LISTS[layout]
    new = exclude_files(text, "d", {"9.jpg": D1})
    assert excluded(new) == excluded(text) | {"9.jpg": None}
    assert excluded(include_files(new, "d", ["9.jpg"])) == excluded(text)
    assert "exclude" not in include_files(new, "d") and excluded(include_files(new, "d")) == {}


def test_as_a_person_would() -> None:
    """A new entry stands in lines behind the source."""
    text = HEAD + LAYOUTS["no normalize"]
    lines = exclude_files(text, "d", {"a/b.jpg": D1}).splitlines()
    assert lines[4:9] == ["    source: x # here", "    normalize:", "      exclude:", f"        a/b.jpg: {D1}", "    # split"]  # fmt: skip


def test_another_digest() -> None:
    """A file that is excluded with another content gets the new digest where it stands."""
    text = HEAD + LAYOUTS["some"]
    new = exclude_files(text, "d", {"0.jpg": D2})
    assert new == text.replace(D1, D2)


def test_some_of_many() -> None:
    """Any of many can be taken out, in lines or in a row."""
    files: dict[str, str | None] = {f"{number}.jpg": None for number in range(6)}
    for layout in ("no normalize", "flow", "some in a line"):
        text = exclude_files(HEAD + LAYOUTS[layout], "d", files)
        for out in (["0.jpg"], ["0.jpg", "1.jpg", "4.jpg"], ["5.jpg"], ["1.jpg", "2.jpg", "5.jpg"]):
            assert excluded(include_files(text, "d", out)).keys() == excluded(text).keys() - set(out)


def test_mistakes() -> None:
    """A dataset or file that is not there, and a path that can be none, are errors and change nothing."""
    text = HEAD + LAYOUTS["some"]
    with pytest.raises(UnknownDataset, match="found 'nope'"):
        exclude_files(text, "nope", FILES)
    with pytest.raises(UsageError, match="found 'nope'"):
        include_files(text, "d", ["nope"])
    with pytest.raises(SpecError) as caught:
        exclude_files(text, "d", {"../x": None})
    assert caught.value.hint is not None and "by hand" in caught.value.hint


def test_files(tmp_path: Path) -> None:
    """The file is replaced when there is something to say, and left alone when there is not."""
    spec = tmp_path / "mldata.yaml"
    spec.write_bytes((HEAD + LAYOUTS["flow"]).encode())
    assert exclude(spec, "d", FILES) and not exclude(spec, "d", FILES)
    assert include(spec, "d") and not include(spec, "d")
    assert spec.read_text() == HEAD + LAYOUTS["flow"]


_PATH = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: not {"", ".", ".."} & set(text.split("/"))
)


@settings(max_examples=30)
@given(
    st.dictionaries(_PATH, st.sampled_from([D1, None, "1" * 64]), min_size=1, max_size=4),
    st.sampled_from([*LAYOUTS]),
)
def test_any_name(files: dict[str, str | None], layout: str) -> None:
    """Any name that a file may have is written so that it is read back."""
    text = HEAD + LAYOUTS[layout]
    new = exclude_files(text, "d", files)
    assert excluded(new) == excluded(text) | files
    assert excluded(include_files(new, "d", list(files))) == {
        k: v for k, v in excluded(text).items() if k not in files
    }
