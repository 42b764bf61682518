"""Starts the real program as a user would, on real files."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId

PROGRAM = [sys.executable, "-m", "zenni_tui"]
SHARED = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Outcome:
    """What one command gave: exit code, the document on standard output, the narration, the run directory."""

    code: int
    document: dict[str, Any]
    narration: str
    folder: Path

    def step(self, step: str) -> dict[str, Any]:
        """Return one step of the result."""
        return next(s for s in self.document["steps"] if s["id"] == step)

    def finding(self, code: str) -> dict[str, Any]:
        """Return the first finding of a code."""
        return next(f for f in self.document["findings"] if f["code"] == code)

    def table(self, name: str) -> dict[str, Any]:
        """Return one table of the result by its source name."""
        return next(t for t in self.document["tables"] if t["source"] == name)


class Program:
    """Starts the program with its state, and each run, in folders of the test's own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.within: tuple[str, ...] = ()
        """What to start it with, such as in surroundings of its own."""
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ZENNI_"))}
        self.environment["XDG_STATE_HOME"] = str(home / "state")
        # Most tests migrate a file of their own at once; those of the rehearsal's memory ask for it.
        self.environment["ZENNI_REHEARSAL_HOURS"] = "0"

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, **options: Any
    ) -> "subprocess.Popen[str]":
        """Start a command without a terminal."""
        return subprocess.Popen(
            [*self.within, *PROGRAM, *arguments],
            env=self.environment | dict(environment or {}),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Outcome:
        """Run a command with --json to its end; no traceback may show."""
        process = self.start(*arguments, "--json", environment=environment)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in err, err
        document = json.loads(out) if out.strip() else {}
        return Outcome(process.returncode, document, err, Path(document.get("evidence") or self.home))

    def engines(self) -> list[psutil.Process]:
        """Return the engines that work in this test's state folder."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = process.info["cmdline"] or []
            if "zenni_tui.engine" in line and str(self.home) in line[-1]:
                found.append(process)
        return found


def files() -> list[Any]:
    """Return the shared real files that are there, as test parameters."""
    return [pytest.param(p, id=p.stem) for p in sorted(SHARED.glob("*/*.db"))]


PATIENCE = 120.0
"""Seconds after which a run that does not come to a point has failed."""


def follow(program: Program) -> Follower:
    """Wait for the first run of a program's state folder and return its follower."""
    runs = program.home / "state" / "zenni-tui" / "runs"
    deadline = time.monotonic() + PATIENCE
    while not (found := list(runs.glob("*/events.jsonl"))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return Follower(found[0].parent)


def wait(follower: Follower, reached: Callable[[Follower], bool]) -> None:
    """Wait until a run has come to a point."""
    deadline = time.monotonic() + PATIENCE
    # What was seen before the last command is no answer to it.
    follower.poll()
    while not reached(follower):
        assert time.monotonic() < deadline, follower.state.steps
        time.sleep(0.02)
        follower.poll()


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until something holds that no journal tells."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def copying(follower: Follower) -> bool:
    """Return whether the first rows have arrived."""
    return follower.state.step(StepId.COPY).done > 0


def slowly(program: Program, **limits: float) -> Follower:
    """Wait for the first run and slow it down before it copies a row; returns its follower.

    It is then in the midst of its copy for as long as a test needs, however fast the machine is. `limits` are those of
    `throttle`; by default a chunk of 25,000 rows takes some two seconds.
    """
    follower = follow(program)
    wait(follower, lambda f: f.state.entries > 0)
    assert follower.send("throttle", **(limits or {"rows": 15_000})).ok
    return follower


def quickly(follower: Follower) -> None:
    """Let a run go on as fast as it can."""
    assert follower.send("throttle", rows=0, mb=0).ok


def kill(follower: Follower) -> None:
    """Kill a run's engine and wait until it is dead."""
    follower.poll()
    os.kill(follower.state.pid, signal.SIGKILL)
    wait(follower, lambda f: not f.alive)
