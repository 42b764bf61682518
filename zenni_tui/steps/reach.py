"""reach: is the source there, does the target answer, and may we work in it? Writes nothing."""

import asyncio

from zenni_tui.errors import NotReady, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.sandbox import proof
from zenni_tui.source import database
from zenni_tui.target import ladder, supabase

from . import surroundings
from .brakes import Cause
from .run import Run, Step
from .target import open_target

EMBEDDED_RUNGS = ("login", "server", "rights", "contents")
"""What can go wrong with a server of our own, on this machine."""


class Reach(Step):
    """Prerequisites, each shown with what was looked at and found."""

    id = StepId.REACH
    each_time = True

    async def run(self, run: Run) -> str:
        """Look at the source's header and around it, open the target and climb its ladder, or just one rung of it."""
        if run.request.rung:
            await open_target(run)
            await climb(run, (run.request.rung,))
            return f"{run.request.rung}: nothing in the way"
        found = await asyncio.to_thread(database.look, run.source)
        run.check(self.id, "source", f"{run.source}: {found}", tried="the file's header, not its data")
        await asyncio.to_thread(surroundings.look, run)
        if run.request.kind in (RunKind.AUDIT, RunKind.PLAN) and run.request.embedded:
            run.check(self.id, "target", "not needed: nothing will be written", ok=None)
            return "source found"
        await open_target(run)
        await climb(run, EMBEDDED_RUNGS if run.request.embedded else ladder.NAMES)
        _application_urls(run)
        if not run.request.embedded:
            await asyncio.to_thread(_backup, run)
        return f"source found, target {run.to.label()} answers"


def _application_urls(run: Run) -> None:
    to = run.to.facts(run.request.schema)
    urls = supabase.application_urls(to.host, to.user, to.database, run.request.application_role)
    if urls is not None:
        found = f"pooled {urls[0]}; direct {urls[1]}"
        run.check(StepId.REACH, "application's URLs", found, tried="the target's host and user", ok=None)


def _backup(run: Run) -> None:
    """Tell whether the new database can be backed up from here; nothing but the end of the switch's window asks it."""
    tried = "for a pg_dump that is not older than the server, and has TLS where the line does"
    try:
        tool = proof.tool_for(run.to)
    except NotReady as error:
        found = f"{error.what} {error.why}".strip()
        run.check(StepId.REACH, "backup", found, ok=None, advice=error.next_step, tried=tried)
    else:
        run.check(StepId.REACH, "backup", f"pg_dump {tool.version} in {tool.folder}", tried=tried)


async def climb_again(run: Run) -> None:
    """Climb the rungs that broke last time, or all when none did; raises the error of the first that breaks."""
    broken = tuple(c.name for c in run.state().step(StepId.REACH).checks if c.ok is False and c.name in ladder.NAMES)
    await open_target(run)
    await climb(run, broken or ladder.NAMES)


async def climb(run: Run, names: tuple[str, ...]) -> None:
    """Climb the rungs of these names, in the ladder's order; raises the error of the first that breaks."""
    ground = ladder.Ground(
        run.to, run.request.schema, run.request.run_id, run.request.workers, await asyncio.to_thread(_size, run)
    )
    steps = [step for step in ladder.STEPS if step.name in names]
    try:
        for done, step in enumerate(steps):
            run.stop_here()
            note = f"{step.story}, at most {step.most:.0f} s an answer"
            run.tell(e.Progress(StepId.REACH, done, len(steps), "checks", note=note))
            await _rung(run, ground, step)
        run.tell(e.Progress(StepId.REACH, len(steps), len(steps), "checks"))
    finally:
        ground.close()


async def _rung(run: Run, ground: ladder.Ground, step: ladder.Step) -> None:
    try:
        found = await step.look(ground)
    except ZenniError as error:
        words = " ".join(part for part in (error.what, error.why) if part)
        run.check(StepId.REACH, step.name, words, ok=False, advice=error.next_step, tried=step.story)
        raise
    run.check(StepId.REACH, step.name, found.found, ok=found.ok, advice=found.advice, tried=found.tried)
    if ground.room is not None and ground.room < run.request.workers:
        run.steering.brakes.hold(Cause.ROOM, ground.room, "The target has too few sessions for more.")
    run.steering.chunks.measured(ground.rate)
    if step.name == "server":
        run.tell(e.TargetSeen(run.to.facts(run.request.schema, ground.version)))


def _size(run: Run) -> int:
    return run.source.stat().st_size if run.source.exists() else 0
