"""The range on which drills are held: a demo of its own, reached over a line that can be made bad."""

import hashlib
import http.client
import json
import os
import secrets
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import StepFailed
from zenni_tui.files import write_private

from . import webapp
from .demo import Demo, close_demo, open_demo
from .detach import make_private
from .holds import is_locked, open_file, try_lock
from .proxy import Line, Proxy, Way

TABLE = "Booking"
SCHEMA = "drill"
PREFIX = "range-"
_LOCK = ".drill.lock"
_LOCK_TRIES = 10
_BOOKING_SECONDS = 10.0
_SLOWER = 20
_FULL = f"""
CREATE SCHEMA {SCHEMA};
CREATE FUNCTION {SCHEMA}.full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/16401/24713": No space left on device'
        USING ERRCODE = 'disk_full', HINT = 'Check free disk space.';
END $$;
"""
"""What the server itself says when its disk is full (PostgreSQL, src/backend/storage/smgr/md.c), on any disk."""


_OWN = "name NOT LIKE 'zenni!_tui%' ESCAPE '!'"
_DECLARED = f"SELECT name, sql FROM sqlite_schema WHERE {_OWN} ORDER BY name"  # noqa: S608 - the words above
_TABLES = f"SELECT name FROM sqlite_schema WHERE type = 'table' AND {_OWN} ORDER BY name"  # noqa: S608 - as above


class Pace(NamedTuple):
    """How large a drill is: rows of the main table, bytes a second that the line carries, seconds until time is up."""

    bookings: int = 20_000
    rate: float = 300_000
    limit: float = 300.0


class Seen(NamedTuple):
    """What was found on both sides after a drill, and whether it is safe."""

    safe: bool
    words: str


class Range:
    """A demo in a folder of its own, and the line to its server."""

    def __init__(self, home: Path, pace: Pace, trouble: tuple[str, ...] = ()) -> None:
        self.folder = home / f"{PREFIX}{secrets.token_hex(4)}"
        self.pace = pace
        make_private(self.folder)
        self._lock = _taken(self.folder / _LOCK)
        self.demo: Demo = open_demo(self.folder, bookings=pace.bookings, trouble=trouble)
        self._proxy = Proxy(int(self.demo.target["port"]))
        self._proxy.__enter__()
        self._proxy.line = self._ordinary
        self._sha256, self._held = _sha256(self.demo.source), _content(self.demo.source)
        self._booked = ""
        with self._target() as target:
            target.execute(_FULL)

    @property
    def target(self) -> dict[str, str]:
        """Return the connection parameters of the target over the line, without the password."""
        facts = {**self.demo.target, "port": str(self._proxy.port)}
        del facts["password"]
        return facts

    @property
    def _ordinary(self) -> Line:
        return Line(rate=self.pace.rate)

    def cut(self) -> None:
        """Break all connections and take no new one."""
        self._proxy.line = Line(Way.REFUSE, rate=self.pace.rate)
        self._proxy.cut()

    def slow(self) -> None:
        """Let the line carry a small part of what it did."""
        self._proxy.line = Line(rate=self.pace.rate / _SLOWER)

    def mend_line(self) -> None:
        """Let the line be as it was."""
        self._proxy.line = self._ordinary

    def free_line(self) -> None:
        """Let the line carry what it can: only the copy is to take its time."""
        if self._proxy.line.way is Way.PASS:
            self._proxy.line = Line()

    def fill(self) -> None:
        """Let every write of rows find the target's disk full; raises StepFailed when a lock is not to be had."""
        table, function = sql.Identifier("public", TABLE), sql.Identifier(SCHEMA, "full")
        made = sql.SQL("CREATE TRIGGER full_disk BEFORE INSERT ON {} EXECUTE FUNCTION {}()").format(table, function)
        for _ in range(_LOCK_TRIES):
            with self._target() as target, suppress(psycopg.errors.LockNotAvailable):
                target.execute("SET lock_timeout = '5s'")
                target.execute(made)
                return
        raise StepFailed("The drill's fault could not be made", where=TABLE, why="its lock was not to be had")

    def make_room(self) -> None:
        """Take the full disk away; nothing is done where there is none."""
        gone = sql.SQL("DROP TRIGGER IF EXISTS full_disk ON {}").format(sql.Identifier("public", TABLE))
        with self._target() as target, suppress(psycopg.errors.UndefinedTable):
            target.execute(gone)

    def ail(self) -> None:
        """Take a last booking on PostgreSQL, then let the application be unwell there; raises StepFailed."""
        self._booked = _book(self.demo)
        write_private(self.folder / webapp.AILING, b"postgresql")

    def kill(self, pid: int) -> None:
        """End a process without a last word."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def look(self) -> Seen:
        """Return whether the source is as it was, and what the target holds; asks the server past the line."""
        bytes_same = _sha256(self.demo.source) == self._sha256
        same = bytes_same or _content(self.demo.source, self._booked) == self._held
        lost = bool(self._booked) and not _has(self.demo.source, self._booked)
        with self._target() as target:
            tables = [
                str(name)
                for (name,) in target.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            ]
            rows = sum(_count(target, name) for name in tables)
        source = "The source is unchanged, byte for byte" if bytes_same else "The source holds what it held"
        source = source if same else "THE SOURCE HAS CHANGED"
        if self._booked:
            source += f"; the last booking of the new side is {'NOT ' if lost else ''}in it"
        held = f"holds {rows:,} rows in {len(tables)} tables" if tables else "holds nothing of the run"
        return Seen(same and not lost, f"{source}; the target {held}.")

    def close(self) -> None:
        """Stop everything and remove the folder."""
        with suppress(OSError):
            self._proxy.__exit__()
        self.demo.close()
        close_demo(self.folder)
        os.close(self._lock)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _target(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """Yield a session past the line; raises StepFailed when the server does not do what is asked."""
        try:
            with psycopg.connect(make_conninfo("", **self.demo.target), autocommit=True) as target:
                yield target
        except psycopg.Error as error:
            raise StepFailed("The drill's own server does not answer", why=" ".join(str(error).split())) from error


def sweep(home: Path, wanted: Callable[[Path], bool]) -> None:
    """Clear away the ranges in a folder that nobody holds and that are not `wanted` otherwise."""
    for folder in home.glob(f"{PREFIX}*"):
        if not is_locked(folder / _LOCK) and not wanted(folder):
            close_demo(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _taken(path: Path) -> int:
    descriptor = open_file(path, create=True)
    if descriptor is None or not try_lock(descriptor, exclusive=True):
        raise StepFailed("The drill's folder could not be locked", where=str(path))
    return descriptor


def _count(target: psycopg.Connection[tuple[object, ...]], table: str) -> int:
    found = target.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table))).fetchone()
    return int(str(found[0])) if found else 0


def _book(demo: Demo) -> str:
    """Take a booking as a customer does; returns its key."""
    with closing(sqlite3.connect(f"{demo.source.as_uri()}?mode=ro", uri=True)) as file:
        (service,) = file.execute('SELECT "id" FROM "Service" LIMIT 1').fetchone()
    booking = {
        "serviceId": service,
        "customerName": "Aino Aalto",
        "customerEmail": "aino@example.org",
        "startTime": "2031-05-01T10:00",
    }
    place = urlsplit(demo.app_url)
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_BOOKING_SECONDS)
    try:
        link.request("POST", "/bookings", json.dumps(booking), {"Content-Type": "application/json"})
        answer = link.getresponse()
        found = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StepFailed("The sample application took no booking", where=demo.app_url, why=str(error)) from error
    finally:
        link.close()
    if answer.status != http.HTTPStatus.CREATED:
        raise StepFailed("The sample application took no booking", where=demo.app_url, why=str(found))
    return str(found["id"])


def _has(path: Path, key: str) -> bool:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
        return file.execute('SELECT 1 FROM "Booking" WHERE "id" = ?', (key,)).fetchone() is not None


def _content(path: Path, without: str = "") -> str:
    """Return the digest of what an SQLite file declares and holds, but one booking, and what a switch leaves in it."""
    digest = hashlib.sha256()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
        file.text_factory = bytes
        for name, text in file.execute(_DECLARED).fetchall():
            digest.update(repr((name, text)).encode())
        for (table,) in file.execute(_TABLES).fetchall():
            quoted = table.decode().replace('"', '""')
            for row in file.execute(f'SELECT * FROM "{quoted}" ORDER BY 1, 2'):  # noqa: S608 - a quoted name of our own sample
                if row[0] != without.encode():
                    digest.update(repr(row).encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    # In one read: a file of a drill is small, and nobody has it open in this process.
    return hashlib.sha256(path.read_bytes()).hexdigest()
