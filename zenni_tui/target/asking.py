"""Runs queries that others wrote on the target: in a transaction that can only read, and not for long."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import RawCursor, RawServerCursor, sql

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = RawCursor[tuple[Any, ...]]


class Refused(Exception):
    """PostgreSQL does not answer a query; the message says why."""


class Asker:
    """Asks one connection, with `schema` in sight as the application has it; `seconds` bound each query."""

    def __init__(self, connection: Connection, schema: str, seconds: float) -> None:
        self._connection = connection
        self._schema = schema
        self._seconds = seconds

    def ask(
        self, text: str, values: Sequence[Any] = (), *, most: int
    ) -> tuple[list[tuple[Any, ...]], tuple[str, ...], float]:
        """Return up to `most` rows of a query with parameters $1, $2, ..., its columns, and the seconds it took.

        Raises Refused, and psycopg.Error when the connection is lost.
        """
        # A cursor of the server's: a plain one would bring every row here, however many there are.
        with self.reader(), RawServerCursor(self._connection, "zenni_asked") as cursor:
            started = time.perf_counter()
            cursor.execute(text.encode(), values)
            rows = cursor.fetchmany(most)
            return rows, tuple(d.name for d in cursor.description or ()), time.perf_counter() - started

    def explain(self, text: str, values: Sequence[Any] = (), *, run: bool = False) -> tuple[str, ...]:
        """Return PostgreSQL's plan for a statement, a line a step; it is run only when asked to. Raises Refused."""
        words = "EXPLAIN (ANALYZE, TIMING OFF)" if run else "EXPLAIN"
        with self.reader() as cursor:
            return tuple(str(row[0]) for row in cursor.execute(f"{words} {text}".encode(), values))

    def timed(self, text: str) -> float:
        """Return the server's own time for planning and running a query, in milliseconds; raises Refused."""
        with self.reader() as cursor:
            row = cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}".encode()).fetchone()
            (plan,) = row[0] if row is not None and not isinstance(row[0], str) else json.loads(row[0] if row else "[]")
            return float(plan["Planning Time"] + plan["Execution Time"])

    @contextmanager
    def reader(self) -> Iterator[Cursor]:
        """Yield a cursor in a transaction that can only read and is taken back; raises Refused."""
        try:
            with self._connection.transaction(force_rollback=True), RawCursor(self._connection) as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                path = sql.Identifier(self._schema).as_string(self._connection)
                for name, value in (("search_path", path), ("statement_timeout", str(int(self._seconds * 1000)))):
                    cursor.execute("SELECT set_config($1, $2, true)", (name, value))
                yield cursor
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            raise Refused(f"PostgreSQL refuses it: {_said(error)}") from error


def _said(error: psycopg.Error) -> str:
    primary = error.diag.message_primary or str(error)
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    return f"{primary}{hint}."
