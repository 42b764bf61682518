"""The screen's life and the engine's are apart: unread, closed, suspended, resized, the engine works on as without one.

`ZENNI_UNREAD` says how many seconds a terminal is left unread, `ZENNI_KILLS` how many are closed.
"""

import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from support import PATIENCE, Program, copying, slowly, wait
from terminal import Terminal

from zenni_tui.engine.client import Follower
from zenni_tui.engine.journal import JournalReader
from zenni_tui.sandbox.sample import SampleApplication

UNREAD = float(os.environ.get("ZENNI_UNREAD", "12"))
CLOSED = int(os.environ.get("ZENNI_KILLS", "3"))
ROWS = int(1000 * (UNREAD + 60))
_CALM = 6.0
"""Seconds without a word of an engine that works, on a busy machine; one that is held up says none at all."""


@pytest.fixture(scope="session")
def sample(make_sample: Callable[..., SampleApplication]) -> SampleApplication:
    """Return a sample large enough to be copied slowly."""
    return make_sample(bookings=ROWS)


@pytest.fixture
def slow(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> Iterator[Follower]:
    """Yield a run that copies slowly, for longer than a test looks at it."""
    assert database
    (program.home / "config.toml").write_text("[copy]\nchunk_rows = 500\n")
    watcher = program.start("rehearse", "--headless", "--source", str(sample.database), environment=target_environment)
    follower = slowly(program, rows=1000)
    wait(follower, copying)
    yield follower
    program.run("stop")
    watcher.communicate(timeout=60)


def _gap(folder: Path, since: float, until: float) -> float:
    """Return the longest silence of an engine between two moments."""
    reader = JournalReader(folder / "events.jsonl")
    moments = [since, *(e.at for e in reader.read() if since < e.at < until), until]
    return max(b - a for a, b in itertools.pairwise(moments))


@contextmanager
def _watching(program: Program) -> Iterator[Terminal]:
    terminal = Terminal(program, "attach")
    try:
        terminal.wait("copy", "running")
        yield terminal
    finally:
        with suppress(OSError):
            terminal.kill()


def test_an_unread_terminal_holds_nothing_up(program: Program, slow: Follower) -> None:
    """A line that takes nothing any more stops the screen at most; when it takes again the screen is up to date."""
    since = time.time()
    time.sleep(3)
    alone = _gap(slow.folder, since, time.time())
    with _watching(program) as terminal:
        since, busy = time.time(), terminal.cpu
        time.sleep(UNREAD)
        assert _gap(slow.folder, since, time.time()) < max(_CALM, 1.5 * alone)
        assert terminal.cpu - busy < UNREAD / 2
        slow.poll()
        terminal.wait("copy", "running", "F8")


def test_closed_terminals_leave_no_process_and_no_trace(program: Program, slow: Follower) -> None:
    """Whenever the line drops, the screen's process ends by itself, and the engine does not notice."""
    dice = random.Random(CLOSED)  # noqa: S311 - moments
    since = time.time()
    for _ in range(CLOSED):
        terminal = Terminal(program, "attach")
        for _ in range(dice.randrange(12)):
            terminal.take(0.1)
        process = psutil.Process(terminal.pid)
        terminal.drop()
        deadline = time.monotonic() + PATIENCE
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, f"the screen works on without a terminal: {process.cpu_times()}"
            time.sleep(0.05)
        os.waitpid(terminal.pid, 0)
    assert _gap(slow.folder, since, time.time()) < _CALM
    assert slow.alive


def test_a_suspended_screen_comes_back(program: Program, slow: Follower) -> None:
    """Stopped as by Ctrl+Z and continued, the screen shows the run as it is now; the engine worked on."""
    with _watching(program) as terminal:
        since = time.time()
        os.kill(terminal.pid, signal.SIGSTOP)
        time.sleep(9)
        assert _gap(slow.folder, since, time.time()) < _CALM
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.press("t")
        terminal.wait("How fast?", "rows a second")


def test_resizing_at_any_moment_breaks_nothing(program: Program, slow: Follower) -> None:
    """From tiny to huge and back, with keys in between: the screen stands whole in the end."""
    dice = random.Random(3)  # noqa: S311 - sizes
    with _watching(program) as terminal:
        for _ in range(25):
            terminal.resize(dice.randrange(4, 70), dice.randrange(15, 220))
            terminal.press(dice.choice(("\x1b[C", "\x1b[D", "\t", "l", "l")))
            terminal.take(0.05)
        terminal.resize(50, 150)
        terminal.until(lambda: max(len(line.rstrip()) for line in terminal.text.splitlines()) > 140, "a wide screen")
        terminal.resize(24, 80)
        terminal.press("f")
        # The button's words are others while Tab has left the focus there.
        terminal.wait("REHEARSAL", "oll back]", "✓ reach", "F1 help")
        terminal.press("q")
        terminal.wait("Leave?")
        terminal.press("d")
        assert terminal.code == 0
    assert slow.alive
