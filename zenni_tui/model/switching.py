"""The switch and the fall-back as they stand: which side serves, how long nobody did; pure, from the run's state."""

from enum import StrEnum

from .actions import ActionState, ActionView, find
from .application import Which
from .record import Record
from .runbook import StepId, StepState
from .state import RunState

CONFIRM_SWITCH, CONFIRM_FALL_BACK, CONFIRM_FINISH = "SWITCH", "FALL BACK", "FINISH"
"""What the operator types."""
UNTRIED = "UNTRIED"
"""What is typed to switch to a side that no rehearsal has tried."""
UNPROVEN = "UNPROVEN"
"""What is typed to end the rollback window without a proven backup of the new database."""


class Act(StrEnum):
    """The actions of the switch and of the fall-back, by their ids."""

    BUILD = "build"
    TESTS = "tests"
    ANNOUNCE = "announce"
    FREEZE = "freeze"
    DRAIN = "drain"
    COMPARE = "compare"
    COUNTERS = "counters"
    CONSTRAINTS = "constraints"
    CAPTURE = "capture"
    GO_LIVE = "go_live"
    ENVIRONMENT = "environment"
    DEPLOY = "deploy"
    RESTART = "restart"
    HEALTH = "health"
    SMOKE = "smoke"
    THAW = "thaw"
    ANNOUNCED = "announced"
    SETTLE = "settle"


class Serving(Record, frozen=True):
    """Which side serves, None while none does, and what that means, in one sentence."""

    side: Which | None
    words: str


class Downtime(Record, frozen=True):
    """Seconds from the last write refused to the first one accepted: all of them, and the application's own part."""

    seconds: float = 0.0
    theirs: float = 0.0

    @property
    def ours(self) -> float:
        """Return our part."""
        return max(0.0, self.seconds - self.theirs)


def state_of(state: RunState, step: StepId, act: Act) -> ActionState | None:
    """Return where an action is, None when it never began."""
    view = find(state.actions, step, act)
    return view.state if view else None


def _done(state: RunState, step: StepId, act: Act) -> bool:
    return state_of(state, step, act) is ActionState.DONE


def _touched(state: RunState, step: StepId, act: Act) -> bool:
    return state_of(state, step, act) not in (None, ActionState.REVERTED)


def begun(state: RunState, step: StepId) -> bool:
    """Return whether a switch or a fall-back has done anything that still stands."""
    return any(v.step is step and v.state is not ActionState.REVERTED for v in state.actions)


def is_live(state: RunState) -> bool:
    """Return whether the new side may have accepted a write: from then on there is no plain way back."""
    gone = _done(state, StepId.FALL_BACK, Act.SETTLE)
    return _touched(state, StepId.SWITCH, Act.DEPLOY) and not gone


def is_switched(state: RunState) -> bool:
    """Return whether the switch came to its end."""
    return is_live(state) and _done(state, StepId.SWITCH, Act.SETTLE)


def falling_back(state: RunState) -> bool:
    """Return whether a fall-back has begun and is not done."""
    return begun(state, StepId.FALL_BACK) and not _done(state, StepId.FALL_BACK, Act.SETTLE)


class Phase(StrEnum):
    """Where the application is, from before the switch to behind the way back."""

    OLD = "old"
    NOBODY = "nobody"
    STARTING = "starting"
    NEW = "new"
    CLOSED = "closed"
    LEAVING = "leaving"
    BACK = "back"
    RESTARTING = "restarting"
    RETURNED = "returned"


AFTER_GO_LIVE = frozenset({Phase.STARTING, Phase.NEW, Phase.CLOSED, Phase.LEAVING, Phase.BACK, Phase.RESTARTING})
"""Phases in which the new side may have writes that the old file lacks."""
_WORDS = {
    Phase.OLD: "The old side serves, on SQLite.",
    Phase.NOBODY: "The old side reads only, the new one has not begun: zenni-tui resume goes on, rollback goes back.",
    Phase.STARTING: "The new side has been started and is not proven yet; the old file takes no writes."
    " zenni-tui resume goes on, rollback falls back.",
    Phase.NEW: "The new side serves, on PostgreSQL; the old file takes no writes.",
    Phase.CLOSED: "The new side serves, on PostgreSQL, and the rollback window is closed.",
    Phase.LEAVING: "The new side serves, on PostgreSQL; the fall-back has not stopped it yet.",
    Phase.BACK: "Neither side takes writes in the middle of the fall-back: zenni-tui rollback goes on.",
    Phase.RESTARTING: "The old side is being started again; PostgreSQL takes no writes. zenni-tui rollback goes on.",
    Phase.RETURNED: "The old side serves again, on SQLite; PostgreSQL takes no writes.",
}
_IN_DOUBT = (
    "The old side takes no writes; whether the new one does is not known, it did not answer when it was to be stopped:"
    " zenni-tui rollback goes on."
)
_SIDES = {Phase.NOBODY: None, Phase.BACK: None, Phase.OLD: Which.OLD, Phase.RESTARTING: Which.OLD}
_SIDES |= {Phase.RETURNED: Which.OLD}


def phase(state: RunState) -> Phase:
    """Return where the application is, as far as the journal knows it."""
    if begun(state, StepId.FALL_BACK):
        return _phase_back(state)
    if not _touched(state, StepId.SWITCH, Act.FREEZE):
        return Phase.OLD
    if not is_live(state):
        return Phase.NOBODY
    if not _done(state, StepId.SWITCH, Act.SMOKE):
        return Phase.STARTING
    return Phase.CLOSED if state.step(StepId.WATCH).state is StepState.DONE else Phase.NEW


def _phase_back(state: RunState) -> Phase:
    back = StepId.FALL_BACK
    if _done(state, back, Act.HEALTH):
        return Phase.RETURNED
    if _touched(state, back, Act.THAW):
        return Phase.RESTARTING
    return Phase.BACK if _touched(state, back, Act.FREEZE) else Phase.LEAVING


def serving(state: RunState) -> Serving:
    """Return which side serves now, as far as the journal knows it."""
    now = phase(state)
    doubtful = now is Phase.BACK and not _done(state, StepId.FALL_BACK, Act.FREEZE)
    return Serving(_SIDES.get(now, Which.NEW), _IN_DOUBT if doubtful else _WORDS[now])


def _window(state: RunState, step: StepId, last: Act) -> tuple[ActionView, ActionView] | None:
    first, end = find(state.actions, step, Act.FREEZE), find(state.actions, step, last)
    return (first, end) if first and end and end.state is ActionState.DONE else None


def downtime(state: RunState, step: StepId = StepId.SWITCH) -> Downtime:
    """Return for how long nobody could write in the switch, or in the fall-back; nothing while that isn't over."""
    ends = _window(state, step, Act.SMOKE if step is StepId.SWITCH else Act.HEALTH)
    if ends is None:
        return Downtime()
    refused, accepted = ends[0].since or ends[0].started, ends[1].ended
    within = (v for v in state.actions if v.step is step and refused <= v.started and v.ended <= accepted)
    return Downtime(accepted - refused, sum(v.theirs for v in within))
