"""The frame of a report as a web page: one file that needs no network and no other file, and nothing that is written in it needs a script.

It is light or dark as the reader's system is, or as :func:`theme_switch` is set, prints without what only a screen needs, and is read on a phone as well. A content
security policy in it forbids everything but its own style, pictures and sounds in it, and the one script that came with it, known by its digest; so that nothing from
data could be more than text even if it got into the markup; and text from data gets into it through :func:`escaped` alone.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["bar", "details", "escaped", "facts", "page", "table", "theme_switch", "verdict"]

_SIGNS = {"green": "\N{CHECK MARK}", "yellow": "!", "red": "\N{MULTIPLICATION X}", "grey": "\N{EN DASH}"}
"""By colour, which always has a word beside it as well."""
_LIGHT = """--back:#fff;--text:#1b1f24;--soft:#59636e;--line:#d4d9df;--panel:#f5f7f9;--green:#1a7f37;--yellow:#8a5c00;--red:#c31b28;--grey:#6e7781;
--greenfill:#2da44e;--yellowfill:#d4a72c;--redfill:#cf222e;--greyfill:#afb8c1;--mark:#2b6cb0;--was:#6e7781;--plus:#5b9bd5;--minus:#e08e5a"""
_DARK = """--back:#0f1318;--text:#e4e9ee;--soft:#98a2ad;--line:#313943;--panel:#181e25;--green:#4fc36a;--yellow:#dfb23c;--red:#ff7b72;--grey:#98a2ad;
--greenfill:#2f9e4f;--yellowfill:#c69726;--redfill:#e5484d;--greyfill:#5b6570;--mark:#6cb2ff;--was:#98a2ad;--plus:#1f62b3;--minus:#a34f14"""
_STYLE = (
    f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
@media screen{{:root:has(#theme-light:checked){{color-scheme:light;{_LIGHT}}}:root:has(#theme-dark:checked){{color-scheme:dark;{_DARK}}}}}
"""
    + """*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:68rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.25rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
p{margin:.5rem 0;overflow-wrap:anywhere}
a{color:inherit;text-underline-offset:.15em}
code,.path{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.92em;overflow-wrap:anywhere;white-space:pre-wrap}
.soft{color:var(--soft)}
.tag{display:inline-block;font-weight:600;font-size:.9rem;line-height:1.4;padding:.05rem .55rem;border:1.5px solid;border-radius:1rem;white-space:nowrap}
h1 .tag{font-size:1rem;vertical-align:.2em}
.green{color:var(--green)}.yellow{color:var(--yellow)}.red{color:var(--red)}.grey{color:var(--grey)}
.bar{display:flex;height:1.1rem;border-radius:.3rem;overflow:hidden;margin:1rem 0 .5rem;background:var(--panel);gap:2px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar i{display:block;min-width:4px;background:var(--greyfill)}
.bar .green{background:var(--greenfill)}.bar .yellow{background:var(--yellowfill)}.bar .red{background:var(--redfill)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.25rem 0 1rem;padding:0}
.legend b{font-variant-numeric:tabular-nums}
.note{background:var(--panel);border-left:4px solid var(--yellow);padding:.5rem .75rem;margin:.75rem 0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.75rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}
th{font-size:.85rem;color:var(--soft);font-weight:600;white-space:nowrap}
td{overflow-wrap:anywhere;min-width:4rem}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
details{margin:.75rem 0}
summary{cursor:pointer;font-weight:600;padding:.25rem 0}
summary:focus-visible,a:focus-visible{outline:2px solid currentColor;outline-offset:2px}
.file{display:grid;grid-template-columns:8.5rem minmax(0,1fr);gap:0 1rem;padding:.75rem 0;border-bottom:1px solid var(--line);break-inside:avoid}
.file.bare{grid-template-columns:minmax(0,1fr)}
.file .path{font-weight:600}
.file ul{margin:.25rem 0 0;padding-left:1.2rem}
.thumb{width:8.5rem;min-height:4rem;display:flex;align-items:center;justify-content:center;background:var(--panel);border:1px solid var(--line);border-radius:.3rem;overflow:hidden;
color:var(--soft);font-size:.8rem;line-height:1.3;text-align:center;padding:2px;align-self:start}
.thumb img{display:block;max-width:100%;max-height:8rem;image-rendering:auto}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999rem;top:0;padding:.5rem 1rem;background:var(--back);color:var(--text);z-index:9}
.skip:focus{left:0;outline:2px solid currentColor;outline-offset:-4px}
main:focus{outline:none}
.theme{border:1px solid var(--line);border-radius:1rem;margin:0;padding:.1rem .6rem;display:flex;gap:.7rem;font-size:.85rem;color:var(--soft);min-inline-size:0}
.theme label{display:flex;gap:.25rem;align-items:center;cursor:pointer}
.theme input{margin:0;accent-color:var(--mark)}
@supports not selector(:has(*)){.theme{display:none}}
.finding{padding:.6rem 0;border-bottom:1px solid var(--line);break-inside:avoid}
.finding ul{margin:.25rem 0;padding-left:1.2rem}
footer{margin-top:2.5rem;color:var(--soft);font-size:.85rem}
@media (max-width:40rem){main{padding:1rem .9rem 2rem}h1{font-size:1.35rem}.file{grid-template-columns:minmax(0,1fr);gap:.5rem}th,td{padding-right:.5rem}}
@media print{:root{color-scheme:light;--back:#fff;--text:#000;--soft:#444;--line:#bbb;--panel:#f3f3f3}main{max-width:none;padding:0}details>summary{list-style:none}nav,.theme,.skip{display:none}}
"""
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"


def page(
    title: str, body: Iterable[str], *, top: Iterable[str] = (), style: str = "", script: str = ""
) -> str:
    """A whole page.

    Args:
        title: text.
        body: markup: what the page is about.
        top: markup that goes before it, such as ways into it; a reader with a keyboard can skip it.
        style: more rules.
        script: JavaScript that runs when all else is there; none of it may be made of data.
    """
    policy = _POLICY
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy += f"; script-src 'sha256-{digest}'"
    before = "\n".join(top)
    if before:
        before = f'<a class="skip" href="#main">Skip to the content</a>\n{before}\n'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escaped(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n{before}"
        + ('<main id="main" tabindex="-1">\n' if before else "<main>\n")
        + "\n".join(body)
        + f"\n</main>\n{f'<script>{script}</script>' if script else ''}</body>\n</html>\n"
    )


def theme_switch() -> str:
    """Light, dark, or as the reader's system is: works by style alone, and is forgotten with the page."""
    items = "".join(
        f'<label><input type="radio" name="theme" id="theme-{name}"{" checked" if name == "auto" else ""}>{name.title()}</label>'
        for name in ("auto", "light", "dark")
    )
    return f'<fieldset class="theme"><legend class="unseen">Colours</legend>{items}</fieldset>'


def escaped(text: str) -> str:
    """Text as markup that shows it, on one line: what is not shown, and what would turn the direction of the text around, as its escape."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return html.escape(text)


def verdict(word: str, colour: str) -> str:
    """A word with its colour, and a sign for those who do not see it."""
    return f'<span class="tag {colour}">{_SIGNS[colour]} {escaped(word)}</span>'


def bar(shares: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    """Counts as a bar: word, number and colour of each; below it the same in words."""
    parts = "".join(
        f'<i class="{colour}" style="flex-grow:{number}"></i>' for _, number, colour in shares if number
    )
    told = ", ".join(f"{word} {number:,}" for word, number, _ in shares)
    yield f'<div class="bar" role="img" aria-label="{escaped(told)}">{parts}</div>'
    items = "".join(
        f'<li><span class="{colour if number else "soft"}">{_SIGNS[colour]} {escaped(word)}</span> <b>{number:,}</b></li>'
        for word, number, colour in shares
    )
    yield f'<ul class="legend">{items}</ul>'


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Small facts in a line: name and value, both text."""
    return (
        '<p class="soft">' + " · ".join(f"{escaped(name)} {escaped(value)}" for name, value in items) + "</p>"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Rows of text; numbers, and shares such as ``12.5%``, to the right."""
    body = list(rows)
    numbers = [bool(body) and all(map(_is_number, (row[at] for row in body))) for at in range(len(head))]
    kinds = [' class="number"' if number else "" for number in numbers]

    def cell(value: str | int) -> str:
        if value == 0:
            return '<span class="soft">0</span>'
        return f"{value:,}" if isinstance(value, int) else escaped(value)

    lines = ['<div class="wide"><table>', "<thead><tr>"]
    lines += [f'<th scope="col"{kind}>{escaped(name)}</th>' for name, kind in zip(head, kinds, strict=True)]
    lines.append("</tr></thead><tbody>")
    for row in body:
        lines.append(
            "<tr>"
            + "".join(f"<td{kind}>{cell(value)}</td>" for value, kind in zip(row, kinds, strict=True))
            + "</tr>"
        )
    return "".join([*lines, "</tbody></table></div>"])


def _is_number(value: str | int) -> bool:
    if isinstance(value, int) or value == "–":
        return True
    return value.endswith("%") and value.lstrip("<>").rstrip("%").replace(".", "").isdigit()


def details(summary: str, body: Iterable[str], *, name: str, opened: bool) -> Iterator[str]:
    """A part that can be folded away. ``summary`` is markup; ``name``: for links to it."""
    yield f'<details id="{escaped(name)}"{" open" if opened else ""}><summary>{summary}</summary>'
    yield from body
    yield "</details>"
