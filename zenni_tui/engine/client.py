"""What screens and scripts use: start an engine, follow its journal, send it commands."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from zenni_tui.errors import StepFailed, UsageError
from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.choices import Alternatives
from zenni_tui.model.plan import Plan
from zenni_tui.model.record import Record, from_json, to_json
from zenni_tui.model.request import Command, Reply, Request
from zenni_tui.model.schema import SourceSchema
from zenni_tui.model.state import RunState
from zenni_tui.users import user

from . import control, folders
from .journal import RESERVE_BYTES, JournalReader

_SECRET_VARIABLES = ("PGPASSWORD", "ZENNI_TARGET_URL")


class RunSummary(Record, frozen=True):
    """One run of the list: its directory, its state, and whether its engine is alive."""

    folder: str
    state: RunState
    alive: bool


class Follower:
    """Follows one run; call `poll` at a steady pace and show `state`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reader = JournalReader(folder / folders.EVENTS)

    @property
    def state(self) -> RunState:
        """Return the state as of the last poll."""
        return self._reader.state

    @property
    def alive(self) -> bool:
        """Return whether the engine's process holds its lock."""
        return folders.is_alive(self.folder)

    def poll(self) -> list[e.Entry]:
        """Read what is new and return it; `state` is up to date afterwards."""
        return self._reader.read()

    def send(self, name: str, **fields: Any) -> Reply:
        """Send a command by its name, with more of `Command`'s fields, and return the engine's answer."""
        who = fields.pop("by", "") or whoami()
        return control.send(self.folder, Command(name, who, **fields))

    @property
    def interrupted(self) -> bool:
        """Return whether the engine died without a last word: killed, or the machine went down."""
        return self.state.entries > 0 and not self.state.ended and not self.alive


def whoami() -> str:
    """Return who sits here: user and terminal."""
    try:
        terminal = os.ttyname(0)
    except OSError:
        terminal = "no terminal"
    return f"{user()} on {terminal}"


def launch(
    folder: Path,
    *,
    action: str = "run",
    password: str | None = None,
    hold_fds: Sequence[int] = (),
    words: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a detached engine in a run directory that holds a request; the password goes through a pipe.

    Returns when the engine has taken its lock. `action` is `run` (start or go on), `verify`, `repair`, `check`,
    `switch` or `rollback`; of the last two, `words` tell who gave them (`by`), `why`, and the `word` that was typed.
    `hold_fds` stay open in the engine, to keep what they hold alive. Raises StepFailed when the engine does not start.
    """
    _room_for_words(folder)
    size = (folder / folders.EVENTS).stat().st_size
    environment = {k: v for k, v in os.environ.items() if k not in _SECRET_VARIABLES}
    log = os.open(folder / folders.ENGINE_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "zenni_tui.engine", str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
            cwd=folder,
            pass_fds=tuple(hold_fds),
        )
    finally:
        os.close(log)
    _hand_over(process, {"action": action, "password": password, **(words or {})})
    while not folders.is_alive(folder):
        if process.poll() is not None:
            if (folder / folders.EVENTS).stat().st_size > size:
                break
            raise StepFailed(
                "The engine did not start.",
                where=str(folder),
                why=f"Its process ended with {process.returncode}.",
                next_step=f"Look at the end of {folder / folders.ENGINE_LOG}.",
            )
        time.sleep(0.02)
    return process


def _room_for_words(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < RESERVE_BYTES:
        raise StepFailed(
            "There is no space left for the run's journal.",
            where=str(folder),
            why=f"{RESERVE_BYTES:,} bytes are needed, {free:,} are free.",
            next_step="Make space on that disk, then give the same command again.",
        )


def _hand_over(process: subprocess.Popen[bytes], orders: dict[str, str | None]) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(json.dumps(orders).encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # the engine died at once; its log says why and its lock is free


def create(request: Request, folder: Path | None = None) -> Path:
    """Make a run directory with its request; one outside the usual place is linked there, so that it is found again.

    Raises UsageError for a place that holds a run or anything else already.
    """
    home = folders.runs_home() / request.run_id
    place = folder.absolute() if folder else home
    _check_new(place)
    folders.private(place)
    if place != home:
        home.symlink_to(place)
    write_private(place / folders.REQUEST, to_json(request))
    (place / folders.EVENTS).touch(0o600)
    return place


def _check_new(place: Path) -> None:
    if (place / folders.REQUEST).exists():
        raise UsageError(
            "This run directory holds a run already.",
            where=str(place),
            why="A new run would take that one's finished steps for its own.",
            next_step="Name another with --run-dir, or go on with that run: zenni-tui resume.",
        )
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(
            "This is no empty folder.",
            where=str(place),
            why="A run directory is closed to everybody but its owner, which other files in it may not bear.",
            next_step="Name a new folder with --run-dir.",
        )


def request_of(folder: Path) -> Request:
    """Return what a run was asked to do; raises OSError or `msgspec.ValidationError`."""
    return from_json((folder / folders.REQUEST).read_bytes(), Request)


def source_of(folder: Path) -> str:
    """Return the path of a run's source; empty when the run's request can't be read."""
    try:
        return request_of(folder).source
    except (OSError, msgspec.MsgspecError):
        return ""


def plan_of(folder: Path) -> Plan | None:
    """Return a run's plan, None when it hasn't got one yet."""
    try:
        return from_json((folder / folders.PLAN).read_bytes(), Plan)
    except FileNotFoundError:
        return None


def ddl_of(folder: Path) -> str:
    """Return the DDL of a run's plan, and the change to schema.prisma it asks for; empty without a plan."""
    try:
        ddl = (folder / folders.DDL).read_text()
    except FileNotFoundError:
        return ""
    proposal = folder / folders.PROPOSAL
    return f"{ddl}-- In schema.prisma:\n\n{proposal.read_text()}" if proposal.exists() else ddl


def schema_of(folder: Path) -> SourceSchema | None:
    """Return what a run's source declares, None before it was inspected."""
    try:
        return from_json((folder / folders.SCHEMA).read_bytes(), SourceSchema)
    except FileNotFoundError:
        return None


def types_of(folder: Path) -> Alternatives:
    """Return the types that a run's columns could have instead, none without a plan."""
    try:
        return from_json((folder / folders.TYPES).read_bytes(), Alternatives)
    except FileNotFoundError:
        return Alternatives()


def runs() -> Iterator[RunSummary]:
    """Return all runs, newest first, each read when it is asked for."""
    return map(summary, folders.run_folders())


def summary(folder: Path) -> RunSummary:
    """Return how one run stands; reads its whole journal."""
    follower = Follower(folder)
    follower.poll()
    return RunSummary(str(folder), follower.state, follower.alive)


def live_run() -> Path | None:
    """Return the newest run whose engine is alive."""
    return next((f for f in folders.run_folders() if folders.is_alive(f)), None)


def last_run() -> Path | None:
    """Return the newest run."""
    return next(folders.run_folders(), None)
