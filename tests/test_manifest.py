"""Manifests."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.errors import UsageError
from mldata.manifest import (
    BadManifest,
    Manifest,
    ManifestField,
    ManifestFile,
    ManifestPart,
    manifest_text,
    read_manifest,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)

SMALL = Manifest(
    mldata="0.1.0",
    dataset="penguins",
    kind="tabular",
    sources=({"source": "data/*.csv", "tree": "a" * 64, "files": 3, "bytes": 100},),
    rows=3,
    schema=(ManifestField("name", "string", True), ManifestField("x", "list<item: double>", False)),
    parts=(ManifestPart("train", 2, 0.8), ManifestPart("data", 1)),
    params={"split": {"seed": 42, "parts": [["train", 0.8]]}, "export": {}},
    versions={"split": {"version": 1, "libraries": {}}},
    files=(
        ManifestFile("train.csv", "b" * 64, "c" * 64, 10, "csv", "train", 2),
        ManifestFile("cat/é 1.png", "d" * 64, "e" * 64, 11, "media"),
    ),
)


def written(manifest: Manifest, folder: Path) -> Path:
    """The manifest as a file."""
    path = folder / "manifest.yaml"
    path.write_text(manifest_text(manifest), encoding="utf-8")
    return path


def plain(manifest: Manifest) -> dict[str, Any]:
    """What a YAML reader should see."""
    data = {"manifest": 1, "file_count": len(manifest.files)} | asdict(manifest)
    for key in ("sources", "schema", "parts", "files"):
        data[key] = [{name: value for name, value in item.items() if value is not None} for item in data[key]]
    return data


def test_the_text(tmp_path: Path) -> None:
    """Fixed order, an entry a line, no time and no host."""
    text = manifest_text(SMALL)
    assert text.splitlines()[:8] == [
        "manifest: 1",
        'mldata: "0.1.0"',
        'dataset: "penguins"',
        'kind: "tabular"',
        "sources:",
        f'- {{"source": "data/*.csv", "tree": "{"a" * 64}", "files": 3, "bytes": 100}}',
        "rows: 3",
        "schema:",
    ]
    assert text.splitlines()[-1] == (
        f'- {{"path": "cat/é 1.png", "blake3": "{"d" * 64}", "sha256": "{"e" * 64}", "size": 11, "format": "media"}}'
    )
    assert manifest_text(read_manifest(written(SMALL, tmp_path))) == text


def test_yaml_and_our_reader_agree(tmp_path: Path) -> None:
    """Any YAML reader sees what we wrote, and we read it back equal; also with nothing in it."""
    assert read_manifest(written(SMALL, tmp_path)) == SMALL
    assert yaml.safe_load(manifest_text(SMALL)) == plain(SMALL)
    bare = replace(SMALL, sources=(), schema=(), parts=(), params={}, versions={}, files=())
    assert read_manifest(written(bare, tmp_path)) == bare
    assert yaml.safe_load(manifest_text(bare)) == plain(bare)


@settings(deadline=None)
@given(text=TEXT, value=PLAIN)
def test_any_text_and_value_survives(text: str, value: Any) -> None:
    """Odd characters, long texts, small floats and text that looks like something else come back from YAML."""
    manifest = replace(
        SMALL,
        dataset=text,
        params={"split": {text: value}},
        files=(ManifestFile("a" + text.replace("/", ""), "", "", 1, text),),
    )
    found = yaml.safe_load(manifest_text(manifest))
    assert found["params"] == {"split": {text: value}}
    assert found["dataset"] == text
    assert found["files"][0]["format"] == text


@pytest.mark.parametrize(
    "value", [1e-05, 1e22, -0.0, 0.1, 5e-324, "1e5", "yes", "null", "2024-01-01", "\u2028\x85\ufeff😀"]
)
def test_values_that_yaml_misreads(value: Any) -> None:
    """Floats stay floats and texts stay texts in YAML 1.1."""
    found = yaml.safe_load(manifest_text(replace(SMALL, params={"split": {"x": value}})))["params"]["split"][
        "x"
    ]
    assert (found, type(found)) == (value, type(value))


def test_what_json_lacks_is_refused() -> None:
    """A parameter that is no number is a mistake of the caller."""
    with pytest.raises(ValueError, match="cannot hold nan"):
        manifest_text(replace(SMALL, params={"split": {"x": float("nan")}}))


TEXT_OF_SMALL = manifest_text(SMALL)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("manifest: 1", "manifest: 2", "version 2"),
        ("manifest: 1\n", "", "no `manifest` at the top"),
        ("rows: 3", "rows: three", "`rows: 'three'` at the top"),
        ("kind:", "sort:", "no `kind` at the top"),
        ("kind:", "extra: 1\nkind:", "the unknown key `extra` at the top"),
        ('"size": 10', '"size": "10"', "`size: '10'` in entry 1 of `files`"),
        ("file_count: 2", "file_count: 3", "2 files where 3 should be"),
        ('"size": 11', '"siz": 11', "no `size` in entry 2 of `files`"),
        ('"nullable": true', '"nullable": true, "x": 1', "the unknown key `x` in entry 1 of `schema`"),
        ('"path": "train.csv"', '"path": "../train.csv"', "the unsafe path '../train.csv'"),
        ('"path": "train.csv"', '"path": "/train.csv"', "the unsafe path '/train.csv'"),
        ('"format": "csv"', '"format": csv', "Expecting value"),
        ('- {"path": "train.csv"', '{"path": "train.csv"', "a line below `files:`"),
        ("sources:\n", "sources: [\n", "while parsing"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, old: str, new: str, found: str) -> None:
    """The message says where the file is, what was found, and what to do."""
    path = tmp_path / "manifest.yaml"
    assert old in TEXT_OF_SMALL
    path.write_text(TEXT_OF_SMALL.replace(old, new, 1))
    with pytest.raises(BadManifest) as caught:
        read_manifest(path)
    assert found in str(caught.value)
    assert str(path) in str(caught.value)
    assert "mldata build" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b"manifest: {"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    """Empty, another document, not UTF-8."""
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(BadManifest):
        read_manifest(tmp_path / "m")


def test_no_manifest_is_a_usage_error(tmp_path: Path) -> None:
    """With the command that writes one."""
    with pytest.raises(UsageError, match="mldata build"):
        read_manifest(tmp_path / "none")


@pytest.mark.no_cover
def test_any_cut_is_noticed(tmp_path: Path) -> None:
    """A manifest cut short anywhere is refused, but for its last line end."""
    path, data = tmp_path / "m", TEXT_OF_SMALL.encode()
    for end in range(0, len(data) - 1, 3):
        path.write_bytes(data[:end])
        with pytest.raises(BadManifest):
            read_manifest(path)


def test_many_files_are_not_given_to_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take a minute for 50,000 of them: however many there are, YAML is given the same text, and dumps none."""
    given: list[str] = []
    load = yaml.safe_load
    monkeypatch.setattr(yaml, "safe_load", lambda text: given.append(text) or load(text))
    monkeypatch.setattr(yaml, "dump_all", None)
    for count in (1, 2000):
        files = tuple(
            ManifestFile(f"dir/{n}.png", f"{n:064x}", f"{n:064x}", n, "media") for n in range(count)
        )
        manifest = replace(SMALL, files=files)
        assert read_manifest(written(manifest, tmp_path)) == manifest
    few, many = given
    assert len(many) <= len(few) + len("2000") and "dir/" not in many
