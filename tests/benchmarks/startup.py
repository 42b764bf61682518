"""`zenni-tui --help` from its start to its end, and the wizard's first full screen in a terminal of 80x24."""

import subprocess
import tempfile
import time
from pathlib import Path

from support import Program
from terminal import Terminal

from .figures import Claim, Figures, alternate
from .ground import PROGRAM, Ground

_HELP, _SCREEN = "--help", "first screen"
_LAST_WORDS = ("What to do", "rehearse", "F1")


def measure(ground: Ground) -> list[Claim]:
    """Alternate both, more often than asked since each is short."""
    figures = Figures()
    alternate(figures, ground.rounds * 3, {_HELP: _help, _SCREEN: lambda: _screen(ground)})
    figures.show()
    return [
        Claim("seconds for --help, best round", min(figures.rounds[_HELP]), 0.4),
        Claim("seconds to the first screen, best round", min(figures.rounds[_SCREEN]), 1.0),
    ]


def _help() -> float:
    started = time.monotonic()
    subprocess.run([*PROGRAM, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def _screen(ground: Ground) -> float:
    with tempfile.TemporaryDirectory(dir=ground.scratch, prefix="home-") as home:
        started = time.monotonic()
        terminal = Terminal(Program(Path(home)), "--source", str(ground.bookings(10_000)))
        terminal.wait(*_LAST_WORDS)
        spent = time.monotonic() - started
        print(f"    processor time of the first screen: {terminal.cpu:.2f} s")
        terminal.kill()
        return spent
