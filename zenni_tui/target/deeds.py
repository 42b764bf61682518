"""Does what an operator wants done against an alert, and records it in the target: who, what, how it ended."""

import contextlib
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.vitals import Remedy

from . import bookkeeping, capture
from .connect import Target

Connection = psycopg.Connection[tuple[Any, ...]]

_LOCK_MILLISECONDS = 5_000
_DEEDS = """
CREATE SCHEMA IF NOT EXISTS zenni_tui;
CREATE TABLE IF NOT EXISTS zenni_tui.deed (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended   timestamptz,
    by      text NOT NULL,
    code    text NOT NULL,
    done    text NOT NULL,
    undo    text NOT NULL DEFAULT '',
    failure text NOT NULL DEFAULT ''
)
"""


def do(target: Target, code: str, remedy: Remedy, by: str) -> None:
    """Do what a remedy says and record it, a failure too; raises NotReady, Occupied or StepFailed."""
    with target.connect() as connection:
        try:
            _allow(connection, target, remedy)
            number = _begin(connection, code, remedy, by)
        except psycopg.Error as error:
            raise StepFailed(
                "It could not be recorded in the target, so it was not done.",
                where="table zenni_tui.deed",
                why=str(error).strip(),
                next_step="GRANT CREATE ON DATABASE ... TO the role of [target] url, or let its owner run the SQL.",
            ) from error
        try:
            _do(connection, remedy)
        except psycopg.Error as error:
            _end(connection, number, str(error))
            raise StepFailed(
                "The server refused, or could not do, what was asked.",
                where="; ".join(remedy.sql),
                why=str(error).strip(),
                next_step="Nothing else was changed; an index that was being made may be left invalid: look again.",
            ) from error
        _end(connection, number, "")


def _begin(connection: Connection, code: str, remedy: Remedy, by: str) -> int:
    connection.execute(_DEEDS)
    row = connection.execute(
        "INSERT INTO zenni_tui.deed (by, code, done, undo) VALUES (%s, %s, %s, %s) RETURNING number",
        (by, code, ";\n".join(remedy.sql), _undo(connection, remedy)),
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING gives a row
    return int(row[0])


def _allow(connection: Connection, target: Target, remedy: Remedy) -> None:
    """Raise Occupied while a run loads the target, NotReady for what would break the way back while it is open."""
    if bookkeeping.live_since(connection) is None and (by := bookkeeping.holder(connection, "")):
        raise bookkeeping.occupied(by)
    if remedy.reshapes and capture.is_armed(connection):
        raise NotReady(
            "The way back is open, and this would close it.",
            where=target.label(),
            why="What is written here is carried back to the old file; a table with other columns or rules can't be.",
            next_step="Wait until the rollback window has ended: zenni-tui finish.",
        )


def _do(connection: Connection, remedy: Remedy) -> None:
    # Others queue behind whoever waits for a lock; what is patient holds nobody up, and would be left half made.
    bound = 0 if remedy.patient else _LOCK_MILLISECONDS
    with contextlib.nullcontext() if remedy.alone else connection.transaction():
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(bound)))
        for statement in remedy.sql:
            connection.execute(statement.encode())


def _undo(connection: Connection, remedy: Remedy) -> str:
    """Return what makes again an index that a remedy drops."""
    for statement in remedy.sql:
        _, dropped, name = statement.partition("DROP INDEX CONCURRENTLY ")
        if dropped:
            row = connection.execute("SELECT pg_get_indexdef(to_regclass(%s))", (name,)).fetchone()
            return str(row[0]) if row and row[0] else ""
    return ""


def _end(connection: Connection, number: int, failure: str) -> None:
    # A line that broke meanwhile leaves the record without an end, which says as much.
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute(
            "UPDATE zenni_tui.deed SET ended = clock_timestamp(), failure = %s WHERE number = %s", (failure, number)
        )
