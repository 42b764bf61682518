"""The run's state: `reduce(state, entry)` over the journal, pure, the same for everyone who shows it."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from . import actions as acts
from . import events as e
from .findings import Finding
from .record import Record
from .runbook import Meanwhile, RunKind, StepId, StepState, TableVerdict, Verdict

KEPT_LINES = 200


class StepView(Record, frozen=True):
    """One step as it stands; `done`, `total` and `unit` are its own progress."""

    id: StepId
    state: StepState = StepState.PENDING
    started: float = 0.0
    seconds: float = 0.0
    summary: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    eta: float | None = None
    eta_at: float = 0.0
    note: str = ""
    problem: e.Problem | None = None
    checks: tuple[e.CheckMade, ...] = ()


class TableView(Record, frozen=True):
    """One table as it stands: rows copied, rows compared, and the comparison's verdict."""

    source: str
    target: str
    rows: int
    copied: int = 0
    bytes: int = 0
    copy_seconds: float = 0.0
    compared: int = 0
    rows_source: int | None = None
    rows_target: int | None = None
    rows_differing: int = 0
    verdict: TableVerdict | None = None
    why: str = ""
    rows_repaired: int = 0
    rows_quarantined: int = 0
    columns: tuple[e.ColumnNames, ...] = ()


class LogLine(Record, frozen=True):
    """One line of narration; `at` is seconds since 1970 UTC."""

    at: float
    level: str
    text: str


class RunState(Record, frozen=True):
    """Everything that is known of one run."""

    run_id: str = ""
    kind: RunKind | None = None
    source: e.SourceFacts | None = None
    target: e.TargetFacts | None = None
    live: bool = False
    keep: bool = False
    gated: bool = False
    meanwhile: Meanwhile = Meanwhile.NOTHING
    lag: e.Lagging | None = None
    pid: int = 0
    started: float = 0.0
    last: float = 0.0
    entries: int = 0
    steps: tuple[StepView, ...] = ()
    tables: dict[str, TableView] = msgspec.field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    plan_hash: str = ""
    lines: tuple[LogLine, ...] = ()
    waiting: e.Waiting | None = None
    expected: e.Expected | None = None
    retrying: e.Retrying | None = None
    paused: e.Paused | None = None
    paused_at: float = 0.0
    throttled: e.Throttled | None = None
    eased: e.Eased | None = None
    verdict: Verdict | None = None
    exit_code: int | None = None
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    problem: e.Problem | None = None
    actions: acts.Views = ()
    decisions: tuple[acts.Taken, ...] = ()
    tripped: tuple[acts.Tripped, ...] = ()
    window: e.WindowOpened | None = None

    @property
    def ended(self) -> bool:
        """Return whether the engine has said its last word."""
        return self.verdict is not None

    @property
    def current(self) -> StepView | None:
        """Return the step that runs, is being undone, or was the last to do anything."""
        for step in reversed(self.steps):
            if step.state is not StepState.PENDING:
                return step
        return self.steps[0] if self.steps else None

    def step(self, step_id: StepId) -> StepView:
        """Return one step's view; a step that isn't part of the run is pending."""
        return next((s for s in self.steps if s.id is step_id), StepView(step_id))


def _set(state: RunState, /, **changes: Any) -> RunState:
    return msgspec.structs.replace(state, **changes)


def _step(state: RunState, step_id: StepId, /, **changes: Any) -> RunState:
    # The switch, the window and the way back join the runbook when something is first told of them.
    known = state.steps if any(s.id is step_id for s in state.steps) else (*state.steps, StepView(step_id))
    return _set(state, steps=tuple(msgspec.structs.replace(s, **changes) if s.id is step_id else s for s in known))


def _table(state: RunState, name: str, /, **changes: Any) -> RunState:
    view = state.tables.get(name) or TableView(name, name, 0)
    return _set(state, tables={**state.tables, name: msgspec.structs.replace(view, **changes)})


def _known(before: e.TargetFacts | None, now: e.TargetFacts) -> e.TargetFacts:
    """Return the target with the version that is known of it: an engine that goes on does not ask for it again."""
    seen = before.server_version if before else ""
    same = before == msgspec.structs.replace(now, server_version=seen)
    return before if before is not None and same else now


def _run_started(state: RunState, entry: e.Entry, what: e.RunStarted) -> RunState:
    known = {s.id: s for s in state.steps}
    later = [s.id for s in state.steps if s.id not in what.steps]
    return _set(
        state,
        run_id=what.run_id,
        kind=what.kind,
        source=state.source or what.source,
        target=_known(state.target, what.target),
        live=what.live,
        keep=what.keep,
        gated=what.gated,
        meanwhile=what.meanwhile,
        pid=what.pid,
        started=state.started or entry.at,
        steps=tuple(known.get(i, StepView(i)) for i in (*what.steps, *later)),
        waiting=None,
        retrying=None,
        paused=None,
        eased=None,
        verdict=None,
        exit_code=None,
        problem=None,
    )


def _step_started(state: RunState, entry: e.Entry, what: e.StepStarted) -> RunState:
    # The audit tells all findings anew; those of an earlier round are void.
    findings = () if what.step is StepId.AUDIT else state.findings
    state = _set(state, waiting=None, problem=None, findings=findings)
    return _step(
        state,
        what.step,
        state=StepState.RUNNING,
        started=entry.at,
        problem=None,
        checks=(),
        done=0,
        total=0,
        eta=None,
        note="",
    )


def _step_done(state: RunState, _: e.Entry, what: e.StepDone) -> RunState:
    spent = state.step(what.step).seconds + what.seconds
    return _step(state, what.step, state=StepState.DONE, seconds=spent, summary=what.summary, eta=None, note="")


def _step_failed(state: RunState, _: e.Entry, what: e.StepFailed) -> RunState:
    spent = state.step(what.step).seconds + what.seconds
    state = _set(state, problem=what.problem)
    return _step(state, what.step, state=StepState.FAILED, seconds=spent, problem=what.problem, eta=None)


def _step_stopped(state: RunState, _: e.Entry, what: e.StepStopped) -> RunState:
    spent = state.step(what.step).seconds + what.seconds
    return _step(state, what.step, state=StepState.STOPPED, seconds=spent, eta=None)


def _undo_started(state: RunState, _: e.Entry, what: e.UndoStarted) -> RunState:
    return _step(_set(state, waiting=None), what.step, state=StepState.UNDOING, eta=None)


def _undo_done(state: RunState, _: e.Entry, what: e.UndoDone) -> RunState:
    return _step(state, what.step, state=StepState.UNDONE, note=what.summary)


def _undo_failed(state: RunState, _: e.Entry, what: e.UndoFailed) -> RunState:
    state = _set(state, problem=what.problem)
    return _step(state, what.step, state=StepState.FAILED, problem=what.problem)


def _check_made(state: RunState, _: e.Entry, what: e.CheckMade) -> RunState:
    checks = state.step(what.step).checks
    # A rung of the ladder can be climbed again; other steps may tell several things of one object.
    again = what.step is StepId.REACH and any(c.name == what.name for c in checks)
    return _step(
        state,
        what.step,
        checks=tuple(what if c.name == what.name else c for c in checks) if again else (*checks, what),
    )


def _same(one: Finding, other: Finding) -> bool:
    return one.code == other.code and one.table == other.table and one.column == other.column


def _finding_made(state: RunState, _: e.Entry, what: e.FindingMade) -> RunState:
    new = what.finding
    if not any(_same(f, new) for f in state.findings):
        return _set(state, findings=(*state.findings, new))
    return _set(state, findings=tuple(new if _same(f, new) else f for f in state.findings))


def _chosen(state: RunState, _: e.Entry, what: e.Chosen) -> RunState:
    return _set(
        state,
        findings=tuple(
            msgspec.structs.replace(f, chosen=what.repair or None) if f.id == what.finding else f
            for f in state.findings
        ),
    )


def _plan_made(state: RunState, _: e.Entry, what: e.PlanMade) -> RunState:
    tables = {t.target: TableView(t.source, t.target, t.rows, columns=t.columns) for t in what.tables}
    left_out = {
        t.source: TableView(t.source, t.source, t.rows, verdict=TableVerdict.NOT_MIGRATED, why=t.target)
        for t in what.not_migrated
    }
    return _set(state, plan_hash=what.hash, tables={**tables, **left_out})


def _progress(state: RunState, entry: e.Entry, what: e.Progress) -> RunState:
    seen = state.step(what.step)
    done = max(seen.done, what.done) if seen.unit == what.unit else what.done
    return _step(
        state, what.step, done=done, total=what.total, unit=what.unit, eta=what.eta, eta_at=entry.at, note=what.note
    )


def _table_progress(state: RunState, _: e.Entry, what: e.TableProgress) -> RunState:
    if what.step is StepId.VERIFY:
        return _table(state, what.table, compared=what.rows)
    return _table(state, what.table, copied=what.rows, bytes=what.bytes, copy_seconds=what.seconds)


def _table_compared(state: RunState, _: e.Entry, what: e.TableCompared) -> RunState:
    return _table(
        state,
        what.table,
        compared=what.rows_source,
        rows_source=what.rows_source,
        rows_target=what.rows_target,
        rows_differing=what.rows_differing,
        verdict=what.verdict,
        why=what.why,
        rows_repaired=what.rows_repaired,
        rows_quarantined=what.rows_quarantined,
    )


def _action(state: RunState, entry: e.Entry, what: e.AnyEvent) -> RunState:
    return _set(state, actions=acts.after(state.actions, entry.at, what))


def _decided(state: RunState, entry: e.Entry, what: e.Decided) -> RunState:
    return _set(state, decisions=(*state.decisions, acts.Taken(entry.at, what)))


def _tripped(state: RunState, entry: e.Entry, what: e.CriterionTripped) -> RunState:
    return _set(state, tripped=(*state.tripped, acts.Tripped(entry.at, what)))


def _lagging(state: RunState, _: e.Entry, what: e.Lagging) -> RunState:
    return _step(_set(state, lag=what), what.step, note=what.words)


def _said(state: RunState, entry: e.Entry, what: e.Said) -> RunState:
    return _set(state, lines=(*state.lines, LogLine(entry.at, what.level, what.text))[-KEPT_LINES:])


def _eased(state: RunState, entry: e.Entry, what: e.Eased) -> RunState:
    fewer = what.workers < what.wished
    told = e.Said("warning" if fewer else "info", what.words)
    return _said(_set(state, eased=what if fewer else None), entry, told)


def _run_ended(state: RunState, _: e.Entry, what: e.RunEnded) -> RunState:
    return _set(
        state,
        verdict=what.verdict,
        exit_code=what.exit_code,
        seconds=state.seconds + what.seconds,
        peak_rss_mb=max(state.peak_rss_mb, what.peak_rss_mb),
        problem=what.problem or state.problem,
        waiting=None,
        retrying=None,
        paused=None,
    )


_ANSWERS = frozenset({"go", "switch", "stop", "rollback"})

_REDUCERS: dict[type[e.Event], Callable[[RunState, e.Entry, Any], RunState]] = {
    e.RunStarted: _run_started,
    e.StepStarted: _step_started,
    e.StepDone: _step_done,
    e.StepFailed: _step_failed,
    e.StepStopped: _step_stopped,
    e.UndoStarted: _undo_started,
    e.UndoDone: _undo_done,
    e.UndoFailed: _undo_failed,
    e.CheckMade: _check_made,
    e.FindingMade: _finding_made,
    e.Chosen: _chosen,
    e.SourceSeen: lambda state, _, what: _set(state, source=what.source),
    e.TargetSeen: lambda state, _, what: _set(state, target=what.target),
    e.PlanMade: _plan_made,
    e.Progress: _progress,
    e.TableProgress: _table_progress,
    e.TableCompared: _table_compared,
    e.Lagging: _lagging,
    e.Waiting: lambda state, _, what: _set(state, waiting=what),
    e.Commanded: lambda state, _, what: _set(state, waiting=None) if what.command in _ANSWERS else state,
    e.Expected: lambda state, _, what: _set(state, expected=what),
    e.Retrying: lambda state, _, what: _set(state, retrying=what),
    e.Recovered: lambda state, _, __: _set(state, retrying=None),
    e.Paused: lambda state, entry, what: _set(state, paused=what, paused_at=entry.at),
    e.Unpaused: lambda state, _, __: _set(state, paused=None),
    e.Throttled: lambda state, _, what: _set(state, throttled=what),
    e.Eased: _eased,
    e.Decided: _decided,
    e.ActionStarted: _action,
    e.ActionDone: _action,
    e.ActionFailed: _action,
    e.ActionReverted: _action,
    e.CriterionTripped: _tripped,
    e.WindowOpened: lambda state, _, what: _set(state, window=what),
    e.Said: _said,
    e.RunEnded: _run_ended,
}


def reduce(state: RunState, entry: e.Entry) -> RunState:
    """Return the state after one more journal entry."""
    after = _REDUCERS[type(entry.what)](state, entry, entry.what)
    return _set(after, last=entry.at, entries=entry.number)


def replay(entries: Iterable[e.Entry]) -> RunState:
    """Return the state after all entries."""
    state = RunState()
    for entry in entries:
        state = reduce(state, entry)
    return state
