"""Edits of a user's spec: what he wrote stays, what was asked for is added."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import SpecError, UsageError
from mldata.spec import InvalidSpec, parse_dataset, parse_spec
from mldata.specedit import TEMPLATE, add_dataset

NEW = {"source": "data/*.csv", "split": {"train": 0.8, "test": 0.2}, "export": {"formats": ["csv"]}}
BLOCK = """\
  new:
    source: data/*.csv
    split: {train: 0.8, test: 0.2}
    export: {formats: [csv]}
"""


def added(text: str, dataset: dict[str, Any] = NEW) -> str:
    """The edited text, checked for its meaning and for holding every old line in order."""
    new = add_dataset(text, "new", dataset)
    old, got = parse_spec(text, "f").to_plain(), parse_spec(new, "f").to_plain()
    assert got == old | {"datasets": {**old["datasets"], "new": parse_dataset("new", dataset)}}
    assert list(got["datasets"])[-1] == "new"
    return new


def test_the_template_takes_a_dataset() -> None:
    """mldata init, then mldata add: the comments stay and the dataset follows them."""
    assert parse_spec(TEMPLATE, "f").to_plain()["datasets"] == {}
    assert added(TEMPLATE) == TEMPLATE + BLOCK


def test_the_template_is_right() -> None:
    """Its example, without the comment signs, is a valid spec."""
    head, example = TEMPLATE.split("  #\n")
    lines = [line.replace("  # ", "  ", 1) for line in example.splitlines()]
    spec = parse_spec(head.replace("# store", "store").replace("# link", "link") + "\n".join(lines), "f")
    assert list(spec.datasets) == ["penguins"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 1\n", "version: 1\n\ndatasets:\n" + BLOCK),
        ("version: 1", "version: 1\ndatasets:\n" + BLOCK),
        (
            "version: 1\ndatasets: {}  # none yet\n# end\n",
            "version: 1\ndatasets:  # none yet\n" + BLOCK + "# end\n",
        ),
        ("version: 1\ndatasets: ~\nsalt: x\n", "version: 1\ndatasets:\n" + BLOCK + "salt: x\n"),
        ("datasets:\nversion: 1\n", "datasets:\n" + BLOCK + "version: 1\n"),
        (
            "version: 1\ndatasets:\n  a: {source: 'x'}   # c\n  # more\n\n# end\nsalt: x",
            "version: 1\ndatasets:\n  a: {source: 'x'}   # c\n" + BLOCK + "  # more\n\n# end\nsalt: x",
        ),
        (
            "version: 1\ndatasets:\n  a:\n    source: x\n    # of a\n\n  b:\n    source: y\n\n\nsalt: x\n",
            "version: 1\ndatasets:\n  a:\n    source: x\n    # of a\n\n  b:\n    source: y\n\n"
            + BLOCK
            + "\n\nsalt: x\n",
        ),
        (
            "version: 1\ndatasets:\n    a:\n        source:\n        - x\n        - >-\n          y\n          z\n\nsalt: x\n",
            "version: 1\ndatasets:\n    a:\n        source:\n        - x\n        - >-\n          y\n          z\n"
            + BLOCK.replace("  ", "    ").replace("train: 0.8", "train: 0.8")
            + "\nsalt: x\n",
        ),
        ("---\nversion: 1\ndatasets:\n a: {source: x}\n...\n", None),
        (
            "version: 1\ndatasets: {a: {source: x},}  # c\n",
            "version: 1\ndatasets: {a: {source: x}, new: {source: data/*.csv, split: {train: 0.8, test: 0.2}, "
            "export: {formats: [csv]}},}  # c\n",
        ),
        ("{version: 1}", None),
        ("{version: 1, datasets: {}}", None),
        ("{version: 1, datasets: }", None),
        ("{version: 1, datasets: {a: {source: x}}, salt: y}", None),
        ("version: 1\ndatasets:\n  {}\n", None),
        ("  version: 1\n  datasets:\n    a: {source: [x,\n      y]}", None),
        ('version: 1\ndatasets:\n  "a":\n    source: "x \\\n      y"\n', None),
    ],
)
def test_where_it_goes(before: str, after: str | None) -> None:
    """At the end of the datasets, in the style of the file, leaving every other character."""
    got = added(before)
    if after is not None:
        assert got == after


def test_foreign_line_ends_stay() -> None:
    """A file with CRLF gets lines with CRLF."""
    text = "version: 1\r\ndatasets:\r\n  a: {source: x}\r\n"
    assert added(text) == text + BLOCK.replace("\n", "\r\n")


def test_a_known_name() -> None:
    """It is not overwritten; the error names its line."""
    with pytest.raises(UsageError, match="'new' is there already") as caught:
        add_dataset("version: 1\ndatasets:\n  new: {source: x}\n", "new", NEW)
    assert str(caught.value.where) == "mldata.yaml:3:3"


def test_what_is_wrong_is_refused() -> None:
    """A bad spec, a bad new dataset, and exports that clash are all told before anything is written."""
    with pytest.raises(InvalidSpec, match="unknown key"):
        add_dataset("version: 1\nx: 1\n", "new", NEW)
    with pytest.raises(InvalidSpec, match="new: split: expected shares that sum to 1"):
        add_dataset("version: 1\n", "new", {"source": "x", "split": {"a": 0.5}})
    with pytest.raises(InvalidSpec, match="the exports of 'a' and 'new' would share"):
        add_dataset(
            "version: 1\ndatasets: {a: {source: x, export: {to: out}}}",
            "new",
            NEW | {"export": {"to": "out"}},
        )
    with pytest.raises(InvalidSpec, match="dataset name"):
        add_dataset("version: 1\n", "A b", NEW)


def test_a_layout_that_cannot_be_edited() -> None:
    """Rather than guess, it says what to add by hand."""
    with pytest.raises(SpecError, match="add by hand:\n  new:\n    source: data") as caught:
        add_dataset("version: 1\n? datasets\n: \n", "new", NEW)
    assert not isinstance(caught.value, InvalidSpec)


words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=10) | st.sampled_from(
    [
        "no",
        "1",
        "1.0",
        "1e3",
        "0x1",
        "~",
        "null",
        "a: b",
        "a #b",
        "- a",
        "*",
        "[x]",
        "x,y",
        "{a}",
        "é",
        "\u2028",
        "---",
        "...",
    ]
)
layouts = st.sampled_from(
    [
        TEMPLATE,
        "version: 1\ndatasets: {a: {source: x}}\n",
        "version: 1\ndatasets:\n  a: {source: x}\nsalt: s\n",
        "{version: 1}",
    ]
)


@settings(deadline=None, max_examples=60)
@given(
    layouts,
    st.lists(words.map(lambda w: f"raw/{w}") | words, min_size=1, max_size=8, unique=True),
    words,
    words,
)
def test_any_text_survives(layout: str, sources: list[str], column: str, null: str) -> None:
    """Whatever the names are, they are quoted so that they come back as they were."""
    dataset = {
        "source": [source for source in sources if "://" not in source] or ["x"],
        "normalize": {"nulls": [null], "rename": {column: f"{null}!"}},
        "split": {"train": 1.0, "stratify": column},
    }
    new = added(layout, dataset)
    assert all(
        line in new.splitlines() for line in layout.splitlines() if not line.startswith(("{", "datasets: {"))
    )
