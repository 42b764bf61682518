"""Sessions on the target: opened again when lost, their zombies ended, cut off when nothing moves on them."""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import psycopg

from zenni_tui.errors import NotReady

from .connect import Target

Connection = psycopg.Connection[tuple[Any, ...]]

SILENCE = 15.0
"""Seconds without a byte in either direction, and without work of our own, after which a line is suspected dead."""
ANSWER = 15.0
"""Seconds that the server has to say, by another connection, that it works for us."""
_LOOK = 0.2
_DROP_AFTER = 3.0
_TIDY = (
    # Both free the locks of a lost client: between two statements, and during a long one where the platform can tell.
    "SET idle_in_transaction_session_timeout = '60s';"
    "DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '10s', false);"
    " EXCEPTION WHEN OTHERS THEN NULL; END $$"
)
_ENDED = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"


class Session(NamedTuple):
    """One server process; its start tells it from a later one of the same number."""

    pid: int
    started: Any


def name_of(run_id: str) -> str:
    """Return the application name that all sessions of a run bear."""
    return f"zenni-tui {run_id}"


def identity(connection: Connection) -> Session:
    """Return the server process behind a connection; a pooler's own number for it would be of no use."""
    row = connection.execute("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()").fetchone()
    assert row is not None  # noqa: S101 - a session sees itself
    return Session(*row)


def end_all(connection: Connection, name: str) -> None:
    """End every session of that application name but this one, and wait for their end up to five seconds each."""
    connection.execute(f"{_ENDED} AND pid <> pg_backend_pid()", (name,))


def end(connection: Connection, name: str, session: Session) -> None:
    """End one session of that application name, if it is still there: it may hold locks for 45 s."""
    connection.execute(f"{_ENDED} AND pid = %s AND backend_start = %s", (name, *session))


class Line:
    """One session on the target, opened when it is needed and again when it was lost.

    `prepare` is done to each new connection.
    """

    def __init__(self, target: Target, prepare: Callable[[Connection], object] | None = None) -> None:
        self.target = target
        self._prepare = prepare
        self._connection: Connection | None = None
        self.session: Session | None = None

    @property
    def connection(self) -> Connection:
        """Return the connection; raises NotReady or psycopg.Error when there is no way to the target."""
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connection:
        connection = self.target.connect()
        try:
            connection.execute(_TIDY)
            me = identity(connection)
            if self.session is not None:
                end(connection, self.target.name, self.session)
            if self._prepare is not None:
                self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self.session = me
        return connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()


class Watch:
    """Cuts a line off when it is dead, so that whoever waits on it learns of it.

    Keepalives don't tell: a proxy on the way answers them. A line is dead when for some time no byte moved, this
    process did no work, and the server, asked by another connection, does not say that it works for us.
    `held` tells that whoever works should let go: his query is cancelled, and a little later his line cut.
    """

    def __init__(
        self, held: Callable[[], bool] = lambda: False, silence: float = SILENCE, answer: float = ANSWER
    ) -> None:
        self._held = held
        self._silence, self._answer = silence, answer
        self._touched = time.monotonic()

    def touch(self) -> None:
        """Say that this process does not work on purpose, as for a limit of speed: that is no silence."""
        self._touched = time.monotonic()

    @contextlib.contextmanager
    def over(self, line: Line) -> Iterator[Connection]:
        """Yield the line's connection, and look after it meanwhile; a cut shows as psycopg.OperationalError."""
        connection = line.connection
        done = threading.Event()
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:
            thread = threading.Thread(target=self._look, args=(line, connection, wire, done), daemon=True)
            thread.start()
            try:
                yield connection
            finally:
                done.set()
                thread.join()

    def _look(self, line: Line, connection: Connection, wire: socket.socket, done: threading.Event) -> None:
        moved, at, busy, held_at = _moved(wire), time.monotonic(), time.process_time(), 0.0
        while not done.wait(_LOOK):
            now = time.monotonic()
            if self._held():
                held_at = held_at or now
                _let_go(connection, wire, now - held_at)
            if (seen := _moved(wire)) != moved or time.process_time() - busy > self._silence / 10:
                moved, at, busy = seen, now, time.process_time()
            if now - max(at, self._touched) > self._silence:
                if not _works(line, done, self._answer):
                    _cut(wire)
                    return
                at = time.monotonic()


def _let_go(connection: Connection, wire: socket.socket, since: float) -> None:
    if since > _DROP_AFTER:
        _cut(wire)
    elif since == 0.0:
        with contextlib.suppress(psycopg.Error):
            connection.cancel_safe(timeout=_DROP_AFTER)


def _cut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


def _moved(wire: socket.socket) -> tuple[int, int]:
    """Return the bytes acknowledged and received (struct tcp_info of linux/tcp.h); a local socket tells none."""
    if wire.family == socket.AF_UNIX or not hasattr(socket, "TCP_INFO"):
        return (0, 0)
    with contextlib.suppress(OSError, struct.error):
        known = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
        acknowledged, received = struct.unpack_from("QQ", known, 120)
        return (acknowledged, received)
    return (0, 0)


def _works(line: Line, done: threading.Event, seconds: float) -> bool:
    """Ask the server by another connection whether it works for a line; no answer in time means no."""
    found: list[bool] = []
    asked = threading.Event()

    def ask() -> None:
        with contextlib.suppress(NotReady, psycopg.Error), line.target.connect() as other:
            found.append(_is_active(other, line.session))
        asked.set()

    threading.Thread(target=ask, daemon=True).start()
    end = time.monotonic() + seconds
    while not asked.wait(_LOOK) and time.monotonic() < end:
        if done.is_set():
            return True
    return found == [True] or done.is_set()


def _is_active(connection: Connection, session: Session | None) -> bool:
    row = connection.execute(
        "SELECT state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead' FROM pg_stat_activity"
        " WHERE (pid, backend_start) = (%s, %s)",
        session,
    ).fetchone()
    return bool(row and row[0])
