"""The demo's application goes over to PostgreSQL and back, in a real terminal, by keys alone."""

import json
import os
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Program
from terminal import Terminal

from zenni_tui.sandbox import webapp
from zenni_tui.sandbox.demo import close_demo

DOWN, F8 = "\x1b[B", "\x1b[19~"


@pytest.fixture
def folder(program: Program) -> Iterator[Path]:
    """Yield the demo's folder; what runs there is ended."""
    folder = program.home / "demo"
    yield folder
    os.environ["XDG_STATE_HOME"], before = program.environment["XDG_STATE_HOME"], os.environ["XDG_STATE_HOME"]
    close_demo(folder)
    os.environ["XDG_STATE_HOME"] = before


@pytest.fixture
def terminal(program: Program, folder: Path) -> Iterator[Terminal]:
    """Yield a terminal with the demo's wizard."""
    made = Terminal(program, "demo", "--folder", str(folder), "--bookings", "100")
    try:
        yield made
    finally:
        made.kill()


def asked(folder: Path, path: str) -> dict[str, object]:
    """Return what the demo's web application answers."""
    record = webapp.running(folder)
    assert record is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{record.port}/{path}", timeout=10) as response:
        return dict(json.load(response))


def book(folder: Path) -> None:
    """Take a booking as a customer does."""
    record = webapp.running(folder)
    assert record is not None
    body = {
        "serviceId": _service(folder),
        "customerName": "Aino",
        "customerEmail": "aino@example.fi",
        "startTime": "2031-05-01T10:00",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{record.port}/bookings",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - as above
        assert response.status == 201


def _service(folder: Path) -> str:
    with sqlite3.connect(folder / "prisma" / "dev.db") as file:
        key = file.execute("SELECT id FROM Service LIMIT 1").fetchone()[0]
    file.close()
    return str(key)


def migrated(terminal: Terminal) -> None:
    """Bring a migration by keys to where it follows and waits for the switch."""
    terminal.press("\r")
    terminal.wait("WAITING FOR YOU", "prepare")
    terminal.press("g")
    terminal.wait("WAITING FOR YOU", "Switch over with a typed word")


def choose(terminal: Terminal) -> None:
    """Put the first screen's cursor on the migration."""
    terminal.wait("What to do", "Past runs")
    while "▸ migrate" not in (place := cursor(terminal)):
        terminal.press(DOWN)
        terminal.wait_gone(place)


def cursor(terminal: Terminal) -> str:
    """Return the line that the cursor stands on, once there is one."""

    def marked() -> list[str]:
        return [line.rstrip() for line in terminal.text.splitlines() if line.startswith(" ▸")]

    terminal.until(lambda: bool(marked()), "a line with the cursor")
    return marked()[0]


def test_over_and_back_by_keys(terminal: Terminal, folder: Path) -> None:
    """A booking taken while it migrates, and one on PostgreSQL, are both there when the old side serves again."""
    choose(terminal)
    migrated(terminal)
    book(folder)
    terminal.press("m")
    terminal.wait("Switch the application over?")
    terminal.press("SWITCH\r")
    terminal.wait("WINDOW OPEN", "The new side serves")
    assert asked(folder, "health") == {"status": "ok", "database": "postgresql", "bookings": 101}
    book(folder)
    terminal.press(F8)
    terminal.wait("Fall back to the old side?")
    terminal.press("FALL BACK\r")
    terminal.wait("ROLLED BACK", "The old side serves again")
    assert asked(folder, "health") == {"status": "ok", "database": "sqlite", "bookings": 102}


def test_undone_before_the_switch_and_finished_after_it_by_keys(terminal: Terminal, folder: Path) -> None:
    """A migration that waits for its switch is taken back by keys; the next one is switched and its window ended."""
    choose(terminal)
    migrated(terminal)
    terminal.press(F8)
    terminal.wait("Roll back this run?")
    terminal.press("y")
    terminal.wait("ROLLED BACK", "engine finished")
    assert asked(folder, "health")["database"] == "sqlite"
    terminal.press("b")
    choose(terminal)
    migrated(terminal)
    terminal.press("m")
    terminal.wait("Switch the application over?")
    terminal.press("switch\r")
    terminal.wait("That is not SWITCH")
    terminal.press("\x1b")
    terminal.wait_gone("Switch the application over?")
    terminal.press("m")
    terminal.wait("Switch the application over?")
    terminal.press("SWITCH\r")
    terminal.wait("WINDOW OPEN")
    terminal.press("m")
    terminal.wait("End the rollback window?")
    terminal.press("FINISH\r")
    terminal.wait("PASSED", "the window is closed")
    assert asked(folder, "health")["database"] == "postgresql"


def test_what_a_value_becomes_that_was_written_meanwhile_by_keys(terminal: Terminal, folder: Path) -> None:
    """A value that can't be carried asks for a choice; once it is made by keys the following goes on."""
    choose(terminal)
    migrated(terminal)
    with sqlite3.connect(folder / "prisma" / "dev.db") as file:
        file.execute("UPDATE Service SET name = name || char(0) WHERE id = (SELECT min(id) FROM Service)")
    file.close()
    terminal.wait("A value written since the snapshot", "Enter understood")
    terminal.press("\r")
    terminal.wait("WAITING FOR YOU", "can't become text", "1 still blocks")
    terminal.press("c")
    terminal.wait("no choice", "remove the NUL characters")
    terminal.press(DOWN + "\r")
    terminal.wait("strip_nul", "g go on")
    terminal.press("g")
    terminal.wait("WAITING FOR YOU", "Switch over with a typed word")
