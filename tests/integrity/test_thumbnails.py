"""Small pictures of damaged files, made within bounds."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from mldata.integrity import thumbnails as module
from mldata.integrity.thumbnails import EDGE, Thumbnail, answer, thumbnails


def saved(
    path: Path, kind: str, mode: str = "RGB", size: tuple[int, int] = (600, 300), share: float = 1
) -> Path:
    """A picture, or the first part of one."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(out, kind)
    path.write_bytes(out.getvalue()[: int(len(out.getvalue()) * share)])
    return path


def opened(made: Thumbnail) -> Image.Image:
    assert isinstance(made, tuple), made
    image = Image.open(io.BytesIO(made[1]))
    image.load()
    return image


def bomb(path: Path) -> Path:
    """A PNG that says it is of 60,000 x 60,000 pixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1 << 16))), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def test_in_order(tmp_path: Path) -> None:
    """Each file gets its picture or the reason, in order: cut ones as far as they go, hostile ones within bounds."""
    files = [
        saved(tmp_path / "cut.jpg", "JPEG", share=0.5),
        bomb(tmp_path / "bomb.png"),
        saved(tmp_path / "clear.png", "PNG", "RGBA"),
        tmp_path / "nothing.png",
        saved(tmp_path / "sixteen.png", "PNG", "I;16"),
    ]
    cut, refused, clear, missing, sixteen = thumbnails(files)
    assert opened(cut).size[0] <= EDGE and opened(cut).format == "JPEG"
    assert refused == "60,000 x 60,000 pixels are too many to be shown"
    assert opened(clear).mode == "RGBA" and missing == "it is not there any more"
    assert max(opened(sixteen).convert("L").tobytes()) > 200


def test_the_worker_may_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that hangs its decoder, here a FIFO that nobody writes to, is told; the next one is shown."""
    monkeypatch.setattr(module, "SECONDS", 1.5)
    os.mkfifo(tmp_path / "hangs.png")
    made = list(thumbnails([tmp_path / "hangs.png", saved(tmp_path / "a.png", "PNG", size=(8, 8))]))
    assert made[0] == "the decoder took too long" and opened(made[1]).size == (8, 8)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a", b"II*\0\xff\xff\xff\xff", b"RIFF\0\0\0\0WEBPVP8 "]
)
def test_nothing_to_show(tmp_path: Path, data: bytes) -> None:
    """Bytes that are no picture are told, whatever a decoder makes of them."""
    (tmp_path / "x").write_bytes(data)
    assert answer(str(tmp_path / "x")) == ("", "nothing of it can be decoded")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("L", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("F", "TIFF"), ("I", "TIFF"), ("LA", "PNG")],
)
def test_every_mode(tmp_path: Path, mode: str, kind: str) -> None:
    """Pictures of every kind of pixel are shown, and the same bytes give the same picture."""
    path = os.fspath(saved(tmp_path / "x", kind, mode))
    assert answer(path) == answer(path) and answer(path)[0]
