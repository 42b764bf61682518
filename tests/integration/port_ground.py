"""A database with what queries trip over, in SQLite and carried to PostgreSQL by the program itself."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

SCHEMA = """
CREATE TABLE "Item" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT,
    "itemName" TEXT NOT NULL,
    "price" REAL NOT NULL,
    "qty" INTEGER NOT NULL DEFAULT 0,
    "active" BOOLEAN NOT NULL DEFAULT 1,
    "code" TEXT COLLATE NOCASE,
    "meta" TEXT,
    "phone" TEXT,
    "note" TEXT,
    "createdAt" DATETIME NOT NULL,
    "changed" DATETIME NOT NULL,
    "mixed" DATETIME NOT NULL,
    "day" DATE NOT NULL,
    "raw" BLOB
);
CREATE TABLE "Order" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user" TEXT NOT NULL,
    "group" INTEGER NOT NULL,
    "itemId" INTEGER NOT NULL REFERENCES "Item" ("id"),
    "paid" BOOLEAN
);
CREATE TABLE plain (key TEXT PRIMARY KEY, value TEXT, amount INTEGER);
CREATE UNIQUE INDEX "Item_code_key" ON "Item" ("code");
"""
START = datetime(2025, 1, 1, 8, 30, tzinfo=UTC)
NAMES = ("Alpha", "beta", "Gamma ray", "delta", "Épsilon", "zeta", "Eta", "theta", "iota", "kappa", "100%", "a_b")


def make(path: Path) -> None:
    """Write the database."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SCHEMA)
        for number, name in enumerate(NAMES, 1):
            at = START + timedelta(days=9 * number, minutes=7 * number, milliseconds=number)
            millis = int(at.timestamp() * 1000)
            database.execute(
                f'INSERT INTO "Item" VALUES ({", ".join("?" * 14)})',
                (
                    number,
                    name,
                    number * 1.25 + 0.005,
                    number % 4,
                    number % 3 != 0,
                    f"Code{number}",
                    f'{{"size": {{"w": {number}}}, "tag": "t{number % 2}"}}',
                    str(number * 11) if number % 2 else f"+358 {number}",
                    None if number % 4 == 0 else f"note {number % 2}",
                    millis,
                    at.strftime("%Y-%m-%d %H:%M:%S"),
                    millis if number % 3 else at.strftime("%Y-%m-%d %H:%M:%S"),
                    at.strftime("%Y-%m-%d"),
                    bytes([number, 255]),
                ),
            )
            order = (f"o{number:02}", "ann" if number % 2 else "Bob", number % 3, number, [1, 0, None][number % 3])
            database.execute('INSERT INTO "Order" VALUES (?, ?, ?, ?, ?)', order)
            database.execute("INSERT INTO plain VALUES (?, ?, ?)", (f"k{number}", f"v{number % 5}", number))
        database.commit()
