"""The result document that scripts read: `--json` prints it, `result.json` keeps it."""

from typing import Any

import msgspec

from . import switching
from .findings import Finding, blocking
from .runbook import AFTERWARDS, StepId, StepState, TableVerdict, Verdict
from .state import RunState, TableView


def result(state: RunState, evidence: str) -> dict[str, Any]:
    """Return the result of a run as plain data; sizes in bytes, times in seconds, `evidence` is the run directory."""
    return {
        "run_id": state.run_id,
        "kind": str(state.kind) if state.kind else None,
        "verdict": str(state.verdict) if state.verdict else None,
        "exit_code": state.exit_code,
        "source": msgspec.to_builtins(state.source),
        "target": msgspec.to_builtins(state.target),
        "tables": [_table(t) for t in state.tables.values()],
        "findings": [_finding(f) for f in state.findings],
        "steps": [
            {
                "id": str(s.id),
                "state": str(s.state),
                "seconds": round(s.seconds, 3),
                "summary": s.summary,
                "checks": [{f: getattr(c, f) for f in ("name", "ok", "tried", "found", "advice")} for c in s.checks],
            }
            for s in state.steps
        ],
        "totals": _totals(state),
        **({"switch": _switch(state)} if state.actions else {}),
        "problem": msgspec.to_builtins(state.problem)
        if state.problem and state.verdict is not Verdict.PASSED
        else None,
        "evidence": evidence,
    }


def _table(table: TableView) -> dict[str, Any]:
    left_out = table.verdict is TableVerdict.NOT_MIGRATED
    named = [msgspec.to_builtins(c) for c in table.columns]
    return {
        "source": table.source,
        "target": None if left_out else table.target,
        "rows_source": table.rows if left_out else table.rows_source,
        "rows_target": table.rows_target,
        "rows_differing": None if table.verdict in (None, TableVerdict.NOT_MIGRATED) else table.rows_differing,
        "verdict": str(table.verdict) if table.verdict else None,
        "why": table.why,
        **({"columns": named} if named else {}),
    }


def _totals(state: RunState) -> dict[str, Any]:
    return {
        "rows": sum(t.copied for t in state.tables.values()),
        "bytes": sum(t.bytes for t in state.tables.values()),
        "seconds_copy": round(state.step(StepId.COPY).seconds, 3),
        "seconds_index": round(state.step(StepId.INDEX).seconds, 3),
        "seconds_verify": round(state.step(StepId.VERIFY).seconds, 3),
        "seconds_total": round(state.seconds, 3),
        **_downtime(state),
        "peak_rss_mb": round(state.peak_rss_mb, 1),
        "rows_repaired": sum(t.rows_repaired for t in state.tables.values()),
        "rows_quarantined": sum(t.rows_quarantined for t in state.tables.values()),
    }


def _switch(state: RunState) -> dict[str, Any]:
    now = switching.serving(state)
    back = switching.downtime(state, StepId.FALL_BACK)
    return {
        "serving": str(now.side) if now.side else None,
        "story": now.words,
        "decisions": [{"at": t.at, **msgspec.to_builtins(t.what)} for t in state.decisions],
        "actions": [msgspec.to_builtins(a) for a in state.actions],
        "tripped": [{"at": t.at, **msgspec.to_builtins(t.what)} for t in state.tripped],
        "fall_back_seconds": round(back.seconds, 3),
    }


def _downtime(state: RunState) -> dict[str, float]:
    whole = switching.downtime(state)
    return {
        "downtime_seconds": round(whole.seconds, 3),
        "downtime_seconds_ours": round(whole.ours, 3),
        "downtime_seconds_hooks": round(whole.theirs, 3),
    }


def judge(state: RunState) -> Verdict:
    """Return the verdict of a run whose steps have all ended: `passed` only when everything was compared and equal."""
    if blocking(state.findings):
        return Verdict.NOT_READY
    steps_done = all(s.state in (StepState.DONE, StepState.UNDONE) for s in state.steps if s.id not in AFTERWARDS)
    if not steps_done:
        return Verdict.FAILED
    if not any(s.id is StepId.VERIFY for s in state.steps):
        return Verdict.PASSED
    fine = (TableVerdict.IDENTICAL, TableVerdict.NOT_MIGRATED, TableVerdict.EXCLUDED)
    return Verdict.PASSED if all(t.verdict in fine for t in state.tables.values()) else Verdict.FAILED


def _finding(finding: Finding) -> dict[str, Any]:
    # Values stay in the run's folder and on the screen: this document goes into mails and tickets.
    return {key: told for key, told in msgspec.to_builtins(finding).items() if key != "values"}
