"""The report's sections on the switch and the way back: who decided, what was done when, and what to learn from it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from zenni_tui.model.actions import ActionState, ActionView, Taken, of
from zenni_tui.model.runbook import StepId
from zenni_tui.model.state import RunState
from zenni_tui.model.switching import downtime, serving

from . import plots
from .document import Block, Bullets, Heading, Line, Mono, Paragraph, Picture, State, Strong, Table
from .history import Bar

_TITLES = {StepId.SWITCH: "Switch", StepId.FALL_BACK: "Fall-back"}
_KINDS = {
    ActionState.RUNNING: "running",
    ActionState.DONE: "done",
    ActionState.FAILED: "failed",
    ActionState.REVERTED: "undone",
}
"""How an action's bar is drawn."""
_ADVICE = {
    "verification_failed": "Find out why both sides differ before anything is switched again.",
    "health_down_seconds": "Find out from the application's log why it was not well on PostgreSQL.",
    "error_rate": "Find the failing requests in the application's log, and the queries behind them.",
    "downtime_budget_seconds": "See in the table above what took the time: build before, deploy faster, or plan more.",
}


def sections(folder: Path, state: RunState) -> Iterator[Block]:
    """Yield what is to be said of the switch, of the way back, and of the next attempt; nothing before a switch."""
    if not state.actions:
        return
    for step in _TITLES:
        yield from _runbook(state, step)
    if any(v.step is StepId.FALL_BACK for v in state.actions):
        yield from _analysis(folder, state)


def _runbook(state: RunState, step: StepId) -> Iterator[Block]:
    views = of(state.actions, step)
    if not views:
        return
    yield Heading(2, _TITLES[step])
    yield Paragraph((Strong(serving(state).words),))
    yield Bullets(tuple(_facts(state, step)))
    bars = [Bar(v.id, v.started, v.ended or None, _KINDS[v.state]) for v in views]
    yield Picture(plots.timeline(bars, state.last), f"The actions of the {_TITLES[step].lower()} in their time.")
    rows = ((v.id, State(v.state), _clock(v.started), _took(v), f"{v.theirs:.2f}", _told(v)) for v in views)
    yield Table(("action", "state", "began", "seconds", "the application's", ""), tuple(rows), frozenset({3, 4}))


def _facts(state: RunState, step: StepId) -> Iterator[Line]:
    for taken in state.decisions:
        if taken.what.step is step:
            without = f" WITHOUT: {', '.join(taken.what.overrides)}." if taken.what.overrides else ""
            yield f"Decided by {taken.what.by} at {_clock(taken.at)}: {taken.what.why or 'no reason given'}.{without}"
    whole = downtime(state, step)
    if whole.seconds:
        yield (
            f"Nobody could write for {whole.seconds:.1f} s: {whole.ours:.1f} s of it this program's,"
            f" {whole.theirs:.1f} s the application's own commands and answers."
        )
    if step is StepId.SWITCH and state.window is not None:
        yield f"The rollback window was meant to stay open until {_clock(state.window.deadline)}."
        yield from (_ended(d) for d in state.decisions if d.what.step is StepId.WATCH)
    for trip in state.tripped:
        yield f"{_clock(trip.at)} {trip.what.criterion}: {trip.what.found}; the limit is {trip.what.limit}."


def _ended(taken: Taken) -> Line:
    without = f" WITHOUT: {', '.join(taken.what.overrides)}." if taken.what.overrides else ""
    return f"{taken.what.by} wanted to end it at {_clock(taken.at)}: {taken.what.why or 'no reason given'}.{without}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _took(view: ActionView) -> str:
    return f"{max(0.0, view.ended - view.started):.2f}" if view.ended else ""


def _told(view: ActionView) -> str:
    problem = f"{view.problem.what} {view.problem.why}" if view.problem else ""
    return " ".join(filter(None, (view.words + ":", view.summary, problem)))


def _analysis(folder: Path, state: RunState) -> Iterator[Block]:
    yield Heading(2, "What led to the way back")
    yield Heading(3, "Timeline")
    yield Table(("when", "what"), tuple((_clock(at), words) for at, words in sorted(_moments(state))))
    yield Heading(3, "What tripped")
    tripped = tuple(f"{t.what.criterion}: {t.what.found}; the limit is {t.what.limit}." for t in state.tripped)
    yield Bullets(tripped or ("No criterion: it was somebody's judgement.",))
    yield Heading(3, "Evidence")
    yield Bullets(tuple(("", Mono(str(path))) for path in _evidence(folder)))
    yield Heading(3, "What to mend")
    yield Bullets(tuple(_mend(state)) or ("Nothing failed: ask who decided.",))
    yield Heading(3, "Task for the next attempt")
    yield Bullets(tuple(_task(state)))


def _moments(state: RunState) -> Iterator[tuple[float, str]]:
    for taken in state.decisions:
        yield taken.at, f"{taken.what.by} decided on {taken.what.step}: {taken.what.why or 'no reason given'}"
    for trip in state.tripped:
        yield trip.at, f"{trip.what.criterion}: {trip.what.found}"
    for view in state.actions:
        words = f"{view.step}: {view.words}"
        yield view.started, words
        if view.state is ActionState.FAILED or view.problem is not None:
            yield view.ended, f"{words} FAILED: {_told(view)}"


def _evidence(folder: Path) -> Iterable[Path]:
    names = ("events.jsonl", "engine.log", "emergency.md", "differences.jsonl")
    return [*(folder / n for n in names if (folder / n).exists()), *sorted(folder.glob("hook-*.log"))]


def _mend(state: RunState) -> Iterator[Line]:
    for view in state.actions:
        if view.problem is not None:
            yield Strong(view.words), f": {view.problem.what} {view.problem.why} {view.problem.next_step}"
    for criterion in dict.fromkeys(t.what.criterion for t in state.tripped):
        yield Strong(criterion), f": {_ADVICE.get(criterion, '')}"


def _task(state: RunState) -> Iterator[Line]:
    mend = [view.words for view in state.actions if view.problem is not None]
    mend += dict.fromkeys(t.what.criterion for t in state.tripped)
    yield f"Mend what is listed above{': ' + ', '.join(mend) if mend else ''}."
    yield "Take the tables out of the target: ", Mono("zenni-tui rollback"), "."
    yield "Rehearse anew, with the application's tests: ", Mono("zenni-tui rehearse"), "."
    yield "Migrate and switch again when the rehearsal has passed: ", Mono("zenni-tui migrate"), "."
