"""What of its making has changed: told by records and manifests alone."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from mldata.evolution.datadiff import FilesDiff
from mldata.evolution.making import MISSING, MakingDiff, compare_making, making_of_export, making_of_record
from mldata.manifest import BadManifest, Manifest
from mldata.records import BuildRecord

SOURCE = {"source": "data/*.csv", "tree": "a" * 64, "files": 3, "bytes": 10}
PARAMS: dict[str, dict[str, Any]] = {
    "fetch": {"sources": ["data/*.csv"]},
    "normalize": {"nulls": ["", "NA"], "types": {"a.b": "int8"}},
    "transform": {"steps": [{"filter": "x > 1"}, {"cast": {"x": "int8"}}], "code": {"t.py": "1" * 64}},
    "split": {"seed": 1, "parts": [["train", 0.8], ["test", 0.2]], "by": None},
}
VERSION = {"version": 1, "libraries": {"pyarrow": "20.0.0"}}


def record(params: Any = PARAMS, source: Any = SOURCE, python: str = "3.12.0", **more: Any) -> BuildRecord:
    """A build; the export repeats what was before it, as it does in records."""
    stages = {stage: {**VERSION, "params": dict(told)} for stage, told in params.items()}
    stages["validate"] = {**VERSION, "params": {"checks": ["schema"]}}
    stages["export"] = {**VERSION, "params": {"formats": ["csv"], "recipe": params}}
    told = {"dataset": "d", "number": 1, "outputs": {}, "started": "", "seconds": 1.0, "host": "h"}
    return BuildRecord(
        stages=stages, project="/p", mldata="1.0", python=python, sources=[source], **told, **more
    )


def manifest(params: Any = PARAMS, source: Any = SOURCE, **more: Any) -> Manifest:
    """The manifest of its export."""
    told = {**{stage: dict(it) for stage, it in params.items()}, "export": {"formats": ["csv"]}}
    versions = dict.fromkeys(told, VERSION)
    kept: dict[str, Any] = {"versions": versions, "told": told} | more
    return Manifest("1.0", "d", "tabular", (source,), 1, (), (), kept["told"], kept["versions"], ())


def changed(**stages: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Parameters of which some are others."""
    return {stage: {**told, **stages.get(stage, {})} for stage, told in PARAMS.items()}


def compare(old: BuildRecord, new: BuildRecord) -> MakingDiff:
    """Two builds, of whose files nothing is known."""
    return compare_making(making_of_record(old), making_of_record(new), lambda *_: None)


def told(diff: MakingDiff) -> dict[str, tuple[Any, Any]]:
    """Old and new by path, of all but sources."""
    return {it.path: (it.old, it.new) for it in (*diff.params, *diff.code, *diff.versions)}


def test_equal_builds() -> None:
    """When, where and how fast a build was made is no difference."""
    old = record()
    new = record(warnings=["slow"])
    assert compare(old, new).same
    assert compare(old, new).to_json() == {
        "sources": [],
        "params": [],
        "code": [],
        "versions": [],
        "left_out": [],
        "same": True,
    }


def test_the_innermost_setting_is_told() -> None:
    """By its path; a list of plain values is one value, steps are told one by one; null is a value, none is not."""
    new = changed(
        normalize={"nulls": [""], "types": {"a.b": "int16", "c": "int8"}},
        transform={"steps": [{"filter": "x > 2"}, {"cast": {"x": "int8"}}]},
        split={"seed": True, "by": "id"},
    )
    assert told(compare(record(), record(new))) == {
        "normalize.nulls": (["", "NA"], [""]),
        'normalize.types."a.b"': ("int8", "int16"),
        "normalize.types.c": (MISSING, "int8"),
        "transform.steps[0].filter": ("x > 1", "x > 2"),
        "split.seed": (1, True),
        "split.by": (None, "id"),
    }
    steps = changed(transform={"steps": [{"filter": "x > 1"}]})
    assert list(told(compare(record(), record(steps)))) == ["transform.steps"]


def test_code_and_versions() -> None:
    """Code by its files, versions by stage and library, mldata and Python beside them."""
    new = changed(transform={"code": {"t.py": "2" * 64, "u.py": "3" * 64}})
    diff = compare(record(), record(new, python="3.13.0"))
    assert told(diff) == {
        "t.py": ("1" * 64, "2" * 64),
        "u.py": (MISSING, "3" * 64),
        "python": ("3.12.0", "3.13.0"),
    }
    assert [it.change for it in diff.code] == ["changed", "added"]


def test_sources() -> None:
    """A source by its place: with what became of its files where its tree is another one, and only then."""
    asked = []

    def files(*trees: str) -> FilesDiff:
        asked.append(trees)
        return FilesDiff(unchanged=7)

    old, moved = (
        making_of_record(record()),
        making_of_record(record(source={**SOURCE, "source": "raw/*.csv"})),
    )
    [it] = compare_making(old, moved, files).sources
    assert (it.path, it.files, asked) == ("raw/*.csv", None, [])
    other = making_of_record(record(source={**SOURCE, "tree": "b" * 64}))
    [it] = compare_making(old, other, files).sources
    assert (it.path, it.files, asked) == ("data/*.csv", FilesDiff(unchanged=7), [("a" * 64, "b" * 64)])
    assert it.to_json()["files"]["unchanged"] == 7


def test_a_build_and_an_export() -> None:
    """What a manifest does not tell is left out; the rest is as in the record."""
    old, new = making_of_record(record()), making_of_export(manifest(), "out")
    diff = compare_making(old, new, lambda *_: None)
    assert diff.same
    assert diff.left_out == ("python", "profile", "validate")
    assert compare_making(new, new, lambda *_: None).left_out == ()


@pytest.mark.parametrize(
    "broken",
    [
        manifest(source="data.csv"),
        manifest(versions={"split": 3}),
        manifest(told={"split": [1]}),
        manifest(told={"transform": {"code": ["t.py"]}}),
    ],
)
def test_manifests_of_another_form(broken: Manifest) -> None:
    """What mldata does not write is an error that says where, and what to do."""
    with pytest.raises(BadManifest, match="expected a manifest") as caught:
        making_of_export(broken, "out/d")
    assert str(caught.value).startswith("out/d: ") and "mldata export" in str(caught.value)


def test_what_json_lacks() -> None:
    """Dates, NaN and numbers as keys, which a manifest may hold that somebody has edited, are told as text."""
    odd = {"split": {"seed": float("nan"), "by": datetime.date(2020, 1, 2), "parts": {1: None}}}
    old, new = (making_of_export(manifest(told=it), "out") for it in ({"split": {}}, odd))
    told = compare_making(old, new, lambda *_: None).to_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [it["new"] for it in told["params"]] == ["nan", "2020-01-02", {"1": None}]
