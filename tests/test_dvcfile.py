"""``.dvc`` files: what mldata writes, and that an edit leaves what the user wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldata.dvcfile import BadDvcFile, Out, new_text, read_dvc, updated_text

OLD, NEW = "1" * 64, "2" * 64
MD5 = "a8b7d3f17946b05ca81f15cc00d1f153"
OUT = Out("penguins", f"{MD5}.dir", 4, 2, legacy=False)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "out",
    [
        OUT,
        Out("a b: #ü\\.csv", MD5, 0, None, legacy=False),
        Out("true", "0" * 31 + "1", 1, None, legacy=False),
        Out("no", "1" * 15 + "e" + "1" * 16, 1, None, legacy=False),
    ],
)
def test_a_new_file_is_read_as_it_was_meant(tmp_path: Path, out: Out) -> None:
    """Names that YAML could take for something else, and hashes that look like numbers, come back as text."""
    file = read_dvc(write(tmp_path / "x.dvc", new_text(out, OLD)))
    assert file is not None
    assert (file.outs, file.tree, file.wdir, file.imported) == ((out,), OLD, None, False)


def test_a_new_file_is_laid_out_as_dvc_does() -> None:
    """The keys stand in DVC's order; only the mark is more."""
    assert new_text(OUT, OLD) == (
        f"outs:\n- md5: {MD5}.dir\n  size: 4\n  nfiles: 2\n  hash: md5\n  path: penguins\nmeta:\n  mldata:\n    tree: {OLD}\n"
    )


USERS = f"""# kept by hand
desc: "what it is"   # and why
outs:
- md5: {"0" * 32}.dir # old
  size: 1
  nfiles: 1
  hash: md5
  path: penguins
  labels: [a, b]
  push: false
  remote: fast
  meta: {{mine: 1}}
meta:
  mine: [1, 2]   # too
  mldata: {{tree: {OLD}}}
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_update_changes_the_hash_and_nothing_else(tmp_path: Path, newline: str) -> None:
    """Comments, keys, their order and line ends of the user stay to the character."""
    text = USERS.replace("\n", newline)
    file = read_dvc(write(tmp_path / "penguins.dvc", text))
    assert file is not None
    made = updated_text(file, OUT, NEW)
    wanted = text.replace("0" * 32, MD5).replace("size: 1", "size: 4").replace("nfiles: 1", "nfiles: 2")
    assert made == wanted.replace(OLD, NEW)


def test_keys_that_dvc_left_out_are_put_in(tmp_path: Path) -> None:
    """A file without sizes and hash gets them in DVC's place, with the indentation of the others."""
    text = f"outs:\n  - md5: {'0' * 32}.dir\n    path: penguins\nmeta:\n  mldata:\n    tree: {OLD}\n"
    file = read_dvc(write(tmp_path / "penguins.dvc", text))
    assert file is not None and file.outs[0].legacy
    assert updated_text(file, OUT, NEW) == (
        f"outs:\n  - md5: {MD5}.dir\n    size: 4\n    nfiles: 2\n    hash: md5\n    path: penguins\nmeta:\n  mldata:\n    tree: {NEW}\n"
    )


def test_a_folder_that_becomes_a_file_loses_its_count(tmp_path: Path) -> None:
    """``nfiles`` is for folders only, and its line goes."""
    file = read_dvc(write(tmp_path / "penguins.dvc", new_text(OUT, OLD)))
    assert file is not None
    single = Out("penguins", MD5, 9, None, legacy=False)
    assert updated_text(file, single, NEW) == new_text(single, NEW)


def test_what_cannot_be_edited_is_refused(tmp_path: Path) -> None:
    """A file in braces is not written anew behind the user's back."""
    text = f"{{outs: [{{md5: {'0' * 32}.dir, path: penguins}}], meta: {{mldata: {{tree: {OLD}}}}}}}"
    file = read_dvc(write(tmp_path / "penguins.dvc", text))
    assert file is not None
    with pytest.raises(BadDvcFile, match="cannot be brought up to date"):
        updated_text(file, OUT, NEW)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "expected a mapping"),
        ("outs: penguins\n", "expected a mapping"),
        ("outs:\n- md5: abc\n", "expected a `path`"),
        ("outs: [", "expected"),
        ("outs:\n- &a {path: x}\n- *a\n", "anchor"),
        ("outs: []\nouts: []\n", "outs"),
        ("!!python/object/apply:os.system [ls]", "tag"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, text: str, found: str) -> None:
    """Damaged and tricky YAML is an error that names the file."""
    path = write(tmp_path / "x.dvc", text)
    with pytest.raises(BadDvcFile, match=found) as caught:
        read_dvc(path)
    assert str(path) in str(caught.value)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in the place of the file is an error; nothing there is none."""
    write(tmp_path / "real", new_text(OUT, OLD))
    (tmp_path / "x.dvc").symlink_to(tmp_path / "real")
    with pytest.raises(BadDvcFile, match="regular file"):
        read_dvc(tmp_path / "x.dvc")
    assert read_dvc(tmp_path / "y.dvc") is None
