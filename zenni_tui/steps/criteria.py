"""The operator's own signs that it may be time to go back: watched and told, never acted upon."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from zenni_tui.application import health
from zenni_tui.errors import StepFailed, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.application import Which
from zenni_tui.model.switching import downtime

from . import sides
from .run import Run

_ASK_SECONDS = 2.0
_RATE_SECONDS = 30.0


def trip(run: Run, criterion: str, found: str, limit: str) -> None:
    """Tell that a criterion is met, once for as long as nothing else was told of it."""
    known = [t.what for t in run.state().tripped if t.what.criterion == criterion]
    if not known or known[-1].found != found:
        decides = ", ".join(run.request.rollback.who_may_decide)
        run.tell(e.CriterionTripped(criterion, found, limit, decides))


@contextlib.contextmanager
def verification(run: Run) -> Iterator[None]:
    """Tell when a comparison within finds both sides different, and let the error pass."""
    try:
        yield
    except StepFailed as error:
        if run.request.rollback.verification_failed:
            trip(run, "verification_failed", f"{error.what} {error.where} {error.why}", "no difference")
        raise


def over_budget(run: Run) -> None:
    """Tell when the switch took longer than the operator had planned for."""
    budget, took = run.request.rollback.downtime_budget_seconds, downtime(run.state()).seconds
    if budget and took > budget:
        trip(run, "downtime_budget_seconds", f"{took:.1f} s", f"{budget:g} s")


async def watch(run: Run, which: Which) -> None:
    """Watch health and error rate until cancelled."""
    over_budget(run)
    await asyncio.gather(_health(run, which), _rate(run, which), _deadline(run))


async def _health(run: Run, which: Which) -> None:
    limit, wanted = run.request.rollback.health_down_seconds, run.request.application.health_of(which)
    if not wanted.url or not limit:
        return
    well = time.monotonic()
    told = False
    while True:
        answer = await asyncio.to_thread(health.ask, wanted)
        if answer.ok:
            if told:
                run.say(f"The application is well again, after {time.monotonic() - well:.0f} s.")
            well, told = time.monotonic(), False
        elif not told and time.monotonic() - well > limit:
            trip(
                run, "health_down_seconds", f"not well since {time.strftime('%H:%M:%S')}: {answer.why}", f"{limit:g} s"
            )
            told = True
        await asyncio.sleep(_ASK_SECONDS)


async def _rate(run: Run, which: Which) -> None:
    limit, side = run.request.rollback.error_rate, await sides.side(run, which)
    if not limit or not side.has("error_rate"):
        return
    silent = False
    while True:
        try:
            ended = await side.call("error_rate", run.folder, sides.told(run, "watch"))
            rate = float((await asyncio.to_thread(Path(ended.said).read_text)).split()[-1])
        except (ZenniError, OSError, ValueError, IndexError) as error:
            if not silent:
                run.say(f"The command error_rate tells no error rate: {error}", "warning")
            silent = True
        else:
            silent = False
            if rate > limit:
                trip(run, "error_rate", f"{rate:g}", f"{limit:g}")
        await asyncio.sleep(_RATE_SECONDS)


async def _deadline(run: Run) -> None:
    window = run.state().window
    if window is None:
        return
    await asyncio.sleep(max(0.0, window.deadline - time.time()))
    run.say("The rollback window's time is over. It stays open until you end it: zenni-tui finish.", "warning")
