"""Deciding what is stale: pure functions from what is wanted and what a receipt says to reasons.

Nothing here reads a file, so the same decision serves ``build``, ``status``, ``explain`` and ``--dry-run``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.receipts import Damaged, Receipt

if TYPE_CHECKING:
    from mldata.snapshot import Changes
    from store import Digest


@dataclass(frozen=True)
class Reason:
    """One reason why a stage must run.

    ``code`` is for programs and does not change; ``text`` is the sentence for people; ``details`` are the values in it.
    """

    code: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` shows it."""
        return {"code": self.code, "text": self.text, **self.details}


@dataclass(frozen=True)
class Want:
    """What a stage should have been built from, as far as it is known without running anything."""

    stage: str
    version: int
    params: Mapping[str, Any]
    inputs: Mapping[str, Digest | None]
    """Present output of each stage that it reads; None where that stage has none yet."""
    libraries: Mapping[str, str]
    """Installed versions of the distributions that the stage may write with."""
    salt: str
    place: Mapping[str, str] = field(default_factory=dict)


MISSING = "(not set)"
NOT_PASSED = "validation-failed"
"""Code of the one reason that makes no stage run: a build stops there until something else changes."""


def stale(
    want: Want,
    receipt: Receipt | Damaged | None,
    *,
    changes: Changes | None = None,
    lost: Sequence[Digest] = (),
    differences: Sequence[tuple[str, str]] = (),
    behind: Sequence[str] = (),
) -> list[Reason]:
    """Why the stage must run; empty when it is up to date.

    Args:
        want: what it should be built from now.
        receipt: what it was built from.
        changes: for fetch, how the source files differ from the receipt's tree.
        lost: objects of the output that are missing or damaged in the store.
        differences: for export, (path, "missing" or "changed") for files in the export folder.
        behind: stages that it reads and that will run first.
    """
    if receipt is None:
        return [Reason("never-built", "it has not been built here")]
    if isinstance(receipt, Damaged):
        return [Reason("receipt-damaged", f"its receipt {receipt.path} cannot be trusted: {receipt.why}")]
    reasons: list[Reason] = []
    if want.version != receipt.version:
        reasons.append(
            Reason(
                "stage-version",
                f"the {want.stage} stage went from version {receipt.version} to {want.version}",
                {"old": receipt.version, "new": want.version},
            )
        )
    reasons += _params(want.params, receipt.params, behind)
    if want.salt != receipt.salt:
        reasons.append(
            Reason(
                "salt",
                f"salt changed from {receipt.salt!r} to {want.salt!r}",
                {"old": receipt.salt, "new": want.salt},
            )
        )
    for name, old in sorted(receipt.libraries.items()):
        new = want.libraries.get(name, MISSING)
        if new != old:
            reasons.append(
                Reason(
                    "library", f"{name} went from {old} to {new}", {"library": name, "old": old, "new": new}
                )
            )
    reasons += _inputs(want, receipt, behind)
    if changes:
        reasons += _changes(changes)
    for digest in lost:
        reasons.append(
            Reason("object-lost", f"object {digest} is missing or damaged in the store", {"digest": digest})
        )
    for key, value in want.place.items():
        if receipt.place.get(key) != value:
            old_place = receipt.place.get(key, MISSING)
            reasons.append(
                Reason(
                    "place", f"{key} changed from {old_place} to {value}", {"old": old_place, "new": value}
                )
            )
    for path, kind in differences:
        verb = "is missing" if kind == "missing" else "was changed"
        reasons.append(Reason(f"export-{kind}", f"{path} {verb}", {"path": path}))
    return reasons


def _params(new: Mapping[str, Any], old: Mapping[str, Any], behind: Sequence[str]) -> list[Reason]:
    """A reason for each parameter that differs; within a section, for each setting that does."""
    before, after = _flat(old), _flat(new)
    reasons = []
    for key in sorted(before.keys() | after.keys()):
        was, becomes = before.get(key, MISSING), after.get(key, MISSING)
        # The manifest repeats the parameters of earlier stages: what makes one of them run needs no second reason.
        if was == becomes or (key.startswith("recipe.") and key.split(".")[1] in behind):
            continue
        section, _, path = key.removeprefix("recipe.transform.").partition(".")
        if section == "code" and path:
            verb = "added" if was is MISSING else "removed" if becomes is MISSING else "changed"
            reasons.append(Reason(f"code-{verb}", f"{path} was {verb}", {"path": path}))
            continue
        if section == "exclude" and path:
            verb = (
                "is no longer" if becomes is MISSING else "is" if was is MISSING else "with another digest is"
            )
            reasons.append(Reason("excluded", f"{path} {verb} excluded", {"path": path}))
            continue
        reasons.append(
            Reason(
                "parameter",
                f"{key} changed from {_show(was)} to {_show(becomes)}",
                {"parameter": key, "old": was, "new": becomes},
            )
        )
    return reasons


def _flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys; ``recipe`` is the part of an export's parameters that only the manifest tells."""
    flat: dict[str, Any] = {}
    for key, value in params.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _inputs(want: Want, receipt: Receipt, behind: Sequence[str]) -> list[Reason]:
    reasons = []
    for stage in sorted(want.inputs.keys() | receipt.inputs.keys()):
        if stage in behind:
            reasons.append(Reason("upstream", f"{stage} will run first", {"stage": stage}))
            continue
        before, after = receipt.inputs.get(stage), want.inputs.get(stage)
        if before == after:
            continue
        if after is None:
            text = f"{stage} is no longer {'read' if ':' in stage else 'part of the dataset'}"
        elif before is None:
            text = f"{stage} is a new input"
        else:
            text = f"the output of {stage} changed from {before[:12]} to {after[:12]}"
        reasons.append(Reason("input", text, {"stage": stage, "old": before, "new": after}))
    return reasons


def _changes(changes: Changes) -> list[Reason]:
    reasons = []
    for code, names in (
        ("file-added", changes.added),
        ("file-removed", changes.removed),
        ("file-changed", changes.modified),
    ):
        verb = code.removeprefix("file-")
        reasons += [Reason(code, f"{name} was {verb}", {"path": name}) for name in names]
    return reasons


def _show(value: Any) -> str:
    import json

    return value if value is MISSING else json.dumps(value, ensure_ascii=False)
