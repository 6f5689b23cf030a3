"""Compares two subjects: opens nothing that nobody asks for, and reads rows only where that is what it takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mldata.errors import UsageError
from mldata.evolution.diff import DATA, DRIFT, MANIFEST, SCHEMA, SECTIONS, DiffReport
from mldata.subjects import manifest_of, open_subject

if TYPE_CHECKING:
    from mldata.drift.report import DriftReport
    from mldata.evolution.datadiff import DataDiff, FilesDiff
    from mldata.evolution.fragments import FragmentCount
    from mldata.evolution.making import Making, MakingDiff
    from mldata.evolution.schemadiff import SchemaDiff
    from mldata.manifest import Manifest
    from mldata.profile.summary import TableSummary
    from mldata.project import Project
    from mldata.records import BuildRecord
    from mldata.reporter import Reporter
    from mldata.subjects import Subject
    from store import Store

__all__ = ["Diff", "diff_places", "diff_schemas", "diff_subjects"]


class Diff(DiffReport):
    """What is not the same, to be written out."""

    def to_markdown(self, *, detailed: bool = False) -> str:
        """For a pull request.

        Args:
            detailed: every change and every column, however many there are.
        """
        from mldata.evolution.markdown import diff_markdown

        return diff_markdown(self, detailed=detailed)


def diff_places(
    old: str,
    new: str,
    base: Project | None,
    reporter: Reporter,
    sections: Collection[str] = (),
    *,
    key: Sequence[str] = (),
    thorough: bool = False,
    jobs: int | None = None,
) -> Diff:
    """What is not the same of what two words name, as :func:`mldata.subjects.open_subject` takes them; otherwise as :func:`diff_subjects`."""
    for name in sections:
        if name not in SECTIONS:
            raise UsageError(f"expected sections of {', '.join(SECTIONS)}; found {name!r}", where="sections")
    if set(sections) == {MANIFEST} and not key:
        with ExitStack() as stack:
            sides = [_side(word, base, reporter, jobs, stack) for word in (old, new)]
            return Diff(old, new, making=_making(sides[0], sides[1], asked=True))
    with (
        open_subject(old, base, reporter, jobs=jobs) as before,
        open_subject(new, base, reporter, jobs=jobs) as after,
    ):
        return diff_subjects(before, after, sections, key=key, thorough=thorough)


class _Side(NamedTuple):
    """What tells how something was made."""

    title: str
    store: Store | None
    """Where the lists of its sources' files may be."""
    record: BuildRecord | None = None
    manifest: Manifest | None = None


def _side(word: str, base: Project | None, reporter: Reporter, jobs: int | None, stack: ExitStack) -> _Side:
    """One of two whose making alone is asked for: of an export, of media too, the manifest tells it, and nothing else of it is read."""
    from store import Store

    manifest = manifest_of(word, base)
    if manifest is None:
        return _side_of(stack.enter_context(open_subject(word, base, reporter, jobs=jobs)))
    store = None
    if base is not None and base.store_path.is_dir():
        store = stack.enter_context(Store.open(base.store_path))
    return _Side(word, store, None, manifest)


def _side_of(subject: Subject) -> _Side:
    return _Side(subject.title, subject.store, subject.record, subject.manifest)


def diff_subjects(
    old: Subject,
    new: Subject,
    sections: Collection[str] = (),
    *,
    key: Sequence[str] = (),
    thorough: bool = False,
) -> Diff:
    """What is not the same of two subjects.

    Args:
        sections: of :data:`mldata.evolution.diff.SECTIONS`; none: the schema, the making where both tell it, and how many fragments are equal.
        key: columns that name a row; the rows are compared where there is one.
        thorough: compare rows also where no section is named, unless all fragments are equal.

    Raises:
        UsageError: one of them does not tell how it was made, or the key is not in both.
        MldataError, store.StoreError: a table cannot be read.
    """
    wanted = sections or (SCHEMA, MANIFEST)
    asked = DATA in sections or bool(key)
    # What may be refused comes first: the rest may take minutes.
    making = None
    if MANIFEST in wanted:
        making = _making(_side_of(old), _side_of(new), asked=MANIFEST in sections)
    if key:
        from mldata.evolution.data import check_key

        check_key(old, new, key)
    return Diff(
        old.title,
        new.title,
        diff_schemas(old, new) if SCHEMA in wanted else None,
        making,
        _data(old, new, key, asked, thorough) if asked or not sections else None,
        _drift(old, new) if DRIFT in wanted else None,
        tuple(dict.fromkeys((*old.warnings, *new.warnings))),
    )


def diff_schemas(old: Subject, new: Subject) -> SchemaDiff:
    """What has changed of the schema. A summary of either side is made, or taken from the store, where it takes one to guess renames."""
    from mldata.evolution.schemas import compare_and_guess

    summaries = partial(_summary, old), partial(_summary, new)
    return compare_and_guess(old.table.schema, new.table.schema, *summaries)


def _summary(subject: Subject) -> TableSummary:
    from mldata.profiling import summarize_subject

    return summarize_subject(subject).whole


def _drift(old: Subject, new: Subject) -> DriftReport:
    from mldata.drift.compare import compare

    return compare(_summary(old), _summary(new), names=(old.title, new.title))


def _data(
    old: Subject, new: Subject, key: Sequence[str], asked: bool, thorough: bool
) -> DataDiff | FragmentCount:
    from mldata.evolution.fragments import count_fragments

    if not asked:
        found = count_fragments(old, new)
        if found.same or not thorough:
            return found
    from mldata.evolution.data import compare_data

    return compare_data(old, new, key)


def _making(old: _Side, new: _Side, *, asked: bool) -> MakingDiff | None:
    from mldata.evolution.making import compare_making

    before, after = _made(old), _made(new)
    if before is not None and after is not None:
        return compare_making(before, after, partial(_files, old, new))
    if asked:
        silent = old if before is None else new
        raise UsageError(
            "expected builds or exports, which tell how they were made; found neither a record nor a manifest.yaml",
            where=silent.title,
            hint="name a build (mldata log NAME lists them), such as NAME@1, or leave --manifest out",
        )
    return None


def _files(old: _Side, new: _Side, before: str, after: str) -> FilesDiff | None:
    """What became of the files of a source."""
    if old.store is None or new.store is None:
        return None
    from mldata.evolution.filediff import compare_files
    from store import BadDigest, ObjectMissing, as_digest

    try:
        return compare_files((old.store, as_digest(before)), (new.store, as_digest(after)))
    except (BadDigest, ObjectMissing):
        return None  # of an export from elsewhere; its sources are not in this store


def _made(side: _Side) -> Making | None:
    """How a build or an export was made; other data does not tell it."""
    from mldata.evolution.making import making_of_export, making_of_record

    if side.record is not None:
        return making_of_record(side.record)
    return making_of_export(side.manifest, side.title) if side.manifest is not None else None
