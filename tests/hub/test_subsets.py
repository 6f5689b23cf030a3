"""Which files are the data of a subset, and where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.errors import SourceError
from mldata.hub.layout import laid_out
from mldata.hub.subsets import find_subset, named_splits, said_subsets

REPOSITORIES = {
    "shards": ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/test-00000-of-00001-ab12.parquet", "other.csv"],
    "odd splits": ["data/one.two-00000-of-00001.csv", "data/train_sft-00000-of-00001.csv"],
    "folders": ["train/a/1.csv", "train/b/1.csv", "dev/a/2.csv", "readme.csv"],
    "folders with words": ["my-train-set/1.csv", "x/evaluation 2/1.csv", "retrain/1.csv"],
    "names": ["train.csv", "squad_validation.csv", "eval-1.csv", "trained.csv", "contest.csv"],
    "names below": ["en/train.csv", "de/train.csv", "en/test_1.csv"],
    "nothing told": ["a.csv", "x/b.csv"],
    "about the data": ["README.md", "LICENSE", "LICENSE.txt", ".gitattributes", "dataset_infos.json", "pets.py", "x.csv", "__pycache__/y.csv", ".hidden/z.csv"],
    "one part": ["train.csv"],
}  # fmt: skip


def tree(paths: list[str], **card: Any) -> dict[str, str]:
    subset = find_subset(said_subsets(card, "here"), None, "here")
    return dict(laid_out(named_splits(sorted(paths), subset)))


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("shards", ["test/test-00000-of-00001-ab12.parquet", "train/train-00000-of-00002.parquet", "train/train-00001-of-00002.parquet"]),
        ("folders", ["train/a/1.csv", "train/b/1.csv", "validation/a/2.csv"]),
        ("folders with words", ["test/x/1.csv", "train/1.csv"]),
        ("names", ["test/eval-1.csv", "train/train.csv", "validation/squad_validation.csv"]),
        ("names below", ["test/en/test_1.csv", "train/de/train.csv", "train/en/train.csv"]),
        ("nothing told", ["a.csv", "x/b.csv"]),
        ("about the data", ["x.csv"]),
        ("one part", ["train.csv"]),
    ],
)  # fmt: skip
def test_where_files_stand(which: str, expected: list[str]) -> None:
    """Several splits have a folder each at the top, without the one that names it; else files stand where they are."""
    assert list(tree(REPOSITORIES[which])) == expected


def test_files_that_would_fall_together_keep_their_paths() -> None:
    """Where leaving out folders would give two files one name, none is left out."""
    assert list(tree(["a/train/b.csv", "train/a/b.csv", "test/c.csv"])) == [
        "test/test/c.csv",
        "train/a/train/b.csv",
        "train/train/a/b.csv",
    ]


DATA_FILES: list[Any] = [
    "train/**", "*.csv", "**/1.csv", ["train/a/*", "dev/**"], "train/a/[0-9].csv",
    [{"split": "one", "path": "train/**"}, {"split": "two", "path": ["dev/a/2.csv", "train/b/?.csv"]}],
]  # fmt: skip


@pytest.mark.no_cover
@pytest.mark.slow
@pytest.mark.parametrize("said", DATA_FILES, ids=str)
def test_patterns_mean_what_they_do_to_datasets(said: Any, tmp_path: Path) -> None:
    """The library ``datasets`` finds the same files by the ``data_files`` of README.md."""
    data_files = pytest.importorskip("datasets.data_files", reason="the library datasets is not installed")
    put(tmp_path, REPOSITORIES["folders"])
    found = data_files.DataFilesDict.from_patterns(
        data_files.sanitize_patterns(said), str(tmp_path), [".csv"]
    )
    expected = {
        (str(split), str(Path(path).relative_to(tmp_path))) for split in found for path in found[split]
    }
    [subset] = said_subsets({"configs": [{"config_name": "x", "data_files": said}]}, "here")
    files = [path for path in REPOSITORIES["folders"] if path.endswith(".csv")]
    assert set(named_splits(files, subset)) == expected


def put(folder: Path, paths: list[str]) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"a\n1\n")


@pytest.mark.slow
@pytest.mark.parametrize("which", REPOSITORIES)
def test_the_same_as_the_library_datasets(which: str, tmp_path: Path) -> None:
    """The library ``datasets`` finds the same files in the same splits."""
    data_files = pytest.importorskip("datasets.data_files", reason="the library datasets is not installed")
    put(tmp_path, REPOSITORIES[which])
    patterns = data_files.get_data_patterns(str(tmp_path))
    found = data_files.DataFilesDict.from_patterns(patterns, str(tmp_path), [".csv", ".parquet"])
    expected = {
        (str(split), str(Path(path).relative_to(tmp_path))) for split in found for path in found[split]
    }
    made = named_splits(sorted(REPOSITORIES[which]), None)
    assert {(split or "train", path) for split, path in made} == expected


def test_what_the_front_matter_says_counts() -> None:
    """Patterns under ``configs`` choose files and splits, whatever names say."""
    paths = ["train.csv", "x/a.csv", "x/b.csv", "README.md", "x/notes.md"]
    files = [{"split": "first", "path": "x/a*"}, {"split": "second", "path": ["./x/b.csv", "x/notes.md"]}]
    made = tree(paths, configs=[{"config_name": "default", "data_files": files}])
    assert made == {"first/a.csv": "x/a.csv", "second/b.csv": "x/b.csv", "second/notes.md": "x/notes.md"}
    assert list(tree(paths, configs=[{"config_name": "all", "data_files": "**"}])) == ["train.csv", "x/a.csv", "x/b.csv"]  # fmt: skip
    assert list(tree(["x/train.csv", "x/test.csv", "y/train.csv"], configs=[{"config_name": "d", "data_dir": "x"}])) == ["test/test.csv", "train/train.csv"]  # fmt: skip


def test_one_of_several_subsets() -> None:
    """The one that is wanted, or the usual one; else all names are told."""
    configs = [{"config_name": name, "data_files": f"{name}.csv"} for name in ("de", "en")]
    subsets = said_subsets({"configs": configs}, "here")
    made = find_subset(subsets, "en", "here")
    assert made is not None and named_splits(["de.csv", "en.csv"], made) == [("train", "en.csv")]
    with pytest.raises(SourceError, match="de, en") as caught:
        find_subset(subsets, None, "here")
    assert "?subset=de" in str(caught.value)
    with pytest.raises(SourceError, match=r"'fr'.*de, en"):
        find_subset(subsets, "fr", "here")
    usual = said_subsets({"configs": [*configs, {"config_name": "x", "default": True}]}, "here")
    chosen = find_subset(usual, None, "here")
    assert chosen is not None and chosen.name == "x"


@pytest.mark.parametrize(
    "configs",
    [
        "en", [1], [{}], {"config_name": "x"}, [{"config_name": "x", "data_files": 3}],
        [{"config_name": "x", "data_files": "https://elsewhere/x.csv"}], [{"config_name": "x", "data_files": "../x.csv"}],
        [{"config_name": "x", "data_files": "zip://*.csv::x.zip"}], [{"config_name": "x", "data_files": [{"split": "a/b", "path": "x"}]}],
        [{"config_name": "x", "data_files": [{"split": "a", "path": "x"}, {"split": "a", "path": "y"}]}],
        [{"config_name": "x", "data_files": [{"split": "a"}]}], [{"config_name": "x", "data_files": [{"split": "a", "path": [None]}]}],
        [{"config_name": "x"}, {"config_name": "x"}], [{"config_name": "\x1b[31m"}], [{"config_name": None}],
    ],
)  # fmt: skip
def test_front_matter_that_makes_no_sense(configs: Any) -> None:
    """It is an error that names README.md, and says how to do without."""
    with pytest.raises(SourceError, match=r"README\.md") as caught:
        said_subsets({"configs": configs}, "here")
    assert caught.value.hint


KEYS = st.sampled_from(["config_name", "data_files", "data_dir", "default", "split", "path"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(JSON)
def test_any_front_matter_is_read_or_refused(configs: Any) -> None:
    """Whatever stands under ``configs``, it means subsets or is a ``SourceError``."""
    try:
        subsets = said_subsets({"configs": configs}, "here")
    except SourceError:
        return
    for subset in subsets:
        laid_out(named_splits(["a.csv", "train/b.csv"], subset))
