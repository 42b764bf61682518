"""Runs queries that others wrote on a snapshot: only reading is allowed, and not for long."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_FORBIDDEN = frozenset({"load_extension", "readfile", "writefile", "fts3_tokenizer"})
_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""


class Unanswered(Exception):
    """A database does not answer a query; the message says which and why."""


class Answer:
    """The rows of a query, its columns' names, and the seconds it took."""

    def __init__(self, rows: Sequence[tuple[Any, ...]], columns: Sequence[str], seconds: float) -> None:
        self.rows = rows
        self.columns = tuple(columns)
        self.seconds = seconds


def ask(snapshot: sqlite3.Connection, text: str, named: Mapping[str, Any], *, most: int, seconds: float) -> Answer:
    """Return up to `most` rows of a query with parameters by name; raises Unanswered."""
    with _bounded(snapshot, seconds):
        try:
            started = time.perf_counter()
            cursor = snapshot.execute(text, dict(named))
            rows = cursor.fetchmany(most)
            return Answer(rows, [d[0] for d in cursor.description or ()], time.perf_counter() - started)
        except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
            raise Unanswered(f"SQLite refuses it: {error}.") from error


def timed(snapshot: sqlite3.Connection, text: str, *, seconds: float) -> float:
    """Return the milliseconds in which all rows of a query are found; raises Unanswered."""
    with _bounded(snapshot, seconds):
        try:
            started = time.perf_counter()
            for _ in snapshot.execute(text):
                pass
            return (time.perf_counter() - started) * 1000
        except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
            raise Unanswered(f"SQLite refuses it: {error}.") from error


def plan(snapshot: sqlite3.Connection, text: str) -> tuple[str, ...]:
    """Return SQLite's plan for a query, a line a step; raises Unanswered."""
    try:
        return tuple(str(row[3]) for row in snapshot.execute(f"EXPLAIN QUERY PLAN {text}"))
    except sqlite3.Error as error:
        raise Unanswered(f"SQLite refuses it: {error}.") from error


@contextmanager
def _bounded(snapshot: sqlite3.Connection, seconds: float) -> "Iterator[None]":
    deadline = time.monotonic() + seconds
    snapshot.set_authorizer(_allowed)
    snapshot.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        snapshot.set_authorizer(None)
        snapshot.set_progress_handler(None, 0)


def _allowed(action: int, first: str | None, second: str | None, _place: str | None, _by: str | None) -> int:
    called = action == sqlite3.SQLITE_FUNCTION and (second or first or "").lower() in _FORBIDDEN
    return sqlite3.SQLITE_OK if action in _READING and not called else sqlite3.SQLITE_DENY
