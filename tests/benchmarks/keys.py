"""How soon the wizard answers keys while rows are copied at full speed.

From the press of a key until the bytes have come that show what it does, for all keys that the run's screen has
during a copy. Beside that stands the processor time that the screen's process takes meanwhile, which other work on
the machine changes less.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from support import Program
from terminal import Terminal

from zenni_tui.model.runbook import StepId, StepState

from .figures import Claim, Figures
from .ground import Ground, Prepared, Trial

_ROWS = 1_000_000
_PRESSES = 5
_RAIL_EDGE = 19


class Key(NamedTuple):
    """A key, and what it changes on the screen."""

    name: str
    typed: str
    look: Callable[[Terminal], object]


def _words(words: str) -> Callable[[Terminal], object]:
    return lambda terminal: words in terminal.text


def _order(terminal: Terminal) -> object:
    return re.findall(r"order: [a-z ]+", terminal.text)


def _cursor(terminal: Terminal) -> object:
    return [
        row for row, line in enumerate(terminal.text.split("\n")) if line[_RAIL_EDGE + 1 :].lstrip().startswith("▸")
    ]


def _edge(terminal: Terminal) -> object:
    return terminal.colours(_RAIL_EDGE)


_ESC = "\x1b"


def _box(name: str, typed: str, words: str, away: str = _ESC) -> tuple[Key, Key]:
    return Key(name, typed, _words(words)), Key(f"{name}, away", away, _words(words))


KEYS = (
    _box("F8", "\x1b[19~", "Roll back this run?"),
    _box("F1", "\x1bOP", "read on"),
    _box("t", "t", "rows a second, 0"),
    _box("s", "s", "Stop this run?", "n"),
    _box("q", "q", "Leave?", "n"),
    _box("l", "l", "✓ reach", "l"),
    _box("/", "/", "Enter keeps it"),
    _box("Ctrl+P", "\x10", "part of a command"),
    (*_box("Left", "\x1b[D", "The first write.", "\x1b[C"), Key("f", "f", _words("f follow"))),
    tuple(Key("v", "v", _order) for _ in range(5)),
    (Key("Down", "\x1b[B", _cursor), Key("Up", "\x1b[A", _cursor)),
    (Key("Tab", "\t", _edge), Key("Shift+Tab", "\x1b[Z", _edge)),
    _box("p", "p", "Paused by", "p"),
)
"""Keys in groups; the last of each leaves the screen as the first found it."""


def measure(ground: Ground) -> list[Claim]:
    """Press all keys, in as many copies as that takes."""
    prepared = Prepared(ground, ground.bookings(max(ground.rows, _ROWS)))
    answers, efforts = Figures("ms"), Figures("ms of processor time")
    left = iter([group for _ in range(_PRESSES * ground.rounds) for group in KEYS])
    group = next(left, None)
    while group is not None:
        with ground.database() as database:
            trial = prepared.trial(database)
            terminal = attached(ground, trial)
            terminal.wait("F8")
            trial.until(StepId.PREPARE)
            while group is not None and _pressed(group, terminal, trial, answers, efforts):
                group = next(left, None)
            trial.stop()
            terminal.kill()
    prepared.remove()
    answers.show()
    efforts.show()
    return [
        Claim(f"ms to the answer to {name}, nine of ten", _nine_of_ten(v), 100) for name, v in answers.rounds.items()
    ]


def _nine_of_ten(values: list[float]) -> float:
    return sorted(values)[(len(values) * 9 - 1) // 10]


def _pressed(keys: tuple[Key, ...], terminal: Terminal, trial: Trial, answers: Figures, efforts: Figures) -> bool:
    """Press keys one after the other; return whether the copy went on all the while."""
    for key in keys:
        effort = _effort(terminal)
        answer = _answer(key, terminal, trial)
        if not _copies(trial):
            return False
        efforts.add(key.name, _effort(terminal) - effort)
        answers.add(key.name, answer)
    return True


def _answer(key: Key, terminal: Terminal, trial: Trial) -> float:
    before = key.look(terminal)
    struck = terminal.strike(key.typed)
    terminal.until(lambda: key.look(terminal) != before or not _copies(trial), f"an answer to {key.name}")
    return (terminal.heard - struck) * 1000


def _copies(trial: Trial) -> bool:
    return trial.state().step(StepId.COPY).state in (StepState.PENDING, StepState.RUNNING)


def _effort(terminal: Terminal) -> float:
    """Return the milliseconds that the program's first thread has been on a processor (proc(5), schedstat)."""
    return int(Path(f"/proc/{terminal.pid}/schedstat").read_text().split()[0]) / 1e6


def attached(ground: Ground, trial: Trial) -> Terminal:
    """Return the wizard in a terminal, over a trial."""
    home = Path(ground.scratch) / "home"
    home.mkdir(exist_ok=True)
    return Terminal(Program(home), "attach", "--run-dir", str(trial.follower.folder))
