"""Proof that a source which was not followed still holds what the snapshot holds."""

import asyncio
import sqlite3
import time

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.runbook import Meanwhile
from zenni_tui.source import capture, freeze, likeness, live, snapshot

from .actions import at_source
from .run import Run

_LATER = "later.db"
REFUSED = "refused.version"
"""Where the run keeps the schema's number of when writes began to be refused; a change of the schema raises it."""
_WAY_OUT = "Roll this run back and migrate again with --meanwhile refuse, or with --meanwhile follow."


class Proof:
    """Looks at the file from before the comparison to after the freeze, so that nobody waits for the comparison."""

    def __init__(self) -> None:
        self._look: sqlite3.Connection | None = None
        self._version = 0
        self._untouched = False

    async def prepare(self, run: Run) -> str:
        """Compare the file wholly with the snapshot while the application goes on; raises NotReady when they differ."""
        if run.request.meanwhile is Meanwhile.FOLLOW:
            if run.following is not None:
                await run.following.look()
            return "what was written since the snapshot is followed; the tables are those that were planned"
        if run.request.meanwhile is Meanwhile.REFUSE:
            return await self._refused(run)
        await asyncio.to_thread(snapshot.room_for, run.source, run.folder)
        await asyncio.to_thread(self._begin, run)
        started = time.monotonic()
        difference = await _difference(run)
        if difference is not None:
            raise NotReady(_CHANGED, where=difference, why=_WHY, next_step=_WAY_OUT)
        size = (await asyncio.to_thread(run.backup.stat)).st_size
        return (
            f"a new backup is wholly like the snapshot: {size:,} bytes compared in {time.monotonic() - started:.1f} s"
        )

    def _begin(self, run: Run) -> None:
        self.close()
        self._look = live.open_live(run.source)
        self._version = _data_version(self._look)

    async def freeze(self, run: Run) -> None:
        """Make the file refuse writes; raises StepFailed."""
        look = self._look
        if look is None:
            await at_source(run, freeze.freeze)
            return
        await asyncio.to_thread(freeze.freeze, look)
        # It changes when somebody else has committed (https://sqlite.org/pragma.html#pragma_data_version).
        self._untouched = await asyncio.to_thread(_data_version, look) == self._version

    async def holds(self, run: Run) -> str:
        """Make sure, after the freeze, that nothing was written since the snapshot; raises StepFailed."""
        if run.request.meanwhile is Meanwhile.REFUSE:
            return await self._refused(run)
        if self._untouched:
            return "nobody has written since the snapshot was compared"
        difference = await _difference(run)
        if difference is not None:
            raise StepFailed(_CHANGED, where=difference, why=_WHY, next_step=_WAY_OUT)
        return "the frozen file is wholly like the snapshot"

    async def _refused(self, run: Run) -> str:
        before = int(await asyncio.to_thread((run.folder / REFUSED).read_text))
        now, left = await at_source(run, lambda file: (capture.schema_version(file), freeze.unfrozen(file)))
        if left or now != before:
            raise StepFailed(
                "The old side has not refused all writes since the snapshot.",
                where=", ".join(left) or str(run.source),
                why="A write that was tried was not refused." if left else "Its schema was changed meanwhile.",
                next_step=_WAY_OUT,
            )
        return "writes have been refused since before the snapshot, proven by attempted ones"

    def close(self) -> None:
        """Let go of the file."""
        if self._look is not None:
            self._look.close()
            self._look = None


_CHANGED = "The application has written since the snapshot."
_WHY = "Its writes were neither followed nor refused, so the target would lack them."


def _data_version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA data_version").fetchone()[0])


async def _difference(run: Run) -> str | None:
    later = run.folder / _LATER
    try:
        await snapshot.copy(run.source, later)
        return await asyncio.to_thread(likeness.first_difference, run.backup, later)
    finally:
        await asyncio.to_thread(later.unlink, missing_ok=True)
