"""The customer's plan in tables: every line with what carries it, the timeline, the risks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from zenni_tui.model.roadmap import PHASES, RISKS
from zenni_tui.model.tasks import Evidence, TaskState, TaskView

from .document import Block, Heading, Line, Mono, State, Strong, Table, markdown

_MARKS = {True: "ok", False: "failed"}


def sections(views: Sequence[TaskView]) -> Iterable[Block]:
    """Return the whole of it for a report, nothing without tasks."""
    if views:
        yield Heading(2, "The plan's timeline")
        yield timeline_table(views)
        yield Heading(2, "The plan's tasks")
        yield coverage_table(views)
        yield Heading(2, "The plan's risks")
        yield risk_table(views)


def coverage(views: Sequence[TaskView]) -> str:
    """Return the table of every line of the plan, what carries it, and what has shown that it did, in Markdown."""
    return markdown([coverage_table(views)])


def timeline(views: Sequence[TaskView]) -> str:
    """Return the phases with their days, how far each is, and what is late or blocked, in Markdown."""
    return markdown([timeline_table(views)])


def risks(views: Sequence[TaskView]) -> str:
    """Return the risk table, each mitigation with the tasks that carry it and their state, in Markdown."""
    return markdown([risk_table(views)])


def coverage_table(views: Sequence[TaskView]) -> Table:
    """Return what `coverage` tells."""
    rows: list[tuple[Line, ...]] = []
    for phase in PHASES:
        rows.append((Strong(phase.id), Strong(phase.name), "", "", ""))
        rows += [_row(view) for view in views if view.task.phase == phase.id]
    return Table(("task", "line of the plan", "carried by", "evidence", "state"), tuple(rows))


def _row(view: TaskView) -> tuple[Line, ...]:
    carriers = _joined([Mono(c)] for c in view.task.carriers)
    shown = _joined(_shown(e) for e in view.evidence.values()) or ("none yet",)
    return view.task.id, f"{view.task.group}: {view.task.words}", carriers, shown, State(view.state)


def _joined(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(word for at, part in enumerate(parts) for word in (("; ", *part) if at else part))


def _shown(evidence: Evidence) -> tuple[str, ...]:
    day = datetime.fromtimestamp(evidence.at, UTC).strftime("%Y-%m-%d %H:%M")
    found = f": {evidence.found}" if evidence.found else ""
    return State(_MARKS[evidence.ok]), f" {day} {evidence.where}{found}"


def timeline_table(views: Sequence[TaskView]) -> Table:
    """Return what `timeline` tells."""
    rows: list[tuple[Line, ...]] = []
    for phase in PHASES:
        mine = [v for v in views if v.task.phase == phase.id]
        begins, due = (mine[0].begins, mine[0].due) if mine else (None, None)
        owners = ", ".join(sorted({v.owner for v in mine if v.owner}))
        done = f"{_count(mine, TaskState.DONE)}/{len(mine)}"
        late, blocked = _count(mine, TaskState.LATE), _count(mine, TaskState.BLOCKED)
        days = str(due or _days(phase.days))
        rows.append((f"{phase.id} {phase.name}", str(begins or "no date"), days, done, str(late), str(blocked), owners))
    return Table(("phase", "from", "to", "done", "late", "blocked", "owners"), tuple(rows), frozenset({3, 4, 5}))


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _count(views: Iterable[TaskView], state: TaskState) -> int:
    return sum(view.state is state for view in views)


def risk_table(views: Sequence[TaskView]) -> Table:
    """Return what `risks` tells."""
    by_id = {view.task.id: view for view in views}
    rows: list[tuple[Line, ...]] = []
    for risk in RISKS:
        for words, tasks in risk.mitigations.items():
            carried = "; ".join(f"{t} {by_id[t].state}" for t in tasks)
            rows.append((risk.words, risk.probability, risk.impact, words, carried))
    return Table(("risk", "probability", "impact", "mitigation", "carried by"), tuple(rows))
