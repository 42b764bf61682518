"""Kill it at random moments: after a resume each row is there once, and nothing is left behind.

`ZENNI_KILLS` sets the number of moments of each kind, `ZENNI_SEED` repeats the moments of an earlier session.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from zenni_tui.errors import StepFailed
from zenni_tui.model.runbook import RunKind, StepId, StepState, Verdict
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.proxy import Line, Way

from . import outside
from .trial import KILLS, Ground, Trial, dice_for, end

Begin = Callable[..., Trial]
LAST = 0.97
"""Moments are drawn from this part of the journal: one after the end would strike nothing."""


def moment(trial: Trial, dice: random.Random, first: int = 1) -> None:
    """Wait for a random moment of the run, from that entry of its journal on."""
    trial.reach(dice.randint(first, max(first, int(trial.ground.entries * LAST))))
    time.sleep(dice.uniform(0, 0.05))


def kill_the_engine(trial: Trial, _: random.Random) -> None:
    """Kill -9 the engine."""
    if engine := trial.engine():
        end(engine)


def kill_a_worker(trial: Trial, dice: random.Random) -> None:
    """Kill -9 one worker, the first that there is when there is none yet."""
    trial.until(lambda: bool(trial.workers()) or trial.engine() is None, "a worker")
    if workers := trial.workers():
        end(dice.choice(workers))


def crash_the_server(trial: Trial, dice: random.Random) -> None:
    """Stop the server at once, as `pg_ctl stop -m immediate` does, and start it again after a while."""
    sandbox.stop(trial.ground.server, immediate=True)
    time.sleep(dice.uniform(0, 2))
    sandbox.restart(trial.ground.server)


def kill_a_backend(trial: Trial, dice: random.Random) -> None:
    """Kill -9 one of the server's processes that works for us: it then ends all others and recovers."""
    if backends := outside.backends(trial.direct):
        outside.kill(trial.direct, dice.choice(backends))
        # Others who look in from outside would be refused meanwhile.
        trial.until(lambda: outside.answers(trial.direct), "the server's recovery")


def cut_the_power(trial: Trial, dice: random.Random) -> None:
    """Kill engine, workers and server at once."""
    for process in [trial.engine(), *trial.workers()]:
        if process is not None:
            end(process)
    crash_the_server(trial, dice)


def cut_the_line(trial: Trial, dice: random.Random) -> None:
    """Break every connection, and take no new one for a while."""
    proxy = trial.ground.proxy
    proxy.line = Line(Way.REFUSE)
    proxy.cut(reset=dice.random() < 0.5)
    time.sleep(dice.uniform(0, 2))


def black_hole(trial: Trial, dice: random.Random) -> None:
    """Deliver nothing for a while, acknowledged or not; sometimes for longer than a dead line may go unnoticed."""
    trial.ground.proxy.line = Line(dice.choice((Way.HOLD, Way.STALL)))
    time.sleep(dice.uniform(15, 25) if dice.random() < 0.25 else dice.uniform(0.5, 4))


def far_away(trial: Trial, dice: random.Random) -> None:
    """Take 500 ms each way for a while."""
    trial.ground.proxy.line = Line(latency=0.5)
    time.sleep(dice.uniform(1, 6))


def thin_line(trial: Trial, dice: random.Random) -> None:
    """Carry 3 KB a second for a while."""
    trial.ground.proxy.line = Line(rate=3_000)
    time.sleep(dice.uniform(1, 6))


def pause(trial: Trial, dice: random.Random) -> None:
    """Let the run pause for a while, in which no transaction is open on the target."""
    if trial.follower.send("pause").ok:
        time.sleep(dice.uniform(2, 4))
        trial.until(lambda: not outside.transactions(trial.direct), "a pause without a transaction")
        time.sleep(1)
        assert outside.transactions(trial.direct) == []
        trial.follower.send("unpause")


STRIKES = {
    strike.__name__: strike
    for strike in (
        kill_the_engine,
        kill_a_worker,
        crash_the_server,
        kill_a_backend,
        cut_the_power,
        cut_the_line,
        black_hole,
        far_away,
        thin_line,
        pause,
    )
}


@pytest.mark.parametrize("kind", STRIKES)
@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_survives(begin: Begin, kind: str, number: int) -> None:
    """Struck at a random entry of its journal, a run comes to its good end, and an outsider finds all of it right.

    From the first write on it goes on by itself, unless it is the engine that was killed; before, one resume does.
    """
    dice = dice_for(kind, number)
    trial = begin(dice.choice((RunKind.REHEARSE, RunKind.MIGRATE)))
    trial.engage()
    moment(trial, dice)
    writing = trial.follower.state.step(StepId.PREPARE).state is not StepState.PENDING
    STRIKES[kind](trial, dice)
    trial.ground.proxy.line = Line()
    trial.finish()
    alone = writing and kind not in (kill_the_engine.__name__, cut_the_power.__name__)
    assert trial.engines <= (1 if alone else 2), trial.story()
    trial.judge()


@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_survives_a_storm(begin: Begin, number: int) -> None:
    """Struck again and again, by whatever it may be, a run comes to the same good end."""
    dice = dice_for("storm", number)
    trial = begin()
    for _ in range(4):
        if trial.engine() is None:
            trial.engage()
        trial.reach(trial.follower.state.entries + dice.randint(1, trial.ground.entries // 2))
        dice.choice(list(STRIKES.values()))(trial, dice)
        trial.ground.proxy.line = Line()
    trial.finish()
    trial.judge()


@pytest.mark.parametrize("number", range(KILLS))
def test_a_resume_may_have_other_chunks(begin: Begin, number: int) -> None:
    """Whatever the size of chunks before and after a death, each row arrives once, and each span has one checkpoint."""
    dice = dice_for("other chunks", number)
    trial = begin()
    for _ in range(3):
        trial.engage()
        trial.until(lambda: trial.follower.state.step(StepId.COPY).state is not StepState.PENDING, "the copy")
        trial.follower.send("throttle", chunk=dice.choice((60, 101, 500, 2_000, 0)), workers=dice.choice((1, 2, 3)))
        trial.reach(trial.follower.state.entries + dice.randint(1, 25))
        kill_the_engine(trial, dice)
        trial.wait()
    trial.finish()
    trial.judge()


def test_a_thin_line_gets_small_chunks(begin: Begin) -> None:
    """On a line of 3 KB/s chunks are as small as a minute carries from the beginning, and grow when it is better."""
    trial = begin()
    trial.ground.proxy.line = Line(rate=3_000)
    trial.engage()
    trial.until(lambda: trial.follower.state.step(StepId.COPY).state is StepState.RUNNING, "the copy")
    # On a machine that is busy the line carries a little less.
    told = re.compile("The line carries [23] KB/s")
    trial.until(lambda: any(told.match(s.text) for s in trial.follower.state.lines), "a word")
    trial.ground.proxy.line = Line()
    trial.finish()
    trial.judge()
    assert any("rows took only" in s.text for s in trial.follower.state.lines), trial.story()


@pytest.mark.parametrize("number", range(KILLS))
def test_a_runs_own_server_may_crash(ground: Ground, tmp_path: Path, number: int) -> None:
    """The embedded server of a rehearsal, crashed at a random moment of the copy or later, comes back by itself."""
    dice = dice_for("own server", number)
    trial = Trial(ground, tmp_path / "run", "", embedded=True)
    trial.engage()
    try:
        trial.until(lambda: trial.follower.state.step(StepId.COPY).done > 0, "the copy")
        moment(trial, dice, trial.follower.state.entries)
        # At the end it may be gone, or going, by itself.
        with contextlib.suppress(ProcessLookupError, StepFailed), contextlib.ExitStack() as stack:
            own = sandbox.attach(trial.follower.state.run_id)
            if own is not None and (mark := stack.enter_context(own).record.postmaster) is not None:
                os.kill(mark.pid, signal.SIGQUIT)
        trial.finish()
        assert trial.engines == 1, trial.story()
    finally:
        trial.end()
        sandbox.remove(trial.follower.state.run_id)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_outlives_its_directory(begin: Begin, tmp_path: Path, number: int) -> None:
    """Its directory deleted at a random moment after the first write, a run goes on, or back, by the target alone."""
    dice = dice_for("lose the directory", number)
    trial = begin()
    empty = outside.inventory(trial.direct)
    trial.engage()
    trial.until(lambda: trial.follower.state.step(StepId.PREPARE).state is StepState.DONE, "the first write")
    moment(trial, dice, trial.follower.state.entries)
    while trial.follower.folder.exists():
        # The engine may be writing into it at this very moment.
        shutil.rmtree(trial.follower.folder, ignore_errors=True)
    trial.wait()
    found = trial.recalled(tmp_path / "found")
    if dice.random() < 0.5:
        found.finish()
        found.judge()
    else:
        found.engage("rollback")
        assert found.wait() is Verdict.ROLLED_BACK, found.story()
        assert outside.inventory(found.direct) == empty
