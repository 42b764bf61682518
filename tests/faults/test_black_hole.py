"""The VPN drops for half a minute, in the copy, in the index and in the verification of one run."""

import time
from collections.abc import Callable

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.sandbox.proxy import Line, Way

from .trial import Trial

SECONDS = 30.0
FAR = Line(latency=0.025)
"""So that no step is over before it can be struck."""


def under_way(trial: Trial, step: StepId) -> bool:
    """Return whether a step has done something and has something left."""
    view = trial.follower.state.step(step)
    return view.state is StepState.RUNNING and 0 < view.done < view.total


def drop(trial: Trial, way: Way) -> list[e.AnyEvent]:
    """Let nothing through for half a minute; returns what was told meanwhile."""
    told: list[e.AnyEvent] = []
    trial.follower.poll()
    trial.ground.proxy.line = Line(way)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(0.1)
        told += [entry.what for entry in trial.follower.poll()]
    trial.ground.proxy.line = FAR
    return told


HOLES = ((StepId.COPY, Way.HOLD), (StepId.INDEX, Way.STALL), (StepId.VERIFY, Way.HOLD))
"""A tunnel that goes on acknowledging, and a line that takes nothing more: each hides what the other shows."""


def test_a_run_goes_on_after_the_vpn_was_down(begin: Callable[..., Trial]) -> None:
    """The journal says while it lasts that the target is away, and how long it will be tried; then it goes on alone."""
    trial = begin()
    trial.ground.proxy.line = FAR
    trial.engage()
    for step, way in HOLES:
        trial.until(lambda step=step: under_way(trial, step) or trial.engine() is None, str(step))
        told = drop(trial, way)
        assert trial.engine() is not None, trial.story()
        away = [what for what in told if isinstance(what, e.Retrying)]
        assert {what.step for what in away} == {step}, told
        assert "gone" in away[-1].story(time.time())
        assert "left" in away[-1].story(time.time())
        trial.until(lambda: trial.follower.state.retrying is None or trial.engine() is None, "a recovery")
    trial.finish()
    assert trial.engines == 1, trial.story()
    trial.judge()
