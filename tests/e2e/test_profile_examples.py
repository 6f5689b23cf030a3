"""The examples that ship have profiles that say of them what is true, and warn of nothing that their readers would not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mldata
from mldata.profile.form import from_json, json_schema, to_json
from tests.e2e.project import copy_examples

ALERTS = {
    "penguins": {("sex", "missing")},
    "fashion": set(),
    "spoken-digits": set(),
}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the examples."""
    return copy_examples(tmp_path_factory.mktemp("examples"))


@pytest.mark.parametrize("name", ALERTS)
def test_examples_have_the_alerts_that_they_deserve(name: str, examples: Path) -> None:
    """A few missing sexes of penguins, and nothing of pictures of one size or recordings of one rate; and their forms are what the schema says."""
    jsonschema = pytest.importorskip("jsonschema", reason="it is in the test extra")
    made = mldata.profile(name, project=examples, parts=True)
    assert {(alert.column, alert.code) for alert in made.alerts} == ALERTS[name]
    form = json.loads(json.dumps(to_json(made), allow_nan=False))
    jsonschema.Draft202012Validator(json_schema()).validate(form)
    assert from_json(form) == made


def test_penguins_are_what_their_paper_says(examples: Path) -> None:
    """Roles, and figures that others have published of the 344 penguins."""
    made = mldata.profile("penguins", project=examples)
    by_name = {column.name: column for column in made.columns}
    assert {column.role for column in made.columns} == {"category", "number"}
    mass = by_name["body_mass_g"].spread
    assert mass is not None and mass.mean == pytest.approx(4201.754, abs=0.001)
    assert mass.std == pytest.approx(801.955, abs=0.001)
    assert [(it.value, it.count) for it in by_name["species"].top] == [
        ("Adelie", 152),
        ("Gentoo", 124),
        ("Chinstrap", 68),
    ]
    pearson = next(it for it in made.correlations if it.method == "pearson")
    one, other = pearson.columns.index("flipper_length_mm"), pearson.columns.index("body_mass_g")
    assert pearson.matrix[one][other] == pytest.approx(0.871, abs=0.001)
