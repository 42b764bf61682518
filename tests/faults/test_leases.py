"""Of two engines that want one target, only one ever writes, whatever sleep or machine they come from."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from zenni_tui.errors import ExitCode
from zenni_tui.model.runbook import StepId, StepState, Verdict
from zenni_tui.sandbox.proxy import Line

from . import outside
from .trial import STEADY, Trial

Begin = Callable[..., Trial]
Elsewhere = Callable[[Trial, str], None]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Return a function that engages a trial with a state folder of its own: another machine's locks are not ours."""

    def engage(trial: Trial, action: str = "run") -> None:
        with monkeypatch.context() as there:
            there.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
            trial.engage(action)

    return engage


@pytest.fixture
def asleep() -> Iterator[Callable[[Trial], list[psutil.Process]]]:
    """Yield a function that puts an engine to sleep with its workers; all are awake at the end."""
    slept: list[psutil.Process] = []

    def sleep(trial: Trial) -> list[psutil.Process]:
        engine = trial.engine()
        assert engine is not None
        family = [engine, *trial.workers()]
        slept.extend(family)
        for process in family:
            process.suspend()
        return family

    yield sleep
    for process in slept:
        if process.is_running():
            process.resume()


def copying(trial: Trial) -> Callable[[], bool]:
    """Return what tells that a run has begun to copy."""
    return lambda: trial.follower.state.step(StepId.COPY).done > 0


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "rolled back"])
def test_an_engine_that_wakes_up_writes_and_undoes_nothing(
    begin: Begin, tmp_path: Path, elsewhere: Elsewhere, asleep: Callable[[Trial], list[psutil.Process]], *, keep: bool
) -> None:
    """Another engine has gone on with the run meanwhile: the first says so, ends, and disturbs nothing."""
    first = begin(keep=keep)
    first.ground.proxy.line = STEADY
    first.engage()
    first.until(copying(first), "the copy")
    family = asleep(first)
    second = first.copied(tmp_path / "copied")
    elsewhere(second, "run")
    before = second.follower.state.step(StepId.COPY).done
    second.until(lambda: second.follower.state.step(StepId.COPY).done > before, "more of the copy")
    assert second.follower.send("pause").ok
    there = _at_rest(second)
    first.ground.proxy.line = Line()
    for process in family:
        process.resume()
    assert first.wait() is Verdict.NOT_READY, first.story()
    assert first.follower.state.exit_code == ExitCode.OCCUPIED
    assert first.follower.state.step(StepId.PREPARE).state is StepState.DONE
    assert _seen(second) == there
    assert second.follower.send("unpause").ok
    assert second.wait() is Verdict.PASSED, second.story()
    if keep:
        second.judge()


def _seen(trial: Trial) -> tuple[object, object]:
    return outside.checkpoints(trial.direct), outside.inventory(trial.direct)


def _at_rest(trial: Trial) -> tuple[object, object]:
    """Return what the target holds once a pause has come to act: a chunk in hand may still arrive or be let go."""
    seen = [_seen(trial)]

    def still() -> bool:
        time.sleep(1.0)
        seen.append(_seen(trial))
        busy = [line for line in outside.sessions(trial.direct) if "COPY" in line or "in transaction" in line]
        return not busy and seen[-1] == seen[-2]

    trial.until(still, "a pause")
    return seen[-1]


def test_two_runs_at_once(begin: Begin, elsewhere: Elsewhere) -> None:
    """One of them gets the target and passes, the other is refused and leaves no trace."""
    one, two = begin(), begin()
    one.engage()
    elsewhere(two, "run")
    verdicts = {one.wait(): one, two.wait(): two}
    assert verdicts.keys() == {Verdict.PASSED, Verdict.NOT_READY}, one.story() + two.story()
    verdicts[Verdict.PASSED].judge()
    refused = verdicts[Verdict.NOT_READY].follower.state.problem
    assert refused is not None
    assert refused.next_step


def test_a_rollback_elsewhere_ends_the_run_here(begin: Begin, tmp_path: Path, elsewhere: Elsewhere) -> None:
    """Rolled back from a copy of its directory, a run at work ends, and nothing of it comes back."""
    first = begin()
    empty = outside.inventory(first.direct)
    first.ground.proxy.line = STEADY
    first.engage()
    first.until(copying(first), "the copy")
    assert first.follower.send("pause").ok
    first.ground.proxy.line = Line()
    second = first.copied(tmp_path / "copied")
    elsewhere(second, "rollback")
    assert second.wait() is Verdict.ROLLED_BACK, second.story()
    # It may have noticed already, by the lease that it renews while it is paused.
    first.follower.send("unpause")
    assert first.wait() is Verdict.NOT_READY, first.story()
    assert first.follower.state.exit_code == ExitCode.OCCUPIED
    assert outside.inventory(first.direct) == empty


def test_a_sleeper_whose_lease_expired_goes_on_when_nobody_took_it(
    begin: Begin, asleep: Callable[[Trial], list[psutil.Process]]
) -> None:
    """Sleep alone costs nothing but time."""
    trial = begin()
    trial.engage()
    trial.until(copying(trial), "the copy")
    family = asleep(trial)
    outside.expire(trial.direct)
    for process in family:
        process.send_signal(signal.SIGCONT)
    trial.finish()
    assert trial.engines == 1, trial.story()
    trial.judge()
