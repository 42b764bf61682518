"""What must hold before anything of a switch is begun; each is told as a check, and nothing is changed."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable

from zenni_tui.application import environment
from zenni_tui.errors import NotReady, ZenniError
from zenni_tui.model.application import Application, Which
from zenni_tui.model.runbook import StepId, StepState, TableVerdict
from zenni_tui.report import card
from zenni_tui.source import apply, neighbours
from zenni_tui.target import bookkeeping

from . import backward, sides
from .actions import at_source, at_target
from .run import Run
from .unwritten import Proof

_MARGIN = 64 * 1024 * 1024
_LEAST_CONNECTIONS = 5
_LEFT = (
    "SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer"
    " - (SELECT count(*)::integer FROM pg_stat_activity)"
)


Look = Callable[[Run], Awaitable[str]]


async def look(run: Run, proof: Proof) -> None:
    """Look at all of it; raises NotReady at the first thing that stands in the way."""
    looks = (
        ("decision", _decision),
        ("verification", _verification),
        ("application", _application),
        ("settings files", _files),
        ("disk", _disk),
        ("target", _target),
        ("source", _source),
    )
    for name, one in looks:
        await _told(run, name, one)
    await _tried(run)
    await _told(run, "writes since the snapshot", proof.prepare)
    await _told(run, "emergency card", _card)


async def _told(run: Run, name: str, one: Look) -> None:
    try:
        found = await one(run)
    except ZenniError as error:
        words = " ".join(part for part in (error.what, error.why) if part)
        run.check(StepId.SWITCH, name, words, ok=False, advice=error.next_step)
        raise _not_ready(error) from error
    run.check(StepId.SWITCH, name, found)


def _not_ready(error: ZenniError) -> NotReady:
    if isinstance(error, NotReady):
        return error
    return NotReady(error.what, where=error.where, why=error.why, next_step=error.next_step)


async def _decision(run: Run) -> str:
    return decision(run, StepId.SWITCH)


def decision(run: Run, step: StepId) -> str:
    """Return who has decided on a step, and why; raises NotReady when nobody has who may."""
    taken = next((t.what for t in reversed(run.state().decisions) if t.what.step is step), None)
    who = run.request.rollback.who_may_decide
    command = "switch --confirm SWITCH" if step is StepId.SWITCH else "rollback --confirm 'FALL BACK'"
    if taken is None:
        raise NotReady(f"Nobody has decided on the {step}.", next_step=f"zenni-tui {command} --why TEXT")
    if who and taken.by not in who:
        raise NotReady(
            f"{taken.by} may not decide on the {step}.",
            where="[rollback] who_may_decide",
            why=f"It names {', '.join(who)}.",
            next_step=f"Let one of them give the word: zenni-tui {command} --by NAME --why TEXT",
        )
    return f"{taken.by}: {taken.why or 'no reason given'}"


async def _tried(run: Run) -> None:
    waived = next((t.what.overrides for t in reversed(run.state().decisions) if t.what.step is StepId.SWITCH), ())
    try:
        tried, found = await asyncio.to_thread(run.sides_tried, waived)
    except NotReady as error:
        run.check(StepId.SWITCH, "both sides", error.what, ok=False, advice=error.next_step)
        raise
    run.check(StepId.SWITCH, "both sides", found, ok=True if tried else None)


async def _verification(run: Run) -> str:
    state = run.state()
    fine = (TableVerdict.IDENTICAL, TableVerdict.NOT_MIGRATED, TableVerdict.EXCLUDED)
    wrong = [t.source for t in state.tables.values() if t.verdict not in fine]
    if state.step(StepId.VERIFY).state is not StepState.DONE or wrong:
        raise NotReady(
            "The migration is not verified.",
            where=", ".join(wrong) or "verify",
            next_step="Bring it to its end first: zenni-tui resume, or zenni-tui verify.",
        )
    return f"{len(state.tables)} tables identical, {state.step(StepId.VERIFY).summary}"


def known(application: Application) -> None:
    """Raise NotReady where nothing is known of how the application is switched over."""
    if not application.can_switch:
        raise NotReady(
            "Nothing is known of how the application is switched over.",
            where="[application]",
            why="Neither settings for the new side nor a command to deploy or restart it are configured.",
            next_step="Fill in [application] in the config (the README has an example), roll this run back, and start "
            "a new one with it. Or switch the application over yourself: the target is verified.",
        )


async def _application(run: Run) -> str:
    application = run.request.application
    known(application)
    for which in Which:
        await sides.side(run, which)
    named = [n for n in ("build", "deploy", "restart", "smoke_tests") if application.command(n, Which.NEW)]
    return f"settings {', '.join(sorted(application.new.settings)) or 'none'}; commands {', '.join(named) or 'none'}"


async def _files(run: Run) -> str:
    new = await sides.side(run, Which.NEW)
    files = [path for path, _ in await asyncio.to_thread(new.files)]
    for path in files:
        await asyncio.to_thread(environment.writable, path)
    return ", ".join(map(str, files)) or "none"


async def _disk(run: Run) -> str:
    places = {place: shutil.disk_usage(place).free for place in (run.folder, run.source.resolve().parent)}
    for place, free in places.items():
        if free < _MARGIN:
            raise NotReady(
                "There is too little disk space for a switch.",
                where=str(place),
                why=f"{free:,} bytes are free, {_MARGIN:,} are needed.",
                next_step="Make space there, then try again.",
            )
    return "; ".join(f"{place}: {free:,} bytes free" for place, free in places.items())


async def _target(run: Run) -> str:
    def ask(connection: bookkeeping.Connection) -> tuple[int, str | None]:
        row = connection.execute(_LEFT).fetchone()
        return int(row[0]) if row else 0, bookkeeping.live_since(connection)

    left, live = await at_target(run, run.to.label(), ask)
    if live is not None:
        raise NotReady(
            "The target is live already.",
            where=run.to.label(),
            why=f"The application may have been writing there since {live}.",
            next_step="Go on with the run that switched it, or fall back: zenni-tui runs, zenni-tui rollback.",
        )
    if left < _LEAST_CONNECTIONS:
        raise NotReady(
            "The target has too few connections left.",
            where=run.to.label(),
            why=f"{left} more can be opened; the application and this program need at least {_LEAST_CONNECTIONS}.",
            next_step="End idle sessions there or raise max_connections, then try again.",
        )
    return f"{left} connections left, not live yet"


async def _source(run: Run) -> str:
    await at_source(run, lambda file: file.execute("PRAGMA user_version").fetchone())
    found = await asyncio.to_thread(neighbours.having_open, run.source)
    if found is None:
        return "can be written; who has it open can't be told here"
    names = ", ".join(f"{name} ({pid})" for pid, name in sorted(found.items()) if pid != os.getpid())
    return f"can be written; open in {names or 'no other process that can be seen'}"


async def _card(run: Run) -> str:
    side, plan = await sides.side(run, Which.NEW), run.plan()
    files = tuple((str(path), str(side.backup(path))) for path, _ in await asyncio.to_thread(side.files))
    target = run.to.facts(run.request.schema)
    facts = card.Facts(run.request.run_id, str(run.folder), str(run.source), target, run.request.application, files)
    samples, given = await at_source(
        run, lambda file: ({t.name: backward.samples(file, t) for t in plan.tables}, apply.counters(file))
    )
    return str(await asyncio.to_thread(card.write, facts, plan, samples, given))
