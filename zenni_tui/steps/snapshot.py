"""snapshot: one online backup of the source, checked and hashed; everything else reads only this."""

import asyncio
import time
from pathlib import Path

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId
from zenni_tui.source import second, snapshot

from .pool import Pool
from .profiling import Profiling
from .run import Run, Step


class Snapshot(Step):
    """The final backup, which is proven because it is what is used."""

    id = StepId.SNAPSHOT

    def stands(self, run: Run) -> bool:
        """Return whether the snapshot is there; one taken anew must be the same for the run to go on."""
        return run.backup.exists()

    async def check(self, run: Run) -> None:
        """See that the disk can take it."""
        if not await asyncio.to_thread(run.backup.exists):
            await asyncio.to_thread(snapshot.room_for, run.source, run.folder)

    async def run(self, run: Run) -> str:
        """Take it anew: a half-made one is thrown away."""
        scratch = run.backup.with_suffix(".new")
        await asyncio.to_thread(scratch.unlink, missing_ok=True)
        as_of, started = int(time.time() * 1000) / 1000, time.monotonic()
        await snapshot.copy(run.source, scratch)
        held = time.monotonic() - started
        run.check(self.id, "backup", f"one step of {held:.2f} s, for which a writer may have waited")
        run.stop_here()
        size = (await asyncio.to_thread(scratch.stat)).st_size
        await asyncio.to_thread(scratch.replace, run.backup)
        try:
            digest = await self._checked(run, size)
        except BaseException:
            await asyncio.to_thread(run.backup.replace, scratch)
            raise
        run.check(self.id, "hash", f"SHA-256 {digest}")
        known = run.state().source
        if known is not None and known.sha256 not in ("", digest):
            # What the audit found was of another state of the source.
            await asyncio.to_thread((run.folder / "profiles.json").unlink, missing_ok=True)
        if run.request.second_copy:
            place = await second.keep(
                run.backup, Path(run.request.second_copy), f"{run.request.run_id}.snapshot.db", digest
            )
            run.check(self.id, "second copy", f"{place}: read back with the same hash, opened and checked by SQLite")
        run.tell(e.SourceSeen(e.SourceFacts(str(run.source), size, digest, as_of=as_of)))
        return f"{size:,} bytes, held a writer off for {held:.2f} s at most"

    async def _checked(self, run: Run, size: int) -> str:
        """Let SQLite check the backup; returns its hash. Raises NotReady for a damaged file."""
        # SQLite's check takes one core: the hash, the workers' start and the first of their work have the others.
        Pool.of(run).warm(size)
        Profiling.of(run).begin()
        unchecked, digest = await asyncio.gather(
            snapshot.integrity(run.backup), asyncio.to_thread(snapshot.sha256, run.backup)
        )
        run.check(
            self.id, "integrity", unchecked or "SQLite's own check of the copy: ok", ok=None if unchecked else True
        )
        return digest

    async def undo(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Keep it: it is the backup."""
        return "kept as a backup"
