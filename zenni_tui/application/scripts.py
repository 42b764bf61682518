"""JavaScript and TypeScript as text: the strings in it, who is called with them, and where they stand.

Nothing is run; tree-sitter reads what can be read of a file with mistakes in it too.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .statements import HOLE

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser
    from tree_sitter import Query as TreeQuery

STRINGS = frozenset({"string", "template_string"})
_SIGNS = re.compile(
    r"""["'`]\s*(?:--|/\*|(?:select|insert|update|delete|with|replace|pragma|create|alter|drop|vacuum|attach|begin)\b)
    |Raw\b|RawUnsafe\b|\bsql\s*`|\$transaction|createMany|contains|startsWith|endsWith|orderBy|path\s*:""",
    re.VERBOSE | re.IGNORECASE,
)
_MOST_JOINED = 500
_GENERICS = re.compile(r"<[^()]*>$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_CODE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")


@functools.cache
def _language(*, tags: bool) -> "Language":
    import tree_sitter_typescript as grammars  # noqa: PLC0415 - most runs have no project to read
    from tree_sitter import Language  # noqa: PLC0415 - as above

    return Language(grammars.language_tsx() if tags else grammars.language_typescript())


@functools.cache
def _parser(*, tags: bool) -> "Parser":
    from tree_sitter import Parser  # noqa: PLC0415 - as above

    return Parser(_language(tags=tags))


@functools.cache
def _query(pattern: str, *, tags: bool) -> "TreeQuery":
    from tree_sitter import Query as TreeQuery  # noqa: PLC0415 - as above

    return TreeQuery(_language(tags=tags), pattern)


def _has_tags(name: str) -> bool:
    """Return whether a script may have tags; `.ts` files have type casts in angle brackets in their place."""
    return PurePosixPath(name).suffix not in (".ts", ".mts", ".cts")


def is_worth(text: str) -> bool:
    """Return whether a script may hold SQL or a call that is looked for; most don't, and need not be parsed."""
    return _SIGNS.search(text) is not None


def parse(name: str, text: str) -> "Node":
    """Return the tree of a script."""
    return _parser(tags=_has_tags(name)).parse(text.encode()).root_node


def found(name: str, root: "Node", pattern: str) -> list["Node"]:
    """Return the nodes of a script that tree-sitter's pattern calls @found, in order, the outer before the inner."""
    from tree_sitter import QueryCursor  # noqa: PLC0415 - as above

    nodes = QueryCursor(_query(pattern, tags=_has_tags(name))).captures(root).get("found", [])
    return sorted(nodes, key=lambda n: (n.start_byte, -n.end_byte))


def walk(node: "Node") -> Iterator["Node"]:
    """Yield a node and everything in it, in the order of the text."""
    pending = [node]
    while pending:
        found = pending.pop()
        yield found
        pending += reversed(found.children)


def code(node: "Node") -> str:
    """Return a node's text."""
    return (node.text or b"").decode(errors="replace")


def line(node: "Node") -> int:
    """Return the line on which a node begins, from 1."""
    return int(node.start_point[0]) + 1


def callee(node: "Node") -> str:
    """Return the last name of what a call calls, without type arguments; empty when it has none."""
    called = node.child_by_field_name("function")
    if called is None:
        return ""
    # With type arguments before a template the grammar takes the name for the beginning of something else.
    text = _GENERICS.sub("", code(called).removesuffix("!").strip())
    return re.split(r"[^\w$]", text)[-1]


def literal(node: "Node") -> tuple[str, tuple[str, ...]] | None:
    """Return a string's text, holes marked in it, and the codes that fill them; None for what begins with no string.

    Strings joined by + are one; whatever else is joined to them is a hole.
    """
    reader = _Reader()
    first, *rest = joined(node)
    if first.type not in STRINGS:
        return None
    return "".join(reader.read(part) for part in (first, *rest)), tuple(reader.holes)


def spine(node: "Node") -> Iterator["Node"]:
    """Yield a value joined by +, and what stands at the left of each +, parentheses taken off."""
    for _ in range(_MOST_JOINED):
        yield node
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            node = node.named_children[0]
            continue
        left = node.child_by_field_name("left") if is_sum(node) else None
        if left is None:
            return
        node = left


def joined(node: "Node") -> list["Node"]:
    """Return what is joined by +, from left to right."""
    way = list(spine(node))
    rights = [r for n in way if is_sum(n) and (r := n.child_by_field_name("right")) is not None]
    return [way[-1], *reversed(rights)]


def is_sum(node: "Node") -> bool:
    """Return whether a node joins two values by +."""
    sign = node.child_by_field_name("operator") if node.type == "binary_expression" else None
    return sign is not None and code(sign) == "+"


class _Reader:
    """Reads strings and notes what is put into them."""

    def __init__(self) -> None:
        self.holes: list[str] = []

    def read(self, part: "Node") -> str:
        if part.type in STRINGS:
            return "".join(self._piece(c) for c in part.named_children)
        return self._hole(code(part))

    def _piece(self, part: "Node") -> str:
        if part.type == "escape_sequence":
            return _unescaped(code(part))
        if part.type == "template_substitution":
            return self._hole(" ".join(code(part)[2:-1].split()))
        return code(part)

    def _hole(self, text: str) -> str:
        self.holes.append(text)
        return HOLE.format(len(self.holes) - 1)


def _unescaped(text: str) -> str:
    match = _CODE.fullmatch(text)
    if match:
        number = int(next(g for g in match.groups() if g), 16)
        return chr(number) if number <= 0x10FFFF else ""  # noqa: PLR2004 - Unicode's last
    return _ESCAPES.get(text[1:2], text[1:])
