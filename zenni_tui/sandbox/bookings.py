"""The sample application's bookings on SQLite or PostgreSQL, written and read as Prisma does."""

import secrets
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import UsageError

from .helsinki import DAY, instant_of, iso, to_instant, to_wall

MINUTE = 60_000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
DEFAULT_MINUTES = 60
SQLITE_WAIT_SECONDS = 5.0
COMING = ("pending", "confirmed")
PRISMA_ONLY = frozenset(
    {"schema", "connection_limit", "pool_timeout", "socket_timeout", "pgbouncer", "statement_cache_size", "sslaccept"}
)
"""Parameters of Prisma's URLs that libpq refuses (https://www.prisma.io/docs/orm/overview/databases/postgresql)."""
COLUMNS = (
    "id", "serviceId", "customerName", "customerEmail", "customerPhone", "date", "startTime", "endTime", "status",
    "notes", "language", "cancellationId", "createdAt", "updatedAt",
)  # fmt: skip

Reading = Sequence[object]


class DatabaseSilent(Exception):
    """The database does not answer, or refuses."""


@dataclass(frozen=True, slots=True)
class NewBooking:
    """What a customer asks for; `start` in milliseconds since 1970 UTC."""

    service: str
    name: str
    email: str
    phone: str | None
    start: int
    notes: str | None
    language: str


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as it is shown; `start` as in NewBooking, None when the stored value is no time."""

    id: str
    service: str
    name: str
    start: int | None
    status: str
    notes: str | None

    def as_json(self) -> dict[str, object]:
        """Return the booking for a JSON answer, its start as ISO text in UTC."""
        start = None if self.start is None else iso(self.start)
        return {"id": self.id, "service": self.service, "customerName": self.name, "startTime": start,
                "status": self.status, "notes": self.notes}  # fmt: skip


class Store(ABC):
    """Where the bookings are; every method raises DatabaseSilent.

    Both databases quote names alike; their marks for parameters and their reading of a time differ.
    """

    kind: str
    _start: LiteralString
    _mark: LiteralString

    @abstractmethod
    def _read(self, query: LiteralString, values: Reading = ()) -> list[tuple[object, ...]]: ...

    @abstractmethod
    def _write(self, query: LiteralString, values: Reading) -> None: ...

    @abstractmethod
    def _time(self, instant: int) -> object: ...

    def count(self) -> int:
        """Return the number of bookings."""
        return int(str(self._read('SELECT count(*) FROM "Booking"')[0][0]))

    def services(self) -> list[tuple[str, str]]:
        """Return keys and names of the services that can be booked."""
        rows = self._read('SELECT "id", "name" FROM "Service" WHERE "active" ORDER BY "name"')
        return [(str(key), str(name)) for key, name in rows]

    def upcoming(self, limit: int) -> list[Booking]:
        """Return the next bookings, the soonest first."""
        now = time.time_ns() // 1_000_000
        # The index on "date" narrows it down; on SQLite texts sort after all numbers and so stay in.
        mark, start = self._mark, self._start
        condition: LiteralString = (
            f'WHERE b."date" >= {mark} AND {start} >= {mark} AND b."status" IN ({mark}, {mark})'
            f" ORDER BY {start} LIMIT {mark}"
        )
        return self._bookings(condition, (self._time(now - DAY), now, *COMING, limit))

    def newest(self, limit: int) -> list[Booking]:
        """Return the bookings taken last, the last first: keys of cuid grow with time."""
        return self._bookings(f'ORDER BY b."id" DESC LIMIT {self._mark}', (limit,))

    def _bookings(self, condition: LiteralString, values: Reading) -> list[Booking]:
        columns: LiteralString = f'b."id", s."name", b."customerName", {self._start}, b."status", b."notes"'
        joined: LiteralString = 'FROM "Booking" b LEFT JOIN "Service" s ON s."id" = b."serviceId"'
        rows = self._read(f"SELECT {columns} {joined} {condition}", values)
        return [_shown(row) for row in rows]

    def add(self, booking: NewBooking) -> str:
        """Take a booking and return its key; raises UsageError when there is no such service."""
        minutes = self._minutes(booking.service)
        now = time.time_ns() // 1_000_000
        key = new_key(now)
        midnight = to_instant(to_wall(booking.start) // DAY * DAY)
        times = [self._time(t) for t in (midnight, booking.start, booking.start + minutes * MINUTE)]
        written = self._time(now)
        row = [key, booking.service, booking.name, booking.email, booking.phone, *times, "pending"]
        row += [booking.notes, booking.language, f"canc-{secrets.token_urlsafe(9)}", written, written]
        names: LiteralString = '"' + '", "'.join(COLUMNS) + '"'
        marks: LiteralString = ", ".join([self._mark] * len(COLUMNS))
        self._write(f'INSERT INTO "Booking" ({names}) VALUES ({marks})', row)  # noqa: S608 - constants only
        return key

    def _minutes(self, service: str) -> int:
        durations = {row[0]: row[1] for row in self._read('SELECT "id", "duration" FROM "Service"')}
        if service not in durations:
            raise UsageError("There is no such service", where=service)
        found = durations[service]
        return found if isinstance(found, int) else DEFAULT_MINUTES


class SqliteStore(Store):
    """Bookings in an SQLite file, whose journal mode is left as it is."""

    kind = "sqlite"
    _mark = "?"
    _start = (
        """CASE typeof(b."startTime") WHEN 'text' THEN CAST(round((julianday(b."startTime") - 2440587.5) * 86400000)"""
        """ AS INTEGER) ELSE b."startTime" END"""
    )

    def __init__(self, path: Path) -> None:
        self._path = path

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a missing file is a fault to report, not a file to make.
        uri = f"{self._path.resolve().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=SQLITE_WAIT_SECONDS, isolation_level=None)
        connection.text_factory = lambda data: data.decode(errors="replace")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _read(self, query: LiteralString, values: Reading = ()) -> list[tuple[object, ...]]:
        try:
            with closing(self._connect()) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise DatabaseSilent(str(error)) from error

    def _write(self, query: LiteralString, values: Reading) -> None:
        self._read(query, values)

    def _time(self, instant: int) -> object:
        return instant


class PostgresStore(Store):
    """Bookings in PostgreSQL, over a short connection for each question."""

    kind = "postgresql"
    _mark = "%s"
    _start = """(extract(epoch FROM b."startTime") * 1000)::bigint"""

    def __init__(self, conninfo: str, schema: str) -> None:
        self._conninfo = make_conninfo(conninfo, connect_timeout=3)
        self._schema = schema

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(self._conninfo, autocommit=True, prepare_threshold=None)
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self._schema)))
        return connection

    def _read(self, query: LiteralString, values: Reading = ()) -> list[tuple[object, ...]]:
        try:
            with self._connect() as connection:
                return connection.execute(query, values).fetchall()
        except psycopg.Error as error:
            raise DatabaseSilent(_reason(error)) from error

    def _write(self, query: LiteralString, values: Reading) -> None:
        try:
            with self._connect() as connection:
                connection.execute(query, values)
        except psycopg.Error as error:
            raise DatabaseSilent(_reason(error)) from error

    def _time(self, instant: int) -> object:
        return datetime.fromtimestamp(instant / 1000, UTC).replace(tzinfo=None)


def open_store(url: str, folder: Path) -> Store:
    """Return the store that a DATABASE_URL names; `file:` paths are relative to the folder.

    Raises UsageError for any other URL, without repeating it: it may hold a password.
    """
    if url.startswith("file:"):
        return SqliteStore(folder / unquote(url.removeprefix("file:").split("?", 1)[0]))
    if url.startswith(("postgresql://", "postgres://")):
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        kept = urlencode({k: v for k, v in given.items() if k not in PRISMA_ONLY})
        return PostgresStore(urlunsplit(parts._replace(query=kept)), given.get("schema", "public"))
    raise UsageError("DATABASE_URL is neither file: nor postgresql://", where=str(folder / ".env"))


def new_key(instant: int) -> str:
    """Return a key in the form of cuid, later than every key of an earlier instant."""
    tail = "".join(secrets.choice(DIGITS) for _ in range(16))
    return f"c{_base36(instant)}{tail}"


def parse_time(text: str) -> int:
    """Return the instant of an ISO time; one without a zone is Helsinki's; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return instant_of(moment) if moment.tzinfo else to_instant(instant_of(moment))


def _shown(row: tuple[object, ...]) -> Booking:
    key, service, name, start, status, notes = row
    known = start if isinstance(start, int) else None
    return Booking(str(key), str(service or "?"), str(name), known, str(status), None if notes is None else str(notes))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits


def _reason(error: psycopg.Error) -> str:
    """Return the server's own words without the rows they may be about."""
    return error.diag.message_primary or (str(error).splitlines() or [type(error).__name__])[0]
