"""Every way to be stale has its reason, and nothing else is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mldata.receipts import Damaged, Receipt
from mldata.snapshot import Changes
from mldata.stale import Want, stale
from store import Digest

OLD, NEW = Digest("aa" * 32), Digest("bb" * 32)
WANT = Want(
    stage="split",
    version=1,
    params={"seed": 42, "method": "random"},
    inputs={"normalize": OLD},
    libraries={"pyarrow": "1.0"},
    salt="",
)
RECEIPT = Receipt(
    dataset="d",
    stage="split",
    version=1,
    params={"method": "random", "seed": 42},
    inputs={"normalize": OLD},
    libraries={"pyarrow": "1.0"},
    salt="",
    output=OLD,
    size=1,
    objects=1,
)


def codes(want: Want, **found: object) -> list[str]:
    return [reason.code for reason in stale(want, RECEIPT, **found)]  # type: ignore[arg-type]


def test_up_to_date() -> None:
    """A receipt that says what is wanted is up to date, whatever the order of its keys."""
    assert stale(WANT, RECEIPT) == []
    assert stale(WANT, RECEIPT, changes=Changes()) == []


def test_no_receipt() -> None:
    """What was never built must be."""
    assert [r.code for r in stale(WANT, None)] == ["never-built"]


def test_damaged_receipt_names_the_file() -> None:
    """A damaged receipt is named with what is wrong with it."""
    (reason,) = stale(WANT, Damaged(Path("r.json"), "torn"))
    assert reason.code == "receipt-damaged"
    assert "r.json" in reason.text and "torn" in reason.text


def test_parameter_says_from_what_to_what() -> None:
    """A changed parameter is shown with its old and its new value; added and removed ones too."""
    (reason,) = stale(replace(WANT, params={"seed": 7, "method": "random"}), RECEIPT)
    assert reason.text == "seed changed from 42 to 7"
    assert reason.to_json() == {
        "code": "parameter",
        "text": "seed changed from 42 to 7",
        "parameter": "seed",
        "old": 42,
        "new": 7,
    }
    assert codes(replace(WANT, params={"seed": 42})) == ["parameter"]
    assert codes(replace(WANT, params={**WANT.params, "by": ["id"]})) == ["parameter"]


def test_version_salt_library_input_place() -> None:
    """Stage version, salt, library versions, inputs and the export's place each count."""
    assert codes(replace(WANT, version=2)) == ["stage-version"]
    assert codes(replace(WANT, salt="x")) == ["salt"]
    assert codes(replace(WANT, libraries={"pyarrow": "2.0"})) == ["library"]
    assert codes(replace(WANT, inputs={"normalize": NEW})) == ["input"]
    assert codes(replace(WANT, inputs={})) == ["input"]
    assert codes(replace(WANT, inputs={"normalize": OLD, "extra": NEW})) == ["input"]
    assert codes(replace(WANT, place={"to": "out"})) == ["place"]


def test_a_stage_that_runs_first_is_the_reason() -> None:
    """What an earlier stage will make is not known yet, so that stage is the reason and not its old output."""
    (reason,) = stale(replace(WANT, inputs={"normalize": NEW}), RECEIPT, behind=["normalize"])
    assert (reason.code, reason.details["stage"]) == ("upstream", "normalize")


def test_files_objects_and_exports() -> None:
    """Each changed file, lost object and differing export is a reason of its own, by name."""
    changes = Changes(added=("a",), removed=("b",), modified=("c",))
    reasons = stale(
        WANT, RECEIPT, changes=changes, lost=[NEW], differences=[("x", "missing"), ("y", "changed")]
    )
    assert [(r.code, r.text.split()[0]) for r in reasons] == [
        ("file-added", "a"),
        ("file-removed", "b"),
        ("file-changed", "c"),
        ("object-lost", "object"),
        ("export-missing", "x"),
        ("export-changed", "y"),
    ]


def test_nested_parameters_name_the_setting() -> None:
    """Inside a section only the setting that changed is told, not the section."""
    receipt = replace(RECEIPT, params={"recipe": {"split": {"seed": 1, "by": []}, "sources": ["a"]}})
    want = replace(WANT, params={"recipe": {"split": {"seed": 2, "by": []}, "sources": ["a"]}})
    (reason,) = stale(want, receipt)
    assert reason.text == "recipe.split.seed changed from 1 to 2"
    want = replace(want, inputs={"normalize": OLD, "split": NEW})
    assert [r.code for r in stale(want, receipt, behind=["split"])] == ["upstream"]


def test_changed_code_is_named() -> None:
    """A file of a transform's code is told by its name, also where a manifest repeats it; other parameters as ever."""
    code = {"steps": [], "code": {"a.py": "1", "b.py": "1"}}
    receipt = replace(RECEIPT, stage="transform", params=code)
    want = replace(WANT, stage="transform", params={"steps": [1], "code": {"a.py": "2", "c.py": "1"}})
    assert [(r.code, r.text) for r in stale(want, receipt)] == [
        ("code-changed", "a.py was changed"),
        ("code-removed", "b.py was removed"),
        ("code-added", "c.py was added"),
        ("parameter", "steps changed from [] to [1]"),
    ]
    receipt = replace(RECEIPT, stage="export", params={"recipe": {"transform": code}})
    want = replace(
        WANT, stage="export", params={"recipe": {"transform": {**code, "code": {"a.py": "2", "b.py": "1"}}}}
    )
    assert [r.text for r in stale(want, receipt)] == ["a.py was changed"]
    assert stale(want, receipt, behind=["transform"]) == []
