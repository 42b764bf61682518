"""The watch: each thing that can go wrong is provoked, raised once, and clears once when it is cured."""

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from zenni_tui.model.vitals import Advised, Limits, Look
from zenni_tui.target.connect import Target
from zenni_tui.watch.station import Station, Watched

Outside = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def outside(database: dict[str, str]) -> Iterator[Outside]:
    """Yield a session of the application's."""
    with psycopg.connect(**database, autocommit=True) as connection:
        yield connection


class Watcher:
    """A station over the test's database, with limits that a test can reach."""

    def __init__(self, database: dict[str, str], limits: Limits) -> None:
        target = Target(database, database["password"], name="zenni-tui test_watch")
        self.station = Station(target, Watched(limits))

    async def look(self) -> Look:
        """Look once."""
        return await self.station.look()

    async def raised(self, code: str) -> Advised:
        """Look until a code is raised, and return its one alert."""
        look = await self.until(code)
        found = [a for a in look.alerts if a.alert.code == code]
        assert len(found) == 1, [a.alert for a in look.alerts]
        return found[0]

    async def until(self, code: str) -> Look:
        """Look until a code is raised: what provokes it takes a moment."""
        deadline = time.monotonic() + 60
        while True:
            look = await self.look()
            if code in {a.alert.code for a in look.alerts}:
                return look
            assert time.monotonic() < deadline

    async def clear(self, code: str) -> None:
        """Look until a code is raised no more: statistics come a little later."""
        deadline = time.monotonic() + 60
        while code in (codes := [a.alert.code for a in (await self.look()).alerts]):
            assert time.monotonic() < deadline, codes


@pytest.fixture
async def make(
    database: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Watcher]]:
    """Return a maker of watchers with a memory of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made: list[Watcher] = []

    def watcher(**limits: Any) -> Watcher:
        made.append(Watcher(database, Limits(**limits)))
        return made[-1]

    yield watcher
    for one in made:
        one.station.close()


async def test_a_quiet_target_raises_nothing(make: Callable[..., Watcher], outside: Outside) -> None:
    """With a sound table and nobody at work every vital is seen, none is wrong, and nothing takes long."""
    outside.execute("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
    look = await make().look()
    assert look.alerts == ()
    assert [v.id for v in look.vitals if v.blind] == []
    assert len(look.vitals) > 15
    assert all(len(row) == len(v.columns) for v in look.vitals for row in v.rows)


async def test_a_slow_query_is_raised_and_clears(make: Callable[..., Watcher], database: dict[str, str]) -> None:
    """A query that runs too long is raised, by its pid; cancelled by the remedy it clears."""
    watcher = make(running_seconds=0.2)
    with psycopg.connect(**database, autocommit=True) as slow:
        thread = threading.Thread(target=_sleep, args=(slow,))
        thread.start()
        (found,) = (await watcher.until("watch_slow_query")).alerts
        assert f"pid {slow.info.backend_pid}" in found.alert.text
        watcher.station.apply(found.alert, found.remedies[0])
        thread.join()
        await watcher.clear("watch_slow_query")


def _sleep(connection: Outside) -> None:
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(60)")


async def test_a_missing_foreign_key_index_is_raised_and_made(make: Callable[..., Watcher], outside: Outside) -> None:
    """A foreign key without an index is raised with the statement that makes one; applied and recorded, it clears."""
    outside.execute('CREATE TABLE "Parent" (a int, "b""x" int, PRIMARY KEY (a, "b""x"))')
    outside.execute('CREATE TABLE "Child" (id int, a int, "b""x" int, FOREIGN KEY (a, "b""x") REFERENCES "Parent")')
    outside.execute('INSERT INTO "Parent" VALUES (1, 1)')
    outside.execute('INSERT INTO "Child" SELECT n, 1, 1 FROM generate_series(1, 50) n')
    outside.execute("ANALYZE")
    outside.execute('CREATE INDEX "partial" ON "Child" (a, "b""x") WHERE id > 10')
    watcher = make(foreign_key_rows=50)
    found = await watcher.raised("watch_foreign_key_index")
    (remedy,) = found.remedies
    assert remedy.sql == ('CREATE INDEX CONCURRENTLY "Child_a_b""x_idx" ON "public"."Child" ("a", "b""x")',)
    watcher.station.apply(found.alert, remedy)
    await watcher.clear("watch_foreign_key_index")
    row = outside.execute("SELECT code, done, failure, ended IS NOT NULL FROM zenni_tui.deed").fetchone()
    assert row == ("watch_foreign_key_index", remedy.sql[0], "", True)
    assert [d[2:] for d in watcher.station.history.deeds()] == [("watch_foreign_key_index", remedy.sql[0], "done")]


async def test_a_nearly_full_pool_is_raised_and_clears(make: Callable[..., Watcher], database: dict[str, str]) -> None:
    """When the sessions of the application's role near the pool's size the pool is raised, until they are gone."""
    watcher = make(pool_role=database["user"], pool_size=5, connections=0.8)
    assert (await watcher.look()).alerts == ()
    with contextlib.ExitStack() as pool:
        for _ in range(4):
            pool.enter_context(psycopg.connect(**database))
        found = await watcher.raised("watch_pool")
        assert "4 of the 5 connections" in found.alert.text
    await watcher.clear("watch_pool")


async def test_a_full_server_is_raised_and_clears(
    make: Callable[..., Watcher], database: dict[str, str], outside: Outside
) -> None:
    """The limit that is nearest counts: a database's own comes before the server's."""
    outside.execute(f'ALTER DATABASE "{database["dbname"]}" CONNECTION LIMIT 4')
    watcher = make()
    with contextlib.ExitStack() as crowd:
        for _ in range(2):
            crowd.enter_context(psycopg.connect(**database))
        found = await watcher.raised("watch_connections")
        assert "4 of the 4 connections that the database allows" in found.alert.text
    await watcher.clear("watch_connections")


async def test_a_lock_wait_is_raised_and_clears(
    make: Callable[..., Watcher], database: dict[str, str], outside: Outside
) -> None:
    """Who waits for a lock is told with the table and the session at the root; ending that one clears it.

    What the table locked wholly can't say meanwhile does not hold the watch up.
    """
    outside.execute("CREATE TABLE t (id int)")
    watcher = make(lock_seconds=0.1, idle_in_transaction_seconds=0.1)
    holder = psycopg.connect(**database)
    holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    waiting = threading.Thread(target=lambda: outside.execute("INSERT INTO t VALUES (1)"))
    waiting.start()
    look = await watcher.until("watch_lock_wait")
    codes = {a.alert.code: a for a in look.alerts}
    assert set(codes) == {"watch_lock_wait", "watch_idle_in_transaction"}
    assert [v.id for v in look.vitals if v.blind] == []
    found = codes["watch_lock_wait"]
    assert "1 session waits" in found.alert.text
    assert "public.t" in found.alert.text
    assert f"pid {holder.info.backend_pid}" in found.alert.text
    assert [r.word for r in found.remedies] == ["END"]
    watcher.station.apply(found.alert, found.remedies[0])
    waiting.join()
    holder.close()
    await watcher.clear("watch_lock_wait")
    await watcher.clear("watch_idle_in_transaction")


async def test_a_sequence_near_its_end_is_raised_and_widened(make: Callable[..., Watcher], outside: Outside) -> None:
    """What counts is the type of the column that the sequence fills, be the sequence itself a bigint."""
    outside.execute("CREATE TABLE t (id int PRIMARY KEY)")
    outside.execute("CREATE SEQUENCE s OWNED BY t.id")
    outside.execute("ALTER TABLE t ALTER id SET DEFAULT nextval('s')")
    outside.execute("CREATE TABLE roomy (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
    outside.execute("SELECT setval('s', 1500000000), setval('roomy_id_seq', 2000000000)")
    watcher = make(sequence=0.75)
    assert (await watcher.look()).alerts == ()
    outside.execute("SELECT setval('s', 1900000000)")
    found = await watcher.raised("watch_sequence")
    assert "1,900,000,000 of 2,147,483,647" in found.alert.text
    (remedy,) = found.remedies
    assert remedy.word == "REWRITE"
    watcher.station.apply(found.alert, remedy)
    await watcher.clear("watch_sequence")
    outside.execute("SELECT setval('s', 2147483647)")
    assert outside.execute("INSERT INTO t DEFAULT VALUES RETURNING id").fetchone() == (2147483648,)


async def test_dead_rows_are_raised_and_vacuumed(make: Callable[..., Watcher], outside: Outside) -> None:
    """Rows that nobody clears away are raised, with what keeps autovacuum off; a vacuum clears them."""
    outside.execute("CREATE TABLE t (id int) WITH (autovacuum_enabled = false)")
    outside.execute("INSERT INTO t SELECT generate_series(1, 1000)")
    outside.execute("UPDATE t SET id = id + 1")
    outside.execute("SELECT pg_stat_force_next_flush()")
    watcher = make(dead_rows=500)
    found = await watcher.raised("watch_dead_rows")
    assert "1,000 dead rows" in found.alert.text
    assert "autovacuum is OFF here" in found.alert.text
    assert [r.sql for r in found.remedies] == [
        ('VACUUM (ANALYZE) "public"."t"',),
        ('ALTER TABLE "public"."t" RESET (autovacuum_enabled)',),
    ]
    for remedy in found.remedies:
        watcher.station.apply(found.alert, remedy)
    await watcher.clear("watch_dead_rows")
