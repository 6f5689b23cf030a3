"""Paths in a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import BadDigest, Digest, Layout, digest_bytes
from store.layout import FOLDERS, FORMAT_LINE


def test_objects_and_results_are_fanned_out_by_two_characters() -> None:
    """The full digest is the name."""
    layout, digest = Layout(Path("s")), digest_bytes(b"")
    assert layout.object(digest) == Path("s/objects/af") / digest
    assert layout.action(digest) == Path("s/actions/af") / digest
    assert FORMAT_LINE == "mldata-store 1\n" and "objects" in FOLDERS


def test_no_path_is_made_from_what_is_no_digest() -> None:
    """``..`` never becomes part of a path."""
    for text in ("..", "../../x", "a" * 63):
        with pytest.raises(BadDigest):
            Layout(Path("s")).object(Digest(text))
        with pytest.raises(BadDigest):
            Layout(Path("s")).action(Digest(text))
