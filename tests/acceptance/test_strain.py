"""A run backs off while a standby falls behind or the database nears its bound, says so, and goes on afterwards."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import postgres17
import psycopg
import pytest
from postgres17 import Postgres17
from psycopg.conninfo import make_conninfo
from support import Program, slowly, wait


@pytest.fixture
def primary() -> Iterator[Postgres17]:
    """Yield a server that is ready to have a standby."""
    with postgres17.running() as made:
        yield made


@pytest.fixture
def standby(primary: Postgres17) -> Iterator[Postgres17]:
    """Yield its standby, which follows by streaming."""
    with postgres17.own_folder() as folder:
        made = Postgres17(folder)
        made.password = primary.password
        primary.stop()
        try:
            shutil.copytree(primary.data, made.data)
        finally:
            primary.start()
        for path in (made.data, *made.data.rglob("*")):
            postgres17.give(path)
        (made.data / "standby.signal").touch()
        line = make_conninfo("", **primary.conninfo())
        made.configure(port=str(made.port), primary_conninfo=line)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def configured(program: Program, bounds: str) -> str:
    """Write a config file with bounds and return its path."""
    config = Path(program.home, "config.toml")
    config.write_text(f"[copy]\n{bounds}\n")
    return str(config)


def test_a_standby_that_falls_behind(program: Program, primary: Postgres17, standby: Postgres17, make_big: str) -> None:
    """One worker goes on alone while the standby replays nothing, all do when it has caught up, and the run passes."""
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **primary.conninfo())}
    with psycopg.connect(**standby.conninfo(), autocommit=True) as replica:
        replica.execute("SELECT pg_wal_replay_pause()")
        config = configured(program, "lag_mb = 4")
        watcher = program.start("rehearse", "--source", make_big, "--config", config, "--keep", environment=environment)
        follower = slowly(program, mb=2.0)
        wait(follower, lambda f: f.state.eased is not None)
        assert follower.state.eased
        assert (follower.state.eased.workers, follower.state.eased.wished) == (1, 2)
        assert "more than 4 MB of WAL behind" in follower.state.eased.why
        replica.execute("SELECT pg_wal_replay_resume()")
        wait(follower, lambda f: f.state.eased is None)
        assert program.run("throttle", "--mb", "0").code == 0
    _, err = watcher.communicate(timeout=180)
    assert watcher.returncode == 0, err
    assert "The standbys have caught up. Going on with all workers." in err


def test_a_database_that_passes_its_bound(program: Program, primary: Postgres17, make_big: str) -> None:
    """Beyond it the run stops at a safe point; resumed, one worker goes on alone, which is told, and the run passes."""
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **primary.conninfo())}
    config = configured(program, "size_mb = 20")
    watcher = program.start("rehearse", "--source", make_big, "--config", config, "--keep", environment=environment)
    slowly(program, mb=1.5)
    _, err = watcher.communicate(timeout=180)
    assert watcher.returncode == 4, err
    assert "[copy] size_mb allows 20" in err
    resumed = program.run("resume", environment=environment)
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    assert "The database has reached 90 % of the 20 MB that it may take ([copy] size_mb)." in resumed.narration
    assert "Going on with 1 of 2 workers." in resumed.narration
