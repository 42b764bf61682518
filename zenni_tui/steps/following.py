"""Following: the target kept in step with the application's file, from the snapshot until the switch or the stop."""

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from zenni_tui.errors import Halted, Stopped, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.source import capture, live
from zenni_tui.source.live import reading
from zenni_tui.source.standins import tolerant
from zenni_tui.target import changes, load
from zenni_tui.target.sessions import Connection, Line, Watch

from . import changed, watched
from .forward import Followed, Forward, Model
from .patience import insist
from .run import Run
from .touched import Touched
from .uncarried import Uncarried

T = TypeVar("T")

_POLL = 0.1
_TOLD_EVERY = 1.0
_TRIM_EVERY, _TRIM_FROM = 30.0, 10_000
_CLOSE = 1.0
_COMPARE_FROM, _MOST_HELD = 10_000, 20_000
"""Changed rows from which on whole tables are compared while following goes on, and how many of them at most in a file
in rollback-journal mode, where a writer waits for it: some tenths of a second."""
_PORTION, _QUIET = 2_000, 5.0
"""Changed rows that are compared at once while following goes on and everything else waits for it: some hundredths of
a second; and seconds without a write after which fewer are."""


class Lag(Record, frozen=True):
    """How far the target is behind: log entries not applied yet, and the age of the oldest in seconds, at most.

    A table without a key that waits to be copied whole again counts as one.
    """

    changes: int = 0
    seconds: float = 0.0


class Following:
    """One run's following; every method may be called again, and all but one at a time wait for each other.

    `lag` is as of the last look, which is a tenth of a second ago while `go_on` is at work. `broken` is set when it
    can't go on; `error` then says why.
    """

    def __init__(self, run: Run, model: Model, begin: int) -> None:
        self._run, self._model, self._begin = run, model, begin
        self._file = live.open_live(run.source)
        self._file.text_factory = tolerant
        self._touched = Touched(run.folder)
        ticket = load.Ticket(run.request.run_id, run.fence)
        self._forward = Forward(self._file, ticket, model, self._touched.note, run.folder)
        self._ticket = ticket
        self._line = Line(run.to)
        self._watch = Watch(lambda: run.ending or self._ending)
        self._guard = watched.Guard(run, self._file, model)
        self._after: changes.Position | None = None
        self._top, self._looked = 0, time.monotonic()
        self._pending_since: float | None = None
        self._marks: deque[tuple[int, float]] = deque()
        self._trimmed, self._trimmed_at = begin, time.monotonic()
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._compared, self._quiet_since = 0, time.monotonic()
        self._told: Lag | None = None
        self._told_at = self._worst = 0.0
        self.lag = Lag()
        self.broken = asyncio.Event()
        self.error: Exception | None = None

    async def begin(self) -> None:
        """Make the target ready; raises as the driver does, and StepFailed when tables are no longer watched."""
        await self._insist(self._make_ready)
        await asyncio.to_thread(self._guard.settle, self._upto)

    def _make_ready(self, connection: Connection) -> None:
        changes.prepare(connection, self._run.request.run_id, self._begin)
        changes.defer(connection, self._ticket, self._model.plan)
        self._after = changes.position(connection, self._run.request.run_id)

    async def catch_up(self, tell: Callable[[int, int], object]) -> int:
        """Apply what is logged until the target is less than a second behind; returns how many entries that were.

        `tell` hears of entries applied and entries in all. Raises StepFailed, Occupied, Halted or Stopped.
        """
        applied = 0
        while True:
            started = time.monotonic()
            done = await self._step()
            applied += done.entries
            tell(applied, applied + done.left)
            if not done.left and time.monotonic() - started < _CLOSE:
                return applied

    def go_on(self) -> None:
        """Follow in the background from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        try:
            while True:
                done = await self._step()
                self._tell()
                if not done.left:
                    await self._compare_meanwhile(done)
                    await asyncio.sleep(_POLL)
        except Halted as error:
            self._break(error)
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - whoever waits for the switch raises it
            self._break(error)

    async def _compare_meanwhile(self, done: Followed) -> None:
        """Compare some of what was changed: else the switch would have to compare it while nobody can write."""
        now, rows = time.monotonic(), self._touched.rows
        self._quiet_since = now if done.entries else self._quiet_since
        if rows < (1 if now - self._quiet_since > _QUIET else _PORTION):
            return
        if self._compared >= _COMPARE_FROM and self._touched.whole() and self.may_compare:
            await self.verify_changed()
            self._compared = 0
            return
        self._compared += min(rows, _PORTION)
        async with self._lock:
            await self._insist(self._compare_some)

    def _compare_some(self, connection: Connection) -> None:
        with reading(self._file):
            self._guard.look()
            self._apply_all(connection, pending=False)
            some = self._touched.some(_PORTION)
            changed.compare(self._run, self._model, self._file, some)
        self._touched.forget_some(some)

    def _apply_all(self, connection: Connection, *, pending: bool) -> None:
        after = self._position(connection)
        self._after = None
        self._after = self._forward.all(connection, after, pending=pending).upto

    def _break(self, error: Exception) -> None:
        self.error = error
        self.broken.set()

    def _tell(self) -> None:
        now, shown = time.monotonic(), Lag(self.lag.changes, round(max(self.lag.seconds, self._worst), 1))
        if shown != self._told and now - self._told_at >= _TOLD_EVERY:
            self._told, self._told_at, self._worst = shown, now, 0.0
            self._run.tell(e.Lagging(StepId.CATCH_UP, shown.changes, shown.seconds))

    def raise_broken(self) -> None:
        """Raise the error that has ended the following, if one has."""
        if self.error is not None:
            raise self.error

    async def drain(self) -> int:
        """Apply everything that is left; returns how many entries. The source must take no writes any more.

        Raises StepFailed, Occupied, Halted or Stopped, and the error that has ended the following, if one has.
        """
        applied = 0
        self._forward.hurry = True
        try:
            while (done := await self._step()).entries:
                applied += done.entries
        finally:
            self._forward.hurry = False
        self._tell()
        return applied

    async def verify_changed(self) -> str:
        """Compare by the verifier's own reading every row changed since all was verified; returns a summary.

        What is still logged is applied first. It reads one state of the source: while the application may write,
        nothing is compared that would hold its file for long in rollback-journal mode. Raises StepFailed with the
        first difference, all of them in `differences.jsonl`; Occupied, Halted or Stopped.
        """
        async with self._lock:
            return await self._insist(self._compare)

    def _compare(self, connection: Connection) -> str:
        with reading(self._file):
            self._guard.look()
            self._apply_all(connection, pending=True)
            touched = self._touched
            keys = {name: touched.keys(name) for name in touched.tables()}
            summary = changed.compare(self._run, self._model, self._file, keys, touched.whole())
        self._touched.forget()
        return summary

    @property
    def may_compare(self) -> bool:
        """Return whether `verify_changed` would not keep a writer waiting: in WAL mode, or with few rows to compare."""
        (mode,) = self._file.execute("PRAGMA journal_mode").fetchone()
        return bool(mode == "wal") or (self._touched.rows < _MOST_HELD and not self._touched.whole())

    async def look(self) -> None:
        """Raise StepFailed for whatever the source declares otherwise than it was planned."""
        async with self._lock:
            await asyncio.to_thread(self._guard.look)

    async def settle(self) -> int:
        """Let foreign keys be checked at once again that following loosened; returns how many.

        For the switch, when nothing more is to be applied; a following begun anew loosens them again.
        """
        async with self._lock:
            return await self._insist(lambda c: changes.settle(c, self._ticket, self._model.plan))

    async def stop(self) -> None:
        """End the following where it stands; what is logged stays logged, and a later engine goes on from there."""
        self._ending = True
        if self._task is not None:
            await self._task
        async with self._lock:
            self._line.close()
            self._touched.close()
            if self._model.kept is not None:
                self._model.kept.close()
            self._file.close()

    async def _step(self) -> Followed:
        self.raise_broken()
        async with self._lock:
            done = await self._insist(self._look, idle=self._nothing_new)
            await asyncio.to_thread(self._trim)
            return done

    async def _insist(self, deed: Callable[[Connection], T], *, idle: Callable[[], T | None] = lambda: None) -> T:
        """Do a deed on the target's line, again while its trouble may pass."""

        def once() -> T:
            self._run.steering.wait(self._may_go_on)
            found = idle()
            if found is not None:
                return found
            with self._watch.over(self._line) as connection:
                return deed(connection)

        return await insist(self._run.patience, "following changes", once, give_up=self._may_go_on)

    def _may_go_on(self) -> None:
        self._run.stop_here()
        if self._ending:
            raise Stopped("The following has ended.", next_step="Go on with: zenni-tui resume")

    def _nothing_new(self) -> Followed | None:
        """Look at the file alone; returns None when there is something for the target."""
        self._guard.look()
        now, top = time.monotonic(), capture.position(self._file)
        if top > self._top:
            # Nobody knows when between two looks it was written: the earlier one counts.
            self._marks.append((top, self._looked))
        self._top, self._looked = top, now
        self._measure()
        known = self._after
        idle = known is not None and top <= known.upto and not self._forward.due(known.pending)
        return Followed(known) if known is not None and idle else None

    def _look(self, connection: Connection) -> Followed:
        after = self._position(connection)
        # Not known until it is told: a lost line leaves open whether the batch was committed.
        self._after = None
        try:
            done = self._forward.step(connection, after)
        except Uncarried as error:
            self._run.find(StepId.CATCH_UP, [error.finding], {})
            raise
        except sqlite3.OperationalError:
            # A column or table that is gone says so with a better word of the guard's.
            self._guard.look()
            raise
        self._after = done.upto
        self._measure()
        return done

    def _position(self, connection: Connection) -> changes.Position:
        if self._after is not None:
            return self._after
        return changes.position(connection, self._run.request.run_id) or changes.Position(self._begin)

    @property
    def _upto(self) -> int:
        return self._after.upto if self._after is not None else self._begin

    def _measure(self) -> None:
        after, pending = self._upto, self._after.pending if self._after is not None else frozenset()
        now = time.monotonic()
        while self._marks and self._marks[0][0] <= after:
            self._worst = max(self._worst, now - self._marks.popleft()[1])
        oldest = now - self._marks[0][1] if self._marks else 0.0
        if not pending:
            self._pending_since = None
        elif self._pending_since is None:
            self._pending_since = now
        waits = now - self._pending_since if self._pending_since is not None else 0.0
        entries = max(0, self._top - after) if self._marks else 0
        self.lag = Lag(entries + len(pending), max(oldest, waits))

    def _trim(self) -> None:
        after, now = self._upto, time.monotonic()
        if self._after is None or after - self._trimmed < _TRIM_FROM or now - self._trimmed_at < _TRIM_EVERY:
            return
        self._trimmed_at = now
        # A file that is locked for long is trimmed another time.
        with contextlib.suppress(ZenniError, sqlite3.Error):
            capture.forget(self._file, after)
            self._trimmed = after
