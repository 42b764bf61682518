"""How the customer's plan stands for a source: its tasks, over all runs of that source and its ledger."""

from datetime import UTC, datetime
from pathlib import Path

from zenni_tui.errors import UsageError
from zenni_tui.model.roadmap import PHASES, TASKS
from zenni_tui.model.state import RunState
from zenni_tui.model.tasks import SIGN_OFF, Deed, TaskView, Timeline, views

from . import client, folders, ledger


def runs_of(source: str) -> tuple[RunState, ...]:
    """Return the states of all runs of a source, newest first."""
    path = str(Path(source).absolute())
    runs = (client.summary(folder) for folder in folders.run_folders() if client.source_of(folder) == path)
    return tuple(run.state for run in runs if run.state.source)


def standing(source: str, timeline: Timeline) -> tuple[TaskView, ...]:
    """Return how every task stands today; raises OSError."""
    today = datetime.now(UTC).date()
    return views((PHASES, TASKS), runs_of(source), ledger.read(source), timeline, today)


def sign(source: str, task_id: str, by: str, note: str, *, ok: bool = True) -> Deed:
    """Sign a task off, or with `ok` false take that back; raises UsageError for one that is no person's to sign."""
    task = next((t for t in TASKS if t.id == task_id.upper()), None)
    if task is None or not task.manual:
        manual = ", ".join(t.id for t in TASKS if t.manual)
        what = f"No task is called {task_id!r}." if task is None else f"{task.id} is carried by {task.carriers[0]}."
        raise UsageError(what, why="Only what a person must do is signed off.", next_step=f"These are: {manual}.")
    if not by.strip():
        raise UsageError("A sign-off needs a name.", next_step="Give --by NAME.")
    return ledger.note(source, f"{SIGN_OFF} {task.id}", by.strip(), note.strip(), ok=ok)
