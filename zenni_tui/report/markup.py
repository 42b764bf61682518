"""The same blocks as one HTML page that needs nothing else: no network, no script, styles and drawings inside.

The page is built as a tree and written out by the standard library, which escapes every text and attribute.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

from .document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Picture, State, Strong, Table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is ever loaded from anywhere (https://www.w3.org/TR/CSP3/)."""
_SHOWN = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"}
"""Control characters, which HTML does not allow, become their pictures."""
_GOOD = frozenset({"done", "passed", "ok", "identical", "yes", "waiting"})
_BAD = frozenset({"failed", "error", "differs", "missing", "late", "not_ready", "rolled_back", "no"})
_WARN = frozenset({"warning", "stopped", "blocked", "undone", "noted", "excluded", "not ended", "not yet"})
_LIST_FROM = 3
_LONG = 36
"""A cell with a longer word may break anywhere, so that no table grows beyond its page."""


def element(tag: str, *inside: Element | str | None, **attributes: object) -> Element:
    """Return an element; of an attribute's name `_` becomes `-` and the last one goes, so that `class_` can be said."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()})
    for part in inside:
        if part is None:
            continue
        if not isinstance(part, str):
            made.append(part)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + part.translate(_SHOWN)
        else:
            made.text = (made.text or "") + part.translate(_SHOWN)
    return made


@cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text()


def page(title: str, blocks: Iterable[Block]) -> bytes:
    """Return a whole page."""
    blocks = tuple(blocks)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width"),
        element("title", title),
        element("style", _style()),
    )
    ids = {id(b): f"s{n}" for n, b in enumerate(blocks) if isinstance(b, Heading)}
    first, *rest = (_block(b, ids) for b in blocks)
    body = element("body", element("main", first, _contents(blocks, ids), *rest))
    whole = element("html", head, body, lang="en")
    return b"<!DOCTYPE html>\n" + tostring(whole, encoding="unicode", method="html").encode(
        "utf-8", "xmlcharrefreplace"
    )


def _contents(blocks: Iterable[Block], ids: dict[int, str]) -> Element | None:
    parts = [b for b in blocks if isinstance(b, Heading) and b.level <= 2]  # noqa: PLR2004 - the document and its sections
    links = [element("a", h.text, href=f"#{ids[id(h)]}", class_=f"h{h.level}") for h in parts[1:]]
    return element("nav", *links) if len(links) >= _LIST_FROM else None


def _block(block: Block, ids: dict[int, str]) -> Element:
    match block:
        case Heading():
            return element(f"h{block.level}", block.text, id=ids[id(block)])
        case Paragraph():
            return element("p", *_line(block.line))
        case Bullets():
            return element("ul", *(element("li", *_line(item)) for item in block.items))
        case Table():
            return _table(block)
        case Code():
            return element("pre", element("code", block.text.rstrip("\n"), class_=block.language or "text"))
        case Picture():
            return element("figure", block.drawing, element("figcaption", block.words))


def _table(table: Table) -> Element:
    def cells(tag: str, row: Iterable[Line]) -> list[Element]:
        return [element(tag, *_line(cell), **_kind(cell, at in table.right)) for at, cell in enumerate(row)]

    head = element("thead", element("tr", *cells("th", table.head)))
    return element("table", head, element("tbody", *(element("tr", *cells("td", row)) for row in table.rows)))


def _kind(cell: Line, right: bool) -> dict[str, str]:  # noqa: FBT001 - one of a cell's two kinds
    words = "".join((cell,) if isinstance(cell, str) else cell).split()
    kinds = ["number"] * right + ["long"] * any(len(word) > _LONG for word in words)
    return {"class": " ".join(kinds)} if kinds else {}


def _line(line: Line) -> list[Element | str]:
    return [_part(part) for part in ((line,) if isinstance(line, str) else line)]


def _part(part: str) -> Element | str:
    if isinstance(part, Mono):
        return element("code", str(part))
    if isinstance(part, Strong):
        return element("strong", str(part))
    return element("span", str(part), class_=tone(part)) if isinstance(part, State) else part


def tone(word: str) -> str:
    """Return the class for a word of state: `good`, `bad`, `warn` or `plain`."""
    kinds = (("good", _GOOD), ("bad", _BAD), ("warn", _WARN))
    return next((name for name, words in kinds if word in words), "plain")
