"""What fault tests share: a server, a proxy before it, and an undisturbed run."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from zenni_tui.model.runbook import RunKind
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.proxy import Line, Proxy

from . import outside
from .source import make_source
from .trial import Ground, Trial


@pytest.fixture(scope="session")
def victim(state_home: Path) -> Iterator[sandbox.Server]:
    """Yield a server that may be struck."""
    assert state_home.is_dir()
    name = f"faults-{secrets.token_hex(4)}"
    with sandbox.start(name) as server:
        yield server
    sandbox.remove(name)


@pytest.fixture(scope="session")
def ground(victim: sandbox.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Yield the ground of all trials, after one run that nobody disturbs."""
    place = tmp_path_factory.mktemp("faults")
    with Proxy(victim.port) as proxy:
        ground = Ground(victim, proxy, make_source(place / "source.db"))
        victim.create_database("undisturbed")
        trial = Trial(ground, place / "run", "undisturbed")
        trial.engage()
        assert trial.wait() is trial.wanted, trial.story()
        ground.entries = trial.follower.state.entries
        ground.inventory = outside.inventory(trial.direct)
        ground.checkpoints = outside.checkpoints(trial.direct)
        trial.judge()
        yield ground


@pytest.fixture
def begin(ground: Ground, tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    """Yield a function that makes a trial in an empty database of its own."""
    name = f"trial_{secrets.token_hex(6)}"
    ground.server.create_database(name)
    made: list[Trial] = []

    def make(
        kind: RunKind = RunKind.REHEARSE, *, folder: Path | None = None, keep: bool = True, source: Path | None = None
    ) -> Trial:
        place = folder or tmp_path / f"run{len(made)}"
        made.append(Trial(replace(ground, source=source or ground.source), place, name, kind, keep=keep))
        return made[-1]

    yield make
    ground.proxy.line = Line()
    for trial in made:
        trial.end()
    ground.server.drop_database(name)
