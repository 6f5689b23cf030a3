"""Pinned results: what stages make of fixed inputs, kept in ``tests/golden``, so that no result changes under an unchanged version.

A user who upgrades mldata must get the bytes that he had, or a stage version that says that they are others: the version is in every action
key, and without a new one an old result would stand for the new code. So a result that differs fails, whoever runs the tests, until the version
is raised in ``mldata/stages/__init__.py``; then the new result is pinned with ``--update-golden``, which refuses anything else.

Format of a file of pins: a line each, ``CASE STAGE VERSION DIGEST LIBRARIES``, libraries as ``name=version,...`` or ``-``. What other versions of
the libraries wrote cannot be compared. A text that is worth reading is a file of its own instead, with the version in its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
HEAD = "# case stage version digest libraries; written by: pytest {test} --update-golden\n"


@dataclass(frozen=True)
class Pin:
    """What a version of a stage makes of a case."""

    case: str
    stage: str
    version: int
    digest: str
    libraries: Mapping[str, str]
    """Versions of those that the bytes come from."""

    @property
    def line(self) -> str:
        """As a file of pins has it."""
        libraries = ",".join(f"{name}={version}" for name, version in sorted(self.libraries.items()))
        return f"{self.case} {self.stage} {self.version} {self.digest} {libraries or '-'}\n"

    @classmethod
    def parse(cls, line: str) -> Pin:
        """What :attr:`line` wrote."""
        case, stage, version, digest, libraries = line.split()
        pairs = [pair.partition("=")[::2] for pair in libraries.split(",") if pair != "-"]
        return cls(case, stage, int(version), digest, dict(pairs))


def read_pins(path: Path) -> list[Pin]:
    """The pins in a file; none if there is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Pin.parse(line) for line in lines if not line.startswith("#")]


def bump(stage: str, what: str, version: int) -> str:
    """What to do about a result that changed under a version that did not."""
    return (
        f"the {stage} stage makes something else of {what} than its version {version} did. If that is meant, raise its version in "
        f"mldata/stages/__init__.py, then pin what it makes now: --update-golden"
    )


def complaints(pinned: Iterable[Pin], got: Iterable[Pin]) -> tuple[list[str], list[str]]:
    """What is wrong (a new version is due), and what only wants pinning anew."""
    old, new = ({(pin.case, pin.stage): pin for pin in pins} for pins in (pinned, got))
    wrong, due = [], []
    for at in sorted(old.keys() | new.keys()):
        case, stage = at
        if at not in new:
            due.append(f"{stage} of {case} is pinned and no longer made: --update-golden")
        elif at not in old:
            due.append(f"{stage} of {case} is not pinned yet: --update-golden")
        elif old[at].version != new[at].version:
            went = f"from version {old[at].version} to {new[at].version}"
            due.append(f"the {stage} stage went {went}: pin what it makes of {case} anew: --update-golden")
        elif old[at].libraries == new[at].libraries and old[at].digest != new[at].digest:
            wrong.append(bump(stage, case, old[at].version))
    return wrong, due


def check_pins(path: Path, got: Iterable[Pin], *, test: str, update: bool) -> None:
    """Compare with the file of pins, or write it where ``update`` may. ``test`` is what to run, for the file's first line."""
    new = list(got)
    wrong, due = complaints(read_pins(path), new)
    assert not wrong, "\n".join(wrong)
    if update:
        lines = [pin.line for pin in sorted(new, key=lambda pin: (pin.case, pin.stage))]
        path.write_text(HEAD.format(test=test) + "".join(lines), encoding="utf-8")
    else:
        assert not due, "\n".join(due)


def check_text(
    name: str, suffix: str, stage: str, version: int, data: bytes, *, update: bool, folder: Path = GOLDEN
) -> None:
    """Compare a text that a stage makes with the file ``NAME-VERSION.SUFFIX``, or write it where ``update`` may."""
    path = folder / f"{name}-{version}{suffix}"
    if path.exists():
        assert data == path.read_bytes(), bump(stage, path.name, version)
    elif update:
        for old in folder.glob(f"{name}-[0-9]*{suffix}"):
            old.unlink()
        path.write_bytes(data)
    else:
        raise AssertionError(f"{path.name} is not pinned yet (a new version of {stage}?): --update-golden")
