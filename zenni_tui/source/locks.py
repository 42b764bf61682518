"""SQLite's locks on a file, as the operating system shows them (https://sqlite.org/src/file/src/os_unix.c)."""

import os
import time
from pathlib import Path

import psutil

PENDING, SHARED, SHARED_BYTES = 0x40000000, 0x40000002, 510
"""The bytes of a file that SQLite locks; https://sqlite.org/lockingv3.html tells how they are used."""

_BYTES = {*range(PENDING, SHARED + SHARED_BYTES), *range(120, 129)}
"""Those of the file, and those of its WAL index (https://sqlite.org/walformat.html#wal_locks)."""

_PAUSE = 0.05
_FIELDS = 8


def take_shared(descriptor: int, patience: float) -> bool:
    """Take SQLite's SHARED lock on an open file, waiting up to `patience` seconds; closing the file gives it back.

    While it is held nobody writes to the file itself. For a process without an SQLite connection to it only.
    """
    end = time.monotonic() + patience
    while not _try_shared(descriptor):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True


def _try_shared(descriptor: int) -> bool:
    import fcntl  # noqa: PLC0415 - not on every system, and only the rescuing process needs it

    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, PENDING)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, SHARED_BYTES, SHARED)
    except OSError:
        return False
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, PENDING)
    return True


def by_whom(path: Path) -> str:
    """Return ` by process 17 (node)` for whoever else locks the file or its WAL index, empty where nobody can tell."""
    holders = sorted(holding(path) - {os.getpid()})
    names = ", ".join(f"{pid}{_name(pid)}" for pid in holders)
    return f" by process {names}" if names else ""


def holding(path: Path) -> set[int]:
    """Return the processes with locks on the file or its `-shm`, from /proc/locks; empty but on Linux."""
    path = path.resolve()
    inodes = {_inode(path), _inode(path.with_name(path.name + "-shm"))} - {None}
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return set()
    fields = [line.split() for line in lines if "->" not in line]
    # By inode alone: layered file systems show another device there than stat does.
    ours = [f for f in fields if len(f) >= _FIELDS and f[5].rpartition(":")[2] in inodes and int(f[6]) in _BYTES]
    return {int(f[4]) for f in ours if int(f[4]) > 0}


def _inode(path: Path) -> str | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(found.st_ino)


def _name(pid: int) -> str:
    try:
        return f" ({psutil.Process(pid).name()})"
    except psutil.Error:
        return ""
