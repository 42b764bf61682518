"""Whatever an application's file declares otherwise than the snapshot of it is told by name, and nothing else is."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspected import schema_of

from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import capture, freeze, inspect, live, redeclared
from zenni_tui.source.database import connect_live

FILE = """
CREATE TABLE Seat (room TEXT NOT NULL, number INTEGER, note TEXT, PRIMARY KEY (room, number)) WITHOUT ROWID;
CREATE TABLE Booking (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT UNIQUE, seat INTEGER CHECK (seat > 0));
CREATE TABLE Left (id INTEGER PRIMARY KEY);
CREATE INDEX Booking_seat ON Booking (seat);
CREATE VIEW Seats AS SELECT * FROM Seat;
CREATE TRIGGER Freed AFTER DELETE ON Booking BEGIN DELETE FROM Left; END;
INSERT INTO Booking (code, seat) VALUES ('a', 1);
"""
KEYS: dict[str, tuple[str, ...]] = {"Seat": ("room", "number"), "Booking": ("id",)}


class Both:
    """A snapshot of a file that is followed, and the file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.db"
        with sqlite3.connect(self.path) as made:
            made.executescript(FILE)
        made.close()
        self.file = live.open_live(self.path)
        self.planned = schema_of(self.path)
        capture.arm(self.file, self.planned, KEYS, "token")
        self.was = redeclared.texts(self.file)

    def now(self) -> redeclared.Redeclared:
        """Return what is otherwise now."""
        return redeclared.compare(self.was, redeclared.texts(self.file), KEYS, self._schemas)

    def _schemas(self) -> tuple[SourceSchema, SourceSchema]:
        return self.planned, asyncio.run(_declared(self.path))


async def _declared(path: Path) -> SourceSchema:
    database = await connect_live(path)
    try:
        return await inspect.read_schema(database, counted=False)
    finally:
        await database.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Yield a file that was just armed and the snapshot of it."""
    made = Both(tmp_path)
    yield made
    made.file.close()


@pytest.mark.parametrize(
    ("ddl", "words", "rewritten"),
    [
        ("CREATE TABLE Extra (id INTEGER)", ('table "Extra" is new',), ()),
        ("CREATE VIRTUAL TABLE Found USING fts5(word)", 'table "Found" is new', ()),
        ("DROP VIEW Seats; DROP TABLE Seat", ('table "Seat" is gone', 'view "Seats" is gone'), ("Seat",)),
        (
            "DROP TRIGGER Freed; ALTER TABLE Booking RENAME TO Visit",
            ('table "Booking" is gone', 'table "Visit" is new', 'trigger "Freed" is gone'),
            ("Booking",),
        ),
        ("ALTER TABLE Seat ADD COLUMN more TEXT", ('column "more" is new in table "Seat"',), ("Seat",)),
        ("ALTER TABLE Seat DROP COLUMN note", ('column "note" is gone in table "Seat"',), ("Seat",)),
        (
            "ALTER TABLE Seat RENAME note TO remark",
            ('column "note" is gone in table "Seat"', 'column "remark" is new in table "Seat"'),
            ("Seat",),
        ),
        ("CREATE INDEX Seat_note ON Seat (note)", ('index "Seat_note" is new in table "Seat"',), ()),
        ("DROP INDEX Booking_seat", ('index "Booking_seat" is gone in table "Booking"',), ()),
        (
            "DROP INDEX Booking_seat; CREATE UNIQUE INDEX Booking_seat ON Booking (seat)",
            ('index "Booking_seat" is another in table "Booking"',),
            (),
        ),
        ("DROP VIEW Seats; CREATE VIEW Seats AS SELECT room FROM Seat", ('view "Seats" is another',), ()),
        ("DROP TRIGGER Freed", ('trigger "Freed" is gone',), ()),
        ("CREATE TRIGGER More AFTER INSERT ON Seat BEGIN SELECT 1; END", ('trigger "More" is new',), ()),
    ],
)
def test_each_change_of_the_schema_is_told(both: Both, ddl: str, words: tuple[str, ...], rewritten: object) -> None:
    """A table, column, index, view or trigger that comes, goes or changes is named; so is what rewrote rows."""
    both.file.executescript(ddl)
    found = both.now()
    if isinstance(words, str):
        assert words in found.words
    else:
        assert (sorted(found.words), found.rewritten) == (sorted(words), rewritten)


@pytest.mark.parametrize(
    "ddl",
    [
        "VACUUM",
        "ANALYZE",
        "INSERT INTO Booking (code) VALUES ('b')",
        "CREATE TEMP TABLE Scratch (id INTEGER)",
        "ALTER TABLE Left ADD COLUMN more TEXT; CREATE INDEX Left_more ON Left (more)",
        (
            'CREATE TABLE "new_Booking" (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT UNIQUE,'
            " seat INTEGER CHECK (seat > 0)); INSERT INTO new_Booking SELECT * FROM Booking; DROP TABLE Booking;"
            ' ALTER TABLE "new_Booking" RENAME TO "Booking"; CREATE INDEX Booking_seat ON "Booking" (seat);'
            " CREATE TRIGGER Freed AFTER DELETE ON Booking BEGIN DELETE FROM Left; END"
        ),
    ],
)
def test_what_leaves_the_planned_tables_as_they_are_is_none(both: Both, ddl: str) -> None:
    """Neither a VACUUM, nor a table that stays behind, nor one that is built anew just as it was, is a difference."""
    both.file.executescript(ddl)
    freeze.freeze(both.file)
    assert both.now() == redeclared.Redeclared()
