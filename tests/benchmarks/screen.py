"""The copy with the wizard open in a terminal against the same run told in lines; its answers to keys; its bytes.

The terminal's reader only takes bytes while the copy is timed: whoever draws them sits at another machine. For the
keys it draws: from the press of F8 until its question stands on the screen, again and again while rows are copied.
"""

import subprocess
import time
from pathlib import Path

import psutil
from support import Program
from terminal import Terminal

from zenni_tui.model.runbook import StepId, StepState

from .figures import Claim, Figures, alternate
from .ground import PROGRAM, Ground, Prepared, Trial, seconds

_LINES, _SCREEN = "told in lines", "wizard open"
_KEY = "F8 to its question"
_F8, _ESCAPE, _QUESTION = "\x1b[19~", "\x1b", "Roll back this run?"


def measure(ground: Ground) -> list[Claim]:
    """Alternate lines and screen, then press keys."""
    prepared = Prepared(ground, ground.bookings(ground.rows))
    figures, rates, answers = Figures(), Figures("bytes/s"), Figures("ms")
    works = {_LINES: lambda: _lines(ground, prepared), _SCREEN: lambda: _screen(ground, prepared, rates)}
    alternate(figures, ground.rounds, works)
    figures.show(_LINES)
    rates.show()
    for _ in range(ground.rounds):
        _keys(ground, prepared, answers)
    answers.show()
    prepared.remove()
    slow = sorted(answers.rounds[_KEY])
    return [
        Claim("copy with the screen to that without, best rounds", figures.ratio(_SCREEN, _LINES), 1.03),
        Claim("ms from a key to its effect, nine of ten", slow[len(slow) * 9 // 10], 100),
        Claim("KiB/s to the terminal, worst round", max(rates.rounds[_SCREEN]) / 1024, 20),
    ]


def _lines(ground: Ground, prepared: Prepared) -> float:
    with ground.database() as database:
        trial = prepared.trial(database)
        words = [*PROGRAM, "attach", "--headless", "--run-dir", str(trial.follower.folder)]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL):
            state = trial.until(StepId.COPY)
            trial.stop()
        return seconds(state, StepId.COPY)


def _screen(ground: Ground, prepared: Prepared, rates: Figures) -> float:
    with ground.database() as database:
        trial = prepared.trial(database)
        terminal = _attached(ground, trial)

        def look(_: psutil.Process) -> None:
            terminal.take(0)

        trial.until(StepId.PREPARE, look)
        before, started = terminal.received, time.monotonic()
        busy = terminal.cpu
        state = trial.until(StepId.COPY, look)
        spent = time.monotonic() - started
        rates.add(_SCREEN, (terminal.received - before) / spent)
        print(f"    the wizard's share of one core: {(terminal.cpu - busy) / spent:.1%}")
        trial.stop()
        terminal.kill()
        return seconds(state, StepId.COPY)


def _keys(ground: Ground, prepared: Prepared, answers: Figures) -> None:
    with ground.database() as database:
        trial = prepared.trial(database)
        terminal = _attached(ground, trial)
        terminal.wait("F8")
        trial.until(StepId.PREPARE)
        while trial.state().step(StepId.COPY).state in (StepState.PENDING, StepState.RUNNING):
            started = time.monotonic()
            terminal.press(_F8)
            terminal.wait(_QUESTION)
            answers.add(_KEY, (time.monotonic() - started) * 1000)
            terminal.press(_ESCAPE)
            terminal.wait_gone(_QUESTION)
        trial.stop()
        terminal.kill()


def _attached(ground: Ground, trial: Trial) -> Terminal:
    home = Path(ground.scratch) / "home"
    home.mkdir(exist_ok=True)
    return Terminal(Program(home), "attach", "--run-dir", str(trial.follower.folder))
