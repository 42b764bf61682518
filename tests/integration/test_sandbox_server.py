"""Embedded PostgreSQL: it starts, it is shut to strangers, and it never outlives those who want it."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import Occupied, UsageError
from zenni_tui.sandbox import registry
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.binaries import server_account
from zenni_tui.sandbox.holds import Hold

HOLDER = """
import sys
from zenni_tui.sandbox import server
held = server.start(sys.argv[1], keep_data=len(sys.argv) > 2)
print(held.directory, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a name for the test's own server, which is gone afterwards whatever the test did."""
    name = request.node.name.removeprefix("test_")[:60].replace("[", "-").replace("]", "")
    yield name
    sandbox.remove(name)


def connect(running: sandbox.Server) -> psycopg.Connection[tuple[object, ...]]:
    """Open a session of our own."""
    return psycopg.connect(make_conninfo(**running.conninfo()), autocommit=True)


def eventually(reached: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runs(pid: int) -> bool:
    """Return whether the process lives; one that waits for its parent's attention does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pids_of(record: registry.ServerRecord) -> tuple[int, int]:
    """Return the pids of keeper and postmaster."""
    assert record.keeper is not None
    assert record.postmaster is not None
    return record.keeper.pid, record.postmaster.pid


def left_on_disk(record: registry.ServerRecord) -> list[str]:
    """Return which of the server's folders still exist."""
    return [path for path in (record.directory, record.data, record.sockets) if Path(path).exists()]


@pytest.fixture
def holder(name: str) -> Iterator[tuple[subprocess.Popen[str], registry.ServerRecord]]:
    """Yield a process of its own that started a server and holds it, and that server's record."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    record = registry.read_record(Path(process.stdout.readline().strip()))
    assert record is not None
    with process:
        yield process, record
        process.kill()


def test_speaks_utf8_in_utc(name: str) -> None:
    """A server takes connections at once, in UTF-8, UTC and a locale that needs nothing of the host."""
    with sandbox.start(name) as running, connect(running) as session:
        row = session.execute(
            "SELECT current_setting('server_encoding'), current_setting('TimeZone'), datlocale,"
            " current_setting('listen_addresses'), current_setting('fsync'), current_user"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("UTF8", "UTC", "C.UTF-8", "127.0.0.1", "off", "zenni")


def test_takes_the_right_password_only(server: sandbox.Server) -> None:
    """A wrong password is refused on TCP and on the socket, and so is none at all."""
    with connect(server) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    for host in (server.host, server.record.sockets):
        for password in ("wrong", ""):
            wrong = make_conninfo(**{**server.conninfo(), "host": host, "password": password, "passfile": os.devnull})
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(wrong)


def test_secrets_and_files_are_private(server: sandbox.Server) -> None:
    """Files are 0600 and folders 0700, and the password is in no argument list, record or log."""
    for top, _, names in os.walk(server.directory):
        for path in (Path(top), *(Path(top, name) for name in names)):
            # What PostgreSQL has removed meanwhile is nobody's to read.
            with contextlib.suppress(FileNotFoundError):
                mode = path.stat().st_mode
                assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), path
    for path in ("server.json", "postgres.log"):
        assert server.password not in (server.directory / path).read_text()
    for pid in pids_of(server.record):
        assert server.password not in " ".join(psutil.Process(pid).cmdline())


def test_postgres_never_runs_as_root(server: sandbox.Server) -> None:
    """The postmaster runs as nobody when we are root, else as ourselves."""
    _, postmaster = pids_of(server.record)
    account = server_account()
    assert psutil.Process(postmaster).uids().effective == (account.uid if account else os.geteuid())


def test_goes_when_the_last_hold_is_closed(name: str) -> None:
    """Of two holders the first may go; when the second goes, nothing is left."""
    first = sandbox.start(name)
    second = sandbox.attach(name)
    assert second is not None
    record = second.record
    first.close()
    time.sleep(1.6)
    with connect(second) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    second.close()
    assert eventually(lambda: not left_on_disk(record))
    assert eventually(lambda: not any(runs(pid) for pid in pids_of(record)))


def test_an_inherited_descriptor_holds(name: str) -> None:
    """A process that inherited the hold keeps the server after its giver let go."""
    running = sandbox.start(name)
    heir = subprocess.Popen(["sleep", "60"], pass_fds=[running.hold().fileno()])
    running.close()
    time.sleep(1.6)
    assert runs(pids_of(running.record)[1])
    record = running.record
    heir.kill()
    heir.wait()
    assert eventually(lambda: not left_on_disk(record))


def test_killed_holder_takes_the_server_along(
    holder: tuple[subprocess.Popen[str], registry.ServerRecord],
) -> None:
    """After kill -9 of its only holder the server and its folders are gone within seconds."""
    process, record = holder
    process.kill()
    process.wait()
    assert eventually(lambda: not left_on_disk(record))
    assert eventually(lambda: not any(runs(pid) for pid in pids_of(record)))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's death on Linux")
def test_killed_keeper_takes_postgres_along(name: str) -> None:
    """After kill -9 of the keeper PostgreSQL stops by itself, and the next sweep removes the folders."""
    with sandbox.start(name) as running:
        record = running.record
        keeper, postmaster = pids_of(record)
        os.kill(keeper, signal.SIGKILL)
        assert eventually(lambda: not runs(postmaster))
        assert name in sandbox.sweep()
    assert not left_on_disk(record)


def test_sweep_clears_what_a_killed_keeper_left_running(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A postmaster that survived its keeper is found by its data folder and stopped, and its folders removed."""
    monkeypatch.setenv("ZENNI_NO_PDEATHSIG", "1")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        record = registry.read_record(Path(process.stdout.readline().strip()))
        assert record is not None
        keeper, postmaster = pids_of(record)
        os.kill(keeper, signal.SIGKILL)
        process.kill()
    assert eventually(lambda: not runs(keeper))
    time.sleep(0.3)
    assert runs(postmaster)
    assert name in sandbox.sweep()
    assert not runs(postmaster)
    assert not left_on_disk(record)


def test_sweep_leaves_living_servers_alone(server: sandbox.Server) -> None:
    """A server with a keeper is never swept, and sweeping twice finds nothing the second time."""
    sandbox.sweep()
    assert sandbox.sweep() == []
    with connect(server) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_kept_data_survive_everybody(name: str) -> None:
    """With keep_data the data outlive the last holder, and attach starts the server again on the same port."""
    with sandbox.start(name, keep_data=True) as running:
        running.create_database("treasure")
        record = running.record
    assert eventually(lambda: not registry.is_kept(Path(record.directory)))
    assert not runs(pids_of(record)[1])
    again = sandbox.attach(name)
    assert again is not None
    with again, psycopg.connect(make_conninfo(**again.conninfo("treasure"))) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert (again.port, again.password) == (running.port, running.password)
    sandbox.remove(name)
    assert not left_on_disk(record)
    assert sandbox.attach(name) is None


def test_kept_data_survive_a_killed_keeper(name: str) -> None:
    """A server with kept data whose keeper was killed recovers at the next attach."""
    with sandbox.start(name, keep_data=True) as running:
        running.create_database("treasure")
        os.kill(pids_of(running.record)[0], signal.SIGKILL)
        assert eventually(lambda: not registry.is_kept(running.directory))
        again = sandbox.attach(name)
    assert again is not None
    with again, psycopg.connect(make_conninfo(**again.conninfo("treasure"))) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("immediate", [False, True])
def test_stop_and_restart(name: str, *, immediate: bool) -> None:
    """A stopped server refuses connections and keeps its data; restarted, it has them, on the same port."""
    with sandbox.start(name) as running:
        running.create_database("treasure")
        port = running.port
        sandbox.stop(running, immediate=immediate)
        with pytest.raises(psycopg.OperationalError):
            connect(running)
        sandbox.restart(running)
        assert running.port == port
        with psycopg.connect(make_conninfo(**running.conninfo("treasure"))) as session:
            assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_postmaster_is_started_again(name: str) -> None:
    """After kill -9 of the postmaster the keeper starts a new one on the same data and port."""
    with sandbox.start(name) as running:
        _, before = pids_of(running.record)
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda: (mark := running.record.postmaster) is not None and mark.pid != before)
        assert running.record.port == running.port
        with connect(running) as session:
            assert session.execute("SELECT 1").fetchone() == (1,)


def test_lost_data_are_made_anew(name: str) -> None:
    """A kept server whose data were cleared away, as temporary folders are, starts again with none."""
    with sandbox.start(name, keep_data=True) as running:
        running.create_database("treasure")
        record = running.record
    assert eventually(lambda: not registry.is_kept(Path(record.directory)))
    shutil.rmtree(record.data)
    again = sandbox.attach(name)
    assert again is not None
    with again, connect(again) as session:
        assert session.execute("SELECT 1 FROM pg_database WHERE datname = 'treasure'").fetchone() is None


def test_a_name_is_used_once(server: sandbox.Server) -> None:
    """A second server of the same name is refused, and so are names that would leave the folder."""
    with pytest.raises(Occupied):
        sandbox.start(server.name)
    for bad in ("", "../up", ".hidden", "a/b", "a b"):
        with pytest.raises(UsageError):
            sandbox.start(bad)
        with pytest.raises(UsageError):
            sandbox.attach(bad)


def test_many_attach_at_once_to_one_kept_server(name: str) -> None:
    """Of several that attach to a stopped server at the same time one starts it, and all hold the same."""
    with sandbox.start(name, keep_data=True) as running:
        directory = running.directory
    assert eventually(lambda: not registry.is_kept(directory))
    found: list[sandbox.Server | None] = []
    threads = [threading.Thread(target=lambda: found.append(sandbox.attach(name))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.port for one in found if one is not None}) == 1
    assert len(found) == 4
    for one in found:
        assert one is not None
        one.close()


def test_hold_is_none_on_a_missing_file(tmp_path: Path) -> None:
    """There is no hold on a server that is gone."""
    assert Hold.take(tmp_path / "holders", 0.1) is None
