"""The report of a check of files as a web page."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from PIL import Image

from mldata.checks.report import CheckReport, Report
from mldata.integrity import html
from mldata.integrity.base import FileCheckResult, Found, Problem, result_of
from mldata.integrity.html import files_page
from mldata.integrity.report import FilesReport, FilesReportBuilder
from mldata.validationpage import validation_page
from tests.browser import BROWSER
from tests.htmlpage import Page
from tests.integrity.test_report import HOSTILE, made


def flat(count: int) -> FilesReport:
    """A report of so many pictures of one colour."""
    builder = FilesReportBuilder()
    problem = Problem("one-colour", "all pixels have one colour", "warning")
    for number in range(count):
        builder.add(result_of(f"{number:03d}.png", "png", Found("Pillow", [problem])))
    return builder.report("data")


def test_has_everything() -> None:
    """Every file that is not valid is there with its reason, and the counts in words beside the bar."""
    page = Page(files_page(made()))
    for path in ("b/flat.png", "slow.gif", "notes.TXT"):
        assert path in page.text
    assert "expected 1,000 bytes, found 10 (byte 10)" in page.text and "50% of 4 files are whole" in page.text
    assert "good.png" not in page.text and page.elements[0][0] == "html"
    labels = [attrs["aria-label"] for _, attrs in page.elements if attrs.get("role") == "img"]
    assert labels == ["valid 1, suspect 1, timed out 1, corrupt 1, skipped 1"]
    targets = {value for tag, attrs in page.elements if (value := attrs.get("id"))}
    links = page.values("a", "href")
    assert links and all(link.startswith("#") and link[1:] in targets for link in links)


def test_hostile_names_stay_text() -> None:
    """Names are text wherever they stand: no element, attribute or control character comes out of one."""
    evil = '"><img src=x onerror=alert(1)>\u202e</style><script>alert(1)</script>'
    report = made(
        FileCheckResult(evil, f"type{evil}", False, f"why{evil}", {"decoder": evil, "size": 3}, "corrupt")
    )
    text = validation_page(evil, files=report)
    page = Page(text)
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "img", "iframe", "object", "link", "base", "form"}
    )
    assert (
        page.text.count("alert(1)") == text.count("alert(1)") and "\u202e" not in text and "\x1b" not in text
    )
    assert HOSTILE.replace("\n", "\\n").replace("\x1b", "\\x1b") in page.text
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_needs_nothing_else(tmp_path: Path) -> None:
    """The page loads nothing: pictures are in it, and nothing that is linked lies elsewhere."""
    Image.new("RGB", (9, 9), "red").save(tmp_path / "000.png")
    (tmp_path / "001.png").write_bytes(b"junk")
    text = files_page(flat(3), lambda file: tmp_path / file.path if file.path < "002" else None)
    page = Page(text)
    (source,) = page.values("img", "src")
    assert (
        source.startswith("data:image/jpeg;base64,")
        and "no picture: nothing of it can be decoded" in page.text
    )
    assert "http://" not in text and "https://" not in text and "url(" not in text and "@import" not in text
    assert "default-src 'none'" in page.values("meta", "content")[0]


def test_pictures_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many pictures some are shown, and how many there are beside them is said."""
    monkeypatch.setattr(html, "MOST_THUMBNAILS", 2)
    Image.new("RGB", (9, 9), "red").save(tmp_path / "a.png")
    page = Page(files_page(flat(5), lambda file: tmp_path / "a.png"))
    assert len(page.values("img", "src")) == 2 and "there are 3 more" in page.text


def test_both_at_once() -> None:
    """One page has files and data, with one verdict: failed if either is."""
    data = Report("d", "error", 3, {}, {"schema": CheckReport("passed")})
    assert "Validation of d ✓ passed" in Page(validation_page("d", data=data)).text
    page = Page(validation_page("d", files=made(), data=data))
    assert "Validation of d ✕ failed" in page.text
    assert "Files" in page.text and "Data" in page.text and "schema" in page.text
    assert "Validation of d ! passed" in Page(validation_page("d", files=flat(1), data=data)).text


def test_same_page_for_same_files() -> None:
    """Nothing but the report is in the page."""
    assert validation_page("d", files=made()) == validation_page("d", files=made())


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_in_a_browser(tmp_path: Path) -> None:
    """A browser takes the page as it is meant: a hostile name runs nothing, its own style applies, and pictures are decoded."""
    assert BROWSER is not None
    Image.new("RGB", (9, 9), "red").save(tmp_path / "000.png")
    evil = result_of(
        "<script>document.title='owned'</script>.jpg", "jpeg", Found("Pillow", [Problem("x", "y")])
    )
    builder = FilesReportBuilder()
    for result in (*flat(1).files, evil):
        builder.add(result)
    page = tmp_path / "page.html"
    page.write_text(files_page(builder.report("data"), lambda file: tmp_path / "000.png"), encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    done = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120
    )
    found = Page(done.stdout.replace("<!DOCTYPE html>", ""))
    assert "Files of data: failed" in found.text and "&lt;script&gt;" in done.stdout
    shot = tmp_path / "shot.png"
    subprocess.run(
        [*command, "--window-size=800,900", f"--screenshot={shot}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    with Image.open(shot) as image:
        pixels = image.convert("RGB").tobytes()
    colours = set(zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True))
    assert any(red > 240 and green < 20 and blue < 20 for red, green, blue in colours)  # the picture
    assert (0xCF, 0x22, 0x2E) in colours or (0xE5, 0x48, 0x4D) in colours  # the bar
