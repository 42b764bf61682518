"""An application as a process of its own: it books, changes, cancels, replaces, renames and swaps until told to stop.

`python writer.py FILE PACE STOP`: PACE seconds between transactions; it ends once the file STOP is there or
writes are refused, and prints how many transactions were acknowledged.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

DDL = """
CREATE TABLE Service (
  id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE, price REAL, place INTEGER NOT NULL UNIQUE);
CREATE TABLE Booking (
  id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL REFERENCES Service ON DELETE CASCADE ON UPDATE CASCADE,
  start DATETIME, code TEXT UNIQUE, parent INTEGER REFERENCES Booking ON DELETE SET NULL, paid BOOLEAN DEFAULT 0);
CREATE INDEX Booking_service ON Booking (service, start);
CREATE TABLE Seat (room TEXT NOT NULL, number INTEGER NOT NULL, note TEXT, PRIMARY KEY (room, number)) WITHOUT ROWID;
CREATE TABLE Visit (said TEXT, at INTEGER);
CREATE TABLE Setting (name TEXT NOT NULL, value BLOB);
CREATE UNIQUE INDEX Setting_name ON Setting (name);
"""
SERVICES, BOOKINGS, SEATS = 40, 3_000, 500

COMPARED = (
    ("SELECT id, name, price, place FROM Service", 'SELECT id, name, price, place FROM "Service"'),
    (
        "SELECT id, service, start, code, parent, paid FROM Booking",
        'SELECT id, service, (extract(epoch FROM start) * 1000)::bigint, code, parent, paid::int FROM "Booking"',
    ),
    ("SELECT room, number, note FROM Seat", 'SELECT room, number, note FROM "Seat"'),
    ("SELECT said, at FROM Visit", 'SELECT said, at FROM "Visit"'),
    ("SELECT name, value FROM Setting", 'SELECT name, value FROM "Setting"'),
)


def make(path: Path, mode: str = "wal", bookings: int = BOOKINGS) -> Path:
    """Make the application's file."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        db.executescript(DDL)
        db.executemany(
            "INSERT INTO Service VALUES (?, ?, ?, ?)", ((f"s{i}", f"Näme {i}", i / 3, i) for i in range(SERVICES))
        )
        db.executemany(
            "INSERT INTO Booking (id, service, start, code, parent) VALUES (?, ?, ?, ?, ?)",
            ((i, f"s{i % SERVICES}", 1_700_000_000_000 + i, f"c{i}", i - 1 or None) for i in range(1, bookings + 1)),
        )
        db.executemany("INSERT INTO Seat VALUES (?, ?, 'free')", (("p" if i % 2 else "q", i) for i in range(SEATS)))
        db.executemany("INSERT INTO Visit VALUES (?, ?)", (("again", i // 3) for i in range(300)))
        db.executemany("INSERT INTO Setting VALUES (?, ?)", ((f"k{i}", bytes([i])) for i in range(50)))
        db.commit()
    return path


def differences(source: Path, target: dict[str, str]) -> list[str]:
    """Return what an outsider sees to differ, row by row."""
    found = []
    with closing(sqlite3.connect(source)) as ours, psycopg.connect(**target) as theirs:
        for here, there in COMPARED:
            one, other = (sorted(map(repr, c.execute(q).fetchall())) for c, q in ((ours, here), (theirs, there)))
            found += [f"{here}: {set(one) ^ set(other)}"] if one != other else []
    return found


def count(source: Path) -> tuple[int, int]:
    """Return figures that change while the application writes."""
    with closing(sqlite3.connect(source, timeout=60)) as db:
        return tuple(db.execute("SELECT count(*), coalesce(sum(at), 0) FROM Visit").fetchone())


def _some(db: sqlite3.Connection, dice: random.Random, column: str, table: str) -> Any:
    rows = db.execute(f"SELECT {column} FROM {table}").fetchall()
    return dice.choice(rows)[0] if rows else None


def _book(db: sqlite3.Connection, dice: random.Random, n: int) -> None:
    service, parent = _some(db, dice, "id", "Service"), _some(db, dice, "id", "Booking")
    row = (service, 1_750_000_000_000 + n, f"n{n}", parent if dice.random() < 0.3 else None)
    db.execute("INSERT INTO Booking (service, start, code, parent) VALUES (?, ?, ?, ?)", row)
    db.execute("INSERT INTO Visit VALUES ('booked', ?)", (n,))


def _change(db: sqlite3.Connection, dice: random.Random, n: int) -> None:
    db.execute("UPDATE Booking SET start = start + 60000, paid = 1 - paid WHERE id % 97 = ?", (n % 97,))
    db.execute("UPDATE Setting SET value = ? WHERE name = ?", (dice.randbytes(9), _some(db, dice, "name", "Setting")))


def _cancel(db: sqlite3.Connection, dice: random.Random, _: int) -> None:
    db.execute("DELETE FROM Booking WHERE id = ?", (_some(db, dice, "id", "Booking"),))


def _replace(db: sqlite3.Connection, dice: random.Random, n: int) -> None:
    code = _some(db, dice, "code", "Booking")
    values = (n + 1_000_000, _some(db, dice, "id", "Service"), code)
    db.execute("INSERT OR REPLACE INTO Booking (id, service, start, code) VALUES (?, ?, 0, ?)", values)
    db.execute("REPLACE INTO Seat VALUES ('p', ?, ?)", (dice.randint(0, SEATS), f"taken {n}"))


def _rename(db: sqlite3.Connection, dice: random.Random, n: int) -> None:
    db.execute("UPDATE Service SET id = ? WHERE id = ?", (f"r{n}", _some(db, dice, "id", "Service")))
    db.execute("UPDATE OR IGNORE Seat SET number = number + 1000 WHERE room = 'q' AND number % 50 = ?", (n % 50,))
    db.execute("UPDATE Setting SET name = name || '+' WHERE name = ?", (_some(db, dice, "name", "Setting"),))


def _swap(db: sqlite3.Connection, dice: random.Random, _: int) -> None:
    (one, first), (other, second) = dice.sample(db.execute("SELECT id, name FROM Service").fetchall(), 2)
    db.execute("UPDATE Service SET name = 'between' WHERE id = ?", (one,))
    db.execute("UPDATE Service SET name = ? WHERE id = ?", (first, other))
    db.execute("UPDATE Service SET name = ? WHERE id = ?", (second, one))
    db.execute("UPDATE Service SET place = -place - 1")
    db.execute("UPDATE Service SET place = CASE place WHEN -1 THEN 1 WHEN -2 THEN 0 ELSE -place - 1 END")


def _sweep(db: sqlite3.Connection, dice: random.Random, n: int) -> None:
    db.execute("DELETE FROM Visit WHERE at % 7 = ?", (n % 7,))
    db.execute("DELETE FROM Booking WHERE id % 211 = ?", (n % 211,))
    db.execute("DELETE FROM Seat WHERE number = ?", (dice.randint(0, SEATS),))
    if dice.random() < 0.2:
        db.execute("DELETE FROM Service WHERE id = ?", (_some(db, dice, "id", "Service"),))
        db.execute("INSERT OR IGNORE INTO Service VALUES (?, ?, NULL, ?)", (f"t{n}", f"New {n}", 1000 + n))


DEEDS: tuple[Callable[[sqlite3.Connection, random.Random, int], None], ...] = (
    _book, _book, _book, _change, _cancel, _replace, _rename, _swap, _sweep,
)  # fmt: skip


def _acknowledged(db: sqlite3.Connection, dice: random.Random, number: int) -> bool:
    """Do something in one transaction; returns False when writes are refused."""
    try:
        with db:
            dice.choice(DEEDS)(db, dice, number)
    except sqlite3.IntegrityError as error:
        if "read-only" not in str(error):
            raise
        return False
    return True


def main() -> None:
    """Write until told to stop."""
    path, pace, stop = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    dice, done = random.Random(6), 0  # noqa: S311 - a test's dice
    with closing(sqlite3.connect(path, timeout=60)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        while not stop.exists() and _acknowledged(db, dice, done):
            done += 1
            time.sleep(pace)
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main()
