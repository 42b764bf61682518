"""The rungs up to the login stop at what they are there for and say what to do; none of them writes."""

import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import certificates
import postgres17
import pytest
from climbing import AUTHORITY, climb, target
from postgres17 import Postgres17

from zenni_tui.target import catalogue, ladder
from zenni_tui.target.ladder import ground as shared
from zenni_tui.target.ladder import name as naming
from zenni_tui.target.ladder import tcp


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
