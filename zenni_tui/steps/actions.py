"""Steps made of actions that can be taken back: done in order, asked of the world after a death, undone in reverse."""

import asyncio
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from zenni_tui.errors import Halted, StepFailed, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.actions import ActionState, find
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act
from zenni_tui.source import live
from zenni_tui.target import bookkeeping, trouble

from .patience import Patience, insist
from .run import Run

T = TypeVar("T")

PATIENCE_SECONDS = 20.0
"""How long a target that is away is tried again while nobody can write."""


class Deed(Record, frozen=True):
    """What an action did; `theirs` and `since` as in `ActionDone`."""

    summary: str
    theirs: float = 0.0
    since: float = 0.0


class Irreversible(StepFailed):
    """An action can't be taken back, and so nothing before it may be."""


class Action(ABC):
    """One thing that is done to the world, and can be done again, looked at, and taken back."""

    id: Act
    words: str

    async def done(self, run: Run) -> bool | None:  # noqa: ARG002 - those that can ask the world need it
        """Return whether the world shows it as done; None when only the journal can tell."""
        return None

    @abstractmethod
    async def do(self, run: Run) -> Deed:
        """Do it, or what is left of it."""

    async def revert(self, run: Run) -> str:  # noqa: ARG002 - those that change something need it
        """Take it back, however far it came; returns a summary in one sentence."""
        return "nothing to take back"


async def forward(run: Run, step: StepId, actions: Sequence[Action]) -> None:
    """Do what isn't done yet, in order; raises what the first failure raised."""
    for action in actions:
        run.stop_here()
        view = find(run.state().actions, step, action.id)
        if view is not None and view.state is ActionState.DONE and await action.done(run) is not False:
            continue
        await _do(run, step, action)


async def _do(run: Run, step: StepId, action: Action) -> None:
    started = time.monotonic()
    run.tell(e.ActionStarted(step, action.id, action.words))
    try:
        deed = await action.do(run)
    except (ZenniError, OSError, sqlite3.Error, psycopg.Error) as error:
        problem = in_words(error)
        run.tell(e.ActionFailed(step, action.id, _since(started), problem.problem))
        raise problem from error
    run.tell(e.ActionDone(step, action.id, _since(started), deed.summary, round(deed.theirs, 3), deed.since))


async def back(run: Run, step: StepId, actions: Sequence[Action]) -> None:
    """Take back all that was begun, last first; one that can't be doesn't keep the others. Raises the first error."""
    first: ZenniError | None = None
    for action in reversed(actions):
        view = find(run.state().actions, step, action.id)
        if view is None or view.state is ActionState.REVERTED:
            continue
        started = time.monotonic()
        try:
            summary = await action.revert(run)
        except (ZenniError, OSError, sqlite3.Error, psycopg.Error) as error:
            problem = in_words(error)
            run.tell(e.ActionFailed(step, action.id, _since(started), problem.problem))
            if isinstance(problem, Irreversible):
                raise problem from error
            first = first or problem
        else:
            run.tell(e.ActionReverted(step, action.id, _since(started), summary))
    if first is not None:
        raise first


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def in_words(error: Exception) -> ZenniError:
    """Return any error of an action in the operator's terms."""
    if isinstance(error, ZenniError):
        return error
    if isinstance(error, psycopg.Error):
        return trouble.told(error, "the target")
    where = str(error.filename) if isinstance(error, OSError) else "the application's file"
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return Halted("A file could not be used.", where=where, why=why, next_step="Make space or mend the rights.")


async def at_target(run: Run, where: str, deed: Callable[[bookkeeping.Connection], T]) -> T:
    """Do to the target what can be repeated, over a connection of its own, with short patience; raises ZenniError."""
    patience = Patience(run.tell, lambda: step_of(run), PATIENCE_SECONDS)
    return await _at_target(run, where, deed, patience, _never)


async def patiently(run: Run, where: str, deed: Callable[[bookkeeping.Connection], T]) -> T:
    """Do it with the run's own patience, where nobody waits for it; raises ZenniError, Stopped too."""
    return await _at_target(run, where, deed, run.patience, run.stop_here)


async def _at_target(
    run: Run,
    where: str,
    deed: Callable[[bookkeeping.Connection], T],
    patience: Patience,
    give_up: Callable[[], object],
) -> T:
    def connected() -> T:
        with run.to.connect() as connection:
            return deed(connection)

    try:
        return await insist(patience, where, connected, give_up=give_up)
    except psycopg.Error as error:
        raise trouble.told(error, where) from error


def step_of(run: Run) -> StepId:
    """Return the step at work."""
    current = run.state().current
    return current.id if current else StepId.SWITCH


def _never() -> None:
    """Go on waiting: what was begun in a switch is brought to an end, or taken back."""


async def at_source(run: Run, deed: Callable[[sqlite3.Connection], T]) -> T:
    """Do something to the application's file over a connection of its own; raises StepFailed."""

    def connected() -> T:
        connection = live.open_live(run.source)
        try:
            return deed(connection)
        except sqlite3.Error as error:
            raise live.unwritable(run.source, error) from error
        finally:
            connection.close()

    return await asyncio.to_thread(connected)
