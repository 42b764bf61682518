"""The rungs behind the login stop at what they are there for and say what to do; none of them writes."""

import asyncio
import datetime as dt
import re
import secrets
import shutil
from typing import Any

import pgbouncer
import postgres17
import psycopg
import pytest
from climbing import climb, target
from postgres17 import Postgres17

from zenni_tui.errors import NotReady, ZenniError
from zenni_tui.sandbox.proxy import Line, Proxy, Way
from zenni_tui.target import bookkeeping, ladder
from zenni_tui.target.ladder import ground as shared
from zenni_tui.target.ladder import tls


async def test_a_read_only_server_stops_the_fifth_rung(server: Postgres17, database: str) -> None:
    """As Supabase does when the disk is full."""
    server.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    made = await climb(target(server, database))
    assert made.stopped == "server"
    assert "takes no writes" in made.words
    assert "disk is full" in made.words


async def test_another_encoding_stops_the_fifth_rung(server: Postgres17) -> None:
    """A database that can't hold every text is no target."""
    name = f"latin_{secrets.token_hex(4)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    made = await climb(target(server, name))
    server.drop_database(name)
    assert made.stopped == "server"
    assert "LATIN1" in made.words
    assert "ENCODING 'UTF8'" in made.words


async def test_a_standby_stops_the_fifth_rung_and_a_list_finds_the_primary(server: Postgres17) -> None:
    """A server in recovery is refused alone; in a list with its primary, read-write passes it by."""
    with postgres17.own_folder() as folder:
        standby = Postgres17(folder)
        standby.password = server.password
        server.stop()
        try:
            shutil.copytree(server.data, standby.data)
        finally:
            server.start()
        for path in (standby.data, *standby.data.rglob("*")):
            postgres17.give(path)
        (standby.data / "standby.signal").touch()
        standby.configure(port=str(standby.port))
        standby.start()
        try:
            alone = await climb(target(standby))
            hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{standby.port},{server.port}"}
            listed = await climb(target(server, **hosts, target_session_attrs="read-write"))
            none = await climb(target(standby, target_session_attrs="read-write"))
        finally:
            standby.stop()
    assert alone.stopped == "server"
    assert "standby" in alone.words
    assert "target_session_attrs" in alone.words
    assert listed.error is None, listed.words
    assert f"in use of the list: 127.0.0.1:{server.port}" in listed.found["login"].found
    assert none.stopped == "login"
    assert "No host of the list" in none.words


async def test_a_pooler_in_session_mode_passes(server: Postgres17, database: str) -> None:
    """It is seen, and good enough."""
    with pgbouncer.pooled(server, "session") as port:
        made = await climb(target(server, database, port=str(port), sslmode="prefer"))
    assert made.error is None, made.words
    assert "session mode" in made.found["pooler"].found


@pytest.mark.parametrize("size", [10, 1])
async def test_a_pooler_in_transaction_mode_is_refused_with_the_way_out(
    server: Postgres17, database: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Sessions are shared there, even in a pool of one; nothing of ours stays behind in them."""
    monkeypatch.setattr(shared, "QUERY_SECONDS", 2.0)
    with pgbouncer.pooled(server, "transaction", size=size) as port:
        made = await climb(target(server, database, port=str(port), sslmode="prefer"))
        with psycopg.connect(
            **server.conninfo(database) | {"port": str(port)}, autocommit=True, prepare_threshold=None
        ) as other:
            assert other.execute("SHOW statement_timeout").fetchone() == ("0",)
            assert other.execute("SHOW client_min_messages").fetchone() == ("notice",)
    assert made.stopped == "pooler"
    assert "transaction mode" in made.words
    assert "pool_mode = session" in made.words


async def test_a_pool_of_one_session_is_too_small(server: Postgres17, database: str) -> None:
    """In session mode a second session would wait for ever."""
    with pgbouncer.pooled(server, "session", size=1) as port:
        made = await climb(target(server, database, port=str(port), sslmode="prefer"))
    assert made.stopped == "pooler"
    assert "no second connection" in made.words
    assert "pool's size" in made.words


async def test_a_role_without_rights_stops_the_seventh_rung(server: Postgres17, database: str, role: str) -> None:
    """The missing privilege is named, and the GRANT that gives it."""
    place = target(server, database, user=role, password=role)
    whole = await climb(place)
    assert whole.error is None, whole.words
    assert "no superuser, and none is needed" in whole.found["rights"].found
    server.execute(f"REVOKE ALL ON SCHEMA public FROM {role}, PUBLIC", database)
    made = await climb(place)
    assert made.stopped == "rights"
    assert "may not create tables" in made.words
    server.execute(f"REVOKE CREATE ON DATABASE {database} FROM {role}")
    made = await climb(place)
    assert made.stopped == "rights"
    assert "GRANT CREATE ON DATABASE" in made.words


async def test_three_connections_left_are_too_few_for_two_workers(server: Postgres17, database: str, role: str) -> None:
    """How many were wanted, given and in use is told, and the workers that fit; without room for one it stops."""
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 5")
    near = await climb(target(server, database, user=role, password=role), workers=2)
    assert near.error is None, near.words
    assert near.found["limits"].ok is None
    assert "6 sessions are wanted and 5 were given" in near.found["limits"].found
    assert "room for 1 worker instead of 2" in near.found["limits"].found
    assert "will work with 1 worker" in near.found["limits"].advice
    assert (await climb(target(server, database, user=role, password=role), workers=1)).found["limits"].ok is True
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 3")
    place = target(server, database, user=role, password=role)
    made = await climb(place, workers=2)
    assert made.stopped == "limits"
    assert "6 sessions are wanted and 3 were given" in made.words
    assert "the role may have 3" in made.words
    assert "Make room" in made.words


def test_the_place_of_a_closed_session_is_free(server: Postgres17, database: str, role: str) -> None:
    """Where one session may be, the next one finds its place however soon it comes."""
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 1")
    place = target(server, database, user=role, password=role)
    for _ in range(200):
        with place.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


async def test_a_full_server_is_told_from_a_full_role(server: Postgres17, database: str) -> None:
    """A limit of the database itself is named as such."""
    server.execute(f"CREATE ROLE limited LOGIN PASSWORD 'limited'; GRANT ALL ON DATABASE {database} TO limited")
    server.execute("GRANT ALL ON SCHEMA public TO limited", database)
    server.execute(f"ALTER DATABASE {database} CONNECTION LIMIT 2")
    try:
        made = await climb(target(server, database, user="limited", password="limited"))  # noqa: S106 - the test's own
    finally:
        server.execute("DROP OWNED BY limited", database)
        server.execute(f"REVOKE ALL ON DATABASE {database} FROM limited; DROP ROLE limited")
    assert made.stopped == "limits"
    assert "the database may have 2" in made.words
    assert "Make room" in made.words


async def test_a_short_statement_timeout_is_told_and_switched_off(server: Postgres17, database: str) -> None:
    """Ours run as long as they must, whatever the database's default."""
    server.execute(f"ALTER DATABASE {database} SET statement_timeout = '2s'")
    place = target(server, database)
    made = await climb(place)
    assert made.error is None, made.words
    assert '"statement_timeout" : "2000ms"' in made.found["limits"].found
    with place.connect() as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


async def test_a_line_that_goes_dead_stops_the_climb(server: Postgres17, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is taken and nothing comes back, as behind a tunnel that has lost its far end."""
    monkeypatch.setattr(shared, "QUERY_SECONDS", 1.0)
    with Proxy(server.port) as proxy:
        place = target(server, port=str(proxy.port))
        ground = ladder.Ground(place, "public", "here")
        await ground.ask("SELECT 1")
        proxy.line = Line(Way.HOLD)
        with pytest.raises(ZenniError, match="stopped answering") as raised:
            await ladder.STEPS[ladder.NAMES.index("line")].look(ground)
        ground.close()
        proxy.line = Line()
    assert "VPN" in raised.value.next_step


@pytest.mark.parametrize("name", ladder.NAMES[ladder.NAMES.index("login") :])
async def test_a_line_that_is_cut_in_the_middle_is_told_in_our_words(server: Postgres17, name: str) -> None:
    """Wherever it is cut, before the greeting or in an answer, no rung speaks of the driver's inside."""
    seen = set()
    for reset in (True, False):
        for tenths in range(8):
            with Proxy(server.port) as proxy:
                proxy.line = Line(latency=0.01)
                made = asyncio.create_task(climb(target(server, port=str(proxy.port)), name))
                await asyncio.sleep(tenths * 0.02 + 0.005)
                await asyncio.to_thread(proxy.cut, reset=reset)
                end = await made
            if end.error is not None:
                assert isinstance(end.error, NotReady)
                assert end.error.next_step
                seen.add(end.error.why)
                assert not re.search(r"asyncpg|protocol|Error|operation|Errno|_", end.error.why), end.words
    assert seen


async def test_a_slow_line_is_measured(server: Postgres17) -> None:
    """Round trip and rate are those of the line, so that the copy's time can be told beforehand."""
    with Proxy(server.port) as proxy:
        proxy.line = Line(latency=0.02, rate=2_000_000)
        made = await climb(target(server, port=str(proxy.port)), "line", load=200_000_000)
    assert made.error is None, made.words
    told = _MEASURED.search(made.found["line"].found)
    assert told is not None, made.found["line"].found
    trip, rate, minutes, seconds = map(float, told.groups())
    # A busy machine makes a line longer and thinner, never shorter or wider.
    assert 40 <= trip <= 1000
    assert 0.2 <= rate <= 3.0
    assert 200 / (rate + 0.05) - 1 <= 60 * minutes + seconds <= 200 / (rate - 0.05) + 1


_MEASURED = re.compile(r"round trip ([\d.]+) ms, upload ([\d.]+) MB/s; .* at least (\d+) min (\d+) s")


async def test_what_is_there_already_is_told(server: Postgres17, database: str) -> None:
    """Objects of others, runs of ours, and a run that holds the target right now."""
    place = target(server, database)
    server.execute("CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO b VALUES (1)", database)
    made = await climb(place, "contents")
    assert made.found["contents"].ok is None
    assert "2 tables, 1 of them with rows" in made.found["contents"].found
    with place.connect() as connection:
        row = bookkeeping.RunRow("another", "migrate", "public", "s", "p", "f")
        fence = bookkeeping.begin(connection, row, "ann@there")
        held = await climb(place, "contents")
        assert held.stopped == "contents"
        assert "ann@there" in held.words
        bookkeeping.release(connection, fence)
    free = await climb(place, "contents")
    assert "from earlier runs of ours: another" in free.found["contents"].found


def test_dates_of_certificates_are_told_in_utc() -> None:
    """A certificate's words are those of its own fields."""
    words: dict[str, Any] = {
        "subject": ((("commonName", "db"),),),
        "issuer": ((("commonName", "authority"),),),
        "notBefore": "Jan  1 00:00:00 2026 GMT",
        "notAfter": "Feb  1 12:00:00 2026 GMT",
        "subjectAltName": (("DNS", "db.example.org"), ("IP Address", "127.0.0.1")),
    }
    known = tls._certificate(words)
    assert known.ends == dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
    assert str(known) == "for db.example.org, 127.0.0.1, issued by authority, valid until 2026-02-01"
