"""Sessions on the target: opened again when lost, their zombies ended, interrupted when they should let go."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from .connect import ENDED, Connected, Session, Target, end
from .silence import cut_off

Connection = psycopg.Connection[tuple[Any, ...]]

_LOOK = 0.2
_DROP_AFTER = 3.0
_TIDY = (
    # Both free the locks of a lost client: between two statements, and during a long one where the platform can tell.
    "SET idle_in_transaction_session_timeout = '60s';"
    "DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '10s', false);"
    " EXCEPTION WHEN OTHERS THEN NULL; END $$"
)


def name_of(run_id: str) -> str:
    """Return the application name that all sessions of a run bear."""
    return f"zenni-tui {run_id}"


def end_all(connection: Connection, name: str) -> None:
    """End every session of that application name but this one, and wait for their end up to five seconds each."""
    connection.execute(f"{ENDED} AND pid <> pg_backend_pid()", (name,))


class Line:
    """One session on the target, opened when it is needed and again when it was lost.

    `prepare` is done to each new connection.
    """

    def __init__(self, target: Target, prepare: Callable[[Connection], object] | None = None) -> None:
        self.target = target
        self._prepare = prepare
        self._connection: Connected | None = None
        self.session: Session | None = None

    @property
    def connection(self) -> Connection:
        """Return the connection; raises NotReady or psycopg.Error when there is no way to the target."""
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connected:
        connection = self.target.connect()
        try:
            connection.execute(_TIDY)
            if self.session is not None:
                end(connection, self.target.name, self.session)
            if self._prepare is not None:
                self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self.session = connection.session
        return connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()


class Watch:
    """Interrupts whoever should let go, as `held` tells: his query is cancelled, and a little later his line cut."""

    def __init__(self, held: Callable[[], bool]) -> None:
        self._held = held

    @contextlib.contextmanager
    def over(self, line: Line) -> Iterator[Connection]:
        """Yield the line's connection, and look after it meanwhile; a cut shows as psycopg.OperationalError."""
        connection = line.connection
        done = threading.Event()
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:
            thread = threading.Thread(target=self._look, args=(connection, wire, done), daemon=True)
            thread.start()
            try:
                yield connection
            finally:
                done.set()
                thread.join()

    def _look(self, connection: Connection, wire: socket.socket, done: threading.Event) -> None:
        held_at = 0.0
        while not done.wait(_LOOK):
            if self._held():
                now = time.monotonic()
                held_at = held_at or now
                _let_go(connection, wire, now - held_at)


def _let_go(connection: Connection, wire: socket.socket, since: float) -> None:
    if since > _DROP_AFTER:
        cut_off(wire.fileno())
    elif since == 0.0:
        with contextlib.suppress(psycopg.Error):
            connection.cancel_safe(timeout=_DROP_AFTER)
