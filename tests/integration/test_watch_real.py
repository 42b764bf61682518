"""The watch on a server as customers have it: with pg_stat_statements, slots, Supabase's roles, behind a pooler."""

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import likeness
import pgbouncer
import postgres17
import psycopg
import pytest
from postgres17 import Postgres17

from zenni_tui.model.vitals import Limits, Look
from zenni_tui.target.connect import Target
from zenni_tui.watch.station import Station, Watched


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres17]:
    """Yield PostgreSQL 17 with statistics of statements and slots for replication."""
    settings = {"shared_preload_libraries": "pg_stat_statements", "wal_level": "logical", "deadlock_timeout": "50ms"}
    with postgres17.running(**settings) as made:
        yield made


@pytest.fixture
def database(server: Postgres17, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the name of an empty database; the watch remembers in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    name = f"test_{secrets.token_hex(6)}"
    server.create_database(name)
    yield name
    server.drop_database(name)


async def look(parameters: dict[str, str], **limits: Any) -> Look:
    """Look once, as cron does."""
    target = Target(parameters, parameters["password"], name="zenni-tui test_watch_real")
    station = Station(target, Watched(Limits(**limits)))
    try:
        return await station.look()
    finally:
        station.close()


def codes(seen: Look) -> list[str]:
    """Return what is raised."""
    return [a.alert.code for a in seen.alerts]


async def test_a_slow_statement_is_raised_until_it_is_fast(server: Postgres17, database: str) -> None:
    """What counts is the mean since the last look; nobody calling it any more is no cure."""
    server.execute("CREATE EXTENSION pg_stat_statements; CREATE TABLE t AS SELECT 0.05 AS pause", database)
    with server.session(database) as application:

        async def called(times: int) -> list[str]:
            for _ in range(times):
                application.execute("SELECT pg_sleep(pause) FROM t")
            return codes(await look(server.conninfo(database), slow_query_ms=20.0))

        assert await called(3) == ["watch_slow_statement"]
        assert await called(0) == ["watch_slow_statement"]
        application.execute("UPDATE t SET pause = 0")
        assert await called(5) == []
        assert await called(0) == []


async def test_a_role_that_may_not_see_statements_is_told_so(server: Postgres17, database: str) -> None:
    """Where pg_stat_statements isn't, the vital says what would bring it; running queries are seen all the same."""
    seen = await look(server.conninfo(database))
    queries = next(v for v in seen.vitals if v.id == "queries")
    assert "CREATE EXTENSION pg_stat_statements" in queries.unseen
    assert not queries.blind


async def test_a_deadlock_is_raised(server: Postgres17, database: str) -> None:
    """A deadlock between two looks is raised."""
    server.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)", database)
    assert codes(await look(server.conninfo(database))) == []
    first, second = server.session(database), server.session(database)
    with first, second:
        for session, row in ((first, 1), (second, 2)):
            session.execute("BEGIN")
            session.execute("UPDATE t SET id = id WHERE id = %s", (row,))
        other = threading.Thread(target=_locked_out, args=(first,))
        other.start()
        _locked_out(second)
        other.join()
    deadline = time.monotonic() + 60
    while codes(await look(server.conninfo(database))) != ["watch_deadlocks"]:
        assert time.monotonic() < deadline


def _locked_out(session: "psycopg.Connection[tuple[Any, ...]]") -> None:
    try:
        session.execute("UPDATE t SET id = id")
    except psycopg.errors.DeadlockDetected:
        session.execute("ROLLBACK")
    else:
        session.execute("COMMIT")


async def test_a_slot_that_nobody_reads_is_raised_and_dropped(server: Postgres17, database: str) -> None:
    """A slot keeps WAL on the disk: raised from a size on, dropped by the remedy, whose word is typed."""
    server.execute("SELECT pg_create_logical_replication_slot('forgotten', 'pgoutput')", database)
    server.execute("CREATE TABLE t AS SELECT generate_series(1, 20000)", database)
    seen = await look(server.conninfo(database), replication_mb=0.1)
    assert codes(seen) == ["watch_slot"]
    (remedy,) = seen.alerts[0].remedies
    assert remedy.word == "DROP SLOT"
    parameters = server.conninfo(database)
    station = Station(Target(parameters, parameters["password"], name="zenni-tui test_watch_real"), Watched())
    station.apply(seen.alerts[0].alert, remedy)
    assert codes(await look(parameters, replication_mb=0.1)) == []


async def test_a_table_open_to_the_internet_is_raised_and_closed(server: Postgres17, database: str) -> None:
    """On Supabase a new table of public is open through the Data API; the platform's own schemas are left alone."""
    project = likeness.make_project(server)
    theirs = server.conninfo(project.database, project.role, project.password)
    with psycopg.connect(**theirs, autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE bare (id int); CREATE TABLE kept (id int); ALTER TABLE kept ENABLE ROW LEVEL SECURITY"
        )
    seen = await look(theirs)
    assert [(a.alert.code, a.alert.subject) for a in seen.alerts] == [("watch_open_to_api", "public.bare")]
    assert not any('"auth"' in cell for v in seen.vitals for row in v.rows for cell in row)
    assert "Supabase's free plan" in next(v for v in seen.vitals if v.id == "disk").unseen
    station = Station(Target(theirs, project.password, name="zenni-tui test_watch_real"), Watched())
    station.apply(seen.alerts[0].alert, seen.alerts[0].remedies[0])
    assert codes(await look(theirs)) == []
    assert database


async def test_a_pooler_in_transaction_mode_is_no_hindrance(server: Postgres17, database: str) -> None:
    """Behind a pooler that shares sessions everything is seen, and nothing of ours is left in its sessions."""
    server.execute("CREATE TABLE t (id int)", database)
    with pgbouncer.pooled(server, "transaction", size=1) as port:
        pooled = server.conninfo(database) | {"port": str(port)}
        for _ in range(2):
            seen = await look(pooled)
            assert codes(seen) == []
            assert [v.id for v in seen.vitals if v.blind] == []
        with psycopg.connect(**pooled, autocommit=True, prepare_threshold=None) as other:
            assert other.execute("SHOW statement_timeout").fetchone() == ("0",)
