"""The customer's plan as tasks: what carries them, how they stand, when they are due, who signs."""

from datetime import date
from pathlib import Path

import pytest

from zenni_tui.config import Config, TimelineSection, settle
from zenni_tui.engine import ledger, tasks
from zenni_tui.errors import UsageError
from zenni_tui.model import events as e
from zenni_tui.model.roadmap import PHASES, RISKS, TASKS
from zenni_tui.model.runbook import STEPS_OF, RunKind, StepId
from zenni_tui.model.state import RunState, reduce
from zenni_tui.model.tasks import Deed, Phase, Task, TaskState, TaskView, Timeline, spans, views
from zenni_tui.report import roadmap

_UNDATED = Timeline()
TODAY = date(2026, 12, 10)
BOOK = (
    (
        Phase("A", "first", 7),
        Phase("B", "second", 3, after=("A",), kinds=(RunKind.MIGRATE,)),
        Phase("R", "if need be", 1, after=("B",), optional=True),
    ),
    (
        Task("A1", "A", "group", "the snapshot", ("check snapshot/hash", "sign-off")),
        Task("B1", "B", "group", "the copy", ("step copy",)),
        Task("R1", "R", "group", "the way back", ("deed back",)),
    ),
)


def _run(kind: RunKind, *what: e.AnyEvent) -> RunState:
    began = e.RunStarted("one", kind, e.SourceFacts("/s.db"), e.TargetFacts("h", 1, "d", "public"), STEPS_OF[kind], 1)
    state = RunState()
    for number, event in enumerate((began, *what), 1):
        state = reduce(state, e.Entry(number, 1000.0 + number, event))
    return state


def _hashed(*, ok: bool) -> e.CheckMade:
    return e.CheckMade(StepId.SNAPSHOT, "hash", ok, "SHA-256 00")


def _states(*runs: RunState, deeds: tuple[Deed, ...] = (), timeline: Timeline = _UNDATED) -> dict[str, TaskView]:
    return {v.task.id: v for v in views(BOOK, runs, deeds, timeline, TODAY)}


def test_a_task_is_done_when_all_that_carries_it_has_left_its_evidence() -> None:
    """A check alone does not do a task that a person must sign too; with the signature it is done, and says by whom."""
    run = _run(RunKind.REHEARSE, _hashed(ok=True))
    assert _states(run)["A1"].state is TaskState.OPEN
    assert _states(run)["A1"].missing == ("sign-off",)
    done = _states(run, deeds=(Deed(1.0, "sign-off A1", "Mia", "seen"),))["A1"]
    assert (done.state, done.evidence["sign-off"].where) == (TaskState.DONE, "Mia")


def test_evidence_that_failed_and_signatures_taken_back_fail_the_task() -> None:
    """The newest word counts."""
    signed = (Deed(1.0, "sign-off A1", "Mia"), Deed(2.0, "sign-off A1", "Otto", ok=False))
    run = _run(RunKind.REHEARSE, _hashed(ok=True))
    assert _states(run, deeds=signed)["A1"].state is TaskState.FAILED
    assert _states(_run(RunKind.REHEARSE, _hashed(ok=False)))["A1"].state is TaskState.FAILED


def test_a_phase_counts_only_the_runs_that_are_of_its_kind() -> None:
    """A rehearsal's copy is no migration day's copy."""
    copied = e.StepDone(StepId.COPY, 1.0, "all rows")
    assert _states(_run(RunKind.REHEARSE, copied))["B1"].state is TaskState.BLOCKED
    assert _states(_run(RunKind.MIGRATE, copied))["B1"].state is TaskState.DONE


def test_tasks_are_late_after_their_phase_blocked_before_it_and_some_are_never_needed() -> None:
    """The days follow from the start, the phases' lengths and what they come after."""
    timeline = Timeline(date(2026, 12, 1), {"A": "Mia"}, {"A": 5})
    assert spans(BOOK[0], timeline)["B"] == (date(2026, 12, 6), date(2026, 12, 8))
    found = _states(timeline=timeline)
    assert (found["A1"].state, found["A1"].due, found["A1"].owner) == (TaskState.LATE, date(2026, 12, 5), "Mia")
    assert found["B1"].state is TaskState.BLOCKED
    assert found["R1"].state is TaskState.NOT_NEEDED


def test_every_line_of_the_plan_has_a_task_with_a_carrier_and_risks_name_tasks() -> None:
    """The plan's sections hold 10, 16, 7, 4, 13, 11, 9, 9 and 6 lines; no identifier is given twice."""
    counted = {p.id: sum(t.phase == p.id for t in TASKS) for p in PHASES}
    assert list(counted.values()) == [10, 16, 7, 4, 13, 11, 9, 9, 6]
    assert len({t.id for t in TASKS}) == len(TASKS)
    assert all(t.carriers and all(t.carriers) for t in TASKS)
    assert {t for r in RISKS for ts in r.mitigations.values() for t in ts} <= {t.id for t in TASKS}
    steps = {str(s) for s in StepId}
    named = {c.split()[1].split("/")[0] for t in TASKS for c in t.carriers if c.startswith("check ")}
    assert named - steps <= {"fall_back"}


def test_the_ledger_keeps_what_was_signed_even_after_a_line_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut costs at most the line it cut; the file is its owner's alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    source = str(tmp_path / "app.db")
    tasks.sign(source, "a3", "Mia", "project ref kept in the safe")
    with ledger.place(source).open("ab") as stream:
        stream.write(b'{"at":1,"na')
    tasks.sign(source, "A5", "Otto", "")
    assert [d.name for d in ledger.read(source)] == ["sign-off A3", "sign-off A5"]
    assert ledger.place(source).stat().st_mode & 0o777 == 0o600
    standing = {v.task.id: v for v in tasks.standing(source, Timeline())}
    assert standing["A3"].state is TaskState.DONE


@pytest.mark.parametrize(("task", "by"), [("Z9", "Mia"), ("A1", "Mia"), ("A3", " ")])
def test_only_a_persons_tasks_are_signed_and_by_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, by: str
) -> None:
    """What the program carries can't be signed away."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(UsageError):
        tasks.sign(str(tmp_path / "app.db"), task, by, "")


def test_the_timeline_of_the_config_must_name_what_there_is() -> None:
    """A mistyped phase would be an owner who never hears of it."""
    good = Config(timeline=TimelineSection(date(2026, 12, 1), {"A3": "Mia"}, {"B": 10}))
    assert settle(config=good, source=None, target=None, environment={}).timeline.owners == {"A3": "Mia"}
    with pytest.raises(UsageError, match="Q7"):
        settle(config=Config(timeline=TimelineSection(owners={"Q7": "x"})), source=None, target=None, environment={})


def test_the_tables_show_every_task_every_phase_and_every_risk() -> None:
    """What the program prints leaves no line out."""
    found = views((PHASES, TASKS), (), (), Timeline(), TODAY)
    assert all(f"| {t.id} |" in roadmap.coverage(found) for t in TASKS)
    assert all(f"| {p.id} {p.name} |" in roadmap.timeline(found) for p in PHASES)
    assert all(risk.words in roadmap.risks(found) for risk in RISKS)
