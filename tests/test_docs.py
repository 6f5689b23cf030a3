"""What the README says is what happens."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import Block, blocks, matches, steps

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MARK = "\x1e"


def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``mldata``, ``doit`` and ``python`` are those under test."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name, what in {"mldata": "-m mldata", "doit": "-m doit", "python": ""}.items():
        script = bin_dir / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {what} "$@"\n')
        script.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLDATA_", "PYTEST_", "LC_", "DOIT_"))}
    return kept | {
        "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "110",
        "NO_COLOR": "1",
    }


def test_readme_examples(tmp_path: Path) -> None:
    """Every console and Python example of the README, run in order in a fresh folder, prints what the README shows.

    A Python example that begins with a file's name is that file.
    """
    clone = tmp_path / "clone"
    shutil.copytree(
        ROOT / "mldata" / "examples",
        clone / "mldata" / "examples",
        ignore=shutil.ignore_patterns("artifacts", ".mldata"),
    )
    todo = []
    script = "exec 2>&1\n"
    for block in blocks(README):
        if block.language == "console":
            for step in steps(block):
                script += f"{step.command}\nprintf '\\n{MARK}%s\\n' $?\n"
                todo.append((step.line, step.command, step.expected))
        elif block.language == "python" and (name := re.match(r"# (\w+\.py)\n", block.text)):
            script += f"cat > {name[1]} <<'EOF'\n{block.text}EOF\n"
        elif block.language == "python":
            script += f"python - <<'EOF'\n{block.text}EOF\nprintf '\\n{MARK}%s\\n' $?\n"
            todo.append((block.line, block.text, None))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=clone,
        env=shell(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    parts = re.split(f"\n{MARK}(\\d+)\n", done.stdout)
    assert len(parts) == 2 * len(todo) + 1, done.stdout + done.stderr
    for (line, command, expected), got, status in zip(todo, parts[0::2], parts[1::2], strict=False):
        assert status == "0", f"README.md:{line}: exit status {status}\n{command}\n{got}"
        if expected is not None:
            assert matches(expected, got), f"README.md:{line}: {command}\nshown:\n{expected}\ngot:\n{got}"


def test_ci_runs_the_set_up_of_the_readme() -> None:
    """The README has exactly two set-up commands, and CI runs them word for word."""
    commands = [block.text.strip() for block in blocks(README) if block.language == "sh"]
    assert len(commands) == 2
    script = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    assert all("\n" not in command and command in script for command in commands), commands


@pytest.mark.parametrize(
    "block", [b for b in blocks(README) if b.language == "yaml"], ids=lambda b: f"line{b.line}"
)
def test_spec_examples_are_valid(block: Block) -> None:
    """Every spec in the README is accepted as it stands."""
    from mldata.spec import parse_spec

    assert parse_spec(block.text, "README.md").datasets


def test_every_command_is_documented() -> None:
    """The README's table of commands names those that the program has, and no others."""
    documented = set(re.findall(r"^\| `mldata ([a-z-]+)", README, re.MULTILINE))
    done = subprocess.run(
        [sys.executable, "-m", "mldata", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    listed = set(re.findall(r"^ {2,4}([a-z][a-z-]*)(?: {2}|$)", done.stdout, re.MULTILINE))
    assert documented == listed, done.stdout


def test_links_lead_somewhere() -> None:
    """Every relative link of the README is a file of the repository."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_version_is_one() -> None:
    """pyproject.toml, the changelog and the program agree on the version."""
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "mldata", "--version"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert declared is not None
    assert declared[1] in done.stdout.split()
    assert f"## {declared[1]}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n...\nz", "a\nz", True),
        ("rows 344, took ... s", "rows 344,  took 0.31 s", True),
        ("rows 344", "rows 345", False),
        ("a", "a\nb", False),
        ("...", "", True),
    ],
)
def test_comparing_output(expected: str, got: str, same: bool) -> None:
    """An ellipsis stands for lines or characters; everything else has to be there."""
    assert matches(expected, got) is same


def test_package_data_is_there() -> None:
    """Every pattern of files that ship with the packages matches something."""
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = settings["tool"]["setuptools"]["package-data"]
    patterns = [f"{package}/{pattern}" for package, patterns in shipped.items() for pattern in patterns]
    assert [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []
