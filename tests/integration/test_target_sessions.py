"""Lines on the target: opened again, their zombies ended, and cut when they are dead, but only then."""

from collections.abc import Iterator

import psycopg
import pytest

from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.proxy import Line as Way
from zenni_tui.sandbox.proxy import Proxy
from zenni_tui.sandbox.proxy import Way as How
from zenni_tui.target.connect import Target
from zenni_tui.target.sessions import Line, Watch, end_all
from zenni_tui.target.silence import Heard, Silent


@pytest.fixture
def proxy(server: sandbox.Server) -> Iterator[Proxy]:
    """Yield a line to the server that can be spoilt."""
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def target(database: dict[str, str], proxy: Proxy) -> Target:
    """Return the test's database behind that line."""
    through = database | {"port": str(proxy.port)}
    return Target(through, database["password"], name="zenni-tui test_sessions")


def pids(database: dict[str, str]) -> set[int]:
    """Return the server processes that bear the target's name."""
    with psycopg.connect(**database) as outside:
        found = outside.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'zenni-tui test_sessions'"
            " AND datname = current_database()"
        )
        return {pid for (pid,) in found}


def test_a_line_that_was_lost_is_opened_again_and_its_zombie_ended(
    target: Target, proxy: Proxy, database: dict[str, str]
) -> None:
    """While the line is held the server keeps our session and its lock; the next connection ends it first."""
    line = Line(target)
    line.connection.execute("CREATE TABLE t (id int)")
    line.connection.execute("BEGIN; LOCK TABLE t")
    before = line.session
    assert before is not None
    proxy.line = Way(How.HOLD)
    line.close()
    assert pids(database) == {before.pid}
    proxy.line = Way()
    assert line.connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert line.session is not None
    assert pids(database) == {line.session.pid}
    line.connection.execute("INSERT INTO t VALUES (1)")
    line.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a line be suspected after a second."""
    monkeypatch.setattr(Heard, "silence", 1.0)
    monkeypatch.setattr(Heard, "answer", 3.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", [How.HOLD, How.STALL])
def test_a_dead_line_is_cut(target: Target, proxy: Proxy, how: How) -> None:
    """A line that delivers nothing is found out, whether it acknowledges or not, and whoever waits learns of it."""
    line = Line(target)
    session = line.connection
    proxy.line = Way(how)
    with pytest.raises(Silent, match="Nothing came for 1 s"):
        session.execute("SELECT 1")
    proxy.line = Way()
    assert line.connection is not session
    assert line.connection.execute("SELECT 1").fetchone() == (1,)
    line.close()


@pytest.mark.usefixtures("impatient")
def test_a_copy_into_nothing_is_noticed(target: Target, proxy: Proxy) -> None:
    """A line that swallows a whole COPY and never answers is dead, too."""
    with target.connect() as connection:
        connection.execute("CREATE TABLE t (id int)")
        with pytest.raises(Silent), connection.cursor().copy("COPY t FROM STDIN") as copy:  # noqa: PT012 - all of it
            proxy.line = Way(How.HOLD)
            copy.write("1\n" * 10_000)
        proxy.line = Way()


@pytest.mark.usefixtures("impatient")
def test_what_a_dead_line_has_locked_is_free_for_the_next(target: Target, proxy: Proxy) -> None:
    """The server goes on holding the locks of a session that it does not know to be lost: the next one ends it."""
    with target.connect() as connection:
        connection.execute("CREATE TABLE t (id int)")
        connection.execute("BEGIN; LOCK TABLE t")
        proxy.line = Way(How.HOLD)
        with pytest.raises(Silent):
            connection.execute("SELECT 1")
    proxy.line = Way()
    with target.connect() as again:
        again.execute("SET lock_timeout = '2s'")
        assert again.execute("SELECT count(*) FROM t").fetchone() == (0,)


@pytest.mark.usefixtures("impatient")
def test_a_server_at_work_is_left_alone(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence of a server that says it works for us is no death."""
    monkeypatch.setattr(Heard, "answer", 60.0)
    with target.connect() as connection:
        assert connection.execute("SELECT 7 FROM pg_sleep(4)").fetchone() == (7,)


@pytest.mark.usefixtures("impatient")
def test_a_thin_line_is_left_alone(target: Target, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """While bytes move there is no silence, however few they are."""
    monkeypatch.setattr(Heard, "silence", 2.0)
    with target.connect() as connection:
        proxy.line = Way(rate=3_000)
        assert connection.execute("SELECT repeat('x', 18000)").fetchone() == ("x" * 18_000,)


def test_whoever_should_let_go_is_interrupted(target: Target) -> None:
    """A query that would take a minute is cancelled as soon as it should let go; the line stays good."""
    line = Line(target)
    with pytest.raises(psycopg.errors.QueryCanceled), Watch(lambda: True).over(line) as connection:
        connection.execute("SELECT pg_sleep(60)")
    assert line.connection.execute("SELECT 1").fetchone() == (1,)
    line.close()


def test_what_a_lost_client_holds_is_freed_by_the_server(target: Target) -> None:
    """A transaction left open is ended by the server within a minute, and a long statement when its client is gone."""
    line = Line(target)
    query = "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting(%s)"
    assert line.connection.execute(query, ("client_connection_check_interval",)).fetchone() == ("1min", "10s")
    line.close()


def test_ending_all_spares_others_and_itself(target: Target, database: dict[str, str]) -> None:
    """Only sessions of that name end, and not the one that asks."""
    lines = [Line(target) for _ in range(3)]
    asking, *others = [line.connection for line in lines]
    with psycopg.connect(**database) as stranger:
        end_all(asking, target.name)
        assert stranger.execute("SELECT 1").fetchone() == (1,)
    assert lines[0].session is not None
    assert pids(database) == {lines[0].session.pid}
    for other in others:
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
    for line in lines:
        line.close()
