"""Reads the text of a CREATE INDEX, and the parts that keys and unique rules have in common with it."""

from .syntax import Reader
from .tokens import Is, Token
from .written import IndexText, PartText

_BEFORE_OPERAND = frozenset(
    ("AND", "OR", "NOT", "IS", "IN", "LIKE", "GLOB", "REGEXP", "MATCH", "BETWEEN", "ESCAPE", "WHEN", "THEN", "ELSE")
)


def parse_index(sql: str) -> IndexText:
    """Read the text of a CREATE [UNIQUE] INDEX; raises Unparsable."""
    text = Reader(sql)
    text.must("CREATE")
    unique = text.has("UNIQUE")
    text.must("INDEX")
    text.has("IF", "NOT", "EXISTS")
    name = text.object_name()
    text.must("ON")
    table = text.name()
    found, _ = parts(text)
    where = text.rest() if text.has("WHERE") else None
    text.ends()
    return IndexText(name, table, unique, found, where)


def parts(text: Reader) -> tuple[tuple[PartText, ...], bool]:
    """Read the parts of a key or index in parentheses, and whether AUTOINCREMENT stands behind the last."""
    text.must_symbol("(")
    found = [_part(text)]
    while text.symbol(","):
        found.append(_part(text))
    counts = text.has("AUTOINCREMENT")
    text.must_symbol(")")
    return tuple(found), counts


def _part(text: Reader) -> PartText:
    first = text.next
    last = _expression_end(text)
    collation = None
    while text.has("COLLATE"):
        collation = text.name()
    descending = text.one_of("ASC", "DESC") == "DESC"
    if text.has("NULLS"):
        text.take()
    if last == first.end and first.is_name:
        return PartText(first.name, None, collation, descending)
    return PartText(None, text.sql[first.start : last], collation, descending)


def _expression_end(text: Reader) -> int:
    """Read an expression up to what belongs to the part as a whole: its last COLLATE, its order."""
    first = text.take()
    last, depth = first.end, first.depth
    while depth or not (text.sees(",") or text.sees(")") or _is_tail(text, first)):
        token = text.must_take()
        last = token.end
        depth += token.depth
    return last


def _is_tail(text: Reader, first: Token) -> bool:
    before, word = text.before(), text.next.word
    if (before.kind is Is.SYMBOL and before.text != ")") or (before is not first and before.word in _BEFORE_OPERAND):
        # An operand is due, and DESC or ASC may be a column's name.
        return False
    if word == "COLLATE":
        behind = text.after(2)
        return behind.text in (",", ")") or behind.word in ("COLLATE", "ASC", "DESC", "NULLS")
    return word in ("ASC", "DESC", "NULLS", "AUTOINCREMENT")
