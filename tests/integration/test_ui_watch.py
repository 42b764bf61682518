"""The watch's screen over a real target, in 80x24: what is raised, what would help, and what a key and a word do."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psycopg
import pytest
from textual.pilot import Pilot
from ui_pilot import Desk, Runs, front, stands_whole, text, wait_for, wait_until
from ui_rooms import ADVISED, NOON, VITALS, Lookout
from ui_stories import UP_TO_COPY, told

from zenni_tui.model.vitals import Limits, Look
from zenni_tui.target.connect import Target
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.watch import WatchScreen
from zenni_tui.ui.words import ASCII, UNICODE, spark
from zenni_tui.watch.beside import Beside
from zenni_tui.watch.station import Station, Watched

Outside = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def outside(database: dict[str, str]) -> Iterator[Outside]:
    """Yield a session of the application's, with a child whose foreign key has no index."""
    with psycopg.connect(**database, autocommit=True) as connection:
        connection.execute('CREATE TABLE "Service" (id int PRIMARY KEY)')
        connection.execute('CREATE TABLE "Booking" (id int PRIMARY KEY, "serviceId" int REFERENCES "Service")')
        connection.execute('INSERT INTO "Service" VALUES (1)')
        connection.execute('INSERT INTO "Booking" SELECT n, 1 FROM generate_series(1, 100) n')
        connection.execute("ANALYZE")
        yield connection


@pytest.fixture
def post(database: dict[str, str], outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Beside:
    """Return a post over the test's database that remembers in a folder of the test's own."""
    assert not outside.closed
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    target = Target(database, database["password"], name="zenni-tui test_ui_watch")
    limits = Limits(every_seconds=600, foreign_key_rows=50, idle_in_transaction_seconds=0.01)
    return Beside(Station(target, Watched(limits)))


async def seen(pilot: Pilot[None]) -> str:
    """Wait for the first look, and return the screen."""
    await wait_for(pilot, "row security")
    return text(pilot)


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_screen_is_whole_in_80_by_24(post: Beside, ascii_only: bool) -> None:  # noqa: FBT001 - a parameter
    """Target, state words, what is raised and the keys stand in 80x24; no line is cut off by the screen's edge."""
    app = ZenniApp(post=post, ascii_only=ascii_only)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await wait_for(pilot, 'No index begins with "public"."Booking" ("serviceId")')
        stands_whole(pilot)
        screen = text(pilot)
        assert "LIVE" in screen
        assert post.target in screen
        assert "1 RAISED foreign_key_index" in screen
        for word in (
            "connections",
            "pool",
            "slow queries",
            "locks",
            "dead rows",
            "sequences",
            "Enter closer",
            "leave",
        ):
            assert word in screen
        assert f"{(ASCII if ascii_only else UNICODE).cursor} ALERT" in screen
        assert not ascii_only or screen.isascii()
        await pilot.press("f1")
        await wait_for(pilot, "recorded in zenni_tui.deed")
        await pilot.press("escape")
        await pilot.press("q")
    assert app.return_code == 0


async def test_what_helps_is_done_after_a_question(post: Beside, outside: Outside) -> None:
    """Enter, Enter shows the exact SQL and asks; nothing is done before `y`, then it is done, recorded, and clears."""
    app = ZenniApp(post=post)
    made = "SELECT count(*) FROM pg_indexes WHERE indexname = 'Booking_serviceId_idx'"
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await pilot.press("enter")
        await wait_for(pilot, "Raised just now")
        await wait_for(pilot, 'CREATE INDEX CONCURRENTLY "Booking_serviceId_idx" ON')
        await pilot.press("enter")
        await wait_for(pilot, "Make the index?")
        await pilot.press("enter")
        await front(pilot, WatchScreen)
        assert outside.execute(made).fetchone() == (0,)
        await pilot.press("enter", "enter")
        await wait_for(pilot, "Make the index?")
        await pilot.press("y")
        await wait_for(pilot, "Done and recorded")
        assert outside.execute(made).fetchone() == (1,)
        await wait_for(pilot, "Nothing is raised.")
    assert [(d[2], d[4]) for d in post._station.history.deeds()] == [("watch_foreign_key_index", "done")]


async def test_what_ends_a_session_wants_a_typed_word(post: Beside, database: dict[str, str], outside: Outside) -> None:
    """A session that idles in a transaction is ended only when END is typed; another word changes nothing."""
    outside.execute('CREATE INDEX ON "Booking" ("serviceId")')
    app = ZenniApp(post=post)
    with contextlib.closing(psycopg.connect(**database)) as idle:
        idle.execute('SELECT 1 FROM "Booking"')
        alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        async with app.run_test(size=(80, 24)) as pilot:
            await seen(pilot)
            await wait_for(pilot, "1 RAISED idle_in_transaction")
            await pilot.press("enter", "enter")
            await wait_for(pilot, "type END to do it")
            await pilot.press(*"end", "enter")
            await wait_for(pilot, "That is not END")
            assert outside.execute(alive, (idle.info.backend_pid,)).fetchone() == (1,)
            await pilot.press("escape")
            await pilot.press("enter", "enter")
            await wait_for(pilot, "type END to do it")
            await pilot.press(*"END", "enter")
            await wait_for(pilot, "Done and recorded")
            assert outside.execute(alive, (idle.info.backend_pid,)).fetchone() == (0,)


async def test_what_the_server_refuses_is_a_problem(post: Beside, outside: Outside) -> None:
    """A remedy that fails is told in its parts until acknowledged, recorded as failed, and the alarm stays."""
    app = ZenniApp(post=post)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        outside.execute('CREATE INDEX "Booking_serviceId_idx" ON "Booking" (id)')
        await pilot.press("enter", "enter")
        await wait_for(pilot, "Make the index?")
        await pilot.press("y")
        await wait_for(pilot, "already exists")
        await pilot.press("enter")
        await wait_for(pilot, "Not done: make the index.")
        assert "1 RAISED" in text(pilot)
    row = outside.execute("SELECT failure FROM zenni_tui.deed").fetchone()
    assert row is not None
    assert "already exists" in row[0]


async def test_a_target_that_goes_away_is_an_alarm(post: Beside, outside: Outside, database: dict[str, str]) -> None:
    """When the target stops taking us in, the screen says so and goes on; when it is back the alarm clears."""
    app = ZenniApp(post=post)
    name = database["dbname"]
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        with psycopg.connect(**(database | {"dbname": "postgres"}), autocommit=True) as server:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name <> ''"
            server.execute(end, (name,))
            there = end.replace("pg_terminate_backend(pid)", "pid")
            await wait_until(pilot, lambda: not server.execute(there, (name,)).fetchall(), what="the sessions' end")
            await pilot.press("r")
            await wait_for(pilot, "unreachable")
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await pilot.press("r")
        await wait_for(pilot, "1 RAISED foreign_key_index")
    assert not outside.closed


async def test_a_look_asked_for_while_one_is_under_way_comes_after_it() -> None:
    """What was done during a look may not be in it: the key, or a remedy's end, brings another one."""
    post = Lookout(blind=True)
    looks: list[Future[Look]] = []

    def begin() -> Future[Look]:
        looks.append(Future())
        return looks[-1]

    post.look = begin  # type: ignore[method-assign]
    async with ZenniApp(post=post).run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(looks) == 1)
        await pilot.press("r")
        looks[0].set_result(Look(NOON, post.target, 0.1, VITALS, (ADVISED,)))
        await wait_for(pilot, "1 RAISED")
        await wait_until(pilot, lambda: len(looks) == 2, what="a second look")
        looks[1].set_result(Look(NOON, post.target, 0.1, VITALS, ()))
        await wait_for(pilot, "Nothing is raised.")


async def test_the_first_screen_opens_the_watch(post: Beside, tmp_path: Path) -> None:
    """With a target named the first screen offers the watch; `b` comes back from it."""
    desk = Desk(tmp_path)
    desk.post = lambda: post
    async with ZenniApp(desk).run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "what is slow, full or locked")
        await pilot.press("end", "enter")
        await seen(pilot)
        await pilot.press("b")
        await wait_for(pilot, "What to do")


def test_graphs_go_from_least_to_most() -> None:
    """The last values fill the width from the right; a level line is low, in letters where only ASCII shows."""
    assert spark((1, 2, 3), 5, UNICODE) == "  ▁▅█"
    assert spark((9, 9, 0, 7), 3, ASCII) == "#_+"
    assert spark((5, 5), 2, ASCII) == "__"
    assert spark((), 4, ASCII) == ""


@pytest.mark.parametrize("live", [True, False])
async def test_a_runs_screen_opens_the_watch(post: Beside, tmp_path: Path, live: bool) -> None:  # noqa: FBT001 - as above
    """`w` in a run's screen watches its target and `b` comes back; an embedded target is no business of the watch."""
    desk, runs = Desk(tmp_path), Runs(tmp_path / "runs")
    desk.post = lambda: post
    story = runs(*told(UP_TO_COPY), live=live)
    try:
        async with ZenniApp(desk, story.folder).run_test(size=(80, 24)) as pilot:
            await wait_for(pilot, "F8")
            await pilot.press("w")
            if live:
                await seen(pilot)
                await pilot.press("b")
                await wait_for(pilot, "F8")
            else:
                await wait_for(pilot, "There is no PostgreSQL of yours")
    finally:
        runs.close()
