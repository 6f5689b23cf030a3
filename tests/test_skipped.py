"""Skipped files by suffix."""

from __future__ import annotations

from mldata.skipped import skipped_facts, skipped_text


def test_counted_by_suffix() -> None:
    """The most frequent suffix first, in lower case; a name without one counts as such."""
    facts = skipped_facts(["b/A.TXT", "a.txt", "README", "c.d/x", ".env", "n.md"])
    assert facts["count"] == 6
    assert list(facts["suffixes"].items()) == [("without suffix", 3), (".txt", 2), (".md", 1)]
    assert (
        skipped_text(facts)
        == "3 without suffix, 2 .txt, 1 .md (b/A.TXT, a.txt, README, c.d/x, .env and 1 more)"
    )
    assert skipped_facts([]) == {"count": 0, "names": []}


def test_facts_stay_small() -> None:
    """Of very many suffixes and names, some are named and all are counted; a receipt's order of keys does not matter."""
    facts = skipped_facts([f"a.{number:03d}" for number in range(100)] + ["b.zz"] * 5)
    assert (len(facts["names"]), len(facts["suffixes"]), sum(facts["suffixes"].values())) == (20, 21, 105)
    shuffled = {**facts, "suffixes": dict(sorted(facts["suffixes"].items()))}
    text = skipped_text(shuffled)
    assert text.startswith("5 .zz, 1 .000,") and "81 others (a.000" in text and text.endswith("and 100 more)")


def test_builds_of_before() -> None:
    """What older builds recorded can still be shown."""
    assert skipped_text({"count": 2, "names": ["a.txt", "b.txt"]}) == "a.txt, b.txt"
