"""Which file a value of file_name names, and under which names metadata columns stand in the table."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.stages.metadata import NotThere, Scope, described_schema
from mldata.table import Table
from store import Store
from tests.stages.conftest import fetched, normalize_params
from tests.stages.jobs import PlainJob
from tests.stages.test_normalize import png, rows


def paths(folders: str, files: str, depth: int) -> st.SearchStrategy[str]:
    """Paths with up to ``depth`` of the ``folders``."""
    above = st.lists(st.sampled_from(folders.split()), max_size=depth)
    return st.builds(lambda a, b: "/".join([*a, b]), above, st.sampled_from(files.split()))


NAMES = st.lists(paths("a b - c.zip", "x y z 0 é", 3), min_size=1, max_size=12, unique=True).map(sorted)
FOLDERS = st.sampled_from(["", "a/", "-/", "c.zip/", "a/b/", "a/c.zip/"])
ARCHIVES = {"c.zip", "a/c.zip", "b/c.zip"}


@settings(max_examples=50)
@given(NAMES, FOLDERS)
def test_each_file_below_the_folder_is_found(names: list[str], folder: str) -> None:
    """A scope finds exactly the files below its folder, by their paths from there on."""
    scope = Scope(names, [0], f"{folder}metadata.csv")
    below = [name for name in names if name.startswith(folder)]
    assert scope.names == below
    for name in below:
        assert scope.names[scope.find(name[len(folder) :])] == name
    with pytest.raises(NotThere):
        scope.find("no/such/file")


@settings(max_examples=50)
@given(NAMES, FOLDERS)
def test_archives_count_as_unpacked(names: list[str], folder: str) -> None:
    """A path without the archive finds the file in it, unless there is a file of this path, or there are several."""
    scope = Scope(names, [0], f"{folder}metadata.csv", ARCHIVES)

    def unpacked(name: str) -> str:
        folders = name.split("/")
        kept = [part for i, part in enumerate(folders, 1) if "/".join(folders[:i]) not in set(scope.archives)]
        return "/".join(kept)

    for name in scope.names:
        path = unpacked(name)
        meant = [other for other in names if other.startswith(folder) and unpacked(other) == path]
        if path in names:
            meant = [path]
        if len(meant) == 1:
            assert scope.names[scope.find(path[len(folder) :])] == meant[0]
        else:
            with pytest.raises(NotThere, match="in two archives"):
                scope.find(path[len(folder) :])


@settings(max_examples=50)
@given(NAMES, st.integers(0, 9), FOLDERS)
def test_the_digest_stands_for_the_scope(names: list[str], cut: int, folder: str) -> None:
    """It changes with a name or a group in the scope, and with nothing outside of it."""
    starts = sorted({0, min(cut, len(names) - 1)})
    scope = Scope(names, starts, f"{folder}metadata.csv")
    outside = ["!1", "!2"]  # sort before the others, so that all indexes move
    moved = Scope([*outside, *names], [0, *(start + 2 for start in starts)], f"{folder}metadata.csv")
    if folder:
        assert moved.digest == scope.digest
    inside = sorted([*names, f"{folder}new"])
    assert Scope(inside, [0], f"{folder}metadata.csv").digest != scope.digest


def test_the_schema() -> None:
    """Label and split stand in their places; other names that are taken get another; the rest follows, all nullable."""
    media = pa.schema([("path", "string"), ("label", "string"), ("width", "int32")])
    metadata = pa.schema(
        [
            ("file_name", "string"),
            ("width", "int64"),
            pa.field("n", pa.int8(), False),
            ("label", "int64"),
            ("split", "string"),
        ]
    )
    schema, places = described_schema(media, metadata, [])
    assert [(field.name, str(field.type), field.nullable) for field in schema] == [
        ("path", "string", True),
        ("label", "int64", True),
        ("width", "int32", True),
        ("metadata_width", "int64", True),
        ("n", "int8", True),
        ("split", "string", True),
    ]
    assert places == {"width": "metadata_width", "n": "n", "label": "label", "split": "split"}


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_every_value_stands_beside_its_file(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However files are laid out and described, by metadata files in whichever folders above them, each value is in the row of its file."""
    from mldata.stages.normalize import Normalize

    names = data.draw(st.lists(paths("a b c", "x.png y.png", 3), min_size=1, max_size=12, unique=True))
    values: dict[str, int | None] = dict.fromkeys(names)
    lines: dict[str, list[str]] = {}
    for number, name in enumerate(data.draw(st.permutations(names))):
        depth = data.draw(st.none() | st.integers(0, name.count("/")), label=name)
        if depth is not None:
            folder = "".join(f"{part}/" for part in name.split("/")[:depth])
            lines.setdefault(f"{folder}metadata.csv", []).append(f"{name[len(folder) :]},{number}")
            values[name] = number
    files = {name: png(1, 1) for name in names}
    files |= {name: "\n".join(["file_name,n", *own]).encode() for name, own in lines.items()}
    with Store.open(tmp_path_factory.mktemp("store")) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr("mldata.stages.media.GROUP_MEAN", 3)
        patch.setattr("mldata.stages.describe.BATCH_ROWS", data.draw(st.sampled_from([1, 2, 1000])))
        job = PlainJob(store, "normalize", normalize_params(), {"fetch": fetched(store, files)})
        table = Table.open(store, Normalize().build(job).output.digest)
        assert {row["path"]: row.get("n") for row in rows(table)} == values
