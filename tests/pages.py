"""Reads an HTML page as a browser would, and says whatever in it would need more than the page itself."""

import re
from html.parser import HTMLParser
from pathlib import Path

_VOID = {"meta", "br", "hr", "img", "link", "input"}
_LOADS = {"src", "srcset", "background", "poster", "data", "action", "formaction", "ping", "xlink:href", "manifest"}
_HARMFUL = {"script", "iframe", "object", "embed", "link", "base", "form", "img", "image", "use", "foreignobject"}
_ADDRESS = re.compile(r"https?:|//|url\(|@import|javascript:|data:", re.IGNORECASE)


class Page(HTMLParser):
    """A page: its visible text, its tags, and what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += [f"not closed: {tag}" for tag in self._open]
        self.wrong += [f"leads nowhere: {link}" for link in self.links if link.removeprefix("#") not in self.ids]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and judge its attributes."""
        self.tags.append(tag)
        if tag not in _VOID:
            self._open.append(tag)
        if tag in _HARMFUL:
            self.wrong.append(f"tag {tag}")
        for name, value in attrs:
            self._judge(tag, name, value or "")

    def _judge(self, tag: str, name: str, value: str) -> None:
        if name == "id":
            self.ids.add(value)
        elif name == "href":
            self.links.append(value)
            if not value.startswith("#"):
                self.wrong.append(f"{tag} {name}={value}")
        elif name in _LOADS or name.startswith("on") or _ADDRESS.search(value):
            self.wrong.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a tag, which must be the one that was opened last."""
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"closed out of order: {tag}")

    def handle_data(self, data: str) -> None:
        """Keep what can be read, and judge the styles."""
        if self._open and self._open[-1] == "style":
            if _ADDRESS.search(data):
                self.wrong.append("the style names an address")
        else:
            self.text += data


def read(path: Path) -> Page:
    """Return the page in a file."""
    return Page(path.read_text())
