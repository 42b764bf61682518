"""The text of a query in tokens: where its parameters are, and what of SQLite's spelling a syntax tree forgets."""

import re
from collections.abc import Callable, Iterator

from zenni_tui.model.queries import Mark

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<blob>[xX]'[0-9a-fA-F]*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<double>"(?:[^"]|"")*")
    |(?P<foreign>`(?:[^`]|``)*`|\[[^\]\n]*\])
    |(?P<parameter>:p\d+\b)
    |(?P<hex>0[xX][0-9a-fA-F]+\b)
    |(?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
    |(?P<space>\s+)
    |(?P<mark>::|==|\|\||->>|->|<=|>=|<>|!=|.)""",
    re.VERBOSE | re.DOTALL,
)

Token = tuple[str, str]


def tokens(sql: str) -> list[Token]:
    """Return the tokens as kind and text, spaces and comments included; their texts joined are the query again."""
    return [(str(m.lastgroup), m[0]) for m in _TOKEN.finditer(sql)]


def render(sql: str, spell: Callable[[int], str]) -> str:
    """Return a query with each parameter :p1, :p2, ... spelled anew by its number."""
    return "".join(spell(int(text[2:])) if kind == "parameter" else text for kind, text in tokens(sql))


def spelling_marks(sql: str) -> Iterator[Mark]:
    """Yield what is SQLite's own in the spelling of a query."""
    found = [(k, t) for k, t in tokens(sql) if k not in ("space", "comment")]
    words = [t.upper() if k == "word" else t for k, t in found]
    for number, (kind, text) in enumerate(found):
        if kind == "mark" and text == "==":
            yield Mark("==", text, "PostgreSQL knows = only.")
        elif kind == "foreign" and (number == 0 or words[number - 1] != "ARRAY"):
            yield Mark("quotes", text, "PostgreSQL takes names in double quotes only.")
        elif kind == "string" and number and words[number - 1] == "AS":
            yield Mark("alias in single quotes", text, "PostgreSQL takes names in double quotes only.")
        elif kind in ("blob", "hex"):
            yield Mark("literal", text, "In PostgreSQL this is another kind of constant, or none.")
    yield from _phrases(words)


_PHRASES = (
    (("AS", "REAL"), "CAST AS REAL", "In PostgreSQL REAL has 4 bytes and 6 digits; SQLite's is double precision."),
    (("INDEXED", "BY"), "INDEXED BY", "PostgreSQL chooses its indexes itself."),
    (("NOT", "INDEXED"), "NOT INDEXED", "PostgreSQL chooses its indexes itself."),
    (("COLLATE", "NOCASE"), "COLLATE NOCASE", "PostgreSQL has no such collation."),
    (("COLLATE", "RTRIM"), "COLLATE RTRIM", "PostgreSQL has no such collation."),
    (("COLLATE", "BINARY"), "COLLATE BINARY", 'PostgreSQL calls it COLLATE "C".'),
    (("AUTOINCREMENT",), "AUTOINCREMENT", "PostgreSQL counts by an identity column."),
    (("UPDATE", "OR"), "UPDATE OR", "PostgreSQL has no word for what to do about conflicts in an UPDATE."),
    (("BEGIN", "IMMEDIATE"), "BEGIN IMMEDIATE", "PostgreSQL locks rows, not the database: BEGIN alone."),
    (("BEGIN", "EXCLUSIVE"), "BEGIN EXCLUSIVE", "PostgreSQL locks rows, not the database: BEGIN alone."),
    (("BEGIN", "DEFERRED"), "BEGIN DEFERRED", "PostgreSQL knows BEGIN alone."),
)


def _phrases(words: list[str]) -> Iterator[Mark]:
    for phrase, name, why in _PHRASES:
        size = len(phrase)
        if any(tuple(words[i : i + size]) == phrase for i in range(len(words))):
            yield Mark(name, " ".join(phrase), why)
    yield from _limit(words)


def _limit(words: list[str]) -> Iterator[Mark]:
    """Yield LIMIT with two numbers and LIMIT -1, whose commas and signs the tree forgets."""
    for number, word in enumerate(words):
        if word == "LIMIT":
            behind = words[number + 1 : number + 4]
            digits = "".join(words[number + 1 :])
            if re.match(r"(?:\d+|:p\d+),", digits):
                yield Mark("LIMIT x, y", "LIMIT x, y", "PostgreSQL writes it LIMIT y OFFSET x.")
            elif behind[:1] == ["-"]:
                yield Mark("LIMIT -1", "LIMIT -1", "PostgreSQL refuses a negative LIMIT; leave it out.")
        elif word == "NULL" and _postfix(words, number):
            yield Mark("NOT NULL", "NOT NULL behind a value", "PostgreSQL writes it IS NOT NULL.")


def _postfix(words: list[str], number: int) -> bool:
    """Return whether a NULL ends the words x NOT NULL."""
    declares = words[:1] in (["CREATE"], ["ALTER"])
    return not declares and words[number - 1 : number] == ["NOT"] and words[number - 2 : number - 1] != ["IS"]
