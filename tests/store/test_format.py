"""FORMAT.md says what the code does: its examples are the bytes that the package writes."""

from __future__ import annotations

import re
from pathlib import Path

from store import KIND_FILE, Action, ActionResult, Digest, Output, Tree, TreeEntry, digest_bytes
from store import store as store_module
from store.actions import encode_result
from store.layout import FOLDERS, FORMAT_LINE
from store.seal import seal_nanoseconds

TEXT = (Path(store_module.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")


def test_examples_are_what_is_written() -> None:
    """Digest, seal, tree and result in the page are right, byte for byte."""
    digest = digest_bytes(b"hello\n")
    tree = Tree([TreeEntry("hello.txt", KIND_FILE, digest, 6)]).encode()
    action = Action(
        "split", 3, {"seed": 42, "parts": [["train", 0.8]]}, (("table", Digest("ab" * 32)),), {"numpy": "2.0"}
    )
    result = encode_result(action.key, ActionResult({"part": Output(digest, 6)}, {"rows": 1}))
    assert re.findall(r"^    ([0-9a-f]+)$", TEXT, re.MULTILINE) == [
        digest, str(seal_nanoseconds(digest)), tree.hex(), digest_bytes(tree), result.hex()
    ]  # fmt: skip
    assert f"`{action.key[:8]}…`" in TEXT


def test_layout_is_complete() -> None:
    """Every folder of a store stands in the page, and its format line."""
    assert all(f"\n{folder}/" in TEXT for folder in FOLDERS)
    assert repr(FORMAT_LINE)[1:-1] in TEXT and f"{len(FORMAT_LINE)} bytes" in TEXT
