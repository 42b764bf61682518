"""What a screen shows of a run at one moment: the state, the engine's life, the hour; and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zenni_tui.model import events as e
from zenni_tui.model.runbook import WRITES_TARGET, Meanwhile, RunKind, StepId, StepState, TableVerdict, Verdict
from zenni_tui.model.state import RunState, StepView
from zenni_tui.model.switching import Phase, phase

from .words import Tone

_WEIGHTS = {StepId.AUDIT: 4, StepId.COPY: 50, StepId.INDEX: 12, StepId.VERIFY: 27}
_TAKEN_BACK = frozenset({StepState.UNDOING, StepState.UNDONE})
_KEPT_SPEEDS = 60
_UNTOUCHED = frozenset({StepState.PENDING, StepState.UNDONE})
_SAME = frozenset({TableVerdict.IDENTICAL, TableVerdict.EXCLUDED, TableVerdict.NOT_MIGRATED})


@dataclass(frozen=True)
class Situation:
    """One moment of a run; `asked` is a command whose effect has not been seen yet, `now` seconds since 1970.

    `changed` tells that choices were made since the engine began to wait; `held_by` who else has control of the run.
    """

    folder: Path
    state: RunState
    alive: bool
    now: float
    asked: str = ""
    changed: bool = False
    held_by: str = ""

    @property
    def interrupted(self) -> bool:
        """Return whether the engine died without a last word."""
        return self.state.entries > 0 and not self.state.ended and not self.alive and self.asked != "start"

    @property
    def undoing(self) -> bool:
        """Return whether a step is being taken back."""
        return any(s.state is StepState.UNDOING for s in self.state.steps)

    @property
    def taken_back(self) -> bool:
        """Return whether the target was written and holds nothing of this run any more."""
        writers = [s.state for s in self.state.steps if s.id in WRITES_TARGET]
        return StepState.UNDONE in writers and all(state in _UNTOUCHED for state in writers)

    @property
    def written(self) -> bool:
        """Return whether the target may hold something of this run."""
        return any(s.state not in _UNTOUCHED for s in self.state.steps if s.id in WRITES_TARGET)

    @property
    def armed(self) -> bool:
        """Return whether the source may hold something of this run: its log of writes, or what refuses them."""
        return self.state.meanwhile is not Meanwhile.NOTHING and self.state.step(StepId.ARM).state not in _UNTOUCHED

    @property
    def over(self) -> bool:
        """Return whether no engine works on the run and none is about to."""
        return (self.state.ended or self.interrupted) and self.asked != "start"

    @property
    def can_resume(self) -> bool:
        """Return whether an engine could go on with the run."""
        if not self.over or self.taken_back:
            return False
        return self.state.verdict in {None, Verdict.STOPPED, Verdict.FAILED, Verdict.ERROR, Verdict.NOT_READY}

    @property
    def can_roll_back(self) -> bool:
        """Return whether there is anything to take back, now or by ending the run."""
        closed = self.over and phase(self.state) is Phase.CLOSED
        return not closed and (self.written or self.armed or not self.over)

    @property
    def elapsed(self) -> float:
        """Return the seconds since the run began; when it is over, the seconds it took."""
        state = self.state
        if state.ended:
            return state.seconds
        return max(0.0, (state.last if self.interrupted else self.now) - state.started) if state.started else 0.0

    @property
    def eta(self) -> float | None:
        """Return the seconds left of the running step, by the engine's own estimate."""
        step = running(self.state)
        held = self.state.paused or self.state.retrying
        if step is None or step.eta is None or not self.alive or held:
            return None
        return max(0.0, step.eta - (self.now - step.eta_at))


def running(state: RunState) -> StepView | None:
    """Return the step that runs or is being taken back."""
    for wanted in (StepState.UNDOING, StepState.RUNNING):
        for step in state.steps:
            if step.state is wanted:
                return step
    return None


_DECIDED_AT = {StepId.SWITCH: StepId.CATCH_UP, StepId.CATCH_UP: StepId.AUDIT}
"""Where an operator sees what a question is about: findings are chosen from in one place, whenever they turn up."""


def shown_step(state: RunState) -> StepId | None:
    """Return the step worth looking at now: what works, waits, failed, or told the end."""
    step = running(state)
    if step:
        return step.id
    if state.waiting:
        return _DECIDED_AT.get(state.waiting.step) or _step_before(state, state.waiting.step)
    failed = next((s.id for s in state.steps if s.state is StepState.FAILED), None)
    if failed:
        return failed
    if state.actions and state.kind is RunKind.MIGRATE:
        return state.current.id if state.current else None
    if state.ended and any(s.id is StepId.REPORT and s.state is not StepState.PENDING for s in state.steps):
        return StepId.REPORT
    return state.current.id if state.current else None


def _step_before(state: RunState, step: StepId) -> StepId:
    """Return what was done last before a step: what the operator decides upon."""
    ids = [s.id for s in state.steps]
    return ids[max(0, ids.index(step) - 1)] if step in ids else step


def state_word(situation: Situation) -> tuple[str, Tone]:
    """Return the run's state in capitals, with its tone."""
    verdict = situation.state.verdict
    if situation.asked == "start" or not situation.state.entries:
        return "STARTING", Tone.BUSY
    if situation.interrupted:
        return "INTERRUPTED", Tone.BAD
    if verdict:
        return verdict.replace("_", " ").upper(), _VERDICT_TONES[verdict]
    return _work_word(situation)


def _work_word(situation: Situation) -> tuple[str, Tone]:
    if situation.undoing:
        return "ROLLING BACK", Tone.WARN
    if situation.asked:
        return _ASKED_WORDS.get(situation.asked, "GOING ON"), Tone.WARN
    if situation.state.waiting:
        return "WAITING FOR YOU", Tone.WARN
    if situation.state.paused:
        return "PAUSED", Tone.WARN
    later = _LATER_WORDS.get(step.id) if (step := running(situation.state)) and not situation.state.retrying else None
    if later:
        return later
    return ("TARGET AWAY", Tone.BAD) if situation.state.retrying else ("RUNNING", Tone.BUSY)


_LATER_WORDS = {
    StepId.SWITCH: ("SWITCHING", Tone.WARN),
    StepId.WATCH: ("WINDOW OPEN", Tone.GOOD),
    StepId.FALL_BACK: ("FALLING BACK", Tone.WARN),
}


def hindrance(situation: Situation) -> tuple[str, Tone] | None:
    """Return what keeps a run from its full speed now, in one sentence."""
    state = situation.state
    if situation.held_by:
        return f"You look on: {situation.held_by} has control. Key o takes it over.", Tone.WARN
    if situation.over:
        return None
    if state.retrying:
        story = state.retrying.story(situation.now)
        return f"{story[0].upper()}{story[1:]}. {state.retrying.why}", Tone.BAD
    slow = _slowness(situation)
    return (slow, Tone.WARN) if slow else None


def _slowness(situation: Situation) -> str:
    state = situation.state
    if state.paused:
        since = max(0.0, situation.now - state.paused_at)
        return f"Paused by {state.paused.by}, {since:.0f} s ago. Nothing is open on the target; p goes on."
    if state.throttled and state.throttled.limits:
        return f"Slowed to {state.throttled.words}. Key t changes it."
    return state.eased.words if state.eased else ""


_ASKED_WORDS = {"stop": "STOPPING", "rollback": "ROLLING BACK", "switch": "SWITCHING", "finish": "CLOSING"}


_VERDICT_TONES = {
    Verdict.PASSED: Tone.GOOD,
    Verdict.FAILED: Tone.BAD,
    Verdict.NOT_READY: Tone.BAD,
    Verdict.WAITING: Tone.WARN,
    Verdict.STOPPED: Tone.WARN,
    Verdict.ROLLED_BACK: Tone.WARN,
    Verdict.ERROR: Tone.BAD,
}


def kind_word(state: RunState) -> tuple[str, Tone]:
    """Return LIVE, or what kind of run it is; colour and word say the same."""
    if state.live:
        return "LIVE", Tone.LIVE
    words = {RunKind.REHEARSE: "REHEARSAL", RunKind.MIGRATE: "MIGRATION"}
    return (words.get(state.kind, state.kind.upper()) if state.kind else "RUN"), Tone.REHEARSAL


def verified(state: RunState) -> bool:
    """Return whether every table was compared and nothing differs."""
    if state.step(StepId.VERIFY).state not in {StepState.DONE, *_TAKEN_BACK}:
        return False
    return all(t.verdict in _SAME for t in state.tables.values())


def overall(state: RunState) -> float:
    """Return how far the whole run is, 0 to 1; 1 means verified."""
    if verified(state):
        return 1.0
    weights = [(_WEIGHTS.get(s.id, 1), _share(s)) for s in state.steps]
    total = sum(weight for weight, _ in weights) or 1
    return min(0.99, sum(weight * share for weight, share in weights) / total)


def _share(step: StepView) -> float:
    if step.state is StepState.DONE:
        return 1.0
    return min(1.0, step.done / step.total) if step.total > 0 else 0.0


class Ratchet:
    """Holds the highest value seen for each name, so that no bar runs backwards; `forget` when work is taken back."""

    def __init__(self) -> None:
        self._peaks: dict[str, float] = {}

    def at(self, name: str, value: float) -> float:
        """Return the highest value seen so far."""
        peak = max(value, self._peaks.get(name, 0.0))
        self._peaks[name] = peak
        return peak

    def forget(self) -> None:
        """Begin anew."""
        self._peaks.clear()


class Pace:
    """The speed of late: how fast a figure grew over the last seconds, and `history`, how fast between two looks."""

    def __init__(self, window: float = 10.0) -> None:
        self._window = window
        self.history: list[float] = []
        self._seen: list[tuple[float, int]] = []

    def at(self, when: float, done: int) -> float | None:
        """Note a figure and return its growth a second, or None while too little is known."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or when > self._seen[-1][0]:
            self._note(when, done)
        while len(self._seen) > 2 and self._seen[1][0] < when - self._window:  # noqa: PLR2004 - two points make a speed
            self._seen.pop(0)
        (t0, d0), (t1, d1) = self._seen[0], self._seen[-1]
        return (d1 - d0) / (t1 - t0) if t1 - t0 >= 1.0 else None

    def _note(self, when: float, done: int) -> None:
        if self._seen:
            before, then = self._seen[-1]
            self.history = [*self.history, (done - then) / (when - before)][-_KEPT_SPEEDS:]
        self._seen.append((when, done))


ENDS_BADLY = frozenset({Verdict.FAILED, Verdict.NOT_READY, Verdict.ERROR})
"""The verdicts of runs that have a problem to tell."""


def problems(entries: Sequence[e.Entry], *, gated: bool = False) -> list[e.Problem]:
    """Return the problems among entries, each once; those before the engine began anew are overcome.

    In a `gated` run the plan's failure is none by itself: the engine asks for choices, or its end tells the problem.
    """
    found: list[e.Problem] = []
    for entry in entries:
        what = entry.what
        if isinstance(what, e.RunStarted):
            found.clear()
        problem = _problem_of(what, gated=gated)
        if problem and problem not in found:
            found.append(problem)
    return found


def _problem_of(what: e.AnyEvent, *, gated: bool) -> e.Problem | None:
    if isinstance(what, e.StepFailed):
        return None if gated and what.step is StepId.PLAN else what.problem
    if isinstance(what, e.RunEnded):
        return what.problem if what.verdict in ENDS_BADLY else None
    return what.problem if isinstance(what, e.UndoFailed) else None
