"""watch: the rollback window. The new side serves, and the old file follows it until a person ends that."""

import asyncio
import os
import sqlite3
import stat
import time
from pathlib import Path

from zenni_tui.model import events as e
from zenni_tui.model.application import Which
from zenni_tui.model.runbook import StepId
from zenni_tui.source import apply, freeze, neighbours
from zenni_tui.target import bookkeeping, capture

from . import criteria, papers
from .actions import at_source, at_target
from .backup_proof import Gate
from .building import briefly
from .run import Run, Step
from .way_back import WayBack

_LOOK_SECONDS = 0.5
_TELL_SECONDS = 1.0
_HOUR = 3600.0


class Watch(Step):
    """Ends when somebody says so, never by itself."""

    id = StepId.WATCH
    each_time = True

    async def run(self, run: Run) -> str:
        """Follow backwards until the window is ended; raises StepFailed when that isn't possible any more."""
        if run.state().window is None:
            run.tell(e.WindowOpened(time.time() + run.request.rollback.window_hours * _HOUR))
        await papers.renew(run)
        way = await asyncio.to_thread(WayBack, run)
        gate = Gate(run)
        watcher = asyncio.create_task(criteria.watch(run, Which.NEW))
        try:
            await self._follow(run, way, gate)
        finally:
            gate.close()
            watcher.cancel()
            await asyncio.to_thread(way.close)
        return await end(run)

    async def _follow(self, run: Run, way: WayBack, gate: Gate) -> None:
        applied, told = 0, 0.0
        while not await gate.opens():
            run.stop_here()
            done = await run.insist("following back", way.once)
            applied += done.entries
            if done.entries or time.monotonic() - told > _TELL_SECONDS:
                waiting = await run.insist("following back", way.lag)
                self._tell(run, applied, waiting)
                told = time.monotonic()
            if not run.finishing.is_set():
                await _pause(run)

    def _tell(self, run: Run, applied: int, waiting: int) -> None:
        view = run.state().step(self.id)
        if (view.done, view.total) != (applied, applied + waiting) or view.unit != _UNIT:
            run.tell(e.Progress(self.id, applied, applied + waiting, _UNIT))


_UNIT = "writes carried back"


async def _pause(run: Run) -> None:
    ends = (asyncio.create_task(run.finishing.wait()), asyncio.create_task(run.stopping.wait()))
    try:
        await asyncio.wait(ends, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in ends:
            one.cancel()


async def end(run: Run) -> str:
    """Take what is ours out of the target and the old file; what remains is the file of the last write carried back.

    The old file is made read-only by its mode, so that a forgotten application can't write to it unseen.
    """
    found = await asyncio.to_thread(neighbours.having_open, run.source) or {}
    others = {pid: name for pid, name in found.items() if pid != os.getpid()}
    if others:
        names = ", ".join(f"{name} ({pid})" for pid, name in sorted(others.items()))
        run.check(StepId.WATCH, "old file", f"still open in {names}", ok=None, advice="End them: they read old data.")
    await at_target(run, "the log of changes", lambda c: _disarm(run, c))
    await at_source(run, _leave)
    mode = await asyncio.to_thread(_shut, run.source.resolve())
    return f"the window is closed; the old file is as it was, with the writes carried back, and read-only (was {mode})"


def _disarm(run: Run, connection: bookkeeping.Connection) -> None:
    with briefly(connection, run):
        capture.disarm(connection)


def _leave(file: sqlite3.Connection) -> None:
    apply.end(file)
    freeze.thaw(file)


def _shut(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    path.chmod(mode & ~0o222)
    return f"{mode:04o}"
