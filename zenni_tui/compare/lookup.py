"""The target's rows by key: every column's canonical text, found through the target's own indexes."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import ColumnPlan, Kind, TablePlan

from .columns import Cell
from .expressions import bare_type, canonical_sql
from .session import PARAMETER, Target, parameterized
from .values import raw_bytes, readable

_ACTUAL = """
SELECT a.attname, CASE WHEN y.typtype = 'e' THEN 'enum' ELSE format_type(a.atttypid, NULL) END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_ABSENT = sql.SQL("'(no such column)'::text")
_CHOSEN = sql.SQL("SELECT {columns} FROM {table} AS t WHERE t.{key} = ANY(ARRAY({keys}))")
_TEXT_CHOSEN = sql.SQL("SELECT {columns} FROM {table} AS t WHERE {key} = ANY(ARRAY({keys}))")
_KEYS = sql.SQL(f"SELECT k.v::{{type}} FROM json_array_elements_text({PARAMETER}::json) AS k (v)")  # noqa: S608 - no value
_TEXT_KEYS = sql.SQL(f"SELECT k.v FROM json_array_elements_text({PARAMETER}::json) AS k (v)")  # noqa: S608 - no value
_JOINED = sql.SQL("SELECT {columns} FROM ROWS FROM ({lists}) AS k ({names}) JOIN {table} AS t ON {matches}")
_LIST = sql.SQL(f"json_array_elements_text({PARAMETER}::json)")


class Layout(NamedTuple):
    """How the target's table can be read: its name, the expressions of the carried columns, and columns as planned."""

    name: sql.Composable
    expressions: tuple[sql.Composable, ...]
    as_planned: frozenset[str]


def layout(target: Target, schema: str, table: TablePlan) -> Layout:
    """Look up how the table stands; a column of another type than planned is read as its plain text.

    Raises `StepFailed` when there is no such table, `psycopg.Error`.
    """
    actual: dict[str, str] = dict(target.execute(_ACTUAL, (schema, table.name)).fetchall())
    if not actual:
        raise StepFailed(
            "A table cannot be compared.",
            where=f"{schema}.{table.name}",
            why="the target has no such table",
            next_step="Look at the structure's differences; load the table again.",
        )
    expressions = tuple(_expression(column, actual.get(column.name)) for column in table.carried)
    as_planned = frozenset(c.name for c in table.carried if actual.get(c.name) == c.type.kind)
    return Layout(sql.Identifier(schema, table.name), expressions, as_planned)


def _expression(column: ColumnPlan, actual: str | None) -> sql.Composable:
    if actual is None:
        return _ABSENT
    if actual != column.type.kind:
        return sql.SQL("t.{}::text").format(sql.Identifier(column.name))
    return canonical_sql(column, "t")


def key_columns(table: TablePlan, unique: Sequence[str] | None = None) -> tuple[int, ...] | None:
    """Return where the key's columns stand among the carried ones, None when no key can name the rows.

    The key is the primary key, or `unique`, the columns of some unique index that hold no NULL.
    """
    names = [c.name for c in table.carried]
    key = table.key.columns if table.key is not None else tuple(unique or ())
    if not key or not set(key) <= set(names):
        key = tuple(unique or ())
    return tuple(names.index(name) for name in key) if key and set(key) <= set(names) else None


class Lookup:
    """Asks the target for the rows of a batch of keys."""

    def __init__(self, target: Target, shape: Layout, table: TablePlan, key: tuple[int, ...]) -> None:
        self._target = target
        self._columns = [table.carried[position] for position in key]
        self._strict = [_castable(column, shape) for column in self._columns]
        parts = {"columns": sql.SQL(", ").join(shape.expressions), "table": shape.name}
        expressions = [shape.expressions[position] for position in key]
        query = self._single(parts, expressions[0]) if len(key) == 1 else self._composite(parts, expressions)
        self._query = parameterized(query, target)

    def ask(self, keys: Sequence[Sequence[Cell]], raw: Sequence[Sequence[Any]]) -> psycopg.Cursor[tuple[Any, ...]]:
        """Send the query for keys given column by column; in a pipeline its rows are fetched later.

        A key that the target cannot hold, by NULL, NUL, invalid UTF-8 or for want of a reading, is not asked for.
        """
        parameters = self._parameters(keys, raw) or self._parameters(*self._sendable(keys, raw)) or []
        return self._target.cursor().execute(self._query, parameters)

    def _parameters(self, keys: Sequence[Sequence[Cell]], raw: Sequence[Sequence[Any]]) -> list[str] | None:
        """Return one JSON array for each key column, None when some key can't be sent."""
        lists = []
        for column, strict, part, values in zip(self._columns, self._strict, keys, raw, strict=True):
            if set(map(type, part)) - {str}:
                return None
            literals = _literals(column, strict, part, values)
            if not _encodable("".join(literals)):
                return None
            lists.append(json.dumps(literals, ensure_ascii=False))
        return lists

    def _sendable(
        self, keys: Sequence[Sequence[Cell]], raw: Sequence[Sequence[Any]]
    ) -> tuple[list[Sequence[Cell]], list[Sequence[Any]]]:
        rows = zip(zip(*keys, strict=True), zip(*raw, strict=True), strict=True)
        chosen = [
            position
            for position, (key, values) in enumerate(rows)
            if self._parameters([[part] for part in key], [[value] for value in values])
        ]
        return [[part[p] for p in chosen] for part in keys], [[part[p] for p in chosen] for part in raw]

    def _single(self, parts: dict[str, sql.Composable], expression: sql.Composable) -> sql.Composed:
        (column,), (strict,) = self._columns, self._strict
        if strict is None:
            return _TEXT_CHOSEN.format(**parts, key=expression, keys=_TEXT_KEYS)
        return _CHOSEN.format(**parts, key=sql.Identifier(column.name), keys=_KEYS.format(type=strict))

    def _composite(self, parts: dict[str, sql.Composable], expressions: list[sql.Composable]) -> sql.Composed:
        names = [sql.Identifier(f"k{position}") for position in range(len(self._columns))]
        matches = [
            sql.SQL("{} = k.{}").format(expression, name)
            if strict is None
            else sql.SQL("t.{} = k.{}::{}").format(sql.Identifier(column.name), name, strict)
            for column, strict, expression, name in zip(self._columns, self._strict, expressions, names, strict=True)
        ]
        return _JOINED.format(
            **parts,
            lists=sql.SQL(", ").join([_LIST] * len(names)),
            names=sql.SQL(", ").join(names),
            matches=sql.SQL(" AND ").join(matches),
        )


def _encodable(text: str) -> bool:
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def _castable(column: ColumnPlan, shape: Layout) -> sql.Composable | None:
    return bare_type(column.type.kind) if column.name in shape.as_planned else None


def _literals(
    column: ColumnPlan, strict: sql.Composable | None, keys: Sequence[Any], raw: Sequence[Any]
) -> Sequence[str]:
    kind = column.type.kind
    if strict is None:
        return keys
    if kind is Kind.BYTEA:
        return ["\\x" + raw_bytes(value).hex() for value in raw]
    if kind in (Kind.DOUBLE, Kind.REAL, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE, Kind.TIME):
        return [readable(kind, key) or key for key in keys]
    return keys
