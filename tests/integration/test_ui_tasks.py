"""The plan's screen: tasks, timeline, risks, and a signature given by keys alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ui_pilot import Desk, text, wait_for

from zenni_tui.engine import ledger
from zenni_tui.model.tasks import Timeline
from zenni_tui.ui.app import ZenniApp


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return an offer whose plan began three days ago."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    desk = Desk(tmp_path)
    desk.timeline = Timeline(datetime.now(UTC).date() - timedelta(days=3), {"A": "Mia"})
    return desk


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_the_plan_is_shown_turned_and_signed_by_keys(desk: Desk, size: tuple[int, int]) -> None:
    """From the first screen: a task that needs a person is signed with a name and a note, which the ledger keeps."""
    app = ZenniApp(desk)
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, "What to do")
        await pilot.press(*["down"] * len(desk.kinds), "enter")
        await wait_for(pilot, "an account and a project exist")
        await pilot.press("s")
        await wait_for(pilot, "A1 needs no signature")
        await pilot.press("down", "down", "s")
        await wait_for(pilot, "Sign off A3?")
        await pilot.press(*"made", "up", "ctrl+u", "enter")
        await wait_for(pilot, "A sign-off needs a name.")
        await pilot.press(*"Mia", "enter")
        await wait_for(pilot, "A3 is signed by Mia.")
        await wait_for(pilot, "1 done")
        assert [(d.name, d.by, d.note) for d in ledger.read(desk.source)] == [("sign-off A3", "Mia", "made")]


async def test_the_timeline_and_the_risks_stand_one_key_away(desk: Desk) -> None:
    """`v` turns to the phases with their days and a mark for today, then to the risks, then back."""
    app = ZenniApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "What to do")
        await pilot.press(*["down"] * len(desk.kinds), "enter")
        await wait_for(pilot, "an account and a project exist")
        await pilot.press("v")
        await wait_for(pilot, "Phase 2: migration day")
        bars = [line for line in text(pilot).splitlines() if "Prerequisites  " in line]
        assert "━" in bars[0]
        assert "│" in bars[0]
        assert "0/10" in bars[0]
        await pilot.press("v")
        await wait_for(pilot, "Supabase can't be reached")
        await pilot.press("v")
        await wait_for(pilot, "an account and a project exist")
        await pilot.press("b")
        await wait_for(pilot, "What to do")
