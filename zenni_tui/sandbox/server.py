"""Embedded PostgreSQL: servers of the wheel's programs, for rehearsals, demos, drills and tests.

A server lives as long as some process holds it (see `holds`); its keeper stops it within seconds when the last one
is gone, however that ended. It listens on 127.0.0.1 only, takes passwords only, and trades durability for speed.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import Occupied, StepFailed
from zenni_tui.files import write_private
from zenni_tui.model.record import to_json

from .binaries import program, server_account
from .detach import start_module
from .holds import Hold, open_file
from .postmaster import HOST
from .registry import (
    Order,
    OrderKind,
    ServerRecord,
    ServerState,
    folder_of,
    is_kept,
    new_record,
    read_record,
    registering,
    remove_all,
    sweep,
    sweep_registered,
    write_record,
)

__all__ = ["Server", "attach", "remove", "restart", "start", "stop", "sweep"]

USER = "zenni"
DATABASE = "postgres"
START_SECONDS = 150.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.01


class Server:
    """A running server and our hold on it; `close`, or the end of our process, lets go."""

    host = HOST
    database = DATABASE

    def __init__(self, record: ServerRecord, password: str, hold: Hold) -> None:
        self.name = record.name
        self.directory = Path(record.directory)
        self.user = record.user
        self.password = password
        self.port = record.port
        self._hold = hold

    @property
    def record(self) -> ServerRecord:
        """Return what its keeper says of it now; raises StepFailed when it is gone."""
        record = read_record(self.directory)
        if record is None:
            raise StepFailed(f"The embedded server {self.name} is gone", where=str(self.directory))
        return record

    def hold(self) -> Hold:
        """Return our hold, taken again when it was closed; raises StepFailed when the server is gone."""
        if not self._hold.is_open:
            hold = Hold.take(self.directory / "holders")
            if hold is None:
                raise StepFailed(f"The embedded server {self.name} is gone", where=str(self.directory))
            self._hold = hold
        return self._hold

    def close(self) -> None:
        """Let go; the server stops within seconds unless somebody else holds it."""
        self._hold.close()

    def conninfo(self, database: str | None = None) -> dict[str, str]:
        """Return libpq's connection parameters, password included."""
        return {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "password": self.password,
            "dbname": database or self.database,
        }

    def url(self, database: str | None = None) -> str:
        """Return a URL with the password in it: for the sample application's .env only."""
        path = quote(database or self.database, safe="")
        return f"postgresql://{self.user}:{quote(self.password, safe='')}@{self.host}:{self.port}/{path}"

    def create_database(self, name: str) -> None:
        """Make an empty database; one that exists is left as it is."""
        with psycopg.connect(make_conninfo(**self.conninfo()), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Drop a database together with the sessions in it; none of that name is no error."""
        with psycopg.connect(make_conninfo(**self.conninfo()), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(name: str, *, keep_data: bool = False) -> Server:
    """Make and start a server of that name, and hold it.

    With `keep_data` its data stay when it stops, for a later `attach`. Raises Occupied when a server of that name
    runs or has kept data, NotReady when the machine cannot run one, StepFailed when it does not come up.
    """
    with registering():
        sweep_registered()
        account = server_account()
        program("postgres", account)
        record = new_record(name, account, user=USER, keep_data=keep_data)
        hold = _launch_new(record)
    return _or_remove(name, lambda: _await_up(record, hold))


def attach(name: str) -> Server | None:
    """Hold a server that runs, or start one again that has kept data; None when there is neither.

    Raises StepFailed when it does not come up.
    """
    folder = folder_of(name)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with registering():
            sweep_registered()
            record = read_record(folder)
            if record is None:
                return None
            hold = None if is_kept(folder) else _launch_again(record)
        hold = hold or Hold.take(folder / "holders", 1.0)
        if hold is None:
            continue
        if is_kept(folder):
            return _await_up(record, hold)
        hold.close()
    raise StepFailed(f"The embedded server {name} neither runs nor stops", where=str(folder))


def stop(server: Server, *, immediate: bool = False) -> None:
    """Stop PostgreSQL and let its keeper and its data be: what a target that fails looks like.

    With `immediate` it crashes (SIGQUIT), and recovers at the next `restart`.
    """
    _carry_out(server, OrderKind.KILL if immediate else OrderKind.STOP)


def restart(server: Server) -> None:
    """Start PostgreSQL again, stopping it first when it runs; `server.port` changes if the old one was lost."""
    _carry_out(server, OrderKind.RESTART)
    server.port = _wait_up(server.directory).port


def remove(name: str) -> None:
    """Stop a server, whoever holds it, and delete everything it has; none of that name is no error."""
    folder = folder_of(name)
    before = read_record(folder)
    if before is not None and is_kept(folder):
        _give(before, OrderKind.REMOVE)
        _wait_until(lambda: not _has_keeper(before), STOP_SECONDS, f"The keeper of {name} does not end")
    with registering():
        sweep_registered()
        record = read_record(folder)
        if record is not None and not is_kept(folder):
            remove_all(record)


def _launch_new(record: ServerRecord) -> Hold:
    folder = Path(record.directory)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise Occupied(
            f"An embedded server {record.name} exists already",
            where=record.directory,
            next_step="attach to it or remove it",
        ) from None
    write_private(folder / "password", secrets.token_urlsafe(24).encode())
    write_record(record)
    return _launch_again(record)


def _launch_again(record: ServerRecord) -> Hold:
    """Start a keeper for a server that has none, with our hold taken before, so that it finds itself wanted."""
    folder = Path(record.directory)
    descriptor = open_file(folder / "holders", create=True)
    hold = Hold.take(folder / "holders")
    if descriptor is None or hold is None:
        raise StepFailed(f"The embedded server {record.name} cannot be held", where=record.directory)
    Hold(descriptor).close()
    try:
        start_module("zenni_tui.sandbox.keeper", record.directory)
    except BaseException:
        hold.close()
        raise
    return hold


def _await_up(record: ServerRecord, hold: Hold) -> Server:
    """Wait until the keeper says that the server takes connections; lets go of it when it does not."""
    folder = Path(record.directory)
    try:
        return Server(_wait_up(folder), (folder / "password").read_text(), hold)
    except BaseException:
        hold.close()
        raise


def _wait_up(folder: Path) -> ServerRecord:
    record = _wait_settled(folder)
    if record.state is ServerState.UP:
        return record
    raise StepFailed(
        "Embedded PostgreSQL did not start",
        where=str(folder / "postgres.log"),
        why=record.problem or f"it is {record.state}",
    )


def _wait_settled(folder: Path) -> ServerRecord:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        record = read_record(folder)
        settled = record is not None and record.keeper is not None and record.state is not ServerState.STARTING
        if record is not None and settled:
            return record
        if not is_kept(folder):
            raise StepFailed("The keeper of embedded PostgreSQL died", where=str(folder))
        time.sleep(POLL_SECONDS)
    raise StepFailed(f"Embedded PostgreSQL did not start within {START_SECONDS:.0f} s", where=str(folder))


def _or_remove(name: str, come_up: Callable[[], Server]) -> Server:
    """Remove a new server that does not come up: its name stays free."""
    try:
        return come_up()
    except BaseException:
        remove(name)
        raise


def _has_keeper(record: ServerRecord) -> bool:
    """Return whether the keeper runs, be it only to delete the folder that it has renamed already."""
    return is_kept(Path(record.directory)) or (record.keeper is not None and record.keeper.lives())


def _give(record: ServerRecord, kind: OrderKind) -> int:
    number = record.order + 1
    write_private(Path(record.directory) / "order.json", to_json(Order(number, kind)))
    return number


def _carry_out(server: Server, kind: OrderKind) -> None:
    number = _give(server.record, kind)
    _wait_until(lambda: server.record.order >= number, STOP_SECONDS, f"The keeper of {server.name} does not answer")


def _wait_until(reached: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise StepFailed(otherwise)
        time.sleep(POLL_SECONDS)
