"""Syntax trees of queries: reading SQLite's, writing PostgreSQL's, and making new parts from a pattern."""

import functools
import logging
from typing import Any

from .translate_source import Untranslatable

Node = Any

_LONGEST = 90


def grammar() -> Any:
    """Return sqlglot's classes of nodes, which take a tenth of a second to import."""
    from sqlglot import exp  # noqa: PLC0415 - many runs have no query to read

    return exp


@functools.cache
def _dialect() -> Any:
    """Return SQLite's dialect without sqlglot's knowledge of functions: each call keeps the name it has."""
    from sqlglot.dialects.sqlite import SQLite  # noqa: PLC0415 - as above

    # What it can't parse it tells the log, and us by the kind of node.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    base: Any = SQLite.Parser
    cast = {"CAST": base.FUNCTION_PARSERS["CAST"]}
    parser = type("Parser", (base,), {"FUNCTIONS": {}, "FUNCTION_PARSERS": cast, "NO_PAREN_FUNCTIONS": {}})
    return type("Plain", (SQLite,), {"Parser": parser})


def parse(sql: str) -> Node:
    """Return the tree of one statement of SQLite's; raises Untranslatable."""
    import sqlglot  # noqa: PLC0415 - as above
    from sqlglot.errors import ErrorLevel, SqlglotError  # noqa: PLC0415 - as above

    try:
        return sqlglot.parse_one(sql, dialect=_dialect(), error_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError):
        raise Untranslatable("Its syntax is not understood.") from None


def written(node: Node) -> str:
    """Return a tree as PostgreSQL's SQL, parameters as :p1, :p2, ..."""
    shown = node.copy()
    for each in list(shown.find_all(grammar().Placeholder)):
        each.replace(grammar().Var(this=f":{each.name}"))
    for each in list(shown.find_all(grammar().Not)):
        if isinstance(each.this, grammar().Is) and isinstance(each.this.expression, grammar().Null):
            each.replace(grammar().Is(this=each.this.this, expression=grammar().Not(this=grammar().Null())))
    text: str = shown.sql(dialect="postgres", normalize_functions=False)
    return text


def shown(node: Node) -> str:
    """Return a node's text as SQLite has it, shortened, for people."""
    text = " ".join(str(node.sql(dialect="sqlite", normalize_functions=False)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@functools.cache
def _pattern(text: str) -> Node:
    import sqlglot  # noqa: PLC0415 - as above

    return sqlglot.parse_one(text, dialect="postgres")


def made(pattern: str, kind: str | None = None, /, **parts: Node) -> Node:
    """Return PostgreSQL's expression of a pattern in which the names _x, _y, ... stand for nodes.

    `kind` is what `Porting.kind` then says of it.
    """
    holder = _pattern(f"SELECT {pattern}").copy()
    for column in list(holder.find_all(grammar().Column)):
        if column.name[:1] == "_" and column.name[1:] in parts:
            column.replace(_set_apart(parts[column.name[1:]].copy(), column.parent))
    node = holder.expressions[0].pop()
    if kind is not None:
        node.meta["kind"] = kind
    return node


def _set_apart(part: Node, around: Node) -> Node:
    """Return a part in parentheses where operators stand beside it: the tree alone would hold them together."""
    names = grammar()
    loose = (names.Binary, names.Not, names.Neg, names.Between, names.In)
    closed = (names.Func, names.Paren, names.Select, names.Case, names.If)
    alike = isinstance(part, names.DPipe) and isinstance(around, names.DPipe)
    return part if alike or isinstance(around, closed) or not isinstance(part, loose) else names.Paren(this=part)


def text_of(value: str) -> Node:
    """Return a string constant."""
    return grammar().Literal.string(value)


def number_of(value: float) -> Node:
    """Return a number's constant."""
    return grammar().Literal.number(value)


def truth_of(value: bool) -> Node:  # noqa: FBT001 - it is the value
    """Return TRUE or FALSE."""
    return grammar().Boolean(this=value)


def called(name: str, *arguments: Node, kind: str | None = None) -> Node:
    """Return a call of a function."""
    node = grammar().Anonymous(this=name, expressions=[a.copy() for a in arguments])
    if kind is not None:
        node.meta["kind"] = kind
    return node


def quoted_name(name: str) -> Node:
    """Return an identifier in double quotes."""
    return grammar().Identifier(this=name, quoted=True)


def name_of(node: Node) -> str:
    """Return the name of a node's class."""
    return type(node).__name__


def is_number(node: Node) -> bool:
    """Return whether a node is a numeric constant, with or without a minus."""
    bare = node.this if name_of(node) == "Neg" else node
    return name_of(bare) == "Literal" and not bare.is_string


def number(node: Node) -> float | None:
    """Return a numeric constant's value; None for anything else."""
    if not is_number(node):
        return None
    negative = name_of(node) == "Neg"
    text = (node.this if negative else node).name
    value: float = int(text) if text.isdigit() else float(text)
    return -value if negative else value


def string(node: Node) -> str | None:
    """Return a string constant's value; None for anything else."""
    return str(node.this) if name_of(node) == "Literal" and node.is_string else None
