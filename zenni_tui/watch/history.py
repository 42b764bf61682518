"""What the watch remembers of one target, in one SQLite file of our own: minutes, alerts, the last look, deeds."""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from zenni_tui.engine import folders
from zenni_tui.errors import StepFailed
from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.statistics import Before
from zenni_tui.model.vitals import Alert, Vital

_DAY, _MINUTE = 86_400, 60
_GRAPH = 60
_TABLES = """
CREATE TABLE IF NOT EXISTS minute (
    vital TEXT NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (vital, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert (
    code TEXT NOT NULL, subject TEXT NOT NULL, record BLOB NOT NULL, PRIMARY KEY (code, subject)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, raised INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS before (one INTEGER PRIMARY KEY CHECK (one = 1), record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS timing (name TEXT NOT NULL, at REAL NOT NULL, ms REAL NOT NULL);
CREATE TABLE IF NOT EXISTS deed (
    at REAL NOT NULL, by TEXT NOT NULL, code TEXT NOT NULL, done TEXT NOT NULL, outcome TEXT NOT NULL);
"""


def target_key(parameters: Mapping[str, str]) -> str:
    """Return what names a target's memory on this machine: made of host, port and database, not of who logs in."""
    place = "\0".join(parameters.get(k, "") for k in ("host", "hostaddr", "port", "dbname"))
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def file_of(parameters: Mapping[str, str]) -> Path:
    """Return the file that remembers a target."""
    return folders.private(folders.state_home() / "watch") / f"{target_key(parameters)}.db"


class History:
    """One target's memory; each method is one transaction, so that cron and a screen may share the file."""

    def __init__(self, path: Path, days: float) -> None:
        self.path = path
        self._days = days

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        try:
            with closing(sqlite3.connect(self.path, timeout=10.0, isolation_level=None)) as file:
                file.executescript(_TABLES)
                file.execute("BEGIN IMMEDIATE")
                yield file
                file.execute("COMMIT")
        except sqlite3.Error as error:
            raise StepFailed(
                "The memory of the watch could not be used.",
                where=str(self.path),
                why=str(error),
                next_step="Make space on the disk; a damaged file may be deleted, which forgets what was raised.",
            ) from error

    def before(self) -> Before | None:
        """Return what the last look left for the next."""
        with self._open() as file:
            row = file.execute("SELECT record FROM before").fetchone()
        return from_json(row[0], Before) if row else None

    def keep(self, at: float, vitals: Iterable[Vital], before: Before | None) -> None:
        """Remember a look's measures, one a minute, and forget what is too old."""
        minute = int(at) // _MINUTE * _MINUTE
        measures = [(v.id, minute, v.measure) for v in vitals if v.measure is not None and not v.blind]
        with self._open() as file:
            file.executemany("INSERT OR REPLACE INTO minute VALUES (?, ?, ?)", measures)
            file.execute("DELETE FROM minute WHERE at < ?", (at - self._days * _DAY,))
            if before is not None:
                file.execute("INSERT OR REPLACE INTO before VALUES (1, ?)", (to_json(before),))

    def graphs(self) -> dict[str, tuple[float, ...]]:
        """Return each vital's last measures, the oldest first."""
        query = (
            "SELECT vital, value FROM (SELECT *, row_number() OVER (PARTITION BY vital ORDER BY at DESC) AS n"
            " FROM minute) WHERE n <= ? ORDER BY vital, n DESC"
        )
        found: dict[str, list[float]] = {}
        with self._open() as file:
            for vital, value in file.execute(query, (_GRAPH,)):
                found.setdefault(vital, []).append(value)
        return {vital: tuple(values) for vital, values in found.items()}

    def alerts(self) -> tuple[Alert, ...]:
        """Return what was raised at the last look."""
        with self._open() as file:
            return tuple(from_json(r, Alert) for (r,) in file.execute("SELECT record FROM alert"))

    def settle(self, alerts: Iterable[Alert], messages: Iterable[tuple[bool, Alert]]) -> None:
        """Remember what is raised now, and what somebody is to be told: (raised or cleared, alert)."""
        with self._open() as file:
            file.execute("DELETE FROM alert")
            file.executemany("INSERT INTO alert VALUES (?, ?, ?)", [(*a.key, to_json(a)) for a in alerts])
            file.executemany(
                "INSERT INTO message (raised, record) VALUES (?, ?)", [(up, to_json(a)) for up, a in messages]
            )

    def untold(self) -> tuple[tuple[int, bool, Alert], ...]:
        """Return the messages that have not been delivered, the oldest first."""
        with self._open() as file:
            found = file.execute("SELECT id, raised, record FROM message ORDER BY id").fetchall()
        return tuple((number, bool(up), from_json(record, Alert)) for number, up, record in found)

    def delivered(self, number: int) -> None:
        """Forget a message."""
        with self._open() as file:
            file.execute("DELETE FROM message WHERE id = ?", (number,))

    def timings(self, most: int) -> dict[str, tuple[tuple[float, float], ...]]:
        """Return each query's last times, the oldest first: when, and milliseconds."""
        found: dict[str, tuple[tuple[float, float], ...]] = {}
        with self._open() as file:
            for name, at, ms in file.execute("SELECT name, at, ms FROM timing ORDER BY at"):
                found[name] = (*found.get(name, ()), (at, ms))[-most:]
        return found

    def timed(self, name: str, at: float, ms: float) -> None:
        """Remember what a query took, in milliseconds."""
        with self._open() as file:
            file.execute("INSERT INTO timing VALUES (?, ?, ?)", (name, at, ms))
            file.execute("DELETE FROM timing WHERE at < ?", (at - self._days * _DAY,))

    def deed(self, at: float, by: str, code: str, done: str, outcome: str) -> None:
        """Remember what was done to the target at the operator's word, and how it went."""
        with self._open() as file:
            file.execute("INSERT INTO deed VALUES (?, ?, ?, ?, ?)", (at, by, code, done, outcome))

    def deeds(self) -> tuple[tuple[float, str, str, str, str], ...]:
        """Return all deeds: when, who, against what, the SQL, the outcome."""
        with self._open() as file:
            return tuple(file.execute("SELECT at, by, code, done, outcome FROM deed ORDER BY at"))
