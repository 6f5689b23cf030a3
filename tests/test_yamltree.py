"""The YAML reader that keeps positions and resolves nothing behind one's back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.yamltree import MAX_CHARACTERS, Mapping, Scalar, Sequence, compose


def root(text: str) -> object:
    document = compose(text, "f.yaml")
    assert not document.problems
    return document.root


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        (".nan", ".nan"),
        ("'1'", "1"),
        ("1" * 5000, "1" * 5000),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
    ],
)
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    """YAML 1.1's surprises stay text; the text as written is kept beside the value."""
    scalar = root(f"[{written}]").items[0]  # type: ignore[attr-defined]
    assert scalar.value == value
    assert type(scalar.value) is type(value)
    assert scalar.text == written.strip("'")


def test_positions_count_from_one_in_characters() -> None:
    """Line and column are those that an editor shows, also behind characters of several bytes."""
    tree = root("é: [ü, x]\nb:\n  c: 1\n")
    assert isinstance(tree, Mapping)
    items = tree.entries[0][1]
    assert isinstance(items, Sequence)
    assert (items.items[1].span.line, items.items[1].span.column) == (1, 8)
    found = tree.find("b")
    assert found is not None
    assert isinstance(found[1], Mapping)
    assert found[1].entries[0][1] == Scalar("1", None, found[1].entries[0][1].span)
    assert (found[1].span.line, found[1].span.column) == (3, 3)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (BOMB, "1:4", "anchors and aliases"),
        ("a: *x", "1:4", "anchors and aliases"),
        ("a: **/x", "1:5", "alias"),
        ("a: 1\nb:\n  <<: *a\n", "3:7", "anchors and aliases"),
        ("a: !!python/object:os.system x", "1:4", "tags"),
        ("a: ! x", "1:4", "tags"),
        ("a: !!set {x}", "1:4", "tags"),
        ("a:\n\tb: 1\n", "2:1", "tab"),
        ("a: 1\n---\nb: 1\n", "2:1", "second"),
        ("? [x]\n: 1\n", "1:3", "name as key"),
        ("{{a: 1}: 2}", "1:2", "name as key"),
        ("[" * 2000, "1:41", "nesting"),
        ("a: b: c", "1:5", "mapping values"),
        ("a: 'x", "1:6", "end of stream"),
        ("a: b\x07", "1:5", "U+0007"),
        ("\ufeffa: b", "1:1", "byte order mark"),
        (b"\xef\xbb\xbfa: b", "1:1", "byte order mark"),
        ("é: b\nc: é\xe9".encode("latin-1"), "1:1", "UTF-8"),
        (b"a: b\nc: \xc3\xa9\xff", "2:5", "0xff"),
        ("a: b".encode("utf-16-be"), "1:1", "U+0000"),
        ('a: "\\ud800"', "1:7", "escape"),
        ("%YAML 3.1\n---\na: b", "1:1", "incompatible"),
        ("a" * (MAX_CHARACTERS + 1), "1:1", "at most"),
    ],
)
def test_faults_have_a_place(text: str | bytes, place: str, words: str) -> None:
    """What cannot be read safely is refused at once, with line and column."""
    document = compose(text, "f.yaml")
    assert document.root is None
    (problem,) = document.problems
    assert str(problem.where) == f"f.yaml:{place}"
    assert words in str(problem)


def test_every_duplicate_key_is_told() -> None:
    """A key given twice is reported where it comes again, and names where it came first."""
    document = compose("a: 1\nb: {x: 1, x: 2}\na: 3\n", "f.yaml")
    assert [str(problem.where) for problem in document.problems] == ["f.yaml:2:11", "f.yaml:3:1"]
    assert "line 1, column 1" in document.problems[1].message


def test_an_empty_text_has_no_root() -> None:
    """Nothing, or only comments, is no fault of YAML."""
    assert compose("", "f") == compose(b"# only this\n", "f") == (None, ())


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200) | st.text("[]{}:,-?&*!|>'\"%@`#ab1\n \t", max_size=80))
def test_no_input_makes_it_raise(text: str | bytes) -> None:
    """Whatever is read, there is a tree or a problem."""
    document = compose(text, "f.yaml")
    assert document.root is None or isinstance(document.root, Scalar | Sequence | Mapping)
    assert all(problem.where.line for problem in document.problems)
