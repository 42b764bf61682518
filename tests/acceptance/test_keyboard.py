"""What the real program makes of the bytes that a terminal sends for keys."""

from collections.abc import Iterator

import pytest
from support import Program
from terminal import Terminal
from ui_stories import UP_TO_COPY, Story, told

_F8, _DOWN, _ESC = "\x1b[19~", "\x1b[B", "\x1b"


@pytest.fixture
def terminal(program: Program) -> Iterator[Terminal]:
    """Yield a terminal with the screen of a run in the middle of its copy."""
    story = Story(program.home / "run")
    story.tell(*told(UP_TO_COPY))
    opened = Terminal(program, "attach", "--run-dir", str(story.folder))
    opened.wait("copy", "F8")
    yield opened
    opened.kill()
    story.close()


def test_esc_is_told_from_keys_that_begin_with_it(terminal: Terminal) -> None:
    """An arrow's three bytes move the cursor of a question; a lone Esc answers it; typed twice it is two keys."""
    terminal.press(_F8)
    terminal.wait("▸ [n]")
    terminal.press(_DOWN)
    terminal.wait("▸ [y]")
    terminal.press(_ESC)
    terminal.wait_gone("Roll back this run?")
    terminal.press("/" + "Book" + _ESC + _F8)
    terminal.wait("Roll back this run?")
    terminal.press(_ESC + _ESC)
    terminal.wait_gone("Roll back this run?")


def test_letters_of_several_bytes_come_whole(terminal: Terminal) -> None:
    """A letter of two bytes is one letter, also when its bytes come one after the other."""
    terminal.press("/")
    terminal.wait("part of a name")
    terminal.press("Bö")
    terminal.wait("Bö")
    first, second = "ß".encode()
    terminal.strike(bytes([first]))
    terminal.strike(bytes([second]))
    terminal.wait("Böß")
