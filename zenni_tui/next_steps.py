"""What to do after a run has ended, for those who see lines and no screen."""

import json
from collections.abc import Iterable

from .model.findings import Finding, blocking
from .model.runbook import Verdict
from .model.state import RunState
from .model.switching import Phase, phase


def after(state: RunState, verdict: str) -> list[str]:
    """Return lines: the repairs on offer for what blocks, in the config's own words, or what a migration waits for."""
    if verdict == Verdict.NOT_READY:
        return _choices(blocking(state.findings))
    return [f"Next: {_WAITS[phase(state)]}"] if verdict == Verdict.WAITING and phase(state) in _WAITS else []


_WAITS = {
    Phase.OLD: "zenni-tui switch --confirm SWITCH --why TEXT; or take it back: zenni-tui rollback.",
    Phase.NEW: "try the new side. Back, with every write: zenni-tui rollback --confirm 'FALL BACK' --why TEXT;"
    " to stay, days later: zenni-tui finish --confirm FINISH.",
}


def _choices(findings: Iterable[Finding]) -> list[str]:
    offers = [line for finding in findings for line in _offers(finding)]
    head = "Choose one line for each finding, and run again: Enter on it in the wizard, or in config.toml"
    return [f"{head}:", "  [schema.repairs]", *offers] if offers else []


def _offers(finding: Finding) -> list[str]:
    lines = []
    for repair in finding.repairs:
        weight = "lossless" if repair.lossless else "changes data"
        taken = f"{repair.id}TEXT" if repair.id.endswith(":") else repair.id
        line = f"{json.dumps(finding.id, ensure_ascii=False)} = {json.dumps(taken, ensure_ascii=False)}"
        lines.append(f"  {line}  # {weight}: {repair.text.removesuffix(f': {taken}')}")
    return lines
