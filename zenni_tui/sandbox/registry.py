"""The register of embedded servers: one folder for each, and what is known about it.

A server's folder `$XDG_STATE_HOME/zenni-tui/servers/NAME/` holds `server.json` (the record), `password`,
`postgres.log`, `holders` (whoever has a shared lock on it wants the server), `keeper.lock` (locked by the living
keeper) and `order.json` (what the keeper was told last). The data stand in `data`, or in the temporary folder when
the account that runs PostgreSQL is not ours: it cannot enter our folder.
"""

import os
import re
import secrets
import shutil
import signal
import tempfile
import time
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path

import msgspec
import psutil

from zenni_tui.errors import NotReady, UsageError
from zenni_tui.files import write_private
from zenni_tui.model.record import Record, from_json, to_json

from .binaries import Account
from .detach import ProcessMark, living, make_private
from .holds import is_locked, locked

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PREFIX = "zenni-"
GONE = ".gone-"
LONGEST_SOCKET_FOLDER = 80
"""In bytes: the whole socket path must fit in the 104 (BSD) to 108 (Linux) of sockaddr_un."""
QUIT_SECONDS = 5.0
QUIT_POLL_SECONDS = 0.02


class ServerState(StrEnum):
    """Where a server is; STOPPING and STOPPED are the keeper's end, DOWN was asked for."""

    STARTING = "starting"
    UP = "up"
    DOWN = "down"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class ServerRecord(Record, frozen=True):
    """What is known about a server; never the password; `order` is the last one that was carried out."""

    name: str
    directory: str
    data: str
    sockets: str
    keep_data: bool
    user: str
    port: int = 0
    state: ServerState = ServerState.STARTING
    keeper: ProcessMark | None = None
    postmaster: ProcessMark | None = None
    order: int = 0
    problem: str = ""


class OrderKind(StrEnum):
    """What a keeper can be told."""

    STOP = "stop"
    KILL = "kill"
    RESTART = "restart"
    REMOVE = "remove"


class Order(Record, frozen=True):
    """One order; numbers only grow."""

    number: int
    kind: OrderKind


def servers_folder() -> Path:
    """Return the folder of all servers, made with mode 0700 when missing."""
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    folder = home / "zenni-tui" / "servers"
    make_private(folder)
    return folder


def registering() -> AbstractContextManager[None]:
    """Keep others from starting, attaching and sweeping for a moment."""
    return locked(servers_folder() / ".lock")


def folder_of(name: str) -> Path:
    """Return a server's folder, whether or not it exists; raises UsageError for a name that is none."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a server",
            why="letters, digits, dots, underscores and hyphens are allowed, 100 at most",
        )
    return servers_folder() / name


def new_record(name: str, account: Account | None, *, user: str, keep_data: bool) -> ServerRecord:
    """Return the record of a server to be made, with names of folders that do not exist yet."""
    directory = folder_of(name)
    token = secrets.token_hex(6)
    data = directory / "data" if account is None else temporary(account) / f"{PREFIX}data-{token}"
    sockets = temporary(account, LONGEST_SOCKET_FOLDER) / f"{PREFIX}sock-{token}"
    return ServerRecord(name, str(directory), str(data), str(sockets), keep_data, user)


def temporary(account: Account | None, longest: int = 4096) -> Path:
    """Return a temporary folder that the account can enter, its path no longer than that; raises NotReady."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - private folders are made in it
        short = len(os.fsencode(place)) <= longest and Path(place).is_dir()
        if short and (account is None or account.can_enter(Path(place))):
            return Path(place)
    raise NotReady(
        "No temporary folder serves for embedded PostgreSQL",
        where=tempfile.gettempdir(),
        why="the account nobody cannot enter it, or its path is too long for a socket",
        next_step="set TMPDIR to a folder open to everybody",
    )


def read_record(directory: Path) -> ServerRecord | None:
    """Return the record in a server's folder; None when there is none to be read."""
    try:
        return from_json((directory / "server.json").read_bytes(), ServerRecord)
    except (OSError, msgspec.DecodeError):
        return None


def write_record(record: ServerRecord) -> None:
    """Write the record into its server's folder."""
    write_private(Path(record.directory) / "server.json", to_json(record))


def is_kept(directory: Path) -> bool:
    """Return whether a living keeper looks after the server."""
    return is_locked(directory / "keeper.lock")


def sweep() -> list[str]:
    """Clear away what servers left whose keeper is gone, and return their names.

    A postmaster still alive is stopped, if its command line names the server's own data folder; kept data stay.
    """
    with registering():
        return sweep_registered()


def sweep_registered() -> list[str]:
    """Do what `sweep` does, for a caller that is registering already."""
    left = [f for f in servers_folder().iterdir() if f.is_dir() and not is_kept(f)]
    return [folder.name for folder in left if _clear(folder)]


def _clear(folder: Path) -> bool:
    """Stop and remove what a dead keeper left; return whether anything was there to do."""
    record = read_record(folder)
    if record is None:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    process = postmaster_of(record)
    if process is not None:
        quit_process(process)
    _remove_temporary(Path(record.sockets), folder)
    if not record.keep_data or folder.name.startswith(GONE):
        remove_all(record, folder)
        return True
    if record.state is not ServerState.STOPPED:
        write_record(msgspec.structs.replace(record, state=ServerState.STOPPED, keeper=None, postmaster=None))
        return True
    return False


def postmaster_of(record: ServerRecord) -> psutil.Process | None:
    """Return the living postmaster of the record's data, by its pid file and its command line."""
    try:
        pid = int(Path(record.data, "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        pid = record.postmaster.pid if record.postmaster else 0
    return living(pid, "-D", record.data) if pid > 0 else None


def quit_process(process: psutil.Process) -> None:
    """Stop a postmaster at once (SIGQUIT: immediate shutdown), by SIGKILL when it does not heed that.

    One that has ended but that its parent has not asked about yet counts as stopped.
    """
    for sign in (signal.SIGQUIT, signal.SIGKILL):
        try:
            process.send_signal(sign)
        except psutil.NoSuchProcess:
            return
        if _ends(process.pid):
            return


def _ends(pid: int) -> bool:
    deadline = time.monotonic() + QUIT_SECONDS
    while living(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(QUIT_POLL_SECONDS)
    return True


def remove_all(record: ServerRecord, folder: Path | None = None) -> None:
    """Remove everything a server left on disk; its folder first gets a name that no new server can have."""
    folder = folder or Path(record.directory)
    _remove_temporary(Path(record.sockets), folder)
    _remove_temporary(Path(record.data), folder)
    gone = folder.with_name(f"{GONE}{secrets.token_hex(6)}")
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def _remove_temporary(path: Path, folder: Path) -> None:
    """Remove a folder that the record names, if its name shows that it was made by us."""
    if path.name.startswith(PREFIX) or path.parent == folder:
        shutil.rmtree(path, ignore_errors=True)
