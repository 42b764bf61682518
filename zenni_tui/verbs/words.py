"""The verbs that a person answers for with a typed word: the switch, and the end of its window."""

import sys
import time
from collections.abc import Callable

from zenni_tui.cli import Options
from zenni_tui.engine import client
from zenni_tui.engine.words import refusal
from zenni_tui.errors import ExitCode, NotReady, StepFailed
from zenni_tui.model.request import Reply
from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.model.state import RunState

from .looking import follower_of
from .starting import engage, follow


def spoken(state: RunState, command: str, options: Options) -> dict[str, str]:
    """Return who says it, why, and the word that was typed; raises what speaks against it now."""
    refused = refusal(state, command, options.confirm)
    if refused is not None:
        raise refused
    return {"by": options.by or client.whoami(), "why": options.why, "word": options.confirm}


def ordered(reply: Reply) -> None:
    """Print an engine's answer; raises StepFailed when it says no."""
    if not reply.ok:
        raise StepFailed(reply.message)
    sys.stderr.write(f"{reply.message}\n")


def window_open(since: float) -> Callable[[RunState], ExitCode | None]:
    """Return what tells that a rollback window is open, or that a switch was taken back and the engine goes on."""

    def reached(state: RunState) -> ExitCode | None:
        window, switch = state.step(StepId.WATCH), state.step(StepId.SWITCH)
        if window.state is StepState.RUNNING and window.started >= since:
            return ExitCode.PASSED
        taken_back = switch.state is StepState.FAILED and switch.started >= since and state.waiting is not None
        return ExitCode.FAILED if taken_back else None

    return reached


def switch(options: Options) -> int:
    """Switch the application over; returns when the rollback window is open, which the engine keeps so."""
    follower, since = follower_of(options), time.time()
    entries = follower.state.entries
    words = spoken(follower.state, "switch", options)
    if follower.alive:
        ordered(follower.send("switch", **words))
    else:
        engage(options, follower.folder, "switch", words=words)
    return follow(follower.folder, options, skip=entries, until=window_open(since))


def kept_open(before: RunState) -> Callable[[RunState], ExitCode | None]:
    """Return what tells that a rollback window was not ended, because its backup was not proven."""

    def refusals(state: RunState) -> int:
        return sum(c.ok is False for c in state.step(StepId.WATCH).checks)

    return lambda state: ExitCode.FAILED if refusals(state) > refusals(before) else None


def finish(options: Options) -> int:
    """End the rollback window."""
    follower = follower_of(options)
    entries = follower.state.entries
    words = spoken(follower.state, "finish", options)
    if not follower.alive:
        raise NotReady(
            "No engine keeps the rollback window.", next_step="Bring it back first: zenni-tui resume; then finish."
        )
    ordered(follower.send("finish", **words))
    return follow(follower.folder, options, skip=entries, until=kept_open(follower.state))
