"""The real program in a real terminal of 80 columns and 24 lines, by keys alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from support import Program, slowly
from terminal import Terminal

from zenni_tui.sandbox.demo import close_demo


@contextmanager
def _terminal(program: Program, *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal(program, *arguments)
    try:
        yield terminal
    finally:
        terminal.kill()


def test_the_demo_from_first_screen_to_rolled_back(program: Program) -> None:
    """A newcomer starts the demo, rehearses by Enter, is asked before the first write, sees it passed and undone."""
    folder = program.home / "demo"
    try:
        with _terminal(program, "demo", "--folder", str(folder), "--bookings", "500") as terminal:
            terminal.wait("rehearse", "What to do", "Enter")
            terminal.press("\r")
            terminal.wait("REHEARSAL", "WAITING FOR YOU", "Enter", "SAFE")
            terminal.press("\r")
            terminal.wait("PASSED")
            terminal.press("q")
            terminal.wait("leave")
            terminal.press("\r")
            assert terminal.code == 0
    finally:
        os.environ["XDG_STATE_HOME"], before = program.environment["XDG_STATE_HOME"], os.environ["XDG_STATE_HOME"]
        close_demo(folder)
        os.environ["XDG_STATE_HOME"] = before


def test_the_line_drops_and_another_screen_attaches(program: Program, make_big: str) -> None:
    """When the line drops in mid-run the engine waits or works on, and a new screen finds it where it is."""
    with _terminal(program, "rehearse", "--source", make_big) as terminal:
        terminal.wait("WAITING FOR YOU")
        slowly(program, rows=1000)
        terminal.press("\r")
        terminal.wait("copy", "running")
        terminal.kill()
    assert program.engines()
    with _terminal(program) as again:
        again.wait("REHEARSAL", "F8")
        again.press("\x1b[19~")
        again.wait("Roll back this run?")
        again.press("y")
        again.wait("ROLLED BACK")


def test_help_starts_fast_and_names_every_verb(program: Program) -> None:
    """--help names every verb and the exit codes."""
    process = program.start("--help")
    out, _ = process.communicate(timeout=20)
    for verb in ("demo", "rehearse", "check", "audit", "plan", "migrate", "rollback", "resume", "status", "attach"):
        assert f"\n    {verb}" in out
    assert process.returncode == 0
