"""Video: the structure of each container, and every picture and sound decoded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from mldata.integrity import video
from mldata.integrity.base import Unsupported
from tests.integrity.checking_bytes import check, codes, cuts, errors, flips
from tests.integrity.films import film

pytest.importorskip("av", reason="the extra `video` is not installed")

FRAGMENTED = (("movflags", "frag_keyframe+empty_moov"),)
FILMS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "H.264 and AAC in MP4": ("mp4", lambda: film("mp4", "libx264", "aac")),
    "the index first": ("mp4", lambda: film("mp4", "libx264", muxing=(("movflags", "faststart"),))),
    "fragments": ("mp4", lambda: film("mp4", "libx264", muxing=FRAGMENTED, coding=(("g", "5"),))),
    "pictures out of order": ("mp4", lambda: film("mp4", "libx264", coding=(("g", "6"), ("bf", "2")))),
    "any time between pictures": (
        "mp4",
        lambda: film("mp4", "libx264", times=(*range(10), *range(12, 42, 3))),
    ),
    "MPEG-4 in QuickTime": ("mp4", lambda: film("mov", "mpeg4")),
    "Motion JPEG in AVI": ("avi", lambda: film("avi", "mjpeg", "pcm_s16le")),
    "MPEG-4 in AVI": ("avi", lambda: film("avi", "mpeg4")),
    "H.264 and Opus in Matroska": ("mkv", lambda: film("matroska", "libx264", "libopus")),
    "a live stream": ("mkv", lambda: film("matroska", "libx264", muxing=(("live", "1"),))),
    "lossless": ("mkv", lambda: film("matroska", "ffv1")),
    "VP9 in WebM": (
        "webm",
        lambda: film("webm", "libvpx-vp9", coding=(("deadline", "realtime"), ("cpu-used", "8"))),
    ),
}


def make(name: str) -> tuple[str, bytes]:
    """The kind of a film, and the film."""
    kind, maker = FILMS[name]
    return kind, maker()


@pytest.mark.parametrize("name", FILMS)
def test_a_sound_film_is_valid(name: str) -> None:
    """Whatever the container and codec, with sound or without, and its frames and size are told."""
    kind, data = make(name)
    found = check(kind, data)
    assert (found.verdict, codes(found)) == ("valid", [])
    assert (found.facts["frames"], found.facts["width"], found.facts["height"]) == (20, 64, 48)


@pytest.mark.parametrize(
    "name",
    [
        "H.264 and AAC in MP4",
        "the index first",
        "fragments",
        "MPEG-4 in AVI",
        "H.264 and Opus in Matroska",
        "VP9 in WebM",
    ],
)
def test_every_cut_is_found(name: str) -> None:
    """A film that was cut off anywhere is corrupt; a live stream or one in fragments may end between two."""
    kind, data = make(name)
    for cut in cuts(data, len(data) // 29):
        if len(cut) > 64:
            assert check(kind, cut).verdict == "corrupt"


@pytest.mark.parametrize(
    "name",
    ["H.264 and AAC in MP4", "MPEG-4 in AVI", "H.264 and Opus in Matroska", "VP9 in WebM", "a live stream"],
)
def test_flipped_bits_are_never_a_crash(name: str) -> None:
    """Any bit may be wrong: the answer is a verdict, or that it is not known."""
    kind, data = make(name)
    for _, bad in flips(data, len(data) // 13):
        with suppress(Unsupported):
            check(kind, bad)


LOST: dict[str, Callable[[bytes], int]] = {
    "the index first": lambda data: len(data) // 2,
    "fragments": lambda data: data.rindex(b"moof") - 1200,
    "Motion JPEG in AVI": lambda data: data.rindex(b"00dc") + 700,
    "lossless": lambda data: len(data) // 2,
    "MPEG-4 in AVI": lambda data: data.index(b"movi") + 1500,
}


@pytest.mark.parametrize("name", LOST)
def test_a_lost_block_is_found(name: str) -> None:
    """Zeros in place of pictures are told, also where the decoder makes something of them."""
    kind, data = make(name)
    at = LOST[name](data)
    found = check(kind, data[:at] + bytes(700) + data[at + 700 :])
    assert found.problems


def test_a_wrong_checksum_is_found() -> None:
    """A lossless film has checksums, and a changed bit does not pass."""
    kind, data = make("lossless")
    at = len(data) // 2
    assert codes(check(kind, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])) == ["bad-crc"]


def test_a_damaged_picture_is_told_by_its_place() -> None:
    """The frame and the time of a picture that does not decode are told."""
    data = make("the index first")[1]
    at = data.rindex(b"mdat") + 2500
    found = check("mp4", data[:at] + b"\xa5" * 600 + data[at + 600 :])
    problem = errors(found)[0]
    assert problem.code == "bad-frame" and problem.frame is not None
    assert " s, found damage" in problem.message


STRUCTURES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "the index is missing": ("mp4", lambda data: data[: data.index(b"moov") - 4], "no-moov"),
    "bytes behind the boxes": ("mp4", lambda data: data + b"\xff" * 40, "trailing-data"),
    "zeros behind the boxes": ("mp4", lambda data: data + bytes(40), "trailing-data"),
    "a chunk beyond the end": ("mp4", lambda data: data.replace(b"stco" + bytes(4) + data[data.index(b"stco") + 8 : data.index(b"stco") + 12], b"stco" + bytes(4) + data[data.index(b"stco") + 8 : data.index(b"stco") + 12] + b"\x7f", 1)[: len(data)], "bad-offset"),
    "bytes behind RIFF": ("avi", lambda data: data + b"more", "trailing-data"),
    "bytes behind the segment": ("mkv", lambda data: data + b"\0more", "trailing-data"),
}  # fmt: skip
OF = {"mp4": "H.264 and AAC in MP4", "avi": "MPEG-4 in AVI", "mkv": "H.264 and Opus in Matroska"}


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_structure_is_looked_at(name: str) -> None:
    """What is wrong with a container is told by a code of its own."""
    kind, damage, code = STRUCTURES[name]
    assert code in codes(check(kind, damage(make(OF[kind])[1])))


def test_absurd_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of more than a bound are refused before anything is decoded."""
    monkeypatch.setattr(video, "MOST_PIXELS", 64 * 48 - 1)
    assert codes(check("avi", make("MPEG-4 in AVI")[1])) == ["too-large"]


def test_an_encrypted_film_is_not_judged() -> None:
    """A film that is encrypted is not called corrupt."""
    with pytest.raises(Unsupported, match="encrypted"):
        check("mp4", make(OF["mp4"])[1].replace(b"avc1", b"encv"))


def test_without_a_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra a film is not judged, and the extra named; what its structure shows is found all the same."""
    monkeypatch.setitem(sys.modules, "av", None)
    data = make(OF["mp4"])[1]
    with pytest.raises(Unsupported, match=r"mldata-cli\[video\]"):
        check("mp4", data)
    assert codes(check("mp4", data[:-40])) == ["truncated"]
