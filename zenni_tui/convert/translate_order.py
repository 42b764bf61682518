"""ORDER BY and LIMIT (https://sqlite.org/lang_select.html#the_order_by_clause): NULL first, texts by their bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .translate_compare import collated
from .translate_relations import derived
from .translate_source import Untranslatable
from .translate_terms import Class, Term, identifier, usable
from .translate_walk import Walker, folded

Node = Any
Columns = Sequence[tuple[str | None, Term]]


def keys_of(node: Node) -> list[Node]:
    """Return the keys of a query's ORDER BY."""
    order = node.args.get("order")
    return list(order.expressions) if order is not None else []


def order_by(node: Node, walker: Walker, columns: Columns, aliases: Mapping[str, Node]) -> str:
    """Return the ORDER BY of a plain SELECT, with a space before it, or an empty text."""
    keys = [_key(k, _meant(k.this, walker, columns, aliases)) for k in keys_of(node)]
    return _clause(keys)


def order_outside(sql: str, node: Node, walker_for: Any, columns: Columns, limit: str) -> str:
    """Order a DISTINCT or compound query by its result's columns, which takes a collation only from outside."""
    if not keys_of(node):
        return sql + limit
    relation = derived("", "result", columns)
    walker = walker_for(relation)
    keys = [_key(k, _meant(k.this, walker, relation.terms, {})) for k in keys_of(node)]
    shown = ", ".join(identifier(n) for n, _ in relation.terms)
    return f'SELECT {shown} FROM ({sql}) AS "result"{_clause(keys)}{limit}'  # noqa: S608 - names are quoted


def _clause(keys: Sequence[str | None]) -> str:
    given = [k for k in keys if k is not None]
    return f" ORDER BY {', '.join(given)}" if given else ""


def _meant(node: Node, walker: Walker, columns: Columns, aliases: Mapping[str, Node]) -> Term:
    """Return what a key names: a column of the result by number or alias, or else an expression."""
    kind = type(node).__name__
    if kind == "Literal":
        number = walker.word(node).value
        if not isinstance(number, int) or not 1 <= number <= len(columns):
            raise Untranslatable("ORDER BY names a column by a number that is none.")
        return columns[number - 1][1]
    if kind == "Collate":
        collation = str(walker.word(node.expression).value).upper()
        return replace(_meant(node.this, walker, columns, aliases), collation=collation, explicit=True)
    if kind == "Column" and node.args.get("table") is None:
        alias = aliases.get(folded(str(walker.word(node.this).value)))
        return walker.term(alias if alias is not None else node)
    return walker.term(node)


def _key(key: Node, term: Term) -> str | None:
    if usable(term).of in (Class.ELEMENT, Class.NULL):
        raise Untranslatable("The order is by something that has no fixed type.")
    if term.literal:
        return None
    # The same text as in the result, so that PostgreSQL knows a grouped expression again.
    sql = f'{collated(term, term.collation)} COLLATE "C"' if term.of is Class.TEXT else term.sql
    down, first = bool(key.args.get("desc")), bool(key.args.get("nulls_first"))
    return f"{sql}{' DESC' if down else ''} NULLS {'FIRST' if first else 'LAST'}"


def limit_of(node: Node, walker: Walker) -> str:
    """Return LIMIT and OFFSET, each with a space before it."""
    text = ""
    for clause in ("limit", "offset"):
        part = node.args.get(clause)
        if part is None:
            continue
        word = walker.word(part.expression)
        if word.kind != "number" or not isinstance(word.value, int):
            raise Untranslatable("LIMIT or OFFSET is no plain number.")
        text += f" {clause.upper()} {word.value}"
    return text
