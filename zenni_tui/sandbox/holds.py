"""Holds: shared locks on a file, which the kernel drops when the last process that has one is gone."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

POLL_SECONDS = 0.02


class Hold:
    """A shared flock(2) on a file, in effect until `close` or the death of every process that inherited it.

    Closing never unlocks explicitly: that would take the lock from processes that inherited the descriptor.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, seconds: float = 10.0) -> Self | None:
        """Return a hold on the file, or None when the file is gone or locked exclusively for that long."""
        deadline = time.monotonic() + seconds
        while (descriptor := open_file(path)) is not None:
            if try_lock(descriptor, exclusive=False) and os.fstat(descriptor).st_nlink:
                return cls(descriptor)
            os.close(descriptor)
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS)
        return None

    @property
    def is_open(self) -> bool:
        """Return whether we still hold."""
        return self._descriptor is not None

    def fileno(self) -> int:
        """Return the descriptor, for `pass_fds`: a process that inherits it holds as well; raises ValueError."""
        if self._descriptor is None:
            raise ValueError("the hold is closed")
        return self._descriptor

    def close(self) -> None:
        """Let go; whoever inherited the descriptor goes on holding."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_file(path: Path, *, create: bool = False) -> int | None:
    """Return a close-on-exec descriptor of the file, mode 0600 when new; None when it does not exist."""
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        return None


def try_lock(descriptor: int, *, exclusive: bool) -> bool:
    """Return whether the lock was to be had at once."""
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Give the lock back, for every process that has the descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_locked(path: Path) -> bool:
    """Return whether some process has the file locked exclusively; False when there is no such file."""
    descriptor = open_file(path)
    if descriptor is None:
        return False
    try:
        return not try_lock(descriptor, exclusive=False)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep the file locked exclusively, waiting for it as long as it takes; makes it when missing."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
