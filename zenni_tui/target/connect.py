"""Opens connections to the target; both drivers get the same settings from here."""

import asyncio
import os
import re
from collections.abc import Mapping
from typing import Any

import asyncpg
import psycopg
import sqlalchemy
from psycopg import conninfo

from zenni_tui.errors import NotReady
from zenni_tui.model.events import TargetFacts

ALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""A dead line is noticed within about ten seconds; keepalives alone don't notice one during COPY."""

_PINNED = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_min_messages": "warning",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


class Target:
    """One PostgreSQL database: libpq parameters, and the password kept apart from all that is shown or stored."""

    def __init__(
        self, parameters: Mapping[str, str], password: str | None, *, name: str, embedded: bool = False
    ) -> None:
        self.parameters = {k: v for k, v in parameters.items() if k != "password"}
        self.embedded = embedded
        self.name = name
        self._password = password

    def settings(self) -> dict[str, str]:
        """Return everything libpq needs, password included: never to be shown or stored."""
        secret = {"password": self._password} if self._password else {}
        return ALIVE | self.parameters | secret | {"application_name": self.name}

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection in autocommit with pinned session settings; raises NotReady with the way out."""
        try:
            connection = psycopg.connect(conninfo.make_conninfo("", **self.settings()), autocommit=True)
        except psycopg.OperationalError as error:
            raise explain(error, self.label()) from error
        connection.prepare_threshold = None
        pin(connection)
        return connection

    async def connect_async(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Open an asyncpg connection for short queries, each to be bounded by `asyncio.wait_for`."""
        s = self.settings()
        if self._indirect():
            s |= await asyncio.to_thread(self._found)
        return await asyncio.wait_for(
            asyncpg.connect(
                host=s.get("host") or None,
                port=int(s["port"]) if s.get("port") else None,
                user=s.get("user"),
                password=s.get("password"),
                database=s.get("dbname"),
                ssl=s.get("sslmode"),
                statement_cache_size=0,
                server_settings=None,
            ),
            timeout=10,
        )

    def _indirect(self) -> bool:
        """Return whether only libpq can tell where the database is: a service file, several hosts, its defaults."""
        p = self.parameters
        listed = "," in p.get("host", "") + p.get("port", "")
        return listed or "service" in p or "passfile" in p or not all(p.get(k) for k in ("host", "user", "dbname"))

    def _found(self) -> dict[str, str]:
        with self.connect() as connection:
            info = connection.info
            secret = {"password": info.password} if info.password else {}
            return {**info.get_parameters(), "host": info.host, "port": str(info.port), **secret}

    def engine(self) -> sqlalchemy.Engine:
        """Return an SQLAlchemy engine over our own connections, for the catalogue and DDL."""
        return sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=self.connect,
            poolclass=sqlalchemy.NullPool,
            isolation_level="AUTOCOMMIT",
        )

    def label(self) -> str:
        """Return `user@host:port/database` for people."""
        p = self.parameters
        host = p.get("host") or os.environ.get("PGHOST") or "local socket"
        return f"{p.get('user', '')}@{host}:{p.get('port', '5432')}/{p.get('dbname', '')}"

    def facts(self, schema: str, version: str = "") -> TargetFacts:
        """Return what may be known of the target."""
        p = self.parameters
        return TargetFacts(
            p.get("host", ""),
            int((p.get("port") or "5432").split(",")[0]),
            p.get("dbname", ""),
            schema,
            p.get("user", ""),
            version,
            self.embedded,
        )


def pin(connection: psycopg.Connection[Any]) -> None:
    """Set the session's settings, one round trip; startup options are no way, poolers refuse them."""
    connection.execute(
        "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s(name, value)",
        (list(_PINNED), list(_PINNED.values())),
    )


_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        "root certificate file",
        "The authority's certificate to check the server with is not there.",
        "Give its file as sslrootcert, or use sslmode=require if the line is trusted.",
    ),
    (
        "password authentication failed",
        "The server refused the password.",
        "Check ZENNI_TARGET_URL, PGPASSWORD or PGPASSFILE.",
    ),
    (
        "no password supplied",
        "The server wants a password and none was given.",
        "Set PGPASSWORD or PGPASSFILE, or put it into the 0600 config file.",
    ),
    (
        "Tenant or user not found",
        "The pooler does not know this user.",
        "On Supabase's pooler the user is postgres.<project ref>.",
    ),
    (
        "does not exist",
        "The server has no such database or role.",
        "Create it, or correct the name in the target's URL.",
    ),
    (
        "Connection refused",
        "Nothing listens at that address and port.",
        "Check host and port, and that the server runs.",
    ),
    ("could not translate host name", "The host name can't be resolved.", "Check the name, the VPN and the DNS."),
    ("failed to resolve host", "The host name can't be resolved.", "Check the name, the VPN and the DNS."),
    ("timeout expired", "The server did not answer in time.", "Check the VPN and the firewall between here and there."),
    ("no encryption", "The server accepts encrypted connections only.", "Use sslmode=require or stricter."),
    (
        "server does not support SSL",
        "The server offers no TLS.",
        "Use sslmode=prefer if the line is trusted, or switch TLS on.",
    ),
    (
        "certificate verify failed",
        "The server's certificate can't be verified.",
        "Give the authority's file as sslrootcert.",
    ),
    ("too many", "The server has no connection left.", "Close others or raise the limit, then try again."),
    (
        "remaining connection slots",
        "The server has no connection left.",
        "Close others or raise the limit, then try again.",
    ),
)


def explain(error: Exception, where: str) -> NotReady:
    """Turn a connection error into the operator's terms; libpq gives no SQLSTATE here, so its text decides."""
    text = re.sub(r"\s+", " ", str(error)).strip()
    for sign, what, advice in _CAUSES:
        if sign in text:
            return NotReady(what, where=where, why=text, next_step=advice)
    return NotReady(
        "The target can't be reached.", where=where, why=text, next_step="Try it with psql from this machine."
    )
