"""Planned expressions as this server prints them: made on temporary copies that never stay, and read back.

The server keeps no text of an expression but prints it anew, with casts and parentheses of its own
(https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CATALOG), so that only what it printed
itself can be compared with what it prints.
"""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql

from zenni_tui.model.plan import CheckPlan, ColumnPlan, IndexPlan, TablePlan, ViewPlan

from .catalogue import INDEXES, FoundIndex
from .expressions import full_type
from .session import Target

_REFUSED = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.InternalError,
    psycopg.NotSupportedError,
    psycopg.ProgrammingError,
)
_ENTER = """
WITH before AS MATERIALIZED (SELECT current_setting('search_path') AS path)
SELECT path, set_config('search_path', concat_ws(', ', quote_ident(%s), nullif(path, '')), true) FROM before
"""
_LEAVE = "SELECT set_config('search_path', %s, true)"
_GENERATED = """
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = %s::regclass AND a.attgenerated <> '' AND NOT a.attisdropped
"""
_CHECKS = """
SELECT conname, pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'
"""
_COPY_INDEXES = INDEXES + "WHERE i.indrelid = %s::regclass"
_VIEW = "SELECT pg_get_viewdef(%s::regclass)"


class Spelled(NamedTuple):
    """What the server makes of a table's planned expressions, by name; what it refuses is not there."""

    generated: dict[str, str]
    checks: dict[str, str]
    indexes: dict[str, FoundIndex]


class Speller:
    """Asks one server for its spelling; a session that may make no temporary tables learns of none."""

    def __init__(self, target: Target, schema: str) -> None:
        self._target = target
        self._schema = schema

    def table(self, planned: TablePlan, indexes: Sequence[IndexPlan]) -> Spelled:
        """Return the spelling of a table's generated columns, checks and these indexes of its own.

        The table itself must be there. Raises `psycopg.OperationalError`.
        """
        generated = [c for c in planned.columns if c.generated is not None]
        copy = sql.Identifier("pg_temp", planned.name)
        parts = [
            *(self._generated(copy, column) for column in generated),
            *(_check(copy, check) for check in planned.checks),
            *(_index(copy, index) for index in indexes),
        ]
        if not parts:
            return Spelled({}, {}, {})
        # Of the same name, so that an expression may name its table.
        made = sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {})").format(
            sql.Identifier(planned.name), sql.Identifier(self._schema, planned.name)
        )
        try:
            with self._target.transaction(force_rollback=True):
                self._make([made], parts)
                return self._read(copy.as_string(self._target))
        except _REFUSED:
            return Spelled({}, {}, {})

    def view(self, planned: ViewPlan) -> str | None:
        """Return the spelling of a view's query, None when the server refuses it; raises `psycopg.OperationalError`."""
        name = sql.Identifier(planned.name)
        made = sql.Composed([sql.SQL("CREATE TEMPORARY VIEW {} AS ").format(name), _verbatim(planned.query)])
        place = sql.Identifier("pg_temp", planned.name).as_string(self._target)
        try:
            with self._target.transaction(force_rollback=True):
                self._make([made], [])
                found = self._target.execute(_VIEW, (place,)).fetchone()
        except _REFUSED:
            return None
        return str(found[0]) if found else None

    def _read(self, copy: str) -> Spelled:
        generated: dict[str, str] = dict(self._target.execute(_GENERATED, (copy,)).fetchall())
        checks: dict[str, str] = dict(self._target.execute(_CHECKS, (copy,)).fetchall())
        indexes = [FoundIndex(*row) for row in self._target.execute(_COPY_INDEXES.encode(), (copy,)).fetchall()]
        return Spelled(generated, checks, {index.name: index for index in indexes})

    def _make(self, needed: Sequence[sql.Composable], parts: Sequence[sql.Composed]) -> None:
        """Make the parts in the schema's terms, those that can be made; raises when a needed one can't."""
        (path, _) = self._target.execute(_ENTER, (self._schema,)).fetchone() or ("", "")
        self._target.execute(sql.SQL(";").join(needed))
        try:
            self._try(sql.SQL(";").join(parts)) if parts else None
        except _REFUSED:
            self._make_singly(parts)
        self._target.execute(_LEAVE, (path,))

    def _make_singly(self, parts: Sequence[sql.Composed]) -> None:
        for part in parts:
            try:
                self._try(part)
            except _REFUSED:
                continue

    def _try(self, statement: sql.Composed) -> None:
        with self._target.transaction():
            self._target.execute(statement)

    def _generated(self, copy: sql.Identifier, column: ColumnPlan) -> sql.Composed:
        name = sql.Identifier(column.name)
        return sql.SQL("ALTER TABLE {0} DROP {1}, ADD {1} {2} GENERATED ALWAYS AS ({3}) STORED").format(
            copy, name, full_type(self._schema, column), _verbatim(column.generated or "")
        )


def _check(copy: sql.Identifier, check: CheckPlan) -> sql.Composed:
    name, rule = sql.Identifier(check.name), _verbatim(check.expression)
    return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({})").format(copy, name, rule)


def _index(copy: sql.Identifier, index: IndexPlan) -> sql.Composed:
    expressions = index.expressions or (None,) * len(index.columns)
    downward = index.descending or (False,) * len(index.columns)
    parts = [
        sql.SQL("{}{}").format(_indexed(column, text), sql.SQL(" DESC" if down else ""))
        for column, text, down in zip(index.columns, expressions, downward, strict=True)
    ]
    where = sql.SQL(" WHERE {}").format(_verbatim(index.where)) if index.where is not None else sql.SQL("")
    unique = sql.SQL("UNIQUE " if index.unique else "")
    return sql.SQL("CREATE {}INDEX {} ON {} ({}){}").format(
        unique, sql.Identifier(index.name), copy, sql.SQL(", ").join(parts), where
    )


def _indexed(column: str, text: str | None) -> sql.Composable:
    return sql.Identifier(column) if text is None else sql.SQL("({})").format(_verbatim(text))


def _verbatim(text: str) -> sql.Composable:
    # The plan's own SQL, which made the object that is compared.
    return sql.SQL(text)
