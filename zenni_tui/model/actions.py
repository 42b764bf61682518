"""What a step is made of when it has to be taken back at any moment: named actions, and how each of them stands."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import msgspec

from . import events as e
from .record import Record
from .runbook import StepId


class ActionState(StrEnum):
    """Where an action is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REVERTED = "reverted"


class ActionView(Record, frozen=True):
    """One action as it stands; times in seconds since 1970, `theirs` the seconds that the application's part took.

    `since` is set where it had been done before it was asked for.
    """

    step: StepId
    id: str
    words: str
    state: ActionState
    started: float
    ended: float = 0.0
    theirs: float = 0.0
    since: float = 0.0
    summary: str = ""
    problem: e.Problem | None = None


class Taken(Record, frozen=True):
    """A decision, and when it was taken."""

    at: float
    what: e.Decided


class Tripped(Record, frozen=True):
    """A criterion that was met, and when."""

    at: float
    what: e.CriterionTripped


Views = tuple[ActionView, ...]


def find(views: Views, step: StepId, action: str) -> ActionView | None:
    """Return one action, None when it never began."""
    return next((v for v in views if v.step is step and v.id == action), None)


def of(views: Views, step: StepId) -> Views:
    """Return a step's actions in the order in which they began."""
    return tuple(v for v in views if v.step is step)


def _started(views: Views, at: float, what: e.ActionStarted) -> Views:
    begun = ActionView(what.step, what.action, what.words, ActionState.RUNNING, at)
    return (*(v for v in views if (v.step, v.id) != (what.step, what.action)), begun)


def _changed(views: Views, at: float, what: Any, **changes: Any) -> Views:
    return tuple(
        msgspec.structs.replace(v, ended=at, **changes) if (v.step, v.id) == (what.step, what.action) else v
        for v in views
    )


def _told(what: e.ActionDone) -> dict[str, Any]:
    return {"theirs": what.theirs, "since": what.since, "summary": what.summary}


_CHANGES: dict[type[e.Event], Callable[[Any], dict[str, Any]]] = {
    e.ActionDone: lambda w: {"state": ActionState.DONE, "problem": None, **_told(w)},
    e.ActionFailed: lambda w: {"state": ActionState.FAILED, "problem": w.problem},
    e.ActionReverted: lambda w: {"state": ActionState.REVERTED, "summary": w.summary},
}


def after(views: Views, at: float, what: e.AnyEvent) -> Views:
    """Return the actions after one more event about them."""
    if isinstance(what, e.ActionStarted):
        return _started(views, at, what)
    return _changed(views, at, what, **_CHANGES[type(what)](what))


def settled(views: Iterable[ActionView]) -> bool:
    """Return whether every one of them is done."""
    return all(v.state is ActionState.DONE for v in views)
