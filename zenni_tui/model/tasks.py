"""The words of the customer's plan: phases, tasks, what carries each, and how they stand."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from .actions import ActionState
from .record import Record
from .runbook import RunKind, StepState
from .state import RunState

SIGN_OFF = "sign-off"
"""What carries a task that a person must do: a name, a time and a note."""


class TaskState(StrEnum):
    """How a task stands."""

    DONE = "done"
    FAILED = "failed"
    OPEN = "open"
    LATE = "late"
    BLOCKED = "blocked"
    NOT_NEEDED = "not needed"


class Phase(Record, frozen=True):
    """A phase of the plan; `days` is how long it takes by the plan, `after` the phases that must be done before.

    Only evidence of runs of these `kinds` counts for its tasks, of every run when it names none. An `optional` phase is
    one that is needed only when something went wrong.
    """

    id: str
    name: str
    days: int
    after: tuple[str, ...] = ()
    kinds: tuple[RunKind, ...] = ()
    optional: bool = False


class Task(Record, frozen=True):
    """One line of the plan; it is done when each of its `carriers` has left its evidence.

    A carrier: `check STEP/NAME`, `step NAME`, `action STEP/NAME`, `expected`, `deed NAME` (in the ledger), `sign-off`.
    """

    id: str
    phase: str
    group: str
    words: str
    carriers: tuple[str, ...]

    @property
    def manual(self) -> bool:
        """Return whether a person has to sign it off."""
        return SIGN_OFF in self.carriers


class Risk(Record, frozen=True):
    """One risk of the plan, and by task the mitigations that it names."""

    id: str
    words: str
    probability: str
    impact: str
    mitigations: dict[str, tuple[str, ...]]


class Deed(Record, frozen=True):
    """One line of the ledger: what was done outside of runs, by whom, `at` in seconds since 1970 UTC."""

    at: float
    name: str
    by: str
    note: str = ""
    ok: bool = True


class Evidence(Record, frozen=True):
    """What shows that a carrier has done its part, or failed to; `where` is the run or the person."""

    at: float
    ok: bool
    where: str
    found: str = ""


class TaskView(Record, frozen=True):
    """A task as it stands; `evidence` by carrier, `missing` the carriers without any."""

    task: Task
    state: TaskState
    owner: str
    begins: date | None
    due: date | None
    evidence: dict[str, Evidence]
    missing: tuple[str, ...]


class Timeline(Record, frozen=True):
    """When the plan begins, who owns which task or phase, and how many days a phase takes where the plan is changed."""

    start: date | None = None
    owners: Mapping[str, str] = {}
    days: Mapping[str, int] = {}


def evidence_of(state: RunState) -> dict[str, Evidence]:
    """Return what one run shows, by carrier."""
    found: dict[str, Evidence] = {}
    if state.expected is not None:
        found["expected"] = Evidence(state.started, ok=True, where=state.run_id, found=state.expected.words)
    for action in state.actions:
        if action.state is not ActionState.RUNNING:
            ok = action.state is ActionState.DONE
            found[f"action {action.step}/{action.id}"] = Evidence(action.ended, ok, state.run_id, action.summary)
    for step in state.steps:
        if step.state in (StepState.DONE, StepState.FAILED, StepState.UNDONE):
            ok = step.state is not StepState.FAILED
            found[f"step {step.id}"] = Evidence(step.started, ok, state.run_id, step.summary)
        for check in step.checks:
            seen = Evidence(step.started, check.ok is not False, state.run_id, check.found)
            found[f"check {step.id}/{check.name}"] = seen
    return found


def newest(runs: Iterable[Mapping[str, Evidence]]) -> dict[str, Evidence]:
    """Return by carrier the newest of what several runs show, of equals the last."""
    found: dict[str, Evidence] = {}
    for shown in runs:
        for carrier, evidence in shown.items():
            if carrier not in found or evidence.at >= found[carrier].at:
                found[carrier] = evidence
    return found


def of_deeds(deeds: Iterable[Deed]) -> dict[str, Evidence]:
    """Return what the ledger shows, by carrier; a sign-off stands under `sign-off TASK`."""
    return {
        d.name if d.name.startswith(SIGN_OFF) else f"deed {d.name}": Evidence(d.at, d.ok, d.by, d.note)
        for d in sorted(deeds, key=lambda d: d.at)
    }


def spans(phases: Iterable[Phase], timeline: Timeline) -> dict[str, tuple[date, date]]:
    """Return each phase's first and last day, by the days it takes and what it comes after; empty without a start."""
    if timeline.start is None:
        return {}
    found: dict[str, tuple[date, date]] = {}
    for phase in phases:
        before = [found[p][1] + timedelta(days=1) for p in phase.after if p in found]
        first = max([timeline.start, *before])
        found[phase.id] = (first, first + timedelta(days=max(1, timeline.days.get(phase.id, phase.days)) - 1))
    return found


def views(
    roadmap: tuple[Iterable[Phase], Iterable[Task]],
    runs: Iterable[RunState],
    deeds: Iterable[Deed],
    timeline: Timeline,
    today: date,
) -> tuple[TaskView, ...]:
    """Return how every task stands, in the plan's order."""
    phases, tasks = {p.id: p for p in roadmap[0]}, tuple(roadmap[1])
    shown, by_ledger = [(state.kind, evidence_of(state)) for state in runs], of_deeds(deeds)
    seen = {
        p.id: newest(found for kind, found in shown if not p.kinds or kind in p.kinds) | by_ledger
        for p in phases.values()
    }
    when = spans(phases.values(), timeline)
    bare = [_view(task, seen[task.phase], timeline, when.get(task.phase), today) for task in tasks]
    undone = {v.task.phase for v in bare if v.state is not TaskState.DONE}
    used = {p for p in phases if any(v.evidence for v in bare if v.task.phase == p)}
    return tuple(_placed(view, phases[view.task.phase], undone, used) for view in bare)


def _view(
    task: Task, seen: Mapping[str, Evidence], timeline: Timeline, span: tuple[date, date] | None, today: date
) -> TaskView:
    names = {c: f"{SIGN_OFF} {task.id}" if c == SIGN_OFF else c for c in task.carriers}
    evidence = {c: seen[n] for c, n in names.items() if n in seen}
    missing = tuple(c for c in task.carriers if c not in evidence)
    owner = timeline.owners.get(task.id) or timeline.owners.get(task.phase) or ""
    begins, due = span or (None, None)
    state = TaskState.LATE if due and due < today else TaskState.OPEN
    if any(not e.ok for e in evidence.values()):
        state = TaskState.FAILED
    elif not missing:
        state = TaskState.DONE
    return TaskView(task, state, owner, begins, due, evidence, missing)


def _placed(view: TaskView, phase: Phase, undone: set[str], used: set[str]) -> TaskView:
    """Return a view that also knows of the other phases: what waits for them, and what never became necessary."""
    if view.state not in (TaskState.OPEN, TaskState.LATE):
        return view
    if phase.optional and phase.id not in used:
        return msgspec.structs.replace(view, state=TaskState.NOT_NEEDED)
    return msgspec.structs.replace(view, state=TaskState.BLOCKED) if undone.intersection(phase.after) else view
