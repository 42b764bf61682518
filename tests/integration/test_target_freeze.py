"""Frozen tables in PostgreSQL refuse every role and session; freezing waits its turn without blocking others."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from zenni_tui.errors import StepFailed
from zenni_tui.target import freeze
from zenni_tui.target.connect import Target

Connection = psycopg.Connection[tuple[Any, ...]]
TABLES = ("Service", 'odd "one" %s')


@pytest.fixture
def open_session(database: dict[str, str]) -> Iterator[Callable[[], Connection]]:
    """Yield a way to open sessions in a database with two tables."""
    opened: list[Connection] = []

    def connect() -> Connection:
        opened.append(Target(database, database.get("password"), name="tests").connect())
        return opened[-1]

    connect().execute('CREATE TABLE "Service" (id int); CREATE TABLE "odd ""one"" %s" (id int)')
    yield connect
    for connection in opened:
        connection.close()


@pytest.mark.parametrize(
    "write", ["INSERT INTO {} VALUES (1)", "UPDATE {} SET id = 2", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_every_write_is_refused(open_session: Callable[[], Connection], write: str) -> None:
    """A session that was open before, even a superuser's, is refused with the reason; thawed, it writes again."""
    ours, app = open_session(), open_session()
    app.execute('SELECT * FROM "Service"')
    assert freeze.unfrozen(ours, "public", TABLES) == TABLES
    freeze.freeze(ours, "public", TABLES)
    assert freeze.unfrozen(ours, "public", TABLES) == ()
    for name in ('"Service"', '"odd ""one"" %s"'):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match=r"zenni-tui: .* is read-only while"):
            app.execute(write.format(name).encode())
    freeze.freeze(ours, "public", TABLES)
    freeze.thaw(ours)
    freeze.thaw(ours)
    assert freeze.unfrozen(ours, "public", TABLES) == TABLES
    app.execute(write.format('"Service"').encode())


def test_a_write_under_way_is_waited_for(open_session: Callable[[], Connection]) -> None:
    """A transaction that has written is let end; one that begins meanwhile is not held up behind our lock for long."""
    ours, slow, other = open_session(), open_session(), open_session()
    with slow.transaction():
        slow.execute('INSERT INTO "Service" VALUES (1)')
        freezing = threading.Thread(target=freeze.freeze, args=(ours, "public", TABLES))
        freezing.start()
        other.execute("SET statement_timeout = '20s'")
        other.execute('INSERT INTO "Service" VALUES (2)')
        assert freezing.is_alive()
    freezing.join(30)
    assert freeze.unfrozen(slow, "public", TABLES) == ()
    assert slow.execute('SELECT count(*) FROM "Service"').fetchone() == (2,)


def test_a_table_that_stays_busy_is_told_and_nothing_is_frozen(open_session: Callable[[], Connection]) -> None:
    """When its time is over, freezing gives up with what to look at, and no table is left refusing."""
    ours, slow = open_session(), open_session()
    with slow.transaction():
        slow.execute(b'INSERT INTO "odd ""one"" %s" VALUES (1)')
        with pytest.raises(StepFailed, match="could not be made read-only") as caught:
            freeze.freeze(ours, "public", TABLES, within=0.0)
    assert "pg_stat_activity" in caught.value.next_step
    assert freeze.unfrozen(slow, "public", TABLES) == TABLES
