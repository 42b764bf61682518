"""The watch's other alarms, who may see what, what is asked outside the server, and who is told."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from web import Page, serving

from zenni_tui.errors import NotReady, Occupied, StepFailed
from zenni_tui.model.baseline import Timing
from zenni_tui.model.vitals import Alert, Limits, Look, Notify, Vital
from zenni_tui.sandbox import server as sandbox
from zenni_tui.target import bookkeeping, capture
from zenni_tui.target.connect import Target
from zenni_tui.target.remedies import remedies
from zenni_tui.watch import judge
from zenni_tui.watch.history import file_of
from zenni_tui.watch.station import Station, Watched

Outside = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def outside(database: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """Yield a session of the application's; the watch remembers in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with psycopg.connect(**database, autocommit=True) as connection:
        yield connection


async def look(database: dict[str, str], watched: Watched | None = None, **limits: Any) -> Look:
    """Look once, as cron does."""
    target = Target(database, database["password"], name="zenni-tui test_watch_more")
    station = Station(target, watched or Watched(Limits(**limits)))
    try:
        return await station.look()
    finally:
        station.close()


def codes(seen: Look) -> list[str]:
    """Return what is raised."""
    return [a.alert.code for a in seen.alerts]


def vital(seen: Look, name: str) -> Vital:
    """Return one vital."""
    return next(v for v in seen.vitals if v.id == name)


async def test_an_invalid_index_and_an_unchecked_constraint(database: dict[str, str], outside: Outside) -> None:
    """What a failed CREATE INDEX CONCURRENTLY leaves, and NOT VALID, are raised until built and validated."""
    outside.execute("CREATE TABLE t (a int)")
    outside.execute("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        outside.execute("CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)")
    outside.execute("ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9) NOT VALID")
    seen = await look(database)
    assert sorted(codes(seen)) == ["watch_invalid_index", "watch_not_valid"]
    station = Station(Target(database, database["password"], name="zenni-tui test_watch_more"), Watched())
    outside.execute("DELETE FROM t")
    for one in seen.alerts:
        station.apply(one.alert, one.remedies[0])
    assert codes(await look(database)) == []


async def test_an_unused_index_is_listed_and_its_drop_can_be_undone(database: dict[str, str], outside: Outside) -> None:
    """When the watch has just begun an unused index is listed, not raised; what drops one keeps its definition."""
    outside.execute("CREATE TABLE t (a int)")
    outside.execute('CREATE INDEX "un used" ON t (a DESC) WHERE a > 1')
    seen = await look(database, unused_index_mb=0.001)
    assert codes(seen) == []
    assert "1 unused" in vital(seen, "indexes").words
    station = Station(Target(database, database["password"], name="zenni-tui test_watch_more"), Watched())
    alert = Alert("watch_unused_index", "public.un used", "indexes", "", 0, 0, 0, ("public", "un used"))
    (drop,) = remedies(alert)
    assert drop.word == "DROP"
    station.apply(alert, drop)
    row = outside.execute("SELECT undo FROM zenni_tui.deed").fetchone()
    assert row is not None
    outside.execute(row[0])
    assert outside.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'un used'").fetchone() == (1,)


async def test_a_role_of_no_rights_sees_what_it_may(
    database: dict[str, str], outside: Outside, server: sandbox.Server
) -> None:
    """Without pg_monitor the watch works, counts others' sessions, and names the GRANT that would show them."""
    outside.execute("CREATE TABLE t (a int)")
    plain = "plain" + database["dbname"][-6:]
    outside.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret-of-a-test'").format(sql.Identifier(plain)))
    try:
        theirs = database | {"user": plain, "password": "secret-of-a-test"}
        _wait_alone(outside)
        seen = await look(theirs)
        assert codes(seen) == []
        assert [v.id for v in seen.vitals if v.blind] == []
        assert f"GRANT pg_monitor TO {plain}" in vital(seen, "connections").unseen
        assert vital(seen, "connections").words.startswith("2 of ")
        station = Station(Target(theirs, theirs["password"], name="zenni-tui test_watch_more"), Watched())
        alert = Alert("watch_dead_rows", "", "", "", 0, 0, 0, ("public", "t", ""))
        with pytest.raises(StepFailed, match="so it was not done") as refused:
            station.apply(alert, remedies(alert)[0])
        assert "permission denied" in refused.value.why
    finally:
        outside.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(plain)))
    assert server.port


def _wait_alone(outside: Outside) -> None:
    """Wait until all sessions of the server have ended but this one: one that is closed takes a moment."""
    deadline = time.monotonic() + 60
    while outside.execute("SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' OFFSET 1").fetchone():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_rollbacks_are_counted_between_two_looks(database: dict[str, str], outside: Outside) -> None:
    """The first look raises nothing of the past; what comes after is raised, and stays for an hour after the last."""
    _roll_back(outside)
    outside.close()
    _wait_for(database, 120)
    assert codes(await look(database)) == []
    with psycopg.connect(**database, autocommit=True) as another:
        _roll_back(another)
    _wait_for(database, 240)
    assert codes(await look(database)) == ["watch_rollbacks"]
    assert codes(await look(database)) == ["watch_rollbacks"]


def _roll_back(session: Outside) -> None:
    for _ in range(120):
        with pytest.raises(psycopg.errors.DivisionByZero):
            session.execute("SELECT 1/0")


def _wait_for(database: dict[str, str], rolled_back: int) -> None:
    """Wait until the server has counted: a session that ends leaves its figures a moment later."""
    query = "SELECT xact_rollback FROM pg_stat_database WHERE datname = %s"
    deadline = time.monotonic() + 60
    with psycopg.connect(**(database | {"dbname": "postgres"}), autocommit=True) as session:
        while (found := session.execute(query, (database["dbname"],)).fetchone()) is None or found[0] < rolled_back:
            assert time.monotonic() < deadline, found


async def test_a_database_near_its_plans_size_or_read_only(database: dict[str, str], outside: Outside) -> None:
    """The size is judged by the plan's limit where it is told, and said to be unknown where not."""
    seen = await look(database)
    assert "[watch] disk_mb" in vital(seen, "disk").unseen
    assert codes(await look(database, disk_mb=1.0)) == ["watch_disk"]
    outside.execute(f'ALTER DATABASE "{database["dbname"]}" SET default_transaction_read_only = on')
    assert codes(await look(database)) == ["watch_read_only"]


async def test_the_applications_error_rate(database: dict[str, str], outside: Outside) -> None:
    """A rate above the limit is raised and clears; a command that fails is an alarm of its own."""
    assert not outside.closed
    for code, raised in (
        ("print(0.5)", ["watch_error_rate"]),
        ("raise SystemExit(1)", ["watch_error_rate", "watch_figure"]),
        ("print(0.01)", []),
    ):
        seen = await look(database, error_rate=(sys.executable, "-c", code))
        # A rate that can't be read has not become better.
        assert sorted(codes(seen)) == raised


async def test_a_query_slower_than_in_the_rehearsal(database: dict[str, str], outside: Outside) -> None:
    """A query is raised when its last three times are all far above the rehearsal's, until one is good."""
    outside.execute("CREATE TABLE t AS SELECT 0.2 AS pause")
    # Rehearsed as long enough that no hiccup of this machine makes it slow.
    baseline = (Timing("nap", "SELECT pg_sleep(pause) FROM t", 40.0), Timing("gone", "SELECT * FROM nowhere", 1.0))
    watched = Watched(Limits(query_minutes=0), baseline=baseline)
    seen = [await look(database, watched) for _ in range(6)]
    assert codes(seen[1]) == []
    assert any('"nowhere" does not exist' in vital(s, "timings").unseen for s in seen)
    assert codes(seen[-1]) == ["watch_query_slower"]
    outside.execute("UPDATE t SET pause = 0")
    seen = [await look(database, watched) for _ in range(2)]
    assert codes(seen[-1]) == []


class Hearer:
    """Takes messages; refuses the first."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refuse = 1

    def answer(self, _: str, body: bytes) -> Page:
        """Take one."""
        if self.refuse:
            self.refuse -= 1
            return Page(503)
        self.heard.append(json.loads(body))
        return Page()


async def test_a_webhook_that_refuses_is_tried_at_the_next_look(database: dict[str, str], outside: Outside) -> None:
    """What could not be delivered is said, kept, and delivered once, in order; the URL is shown nowhere."""
    outside.execute("CREATE TABLE t (a int)")
    outside.execute("ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9) NOT VALID")
    hearer = Hearer()
    with serving(hearer.answer) as base:
        url = f"{base}/secret-path"
        watched = Watched(notify=Notify(webhook=url))
        first = await look(database, watched)
        assert first.notes == ("[notify] webhook answers 503",)
        assert hearer.heard == []
        outside.execute("ALTER TABLE t VALIDATE CONSTRAINT small")
        assert (await look(database, watched)).notes == ()
        assert (await look(database, watched)).notes == ()
    assert [m["state"] for m in hearer.heard] == ["raised", "cleared"]
    assert hearer.heard[0]["alert"]["code"] == "watch_not_valid"
    gone = await look(database, Watched(notify=Notify(webhook=url)))
    assert gone.notes == ()


async def test_what_is_told_holds_no_query(database: dict[str, str], outside: Outside) -> None:
    """A query's text may hold a customer's data: it is shown to who looks, and neither sent nor kept."""
    outside.execute("BEGIN")
    outside.execute("SELECT 'private-to-a-customer'")
    seen = await look(database, idle_in_transaction_seconds=0.0)
    assert "watch_idle_in_transaction" in codes(seen)
    assert any("private-to-a-customer" in cell for row in vital(seen, "transactions").rows for cell in row)
    assert b"private-to-a-customer" not in file_of(Target(database, None, name="").parameters).read_bytes()
    assert "private-to-a-customer" not in json.dumps([judge.told(a.alert) for a in seen.alerts])


async def test_nothing_is_done_that_a_run_or_the_way_back_forbids(database: dict[str, str], outside: Outside) -> None:
    """While a run loads the target nothing is done; while the way back is open no table's rules are changed."""
    outside.execute("CREATE TABLE t (a int PRIMARY KEY)")
    outside.execute("ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9) NOT VALID")
    row = bookkeeping.RunRow("run", "migrate", "public", "", "", "")
    bookkeeping.begin(outside, row, "somebody")
    station = Station(Target(database, database["password"], name="zenni-tui test_watch_more"), Watched())
    (found,) = (await look(database)).alerts
    vacuum = remedies(Alert("watch_dead_rows", "", "", "", 0, 0, 0, ("public", "t", "")))[0]
    with pytest.raises(Occupied):
        station.apply(found.alert, vacuum)
    bookkeeping.mark_live(outside, "run")
    station.apply(found.alert, vacuum)
    capture.arm(outside, "public", {"t": ("a",)})
    expected = capture.fingerprint(outside)
    station.apply(found.alert, vacuum)
    with pytest.raises(NotReady, match="The way back is open"):
        station.apply(found.alert, found.remedies[0])
    assert capture.fingerprint(outside) == expected
    capture.disarm(outside)
    station.apply(found.alert, found.remedies[0])
    assert codes(await look(database)) == []


async def test_what_was_done_outlives_a_run_that_is_taken_back(database: dict[str, str], outside: Outside) -> None:
    """A run that leaves the target takes its bookkeeping with it, and not the record of what an operator did."""
    outside.execute("CREATE TABLE t (a int)")
    station = Station(Target(database, database["password"], name="zenni-tui test_watch_more"), Watched())
    alert = Alert("watch_dead_rows", "", "", "", 0, 0, 0, ("public", "t", ""))
    station.apply(alert, remedies(alert)[0])
    bookkeeping.begin(outside, bookkeeping.RunRow("run", "rehearse", "public", "", "", ""), "somebody")
    with outside.transaction():
        bookkeeping.leave(outside, "run")
    assert outside.execute("SELECT code FROM zenni_tui.deed").fetchall() == [("watch_dead_rows",)]
    outside.execute("DROP TABLE zenni_tui.deed")
    bookkeeping.begin(outside, bookkeeping.RunRow("run", "rehearse", "public", "", "", ""), "somebody")
    with outside.transaction():
        bookkeeping.leave(outside, "run")
    assert outside.execute("SELECT to_regnamespace('zenni_tui')").fetchone() == (None,)


async def test_what_locks_does_not_queue_up_before_the_application(
    database: dict[str, str], outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remedy that needs the whole table gives up when it can't have it: others would wait behind it."""
    monkeypatch.setattr("zenni_tui.target.deeds._LOCK_MILLISECONDS", 100)
    outside.execute("CREATE TABLE t (a int)")
    alert = Alert("watch_bloat", "public.t", "bloat", "", 0, 0, 0, ("public", "t"))
    station = Station(Target(database, database["password"], name="zenni-tui test_watch_more"), Watched())
    with psycopg.connect(**database) as reader:
        reader.execute("SELECT * FROM t")
        with pytest.raises(StepFailed) as refused:
            station.apply(alert, remedies(alert)[0])
    assert "lock timeout" in refused.value.why
    assert station.history.deeds()[0][4] == refused.value.why
    station.apply(alert, remedies(alert)[0])
