"""Who else has the source open or locked, seen from outside: nothing is opened, so no lock is lost."""

from pathlib import Path

import psutil

from . import locks

_ENDINGS = ("", "-wal", "-shm", "-journal")
_PROC = Path("/proc")


def having_open(path: Path) -> dict[int, str] | None:
    """Return the processes, by id with their names, that have the database's files open; None where nobody can tell.

    Read from /proc (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html); processes of other users show theirs to
    root alone.
    """
    if not (_PROC / "self" / "fd").exists():
        return None
    real = path.resolve()
    wanted = {_identity(real.with_name(real.name + ending)) for ending in _ENDINGS} - {None}
    found: dict[int, str] = {}
    for process in _PROC.iterdir():
        if process.name.isdigit() and any(_identity(fd) in wanted for fd in _descriptors(process)):
            found[int(process.name)] = _name(int(process.name))
    return found


def holding_locks(path: Path) -> dict[int, str]:
    """Return the processes that lock the database at this moment."""
    return {pid: _name(pid) for pid in locks.holding(path)}


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _descriptors(process: Path) -> list[Path]:
    try:
        return list((process / "fd").iterdir())
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return "ended meanwhile"
