"""The copy with the wizard open in a terminal against the same run told in lines; its bytes; its answers to keys.

The terminal's reader only takes bytes while the copy is timed: whoever draws them sits at another machine.
"""

import subprocess
import time

import psutil

from zenni_tui.model.runbook import StepId

from . import keys
from .figures import Claim, Figures, alternate
from .ground import PROGRAM, Ground, Prepared, seconds

_LINES, _SCREEN = "told in lines", "wizard open"


def measure(ground: Ground) -> list[Claim]:
    """Alternate lines and screen, then press keys."""
    prepared = Prepared(ground, ground.bookings(ground.rows))
    figures, rates = Figures(), Figures("bytes/s")
    works = {_LINES: lambda: _lines(ground, prepared), _SCREEN: lambda: _screen(ground, prepared, rates)}
    alternate(figures, ground.rounds, works)
    figures.show(_LINES)
    rates.show()
    prepared.remove()
    return [
        Claim("copy with the screen to that without, best rounds", figures.ratio(_SCREEN, _LINES), 1.03),
        Claim("KiB/s to the terminal, worst round", max(rates.rounds[_SCREEN]) / 1024, 20),
        *keys.measure(ground),
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
        terminal = keys.attached(ground, trial)

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
