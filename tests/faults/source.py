"""A source made for fault tests: several tables in many spans, and a table whose rows nothing keeps from doubling."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

CLIENTS, VISITS, CODES, LINES = 6_000, 9_000, 2_000, 4_000
CHUNK_ROWS = 750
"""Rows of one span: makes about thirty of them."""

_DDL = """
CREATE TABLE Client (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, score REAL, since DATETIME);
CREATE TABLE Visit (id TEXT PRIMARY KEY NOT NULL, client INTEGER NOT NULL REFERENCES Client (id) ON DELETE CASCADE,
  note TEXT, seen BOOLEAN NOT NULL DEFAULT 0, picture BLOB);
CREATE INDEX Visit_client ON Visit (client, seen);
CREATE TABLE Code (place TEXT NOT NULL, number INTEGER NOT NULL, worth NUMERIC, PRIMARY KEY (place, number))
  WITHOUT ROWID;
CREATE TABLE Line (at INTEGER NOT NULL, said TEXT);
CREATE TABLE Empty (id INTEGER PRIMARY KEY, why TEXT);
CREATE VIEW Seen AS SELECT client, count(*) AS visits FROM Visit WHERE seen GROUP BY client;
"""


def make_source(path: Path, *, picture: int = 200) -> Path:
    """Make the file, with pictures of up to so many bytes; some rows of `Line` are equal to others."""
    dice = random.Random(1)  # noqa: S311 - test data
    with closing(sqlite3.connect(path)) as db:
        db.executescript(_DDL)
        db.executemany(
            "INSERT INTO Client VALUES (?, ?, ?, ?)",
            ((i, f"Näme {i}", dice.uniform(-1e6, 1e6), 1_600_000_000_000 + 977 * i) for i in range(1, CLIENTS + 1)),
        )
        db.executemany(
            "INSERT INTO Visit VALUES (?, ?, ?, ?, ?)",
            (
                (
                    f"v{dice.getrandbits(96):024x}",
                    dice.randint(1, CLIENTS),
                    _note(dice),
                    i % 2,
                    dice.randbytes(i % picture),
                )
                for i in range(VISITS)
            ),
        )
        db.executemany("INSERT INTO Code VALUES (?, ?, ?)", ((f"p{i % 7}", i, i % 100 + 0.25) for i in range(CODES)))
        db.executemany("INSERT INTO Line VALUES (?, ?)", ((i // 4, f"line {i // 8}") for i in range(LINES)))
        db.commit()
    return path


def _note(dice: random.Random) -> str | None:
    return None if dice.random() < 0.1 else "ääkköset, tab\t, \\N and 'quotes' " * dice.randint(0, 8)
