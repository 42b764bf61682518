"""Processes that outlive the terminal: starting one, becoming one, and telling whether one is alive."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from zenni_tui.errors import StepFailed
from zenni_tui.model.record import Record

START_SECONDS = 30
CLOCK_SECONDS = 5.0
"""What a process's start may seem to move by when the clock is set."""


class ProcessMark(Record, frozen=True):
    """A process that cannot be mistaken for a later one with the same pid; `created` in seconds of the epoch."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessMark":
        """Return the mark of a living process; raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    def lives(self, *words: str) -> bool:
        """Return whether the process lives, is the one that was marked, and has the words as arguments."""
        process = living(self.pid, *words)
        return process is not None and abs(process.create_time() - self.created) < CLOCK_SECONDS


def living(pid: int, *words: str) -> psutil.Process | None:
    """Return the process when it lives and its command line has all the words as whole arguments."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process if set(words) <= set(process.cmdline()) else None
    except psutil.Error:
        return None


def start_module(module: str, *arguments: str) -> None:
    """Run `python -m module`, in a session of its own and without terminal, until its first process ends.

    The module detaches itself by `fork_away` when it is ready. Raises StepFailed with what it wrote on stderr.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=START_SECONDS,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        raise StepFailed(
            f"{module} did not start",
            where=" ".join(arguments),
            why=done.stderr.decode(errors="replace").strip()[-500:],
        )


def fork_away() -> int:
    """Fork; return 0 in the child, which has neither terminal nor pipes left, and its pid in the parent."""
    pid = os.fork()
    if pid == 0:
        quiet = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        os.chdir("/")
        os.umask(0o077)
    return pid


def make_private(folder: Path) -> None:
    """Make the folder, and those above it that are missing, with mode 0700; what exists stays as it is."""
    if folder.is_dir():
        return
    make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
