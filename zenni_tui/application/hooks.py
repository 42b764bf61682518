"""Hooks: the customer's own commands (announce, build, deploy, tests), run without a shell, bounded in time."""

import asyncio
import mmap
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from zenni_tui.errors import StepFailed
from zenni_tui.model.record import Record

_GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.05


class Hook(Record, frozen=True):
    """A command as a list of arguments; `environment` is added to ours, and is where secrets belong.

    `timeout` in seconds; after it the command and all that it started in its process group are ended. What a hook
    that ends in time has left running goes on: that may be the application.
    """

    name: str
    command: tuple[str, ...]
    directory: str = ""
    timeout: float = 300.0
    environment: dict[str, str] = msgspec.field(default_factory=dict)


class Ended(Record, frozen=True):
    """How a hook ended; `code` is negative for a signal, None after a timeout. What it said is in the file `said`."""

    name: str
    code: int | None
    seconds: float
    said: str

    @property
    def ok(self) -> bool:
        """Return whether the hook did what it is for."""
        return self.code == 0


async def run(hook: Hook, folder: Path, secrets: Iterable[str] = ()) -> Ended:
    """Run a hook to its end or its timeout; raises StepFailed when it can't be started, OSError when the disk is full.

    What it says goes to the private file `hook-NAME.log` in the folder, where secrets are made unreadable afterwards.
    """
    started = time.monotonic()
    log = folder / f"hook-{hook.name}.log"
    # A file and not a pipe: an application that the hook started goes on writing there when we are gone.
    fd = os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = await _start(hook, fd)
        try:
            code = await asyncio.wait_for(process.wait(), hook.timeout)
        except TimeoutError:
            code = None
            await _end_group(process)
        _hide(fd, secrets)
    finally:
        os.close(fd)
    return Ended(hook.name, code, round(time.monotonic() - started, 3), str(log))


async def _start(hook: Hook, log: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *hook.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=hook.directory or None,
            env={**os.environ, **hook.environment},
            start_new_session=True,
        )
    except (OSError, ValueError, TypeError) as error:
        raise StepFailed(
            f"The hook {hook.name} can't be started.",
            where=" ".join(hook.command[:1]) or "an empty command",
            why=str(error),
            next_step=f"Mend [application.hooks] {hook.name} in the config: a list of the program and its arguments.",
        ) from None


async def _end_group(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        for _ in range(int(_GRACE_SECONDS / _LOOK_SECONDS)):
            if not _group_lives(process.pid):
                break
            await asyncio.sleep(_LOOK_SECONDS)
    await process.wait()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _hide(log: int, secrets: Iterable[str]) -> None:
    """Overwrite secrets in place, with as many stars: whoever writes on must find the same file."""
    if os.fstat(log).st_size == 0:
        return
    with mmap.mmap(log, 0) as text:
        for secret in {s.encode() for s in secrets if s}:
            place = text.find(secret)
            while place >= 0:
                text[place : place + len(secret)] = b"*" * len(secret)
                place = text.find(secret, place)
