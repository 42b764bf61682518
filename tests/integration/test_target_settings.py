"""Both drivers reach the same place by the same settings, wherever these come from, and TLS means what it says."""

import socket
from collections.abc import Iterator
from pathlib import Path

import certificates
import postgres17
import psycopg
import pytest
from postgres17 import Postgres17

from zenni_tui.errors import NotReady, UsageError
from zenni_tui.target import libpq
from zenni_tui.target.connect import Target

AUTHORITY = certificates.authority()
GOOD = certificates.issued(AUTHORITY, "127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres17]:
    """Yield a server with TLS and a certificate of our own authority's."""
    with postgres17.running() as made:
        made.show(GOOD, AUTHORITY)
        made.execute("CREATE ROLE certified LOGIN")
        made.admit("hostssl all certified 127.0.0.1/32 cert")
        made.admit("hostnossl all all 127.0.0.1/32 reject")
        made.admit("host all postgres 127.0.0.1/32 scram-sha-256")
        made.reload()
        yield made


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Return the file of the authority's certificate."""
    return str(AUTHORITY.write(tmp_path, "root")[0])


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep libpq's files and variables of the machine out of the test."""
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def both(place: Target) -> str:
    """Connect with psycopg and return its TLS version, empty without TLS."""
    with place.connect() as connection:
        row = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    return str(row[0] or "") if row else ""


async def second(place: Target) -> str:
    """Connect with asyncpg and return its TLS version, empty without TLS."""
    connection = await place.connect_async()
    try:
        return str(await connection.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()") or "")
    finally:
        await connection.close()


def target(server: Postgres17, **changes: str) -> Target:
    """Return the server as a target."""
    return Target(server.conninfo() | changes, changes.get("password", server.password), name="tests")


async def test_a_verified_line_is_verified_by_both_drivers(server: Postgres17, root: str) -> None:
    """With the right authority and name both drivers connect over TLS 1.3."""
    server.show(GOOD)
    place = target(server, sslmode="verify-full", sslrootcert=root)
    assert both(place) == await second(place) == "TLSv1.3"


WRONG = [
    pytest.param(certificates.issued(certificates.authority(), "127.0.0.1"), id="another authority"),
    pytest.param(certificates.issued(None, "127.0.0.1"), id="signed by itself"),
    pytest.param(certificates.issued(AUTHORITY, "db.example.org"), id="wrong name"),
    pytest.param(certificates.issued(AUTHORITY, "127.0.0.1", last=-certificates.DAY / 2), id="expired"),
]


@pytest.mark.parametrize("pair", WRONG)
async def test_an_unsound_certificate_stops_both_drivers(
    server: Postgres17, root: str, pair: certificates.Pair
) -> None:
    """Neither driver talks to a server that can't prove itself when verify-full is asked for; require asks for none."""
    server.show(pair)
    place = target(server, sslmode="verify-full", sslrootcert=root)
    with pytest.raises(NotReady):
        both(place)
    with pytest.raises((OSError, ConnectionError)):
        await second(place)
    relaxed = target(server, sslmode="require")
    assert both(relaxed) == await second(relaxed) == "TLSv1.3"


async def test_a_client_certificate_reaches_both_drivers(server: Postgres17, tmp_path: Path) -> None:
    """A role that logs in by certificate needs no password, with either driver."""
    server.show(GOOD, AUTHORITY)
    certificate, key = certificates.issued(AUTHORITY, "certified").write(tmp_path, "client")
    place = target(server, user="certified", password="", sslmode="require", sslcert=str(certificate), sslkey=str(key))
    assert both(place) == await second(place) == "TLSv1.3"
    with pytest.raises(NotReady):
        both(target(server, user="certified", password="", sslmode="require"))


async def test_the_environment_serves_both_drivers(
    server: Postgres17, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PG* variables count for what isn't given; what is given comes first."""
    server.show(GOOD)
    named = server.conninfo()
    for variable, value in (
        ("PGHOST", named["host"]),
        ("PGPORT", named["port"]),
        ("PGUSER", named["user"]),
        ("PGDATABASE", named["dbname"]),
        ("PGPASSWORD", named["password"]),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", root),
    ):
        monkeypatch.setenv(variable, value)
    place = Target({}, None, name="tests")
    assert both(place) == await second(place) == "TLSv1.3"
    assert place.parameters["sslmode"] == "verify-full"
    assert "password" not in place.parameters
    assert Target({"sslmode": "require"}, None, name="tests").parameters["sslmode"] == "require"
    embedded = Target({}, None, name="tests", embedded=True)
    assert embedded.parameters["sslmode"] == "disable"


async def test_of_several_hosts_the_first_that_answers_is_used_and_shown(server: Postgres17) -> None:
    """A dead host is passed over; the one in use is shown and tried first from then on."""
    dead = postgres17.free_port()
    place = target(server, host="127.0.0.1,127.0.0.1", port=f"{dead},{server.port}", target_session_attrs="read-write")
    assert place.facts("public").port == dead
    both(place)
    assert place.facts("public").port == server.port
    assert place.settings()["port"] == f"{server.port},{dead}"
    assert await second(place) == "TLSv1.3"
    assert place.label() == f"postgres@127.0.0.1:{dead},127.0.0.1:{server.port}/postgres"


async def test_a_dead_host_does_not_stop_the_second_driver(server: Postgres17) -> None:
    """The second driver goes on to the next host by itself."""
    place = target(server, host="127.0.0.1,127.0.0.1", port=f"{postgres17.free_port()},{server.port}")
    assert await second(place)


async def test_a_silent_host_costs_its_time_only(server: Postgres17) -> None:
    """A host that takes the connection and never answers is given up after connect_timeout, by both drivers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = f"{silent.getsockname()[1]},{server.port}"
        place = target(server, host="127.0.0.1,127.0.0.1", port=port, connect_timeout="2", sslmode="disable")
        place.parameters["sslmode"] = "require"
        assert both(place)
        fresh = target(server, host="127.0.0.1,127.0.0.1", port=port, connect_timeout="2")
        fresh.in_use = place.in_use
        assert await second(fresh)


def test_our_timeouts_give_way_to_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's own patience comes before ours, but for waiting without end."""
    assert Target({"host": "h"}, None, name="t").settings()["tcp_user_timeout"] == "10000"
    assert Target({"host": "h", "keepalives_idle": "60"}, None, name="t").settings()["keepalives_idle"] == "60"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "3")
    assert Target({"host": "h"}, None, name="t").settings()["connect_timeout"] == "3"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "0")
    assert Target({"host": "h"}, None, name="t").settings()["connect_timeout"] == "10"


def test_files_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file named relatively is taken from where the operator stands: the engine works elsewhere."""
    monkeypatch.chdir(tmp_path)
    found = libpq.resolve({"host": "h", "sslmode": "verify-ca", "sslrootcert": "ca.pem"})
    assert found["sslrootcert"] == str(tmp_path / "ca.pem")
    system = libpq.resolve({"host": "h", "sslmode": "verify-full", "sslrootcert": "system"})
    assert system["sslrootcert"] == "system"


SENSELESS = [
    ({"sslmode": "sometimes"}, "sslmode"),
    ({"host": "a,b", "port": "1,2,3"}, "3 port numbers to 2 hosts"),
    ({"service": "nowhere"}, 'service "nowhere" not found'),
    ({"host": "h", "sslpassword": "secret"}, ""),
]


@pytest.mark.parametrize(("given", "why"), SENSELESS)
def test_what_libpq_would_refuse_is_a_usage_error(given: dict[str, str], why: str) -> None:
    """The complaint of libpq is told, before anything is connected to; a secret is not repeated."""
    with pytest.raises(UsageError) as raised:
        libpq.resolve(given)
    assert why in raised.value.why
    assert "secret" not in str(raised.value.problem)


def test_settings_that_this_server_lacks_are_passed_over(server: Postgres17) -> None:
    """Every default that could end a long piece of work is off in our sessions."""
    server.execute("ALTER ROLE postgres SET transaction_timeout = '5s'; ALTER ROLE postgres SET lock_timeout = '1s'")
    try:
        with target(server).connect() as connection:
            found = connection.execute("SELECT current_setting('transaction_timeout'), current_setting('lock_timeout')")
            assert found.fetchone() == ("0", "0")
        with psycopg.connect(**server.conninfo(), sslmode="require") as plain:
            assert plain.execute("SHOW lock_timeout").fetchone() == ("1s",)
    finally:
        server.execute("ALTER ROLE postgres RESET ALL")
