"""CREATE VIEW (https://sqlite.org/lang_createview.html): the query in PostgreSQL's terms, or a refusal."""

import re
from collections.abc import Iterator, Sequence

from . import translate_source as source
from .translate_relations import Shown, Tables
from .translate_select import Context, Naming, Query, query
from .translate_source import Token, Untranslatable

_HEAD = re.compile(r"CREATE( TEMP| TEMPORARY)? VIEW\b.*", re.IGNORECASE | re.DOTALL)
_OPENING = ("SELECT", "WITH", "VALUES")
_CLOSING = ("FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "HAVING", "WINDOW")


def view(text: str, tables: Tables, namespace: str) -> str:
    """Return the query of a CREATE VIEW, every name quoted and every table with its schema; raises Untranslatable.

    `tables` maps SQLite's table names to the target's and to their columns. An earlier view can stand there too, with
    the columns that `view_columns` tells of it.
    """
    return _translated(text, tables, namespace).sql


def view_columns(text: str, tables: Tables, namespace: str) -> Shown:
    """Return the columns of a view that can be translated, so that others may read it; raises Untranslatable."""
    return tuple((str(name), term) for name, term in _translated(text, tables, namespace).columns)


def _translated(text: str, tables: Tables, namespace: str) -> Query:
    tokens = source.scan(text.rstrip().removesuffix(";"), clauses=True)
    start = next((i for i, t in enumerate(tokens) if t.kind == "keyword" and t.text.upper() in _OPENING), None)
    if start is None or not _HEAD.fullmatch(" ".join(t.text for t in tokens[: min(start, 3)])):
        raise Untranslatable("It is no view of a SELECT.")
    body = tokens[start:]
    read = source.query(body)
    naming = Naming(_given_names(tokens[:start]), tuple(_labels(body, text)))
    try:
        made = query(read.tree, Context(read.words, tables, namespace), naming)
    except RecursionError:
        raise Untranslatable("It is nested too deeply.") from None
    if any(name is None for name, _ in made.columns):
        raise Untranslatable("A column of the view has no name.")
    return made


def _given_names(head: Sequence[Token]) -> tuple[str, ...]:
    """Return the names in parentheses behind the view's own."""
    start = next((i for i, t in enumerate(head) if t.kind == "mark" and t.text == "("), len(head))
    return tuple(str(source.word(t).value) for t in head[start:] if t.kind == "name")


def _labels(tokens: Sequence[Token], text: str) -> Iterator[str]:
    """Yield the text of each expression of the outermost SELECT, by which SQLite names a column without a name."""
    first: Token | None = None
    for before, token in _listed(tokens):
        if token.kind == "mark" and token.text == ",":
            yield _between(first, before, text)
            first = None
        else:
            first = first or token
            last = token
    if first is not None:
        yield _between(first, last, text)


def _between(first: Token | None, last: Token, text: str) -> str:
    return text[first.start : last.end] if first is not None else ""


def _listed(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Yield the tokens of the outermost select list, each with the one before; commas inside parentheses as names."""
    depth, inside, before = 0, False, tokens[0]
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")") if token.kind == "mark" else 0
        word = token.text.upper() if token.kind == "keyword" and depth == 0 else ""
        if inside and word in _CLOSING:
            return
        if inside and word not in ("DISTINCT", "ALL"):
            shown = Token("name", ",", token.start, token.end) if depth and token.text == "," else token
            yield before, shown
        inside = inside or word == "SELECT"
        before = token
