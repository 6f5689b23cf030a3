"""Every check keeps the contract of ``mldata.testing``; a plug-in is found and used, and a broken one noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldata import checks
from mldata.checks import CHECKS, CheckInfo
from mldata.checks.base import Blob, Finding, Place, Plan, Rows, Sketch, Subject
from mldata.errors import SpecError
from mldata.plugins import plugins
from mldata.spec import InvalidSpec, parse_dataset
from mldata.specvalidate import CHECKS as SPELLED
from mldata.stages.validate import Validate, read_report
from mldata.testing import CheckContract
from store import Store
from tests.stages.jobs import PlainJob, put_table

NUMBERS = [1, 2, None, 2, 5, 6, 7, None, 9, 2, 11, 12, 1]


class TestSchema(CheckContract):
    info = CHECKS["schema"]

    def table(self) -> pa.Table:
        words = ["a", "bb", "a", None, "c", "d", "e", "f", "g", "h", "i", "j", "k"]
        return pa.table({"n": NUMBERS, "w": words, "x": [float(n or "nan") for n in NUMBERS]})

    def strict(self) -> Mapping[str, Any]:
        columns = {
            "n": {"unique": True, "min": 2, "nullable": False},
            "w": {"pattern": "[a-h]", "max_length": 1, "type": "int8"},
            "x": {"max": 11.5},
            "gone": {"unique": True},
        }
        return {"columns": columns, "extra": "error", "unseen": None}

    def lenient(self) -> Mapping[str, Any]:
        return {"columns": {"n": {"min": 1}}, "extra": "allow", "unseen": None}


class TestMissing(CheckContract):
    info = CHECKS["missing"]

    def table(self) -> pa.Table:
        return pa.table({"n": NUMBERS, "all": ["x"] * 13, "none": pa.nulls(13)})

    def strict(self) -> Mapping[str, Any]:
        return {"max": "5%", "columns": {"none": "100%"}, "row": 0.5, "sentinels": None}

    def lenient(self) -> Mapping[str, Any]:
        return {"max": 2, "columns": {"none": 13}, "row": None, "sentinels": ["2"]}


class TestDuplicates(CheckContract):
    info = CHECKS["duplicates"]

    def table(self) -> pa.Table:
        return pa.table({"n": NUMBERS, "w": ["same"] * 13})

    def strict(self) -> Mapping[str, Any]:
        return {"within": 0, "across": 0, "columns": []}

    def lenient(self) -> Mapping[str, Any]:
        return {"within": "50%", "across": "100%", "columns": []}


class TestLabels(CheckContract):
    info = CHECKS["labels"]

    def table(self) -> pa.Table:
        labels = ["a", "b", "a", None, "A ", "b", "a", "a", "a", "a", "b", "a", " "]
        return pa.table({"n": NUMBERS, "label": labels})

    def strict(self) -> Mapping[str, Any]:
        return {**LENIENT_LABELS, "min_rows": 5, "conflicts": 0, "missing": 1, "max_ratio": 2.0}

    def lenient(self) -> Mapping[str, Any]:
        return LENIENT_LABELS


LENIENT_LABELS = {
    "column": "label",
    "inputs": [],
    "max_ratio": None,
    "min_entropy": None,
    "min_rows": None,
    "min_part_rows": None,
    "missing": "20%",
    "conflicts": 13,
}


class TestOutliers(CheckContract):
    info = CHECKS["outliers"]

    def table(self) -> pa.Table:
        texts = ["1", "2", " x", "a\x00b", None, "Ã©", "&amp;", "2024-01-02", "5", "", "6", "7", "8"]
        times = pa.array([0, None, 0, *range(10)], pa.timestamp("s"))
        floats = [float("nan"), float("inf"), None, *map(float, range(10))]
        return pa.table({"n": NUMBERS, "same": ["x"] * 13, "t": texts, "when": times, "f": floats})

    def strict(self) -> Mapping[str, Any]:
        return {"far": 3.0, "constant": 0.9, "mixed": 0.1, "max": 0, "skip": []}

    def lenient(self) -> Mapping[str, Any]:
        return {"far": 100.0, "constant": 1.0, "mixed": 1.0, "max": 5, "skip": []}


NEAR = {"text": 0.9, "images": 4, "audio": 8, "columns": ["w"], "most": 0}


class TestNearDuplicates(CheckContract):
    info = CHECKS["duplicates"]

    def table(self) -> pa.Table:
        texts = [f"The quick brown fox number {n // 3} jumps over {n // 3} lazy dogs" for n in range(13)]
        return pa.table({"n": range(13), "w": [*texts[:11], None, "short"]})

    def strict(self) -> Mapping[str, Any]:
        return {"within": 0, "across": 0, "columns": [], "near": NEAR}

    def lenient(self) -> Mapping[str, Any]:
        return {"within": 0, "across": 0, "columns": [], "near": {**NEAR, "most": None}}


class TestLeakage(CheckContract):
    info = CHECKS["leakage"]

    def table(self) -> pa.Table:
        texts = [f"The quick brown fox number {n // 3} jumps over {n // 3} lazy dogs" for n in range(13)]
        labels = ["a", "b"] * 6 + ["a"]
        columns = {"n": NUMBERS, "w": texts, "patient": NUMBERS, "copy": labels, "label": labels}
        return pa.table(columns)

    def strict(self) -> Mapping[str, Any]:
        return {"rows": 0, "groups": ["n"], "near": NEAR, "label": "label", "ignore": []}

    def lenient(self) -> Mapping[str, Any]:
        near = {**NEAR, "most": "100%"}
        return {"rows": "100%", "groups": [], "near": near, "label": "label", "ignore": ["copy"]}


def test_the_spec_knows_the_checks() -> None:
    """The names that the spec takes are those of the built-in checks, in their order."""
    assert tuple(CHECKS) == SPELLED


# -- plug-ins


class Loud:
    """Tells of every text that is all upper case. Parameters: ``most``, how many there may be."""

    def plan(self, params: Mapping[str, Any], subject: Subject) -> Plan | str:
        if unknown := params.keys() - {"most"}:
            raise SpecError(f"expected 'most', found {sorted(unknown)[0]!r}")
        return LoudPlan(subject.schema.names[0], params.get("most", 0))


class LoudPlan:
    key: Mapping[str, Any] = {}

    def __init__(self, column: str, most: int) -> None:
        self.columns, self.most = [column], most

    def sketch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Blob]:
        texts = [text for batch in batches for text in batch.column(0).to_pylist()]
        yield Blob("loud", bytes(int(text.isupper()) for text in texts))

    def merge(self, sketches: list[Sketch], rows: Rows) -> Mapping[str, Any]:
        loud = b"".join(path.read_bytes() for it in sketches for path in it.blobs.get("loud", ()))
        return {"rows": [n for n, flag in enumerate(loud) if flag]}

    def judge(self, merged: Mapping[str, Any]) -> list[Finding]:
        rows = merged["rows"]
        if len(rows) <= self.most:
            return []
        places = [Place(row, None) for row in rows[:2]]
        return [
            Finding(
                "error", "loud", f"{len(rows)} texts are loud", "Calm down", rows=len(rows), places=places
            )
        ]


LOUD = CheckInfo("loud", "tests.checks.test_contract", "Loud", 1)


class TestLoud(CheckContract):
    info = LOUD

    def table(self) -> pa.Table:
        return pa.table({"t": ["a", "B", "C", "d", "E"] * 3})

    def strict(self) -> Mapping[str, Any]:
        return {}

    def lenient(self) -> Mapping[str, Any]:
        return {"most": 9}


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A check that only an entry point names, and one that wants the name of a built-in one."""
    known = {"mldata.checks": {"loud": "LOUD", "missing": "LOUD"}}

    def entry_points(*, group: str) -> EntryPoints:
        names = known.get(group, {})
        return EntryPoints(
            EntryPoint(it, f"tests.checks.test_contract:{made}", group) for it, made in names.items()
        )

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    plugins.cache_clear()
    yield
    plugins.cache_clear()


@pytest.mark.usefixtures("plugged")
def test_a_plug_in_is_used(tmp_path: Path) -> None:
    """A check from an entry point may stand in the spec with settings of its own, and its findings in the report."""
    said = {"checks": ["loud", "missing"], "loud": {"most": 1}}
    plain = parse_dataset("demo", {"source": "a.csv", "validate": said})["validate"]
    assert plain["checks"] == ["missing", "loud"] and plain["loud"] == {"most": 1}
    assert checks.find_check("missing") is CHECKS["missing"]
    with Store.open(tmp_path / "store") as store:
        table = put_table(store, [pa.table({"t": ["A", "b"]}), pa.table({"t": ["C", "D"]})])
        job = PlainJob(store, "validate", plain, {"normalize": table})
        report = read_report(store, Validate().build(job).output.digest)
        assert report.failed == ["loud"]
        [finding] = report.checks["loud"].findings
        assert [(it.row, it.file) for it in finding.places] == [(0, "0.csv"), (2, "1.csv")]
        wrong = PlainJob(store, "validate", {**plain, "loud": {"least": 1}}, {"normalize": table})
        with pytest.raises(SpecError, match=r"^validate\.loud: expected 'most', found 'least'"):
            Validate().build(wrong)


@pytest.mark.usefixtures("plugged")
@pytest.mark.parametrize("settings", ["much", ["most"]])
def test_settings_of_a_plug_in_are_a_mapping(settings: object) -> None:
    """Anything else is refused where it stands."""
    said = {"checks": ["loud"], "loud": settings}
    with pytest.raises(InvalidSpec, match="loud: expected a mapping of settings"):
        parse_dataset("demo", {"source": "a.csv", "validate": said})


# -- the contract notices what it is for


class ByBatch(TestLoud):
    """Tells of batches."""

    def check(self, *args: Any, **more: Any) -> list[Finding]:
        found = super().check(*args, **more)
        rows = more.get("batch_rows", 1000)
        return [replace(it, message=f"{it.message} in batches of {rows}") for it in found]


class Forgetful(TestLoud):
    """Loses what a finding is about on its way to JSON."""

    def check(self, *args: Any, **more: Any) -> list[Finding]:
        return [replace(it, parts={3: 1}) for it in super().check(*args, **more)]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("broken", "promise"), [(ByBatch, "test_cuts_do_not_matter"), (Forgetful, "test_findings_are_plain")]
)
def test_a_broken_check_fails(broken: type, promise: str) -> None:
    """The contract fails for what breaks its promise."""
    with pytest.raises(AssertionError):
        getattr(broken(), promise)()
