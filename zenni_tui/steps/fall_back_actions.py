"""What the fall-back does, one action after the other."""

from zenni_tui.errors import StepFailed
from zenni_tui.model.application import Which
from zenni_tui.model.switching import Act
from zenni_tui.source import apply, freeze
from zenni_tui.target import bookkeeping, capture
from zenni_tui.target import freeze as target_freeze

from . import criteria, sides
from .actions import Action, Deed, at_source, at_target
from .building import briefly, fenced
from .run import Run
from .switch_actions import settings_back
from .way_back import WayBack


class FreezeTarget(Action):
    """From here on the new side reads only; proven by attempted writes."""

    id = Act.FREEZE
    words = "refuse writes on the new side"

    async def done(self, run: Run) -> bool:
        """Return whether every table refuses writes."""
        return not await at_target(run, "the freeze", lambda c: _open(run, c))

    async def do(self, run: Run) -> Deed:
        """Refuse them, whichever role or session they come from."""
        plan = run.plan()

        def shut(connection: bookkeeping.Connection) -> tuple[str, ...]:
            with fenced(connection, run):
                """Only the engine with the lease gets here."""
            target_freeze.freeze(connection, plan.schema, (t.name for t in plan.tables))
            return _open(run, connection)

        left = await at_target(run, "the freeze", shut)
        if left:
            raise StepFailed(
                "The new side could not be made read-only.",
                where=", ".join(left),
                why="A write that was tried there was not refused.",
                next_step="Look for what was changed there; nothing has been led back yet.",
            )
        return Deed(f"refused in {len(plan.tables)} tables, proven by attempted writes")

    async def revert(self, run: Run) -> str:
        """Let the new side write again."""
        await at_target(run, "the freeze", target_freeze.thaw)
        return "the new side writes again"


def _open(run: Run, connection: bookkeeping.Connection) -> tuple[str, ...]:
    plan = run.plan()
    return target_freeze.unfrozen(connection, plan.schema, (t.name for t in plan.tables))


class DrainBack(Action):
    """What was written before the freeze is in the old file."""

    id = Act.DRAIN
    words = "bring the last writes back"

    def __init__(self, way: WayBack) -> None:
        self._way = way

    async def do(self, run: Run) -> Deed:
        """Apply everything that is left, and let the counters go on after the target's."""
        entries = 0
        while (done := await run.insist("following back", self._way.once)).entries:
            entries += done.entries
        raised = await run.insist("the counters", self._way.raise_counters)
        return Deed(f"{entries} last writes carried back, {raised} counters raised")


class CompareBack(Action):
    """Every row that was written on the new side is the same on both sides."""

    id = Act.COMPARE
    words = "compare what was written on the new side"

    def __init__(self, way: WayBack) -> None:
        self._way = way

    async def do(self, run: Run) -> Deed:
        """Compare them with the verifier's own reading; raises StepFailed."""
        compared = await run.insist("the comparison", self._way.compare)
        with criteria.verification(run):
            if compared.differences:
                raise _differ(*compared.differences[0])
        return Deed(f"{compared.rows:,} written rows of {compared.tables} tables are the same on both sides")


def _differ(table: str, why: str) -> StepFailed:
    return StepFailed(
        "Both sides differ after the way back.",
        where=f'table "{table}"',
        why=why,
        next_step="The new side is read-only, nothing is lost. See the rows there, then give rollback again.",
    )


class Thaw(Action):
    """The old file takes writes again."""

    id = Act.THAW
    words = "let the old side write"

    async def done(self, run: Run) -> bool:
        """Return whether the file takes writes."""
        return not await at_source(run, freeze.is_frozen)

    async def do(self, run: Run) -> Deed:
        """Take the refusing triggers out, and the application's own read-only mode off."""
        await at_source(run, freeze.thaw)
        side = await sides.side(run, Which.OLD)
        if not side.has("read_only_off"):
            return Deed("the old file takes writes")
        ended = await side.call("read_only_off", run.folder, sides.told(run, "thaw"))
        return Deed("the old file takes writes", ended.seconds)


class SettingsBack(Action):
    """The application's settings name the old side."""

    id = Act.ENVIRONMENT
    words = "point the application's settings at the old side"

    async def do(self, run: Run) -> Deed:
        """Give the files their old text, or at least our settings their old values."""
        return Deed(await settings_back(run))


class SettleBack(Action):
    """Nothing is logged or marked any more; the target's tables stay, and stay read-only."""

    id = Act.SETTLE
    words = "end the log of the new side's writes"

    async def do(self, run: Run) -> Deed:
        """Take log, position and mark away; an undo of the migration may then remove the tables."""

        def settle(connection: bookkeeping.Connection) -> None:
            with briefly(connection, run):
                capture.disarm(connection)
                bookkeeping.unmark_live(connection, run.request.run_id)

        await at_target(run, "the log of changes", settle)
        await at_source(run, apply.end)
        return Deed("the target keeps its tables, read-only; zenni-tui rollback removes them")
