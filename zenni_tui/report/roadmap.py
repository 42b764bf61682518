"""The customer's plan in Markdown: every line with what carries it, the timeline, the risks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from zenni_tui.model.roadmap import PHASES, RISKS
from zenni_tui.model.tasks import Evidence, TaskState, TaskView

_MARKS = {True: "ok", False: "failed"}


def coverage(views: Sequence[TaskView]) -> str:
    """Return the table of every line of the plan, what carries it, and what has shown that it did."""
    lines = ["| task | line of the plan | carried by | evidence | state |", "|---|---|---|---|---|"]
    for phase in PHASES:
        lines.append(f"| **{phase.id}** | **{phase.name}** | | | |")
        lines += [_row(view) for view in views if view.task.phase == phase.id]
    return "\n".join(lines) + "\n"


def _row(view: TaskView) -> str:
    carriers = "; ".join(f"`{c}`" for c in view.task.carriers)
    shown = "; ".join(_shown(e) for e in view.evidence.values()) or "none yet"
    return f"| {view.task.id} | {view.task.group}: {view.task.words} | {carriers} | {shown} | {view.state} |"


def _shown(evidence: Evidence) -> str:
    found = evidence.found.replace("|", "\\|").replace("\n", " ")
    day = datetime.fromtimestamp(evidence.at, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{_MARKS[evidence.ok]} {day} {evidence.where}{': ' if found else ''}{found}"


def timeline(views: Sequence[TaskView]) -> str:
    """Return the phases with their days, how far each is, and what is late or blocked."""
    lines = ["| phase | from | to | done | late | blocked | owners |", "|---|---|---|---:|---:|---:|---|"]
    for phase in PHASES:
        mine = [v for v in views if v.task.phase == phase.id]
        begins, due = (mine[0].begins, mine[0].due) if mine else (None, None)
        owners = ", ".join(sorted({v.owner for v in mine if v.owner}))
        lines.append(
            f"| {phase.id} {phase.name} | {begins or 'no date'} | {due or _days(phase.days)} |"
            f" {_count(mine, TaskState.DONE)}/{len(mine)} | {_count(mine, TaskState.LATE)} |"
            f" {_count(mine, TaskState.BLOCKED)} | {owners} |"
        )
    return "\n".join(lines) + "\n"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _count(views: Iterable[TaskView], state: TaskState) -> int:
    return sum(view.state is state for view in views)


def risks(views: Sequence[TaskView]) -> str:
    """Return the risk table, each mitigation with the tasks that carry it and their state."""
    by_id = {view.task.id: view for view in views}
    lines = ["| risk | probability | impact | mitigation | carried by |", "|---|---|---|---|---|"]
    for risk in RISKS:
        for words, tasks in risk.mitigations.items():
            carried = "; ".join(f"{t} {by_id[t].state}" for t in tasks)
            lines.append(f"| {risk.words} | {risk.probability} | {risk.impact} | {words} | {carried} |")
    return "\n".join(lines) + "\n"
