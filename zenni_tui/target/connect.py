"""Opens connections to the target; both drivers get the same settings from here."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import conninfo

from zenni_tui.errors import NotReady
from zenni_tui.model.events import TargetFacts
from zenni_tui.model.trouble import Trouble

from . import libpq
from .causes import explain
from .silence import Heard
from .trouble import kind_of

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row
    from sqlalchemy import Engine

_PINNED = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_min_messages": "warning",
    "synchronous_commit": "on",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


_PIN = """
WITH pinned AS MATERIALIZED (
    SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s (name, value)
    WHERE current_setting(name, true) IS NOT NULL
)
SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid() AND (SELECT count(*) FROM pinned) > 0
"""
_AT_WORK = """
SELECT bool_or(state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead') FROM pg_stat_activity WHERE
"""
ENDED = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"

_GOODBYE = 0.5
"""Seconds that a server has to close its end."""


class Session(NamedTuple):
    """One server process; its start tells it from a later one of the same number."""

    pid: int
    started: Any


class Connected(Heard):
    """A connection whose end is the server's, too: where just as many may be as we need, the next needs its place."""

    target: "Target | None" = None
    session: Session | None = None

    def at_work(self) -> bool:
        """Return whether the server, asked by another connection, works for this one."""
        return bool(self.target and self.session and self.target.works_for(self.session))

    def given_up(self) -> None:
        """Let the next connection end this session: it may hold locks that are wanted again."""
        if self.target and self.session:
            self.target.zombies.append(self.session)

    def close(self) -> None:
        """Close the session and wait a moment until the server has let go of it."""
        if self.closed:
            return
        with socket.socket(fileno=os.dup(self.fileno())) as wire:
            super().close()
            wire.settimeout(_GOODBYE)
            with contextlib.suppress(OSError):
                while wire.recv(4096):
                    pass


class Target:
    """One PostgreSQL database: libpq parameters, and the password kept apart from all that is shown or stored."""

    def __init__(
        self, parameters: Mapping[str, str], password: str | None, *, name: str, embedded: bool = False
    ) -> None:
        given = {k: v for k, v in parameters.items() if k != "password"}
        found = libpq.resolve(given | libpq.PLAIN if embedded else given)
        self._password = password or found.get("password")
        self.parameters = {k: v for k, v in found.items() if k != "password"}
        self.embedded = embedded
        self.name = name
        self.in_use: libpq.Door | None = None
        self.zombies: list[Session] = []
        """Sessions whose lines were given up, and which the server may not know to be lost."""

    def settings(self) -> dict[str, str]:
        """Return everything libpq needs, password included: never to be shown or stored.

        Of several hosts the one that answered last comes first: a run's data are on that one.
        """
        secret = {"password": self._password} if self._password else {}
        named = libpq.starting_at(self.parameters, self.in_use)
        return libpq.ALIVE | named | secret | {"application_name": self.name}

    def connect(self, *, pinned: bool = True) -> Connected:
        """Open a connection in autocommit with pinned session settings; raises NotReady with the way out.

        Without them, for a first look: behind a pooler in transaction mode they would leak to others.
        """
        try:
            connection = Connected.connect(conninfo.make_conninfo("", **self.settings()), autocommit=True)
        except psycopg.OperationalError as error:
            raise explain(error, self.label()) from error
        connection.prepare_threshold = None
        self.in_use = self._door(connection.info)
        if pinned:
            try:
                self._settle(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _settle(self, connection: Connected) -> None:
        connection.target, connection.session = self, pin(connection)
        while self.zombies:
            end(connection, self.name, self.zombies[-1])
            self.zombies.pop()

    def works_for(self, session: Session) -> bool:
        """Return whether the server says that it works for a session, or answers that it has no room to tell."""
        return self._works(f"{_AT_WORK} (pid, backend_start) = (%s, %s)", session)

    def works_for_any(self, name: str) -> bool:
        """Return whether it works for any session of an application name, as `works_for` does."""
        return self._works(f"{_AT_WORK} application_name = %s", (name,))

    def _works(self, query: str, values: Sequence[object]) -> bool:
        try:
            with self.connect(pinned=False) as other:
                row = other.execute(query, values).fetchone()
        except NotReady as error:
            return kind_of(error) is Trouble.CROWDED
        except psycopg.Error:
            return False
        return bool(row and row[0])

    def _door(self, info: psycopg.ConnectionInfo) -> libpq.Door | None:
        host, port = info.host, info.port
        return next((d for d in libpq.doors(self.parameters) if d.port == port and host in (d.host, d.address)), None)

    async def connect_async(self) -> "Short[Row]":
        """Open an asyncpg connection for short queries, each to be bounded by `asyncio.wait_for`."""
        import asyncpg  # noqa: PLC0415 - a worker needs neither it nor SQLAlchemy, and starts in half the time

        # Another name than that of the sessions that carry data: those are ended by name when they become zombies.
        named = self.settings() | {"application_name": f"{self.name}, questions"}
        patience = libpq.patience(named) * len(libpq.doors(named))
        return await asyncio.wait_for(
            asyncpg.connect(**libpq.for_asyncpg(named), statement_cache_size=0), timeout=patience
        )

    def engine(self) -> "Engine":
        """Return an SQLAlchemy engine over our own connections, for the catalogue and DDL."""
        import sqlalchemy  # noqa: PLC0415 - as above

        return sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=self.connect,
            poolclass=sqlalchemy.NullPool,
            isolation_level="AUTOCOMMIT",
        )

    def label(self) -> str:
        """Return `user@host:port/database` for people."""
        return libpq.label(self.parameters)

    def facts(self, schema: str, version: str = "") -> TargetFacts:
        """Return what may be known of the target; of several hosts the one in use, else the first."""
        door = self.in_use or libpq.doors(self.parameters)[0]
        p = self.parameters
        return TargetFacts(
            door.host or door.address, door.port, p.get("dbname", ""), schema, p.get("user", ""), version, self.embedded
        )


def pin(connection: psycopg.Connection[tuple[Any, ...]]) -> Session:
    """Set the session's settings and return which it is, in one round trip; poolers refuse startup options.

    A setting that this server's version doesn't know is passed over. A pooler's own number for it would be of no use.
    """
    row = connection.execute(_PIN, (list(_PINNED), list(_PINNED.values()))).fetchone()
    assert row is not None  # noqa: S101 - a session sees itself
    return Session(*row)


def end(connection: psycopg.Connection[Any], name: str, session: Session) -> None:
    """End one session of that application name, if it is still there: it may hold locks for 45 s."""
    connection.execute(f"{ENDED} AND pid = %s AND backend_start = %s", (name, *session))
