"""Pictures that look alike."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from PIL import Image, ImageDraw, ImageFilter

from mldata.checks import CHECKS
from mldata.checks.base import Finding
from mldata.checks.coshash import perceptual_hash
from mldata.checks.nearimages import alike
from mldata.checks.nearmedia import hash_keys
from mldata.checks.pixels import Unseen, look_at
from mldata.testing.checks import check_pieces
from store import Digest

NEAR = {"text": 0.9, "images": 4, "audio": 8, "columns": [], "most": None}


def picture(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Shapes and soft colours: what a photograph has."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(0, 255, (6, 8, 3), np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, w, h = random.integers(0, 100, 4).tolist()
        draw.ellipse((x, y, x + w, y + h), fill=tuple(random.integers(0, 255, 3).tolist()))
    return image.filter(ImageFilter.GaussianBlur(1))


def encoded(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **more)
    return sink.getvalue()


Media = Callable[[Digest], Path]


def stored(folder: Path, files: list[bytes]) -> tuple[pa.Table, Media]:
    """A table of media."""
    digests = []
    for number, data in enumerate(files):
        digests.append(blake3(data).hexdigest())
        (folder / digests[number]).write_bytes(data)
    names = [f"{number}.img" for number in range(len(files))]
    return pa.table({"path": names, "digest": digests}), lambda digest: folder / str(digest)


def check(
    folder: Path,
    files: list[bytes],
    name: str = "duplicates",
    parts: Any = None,
    pieces: int = 1,
    **params: Any,
) -> list[Finding]:
    table, media = stored(folder, files)
    plain: dict[str, Any] = {"near": NEAR | params}
    plain |= {
        "duplicates": {"within": None, "across": 0, "columns": []},
        "leakage": {"rows": 0, "groups": [], "label": None, "ignore": []},
    }[name]
    size = -(-len(table) // pieces)
    cut = [table.slice(at, size) for at in range(0, len(table), size)]
    found = check_pieces(CHECKS[name], plain, cut, parts=parts, kind="images", media=media)
    assert not isinstance(found, str), found
    return found


def variants(image: Image.Image) -> list[bytes]:
    """The same picture in other files."""
    turned = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        encoded(image),
        encoded(image, "JPEG", quality=60),
        encoded(image.resize((320, 240), Image.Resampling.LANCZOS), "WEBP", quality=80),
        encoded(image.resize((90, 68)), "BMP"),
        encoded(image.convert("L"), "TIFF"),
        encoded(Image.eval(image, lambda it: min(255, it * 9 // 10 + 10))),
        encoded(turned, "JPEG", quality=95, exif=exif),
    ]


def test_the_same_picture_in_other_files(tmp_path: Path) -> None:
    """Compressed, scaled, made grey, a little brighter or turned by its EXIF data it is found, and no other picture is."""
    files = [*variants(picture(1)), *(encoded(picture(seed)) for seed in range(2, 30))]
    [finding] = check(tmp_path, files)
    assert (finding.severity, finding.code, finding.rows) == ("warning", "near-duplicate-image", 6)
    assert [(it.row, it.value, it.like and it.like.row) for it in finding.places] == [
        (row, f"'{row}.img'", 0) for row in range(1, 6)
    ]
    assert "1 group of rows that are alike, the largest of 7 from row 0 on" in finding.message
    assert [finding] == check(tmp_path, files, pieces=5)
    assert not check(tmp_path, files, images=None)


def test_exact_copies_are_told_as_such(tmp_path: Path) -> None:
    """Files with the same bytes under two names are equal rows, told by their names, and not nearly equal ones."""
    one, other = encoded(picture(1)), encoded(picture(2))
    [finding] = check(tmp_path, [one, other, one])
    assert finding.code == "duplicate-within"
    [place] = finding.places
    assert place.like is not None and (place.value, place.like.value) == ("'2.img'", "'0.img'")


def test_across_parts(tmp_path: Path) -> None:
    """A picture that nearly is in an earlier part is leakage; the other check is silent about it."""
    files = [encoded(picture(1)), encoded(picture(2)), encoded(picture(1), "JPEG")]
    parts = {"train": [0, 1], "test": [2]}
    [finding] = check(tmp_path, files, "leakage", parts)
    assert (finding.severity, finding.code, finding.part, finding.parts) == (
        "warning",
        "near-image-across",
        "test",
        {"train": 1},
    )
    assert not check(tmp_path, files, "duplicates", parts)


def test_pictures_of_one_colour(tmp_path: Path) -> None:
    """They have nothing to tell them by."""
    shades = [encoded(Image.new("RGB", (50 + n, 60), (n * 20, 90, 200))) for n in range(10)]
    assert not check(tmp_path, shades)


def test_pictures_that_cannot_be_decoded(tmp_path: Path) -> None:
    """They are counted, and left to the check of files."""
    whole = encoded(picture(1))
    vast = encoded(Image.new("1", (8_400, 8_400)))
    [finding] = check(tmp_path, [whole, whole[:200], b"", b"no picture", vast])
    assert (finding.severity, finding.code) == ("info", "unseen-image")
    assert finding.message == "4 rows have a picture that could not be decoded, and was not compared"
    with pytest.raises(Unseen):
        look_at(tmp_path / "not-there")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "PA"])
def test_kinds_of_pictures(mode: str, tmp_path: Path) -> None:
    """Pixels of any kind are looked at, and look like the picture that they are of."""
    image = picture(3).convert("L")
    if mode in ("I;16", "I", "F"):
        wide = np.asarray(image).astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode])
        image = Image.fromarray(wide * 100)
    else:
        image = image.convert("RGBA").convert(mode) if mode == "PA" else image.convert(mode)
    image.save(tmp_path / "a.tiff") if mode not in ("PA", "P") else image.convert("P").save(
        tmp_path / "a.tiff", "PNG"
    )
    found, plain = look_at(tmp_path / "a.tiff"), perceptual_hash(_small(picture(3)))
    assert (found.bits ^ plain).bit_count() <= (12 if mode == "1" else 4)


def _small(image: Image.Image) -> Any:
    return np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS))


def test_every_pair_within_the_distance_shares_a_key() -> None:
    """None is missed, whichever bits differ; and no bit more than the distance is let through."""
    random = np.random.default_rng(1)
    for bits in (0, 1, 4, 10):
        hashes = random.integers(0, 2**64, 60, np.uint64)
        other = hashes.copy()
        for row in range(60):
            for bit in random.choice(64, bits, replace=False).tolist():
                other[row] ^= np.uint64(1 << bit)
        assert (hash_keys(hashes, bits) == hash_keys(other, bits)).any(1).all()
        pixels = random.integers(0, 255, (60, 256), np.uint8)
        records = [
            np.concatenate([it.view(np.uint8).reshape(-1, 8), pixels], axis=1) for it in (hashes, other)
        ]
        assert alike(*records, bits=bits).all()
        assert bits == 0 or not alike(*records, bits=bits - 1).any()


def test_hashes_of_symmetric_pictures() -> None:
    """Frequencies that a symmetry leaves out are zero, not what rounding leaves: the hash does not depend on the machine."""
    half = np.asarray(picture(5).convert("L").resize((16, 32)))
    mirrored = np.concatenate([half, half[:, ::-1]], axis=1)
    assert perceptual_hash(mirrored) == perceptual_hash(mirrored[:, ::-1])


def test_against_all_pairs(tmp_path: Path) -> None:
    """Of many small pictures the same are found as by looking at each pair."""
    files = [encoded(picture(seed % 25, (48, 48)).crop((seed // 25, 0, 48, 48))) for seed in range(75)]
    table, media = stored(tmp_path, files)
    looks = [look_at(media(Digest(it))) for it in table["digest"].to_pylist()]
    words = np.array([it.bits for it in looks], np.uint64).view(np.uint8).reshape(-1, 8)
    records = np.concatenate([words, np.stack([it.thumbnail.ravel() for it in looks])], axis=1)
    root = list(range(75))
    for one, other in combinations(range(75), 2):
        if alike(records[one : one + 1], records[other : other + 1], bits=6)[0]:
            first, last = sorted((root[one], root[other]))
            root = [first if it == last else it for it in root]
    expected = sum(it != row for row, it in enumerate(root))
    found = check(tmp_path, files, images=6)
    assert expected > 5
    assert sum(it.rows for it in found if it.code == "near-duplicate-image") == expected


def test_against_imagehash() -> None:
    """Hashes are those of the library of that name, but for a bit or two where a frequency is at the median."""
    imagehash = pytest.importorskip("imagehash", reason="a peer: pip install imagehash")
    for seed in range(20):
        theirs = int(str(imagehash.phash(picture(seed))), 16)
        assert (perceptual_hash(_small(picture(seed))) ^ theirs).bit_count() <= 2
