"""What benchmarks stand on: a scratch folder, a server, samples made once, and runs that can be gone on with again."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
from psycopg.conninfo import make_conninfo

from zenni_tui.engine import client, folders
from zenni_tui.engine.client import Follower
from zenni_tui.files import write_private
from zenni_tui.model.plan import Plan
from zenni_tui.model.record import to_json
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind, StepId, StepState, Verdict
from zenni_tui.model.state import RunState
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.binaries import program, server_account
from zenni_tui.sandbox.sample import make_application

PROGRAM = (sys.executable, "-m", "zenni_tui")
_POLL_SECONDS = 0.02
Look = Callable[[psutil.Process], None]
"""What is called again and again with the engine while it works."""


@dataclass(frozen=True)
class Ground:
    """The folder for everything that is made, the server all work goes to, and how much is asked for."""

    scratch: Path
    server: sandbox.Server
    rows: int
    rounds: int
    large: bool

    def bookings(self, rows: int) -> Path:
        """Return the database of a sample application with so many bookings, made when it isn't there yet."""
        folder = self.scratch / f"bookings-{rows}"
        database = folder / "prisma" / "dev.db"
        if not database.exists():
            print(f"  making {rows:,} bookings ...", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            make_application(folder, bookings=rows)
            # Its code would have its queries tried, which no peer does.
            shutil.rmtree(folder / "app")
        return database

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a database of that name, made when it isn't there yet."""
        path = self.scratch / f"{name}.db"
        if not path.exists():
            print(f"  making {name} ...", flush=True)
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            make(part)
            part.rename(path)
        return path

    @contextmanager
    def database(self) -> Iterator[dict[str, str]]:
        """Yield an empty database as libpq's parameters, password included."""
        name = f"bench_{secrets.token_hex(6)}"
        self.server.create_database(name)
        yield self.server.conninfo(name)
        self.server.drop_database(name)

    def psql(self, database: dict[str, str], command: str) -> None:
        """Carry out one command by the server's own psql."""
        subprocess.run(
            [program("psql", server_account()), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", command],
            env=os.environ | _variables(database),
            check=True,
        )


def _variables(database: dict[str, str]) -> dict[str, str]:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    return {variable: database[key] for key, variable in names.items()}


def environment(database: dict[str, str]) -> dict[str, str]:
    """Return the environment in which our program finds its target."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ZENNI_"))}
    return clean | {"ZENNI_TARGET_URL": make_conninfo("", **database)}


def command(*arguments: str, database: dict[str, str]) -> dict[str, object]:
    """Run our program to its end and return its result; raises SystemExit when it did not pass."""
    words = [*PROGRAM, *arguments, "--json"]
    done = subprocess.run(words, env=environment(database), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def rehearsal(ground: Ground, source: Path) -> RunState:
    """Rehearse from the program's start to its end, every step in its turn, and return the run's state."""
    with ground.database() as database:
        done = command("rehearse", "--keep", "--source", str(source), database=database)
    follower = Follower(folders.runs_home() / str(done["run_id"]))
    follower.poll()
    return follower.state


class Prepared:
    """A run as it stands before its first write; each trial goes on from a copy of it, into an empty database."""

    def __init__(self, ground: Ground, source: Path, look: Look = lambda _: None) -> None:
        self._folder = ground.scratch / f"prepared-{secrets.token_hex(4)}"
        self._trials = 0
        target = {k: v for k, v in ground.server.conninfo().items() if k != "password"}
        found = source.with_name("schema.prisma")
        self._request = Request(
            folders.new_run_id(RunKind.REHEARSE),
            RunKind.REHEARSE,
            str(source),
            target,
            prisma_schema=str(found) if found.exists() else None,
            keep=True,
            gated=True,
        )
        follower = Follower(client.create(self._request, self._folder))
        engine = psutil.Process(client.launch(self._folder, password=ground.server.password).pid)
        watch(follower, lambda state: state.waiting is not None, engine, look)
        follower.send("stop")
        _ended(follower)

    @property
    def plan(self) -> Plan:
        """Return the run's plan."""
        plan = client.plan_of(self._folder)
        assert plan is not None
        return plan

    def trial(self, database: dict[str, str]) -> "Trial":
        """Return a copy of the run that will go into this database."""
        self._trials += 1
        folder = self._folder.with_name(f"{self._folder.name}-{self._trials}")
        shutil.copytree(self._folder, folder, ignore=shutil.ignore_patterns("snapshot.db", "*.sock"))
        os.link(self._folder / "snapshot.db", folder / "snapshot.db")
        target = {k: v for k, v in database.items() if k != "password"}
        write_private(
            folder / folders.REQUEST, to_json(msgspec.structs.replace(self._request, target=target, gated=False))
        )
        return Trial(folder, database["password"])

    def remove(self) -> None:
        """Remove the run and its copies."""
        for folder in self._folder.parent.glob(f"{self._folder.name}*"):
            shutil.rmtree(folder)


class Trial:
    """One going on of a prepared run by an engine of its own."""

    def __init__(self, folder: Path, password: str) -> None:
        self.follower = Follower(folder)
        self.follower.poll()
        self.process = psutil.Process(client.launch(folder, password=password).pid)

    def until(self, step: StepId, look: Look = lambda _: None) -> RunState:
        """Wait for a step's good end and return the state; `look` is called with the engine all the while."""
        return watch(self.follower, lambda state: state.step(step).state is StepState.DONE, self.process, look)

    def state(self) -> RunState:
        """Return the state as of now."""
        self.follower.poll()
        return self.follower.state

    def stop(self) -> None:
        """Stop the run wherever it is and wait for its engine's end."""
        self.follower.send("stop")
        _ended(self.follower)

    def end(self, look: Look = lambda _: None) -> RunState:
        """Wait for the end and return the state; raises SystemExit when it did not pass."""
        state = self.until(StepId.REPORT, look)
        _ended(self.follower)
        return state


def watch(
    follower: Follower, reached: Callable[[RunState], bool], engine: psutil.Process, look: Look = lambda _: None
) -> RunState:
    """Poll a run until its state is as wanted; raises SystemExit when it ends otherwise."""
    while not reached(follower.state):
        look(engine)
        if not follower.alive and not follower.poll() and not reached(follower.state):
            raise SystemExit(f"the run ended {follower.state.verdict}: {follower.state.problem}\n{follower.folder}")
        time.sleep(_POLL_SECONDS)
        follower.poll()
    return follower.state


def _ended(follower: Follower) -> None:
    while follower.alive:
        time.sleep(_POLL_SECONDS)


def seconds(state: RunState, step: StepId) -> float:
    """Return how long a step took."""
    assert state.verdict in (None, Verdict.PASSED)
    return state.step(step).seconds
