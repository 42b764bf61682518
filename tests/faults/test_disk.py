"""A full disk ends a run with a clear word; with room again, a resume brings it to its good end."""

import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import psycopg
import pytest

from zenni_tui.engine.journal import RESERVE_BYTES
from zenni_tui.errors import StepFailed
from zenni_tui.model.runbook import StepId, Verdict
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.binaries import server_account
from zenni_tui.sandbox.proxy import Line, Proxy
from zenni_tui.sandbox.registry import is_kept

from . import outside
from .disk import Disk, Mounted, no_large_files, small_disk
from .source import make_source
from .trial import STEADY, Ground, Trial

Begin = Callable[..., Trial]
PLACE = 20 * 1024 * 1024
FULL = "No space left on device|File too large"


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Yield a disk with room for the snapshot's safety margin."""
    with small_disk(96 * 1024 * 1024) as made:
        yield made


@dataclass(frozen=True)
class Cramped:
    """A ground whose database has a small disk, and how to make it larger."""

    ground: Ground
    widen: Callable[[], None]


@pytest.fixture
def cramped(ground: Ground, tmp_path: Path) -> Iterator[Cramped]:
    """Yield a ground with a source that does not fit its target's disk of twenty megabytes."""
    source = make_source(tmp_path / "large.db", picture=6000)
    with small_disk(PLACE) as disk:
        make = _in_a_tablespace if isinstance(disk, Mounted) else _limited
        with make(disk.folder, ground) as (server, widen), Proxy(server.port) as proxy:
            yield Cramped(replace(ground, server=server, proxy=proxy, source=source), widen)


@contextlib.contextmanager
def _in_a_tablespace(folder: Path, ground: Ground) -> Iterator[tuple[sandbox.Server, Callable[[], None]]]:
    place = folder / "space"
    place.mkdir(0o700)
    if account := server_account():
        os.chown(place, account.uid, account.gid)
    with psycopg.connect(**ground.server.conninfo(), autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        admin.execute("CREATE DATABASE cramped TABLESPACE small")
        yield ground.server, lambda: subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
        admin.execute("DROP DATABASE cramped WITH (FORCE)")
        admin.execute("DROP TABLESPACE small")


@contextlib.contextmanager
def _limited(_: Path, __: Ground) -> Iterator[tuple[sandbox.Server, Callable[[], None]]]:
    name = f"cramped-{secrets.token_hex(4)}"
    with contextlib.ExitStack() as stack:
        stack.callback(sandbox.remove, name)
        with no_large_files(PLACE):
            server = stack.enter_context(sandbox.start(name, keep_data=True))
        server.create_database("cramped")

        def widen() -> None:
            server.close()
            while is_kept(server.directory):
                time.sleep(0.05)
            again = sandbox.attach(name)
            assert again is not None
            stack.enter_context(again)

        yield server, widen


def test_the_target_is_full(cramped: Cramped, tmp_path: Path) -> None:
    """The run ends with what the server said and what to do; with room there it goes on from its checkpoints."""
    trial = Trial(cramped.ground, tmp_path / "run", "cramped")
    trial.engage()
    assert trial.wait() is Verdict.STOPPED
    problem = trial.follower.state.step(StepId.COPY).problem
    assert problem is not None
    assert re.search(FULL, problem.why)
    assert 'table "Visit"' in problem.where
    assert "space" in problem.next_step
    arrived = outside.checkpoints(trial.direct)
    assert arrived
    cramped.widen()
    trial.finish()
    trial.judge()


@pytest.mark.parametrize("step", [StepId.COPY, StepId.VERIFY])
def test_the_run_directory_is_full(begin: Begin, disk: Disk, step: StepId) -> None:
    """The run ends saying that its directory is full, a resume is refused in words while it is, then it passes."""
    trial = begin(folder=disk.folder / "run")
    trial.ground.proxy.line = STEADY
    trial.engage()
    trial.until(lambda: trial.follower.state.step(step).done > 0, f"{step}")
    engine = trial.engine()
    assert engine is not None
    disk.fill(engine)
    if isinstance(disk, Mounted):
        assert trial.wait() is Verdict.STOPPED
        problem = trial.follower.state.problem
        assert problem is not None
        assert "No space left" in problem.why
        assert str(disk.folder) in problem.where
        assert problem.next_step
        assert (disk.folder / "run" / "report.md").exists()
        disk.fill(engine)
        with pytest.raises(StepFailed, match="no space left") as raised:
            trial.engage()
        assert f"{RESERVE_BYTES:,}" in raised.value.why
    else:
        assert trial.wait() is None
    disk.free(trial.engine())
    trial.ground.proxy.line = Line()
    trial.finish()
    trial.judge()


def test_the_backups_place_is_full(begin: Begin) -> None:
    """A snapshot that can't be written whole ends the run before anything is written to the target; then it passes."""
    trial = begin()
    with no_large_files(2 * RESERVE_BYTES):
        trial.engage()
        assert trial.wait() is Verdict.STOPPED
    problem = trial.follower.state.step(StepId.SNAPSHOT).problem
    assert problem is not None
    assert "snapshot could not be written" in problem.what
    assert str(trial.follower.folder) in problem.where
    assert "space" in problem.next_step
    trial.finish()
    trial.judge()


@pytest.mark.parametrize("way", ["--run-dir", "XDG_STATE_HOME"])
def test_a_run_cannot_even_begin(ground: Ground, tmp_path: Path, way: str) -> None:
    """No room for the orders themselves: the command says which file and why, and no traceback."""
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "zenni_tui", "rehearse", "--source", str(ground.source)]
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(small_disk(64 * 1024))
        if isinstance(disk, Mounted):
            disk.fill(psutil.Process())
        else:
            stack.enter_context(no_large_files(16))
        place = disk.folder / "place"
        command += [way, str(place)] if way.startswith("--") else []
        environment |= {way: str(place)} if not way.startswith("--") else {}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(place) in done.stderr
    assert re.search(FULL, done.stderr)
