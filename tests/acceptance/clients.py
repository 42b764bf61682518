"""Clients of a small application that write all the time, to whichever side its `.env` names, and log what was taken.

Each is a process: `python clients.py FOLDER NUMBER SEED PAUSE`. It owns the rows it makes, so that its log alone tells
what they must be. A line of the log is written after the database has acknowledged, and holds every row touched.
"""

import json
import random
import re
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

SCHEMA = """
CREATE TABLE Service (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE);
CREATE TABLE Booking (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL REFERENCES Service (id) ON DELETE CASCADE ON UPDATE CASCADE,
  code TEXT UNIQUE, start DATETIME NOT NULL, note TEXT);
CREATE INDEX Booking_service_idx ON Booking (service);
CREATE TABLE Tally (client INTEGER NOT NULL, n INTEGER NOT NULL, note TEXT, PRIMARY KEY (client, n));
CREATE TABLE Loose (client INTEGER NOT NULL, note TEXT);
"""
EPOCH = 1_767_225_600_000
BEFORE = "INSERT INTO Service VALUES ('base', 'Sauna'); INSERT INTO Booking (service, code, start, note) WITH RECURSIVE"
BEFORE += f" n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT 'base', 'b' || i, {EPOCH} + i, 'old'"
BEFORE += " FROM n;"
_BULK = 40
_URL = re.compile(r"^DATABASE_URL=(['\"]?)(.*)\1(?:\s+#.*)?$", re.MULTILINE)

Row = tuple[Any, ...]
Touched = dict[tuple[str, Any], Row | None]


class Refused(Exception):
    """The side takes no writes now; nothing of the attempt was kept."""


class Side:
    """A connection to the side that the settings name, made anew when it refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._link: Any = None
        self.new = False

    def open(self) -> None:
        """Connect to what the settings name now."""
        self.close()
        found = _URL.search((self._folder / ".env").read_text())
        assert found is not None
        self.new = not found[2].startswith("file:")
        if self.new:
            self._link = psycopg.connect(found[2], autocommit=True)
            return
        self._link = sqlite3.connect(self._folder / "app.db", timeout=5.0, isolation_level=None)
        self._link.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Let go."""
        if self._link is not None:
            self._link.close()
        self._link = None

    def do(self, query: str, *values: Any) -> list[Row]:
        """Run a statement, written with question marks; returns its rows."""
        cursor = self._link.execute(query.replace("%", "%%").replace("?", "%s") if self.new else query, values)
        return cursor.fetchall() if cursor.description else []

    def moment(self, milliseconds: int) -> Any:
        """Return a moment as this side's application writes it."""
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(milliseconds / 1000))}.{milliseconds % 1000:03}" if (
            self.new
        ) else milliseconds  # fmt: skip

    def attempt(self, deed: Callable[["Side"], Touched], *, keep: bool) -> Touched:
        """Do a deed as one transaction; raises Refused when the side did not take it."""
        try:
            if self._link is None:
                self.open()
            self.do("BEGIN" if self.new else "BEGIN IMMEDIATE")
            touched = deed(self)
            self.do("COMMIT" if keep else "ROLLBACK")
        except (sqlite3.DatabaseError, psycopg.Error) as error:
            self._refused(error)
            raise Refused from None
        return touched if keep else {}

    def _refused(self, error: Exception) -> None:
        self.close()
        words = str(error)
        fine = "zenni-tui" in words or "locked" in words or "read-only" in words or "deadlock" in words
        if not fine:
            raise error


class Client:
    """One client: what it owns, as acknowledged."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self.number = number
        self.dice = dice
        self.services: dict[str, str] = {}
        self.bookings: dict[int, Row] = {}
        self.tally: dict[int, str] = {}
        self.loose: list[str] = []
        self._next = 0

    def fresh(self) -> str:
        """Return a word that nobody else has."""
        self._next += 1
        return f"{self.number}-{self._next}"

    def deed(self) -> Callable[[Side], Touched]:
        """Return the next thing to do."""
        if not self.services or self.dice.random() < 0.03:
            return self._found
        if len(self.bookings) < 8:
            return self._add
        weights = {
            self._add: 30,
            self._change: 25,
            self._cancel: 8,
            self._replace: 8,
            self._swap: 6,
            self._rename: 3,
            self._drop: 1,
            self._count: 3,
            self._scatter: 4,
        }
        return self.dice.choices(list(weights), list(weights.values()))[0]

    def _row(self) -> tuple[str, str | None, int, str]:
        code = self.fresh() if self.dice.random() < 0.7 else None
        start = EPOCH + self.dice.randrange(10**10)
        return self.dice.choice(list(self.services)), code, start, f"hyvää päivää {self.fresh()}"

    def _found(self, side: Side) -> Touched:
        one = f"s{self.fresh()}"
        side.do('INSERT INTO "Service" (id, name) VALUES (?, ?)', one, f"name {one}")
        touched: Touched = {("Service", one): (f"name {one}",)}
        for _ in range(3):
            touched |= self._put(side, (one, None, EPOCH + self.dice.randrange(10**10), "with its service"))
        return touched

    def _put(self, side: Side, row: tuple[str, str | None, int, str]) -> Touched:
        service, code, start, note = row
        found = side.do(
            'INSERT INTO "Booking" (service, code, start, note) VALUES (?, ?, ?, ?) RETURNING id',
            service, code, side.moment(start), note,
        )  # fmt: skip
        return {("Booking", found[0][0]): row}

    def _add(self, side: Side) -> Touched:
        return self._put(side, self._row())

    def _change(self, side: Side) -> Touched:
        key = self.dice.choice(list(self.bookings))
        service, code, _, _ = self.bookings[key]
        start, note = EPOCH + self.dice.randrange(10**10), self.fresh()
        side.do('UPDATE "Booking" SET start = ?, note = ? WHERE id = ?', side.moment(start), note, key)
        return {("Booking", key): (service, code, start, note)}

    def _cancel(self, side: Side) -> Touched:
        key = self.dice.choice(list(self.bookings))
        side.do('DELETE FROM "Booking" WHERE id = ?', key)
        return {("Booking", key): None}

    def _replace(self, side: Side) -> Touched:
        """Put a row in the place of two others: of the one with its key, and of the one with its code."""
        key, victim = self.dice.sample(list(self.bookings), 2)
        service, _, start, note = self._row()
        code = self.bookings[victim][1] or self.fresh()
        values = (key, service, code, side.moment(start), note)
        if side.new:
            side.do('DELETE FROM "Booking" WHERE code = ? AND id <> ?', code, key)
            side.do(
                'INSERT INTO "Booking" (id, service, code, start, note) VALUES (?, ?, ?, ?, ?)'
                " ON CONFLICT (id) DO UPDATE SET service = excluded.service, code = excluded.code,"
                " start = excluded.start, note = excluded.note",
                *values,
            )
        else:
            side.do("INSERT OR REPLACE INTO Booking (id, service, code, start, note) VALUES (?, ?, ?, ?, ?)", *values)
        gone: Touched = {("Booking", victim): None} if self.bookings[victim][1] else {}
        return {**gone, ("Booking", key): (service, code, start, note)}

    def _swap(self, side: Side) -> Touched:
        """Let two rows change their unique codes."""
        one, two = self.dice.sample(list(self.bookings), 2)
        a, b = self.bookings[one], self.bookings[two]
        for key, code in ((one, None), (two, a[1]), (one, b[1])):
            side.do('UPDATE "Booking" SET code = ? WHERE id = ?', code, key)
        return {("Booking", one): (a[0], b[1], *a[2:]), ("Booking", two): (b[0], a[1], *b[2:])}

    def _rename(self, side: Side) -> Touched:
        """Change a key that others refer to."""
        old, new = self.dice.choice(list(self.services)), f"s{self.fresh()}"
        side.do('UPDATE "Service" SET id = ? WHERE id = ?', new, old)
        moved: Touched = {("Booking", k): (new, *r[1:]) for k, r in self.bookings.items() if r[0] == old}
        return {("Service", old): None, ("Service", new): (self.services[old],), **moved}

    def _drop(self, side: Side) -> Touched:
        """Delete a row with all that refer to it."""
        one = self.dice.choice(list(self.services))
        side.do('DELETE FROM "Service" WHERE id = ?', one)
        return {("Service", one): None, **{("Booking", k): None for k, r in self.bookings.items() if r[0] == one}}

    def _count(self, side: Side) -> Touched:
        """Write many rows by one statement, or delete half of them."""
        if len(self.tally) > 2 * _BULK:
            side.do('DELETE FROM "Tally" WHERE client = ? AND n % 2 = 0', self.number)
            return {("Tally", (self.number, n)): None for n in self.tally if n % 2 == 0}
        if self.tally and self.dice.random() < 0.5:
            note = self.fresh()
            side.do('UPDATE "Tally" SET note = ? WHERE client = ?', note, self.number)
            return {("Tally", (self.number, n)): (note,) for n in self.tally}
        first = max(self.tally, default=0) + 1
        marks = ", ".join("(?, ?, ?)" for _ in range(_BULK))
        values = [v for n in range(first, first + _BULK) for v in (self.number, n, "new")]
        side.do(f'INSERT INTO "Tally" (client, n, note) VALUES {marks}', *values)
        return {("Tally", (self.number, n)): ("new",) for n in range(first, first + _BULK)}

    def _scatter(self, side: Side) -> Touched:
        """Write rows that can't be told apart, or delete all that are alike."""
        note = self.dice.choice("abc")
        if self.loose.count(note) > 3:
            side.do('DELETE FROM "Loose" WHERE client = ? AND note = ?', self.number, note)
            return {("Loose", self.number): tuple(n for n in self.loose if n != note)}
        side.do('INSERT INTO "Loose" (client, note) VALUES (?, ?)', self.number, note)
        return {("Loose", self.number): (*self.loose, note)}

    def take_in(self, touched: Touched) -> None:
        """Remember what was acknowledged."""
        for (table, key), row in touched.items():
            if table == "Loose":
                self.loose = list(row or ())
                continue
            kept: dict[Any, Any] = {"Service": self.services, "Booking": self.bookings, "Tally": self.tally}[table]
            own = key[1] if table == "Tally" else key
            if row is None:
                kept.pop(own, None)
            else:
                kept[own] = row if table == "Booking" else row[0]


def main(folder: Path, number: int, seed: int, pause: float) -> None:
    """Write until a file `stop` is there; stand still while there is one named `pause`."""
    dice = random.Random(seed * 1000 + number)  # noqa: S311 - test data
    client, side = Client(number, dice), Side(folder)
    still = folder / f"paused-{number}"
    with (folder / f"log-{number}").open("a") as log:
        while not (folder / "stop").exists():
            if (folder / "pause").exists():
                side.close()
                still.touch()
                time.sleep(0.02)
                continue
            still.unlink(missing_ok=True)
            began = time.time()
            try:
                touched = side.attempt(client.deed(), keep=dice.random() > 0.05)
            except Refused:
                log.write(json.dumps({"refused": began}) + "\n")
                time.sleep(0.01)
                continue
            client.take_in(touched)
            rows = [[table, key, row] for (table, key), row in touched.items()]
            log.write(json.dumps({"began": began, "at": time.time(), "new": side.new, "rows": rows}) + "\n")
            log.flush()
            time.sleep(dice.expovariate(1 / pause))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
