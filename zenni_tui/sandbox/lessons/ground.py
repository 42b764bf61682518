"""The ground of one try at an exercise: a database and a role of its own on the lessons' server."""

import contextlib
import random
import secrets
import threading
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from zenni_tui.errors import Occupied
from zenni_tui.files import write_private
from zenni_tui.sandbox import server as sandbox

SERVER = "lessons"
_TRIES = 3
Query = LiteralString | sql.Composed


class Ground:
    """What an exercise is prepared on and looked at through; `dice` make each try another one."""

    def __init__(self, server: sandbox.Server, folder: Path) -> None:
        token = secrets.token_hex(4)
        self.server = server
        self.database = f"lesson_{token}"
        self.role = f"learner_{token}"
        self.dice = random.Random(token)  # noqa: S311 - exercises, no secrets
        self.dump = folder / f"{self.database}.dump"
        self.passfile = folder / f"{self.database}.pgpass"
        self._password = secrets.token_urlsafe(18)
        self._sessions: list[psycopg.Connection[Any]] = []
        self._threads: list[threading.Thread] = []
        self._make()
        self.own = self.session("checker")

    @property
    def place(self) -> dict[str, str]:
        """Return libpq's connection parameters of the learner, without the password."""
        facts = self.server.conninfo(self.database)
        return {"host": facts["host"], "port": facts["port"], "user": self.role, "dbname": self.database}

    def session(self, name: str, *, autocommit: bool = True) -> psycopg.Connection[TupleRow]:
        """Open one more session of the learner's role, which ends with the ground; raises psycopg.Error."""
        where = make_conninfo(**self.place, password=self._password, application_name=name)
        connection = psycopg.connect(where, autocommit=autocommit)
        self._sessions.append(connection)
        return connection

    def later(self, session: psycopg.Connection[Any], statement: LiteralString) -> None:
        """Run a statement that will wait, in a thread; that it is broken off at last is no error."""

        def work() -> None:
            with contextlib.suppress(psycopg.Error):
                session.execute(statement)

        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def run(self, *statements: LiteralString, **names: object) -> None:
        """Run statements as the learner's role; words in braces are names (`str`) or literals (anything else)."""
        marks = {k: sql.Identifier(v) if isinstance(v, str) else sql.Literal(v) for k, v in names.items()}
        for statement in statements:
            self.own.execute(sql.SQL(statement).format(**marks))

    def rows(self, query: Query, *values: object) -> list[TupleRow]:
        """Return the rows of a query; raises psycopg.Error."""
        return self.own.execute(query, values or None).fetchall()

    def one(self, query: Query, *values: object) -> Any:
        """Return the first value of a query's first row, None without one; raises psycopg.Error."""
        found = self.rows(query, *values)
        return found[0][0] if found else None

    @contextlib.contextmanager
    def trial(self) -> Any:
        """Try something out in a transaction that is taken back whatever happens."""
        with self.own.transaction(force_rollback=True):
            yield

    def close(self) -> None:
        """End all sessions, and remove the database, the roles and the files."""
        # A server that is gone has taken its databases along.
        with contextlib.suppress(psycopg.OperationalError):
            self._drop()
        for thread in self._threads:
            thread.join(5.0)
        for session in self._sessions:
            session.close()
        for path in (self.dump, self.passfile):
            path.unlink(missing_ok=True)

    def _drop(self) -> None:
        with psycopg.connect(make_conninfo(**self.server.conninfo()), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.database)))
            for role in self._roles(admin):
                admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _roles(self, admin: psycopg.Connection[TupleRow]) -> list[str]:
        """Return the roles of this ground, those first that the learner's role has made."""
        token = self.database.removeprefix("lesson_")
        found = admin.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", (f"%\\_{token}",)).fetchall()
        return sorted((str(name) for (name,) in found), key=lambda name: name == self.role)

    def _make(self) -> None:
        role, database = sql.Identifier(self.role), sql.Identifier(self.database)
        with psycopg.connect(make_conninfo(**self.server.conninfo()), autocommit=True) as admin:
            # As on Supabase: no superuser, but may make roles and end sessions of its own.
            admin.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(role, sql.Literal(self._password))
            )
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        line = ":".join([self.place["host"], self.place["port"], self.database, self.role, self._password])
        write_private(self.passfile, f"{line}\n".encode())


def lessons_server() -> sandbox.Server:
    """Return the lessons' server, running and held; its data are gone when nobody holds it any more."""
    for _ in range(_TRIES):
        found = sandbox.attach(SERVER)
        if found is not None:
            return found
        with contextlib.suppress(Occupied):
            return sandbox.start(SERVER)
    return sandbox.start(SERVER)
