"""Read-only mode for tables in PostgreSQL: triggers that refuse every statement, whichever role or session it is of.

A role's `default_transaction_read_only` would leave open sessions writing, and any SET undoes it.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.errors import StepFailed

Connection = psycopg.Connection[tuple[Any, ...]]

REFUSED = "25006"
"""read_only_sql_transaction (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
_TRIGGER = sql.Identifier("zenni_tui_refuse")
_FUNCTION = sql.Identifier("zenni_tui", "refuse")
_BODY = (
    "BEGIN RAISE EXCEPTION 'zenni-tui: % is read-only while the application moves; try again in a moment',"
    " TG_TABLE_NAME USING ERRCODE = '25006'; END"
)
_LOCK_MILLISECONDS = 1000
_PAUSE_SECONDS = 0.2


def freeze(connection: Connection, schema: str, tables: Iterable[str], *, within: float = 30.0) -> None:
    """Refuse every write to these tables from now on, all of them or none; raises StepFailed when one stays busy.

    It waits for the writes under way, never long at a time: others queue behind a waiting lock. `within` in seconds.
    """
    names = sorted(tables)
    deadline = time.monotonic() + within
    while not _try(connection, schema, names):
        if time.monotonic() > deadline:
            raise StepFailed(
                "The target's tables could not be made read-only.",
                where=f"schema {schema}",
                why=f"A transaction of somebody's keeps them locked for more than {within:.0f} s.",
                next_step="See pg_stat_activity for the longest xact_start, let it end, then try again.",
            )
        time.sleep(_PAUSE_SECONDS)


def _try(connection: Connection, schema: str, names: Iterable[str]) -> bool:
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_LOCK_MILLISECONDS)))
            for statement in statements(schema, names):
                connection.execute(statement)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


def statements(schema: str, names: Iterable[str]) -> Iterator[sql.Composed]:
    """Yield what makes tables refuse writes; for one transaction."""
    yield sql.SQL("CREATE SCHEMA IF NOT EXISTS zenni_tui").format()
    yield sql.SQL("CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}").format(
        _FUNCTION, sql.Literal(_BODY)
    )
    for name in names:
        yield sql.SQL(
            "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {}"
            " FOR EACH STATEMENT EXECUTE FUNCTION {}()"
        ).format(_TRIGGER, sql.Identifier(schema, name), _FUNCTION)


def thaw(connection: Connection) -> None:
    """Let everybody write again, wherever we refused it; raises psycopg.Error."""
    # With all its triggers, whatever tables they are on.
    connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {}() CASCADE").format(_FUNCTION))


def unfrozen(connection: Connection, schema: str, tables: Iterable[str]) -> tuple[str, ...]:
    """Return the tables that take a write, each attempted with one that touches no row, and taken back."""
    return tuple(name for name in tables if not _refuses(connection, schema, name))


def _refuses(connection: Connection, schema: str, name: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("DELETE FROM {} WHERE false").format(sql.Identifier(schema, name)))
    except psycopg.Error as error:
        return error.sqlstate == REFUSED and "zenni-tui" in str(error)
    return False
