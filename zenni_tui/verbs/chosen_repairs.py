"""Repairs that are chosen on the command line while a run goes on: `zenni-tui resume --repair FINDING=REPAIR`."""

import json
from collections.abc import Iterable

from zenni_tui.engine.client import Follower
from zenni_tui.errors import UsageError
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, blocking
from zenni_tui.model.state import RunState

from . import words


def of(state: RunState, given: Iterable[str]) -> dict[str, str]:
    """Return repairs by the ids of their findings; raises UsageError for one that is not on offer."""
    return dict(_one(state, text) for text in given)


def _one(state: RunState, text: str) -> tuple[str, str]:
    finding = next((f for f in state.findings if text.startswith(f"{f.id}=")), None)
    if finding is None:
        raise UsageError(
            f"--repair {text} names no finding of this run.",
            next_step=f"Those that wait for a choice: {', '.join(f.id for f in blocking(state.findings)) or 'none'}.",
        )
    repair = text.removeprefix(f"{finding.id}=")
    if Choices({finding.id: repair}).chosen(finding) is None:
        raise UsageError(f"{repair!r} is not on offer for {finding.id}.", next_step=f"On offer: {_offers(finding)}.")
    return finding.id, repair


def _offers(finding: Finding) -> str:
    return "; ".join(f"{r.id} ({r.text})" for r in finding.repairs) or "nothing; mend the values in the source"


def packed(repairs: dict[str, str]) -> dict[str, str]:
    """Return them as one of the words that an engine is started with."""
    return {"repairs": json.dumps(repairs)} if repairs else {}


def send(follower: Follower, repairs: dict[str, str], by: str) -> None:
    """Tell them to an engine that waits for them, and let it go on; raises StepFailed."""
    for finding, repair in repairs.items():
        words.ordered(follower.send("choose", finding=finding, repair=repair, by=by))
    words.ordered(follower.send("go", by=by))
