"""Servers that listen to IPv6 or IPv4 alone, and names that lead to one, to both, or nowhere from here.

The program runs with a file of host names of its own, which the system's own resolver reads, in a mount namespace;
without a network in a network namespace. A machine without `::1` or without namespaces fails here.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import postgres17
import pytest
from postgres17 import Postgres17
from psycopg.conninfo import make_conninfo
from support import Outcome, Program

from zenni_tui.target import supabase

HOSTS = """
127.0.0.1 localhost four.test both.test
::1 six.test both.test
2001:db8::7 db.abcdefghij.supabase.co db.far.test astray.test
127.0.0.1 astray.test
"""
"""2001:db8::/32 is for documentation (RFC 3849): it leads nowhere."""


@pytest.fixture(scope="module", params=["::1", "127.0.0.1"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres17]:
    """Yield a server that listens to one family alone."""
    with postgres17.running(request.param) as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of a small database."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        made.executemany("INSERT INTO owner VALUES (?, ?)", [(i, f"owner {i}") for i in range(200)])
        made.commit()
    return str(path)


def surround(program: Program, *spaces: str) -> None:
    """Let the program see our host names, in more namespaces of its own where named."""
    hosts = program.home / "hosts"
    hosts.write_text(HOSTS)
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    program.within = ("unshare", "--map-root-user", "--mount", *spaces, "sh", "-c", script, str(hosts))


def go(program: Program, verb: str, source: str, server: Postgres17, host: str) -> Outcome:
    """Start a verb against a server by one of its names and return the outcome."""
    url = make_conninfo("", **server.conninfo() | {"host": host})
    return program.run(verb, "--source", source, environment={"ZENNI_TARGET_URL": url})


def rung(outcome: Outcome, name: str) -> dict[str, str]:
    """Return one rung of the ladder."""
    return next(c for c in outcome.step("reach")["checks"] if c["name"] == name)


def test_a_listener_of_one_family(program: Program, server: Postgres17, source: str) -> None:
    """By its address, its name, and a name of both families it is reached, and told by which; a rehearsal passes."""
    surround(program)
    six = ":" in server.host
    address = f"[::1]:{server.port}" if six else f"127.0.0.1:{server.port}"
    for host in (server.host, "six.test" if six else "four.test"):
        made = go(program, "check", source, server, host)
        assert made.code == 0, made.narration
        assert f"{address} answers" in rung(made, "tcp")["found"]
    made = go(program, "rehearse", source, server, "both.test")
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    assert f"{address} answers" in rung(made, "tcp")["found"]
    assert {"::1", "127.0.0.1"} <= set(rung(made, "name")["found"].replace(",", "").split())


def test_the_other_family_is_refused(program: Program, server: Postgres17, source: str) -> None:
    """By an address or a name of the other family, the ladder stops at the TCP rung and says what to look at."""
    surround(program)
    other, name, family = ("127.0.0.1", "four.test", "IPv4") if ":" in server.host else ("::1", "six.test", "IPv6")
    for host in (other, name):
        made = go(program, "check", source, server, host)
        assert made.code == 3
        assert rung(made, "name")["ok"] is True
        broken = rung(made, "tcp")
        assert broken["ok"] is False
        assert "Nothing listens" in broken["found"]
        assert f"listen_addresses), by {family} too" in broken["advice"]


def test_an_address_that_leads_nowhere_stops_nobody(program: Program, source: str) -> None:
    """A name with an AAAA record beside its A record is reached from a machine without a way to the former."""
    surround(program)
    with postgres17.running() as server:
        made = go(program, "rehearse", source, server, "astray.test")
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    assert f"127.0.0.1:{server.port} answers" in rung(made, "tcp")["found"]


@pytest.mark.parametrize(
    ("host", "advice"),
    [("db.abcdefghij.supabase.co", "postgres.abcdefghij"), ("db.far.test", "IPv6, or ask for a name")],
)
def test_an_endpoint_with_ipv6_alone_from_a_machine_without(
    program: Program, source: str, host: str, advice: str
) -> None:
    """The name rung stops and tells the way out: at Supabase the session pooler's address and user name."""
    surround(program, "--net")
    url = f"postgresql://postgres:{secrets.token_hex(4)}@{host}/postgres"
    made = program.run("check", "--source", source, environment={"ZENNI_TARGET_URL": url})
    assert made.code == 3
    broken = rung(made, "name")
    assert broken["ok"] is False
    assert "only an IPv6 address" in broken["found"]
    assert "2001:db8::7" in broken["found"]
    assert advice in broken["advice"]
    assert (supabase.SESSION_POOLER in broken["advice"]) is host.endswith("supabase.co")
