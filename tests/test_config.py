"""Settings: where each comes from, what is refused, and edits that keep what people wrote."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.config import SETTINGS, ConfigError, config_file, load_config, setting
from mldata.configfile import read_entries, remove_entry, write_entry
from mldata.configlines import plain_entries
from mldata.download.options import DownloadOptions
from mldata.errors import UsageError
from mldata.quantities import format_size, parse_size
from tests.homes import Home, home

__all__ = ["home"]

TEXTS = {
    "segments": "8",
    "connections": "16",
    "limit_rate": "5MB",
    "stall": "2m",
    "retries": "0",
    "offline": "true",
    "executor": "processes",
    "jobs": "3",
    "color": "never",
    "keyring": "false",
    "hf.endpoint": "https://hub.example.org:8443/mirror",
    "kaggle.endpoint": "http://127.0.0.1:8000",
    "openml.endpoint": "https://test.openml.org",
}
"""A text for each setting that is not its default."""


def write(home: Home, text: str) -> Path:
    return home.write(".config/mldata/config.yaml", text)


def test_defaults(home: Home) -> None:
    """Without a file and variables every setting is its default, and downloads are as they are without settings."""
    config = load_config()
    assert {value.origin for value in config.values.values()} == {"default"}
    assert config.download() == DownloadOptions()
    assert (config.jobs, config.executor, config.offline, config.color) == (None, "threads", False, "auto")
    assert config.endpoint("hf") == "https://huggingface.co"


def test_every_setting_can_be_set_in_each_way(home: Home) -> None:
    """From the file, and from the environment, which comes first; the origin says which."""
    assert set(TEXTS) == set(SETTINGS)
    path = write(home, "".join(f"{name}: {text}\n" for name, text in TEXTS.items()))
    config = load_config()
    for line, (name, text) in enumerate(TEXTS.items(), 1):
        it = SETTINGS[name]
        assert config.values[name] == (it.read(text), f"{path}:{line}:1")
        assert config[name] != it.default
        home.set(**{it.variable: it.show(it.default)})
    assert {name: it.value for name, it in load_config().values.items()} == {
        name: it.default for name, it in SETTINGS.items()
    }
    assert load_config().values["hf.endpoint"].origin == "the variable MLDATA_HF_ENDPOINT"


def test_options_of_downloads(home: Home) -> None:
    """What the settings say of downloads arrives there."""
    write(home, "segments: 8\nlimit_rate: 1.5GiB\nstall: 10\nretries: 1\nconnections: 2\n")
    expected = DownloadOptions(segments=8, connections=2, limit_rate=1610612736, retries=1, stall=10.0)
    assert load_config().download() == expected


def test_variables_of_the_services_clients(home: Home) -> None:
    """HF_ENDPOINT means what it means to the Hub's client; mldata's own variable comes before it."""
    home.set(HF_ENDPOINT="https://mirror.example.org/")
    assert load_config().endpoint("hf") == "https://mirror.example.org"
    home.set(MLDATA_HF_ENDPOINT="https://other.example.org")
    assert load_config().endpoint("hf") == "https://other.example.org"
    home.set(MLDATA_HF_ENDPOINT=" ")
    assert load_config().endpoint("hf") == "https://mirror.example.org"


@pytest.mark.parametrize("name", SETTINGS)
def test_values_show_as_text_that_reads_as_them(name: str) -> None:
    """What is shown can be given to `config set` again."""
    it = SETTINGS[name]
    for value in (it.default, it.read(TEXTS[name])):
        assert it.read(it.show(value)) == value


@given(st.integers(min_value=0, max_value=2**60))
def test_sizes_show_as_text_that_reads_as_them(size: int) -> None:
    """Every size is shown exactly."""
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("segmens: 8\n", "1:1", "segments"),
        ("# x\nsegments: many\n", "2:1", "whole number from 1 to 64"),
        ("segments: 0\n", "1:1", "from 1 to 64"),
        ("segments: 99999999999999999999\n", "1:1", "from 1 to 64"),
        ("segments:\n", "1:1", "whole number"),
        ("offline: perhaps\n", "1:1", "true or false"),
        ("executor: dask\n", "1:1", "threads, processes"),
        ("stall: 0s\n", "1:1", "from 1s to 24h"),
        ("limit_rate: 0\n", "1:1", "above 0"),
        ("limit_rate: fast\n", "1:1", "size such as"),
        ("hf:\n  endpoint: https://a.b\n", "1:1", "hf.endpoint: ..."),
        ("segments: [1]\n", "1:1", "a list"),
        ("- segments\n", "1:1", "segments: 8"),
        ("segments: 1\nsegments: 2\n", "2:1", "given twice"),
        ("segments: {\n", "", "not YAML"),
        ("segments: &a 4\n", "1:11", "anchors"),
        ("\x07", "1:1", "control character"),
    ],
)
def test_wrong_files(text: str, place: str, said: str, home: Home) -> None:
    """Each fault is named with file, line and column, and with what was expected."""
    path = write(home, text)
    with pytest.raises(UsageError) as caught:
        load_config()
    assert f"{path}:{place}" in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "huggingface.co",
        "ftp://a.b",
        "https://",
        "https://a.b:x",
        "https://a b",
        "https://ä.b",
        "https://[::",
        "https://a.b/?x=1",
    ],
)
def test_wrong_addresses(address: str) -> None:
    """What is no address of a service is refused."""
    with pytest.raises(UsageError, match="expected an address"):
        setting("hf.endpoint").read(address)


def test_an_address_with_a_password_is_refused_and_not_shown() -> None:
    """Secrets are no settings."""
    with pytest.raises(UsageError) as caught:
        setting("hf.endpoint").read("https://ann:s3cret@a.b")
    assert "s3cret" not in str(caught.value)


def test_a_wrong_variable_is_named(home: Home) -> None:
    """The error says which variable, not which file."""
    home.set(MLDATA_JOBS="all")
    with pytest.raises(ConfigError, match="the variable MLDATA_JOBS"):
        load_config()


def test_an_empty_file_says_nothing(home: Home) -> None:
    """Neither does one with comments only."""
    for text in ("", "# nothing\n", "---\n"):
        write(home, text)
        assert load_config().download() == DownloadOptions()


def test_a_file_that_cannot_be_read(home: Home) -> None:
    """A folder in its place is an error with its name."""
    config_file().mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_config()


@pytest.mark.parametrize("names", [(), tuple(TEXTS)], ids=["none", "all"])
def test_no_yaml_is_loaded_for_plain_settings(names: tuple[str, ...], home: Home) -> None:
    """Reading them costs next to nothing where there are none, and where `mldata config` wrote them."""
    for name in names:
        write_entry(config_file(), name, TEXTS[name])
    asked = "import sys; from mldata.config import load_config; load_config(); print('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("before", "name", "text", "after"),
    [
        (
            "# mine\nsegments: 4   # four\n\njobs: 2\n",
            "segments",
            "8",
            "# mine\nsegments: 8   # four\n\njobs: 2\n",
        ),
        ("# mine\nsegments: 4   # four\n\njobs: 2\n", "segments", None, "# mine\n\njobs: 2\n"),
        ("segments: 4", "jobs", "2", "segments: 4\njobs: 2\n"),
        ("segments: '4'\r\n", "segments", "5", "segments: 5\r\n"),
        ("segments: 4\r\n", "jobs", "2", "segments: 4\r\njobs: 2\r\n"),
        ("jobs:\nsegments: 4\n", "jobs", "3", "jobs: 3\nsegments: 4\n"),
        ("jobs:\nsegments: 4\n", "jobs", None, "segments: 4\n"),
        ("jobs:\n  2\nsegments: 4\n", "jobs", "3", "jobs:\n  3\nsegments: 4\n"),
        ("jobs:\n  2\nsegments: 4\n", "jobs", None, "segments: 4\n"),
        ("{jobs: 2, segments: 4}\n", "jobs", "3", "{jobs: 3, segments: 4}\n"),
        ("a: 1\nunknown: x\n", "unknown", None, "a: 1\n"),
        ("# tö\nä: 'ü' # ö\nb: 1\n", "ä", "o", "# tö\nä: o # ö\nb: 1\n"),
        ("jobs: 2\n", "u", "https://a.b:80/c", "jobs: 2\nu: https://a.b:80/c\n"),
        ("jobs: 2\n", "u", "a # b", 'jobs: 2\nu: "a # b"\n'),
    ],
)
def test_edits_keep_everything_else(
    before: str, name: str, text: str | None, after: str, tmp_path: Path
) -> None:
    """Comments, order, quotes and line ends of the rest stay."""
    path = tmp_path / "config.yaml"
    path.write_bytes(before.encode())
    if text is None:
        assert remove_entry(path, name)
    else:
        write_entry(path, name, text)
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("{jobs: 2}\n", "segments", "8"),
        ("{jobs: 2, segments: 4}\n", "jobs", None),
        ("a: 1\n...\n", "b", "1"),
        ("a: {\n", "b", "1"),
    ],
)
def test_what_cannot_be_edited_safely_is_left_alone(
    text: str, name: str, value: str | None, tmp_path: Path
) -> None:
    """The file stays byte for byte, and the error names it."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"config\.yaml"):
        remove_entry(path, name) if value is None else write_entry(path, name, value)
    assert path.read_text() == text
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".lock")] == ["config.yaml"]


def test_two_who_set_at_once_both_count(tmp_path: Path) -> None:
    """What another process sets meanwhile is not lost."""
    path = tmp_path / "config.yaml"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: write_entry(path, name, TEXTS[name]), TEXTS))
    assert {entry.name: entry.text for entry in read_entries(path.read_bytes(), "f")} == TEXTS


pieces = st.sampled_from(
    [
        "a",
        "b: 1",
        "b: x:y",
        "c.d",
        ":",
        " ",
        "  ",
        "#",
        " # x",
        "\n",
        "\r",
        "\t",
        "'",
        "-",
        "?",
        "1",
        "~",
        "{",
        "...",
        "---",
        "é",
        "\x00",
    ]
)


@given(st.lists(pieces, max_size=14).map("".join))
def test_what_is_read_without_yaml_is_what_yaml_says(text: str) -> None:
    """Whatever the quick reader does not leave alone reads the same in full."""
    quick = plain_entries(text.encode(), "f")
    if quick is not None:
        assert quick == read_entries(text.encode(), "f")


names = st.sampled_from(sorted(SETTINGS))
steps = st.lists(st.tuples(names, st.none() | st.text(st.characters(codec="utf-8"), max_size=12)), max_size=8)


@given(steps)
def test_any_edits_in_a_row(
    tmp_path_factory: pytest.TempPathFactory, todo: list[tuple[str, str | None]]
) -> None:
    """The file always says what a dict would say; a text that YAML cannot hold is refused and changes nothing."""
    path = tmp_path_factory.mktemp("edits") / "config.yaml"
    model: dict[str, str] = {}
    for name, text in todo:
        if text is None:
            assert remove_entry(path, name) is (model.pop(name, None) is not None)
        else:
            try:
                write_entry(path, name, text)
            except UsageError:
                continue
            model[name] = text
    entries = read_entries(path.read_bytes(), "f") if path.exists() else []
    assert {entry.name: entry.text for entry in entries} == model
