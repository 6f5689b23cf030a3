"""What texts look like, and what words they have."""

from __future__ import annotations

from collections import Counter

import pytest

from mldata.profile import looks
from mldata.profile.looks import looks_of, words_of


@pytest.mark.parametrize(
    ("look", "texts"),
    [
        ("number", ["1", "-1.5", "+2e10", " 3 ", "1,234,567.8", ".5", "1."]),
        ("date", ["2024-01-31", "31.12.2024", "12/31/2024", "2024/1/2"]),
        ("datetime", ["2024-01-31T10:20", "2024-01-31 10:20:30.123Z", "2024-01-31T10:20:30+02:00"]),
        ("boolean", ["true", "False", "YES", "n"]),
        ("url", ["https://example.org/a?b=c", "www.example.org", "s3://bucket/key"]),
        ("email", ["somebody@example.org", "a.b+c@mail.example.co.uk"]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"]),
        ("path", ["/usr/lib", "./here", "../there/x", "~/notes.txt", "C:\\data\\x.csv", "images/cat/1.jpg"]),
        (None, ["", "  ", "hello", "and/or", "1.2.3", "12:30", "a@b", ".", "+", "1e", "x=1", "1/2"]),
    ],
)
def test_looks(look: str | None, texts: list[str]) -> None:
    """Each text has at most one look, the right one."""
    for text in texts:
        assert looks_of(Counter([text])) == ({look: 1} if look else {}), text


def test_hostile_texts_take_no_time() -> None:
    """Texts that nearly fit are given up at once."""
    for piece in ("a/", "1,111", "a.", "a@", "a-", "../", " \t"):
        assert looks_of(Counter([piece * 128 + "\x00 \x00"])) == {}


def test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are counted over all texts, in lower case; of too many the frequent ones are told."""
    texts = Counter(["The cat", "the dog", "the dog", "naïve 日本", ""])
    found = words_of(texts)
    assert found.values == (("the", 3), ("dog", 2), ("cat", 1), ("naïve", 1), ("日本", 1))
    assert found.complete
    monkeypatch.setattr(looks, "WORDS", 2)
    cut = words_of(texts)
    assert (cut.values, cut.rest, cut.over, cut.complete) == ((("the", 3), ("dog", 2)), 3, 1, False)
