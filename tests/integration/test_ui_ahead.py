"""Keys typed faster than the screen answers, as over a slow line: each goes where the one before it led to."""

import time
import unicodedata
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from ui_pilot import Desk, Runs, hearing, look, text, wait_for, wait_until
from ui_stories import UP_TO_COPY, told

from zenni_tui.engine import ledger
from zenni_tui.model import events as e
from zenni_tui.ui.ahead import _LOST_SECONDS, Followed
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.panel import Filter
from zenni_tui.ui.screens.run import RunScreen


def at_once(pilot: Pilot[None], *keys: str) -> None:
    """Send keys as a terminal does that read them in one piece: no message is handled in between."""
    driver = pilot.app._driver
    assert driver is not None
    for key in keys:
        named = {" ": "space", "/": "slash"}.get(key, key)
        event = events.Key(named, key if len(key) == 1 and not unicodedata.category(key).startswith("C") else None)
        event.set_sender(pilot.app)
        driver.send_message(event)


async def test_what_follows_tab_goes_to_the_next_field(make: Runs) -> None:
    """Tab, text, Tab, text and Enter in one piece fill three fields; Shift+Tab and the arrows go back as well."""
    story = make(*told(UP_TO_COPY), e.Throttled(2))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        at_once(pilot, "t", "end", "5", "tab", "end", "7", "down", "end", "9", "shift+tab", "end", ".", "5", "enter")
        await wait_until(pilot, lambda: heard and isinstance(app.screen, RunScreen))
        assert [(c.rows, c.mb, c.workers) for c in heard] == [(5, 7.5, 29)]


async def test_what_follows_a_question_answers_it(make: Runs) -> None:
    """The key that asks and the key that answers in one piece; nothing behind a question reaches the screen below."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        at_once(pilot, "f8", "y", "p")
        await wait_until(pilot, lambda: len(heard) > 1)
        assert [c.name for c in heard] == ["rollback", "pause"]
        at_once(pilot, "s", "p", "escape")
        await look(pilot)
        assert [c.name for c in heard] == ["rollback", "pause"]


async def test_what_follows_a_filter_and_its_end_goes_right(make: Runs) -> None:
    """Letters behind / are the filter's, though they mean something to the screen; those behind Enter the screen's."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        at_once(pilot, "/", *"user", "enter", "l")
        await wait_for(pilot, "copy: 2 workers")
        assert next(f.value for f in app.screen.query(Filter) if f.value) == "user"


async def test_a_whole_signature_is_typed_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first screen to the signed task in one piece of keys."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    desk = Desk(tmp_path)
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "What to do")
        at_once(pilot, *["down"] * len(desk.kinds), "enter")
        await wait_for(pilot, "an account and a project exist")
        at_once(pilot, "down", "down", "s", *"made it", "up", "ctrl+u", *"Mia", "enter")
        await wait_for(pilot, "A3 is signed by Mia.")
        assert [(d.by, d.note) for d in ledger.read(desk.source)] == [("Mia", "made it")]


async def test_a_key_whose_end_is_never_seen_does_not_hold_up_the_others(make: Runs) -> None:
    """Should the trace of a key get lost, the keyboard goes on with the next key after a while."""
    story = make(*told(UP_TO_COPY))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        app._on_its_way = Followed(app.screen, None)
        # Hours from now, and then long ago: how fast the machine is does not matter.
        app._since = time.monotonic() + 3600.0
        at_once(pilot, "l")
        await look(pilot)
        assert "copy: 2 workers" not in text(pilot)
        app._since = time.monotonic() - _LOST_SECONDS - 1.0
        at_once(pilot, "home")
        await wait_for(pilot, "copy: 2 workers")
