"""Workbooks for tests: as a library saves them, and from their parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def saved(*rows: Sequence[Any], merge: Sequence[str] = ()) -> bytes:
    """A workbook of one sheet with these rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cells in merge:
        sheet.merge_cells(cells)
    return to_bytes(book)


def to_bytes(book: openpyxl.Workbook) -> bytes:
    """The file of a workbook."""
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip file of these members."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return sink.getvalue()


def written(
    data: str, *, behind: str = "", dimension: str = "A1", more: Mapping[str, str | bytes] | None = None
) -> bytes:
    """A workbook of one sheet: ``data`` is its rows as XML, ``behind`` what follows them."""
    sheet = f'<worksheet xmlns="{MAIN}"><dimension ref="{dimension}"/><sheetData>{data}</sheetData>{behind}</worksheet>'
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/s.xml" ContentType="{TYPE}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets><sheet name="S" sheetId="1" r:id="b"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="b" Type="{LINKS}/worksheet" Target="worksheets/s.xml"/></Relationships>',
            "xl/worksheets/s.xml": sheet,
            **(more or {}),
        }
    )


def row(number: int, *cells: str) -> str:
    """A row as XML."""
    return f'<row r="{number}">{"".join(cells)}</row>'


def text(name: str, value: str) -> str:
    """A cell with text in itself."""
    return f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'
