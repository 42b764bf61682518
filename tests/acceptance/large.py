"""Makes databases with many tables, wide ones, and ones with a large value."""

import sqlite3
from contextlib import closing
from pathlib import Path


def many_tables(path: Path, tables: int) -> None:
    """Make tables of three rows, each with a key, two indexes, and a foreign key to the one before."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        for number in range(tables):
            name, parent = f"t{number:04}", f"t{max(number - 1, 0):04}"
            database.execute(
                f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                f" parent INTEGER REFERENCES {parent} (id))"
            )
            database.execute(f"CREATE INDEX {name}_parent ON {name} (parent)")
            database.execute(f"CREATE UNIQUE INDEX {name}_name ON {name} (name)")
            database.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", [(r, f"row {r}", r) for r in (1, 2, 3)])
        database.execute("COMMIT")


def wide_table(path: Path, columns: int, rows: int) -> None:
    """Make one table of a key and many columns, by turns integer, text and real."""
    kinds = ("INTEGER", "TEXT", "REAL")
    values = (7, "seven", 7.5)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        named = ", ".join(f"c{n} {kinds[n % 3]}" for n in range(columns - 1))
        database.execute(f"CREATE TABLE wide (id INTEGER PRIMARY KEY, {named})")
        marks = ", ".join("?" * columns)
        given = [(row, *(values[n % 3] for n in range(columns - 1))) for row in range(rows)]
        database.executemany(f"INSERT INTO wide VALUES ({marks})", given)


def large_value(path: Path, kind: str, size: int) -> None:
    """Make a table with one value of about so many bytes, a BLOB of all bytes or a TEXT beyond ASCII, and a NULL."""
    value = bytes(range(256)) * (size // 256) if kind == "BLOB" else "ääni" * (size // 6)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE large (id INTEGER PRIMARY KEY, value {kind})")
        database.executemany("INSERT INTO large (value) VALUES (?)", [(value,), (None,)])
        database.commit()
