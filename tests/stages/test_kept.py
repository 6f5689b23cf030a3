"""Exports that take over what did not change from the last one."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldata.exports.base import Earlier
from mldata.exports.parquet import Parquet
from mldata.stages import edits
from mldata.stages.base import Previous
from mldata.stages.export import Export
from mldata.stages.split import Split
from store import Digest, Store, digest_bytes
from tests.damage import sneak
from tests.stages.jobs import PlainJob, export_params, put_table, split_params

PARTS = {"train": 0.8, "test": 0.2}
REWRITE = Parquet.rewrite


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store.open(tmp_path / "store")


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the fields of every file that was taken over from; small row groups."""
    monkeypatch.setattr("mldata.exports.parquetfile.GROUP_ROWS", 4096)
    names: list[str] = []

    def noted(self: Parquet, sink: Any, schema: pa.Schema, compression: Any, earlier: Earlier) -> bool:
        done = REWRITE(self, sink, schema, compression, earlier)
        if done:
            names.append(",".join(schema.names))
        return done

    monkeypatch.setattr(Parquet, "rewrite", noted)
    return names


@functools.cache
def rows(seed: int, count: int = 1500) -> pa.Table:
    """Rows of one source file."""
    return pa.table(
        {
            "id": pa.array([(seed * count + n) * 2654435761 % (1 << 40) for n in range(count)]),
            "text": pa.array([None if n % 9 == 0 else f"{seed}/{n % 50}" for n in range(count)]),
        }
    )


def twelve() -> list[pa.Table]:
    return [rows(n) for n in range(12)]


class Builds:
    """Builds one dataset again and again, each time beside the last."""

    def __init__(self, store: Store, method: str | None, *, jobs: int = 1, **params: Any) -> None:
        self.store, self.method, self.params, self.jobs = store, method, params, jobs
        self.previous: Previous | None = None

    def __call__(self, pieces: Sequence[pa.Table]) -> dict[str, Digest]:
        """The files of the export of these fragments. They are those of an export that knows of no other."""
        inputs = {"normalize": put_table(self.store, pieces)}
        if self.method is not None:
            params = split_params(PARTS, method=self.method)
            inputs["split"] = Split().build(PlainJob(self.store, "split", params, inputs)).output.digest
        alone = self.export(inputs, None)
        if self.previous is not None:
            assert self.export(inputs, self.previous) == alone
        self.previous = Previous(self.last, inputs)
        return alone

    def export(self, inputs: dict[str, Digest], previous: Previous | None) -> dict[str, Digest]:
        job = PlainJob(self.store, "export", export_params("parquet", **self.params), inputs, None, previous)
        job.jobs = self.jobs
        job.salt = f"{'beside' if previous else 'alone'} {self.jobs}"  # nothing is taken from the cache
        self.last = Export().build(job).output.digest
        return {path: entry.digest for path, entry in self.store.walk(self.last)}


Edit = Callable[[list[pa.Table]], list[pa.Table]]


def edited(start: int, stop: int, instead: int) -> Edit:
    """Rows ``start`` to ``stop`` of the fifth fragment give way to so many others."""

    def edit(old: list[pa.Table]) -> list[pa.Table]:
        piece = old[4]
        new = pa.concat_tables([piece.slice(0, start), rows(99).slice(0, instead), piece.slice(stop)])
        return [*old[:4], new.combine_chunks(), *old[5:]]

    return edit


EDITS: dict[str, Edit] = {
    "a row changed": edited(700, 701, 1),
    "the first row changed": edited(0, 1, 1),
    "the last row changed": edited(1499, 1500, 1),
    "rows put in": edited(700, 700, 20),
    "rows taken out": edited(700, 720, 0),
    "rows put in and the first one gone": edited(0, 1, 5),
    "nothing": lambda old: old,
    "changed": lambda old: [*old[:4], rows(99), *old[5:]],
    "changed, with more rows": lambda old: [*old[:4], rows(99, 1600), *old[5:]],
    "added": lambda old: [*old[:7], rows(77), *old[7:]],
    "removed": lambda old: [*old[:2], *old[3:]],
    "appended": lambda old: [*old, rows(55, 10)],
    "moved": lambda old: [old[3], *old[:3], *old[4:]],
    "repeated": lambda old: [*old, old[0], old[0]],
    "all others": lambda old: [rows(200 + n) for n in range(12)],
}


Built = Callable[[str | None, bool, Path], Builds]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """``built(method, row_index, folder)`` has built :func:`twelve`, in a copy of a store where that was done once."""

    @functools.cache
    def once(method: str | None, row_index: bool) -> tuple[Path, Previous | None]:
        with Store.open(tmp_path_factory.mktemp("built")) as store:
            build = Builds(store, method, row_index=row_index)
            build(twelve())
        return store.root, build.previous

    def copied(method: str | None, row_index: bool, folder: Path) -> Builds:
        root, previous = once(method, row_index)
        shutil.copytree(root, folder)
        build = Builds(Store.open(folder), method, row_index=row_index)
        build.previous = previous
        return build

    return copied


@pytest.mark.parametrize("row_index", [False, True])
@pytest.mark.parametrize("method", [None, "hash", "random"])
@pytest.mark.parametrize("edit", EDITS)
def test_an_export_beside_another_is_the_same(
    built: Built, tmp_path: Path, used: list[str], edit: str, method: str | None, row_index: bool
) -> None:
    """Whatever becomes of the fragments, with whatever split: the export does not show what it was written beside."""
    build = built(method, row_index, tmp_path / "store")
    build(EDITS[edit](twelve()))
    assert not used or edit != "all others"


def test_a_changed_file_takes_over_the_rest(store: Store, used: list[str]) -> None:
    """One changed fragment of twelve: both parts take their other rows from the last export."""
    build = Builds(store, "random")
    old = twelve()
    build(old)
    build(EDITS["changed"](old))
    assert used == ["id,text", "id,text"]


def test_a_part_without_a_changed_row_is_not_written(store: Store, used: list[str]) -> None:
    """One row of a fragment was edited: the file of the other part is the one that it was, and of its own part one row group is written."""
    build = Builds(store, "random")
    old = twelve()
    before = build(old)
    after = build(EDITS["a row changed"](old))
    assert used == ["id,text"]
    changed = [path for path in after if path.endswith(".parquet") and after[path] != before[path]]
    assert len(changed) == 1


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_MEMORY"])
def test_edits_of_large_fragments_are_not_looked_for(
    store: Store, used: list[str], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Neither is much read for it nor much held: then the fragment counts as new, in all parts that have rows of it."""
    build = Builds(store, "random")
    old = twelve()
    build(old)
    monkeypatch.setattr(edits, limit, 1000)
    build(EDITS["a row changed"](old))
    assert used == ["id,text", "id,text"]


@pytest.mark.parametrize("damage", ["altered", "lost"])
def test_a_damaged_file_is_not_taken_for_the_new_one(store: Store, used: list[str], damage: str) -> None:
    """A part has no changed row, but its file is gone, or has other bytes under a whole seal: it is written anew."""
    build = Builds(store, "random")
    old = twelve()
    before = build(old)
    assert build.previous is not None
    inputs = {**build.previous.inputs, "normalize": put_table(store, EDITS["a row changed"](old))}
    alone = build.export(inputs, None)
    [same] = [path for path in alone if path.endswith(".parquet") and alone[path] == before[path]]
    path = store.path(alone[same])
    if damage == "altered":
        sneak(path)
    else:
        path.unlink()
    assert build.export(inputs, build.previous) == alone
    assert digest_bytes(store.path(alone[same]).read_bytes()) == alone[same]


def test_parts_side_by_side_are_the_same(store: Store, used: list[str]) -> None:
    """Parts that are written by several threads at once have the bytes of those written one after the other."""
    old = twelve()
    files = []
    for jobs in (1, 4):
        build = Builds(store, "random", jobs=jobs)
        build(old)
        files.append(build(EDITS["changed"](old)))
    assert files[0] == files[1]
    assert len(used) == 4


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_part_that_fails_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, used: list[str], jobs: int
) -> None:
    """An error in one thread, after rows were written, is raised when all have stopped; no file of the export stays."""
    running = 0

    def failing(self: Parquet, sink: Any, schema: pa.Schema, compression: Any, earlier: Earlier) -> bool:
        nonlocal running
        running += 1
        try:
            done = REWRITE(self, sink, schema, compression, earlier)
            if sum(piece.rows for piece in earlier.rows) < 5000:  # test
                raise OSError("the disk is gone")
            return done
        finally:
            running -= 1

    build = Builds(store, "random", jobs=jobs)
    old = twelve()
    build(old)
    before = {found.digest for found in store.objects}
    table = put_table(store, EDITS["changed"](old))
    made = {found.digest for found in store.objects} - before
    assert build.previous is not None
    inputs = {**build.previous.inputs, "normalize": table}
    monkeypatch.setattr(Parquet, "rewrite", failing)
    with pytest.raises(OSError, match="disk is gone"):
        build.export(inputs, build.previous)
    assert not running
    assert {found.digest for found in store.objects} - before == made
    assert not [path for path in store.layout.tmp.rglob("*") if path.is_file()]


def test_another_schema_takes_over_nothing(store: Store, used: list[str]) -> None:
    """The rows of a table with another type or column are written anew."""
    build = Builds(store, None)
    old = twelve()
    build(old)
    build([piece.append_column("more", piece["id"]) for piece in old])
    assert not used


@pytest.mark.parametrize("damage", ["altered", "lost", "table lost"])
def test_a_damaged_export_is_not_taken_over(store: Store, used: list[str], damage: str) -> None:
    """Bytes that are not those of the digest, even where the seal is whole, are not copied; what a gc took is not missed."""
    build = Builds(store, None)
    old = twelve()
    files = build(old)
    path = store.path(files["data.parquet"])
    if damage == "altered":
        sneak(path)
        assert store.intact(files["data.parquet"])
    elif damage == "lost":
        path.unlink()
    else:
        assert build.previous is not None
        store.path(build.previous.inputs["normalize"]).unlink()
    build(EDITS["changed"](old))
    assert not used


def test_a_damaged_part_is_written_anew_alone(store: Store, used: list[str]) -> None:
    """One file of the last export is not what its digest says: the others are taken over all the same."""
    build = Builds(store, "random", jobs=2)
    old = twelve()
    files = build(old)
    path = store.path(files["train.parquet"])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1000])
    build(EDITS["changed"](old))
    assert used == ["id,text"]
