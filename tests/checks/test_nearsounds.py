"""Recordings that sound alike."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from blake3 import blake3
from numpy.typing import NDArray

import mldata.examples
from mldata.checks import CHECKS
from mldata.checks import sounds as sounds_module
from mldata.checks.base import Finding
from mldata.checks.nearsounds import alike
from mldata.checks.sounds import Looks, Unseen, look_at
from mldata.testing.checks import check_pieces

NEAR = {"text": 0.9, "images": 4, "audio": 8, "columns": [], "most": None}
RATE = 16_000

Samples = NDArray[np.float64]


def melody(seed: int, seconds: float = 1.0) -> Samples:
    """Notes with overtones that die away: as much comes and goes as in speech."""
    random = np.random.default_rng(seed)
    found = np.zeros(int(RATE * seconds))
    time = np.arange(len(found)) / RATE
    for start in np.linspace(0, len(found), random.integers(4, 12), endpoint=False).astype(int).tolist():
        pitch, fall = random.uniform(150, 1500), random.uniform(3, 15)
        left = time[: len(found) - start]
        note = sum(random.uniform() * np.sin(2 * np.pi * pitch * n * left) for n in (1, 2, 3))
        found[start:] += note * np.exp(-fall * left)
    quiet: Samples = 0.5 * found / np.abs(found).max()
    return quiet


def encoded(samples: Samples, kind: str = "WAV", subtype: str | None = None, rate: int = RATE) -> bytes:
    sink = io.BytesIO()
    soundfile.write(sink, samples, rate, format=kind, subtype=subtype)
    return sink.getvalue()


def variants(samples: Samples, rate: int = RATE) -> dict[str, bytes]:
    """The same recording in other files."""
    silence = np.zeros(rate // 3)
    found = {
        "wav": encoded(samples, rate=rate),
        "24 bits": encoded(samples, "WAV", "PCM_24", rate),
        "flac": encoded(samples, "FLAC", rate=rate),
        "ogg": encoded(samples, "OGG", "VORBIS", rate),
        "mp3": encoded(samples, "MP3", rate=rate),
        "opus": encoded(samples, "OGG", "OPUS", rate),
        "half the volume": encoded(samples / 2, rate=rate),
        "stereo": encoded(np.stack([samples, samples * 0.7], axis=1), rate=rate),
        "silence around": encoded(np.concatenate([silence, samples, silence]), rate=rate),
    }
    return found | ({"decimated": encoded(samples[::2], rate=rate // 2)} if rate > 8_000 else {})


def check(
    folder: Path, files: list[bytes], name: str = "duplicates", parts: Any = None, **params: Any
) -> list[Finding]:
    digests = [blake3(data).hexdigest() for data in files]
    for digest, data in zip(digests, files, strict=True):
        (folder / digest).write_bytes(data)
    table = pa.table({"path": [f"{number}.wav" for number in range(len(files))], "digest": digests})
    others: dict[str, dict[str, Any]] = {
        "duplicates": {"within": None, "across": 0, "columns": []},
        "leakage": {"rows": 0, "groups": [], "label": None, "ignore": []},
    }
    plain = others[name] | {"near": NEAR | params}
    pieces = [table.slice(0, 3), table.slice(3)]
    found = check_pieces(
        CHECKS[name],
        plain,
        pieces,
        parts=parts,
        kind="audio",
        media=lambda digest: folder / str(digest),
    )
    assert not isinstance(found, str), found
    return found


def heard(folder: Path, data: bytes) -> Looks:
    path = folder / "a"
    path.write_bytes(data)
    return look_at(path)


def pairs(looks: list[Looks], bits: int = 8) -> list[tuple[int, int]]:
    """Those that are alike, of all pairs that have something to tell them by."""
    words = np.array([it.bits for it in looks], "<u8").view(np.uint8).reshape(-1, 8)
    records = np.concatenate([words, np.stack([it.record for it in looks])], axis=1)
    left = [number for number, it in enumerate(looks) if not it.flat]
    found = np.array([*combinations(left, 2)], np.int64).reshape(-1, 2)
    near = alike(records[found[:, 0]], records[found[:, 1]], bits=bits)
    return [(one, other) for one, other in found[near].tolist()]


def digits() -> list[Path]:
    return sorted((Path(mldata.examples.__path__[0]) / "spoken-digits" / "data").glob("*/*"))


def test_the_same_recording_in_other_files(tmp_path: Path) -> None:
    """In other formats, at another volume or rate, of two channels or with silence around it, it is found, and no other recording is."""
    files = [*variants(melody(1)).values(), *(encoded(melody(seed)) for seed in range(2, 20))]
    [finding] = check(tmp_path, files)
    assert (finding.severity, finding.code, finding.rows) == ("warning", "near-duplicate-audio", 9)
    assert "9 rows (32.1%) have a recording that is nearly that of an earlier row" in finding.message
    assert "1 group of rows that are alike, the largest of 10 from row 0 on" in finding.message
    [place, *_] = finding.places
    assert place.like is not None and (place.value, place.like.value) == ("'1.wav'", "'0.wav'")
    assert not check(tmp_path, files, audio=None)


def test_speech_in_other_files(tmp_path: Path) -> None:
    """Every word is found in each of its other files, but for one that MP3 has changed in more bits than the default lets through."""
    missed = []
    for path in digits()[::7]:
        samples, rate = soundfile.read(path)
        looks = {name: heard(tmp_path, data) for name, data in variants(samples, rate).items()}
        missed += [
            (path.stem, name) for name, look in looks.items() if pairs([looks["wav"], look]) != [(0, 1)]
        ]
    assert set(missed) <= {("it-it-carlo-7", "mp3")}


def test_different_speech(tmp_path: Path) -> None:
    """Other words of one voice, and one word of other voices, are not alike, by far."""
    looks = [look_at(path) for path in digits()]
    assert len(looks) == 50 and not any(it.flat for it in looks)
    assert pairs(looks, 10) == []
    assert min((one.bits ^ other.bits).bit_count() for one, other in combinations(looks, 2)) > 12


def different() -> dict[str, list[Samples]]:
    """Of each kind some that are all different, and of one length."""
    random = np.random.default_rng(1)
    time = np.arange(RATE) / RATE
    return {
        "melodies": [melody(seed) for seed in range(20)],
        "noise": [random.normal(0, 0.1, RATE) for _ in range(10)],
        "bursts of noise": [random.normal(0, 0.2, RATE) * np.exp(-12 * time) for _ in range(10)],
        "sweeps": [
            0.5 * np.sin(2 * np.pi * (low * time + (high - low) * time**2 / 2))
            for low in (100, 200, 400, 800)
            for high in (300, 1000, 2000, 3000)
        ],
        "plucked tones": [
            0.5 * np.sin(2 * np.pi * 220 * 2 ** (note / 12) * time) * np.exp(-6 * time) for note in range(24)
        ],
    }


@pytest.mark.parametrize("kind", different())
def test_different_sounds(kind: str, tmp_path: Path) -> None:
    """What is made alike but is not the same is told apart: tones by a semitone, noise by its course."""
    assert pairs([heard(tmp_path, encoded(it)) for it in different()[kind]], 10) == []


def test_nothing_to_hear(tmp_path: Path) -> None:
    """Silence, clicks and constant tones have nothing to tell them by."""
    time = np.arange(RATE) / RATE
    click = np.zeros(RATE)
    click[500] = 0.9
    plain = [np.zeros(RATE), np.zeros(RATE // 2), np.zeros(0), click, click / 2, np.full(RATE, 0.3)]
    plain += [0.5 * np.sin(2 * np.pi * pitch * time) for pitch in (200, 300, 440, 440.5, 1000)]
    plain += [0.5 * np.sin(2 * np.pi * pitch * time) * np.exp(-5 * time) for pitch in (6000, 7000)]
    looks = [heard(tmp_path, encoded(it)) for it in plain]
    assert pairs(looks, 10) == []
    assert all(it.flat for it in looks[:-2])


def test_length_belongs_to_it(tmp_path: Path) -> None:
    """A recording that is played faster is another one."""
    looks = [heard(tmp_path, encoded(melody(3), rate=rate)) for rate in (16_000, 17_600)]
    assert pairs(looks, 10) == []


def test_long_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long one the beginning is listened to, and the whole length counts."""
    monkeypatch.setattr(sounds_module, "MOST_SECONDS", 2)
    first, other = melody(1, 3), melody(2, 3)
    made = [first, first[: int(2.5 * RATE)], np.concatenate([first[: 2 * RATE], other[:RATE]]), other]
    assert pairs([heard(tmp_path, encoded(it)) for it in made]) == [(0, 2)]


def test_what_is_looked_at_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many windows are transformed at a time does not matter."""
    data = encoded(melody(4))
    whole = heard(tmp_path, data)
    monkeypatch.setattr(sounds_module, "_VALUES", 5_000)
    again = heard(tmp_path, data)
    assert whole.bits == again.bits and (whole.record == again.record).all()


def test_across_parts(tmp_path: Path) -> None:
    """A recording that nearly is in an earlier part is leakage; the other check is silent about it."""
    files = [encoded(melody(1)), encoded(melody(2)), encoded(melody(1), "MP3")]
    parts = {"train": [0, 1], "test": [2]}
    [finding] = check(tmp_path, files, "leakage", parts)
    assert (finding.severity, finding.code, finding.part, finding.parts) == (
        "warning",
        "near-audio-across",
        "test",
        {"train": 1},
    )
    assert not check(tmp_path, files, "duplicates", parts)


def test_recordings_that_cannot_be_decoded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They are counted, and left to the check of files; so is a rate that no recorder has."""
    whole = encoded(melody(1))
    vast = encoded(np.zeros(100), rate=2_000_000_000)
    [finding] = check(tmp_path, [whole, b"", b"no recording", encoded(melody(1), "FLAC")[:60], vast])
    assert (finding.severity, finding.code) == ("info", "unseen-audio")
    assert finding.message == "4 rows have a recording that could not be decoded, and was not compared"
    with pytest.raises(Unseen):
        look_at(tmp_path / "not-there")
    assert capfd.readouterr() == ("", "")


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    """Infinite ones, and such as are none, give an answer."""
    samples = melody(1)
    samples[[100, 200, 300]] = [np.nan, np.inf, 1e300]
    look = heard(tmp_path, encoded(samples, "WAV", "DOUBLE"))
    assert 0 <= look.bits < 1 << 64
