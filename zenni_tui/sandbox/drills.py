"""The drills: when which fault comes, what mends it, which commands are right, and what is to be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zenni_tui.errors import UsageError
from zenni_tui.model.drills import Drill
from zenni_tui.model.findings import blocking
from zenni_tui.model.runbook import StepId, StepState, Verdict
from zenni_tui.model.state import RunState

from .range import Range

Deed = Callable[[Range, RunState], None]
NEUTRAL = frozenset({"pause", "unpause", "throttle", "check", "go"})
"""What neither helps nor harms in any drill."""


def nothing(_: Range, __: RunState) -> None:
    """Do nothing: the trouble is there from the beginning."""


@dataclass(frozen=True)
class Plan:
    """One drill's course.

    The fault comes when it is `due`, by `strike`; acts outside mend it. All of `right` must be given, `neutral`
    commands are free, all others wrong. `goal` is the verdict to be reached; `message` comes with the fault.
    A drill that `switches` is a migration, with the sample's web app to be led over and back.
    """

    facts: Drill
    due: Callable[[RunState], bool]
    right: tuple[str, ...]
    goal: Verdict = Verdict.PASSED
    strike: Deed = nothing
    mends: Mapping[str, Callable[[Range], None]] = field(default_factory=dict)
    neutral: frozenset[str] = NEUTRAL
    trouble: tuple[str, ...] = ()
    keep: bool = False
    switches: bool = False
    message: str = ""

    def worth(self, name: str, given: frozenset[str], state: RunState) -> str:
        """Return what a command is worth: right, neutral or wrong; `given` are those given before."""
        if name == "go" and state.waiting is not None and state.waiting.step is StepId.PLAN and undecided(state):
            return "wrong"
        if name in self.right:
            first = self.right[: self.right.index(name)]
            return "right" if given.issuperset(first) else "wrong"
        return "neutral" if name in self.neutral else "wrong"


def undecided(state: RunState) -> int:
    """Return how many findings still block."""
    return len(blocking(state.findings))


def _midway(state: RunState) -> bool:
    copy = state.step(StepId.COPY)
    return copy.state is StepState.RUNNING and 0 < copy.done < copy.total


def _blocked(state: RunState) -> bool:
    return state.waiting is not None and state.waiting.step is StepId.PLAN and undecided(state) > 0


HEALTH_SECONDS = 4.0
"""How long the new side may be unwell in a drill."""
_TO_THE_END = "Bring the rehearsal to its end: verdict PASSED."

PLANS: tuple[Plan, ...] = (
    Plan(
        Drill(
            "connection-drop", "The line", _TO_THE_END, "Watch the header's second half and the copy's rows a second."
        ),
        due=_midway,
        strike=lambda place, _: place.cut(),
        right=("act line",),
        mends={"line": Range.mend_line},
        neutral=NEUTRAL | {"stop", "resume"},
    ),
    Plan(
        Drill(
            "bad-rows",
            "Found on the day",
            "Bring the rehearsal to its end: verdict PASSED. The data's owner lets you decide about single rows.",
            "Watch what the audit finds, and read each finding before you decide.",
        ),
        due=_blocked,
        right=("choose", "go"),
        trouble=("nul", "orphans"),
    ),
    Plan(
        Drill("disk-full", "No room", _TO_THE_END, "Watch the verdict, and read the problem to its last line."),
        due=_midway,
        strike=lambda place, _: place.fill(),
        right=("act room", "resume"),
        mends={"room": Range.make_room},
    ),
    Plan(
        Drill("slow-target", "The crawl", _TO_THE_END, "Watch rows a second and the time that is left."),
        due=_midway,
        strike=lambda place, _: place.slow(),
        right=("act load",),
        mends={"load": Range.mend_line},
        neutral=NEUTRAL | {"stop", "resume"},
    ),
    Plan(
        Drill("killed-engine", "Silence", _TO_THE_END, "Watch the header: who works, and is the data safe?"),
        due=_midway,
        strike=lambda place, state: place.kill(state.pid),
        right=("resume",),
    ),
    Plan(
        Drill(
            "failing-health",
            "The new side",
            f"Migrate, switch over (m), hold the window. The rule: unwell for {HEALTH_SECONDS:.0f} s, and you go back.",
            "Watch who serves, and what the window says of the new side.",
        ),
        due=lambda state: state.step(StepId.WATCH).state is StepState.RUNNING and state.window is not None,
        strike=lambda place, _: place.ail(),
        right=("rollback",),
        goal=Verdict.ROLLED_BACK,
        neutral=NEUTRAL | {"act side"},
        switches=True,
    ),
    Plan(
        Drill(
            "late-rollback",
            "Back, after all",
            "Bring the rehearsal to its end, then do as you are told.",
            "Watch the line at the top: somebody will speak to you.",
        ),
        due=lambda state: state.verdict is Verdict.PASSED,
        right=("rollback",),
        goal=Verdict.ROLLED_BACK,
        keep=True,
        message="The owner calls: the new release waits. Take everything out of the target again.",
    ),
)


def plan_of(name: str) -> Plan:
    """Return a drill's course by its name; raises UsageError."""
    found = next((plan for plan in PLANS if plan.facts.name == name), None)
    if found is None:
        known = ", ".join(plan.facts.name for plan in PLANS)
        raise UsageError(f"No drill is called {name!r}.", next_step=f"These are: {known}.")
    return found
