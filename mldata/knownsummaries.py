"""Summaries that the store knows: by what they are made of, so that they are found without a look at the table, and without loading what looks at one.

Invariant: what is found is what the profile stage would make: its key holds the outputs that it would read, its parameters and version, those of the
libraries, and the salt. It is a result of an action like any other: a gc removes it with what it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mldata.libraries import library_version
from mldata.stages import STAGES, needs

if TYPE_CHECKING:
    from mldata.subjects import Subject
    from store import Digest

__all__ = ["made_summaries"]

STAGE = "profile"
OUTPUT = "summaries"


def made_summaries(subject: Subject, params: Mapping[str, Any]) -> Digest:
    """The output of the profile stage with these parameters: known, or made now. Raises ``MldataError`` or a ``store`` error."""
    from store import KIND_TREE, ActionResult, Output, StoreReadOnly

    key = _key(subject, params)
    known = subject.store.actions.get(key)
    if known is not None and not subject.store.missing(known.outputs[OUTPUT].digest, 1):
        return known.outputs[OUTPUT].digest
    made = subject.make(STAGE, params).output
    with suppress(StoreReadOnly):  # all that was made was there
        subject.store.actions.put(key, ActionResult({OUTPUT: Output(made.digest, made.size, KIND_TREE)}))
    return made.digest


def _key(subject: Subject, params: Mapping[str, Any]) -> Digest:
    from store import Action

    info = STAGES[STAGE]
    inputs = tuple((need, subject.outputs[need]) for need in needs(STAGE, tuple(subject.outputs)))
    runtime = {name: library_version(name) for name in info.libraries}
    return Action(STAGE, info.version, {OUTPUT: dict(params)}, inputs, runtime, subject.salt).key
