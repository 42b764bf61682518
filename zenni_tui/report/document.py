"""What reports and documents are made of: headings, lines, tables, code and pictures; and how they read as Markdown."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element


class Mono(str):
    """A name, value or command within a line, to be read letter by letter."""

    __slots__ = ()


class Strong(str):
    """Words that weigh more than those around them."""

    __slots__ = ()


class State(str):
    """A word for how something stands; coloured where there are colours."""

    __slots__ = ()


Line = str | tuple[str, ...]
"""Plain words, or words of several kinds in a row."""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the document's own."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Some sentences."""

    line: Line


@dataclass(frozen=True)
class Bullets:
    """A list without an order."""

    items: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Rows of as many cells as `head` has; the columns at the places `right` hold numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Code:
    """Text that keeps its lines: commands, SQL, a difference."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Picture:
    """A drawing for HTML with a sentence for those who can't see it; Markdown shows `instead`, when there is any."""

    drawing: Element
    words: str
    instead: Code | None = field(default=None)


Block = Heading | Paragraph | Bullets | Table | Code | Picture

# A backslash before a letter is itself, an underscore within a word too (https://spec.commonmark.org/0.31.2/).
_MEANT = re.compile(r"[`*<\[\]]|\\(?=[!-/:-@\[-`{-~])|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")
_TICKS = re.compile("`+")


def markdown(blocks: Iterable[Block]) -> str:
    """Return the blocks as GitHub's Markdown; no value of theirs can change what another one means."""
    return "\n\n".join(filter(None, map(_block, blocks))) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_words(block.text)}"
        case Paragraph():
            return _start(_line(block.line))
        case Bullets():
            return "\n".join(f"- {_line(item)}" for item in block.items)
        case Table():
            return _table(block)
        case Code():
            return _code(block)
        case Picture():
            return _code(block.instead) if block.instead else ""


def _start(text: str) -> str:
    return re.sub(r"^([#>+-]|\d+[.)])", r"\\\1", text)


def _line(line: Line) -> str:
    return "".join(_part(part) for part in ((line,) if isinstance(line, str) else line))


def _part(part: str) -> str:
    if isinstance(part, Mono):
        return _mono(_one_line(part))
    if isinstance(part, Strong) and part.strip():
        return f"**{_words(part)}**"
    return _words(part)


def _words(text: str) -> str:
    return _MEANT.sub(lambda m: f"\\{m[0]}", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _mono(text: str) -> str:
    if not text.strip():
        return "` `"
    fence = "`" * (max(map(len, _TICKS.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _table(table: Table) -> str:
    rules = ("---:" if at in table.right else "---" for at in range(len(table.head)))
    lines = [_row(table.head), f"|{'|'.join(rules)}|", *map(_row, table.rows)]
    return "\n".join(lines)


def _row(cells: Iterable[Line]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(line: Line) -> str:
    parts = (line,) if isinstance(line, str) else line
    # Within a table's code `\\|` would be a backslash and the cell's end, and nothing there stands for both.
    apart = (str(part) if "\\|" in part else part for part in parts)
    return _line(tuple(apart)).replace("|", "\\|")


def _code(code: Code) -> str:
    fence = "`" * max(3, max(map(len, _TICKS.findall(code.text)), default=0) + 1)
    body = code.text.rstrip("\n")
    return f"{fence}{code.language}\n{body}\n{fence}"
