"""Lessons and drills from the command line: lists, refusals, and each once in a real terminal."""

import json
import re

import pytest
from support import Program, until
from terminal import Terminal


def _said(program: Program, *arguments: str) -> tuple[int, str, str]:
    process = program.start(*arguments)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err


def test_lessons_and_drills_are_listed_without_a_terminal(program: Program) -> None:
    """Each with how it stands; as one JSON document, too; a lesson is printed whole."""
    code, out, _ = _said(program, "lessons")
    assert (code, len(out.splitlines())) == (0, 6)
    assert all("0 of 2 exercises done" in line for line in out.splitlines())
    code, out, _ = _said(program, "lessons", "backup")
    assert code == 0
    assert out.startswith("# Backup and restore")
    assert len(json.loads(_said(program, "lessons", "--json")[1])) == 6
    code, out, _ = _said(program, "drill")
    assert code == 0
    assert "connection-drop  not yet" in out
    found = json.loads(_said(program, "drill", "--json")[1])
    assert {d["passed"] for d in found} == {None}


@pytest.mark.parametrize("arguments", [("lessons", "cobol"), ("drill", "flood"), ("drill", "disk-full")])
def test_what_can_not_be_is_refused_in_words(program: Program, arguments: tuple[str, str]) -> None:
    """Unknown names are answered with the known ones; a drill wants a terminal."""
    code, _, err = _said(program, *arguments)
    assert code == 2
    assert "These are: " in err or "needs a terminal" in err


def test_an_exercise_in_a_terminal(program: Program) -> None:
    """From the first page to a right answer, typed as a person types."""
    terminal = Terminal(program, "lessons", "pooling")
    try:
        terminal.wait("page 1 of 5", "Right next page")
        terminal.press("e")
        terminal.wait("The pool's size", "to do")
        terminal.press("\x1b[B\r")
        terminal.wait("The server allows", "together", "F5 check")
        terminal.until(lambda: _asked(terminal) is not None, "the whole question")
        limit, others = _asked(terminal) or ("", "")
        terminal.press(f"INSERT INTO pool SELECT ({limit} - 3 - {others}) / sum(processes) FROM instance\r")
        terminal.wait("INSERT 0 1")
        terminal.press("\x1b[15~")
        terminal.wait("it counts")
        terminal.press("\x1b")
        terminal.wait("Enter begin", "to do")
        terminal.press("q")
        assert terminal.code == 0
    finally:
        terminal.kill()
    assert "1 of 2 exercises done" in _said(program, "lessons")[1]


def _asked(terminal: Terminal) -> tuple[str, str] | None:
    """Return the figures of the exercise, None while they don't stand on the screen."""
    found = re.search(r"The server allows (\d+) .*people need (\d+)\.", " ".join(terminal.text.split()))
    return (found[1], found[2]) if found else None


def test_a_drill_in_a_terminal(program: Program) -> None:
    """The engine dies in mid-copy; resumed by a key, it comes to its end; the score sheet stays, nothing else does."""
    terminal = Terminal(program, "drill", "killed-engine")
    try:
        terminal.wait("Your job:", "Begin")
        terminal.press("b")
        terminal.wait(" DRILL ", "YOUR WORD before prepare")
        terminal.press("g")
        terminal.wait("died without a last word")
        terminal.press("\r")
        terminal.wait("INTERRUPTED")
        terminal.press("u")
        terminal.wait("PASSED", "Score sheet:", seconds=120)
        terminal.press("\r")
        terminal.wait("last time", "passed")
        terminal.press("q")
        assert terminal.code == 0
    finally:
        terminal.kill()
    home = program.home / "state" / "zenni-tui" / "drills"
    assert sorted(p.suffix for p in home.iterdir()) == [".json", ".md"]
    assert "killed-engine    passed" in _said(program, "drill")[1]
    until(lambda: not program.engines())
