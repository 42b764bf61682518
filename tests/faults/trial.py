"""One trial: a run of the real engine, broken at a moment of its own story, brought to its end and looked at."""

import contextlib
import copy
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from zenni_tui.engine import client, folders
from zenni_tui.engine.recall import recall
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind, Verdict
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.proxy import Line, Proxy

from . import outside
from .source import CHUNK_ROWS

KILLS = int(os.environ.get("ZENNI_KILLS", "3"))
"""How many random moments each kind of fault gets."""
SEED = os.environ.get("ZENNI_SEED") or f"{random.SystemRandom().getrandbits(32):08x}"
"""The same seed strikes at the same moments; a failing test prints it."""
PATIENCE = 180.0
STEADY = Line(latency=0.005)
"""A line on which no step is over before it can be struck: a fast machine copies the source in a tenth of a second."""
ENGINES = 6
"""More engines than this for one run mean that it does not come to its end."""


@dataclass
class Ground:
    """What all trials share: a server, the proxy before it, a source, and what an undisturbed run looks like."""

    server: sandbox.Server
    proxy: Proxy
    source: Path
    entries: int = 0
    inventory: list[str] = field(default_factory=list)
    checkpoints: list[tuple[str, int, int]] = field(default_factory=list)


class Trial:
    """One run with a database of its own, reached through the proxy."""

    def __init__(
        self,
        ground: Ground,
        folder: Path,
        database: str,
        kind: RunKind = RunKind.REHEARSE,
        *,
        keep: bool = True,
        embedded: bool = False,
    ) -> None:
        self.ground = ground
        self.direct = ground.server.conninfo(database)
        through = self.direct | {"port": str(ground.proxy.port)}
        self._password = through.pop("password")
        self.wanted = Verdict.PASSED if kind is RunKind.REHEARSE else Verdict.WAITING
        request = Request(
            folders.new_run_id(kind),
            kind,
            str(ground.source),
            None if embedded else through,
            keep=keep and not embedded,
            chunk_rows=CHUNK_ROWS,
        )
        self.follower = client.Follower(client.create(request, folder))
        self.engines = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._others: list[Trial] = []

    def engage(self, action: str = "run") -> None:
        """Start an engine on the run, new or again."""
        self.engines += 1
        self._process = client.launch(self.follower.folder, action=action, password=self._password)

    def copied(self, folder: Path) -> "Trial":
        """Return the same run on a copy of its directory, as if somebody had taken it to another machine."""
        shutil.copytree(self.follower.folder, folder, ignore=shutil.ignore_patterns("*.sock"))
        return self._at(folder)

    def recalled(self, folder: Path) -> "Trial":
        """Return the same run on a directory made anew from what the target knows of it."""
        through = self.direct | {"port": str(self.ground.proxy.port)}
        secret = through.pop("password")
        made = recall(through, secret, folder)
        assert made is not None
        return self._at(made)

    def _at(self, folder: Path) -> "Trial":
        other = copy.copy(self)
        other.follower, other.engines, other._process, other._others = client.Follower(folder), 0, None, []
        other.follower.poll()
        self._others.append(other)
        return other

    def engine(self) -> psutil.Process | None:
        """Return the engine while it lives."""
        running = self._process is not None and self._process.poll() is None
        return psutil.Process(self._process.pid) if running else None

    def workers(self) -> list[psutil.Process]:
        """Return the engine's worker processes."""
        engine = self.engine()
        children = engine.children() if engine else []
        return [p for p in children if "spawn_main" in " ".join(_line(p))]

    def reach(self, entry: int) -> None:
        """Wait until the run's journal has so many entries, or its engine has ended."""
        self.until(lambda: self.follower.state.entries >= entry or self.engine() is None, "a moment")

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Poll until something holds; fails after a long while."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, f"never came to {what}: {self.story()}"
            time.sleep(0.005)
            self.follower.poll()

    def wait(self) -> Verdict | None:
        """Wait until the engine has ended, by itself or not, and return the verdict, None when it had no last word."""
        self.until(lambda: self.engine() is None, "the engine's end")
        self.follower.poll()
        return self.follower.state.verdict

    def finish(self) -> None:
        """Bring the run to its end with as many engines as it takes, each after the other's death or stop."""
        while self.wait() is not self.wanted:
            assert self.engines < ENGINES, self.story()
            self.engage()

    def judge(self) -> None:
        """See from outside that each row is there once, and nothing in the target but the data and our schema."""
        assert outside.differences(self.ground.source, self.direct) == [], self.story()
        assert outside.inventory(self.direct) == self.ground.inventory, self.story()
        assert outside.checkpoints(self.direct) == self.ground.checkpoints, self.story()
        self.until(lambda: not outside.sessions(self.direct), f"no sessions {outside.sessions(self.direct)}")

    def end(self) -> None:
        """End the engines that a failing trial left behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        for other in self._others:
            other.end()

    def story(self) -> str:
        """Return what a person wants to know of a trial that went wrong."""
        state = self.follower.state
        lines = [f"ZENNI_SEED={SEED}", f"engines: {self.engines}", f"verdict: {state.verdict}", f"{state.problem}"]
        lines += [f"{s.id} {s.state} {s.done}/{s.total} {s.problem or ''}" for s in state.steps]
        lines += [f"{s.level}: {s.text}" for s in state.lines[-15:]]
        return "\n".join(lines)


def end(process: psutil.Process) -> None:
    """Kill -9 a process; one that has ended since it was seen is as good as killed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def dice_for(kind: str, number: int) -> random.Random:
    """Return the dice of one moment of one kind of fault."""
    return random.Random(f"{SEED}/{kind}/{number}")  # noqa: S311 - moments, no secrets


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
