"""Where runs live, and the locks that tell whether one is alive."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from zenni_tui.model.runbook import RunKind

REQUEST = "request.json"
EVENTS = "events.jsonl"
ENGINE_LOCK = "engine.lock"
ENGINE_LOG = "engine.log"
CONTROL = "control.sock"
PLAN = "plan.json"
DDL = "schema.sql"
SCHEMA = "schema.json"
TYPES = "types.json"
PROPOSAL = "schema.prisma.diff"
RESULT = "result.json"

_TRIES, _PAUSE = 10, 0.01


def state_home() -> Path:
    """Return this program's folder for state, made with mode 0700 (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return private(Path(base) / "zenni-tui")


def private(folder: Path) -> Path:
    """Make a folder that only its owner can enter, or close an existing one to everybody else; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def runs_home() -> Path:
    """Return the folder of all runs."""
    return private(state_home() / "runs")


def new_run_id(kind: RunKind) -> str:
    """Return an id that sorts by time: `20261122T101500Z-rehearse-7f3a`."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{now}-{kind}-{secrets.token_hex(2)}"


def run_folders() -> Iterator[Path]:
    """Yield the run directories, newest first; those made with --run-dir are known by a link."""
    home = runs_home()
    for folder in sorted(home.iterdir(), key=lambda f: f.name, reverse=True):
        if (folder / EVENTS).exists():
            yield folder.resolve()


class Lock:
    """An exclusive lock on a file that the kernel drops with the process, even at kill -9."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    def acquire(self, owner: str = "") -> bool:
        """Take the lock and write the owner into it; returns False when another process has it."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(fd):
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, owner.encode())
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _locked(fd: int) -> bool:
    # Whoever asks for the holder locks the file for an instant: that must not look like another holder.
    for _ in range(_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def holder(path: Path) -> str | None:
    """Return what the lock's owner wrote into it, or None when nobody holds it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return path.read_text(errors="replace") or "another process"
    else:
        return None
    finally:
        os.close(fd)


def is_alive(folder: Path) -> bool:
    """Return whether an engine works in this run directory."""
    return holder(folder / ENGINE_LOCK) is not None
