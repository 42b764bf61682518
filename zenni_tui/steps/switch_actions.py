"""What the switch does, one action after the other: each can be done again, looked at, and taken back."""

import asyncio
import os
import sqlite3
import time

from zenni_tui.application.sides import Applied
from zenni_tui.errors import StepFailed
from zenni_tui.model.application import Which
from zenni_tui.model.runbook import Meanwhile, StepId
from zenni_tui.model.switching import Act
from zenni_tui.source import apply, capture, freeze, neighbours
from zenni_tui.target import bookkeeping, changes, load
from zenni_tui.target import capture as backward

from . import criteria, papers, sides, unwritten
from .actions import PATIENCE_SECONDS, Action, Deed, Irreversible, at_source, at_target
from .building import briefly, fenced
from .run import Run
from .way_back import FINGERPRINT


class Command(Action):
    """A command of the application's own, where there is one."""

    def __init__(
        self, act: Act, words: str, which: Which, event: str, *, settings: bool = False, must: bool = True
    ) -> None:
        """Take whether it gets the side's settings, and whether it must succeed."""
        self.id, self.words, self._which, self._event = act, words, which, event
        self._settings, self._must = settings, must

    async def do(self, run: Run) -> Deed:
        """Run it to its end."""
        try:
            return await self._call(run, await sides.side(run, self._which), _HOOKS.get(self.id, self.id))
        except StepFailed as error:
            if self._must:
                raise
            run.say(f"{error.what} {error.why} It goes on without.", "warning")
            return Deed("failed; gone on without")

    async def _call(self, run: Run, side: Applied, name: str) -> Deed:
        if not side.has(name):
            return Deed("no command is configured")
        ended = await side.call(name, run.folder, sides.told(run, self._event), settings=self._settings)
        return Deed(f"done in {ended.seconds:.1f} s", ended.seconds)


_HOOKS = {Act.SMOKE: "smoke_tests", Act.ANNOUNCED: "announce", Act.TESTS: "application_tests"}


class Freeze(Action):
    """From here on the old side reads only; proven by attempted writes."""

    id = Act.FREEZE
    words = "refuse writes on the old side"

    def __init__(self, proof: unwritten.Proof) -> None:
        self._proof = proof

    async def done(self, run: Run) -> bool:
        """Return whether the file refuses writes."""
        return await at_source(run, freeze.is_frozen)

    async def do(self, run: Run) -> Deed:
        """Turn the application's own read-only mode on, then have the file itself refuse."""
        if await self.done(run):
            await at_source(run, _prove)
            return Deed("writes are refused already", since=run.state().step(StepId.ARM).started)
        side = await sides.side(run, Which.OLD)
        theirs = 0.0
        if side.has("read_only_on"):
            theirs = (await side.call("read_only_on", run.folder, sides.told(run, "freeze"))).seconds
        await self._proof.freeze(run)
        await at_source(run, _prove)
        return Deed(await asyncio.to_thread(_who, run), theirs)

    async def revert(self, run: Run) -> str:
        """Let the old side write again, unless the run has refused writes from its beginning."""
        if run.request.meanwhile is Meanwhile.REFUSE:
            return "writes stay refused, as the run's orders say: zenni-tui rollback lifts it"
        await at_source(run, freeze.thaw)
        side = await sides.side(run, Which.OLD)
        if side.has("read_only_off"):
            await side.call("read_only_off", run.folder, sides.told(run, "thaw"))
        return "the old side writes again"


def _prove(file: sqlite3.Connection) -> None:
    left = freeze.unfrozen(file)
    if left:
        raise StepFailed(
            "The old side could not be made read-only.",
            where=", ".join(left),
            why="A write that was tried there was not refused.",
            next_step="Look for triggers or virtual tables there; nothing has been switched.",
        )


def _who(run: Run) -> str:
    found = {pid: name for pid, name in (neighbours.having_open(run.source) or {}).items() if pid != os.getpid()}
    if not found:
        return "refused, proven by attempted writes"
    names = ", ".join(f"{name} ({pid})" for pid, name in sorted(found.items()))
    return f"refused, proven by attempted writes; still open in {names}"


class Drain(Action):
    """What was written before the freeze comes to the target."""

    id = Act.DRAIN
    words = "bring the last writes over"

    async def do(self, run: Run) -> Deed:
        """Apply everything that is left."""
        if run.following is None:
            return Deed("nothing was followed")
        with run.patience.shortened(PATIENCE_SECONDS):
            await run.following.drain()
        return Deed("every write is in the target")


class Compare(Action):
    """What the target holds is what the frozen file holds."""

    id = Act.COMPARE
    words = "compare what changed since the verification"

    def __init__(self, proof: unwritten.Proof) -> None:
        self._proof = proof

    async def do(self, run: Run) -> Deed:
        """Compare the changed rows, or make sure that there are none."""
        with criteria.verification(run), run.patience.shortened(PATIENCE_SECONDS):
            if run.following is not None:
                return Deed(await run.following.verify_changed())
            return Deed(await self._proof.holds(run))


class Counters(Action):
    """The target's counters go on after the highest number that either side gave out."""

    id = Act.COUNTERS
    words = "set the counters"

    async def do(self, run: Run) -> Deed:
        """Set them from the frozen file and the target's rows."""
        given = await at_source(run, apply.counters)
        plan = run.plan()

        def settle(connection: bookkeeping.Connection) -> int:
            with fenced(connection, run):
                return load.set_counters(connection, plan.schema, plan.tables, given)

        return Deed(f"{await at_target(run, 'the counters', settle)} counters set")


class Constraints(Action):
    """Following ends, and the foreign keys are checked as the plan wants."""

    id = Act.CONSTRAINTS
    words = "end following, check foreign keys as planned"

    async def do(self, run: Run) -> Deed:
        """Stop what follows; give the foreign keys their own timing back."""
        if run.request.meanwhile is not Meanwhile.FOLLOW:
            return Deed("nothing was followed")
        if run.following is not None:
            # A freeze refuses writes, not CREATE TABLE.
            await run.following.look()
            await run.following.stop()
            run.following = None

        def settle(connection: bookkeeping.Connection) -> int:
            with briefly(connection, run):
                return changes.settle(connection, load.Ticket(run.request.run_id, run.fence), run.plan())

        return Deed(f"{await at_target(run, 'the foreign keys', settle)} foreign keys are as planned again")

    async def revert(self, run: Run) -> str:  # noqa: ARG002 - the signature is every action's
        """Leave it to a following that is begun anew, which loosens them by itself."""
        return "following can begin anew"


class Capture(Action):
    """What is written in the target from here on is logged, for the way back."""

    id = Act.CAPTURE
    words = "log writes on the new side"

    async def done(self, run: Run) -> bool:
        """Return whether the target logs, and the file knows from where on."""
        there = await at_target(run, "the log of changes", backward.is_armed)
        return there and await at_source(run, apply.position) is not None

    async def do(self, run: Run) -> Deed:
        """Put the log into the target and the position into the old file."""
        if await self.done(run):
            return Deed("logged already")
        plan = run.plan()
        keys = {t.name: plan.row_key(t) for t in plan.tables}

        def arm(connection: bookkeeping.Connection) -> tuple[str, str]:
            with briefly(connection, run):
                return backward.arm(connection, plan.schema, keys), backward.shape(connection)

        position, shape = await at_target(run, "the log of changes", arm)
        await asyncio.to_thread(run.write, FINGERPRINT, shape.encode())
        await at_source(run, lambda file: apply.begin(file, position))
        return Deed(f"{len(keys)} tables are logged")

    async def revert(self, run: Run) -> str:
        """Take log and position away."""

        def disarm(connection: bookkeeping.Connection) -> None:
            with briefly(connection, run):
                backward.disarm(connection)

        await at_target(run, "the log of changes", disarm)
        await at_source(run, apply.end)
        return "nothing is logged"


def _written() -> Irreversible:
    return Irreversible(
        "The new side has been written to already, though nobody has started it here.",
        why="A plain way back would lose those writes, so the old side stays read-only.",
        next_step="Go on: zenni-tui resume. From then on zenni-tui rollback falls back, and loses nothing.",
    )


class GoLive(Action):
    """The target notes that the application may write there: nothing drops or empties its tables any more."""

    id = Act.GO_LIVE
    words = "mark the target as live"

    async def done(self, run: Run) -> bool:
        """Return whether the target says so."""
        return await at_target(run, "the mark", lambda c: bookkeeping.live_since(c) is not None)

    async def do(self, run: Run) -> Deed:
        """Mark it."""

        def mark(connection: bookkeeping.Connection) -> None:
            with fenced(connection, run):
                bookkeeping.mark_live(connection, run.request.run_id)

        await at_target(run, "the mark", mark)
        await papers.renew(run)
        return Deed("from here on every way back is a fall-back")

    async def revert(self, run: Run) -> str:
        """Take the mark away, if nobody has written meanwhile: the settings did name the new side for a moment."""
        position = await at_source(run, apply.position)

        def unmark(connection: bookkeeping.Connection) -> None:
            with fenced(connection, run):
                if position and backward.is_armed(connection) and backward.lag(connection, position):
                    raise _written()
                bookkeeping.unmark_live(connection, run.request.run_id)

        await at_target(run, "the mark", unmark)
        return "the target is not live"


class Environment(Action):
    """The application's settings name the new side."""

    id = Act.ENVIRONMENT
    words = "point the application's settings at the new side"

    async def done(self, run: Run) -> bool:
        """Return whether the files say so."""
        return (await sides.side(run, Which.NEW)).is_written()

    async def do(self, run: Run) -> Deed:
        """Write them, a backup beside each, and read them back."""
        side = await sides.side(run, Which.NEW)
        written = await asyncio.to_thread(side.write)
        return Deed(f"written and read back: {', '.join(written)}" if written else "no settings are configured")

    async def revert(self, run: Run) -> str:
        """Give the files their old text."""
        return await settings_back(run)


async def settings_back(run: Run) -> str:
    """Point the application's settings at the old side again."""
    old, new = await sides.side(run, Which.OLD), await sides.side(run, Which.NEW)
    restored = await asyncio.to_thread(old.put_back, new)
    return f"as they were: {', '.join(restored)}" if restored else "no settings had been changed"


class Healthy(Action):
    """The application answers as the side that was started."""

    id = Act.HEALTH
    words = "ask the application whether it is well"

    def __init__(self, which: Which) -> None:
        self._which = which

    async def do(self, run: Run) -> Deed:
        """Ask until it is, or its time is up."""
        answer = await (await sides.side(run, self._which)).healthy()
        if answer is None:
            return Deed("no health URL is configured")
        return Deed(f"well after {answer.seconds:.1f} s", answer.seconds)


class Settle(Action):
    """The old file logs no more: what follows is written back into it."""

    id = Act.SETTLE
    words = "take the log of the old side's writes away"

    async def do(self, run: Run) -> Deed:
        """Take our log of the application's writes out of the old file."""
        await at_source(run, capture.disarm)
        return Deed(f"switched at {time.strftime('%H:%M:%S')}")
