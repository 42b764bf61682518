"""Stands in for what a database's maker had and this SQLite hasn't, so that its rows can be read all the same.

A stand-in collation compares bytes: rows come whole and in rowid order, but an index under that collation must not be
searched or trusted to be sorted. Functions get stand-ins for SQLite's own check only, never for reading.
"""

import re
import sqlite3
from collections.abc import Iterator

from zenni_tui.model.record import Record

from . import declarations

BUILT_IN = frozenset({"BINARY", "NOCASE", "RTRIM"})
"""https://sqlite.org/datatype3.html#collating_sequences."""

_UNKNOWN_FUNCTION = re.compile(r"(?:unknown|no such) function: (.*?)(?:\(\))?")


class StandIns(Record, frozen=True):
    """What a connection reads around: unknown collations, and declarations that this SQLite can't parse."""

    collations: tuple[str, ...] = ()
    malformed: bool = False


def tolerant(stored: bytes) -> str:
    """Decode text that may not be UTF-8; its other bytes become lone surrogates (Python's `surrogateescape`)."""
    return stored.decode("utf-8", "surrogateescape")


def raw(text: str) -> bytes:
    """Return the bytes that `tolerant` decoded."""
    return text.encode("utf-8", "surrogateescape")


def legible(text: str) -> str:
    r"""Return text with the bytes that are not UTF-8 written as `\xNN`, so that it can be shown and stored."""
    return raw(text).decode("utf-8", "backslashreplace")


def prepare(database: sqlite3.Connection) -> StandIns:
    """Make a fresh connection able to read its database; raises sqlite3.Error when it can't be read at all."""
    usual = database.text_factory
    database.text_factory = tolerant
    try:
        texts, malformed = _texts(database)
    finally:
        database.text_factory = usual
    unknown = sorted({n.upper() for sql in texts for n in declarations.collations(sql)} - BUILT_IN)
    usable = [name for name in unknown if name == legible(name)]
    for name in usable:
        database.create_collation(name, _bytewise)
    return StandIns(tuple(usable), malformed)


def _texts(database: sqlite3.Connection) -> tuple[list[str], bool]:
    query = "SELECT sql FROM sqlite_schema WHERE sql LIKE '%collate%'"
    try:
        return [sql for (sql,) in database.execute(query)], False
    except sqlite3.DatabaseError as error:
        if not str(error).startswith("malformed database schema"):
            raise
    # One declaration that this SQLite can't parse makes it refuse the whole file, unless told to pass over it
    # (https://sqlite.org/pragma.html#pragma_writable_schema); nothing is written.
    database.execute("PRAGMA writable_schema = ON")
    return [sql for (sql,) in database.execute(query)], True


def _bytewise(one: str, other: str) -> int:
    return (one > other) - (one < other)


class Check:
    """One run of a checking PRAGMA; `functions` are those that had to be stood in for."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.functions: list[str] = []

    def complaints(self, sql: str) -> Iterator[str]:
        """Yield the PRAGMA's rows, giving each function that is missing a stand-in; raises sqlite3.Error."""
        for (text,) in self._start(sql):
            yield str(text)

    def _start(self, sql: str) -> sqlite3.Cursor:
        while True:
            try:
                return self._database.execute(sql)
            except sqlite3.OperationalError as error:
                match = _UNKNOWN_FUNCTION.fullmatch(str(error))
                if match is None or match[1] in self.functions:
                    raise
                self._database.create_function(match[1], -1, lambda *_: None, deterministic=True)
                self.functions.append(match[1])
