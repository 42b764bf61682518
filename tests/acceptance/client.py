"""A client of the small application: writes to whichever side its settings name, and keeps what was acknowledged.

`python client.py FOLDER NUMBER STOP`: each client has rows of its own, so that its log alone tells what must be there.
"""

import json
import random
import re
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

REFUSED = (sqlite3.Error, psycopg.Error)


class Client:
    """One client: `services` by id with their names, `bookings` by id with service and note; all acknowledged."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._first = folder, number * 1_000_000
        self._dice = random.Random(number)  # noqa: S311 - a test's dice
        self._target: psycopg.Connection[Any] | None = None
        self._url = ""
        self._next = self._first
        self.services: dict[str, str] = {}
        self.bookings: dict[int, tuple[str, str]] = {}
        self.done = self.refused = 0
        self.sides: set[str] = set()

    def _settings(self) -> str:
        found = re.findall(r"^(?:export )?DATABASE_URL=(.*)$", (self._folder / ".env").read_text(), re.MULTILINE)
        return str(found[-1]).split(" #")[0].strip("'\"")

    def write(self, statements: list[tuple[str, tuple[Any, ...]]]) -> bool:
        """Make one transaction of statements; returns whether it was acknowledged."""
        url = self._settings()
        try:
            if url.startswith("file:"):
                self._to_file(statements)
            else:
                self._to_target(url, statements)
        except REFUSED:
            self.refused += 1
            time.sleep(0.01)
            return False
        self.done += 1
        self.sides.add(url.split(":", 1)[0])
        return True

    def _to_file(self, statements: list[tuple[str, tuple[Any, ...]]]) -> None:
        file = sqlite3.connect(self._folder / "app.db", timeout=5, isolation_level=None)
        try:
            file.execute("PRAGMA foreign_keys = ON")
            file.execute("BEGIN IMMEDIATE")
            for query, values in statements:
                file.execute(query, values)
            file.execute("COMMIT")
        finally:
            file.close()

    def _to_target(self, url: str, statements: list[tuple[str, tuple[Any, ...]]]) -> None:
        if self._target is None or self._target.closed or url != self._url:
            self._target, self._url = psycopg.connect(url, autocommit=True), url
        with self._target.transaction():
            for query, values in statements:
                self._target.execute(query.replace("?", "%s").encode(), values)

    def one(self) -> None:
        """Make one write of some kind."""
        deeds = (self.insert, self.insert, self.change, self.cancel, self.replace, self.rename, self.swap, self.cascade)
        self._dice.choice(deeds)()

    def _stamp(self) -> str:
        return "1777593600000" if self._settings().startswith("file:") else "timestamp '2026-05-01'"

    def insert(self) -> None:
        """Take a booking."""
        if not self.services or self._dice.random() < 0.1:
            key = f"s{self._first}-{self._fresh()}"
            if self.write([('INSERT INTO "Service" (id, name, active) VALUES (?, ?, true)', (key, f"n {key}"))]):
                self.services[key] = f"n {key}"
            return
        key, service = self._fresh(), self._dice.choice(list(self.services))
        query = f'INSERT INTO "Booking" (id, service, start, note) VALUES (?, ?, {self._stamp()}, ?)'
        if self.write([(query, (key, service, f"taken {key}"))]):
            self.bookings[key] = (service, f"taken {key}")

    def _fresh(self) -> int:
        self._next += 1
        return self._next

    def _some(self) -> int | None:
        return self._dice.choice(list(self.bookings)) if self.bookings else None

    def change(self) -> None:
        """Change a booking's note."""
        key, note = self._some(), f"changed {self._fresh()}"
        if key is not None and self.write([('UPDATE "Booking" SET note = ? WHERE id = ?', (note, key))]):
            self.bookings[key] = (self.bookings[key][0], note)

    def cancel(self) -> None:
        """Delete a booking."""
        key = self._some()
        if key is not None and self.write([('DELETE FROM "Booking" WHERE id = ?', (key,))]):
            del self.bookings[key]

    def replace(self) -> None:
        """Put a booking in the place of another, by its key."""
        key, note = self._some(), f"replaced {self._fresh()}"
        if key is None:
            return
        service = self.bookings[key][0]
        if self._settings().startswith("file:"):
            query = 'INSERT OR REPLACE INTO "Booking" (id, service, start, note) VALUES (?, ?, 1777593600000, ?)'
        else:
            query = (
                "INSERT INTO \"Booking\" (id, service, start, note) VALUES (?, ?, timestamp '2026-05-01', ?)"
                " ON CONFLICT (id) DO UPDATE SET service = excluded.service, note = excluded.note"
            )
        if self.write([(query, (key, service, note))]):
            self.bookings[key] = (service, note)

    def rename(self) -> None:
        """Give a booking another key."""
        key, new = self._some(), self._fresh()
        if key is not None and self.write([('UPDATE "Booking" SET id = ? WHERE id = ?', (new, key))]):
            self.bookings[new] = self.bookings.pop(key)

    def swap(self) -> None:
        """Let two services swap their names, which are unique."""
        if len(self.services) < 2:
            return
        one, other = self._dice.sample(list(self.services), 2)
        change = 'UPDATE "Service" SET name = ? WHERE id = ?'
        a, b = self.services[one], self.services[other]
        if self.write([(change, (f"tmp {one}", one)), (change, (a, other)), (change, (b, one))]):
            self.services[one], self.services[other] = b, a

    def cascade(self) -> None:
        """Delete a service with all its bookings."""
        if len(self.services) < 4:
            return
        key = self._dice.choice(list(self.services))
        if self.write([('DELETE FROM "Service" WHERE id = ?', (key,))]):
            del self.services[key]
            self.bookings = {k: b for k, b in self.bookings.items() if b[0] != key}

    def result(self) -> dict[str, Any]:
        """Return what must be there."""
        return {
            "services": sorted(self.services.items()),
            "bookings": sorted((k, *b) for k, b in self.bookings.items()),
            "done": self.done,
            "refused": self.refused,
            "sides": sorted(self.sides),
        }


def main() -> None:
    """Write until the stop file is there, then print what was acknowledged."""
    folder, number, stop, pause = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    client = Client(folder, number)
    while not stop.exists():
        try:
            client.one()
        except OSError:
            # The settings file is being replaced.
            continue
        time.sleep(pause)
    sys.stdout.write(json.dumps(client.result()))


if __name__ == "__main__":
    main()
