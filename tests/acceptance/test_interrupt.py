"""A run outlives its screen, stops at safe points, resumes, and never claims more than it did."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from support import Program, copying, kill, quickly, slowly, until, wait

from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.sample import SampleApplication


@pytest.fixture(scope="session")
def big(make_sample: Callable[..., SampleApplication]) -> SampleApplication:
    """Return a sample that takes some seconds to copy."""
    return make_sample(bookings=150_000)


def _names(database: dict[str, str]) -> set[str]:
    with psycopg.connect(**database) as target:
        rows = target.execute("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname !~ '^(pg_|inf)'")
        return {name for (name,) in rows}


def test_the_watcher_may_die(program: Program, big: SampleApplication, target_environment: dict[str, str]) -> None:
    """Kill -9 of the process that watches changes nothing: the engine goes on to `passed`, and others can attach."""
    watcher = program.start("rehearse", "--source", str(big.database), environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    watcher.kill()
    watcher.communicate()
    quickly(follower)
    attached = program.run("attach")
    assert (attached.code, attached.document["verdict"]) == (0, "passed")


def test_stop_then_rollback_leaves_no_trace(
    program: Program, big: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """`stop` reaches a safe point with exit 4; `rollback` then leaves the target as it was, with exit 5."""
    watcher = program.start("rehearse", "--source", str(big.database), "--json", environment=target_environment)
    wait(slowly(program), copying)
    stopped = program.start("stop")
    stopped.communicate(timeout=60)
    watcher.communicate(timeout=60)
    assert (stopped.returncode, watcher.returncode) == (4, 4)
    assert "public.Booking" in _names(database)
    back = program.run("rollback", environment=target_environment)
    assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
    assert _names(database) == set()


def test_resume_after_stop(program: Program, big: SampleApplication, target_environment: dict[str, str]) -> None:
    """A stopped run goes on from its checkpoints: no row twice, verdict `passed`."""
    watcher = program.start("rehearse", "--source", str(big.database), "--keep", environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    quickly(follower)
    os.kill(follower.state.pid, signal.SIGTERM)
    watcher.communicate(timeout=60)
    assert watcher.returncode == 4
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    assert resumed.table("Booking")["rows_target"] == 150_000


def test_kill_the_engine(
    program: Program, big: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Kill -9 of the engine ends its workers too, is told as stopped, and a resume ends in `passed`."""
    watcher = program.start("rehearse", "--source", str(big.database), "--json", environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    engine = psutil.Process(follower.state.pid)
    family = [engine, *engine.children(recursive=True)]
    quickly(follower)
    engine.kill()
    watcher.communicate(timeout=60)
    assert watcher.returncode == 4
    until(lambda: not any(map(_works, family)))
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    assert _names(database) == set()


def _works(process: psutil.Process) -> bool:
    """Return whether a process is there, and not only to be reaped by whoever has inherited it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_kill_a_worker(program: Program, big: SampleApplication, target_environment: dict[str, str]) -> None:
    """Kill -9 of a worker costs the chunks in hand: a new one does them again, says so, and the verdict stands."""
    watcher = program.start("rehearse", "--source", str(big.database), "--json", environment=target_environment)
    follower = slowly(program)
    wait(follower, copying)
    engine = psutil.Process(follower.state.pid)
    workers = [p for p in engine.children() if "spawn_main" in " ".join(_told(p.cmdline))]
    workers[0].kill()
    quickly(follower)
    out, err = watcher.communicate(timeout=120)
    assert watcher.returncode == 0, err
    assert json.loads(out)["verdict"] == "passed"
    assert "A worker process died" in err
    assert "Traceback" not in err


@contextlib.contextmanager
def _victim(name: str) -> Iterator[sandbox.Server]:
    """Yield a server of the test's own that may be killed."""
    name = f"{name}-{os.getpid()}"
    with sandbox.start(name) as victim:
        yield victim
    sandbox.remove(name)


def test_the_server_dies_and_comes_back(program: Program, big: SampleApplication) -> None:
    """A server that crashes in mid-copy and comes back is tried again until it answers: the run ends in `passed`."""
    with _victim("back") as victim:
        environment = {"ZENNI_TARGET_URL": psycopg.conninfo.make_conninfo("", **victim.conninfo())}
        watcher = program.start("rehearse", "--source", str(big.database), "--json", environment=environment)
        follower = slowly(program)
        wait(follower, copying)
        sandbox.stop(victim, immediate=True)
        wait(follower, lambda f: f.state.retrying is not None)
        sandbox.restart(victim)
        quickly(follower)
        out, err = watcher.communicate(timeout=120)
        assert (watcher.returncode, json.loads(out)["verdict"]) == (0, "passed"), err
        assert "trying again in" in err
        assert "the target works for us again" in err


def test_the_server_stays_away(program: Program, big: SampleApplication, tmp_path: Path) -> None:
    """When the budget for waiting is spent the run stops and says why; it can go back once the server answers."""
    config = tmp_path / "config.toml"
    config.write_text("[copy]\nretry_minutes = 0.02\n")
    with _victim("away") as victim:
        conninfo = victim.conninfo()
        environment = {"ZENNI_TARGET_URL": psycopg.conninfo.make_conninfo("", **conninfo)}
        arguments = ("rehearse", "--source", str(big.database), "--json", "--config", str(config))
        watcher = program.start(*arguments, environment=environment)
        wait(slowly(program), copying)
        sandbox.stop(victim, immediate=True)
        out, err = watcher.communicate(timeout=60)
        assert (watcher.returncode, json.loads(out)["verdict"]) == (4, "stopped"), err
        assert "The target stayed away too long" in err
        assert "Traceback" not in err
        sandbox.restart(victim)
        back = program.run("rollback", environment=environment)
        assert back.code == 5, back.narration
        assert _names(conninfo) == set()


def test_the_engine_owns_its_embedded_server(program: Program, big: SampleApplication) -> None:
    """An embedded server ends with its engine, even at kill -9; a resume starts it again with what was loaded."""
    watcher = program.start("rehearse", "--source", str(big.database), "--json")
    follower = slowly(program)
    wait(follower, copying)
    target = follower.state.target
    assert target is not None
    quickly(follower)
    kill(follower)
    watcher.communicate(timeout=60)
    until(lambda: not _listens(target.port))
    resumed = program.run("resume")
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    servers = program.home / "state" / "zenni-tui" / "servers"
    assert [p.name for p in servers.iterdir() if p.is_dir()] == []


def _listens(port: int) -> bool:
    return any(
        c.laddr and c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in psutil.net_connections("tcp")
    )


def test_no_secret_anywhere(program: Program, big: SampleApplication, database: dict[str, str]) -> None:
    """The password stands in no argument list, no environment of the engine, and no file of the run."""
    environment = {"ZENNI_TARGET_URL": psycopg.conninfo.make_conninfo("", **database)}
    watcher = program.start("rehearse", "--source", str(big.database), "--events", environment=environment)
    follower = slowly(program)
    wait(follower, copying)
    secret, engine = database["password"], psutil.Process(follower.state.pid)
    assert any(engine.environ())
    for process in [psutil.Process(watcher.pid), engine, *engine.children(recursive=True)]:
        assert secret not in " ".join(_told(process.cmdline))
    for process in [engine, *engine.children(recursive=True)]:
        assert secret not in "".join(_told(lambda p=process: list(p.environ().values())))
    quickly(follower)
    out, err = watcher.communicate(timeout=120)
    assert watcher.returncode == 0, err
    assert secret not in out + err
    for path in _texts(program.home):
        assert secret.encode() not in path.read_bytes(), path


def _told(ask: Callable[[], list[str]]) -> list[str]:
    """Return what a process tells of itself, nothing when it has just ended."""
    try:
        return ask()
    except psutil.NoSuchProcess:
        return []


def _texts(home: Path) -> list[Path]:
    return [p for p in home.rglob("*") if p.is_file()]
