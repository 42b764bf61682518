"""Clients write through migration, switch and fall-back: every acknowledged write is on the side that serves, once."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import client
import psycopg
import pytest
from support import Program
from switching import Application, migrate, switch

CLIENTS = 3


class Crowd:
    """Several clients, and what they say in the end."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def all(self, what: str) -> list[list[Any]]:
        """Return what must be there of all clients."""
        return sorted(row for one in self.said for row in one[what])


@contextmanager
def crowd(application: Application, pause: float = 0.01) -> Iterator[Crowd]:
    """Let clients write for the time of a block."""
    made, stop = Crowd(), application.folder / "stop"
    arguments = [sys.executable, client.__file__, str(application.folder)]
    clients = [
        subprocess.Popen([*arguments, str(n), str(stop), str(pause)], stdout=subprocess.PIPE, text=True)
        for n in range(1, CLIENTS + 1)
    ]
    try:
        yield made
    finally:
        stop.touch()
        made.said = [json.loads(one.communicate(timeout=60)[0]) for one in clients]
        stop.unlink()


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application of the test's own, in WAL mode."""
    made = Application(tmp_path / "app")
    made.rows("PRAGMA journal_mode = WAL")
    return made


BOOKINGS = 'SELECT id, service, note FROM "Booking" WHERE id > 1000000 ORDER BY id'
SERVICES = "SELECT id, name FROM \"Service\" WHERE id LIKE 's%' ORDER BY id"


def listed(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    """Return rows as clients tell of them."""
    return sorted(list(row) for row in rows)


def test_no_write_is_lost_on_the_way_over(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Over to PostgreSQL under load: every write that was acknowledged on either side is there exactly once."""
    with crowd(application) as there:
        migrate(program, application, target_environment, "--meanwhile", "follow")
        time.sleep(1)
        done = switch(program, target_environment)
        assert done.code == 0, done.narration
        time.sleep(1)
    with psycopg.connect(**database) as target:
        assert listed(target.execute(BOOKINGS).fetchall()) == there.all("bookings")
        assert listed(target.execute(SERVICES).fetchall()) == there.all("services")
    assert all(one["sides"] == ["file", "postgresql"] for one in there.said)


def test_no_write_is_lost_on_the_way_back(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Over and back under load: every write of both sides is in the file exactly once, and its schema as it was."""
    schema = application.schema()
    with crowd(application) as there:
        migrate(program, application, target_environment, "--meanwhile", "follow")
        assert switch(program, target_environment).code == 0
        time.sleep(2)
        back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
        assert back.code == 5, back.narration
        time.sleep(0.5)
    assert listed(application.rows(BOOKINGS)) == there.all("bookings")
    assert listed(application.rows(SERVICES)) == there.all("services")
    assert application.schema() == schema
    assert program.run("rollback", environment=target_environment).code == 5
    with psycopg.connect(**database) as target:
        assert target.execute("SELECT to_regclass('\"Booking\"')").fetchone() == (None,)
    assert listed(application.rows(BOOKINGS)) == there.all("bookings")
