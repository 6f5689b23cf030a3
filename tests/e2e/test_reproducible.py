"""The same spec and data give the same bytes, wherever and however they are built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.project import Project, copy_examples

ENVIRONMENTS = {
    "one worker, C locale, far east": (
        ("-j", "1"),
        {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    ),
    "four workers, UTF-8 locale, far west": (
        ("-j", "4"),
        {"LC_ALL": "C.UTF-8", "TZ": "America/Adak", "PYTHONHASHSEED": "4242", "PYTHONUTF8": "0"},
    ),
}


@pytest.mark.parametrize("what", ENVIRONMENTS)
def test_environment_does_not_show(what: str, built_examples: Project, tmp_path: Path) -> None:
    """Another folder, -j, locale, time zone, hash seed and file creation order give equal digests and equal exports."""
    args, env = ENVIRONMENTS[what]
    other = Project(copy_examples(tmp_path / "a folder with spaces, ünd more", backwards=True))
    got = json.loads(other.spawn("build", "--json", *args, env=env).out)["result"]["datasets"]
    expected = built_examples.build()
    for name, dataset in expected.items():
        for stage, told in dataset["stages"].items():
            assert got[name]["stages"][stage]["output"] == told["output"], f"{stage}:{name}"
    files, reference = other.files(), built_examples.files()
    assert sorted(files) == sorted(reference)
    assert [name for name, data in reference.items() if files[name] != data] == []
    assert (other / "mldata.lock").read_bytes() == (built_examples / "mldata.lock").read_bytes()


def test_exports_tell_nothing_of_the_machine(built_examples: Project) -> None:
    """No manifest holds the folder, the host or a clock time."""
    import platform
    import re

    for name in ("penguins", "fashion", "spoken-digits"):
        text = (built_examples / f"artifacts/{name}/manifest.yaml").read_text()
        assert str(built_examples.root) not in text
        assert platform.node() not in text or len(platform.node()) < 4
        assert not re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text)


def test_forced_build_gives_the_same(examples: Project) -> None:
    """--force runs every action again and ends with the same digests and files."""
    before, files = examples.build(), examples.files()
    after = examples.build("--force")
    for name, dataset in after.items():
        for stage, told in dataset["stages"].items():
            assert told["status"] == "ran", f"{stage}:{name}"
            assert told["actions"]["hit"] == 0, f"{stage}:{name}"
            assert told["output"] == before[name]["stages"][stage]["output"], f"{stage}:{name}"
    assert examples.files() == files
