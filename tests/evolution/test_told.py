"""What a difference is in words: in a terminal, and in Markdown."""

from __future__ import annotations

from typing import Any

import pytest

from mldata.evolution.datadiff import FileChange, FilesDiff
from mldata.evolution.diff import DiffReport
from mldata.evolution.fragments import FragmentCount
from mldata.evolution.making import MISSING, Difference, MakingDiff, SourceDifference
from mldata.evolution.markdown import diff_markdown
from mldata.evolution.schemadiff import ADDED, REMOVED, TYPE, Change, SchemaDiff
from mldata.evolution.terminal import diff_text
from mldata.evolution.told import source

OLD = {"source": "hf://o/n", "tree": "a" * 64, "remote": [{"source": "hf://o/n", "revision": "abc"}]}
FILES = FilesDiff(
    added=[FileChange("new.csv", "1")],
    removed=[FileChange("old\n.csv", "2")],
    changed=[FileChange("both.csv", "3", "4")],
    moved=[FileChange("to.csv", "5", "from.csv")],
    unchanged=1234,
)


def text(diff: DiffReport, **more: Any) -> str:
    """As in a terminal without colours."""
    return diff_text(diff, lambda text, _: text, **more)


@pytest.mark.parametrize(
    ("new", "files", "said"),
    [
        ({"source": ["a.csv", "b.csv"]}, None, "was hf://o/n"),
        ({"remote": [{"revision": "def"}]}, None, "revision abc -> def"),
        ({"remote": None}, None, "revision abc -> (none)"),
        ({"tree": "b" * 64}, None, "tree aaaaaaaaaaaa -> bbbbbbbbbbbb"),
        ({"tree": "b" * 64}, FILES, "files: 1 added, 1 removed, 1 changed, 1 moved, 1,234 unchanged"),
        ({"skipped": {".txt": 1}}, None, "other files were left out"),
    ],
)
def test_sources(new: dict[str, Any], files: FilesDiff | None, said: str) -> None:
    """Their names, revisions and files, as far as those are known."""
    assert source(SourceDifference("it", OLD, OLD | new, files), "->") == said


def test_sources_that_came_or_went() -> None:
    """One of two sides has one more."""
    assert source(SourceDifference("it", MISSING, OLD), "->") == "new"
    assert source(SourceDifference("it", OLD, MISSING), "->") == "gone"


def test_a_making_in_a_terminal() -> None:
    """A line each; files by name where all is asked for; long values are cut, digests too."""
    diff = DiffReport(
        "a",
        "b",
        making=MakingDiff(
            [SourceDifference("data", OLD, OLD | {"tree": "b" * 64}, FILES)],
            [Difference("normalize.nulls", "x" * 100, [""]), Difference("split", {"seed": 1}, MISSING)],
            [Difference("t.py", MISSING, "c" * 64)],
            left_out=["python"],
        ),
    )
    lines = text(diff).splitlines()
    assert lines[2] == "made otherwise:"
    assert lines[4] == f'  param    normalize.nulls: {"x" * 60}… -> [""]'
    assert lines[5:] == [
        '  param    split: gone: {"seed": 1}',
        "  code     t.py: new: cccccccccccc",
        "  not compared, an export does not tell it: python",
    ]
    detailed = text(diff, detailed=True)
    assert "    - old .csv\n    + new.csv\n    ~ both.csv\n    > from.csv -> to.csv\n" in detailed
    assert "x" * 100 in detailed and "c" * 64 in detailed
    assert "made alike" in text(DiffReport("a", "b", making=MakingDiff()))


def test_many_changes() -> None:
    """The first of each kind, and how many more there are; none is left out where all is asked for."""
    changes = [Change(ADDED, f"c{n}", False, new="int8", nullable=n > 0) for n in range(50)]
    params = [Difference(f"p{n}", 1, 2) for n in range(30)]
    diff = DiffReport("a", "b", SchemaDiff(changes), MakingDiff(params=params))
    short, whole = text(diff), text(diff, detailed=True)
    assert "  and 30 more (-D shows them)\n" in short and "  and 10 more (-D shows them)" in short
    assert "  + c0   int8, not null  " in short and " c49 " not in short
    assert " c49 " in whole and "p29: 1 -> 2" in whole and "more" not in whole
    page = diff_markdown(diff)
    assert "\nAnd 30 more.\n" in page and "| parameter | | and 10 more |" in page
    assert page.startswith("# a → b\n\nNo breaking change.\n")
    assert "| parameter | `p29` | 1 → 2 |" in diff_markdown(diff, detailed=True)


def test_rows_that_nobody_compared() -> None:
    """What is known of them by their fragments."""
    same = FragmentCount(5, 5, 1, 1, 1, True)
    assert "rows: all 5 rows are equal (by the digests of 1 fragment)" in text(
        DiffReport("a", "b", data=same)
    )
    other = FragmentCount(1, 7, 1, 2, 0, False)
    said = "1 row before, 7 now; fragments: 1 before, 2 now, 0 of them in both; media files differ"
    assert f"rows: {said} (--data compares the rows)" in text(DiffReport("a", "b", data=other))
    assert f"\nRows: {said}.\n" in diff_markdown(DiffReport("a", "b", data=other))


def test_markdown_stays_in_its_cells() -> None:
    """Names and types of data break no table, and no line."""
    nasty = "a|b\n`c` <i>"
    changes = [
        Change(TYPE, nasty, True, nasty, nasty, "why", relation="other"),
        Change(REMOVED, nasty, True, old=nasty, why="why", nullable=True),
    ]
    making = MakingDiff(params=[Difference(nasty, nasty, nasty)], left_out=["python"])
    page = diff_markdown(DiffReport(nasty, nasty, SchemaDiff(changes), making))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    cells = [line.replace("\\|", "").count("|") for line in rows]
    assert cells == [5] * 4 + [4] * 3
    assert "<i>" not in page.replace("`` a\\|b\\n`c` <i> ``", "")
    assert page.endswith("Not compared, an export does not tell it: python.\n")
