"""The style of a profile's page, and its script.

Invariant: nothing here is made of data. The script finds columns, sorts them and opens what is folded; without it all of them are there, in the order of the table.
"""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
html{scroll-padding-top:3.5rem}
.head{max-width:68rem;margin:0 auto;padding:1.5rem 1.25rem 0;display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:start;justify-content:space-between}
.head h1{margin:0;flex:1 1 16rem}
.ways{position:sticky;top:0;z-index:2;background:var(--back);border-bottom:1px solid var(--line)}
.ways ul{max-width:68rem;margin:0 auto;padding:.45rem 1.25rem;display:flex;flex-wrap:wrap;gap:.15rem 1.25rem;list-style:none;font-size:.92rem}
main{padding-top:1rem}
section{margin-top:2.25rem}section:first-child{margin-top:0}section>h2{margin-top:0;border-top:0;padding-top:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1rem 0;padding:0}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;min-width:0}
.tiles dt{font-size:.82rem;color:var(--soft)}
.tiles dd{margin:0;font-size:1.35rem;line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tiles small{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21.5rem),1fr));gap:.5rem 2rem;align-items:start}
.alerts{list-style:none;margin:.5rem 0;padding:0}
.alerts>li{padding:.35rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere;break-inside:avoid;display:grid;grid-template-columns:6.4rem minmax(0,1fr);gap:0 .5rem}
.alerts details{margin:0}.alerts summary{padding:.05rem 0}.alerts details ul{margin:.25rem 0;padding-left:1.2rem}
.tools{display:flex;flex-wrap:wrap;gap:.5rem .75rem;align-items:end;margin:.75rem 0}
.tools[hidden]{display:none}
.tools label{font-size:.85rem;color:var(--soft)}
.tools input,.tools select,.tools button,th button{font:inherit;color:var(--text);background:var(--panel);border:1px solid var(--grey);border-radius:.3rem;padding:.3rem .5rem}
.tools input,.tools select{display:block;width:100%}
.tools .search{flex:1 1 14rem}
.tools button,th button{cursor:pointer}
th button{border:0;background:none;padding:0;color:inherit;font-weight:inherit;text-align:inherit;white-space:nowrap}
th button::after{content:" \\2195"}th[aria-sort=ascending] button::after{content:" \\2191"}th[aria-sort=descending] button::after{content:" \\2193"}
:is(button,input,select,[tabindex]):focus-visible{outline:2px solid currentColor;outline-offset:2px}
.tall{max-height:85vh;overflow:auto;border:1px solid var(--line);border-radius:.4rem}.tall thead th{position:sticky;top:0;background:var(--back);z-index:1}.tall .index{margin:0}
.index td,.index th{vertical-align:middle;padding:.3rem .75rem .3rem 0}
.index tbody th{color:var(--text);white-space:normal;overflow-wrap:anywhere;min-width:12.5rem;max-width:18rem;font-size:.95rem}
.index td:nth-child(3){white-space:nowrap}.index tr>:is(:nth-child(1),:nth-child(5),:nth-child(6)){text-align:right;font-variant-numeric:tabular-nums}.index td:nth-child(1){color:var(--soft);font-size:.82rem}
.index code{font-size:.8rem;color:var(--soft);display:block}
.index small,.small{font-size:.82rem;color:var(--soft)}
tr:target>*{background:var(--panel)}
.column{border:1px solid var(--line);border-radius:.5rem;padding:.9rem 1rem;margin:1rem 0;break-inside:avoid}
.column:target{border-color:var(--mark);box-shadow:0 0 0 1px var(--mark)}
.column[hidden],tr[hidden]{display:none}
.column h3{margin:0 0 .35rem;overflow-wrap:anywhere}
.column h3 code,.column h3 .role{font-weight:400;font-size:.85rem;color:var(--soft);margin-left:.5rem}
.column .alerts{margin:.25rem 0 .5rem}.column .alerts>li{border:0;padding:.1rem 0}
.glance{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,340px);gap:.5rem 2rem;align-items:start}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.2rem,1fr));gap:.45rem 1rem;margin:0}
.figures dt{font-size:.8rem;color:var(--soft)}
.figures dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.column details{margin:.5rem 0 0}.column .wide table{margin:.35rem 0}
.column summary{font-size:.9rem}.column details .figures{grid-template-columns:repeat(auto-fill,minmax(7rem,1fr))}.column details table{width:auto;min-width:min(100%,24rem);font-size:.92rem}.column details :is(td,th){padding:.15rem 1rem .15rem 0}
h4{font-size:.92rem;margin:.75rem 0 .25rem}
.parts{max-width:100%;width:auto;margin-top:.75rem}
.parts th,.parts td{padding:.2rem 1rem .2rem 0;vertical-align:middle}
.parts td svg{min-width:120px}
.share{display:block;height:4px;background:var(--panel);margin-top:1px}.share i{display:block;height:4px;min-width:1px;background:var(--mark);print-color-adjust:exact;-webkit-print-color-adjust:exact}
caption{text-align:left;font-size:.85rem;color:var(--soft);padding:.25rem 0}
.null{color:var(--soft);font-style:italic}
.dots td,.dots th{text-align:center;padding:.25rem .4rem;min-width:0}
.dots thead th{white-space:normal;overflow-wrap:break-word;vertical-align:bottom}
tbody th{color:var(--text)}
.sample{width:max-content;min-width:100%}.sample td{max-width:22rem;font-size:.9rem}
.media{display:grid;grid-template-columns:repeat(auto-fill,minmax(8rem,1fr));gap:1rem;list-style:none;margin:1rem 0;padding:0}
.media.sounds{grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
.media figure{margin:0}.media figcaption{font-size:.82rem;color:var(--soft);overflow-wrap:anywhere}
.media img{display:block;max-width:100%;min-width:4rem;image-rendering:pixelated;border:1px solid var(--line);background:var(--panel)}
.media audio{display:block;width:100%}.media audio:focus-within{outline:2px solid currentColor;outline-offset:2px}
@media (max-width:46rem){.index :is(td,th):nth-child(1),.index :is(td,th):nth-child(3),.index :is(td,th):nth-child(7){display:none}.figures{grid-template-columns:repeat(auto-fill,minmax(6.4rem,1fr))}.index td,.index th{padding-right:.6rem}th button::after{font-size:.7em}.index tbody th{min-width:8rem}.index td{min-width:3rem}.index svg{width:80px}
.glance{grid-template-columns:minmax(0,1fr)}.head{padding:1rem .9rem 0}.ways{position:static}html{scroll-padding-top:.5rem}.ways ul{padding:.45rem .9rem}.column{padding:.75rem}
.alerts>li{grid-template-columns:minmax(0,1fr)}.tiles{grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.5rem}}
@media print{.tools{display:none!important}.column,.wide{overflow:visible}.tall{max-height:none;border:0}.ways{position:static}th button::after{content:""}}
"""

SCRIPT = """
(() => {
  const table = document.getElementById("index"), tools = document.getElementById("tools");
  const all = [...document.querySelectorAll("details")];
  const found = () => {
    const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    if (place.hidden) { search.value = ""; role.value = ""; filter(); }
    for (let box = place.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    place.scrollIntoView();
  };
  let folded = [];
  addEventListener("beforeprint", () => { folded = all.filter(box => !box.open); folded.forEach(box => { box.open = true; }); });
  addEventListener("afterprint", () => folded.forEach(box => { box.open = false; }));
  const reach = () => {
    for (const box of document.querySelectorAll(".wide")) {
      const wide = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "scrolls"]])
        if (wide) box.setAttribute(name, value); else box.removeAttribute(name);
    }
  };
  addEventListener("resize", reach);
  addEventListener("toggle", reach, true);
  reach();
  if (!table || !tools) return;
  const body = table.tBodies[0], rows = [...body.rows], cards = document.getElementById("cards");
  const search = document.getElementById("search"), role = document.getElementById("role");
  const said = document.getElementById("said"), fold = document.getElementById("fold");
  const count = number => number.toLocaleString("en");
  const number = row => Number(row.id.slice(4));
  const card = row => document.getElementById("column-" + number(row));
  const text = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
  function filter() {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const kind = !role.value || (role.value === "!" ? row.dataset.alerts !== "0" : row.cells[2].textContent === role.value);
      row.hidden = !(kind && words.every(word => text.get(row).includes(word)));
      shown += !row.hidden;
      const other = card(row);
      if (other) other.hidden = row.hidden;
    }
    said.textContent = shown === rows.length ? count(rows.length) + " columns" : count(shown) + " of " + count(rows.length) + " columns";
  }
  const value = (row, key) => key === "name" ? row.cells[1].textContent : key === "n" ? number(row) : Number(row.dataset[key]);
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  function sort(head, key) {
    const down = head.getAttribute("aria-sort") === (key === "n" || key === "name" ? "ascending" : "none");
    for (const other of table.tHead.rows[0].cells) if (other.dataset.key) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const ordered = [...rows].sort((one, two) => {
      const a = value(one, key), b = value(two, key);
      const by = key === "name" ? compare(a, b) : a - b;
      return (down ? -by : by) || number(one) - number(two);
    });
    body.append(...ordered);
    cards.append(...ordered.map(card).filter(Boolean));
  }
  for (const head of table.tHead.rows[0].cells) {
    const key = head.dataset.key;
    if (!key) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, key));
    head.append(button);
    head.setAttribute("aria-sort", key === "n" ? "ascending" : "none");
  }
  fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-pressed") !== "true";
    cards.querySelectorAll("details").forEach(box => { box.open = open; });
    fold.setAttribute("aria-pressed", String(open));
  });
  search.addEventListener("input", filter);
  role.addEventListener("change", filter);
  addEventListener("hashchange", found);
  tools.hidden = false;
  filter();
  found();
})();
"""
