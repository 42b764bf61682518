"""The demo's application under load: all that can go wrong at once is told at once, and clears when it is cured."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from support import PATIENCE, Program

from zenni_tui.sandbox.sample import SampleApplication

_CONFIG = """
[watch]
pool_role = "{role}"
pool_size = 6
running_seconds = 0.2
lock_seconds = 0.2
idle_in_transaction_seconds = 3600.0
foreign_key_rows = 100
dead_rows = 200
"""
_TROUBLE = {
    "watch_slow_query",
    "watch_foreign_key_index",
    "watch_pool",
    "watch_lock_wait",
    "watch_sequence",
    "watch_dead_rows",
}


@contextlib.contextmanager
def _load(database: dict[str, str]) -> Iterator[None]:
    """Hold a lock, wait for it, run a long query, and idle with two more sessions, until the block ends."""
    with contextlib.ExitStack() as load:
        sessions = [psycopg.connect(**database, autocommit=True) for _ in range(5)]
        holder, slow, waiter, *_ = sessions
        for session in sessions:
            load.callback(session.close)
        holder.execute('BEGIN; LOCK TABLE "BlockedDate" IN ACCESS EXCLUSIVE MODE')
        work = [
            threading.Thread(target=_quietly, args=(slow, 'SELECT count(*), pg_sleep(600) FROM "Service"')),
            threading.Thread(target=_quietly, args=(waiter, 'SELECT count(*) FROM "BlockedDate"')),
        ]
        for thread in work:
            thread.start()
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
            slow.cancel_safe()
            for thread in work:
                thread.join()


def _quietly(session: psycopg.Connection[tuple[Any, ...]], query: str) -> None:
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        session.execute(query.encode())


def _raised(program: Program, environment: dict[str, str]) -> set[str]:
    outcome = program.run("watch", "--once", environment=environment)
    codes = {a["code"] for a in outcome.document["alerts"]}
    assert outcome.code == (1 if codes else 0)
    return codes


def test_everything_at_once(
    program: Program,
    sample: SampleApplication,
    database: dict[str, str],
    target_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """A slow query, a missing index, a nearly full pool, a lock wait, a sequence near its end, dead rows."""
    source = str(sample.database)
    assert program.run("migrate", "--source", source, "--yes", environment=target_environment).code == 0
    (tmp_path / "config.toml").write_text(_CONFIG.format(role=database["user"]))
    quiet = _raised(program, target_environment)
    with psycopg.connect(**database, autocommit=True) as application:
        for (name,) in application.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'Booking' AND indexdef LIKE '%(\"serviceId\"%'"
        ):
            application.execute(psycopg.sql.SQL("DROP INDEX {}").format(psycopg.sql.Identifier(name)))
        application.execute("""SELECT setval(pg_get_serial_sequence('"Tag"', 'id'), 2000000000)""")
        application.execute('ALTER TABLE "Booking" SET (autovacuum_enabled = false)')
        application.execute('UPDATE "Booking" SET "updatedAt" = "updatedAt"')
        with _load(database):
            deadline = time.monotonic() + PATIENCE
            while not (found := _raised(program, target_environment)) >= _TROUBLE:
                assert time.monotonic() < deadline, found
        application.execute('CREATE INDEX ON "Booking" ("serviceId")')
        application.execute("""SELECT setval(pg_get_serial_sequence('"Tag"', 'id'), 100)""")
        application.execute('VACUUM "Booking"')
        deadline = time.monotonic() + PATIENCE
        while (found := _raised(program, target_environment)) != quiet - _TROUBLE:
            assert time.monotonic() < deadline, found
    # Without a target named, the last run's is meant.
    assert _raised(program, {"PGPASSWORD": database["password"]}) == quiet - _TROUBLE


def test_queries_are_timed_against_their_rehearsal(
    program: Program, sample: SampleApplication, target_environment: dict[str, str], tmp_path: Path
) -> None:
    """What [queries] took in a rehearsal elsewhere is what the watch compares with, one query a look."""
    query = 'SELECT "date", count(*) FROM Booking GROUP BY 1'
    config = f'[source]\npath = "{sample.database}"\n[queries]\n"by day" = \'{query}\'\n'
    (tmp_path / "config.toml").write_text(config)
    assert program.run("rehearse").code == 0
    assert program.run("migrate", "--yes", environment=target_environment).code == 0
    outcome = program.run("watch", "--once", environment=target_environment)
    (vital,) = [v for v in outcome.document["vitals"] if v["id"] == "timings"]
    (row,) = vital["rows"]
    assert (row["query"], vital["unseen"]) == ("by day", "")
    assert row["rehearsed"].endswith(" ms")
    assert row["now"].endswith(" ms")
