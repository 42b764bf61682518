"""Whether a column's default means what was planned, however the server spells it."""

import re

import psycopg
from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, Default, DefaultKind

from .expressions import bare_type, canonical_expression, full_type
from .session import Target

_NOW = re.compile(
    r"(?:CURRENT_TIMESTAMP(?:\(([0-6])\))?|(?:pg_catalog\.)?(?:now|transaction_timestamp)\(\))", re.IGNORECASE
)
_NAME = r'(?:\w+|"(?:[^"]|"")+")'
# No modifiers: a cast to character varying(3) may cut the constant.
_CAST = rf"(?:::{_NAME}(?:\.{_NAME})?(?: varying| precision| without time zone| with time zone)?)"
_QUOTED = re.compile(rf"'((?:[^']|'')*)'{_CAST}?")
_PLAIN = re.compile(rf"(-?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|true|false){_CAST}?")
_TEXT_CAST = re.compile(r"(\(.*\))::(?:text|character varying|bpchar)", re.DOTALL)
_NULL = re.compile(rf"NULL{_CAST}?")
_FULL_DIGITS = 6


def default_as_planned(target: Target, schema: str, column: ColumnPlan, found: str | None) -> bool:
    """Return whether the default found (as pg_get_expr prints it) means the planned one; raises `psycopg.Error`."""
    planned = column.default
    if planned is None:
        return found is None or _NULL.fullmatch(bared(found)) is not None
    if found is None:
        return False
    if planned.kind is DefaultKind.NOW:
        return _is_now(column, found)
    if planned.kind is DefaultKind.LITERAL:
        return _is_literal(target, schema, column, planned, found)
    return _is_expression(target, schema, column, planned, found)


def constant_of(expression: str) -> str | None:
    """Return the text of a constant in the server's spelling, None when it is none: `'EUR'::text` is EUR."""
    text = bared(expression)
    match = _QUOTED.fullmatch(text)
    if match:
        return match[1].replace("''", "'")
    match = _PLAIN.fullmatch(text)
    if match:
        return match[1]
    cast = _TEXT_CAST.fullmatch(text)
    return constant_of(cast[1]) if cast else None


def bared(expression: str) -> str:
    """Return an expression without the parentheses that enclose all of it."""
    text = expression.strip()
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    # The server prints a negative number as (-1), with its cast outside.
    return re.sub(r"^\((-[0-9.]+)\)", r"\1", text)


def _closing(text: str) -> int:
    depth, quoted = 0, False
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if depth == 0:
                return position
    return -1


def _is_now(column: ColumnPlan, found: str) -> bool:
    match = _NOW.fullmatch(bared(found))
    if match is None:
        return False
    digits = column.type.size if column.type.size is not None else _FULL_DIGITS
    return match[1] is None or int(match[1]) >= digits


def _is_literal(target: Target, schema: str, column: ColumnPlan, planned: Default, found: str) -> bool:
    constant = constant_of(found)
    if constant is None:
        return False
    if constant == planned.text:
        return True
    sides = [canonical_expression(sql.Identifier(side, "v"), column.type.kind) for side in ("a", "b")]
    query = sql.SQL("SELECT {0} = {1} FROM (SELECT %s::text::{2} AS v) AS a, (SELECT %s::text::{2} AS v) AS b")
    try:
        with target.transaction():
            same = target.execute(query.format(*sides, _type_of(schema, column)), (planned.text, constant)).fetchone()
    except psycopg.DataError:
        return False
    return same == (True,)


def _is_expression(target: Target, schema: str, column: ColumnPlan, planned: Default, found: str) -> bool:
    if bared(planned.text) == bared(found):
        return True
    spelled = _respelled(target, schema, column, planned.text)
    return spelled is not None and bared(spelled) == bared(found)


def _respelled(target: Target, schema: str, column: ColumnPlan, text: str) -> str | None:
    """Return the planned expression as this server spells it, by way of a temporary table that never stays."""
    kind = full_type(schema, column).as_string(target)
    read = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'pg_temp.zenni_tui_spelling'::regclass"
    # The plan's own expression, which made the column; DDL takes no parameters.
    statement = f"CREATE TEMPORARY TABLE zenni_tui_spelling (c {kind} DEFAULT {text})"
    try:
        with target.transaction(force_rollback=True):
            target.execute(statement.encode())
            spelled = target.execute(read).fetchone()
    except psycopg.Error:
        return None
    return str(spelled[0]) if spelled else None


def _type_of(schema: str, column: ColumnPlan) -> sql.Composable:
    return bare_type(column.type.kind) or sql.Identifier(schema, column.type.enum or "")
