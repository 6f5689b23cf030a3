"""Encodings of text files: which are certain, which likely, which refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.formats.encodings import Encoding, UnknownEncoding, guess, look, recoded
from tests.fuzz.engine import limited

SURE = {
    "ASCII": (b"a,b\n", Encoding("utf-8")),
    "UTF-8": ("ä,日\n".encode(), Encoding("utf-8")),
    "UTF-8 with a mark": ("a".encode("utf-8-sig"), Encoding("utf-8", 3)),
    "UTF-16": ("name,city\nBob,Zürich\n".encode("utf-16"), Encoding("utf-16-le", 2)),
    "big-endian UTF-16": (b"\xfe\xff" + "a,b\n".encode("utf-16-be"), Encoding("utf-16-be", 2)),
    "UTF-16 without a mark": ("name,city\n日本,x\n".encode("utf-16-le"), Encoding("utf-16-le")),
    "big-endian UTF-16 without a mark": ("name,city\n".encode("utf-16-be"), Encoding("utf-16-be")),
    "UTF-32": ("a,b\n".encode("utf-32"), Encoding("utf-32-le", 4)),
}


@pytest.mark.parametrize("name", SURE)
def test_what_the_beginning_says_for_sure(name: str) -> None:
    """By a mark, by the NULs of UTF-16, or because it is valid UTF-8."""
    data, expected = SURE[name]
    assert look(data, True) == expected


def test_a_character_that_the_sample_cuts_is_no_error() -> None:
    """Unless the sample is all there is."""
    assert look("ä".encode()[:1], False) == Encoding("utf-8")
    assert look("ä".encode()[:1], True) is None


WESTERN = [
    "Müller;Straße;Köln",
    "prénom,été,ça marche — déjà vu",
    "“quotes” it’s 5 €",
    "Ærø,Øst,Å,Kjærgård",
    "1º,2ª,¿Qué?,niño,m²",
]


@pytest.mark.parametrize("text", WESTERN)
def test_western_text_is_likely_windows_1252(text: str) -> None:
    """And said to be no more than that."""
    assert guess(io.BytesIO(text.encode("cp1252"))) == Encoding("cp1252", sure=False)


OTHERS = {
    "cp1251": "имя,город\nИван,Москва\n",
    "cp1253": "Αθήνα,Θεσσαλονίκη\nΓιώργος,Ελένη και Μαρία από την Πάτρα\n",
    "cp932": "名前,都市\n太郎,東京\n花子,大阪\n",
    "gb18030": "姓名,城市\n张三,北京\n李四,上海\n",
    "cp1250": "Michał,Małgorzata\nGrażyna,Józef\n",
}


@pytest.mark.parametrize("encoding", OTHERS)
def test_other_text_is_refused_with_a_guess(encoding: str) -> None:
    """For the user to decide."""
    with pytest.raises(UnknownEncoding) as caught:
        guess(io.BytesIO(OTHERS[encoding].encode(encoding)))
    assert caught.value.guess == encoding


def test_damaged_utf8_is_not_taken_for_another_encoding() -> None:
    """One wrong byte among many right ones is named by its place, also far into the file."""
    data = "größer,日本\n".encode() * 200_000
    with pytest.raises(UnknownEncoding, match="UTF-8 but for this byte") as caught:
        guess(io.BytesIO(data + b"x\xff" + data))
    assert caught.value.offset == len(data) + 1


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le"]),
)
def test_recoded_text_is_the_same_text(text: str, encoding: str) -> None:
    """In UTF-8."""
    assert b"".join(recoded(io.BytesIO(text.encode(encoding)), encoding)) == text.encode()


@pytest.mark.parametrize("data", [b"a\0\n\0b", b"a\0\n\0\0\xd8b\0"])
def test_text_that_ends_or_breaks_within_a_character(data: bytes) -> None:
    """Is an error that names the line."""
    with pytest.raises(UnknownEncoding) as caught:
        list(recoded(io.BytesIO(data), "utf-16-le"))
    assert caught.value.line == 2


def test_a_long_line_is_looked_at_once() -> None:
    """A guess takes time in proportion to the text, however long a line is that is ASCII."""
    with limited(10), pytest.raises(UnknownEncoding, match="UTF-8 but for this byte"):
        guess(io.BytesIO(b"x" * 500_000 + b"\n\xc3\xa4\xff\n"))
