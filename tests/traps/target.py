"""What is looked at in PostgreSQL after a run, by hand-written SQL; every look is rolled back."""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.rows import TupleRow


class Target:
    """A loaded target and the result document of the run that loaded it."""

    def __init__(self, connection: psycopg.Connection[TupleRow], document: dict[str, Any]) -> None:
        self.connection = connection
        self.document = document

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of the last of some statements, whose effects are then undone."""
        with self.connection.transaction(force_rollback=True):
            cursor = self.connection.execute(sql, values or None)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def types(self, table: str) -> dict[str, str]:
        """Return a table's columns with their types as PostgreSQL prints them."""
        return dict(
            self.rows(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
                " WHERE relnamespace = 'public'::regnamespace AND relname = %s AND attnum > 0 AND NOT attisdropped",
                table,
            )
        )

    def told(self, code: str, table: str | None = None) -> bool:
        """Return whether a finding of that code was made, about that table."""
        found = (f for f in self.document["findings"] if f["code"] == code)
        return any(table in (None, f["table"]) for f in found)


Check = Callable[[Target], None]


def sees(sql: str, *rows: tuple[Any, ...]) -> Check:
    """Return the check that a query gives exactly these rows, in this order."""

    def check(target: Target) -> None:
        found = target.rows(sql)
        assert found == list(rows), f"{sql}\ngave {found!r:.600}\nnot  {list(rows)!r:.600}"

    return check


def has_types(table: str, **types: str) -> Check:
    """Return the check that columns have a type, or one of several divided by `|`; underscores are spaces."""

    def check(target: Target) -> None:
        found = target.types(table)
        for column, kinds in types.items():
            assert found.get(column) in kinds.split("|"), f"{table}.{column} is {found.get(column)}, not {kinds}"

    return check


def refuses(error: type[psycopg.Error], sql: str) -> Check:
    """Return the check that the target refuses a statement with this error."""

    def check(target: Target) -> None:
        try:
            target.rows(sql)
        except error:
            return
        raise AssertionError(f"not refused: {sql}")

    return check


def accepts(sql: str) -> Check:
    """Return the check that the target accepts a statement, or several."""

    def check(target: Target) -> None:
        target.rows(sql)

    return check


def told_or(code: str, table: str, *checks: Check) -> Check:
    """Return the check that something works as in SQLite, or that a finding says it was not carried."""

    def check(target: Target) -> None:
        if not target.told(code, table):
            for one in checks:
                one(target)

    return check


def key_of(table: str, *columns: str) -> Check:
    """Return the check that a table's primary key has these columns in this order."""
    return sees(
        "SELECT array_agg(attname::text ORDER BY place) FROM pg_constraint,"
        " unnest(conkey) WITH ORDINALITY AS k(number, place), pg_attribute"
        f" WHERE conrelid = '\"{table}\"'::regclass AND contype = 'p' AND attrelid = conrelid AND attnum = number",
        (list(columns),),
    )


def never_offered(code: str, table: str, repair: str) -> Check:
    """Return the check that a repair which would not hold every value was not on offer."""

    def check(target: Target) -> None:
        found = (f for f in target.document["findings"] if (f["code"], f["table"]) == (code, table))
        assert all(repair != r["id"] for f in found for r in f["repairs"]), f"{repair} is offered for {table}"

    return check
