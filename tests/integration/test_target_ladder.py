"""Every rung of the ladder stops at what it is there for and says what to do; none of them writes."""

import datetime as dt
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import certificates
import pgbouncer
import postgres17
import psycopg
import pytest
from faults.proxy import Line, Proxy, Way
from postgres17 import Postgres17

from zenni_tui.errors import ZenniError
from zenni_tui.target import bookkeeping, catalogue, ladder, supabase
from zenni_tui.target.connect import Target
from zenni_tui.target.ladder import ground as shared
from zenni_tui.target.ladder import name as naming
from zenni_tui.target.ladder import tcp, tls

AUTHORITY = certificates.authority()


class Climb(NamedTuple):
    """How far a climb came: what each rung found, where it stopped and why."""

    found: dict[str, ladder.Rung]
    stopped: str
    error: ZenniError | None

    @property
    def words(self) -> str:
        """Return the error's parts in one text."""
        e = self.error
        return f"{e.what} | {e.where} | {e.why} | {e.next_step}" if e else ""


async def climb(target: Target, *names: str, workers: int = 2, load: int = 0) -> Climb:
    """Climb the ladder, or some rungs of it."""
    ground = ladder.Ground(target, "public", "here", workers, load)
    found: dict[str, ladder.Rung] = {}
    try:
        for step in ladder.STEPS:
            if not names or step.name in names:
                try:
                    found[step.name] = await step.look(ground)
                except ZenniError as error:
                    return Climb(found, step.name, error)
    finally:
        ground.close()
    return Climb(found, "", None)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres17]:
    """Yield a server with TLS."""
    with postgres17.running() as made:
        made.show(certificates.issued(AUTHORITY, "127.0.0.1"))
        yield made


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Return the file of the authority's certificate."""
    return str(AUTHORITY.write(tmp_path, "root")[0])


@pytest.fixture
def database(server: Postgres17) -> Iterator[str]:
    """Yield the name of a database of the test's own."""
    name = f"test_{secrets.token_hex(6)}"
    server.create_database(name)
    yield name
    server.drop_database(name)


@pytest.fixture
def role(server: Postgres17, database: str) -> Iterator[str]:
    """Yield the name of a plain role that may do all in its database; its password is its name."""
    name = f"role_{secrets.token_hex(6)}"
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'; GRANT ALL ON DATABASE {database} TO {name}")
    server.execute(f"GRANT ALL ON SCHEMA public TO {name}", database)
    yield name
    server.execute(f"DROP OWNED BY {name}", database)
    server.execute(f"REVOKE ALL ON DATABASE {database} FROM {name}; DROP ROLE {name}")


def target(server: Postgres17, database: str = "postgres", **changes: str) -> Target:
    """Return a database of the server as a target."""
    return Target(
        server.conninfo(database) | {"sslmode": "require"} | changes, changes.get("password", server.password), name="t"
    )


async def test_a_sound_target_passes_every_rung_and_stays_untouched(
    server: Postgres17, database: str, root: str
) -> None:
    """All rungs are climbed, in order; the server ran no writing transaction, and its catalogue is the same."""
    place = target(server, database, sslmode="verify-full", sslrootcert=root)
    with server.session(database) as session:
        before = session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
        print_before = catalogue.fingerprint(session)
        made = await climb(place, load=1_000_000)
        assert made.error is None, made.words
        assert tuple(made.found) == ladder.NAMES
        assert all(r.ok and r.tried and r.found for r in made.found.values()), made.found
        assert session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone() == before
        assert catalogue.fingerprint(session) == print_before
    assert "TLSv1.3" in made.found["tls"].found
    assert "authority and name checked" in made.found["tls"].found
    assert "17.10" in made.found["server"].found
    assert "the server itself" in made.found["pooler"].found
    assert "1,000,000 bytes take at least" in made.found["line"].found
    assert "is empty" in made.found["contents"].found


@pytest.mark.parametrize("name", ladder.NAMES)
async def test_every_rung_can_be_climbed_alone(server: Postgres17, database: str, name: str) -> None:
    """None needs what another one found."""
    made = await climb(target(server, database), name)
    assert made.error is None, made.words
    assert tuple(made.found) == (name,)


async def test_a_name_that_nobody_knows_stops_the_first_rung(server: Postgres17) -> None:
    """Spelling, VPN and DNS are what to look at."""
    made = await climb(target(server, host="db.nowhere.invalid"))
    assert made.stopped == "name"
    assert "can't be resolved" in made.words
    assert "VPN" in made.words


@pytest.mark.parametrize(
    ("host", "advice"),
    [("db.abcdefghij.supabase.co", "postgres.abcdefghij"), ("db.example.org", "IPv6, or ask for a name")],
)
async def test_an_endpoint_with_ipv6_alone_is_explained(
    server: Postgres17, monkeypatch: pytest.MonkeyPatch, host: str, advice: str
) -> None:
    """Without an IPv6 line the way out is told: at Supabase the session pooler's address and user name."""
    answer = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::7", server.port, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    monkeypatch.setattr(naming, "has_route", lambda address: address.family != socket.AF_INET6)
    made = await climb(target(server, host=host))
    assert made.stopped == "name"
    assert "only an IPv6 address" in made.words
    assert "2001:db8::7" in made.words
    assert advice in made.words
    assert (supabase.SESSION_POOLER in made.words) is host.endswith("supabase.co")


async def test_of_both_families_the_one_with_a_line_is_used(
    server: Postgres17, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An AAAA record in front of the A record stops nobody who has IPv4 only."""
    both = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::7", server.port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    monkeypatch.setattr(naming, "has_route", lambda address: address.family != socket.AF_INET6)
    made = await climb(target(server, host="both.example.org"), "name", "tcp")
    assert made.error is None, made.words
    assert f"127.0.0.1:{server.port} answers" in made.found["tcp"].found


async def test_a_resolver_that_never_answers_is_waited_for_a_bounded_time(
    server: Postgres17, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver can't be interrupted, so it is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(naming, "NAME_SECONDS", 0.2)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: silent.accept())
        made = await climb(target(server, host="slow.example.org"))
    assert made.stopped == "name"
    assert "No answer" in made.words


async def test_a_refusing_port_stops_the_second_rung(server: Postgres17) -> None:
    """The machine is there, the server isn't."""
    made = await climb(target(server, port=str(postgres17.free_port())))
    assert made.stopped == "tcp"
    assert "Nothing listens" in made.words
    assert "refused" in made.words
    assert "5432" in made.words


@pytest.mark.parametrize(("up", "words"), [([], "no VPN is up"), (["wg0"], "firewall")])
async def test_a_silent_address_is_a_firewall_or_a_vpn_that_is_down(
    server: Postgres17, monkeypatch: pytest.MonkeyPatch, up: list[str], words: str
) -> None:
    """A private address without an answer means the VPN, when none is up; else something drops what we send."""
    monkeypatch.setattr(tcp, "TCP_SECONDS", 0.3)
    monkeypatch.setattr(tcp, "tunnels", lambda: up)
    with socket.socket() as full, ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):
            link = stack.enter_context(socket.socket())
            link.settimeout(0)
            link.connect_ex(full.getsockname())
        made = await climb(target(server, port=str(full.getsockname()[1])))
    assert made.stopped == "tcp"
    assert "does not answer" in made.words
    assert words in made.words


def test_an_address_without_a_way_to_it_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """No route is the network's or the VPN's own state, not a firewall's."""
    monkeypatch.setattr(tcp, "tunnels", list)
    door = tcp.Door("10.9.8.7", 5432)
    error = tcp.judge(door, shared.Address(socket.AF_INET, ("10.9.8.7", 5432)), OSError(101, "Network is unreachable"))
    assert "no way" in error.what
    assert "VPN" in error.next_step
    assert "Network is unreachable" in error.why


async def test_of_several_hosts_one_is_enough_and_the_dead_one_is_told(server: Postgres17) -> None:
    """What is wrong with the first is to be known; the one in use is shown."""
    dead = postgres17.free_port()
    made = await climb(target(server, host="127.0.0.1,127.0.0.1", port=f"{dead},{server.port}"))
    assert made.error is None, made.words
    assert made.found["tcp"].ok is None
    assert f"127.0.0.1:{dead}: Nothing listens" in made.found["tcp"].found
    assert f"in use of the list: 127.0.0.1:{server.port}" in made.found["login"].found


DAY = certificates.DAY
UNSOUND = [
    (certificates.issued(AUTHORITY, "127.0.0.1", last=-DAY / 2), "has expired", "Renew it"),
    (certificates.issued(AUTHORITY, "127.0.0.1", first=DAY), "not valid yet", "clock"),
    (certificates.issued(AUTHORITY, "db.example.org"), "for another name", "by a name that it bears"),
    (certificates.issued(certificates.authority("Stranger"), "127.0.0.1"), "another authority", "right authority"),
    (certificates.issued(None, "127.0.0.1"), "signed by itself", "certificate itself as sslrootcert"),
]


@pytest.mark.parametrize(("pair", "what", "advice"), UNSOUND, ids=[u[1] for u in UNSOUND])
async def test_an_unsound_certificate_stops_the_third_rung(
    server: Postgres17, root: str, pair: certificates.Pair, what: str, advice: str
) -> None:
    """Each way of being unsound has its own words, which libpq hasn't; without an authority it is only told."""
    server.show(pair)
    try:
        made = await climb(target(server, sslmode="verify-full", sslrootcert=root))
        relaxed = await climb(target(server), "tls")
    finally:
        server.show(certificates.issued(AUTHORITY, "127.0.0.1"))
    assert made.stopped == "tls"
    assert what in made.words
    assert advice in made.words
    assert relaxed.error is None
    assert relaxed.found["tls"].ok is None
    assert "nobody checked" in relaxed.found["tls"].found
    assert "verify-full" in relaxed.found["tls"].advice


async def test_the_name_counts_for_verify_full_only(server: Postgres17, root: str) -> None:
    """With verify-ca the authority is enough, as for libpq."""
    server.show(certificates.issued(AUTHORITY, "db.example.org", last=10 * DAY))
    try:
        made = await climb(target(server, sslmode="verify-ca", sslrootcert=root))
    finally:
        server.show(certificates.issued(AUTHORITY, "127.0.0.1"))
    assert made.error is None, made.words
    assert made.found["tls"].ok is None
    assert "9 days left" in made.found["tls"].found
    assert "Renew" in made.found["tls"].advice


async def test_a_missing_authority_is_named(server: Postgres17, tmp_path: Path) -> None:
    """The file that can't be read is in the message."""
    made = await climb(target(server, sslmode="verify-full", sslrootcert=str(tmp_path / "none.pem")))
    assert made.stopped == "tls"
    assert str(tmp_path / "none.pem") in made.words


async def test_a_server_without_tls_is_refused_when_tls_is_asked_for() -> None:
    """With require the ladder stops; with prefer it tells that the line is in the clear."""
    with postgres17.running() as plain:
        made = await climb(target(plain))
        assert made.stopped == "tls"
        assert "offers no TLS" in made.words
        assert "ssl = on" in made.words
        relaxed = await climb(target(plain, sslmode="prefer"))
        assert relaxed.error is None
        assert "not encrypted" in relaxed.found["tls"].found


@pytest.mark.parametrize(
    ("answer", "words"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "no PostgreSQL"), (b"", "taken and closed")]
)
async def test_something_else_behind_the_port_is_seen(server: Postgres17, answer: bytes, words: str) -> None:
    """A web server, and a tunnel that has lost its far end, take the connection like a server would."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def serve() -> None:
            while True:
                try:
                    link, _ = other.accept()
                except OSError:
                    return
                with link:
                    link.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        made = await climb(target(server, port=str(other.getsockname()[1])))
        other.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert made.stopped == "tls"
    assert words in made.words
    assert "5432" in made.words


LOGINS = [
    ({"password": "wrong"}, "refused the password", "PGPASSWORD"),
    ({"user": "postgres.abc"}, "refused the password", "PGPASSWORD"),
    ({"dbname": "no_such_database"}, "no such database", "correct the name"),
]


@pytest.mark.parametrize(("changes", "what", "advice"), LOGINS)
async def test_a_login_that_fails_stops_the_fourth_rung(
    server: Postgres17, changes: dict[str, str], what: str, advice: str
) -> None:
    """The cause is told by its own words, without the password."""
    made = await climb(target(server, **changes))
    assert made.stopped == "login"
    assert what in made.words
    assert advice in made.words
    assert server.password not in made.words


FORBIDDEN = [
    ("ALTER ROLE {role} NOLOGIN", "may not log in", "LOGIN"),
    ("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC, {role}", "may not connect to this database", "GRANT CONNECT"),
]


@pytest.mark.parametrize("case", FORBIDDEN)
async def test_a_role_that_is_not_let_in_is_told_why(
    server: Postgres17, database: str, role: str, case: tuple[str, str, str]
) -> None:
    """The missing right is named, and the statement that gives it."""
    statement, what, advice = case
    server.execute(statement.format(role=role, database=database))
    made = await climb(target(server, database, user=role, password=role))
    assert made.stopped == "login"
    assert what in made.words
    assert advice in made.words


async def test_an_address_that_the_server_does_not_admit_is_told(server: Postgres17, database: str) -> None:
    """No line of pg_hba.conf lets it in: managed servers call that a list of allowed addresses."""
    rules = (server.data / "pg_hba.conf").read_text()
    server.admit(f"host {database} all 127.0.0.1/32 reject")
    server.reload()
    try:
        made = await climb(target(server, database))
    finally:
        (server.data / "pg_hba.conf").write_text(rules)
        server.reload()
    assert made.stopped == "login"
    assert "lets nobody in" in made.words
    assert "allowed addresses" in made.words


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
    """How many were wanted, given and in use is told, and the number of workers that fits; with that it passes."""
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 5")
    near = await climb(target(server, database, user=role, password=role), workers=2)
    assert "[copy] workers = 1" in near.words
    assert (await climb(target(server, database, user=role, password=role), workers=1)).error is None
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 3")
    place = target(server, database, user=role, password=role)
    made = await climb(place, workers=2)
    assert made.stopped == "limits"
    assert "6 are wanted and 3 were given" in made.words
    assert "the role may have 3" in made.words
    assert "Make room" in made.words


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


async def test_a_slow_line_is_measured(server: Postgres17) -> None:
    """Round trip and rate are those of the line, so that the copy's time can be told beforehand."""
    with Proxy(server.port) as proxy:
        proxy.line = Line(latency=0.02, rate=2_000_000)
        made = await climb(target(server, port=str(proxy.port)), "line", load=200_000_000)
    assert made.error is None, made.words
    words = made.found["line"].found.split()
    assert 40 <= float(words[2]) <= 120
    assert 1.0 <= float(words[5]) <= 3.0
    assert "1 min" in made.found["line"].found or "2 min" in made.found["line"].found


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
