"""Every screen as a picture, in its normal, empty and troubled states, at two sizes; nothing cut off, nothing overlaps.

`pytest tests/integration/test_ui_pictures.py --snapshot-update` takes the pictures anew; look at them as pictures.
"""

import re
import secrets
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import ui_stories as stories
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot
from ui_pilot import LOOK, Desk, Runs, stands_whole, wait_for
from ui_stories import UP_TO_COPY, UP_TO_INDEX, UP_TO_PLAN, UP_TO_VERIFIED, UP_TO_VERIFY, told

from zenni_tui.engine import folders
from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.repair import RepairScreen
from zenni_tui.ui.situation import Situation

SIZES = [(80, 24), (120, 40)]
Press = Callable[[Pilot[None]], Awaitable[None]]


class _Svg(SingleFileSnapshotExtension):
    """One SVG a picture."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


def keys(*pressed: str, until: str = "") -> Press:
    """Return what presses some keys and waits for a word."""

    async def press(pilot: Pilot[None]) -> None:
        await pilot.press(*pressed)
        await pilot.pause(LOOK)
        if until:
            await wait_for(pilot, until)

    return press


async def _repair(pilot: Pilot[None]) -> None:
    """Open the repairs of the first finding: the first press may only bring the findings to the front."""
    while not isinstance(pilot.app.screen, RepairScreen):
        await pilot.press("c")
        await pilot.pause(LOOK)
    await pilot.pause(LOOK)


_LOST = (*told(UP_TO_COPY), *stories.lost())
_BLOCKED = (*told(UP_TO_PLAN[:1]), *stories.blocked(), stories.asked_for_choices())
_SWITCHING = (stories.began(live=True, kind=RunKind.MIGRATE), *told(UP_TO_VERIFIED), *stories.switching())
RUNS: dict[str, tuple[tuple[e.AnyEvent, ...], Press | None]] = {
    "run-nothing-yet": ((), None),
    "run-reach": (tuple(stories.reached())[:6], None),
    "run-audit": (tuple(told(UP_TO_PLAN[:2])), None),
    "run-plan-asks": ((*told(UP_TO_PLAN), stories.gate()), None),
    "run-copy": (tuple(told(UP_TO_COPY)), None),
    "run-copy-paused": ((*told(UP_TO_COPY), e.Paused("mia on pts/3")), None),
    "run-index": (tuple(told(UP_TO_INDEX)), None),
    "run-verify": (tuple(told(UP_TO_VERIFY)), None),
    "run-passed": ((*told(UP_TO_VERIFIED), *stories.passed()), None),
    "run-problem": (_LOST, keys(until="PROBLEM")),
    "run-failed": (_LOST, keys("enter")),
    "run-choices": (_BLOCKED, None),
    "run-repair": (_BLOCKED, _repair),
    "run-question": (tuple(told(UP_TO_COPY)), keys("f8", until="Roll back this run?")),
    "run-leave": (tuple(told(UP_TO_COPY)), keys("q", until="Leave?")),
    "run-speed": (tuple(told(UP_TO_COPY)), keys("t", until="How fast?")),
    "run-help": (tuple(told(UP_TO_COPY)), keys("f1", until="Keys")),
    "run-log": (tuple(told(UP_TO_COPY)), keys("l")),
    "run-switch": (_SWITCHING, None),
    "run-switch-taken-back": ((*_SWITCHING, *stories.refused()), keys("enter")),
    "run-window": ((*_SWITCHING, *stories.window()), None),
    "run-commands": (tuple(told(UP_TO_COPY)), keys("ctrl+p", until="part of a command")),
}
DESK: dict[str, Press] = {
    "start-empty": keys(until="No run yet."),
    "tasks": keys(*["down"] * 5, "enter", until="an account and a project exist"),
    "tasks-timeline": keys(*["down"] * 5, "enter", "v", until="Phase 2"),
    "tasks-risks": keys(*["down"] * 5, "enter", "v", "v", until="mitigation"),
    "tasks-sign": keys(*["down"] * 5, "enter", "down", "down", "s", until="Sign off A3?"),
}


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Return a maker of runs in a folder of the test's own, whose path is as long on every machine."""
    home = Path("/tmp", f"zp{secrets.token_hex(3)}")  # noqa: S108 - made with a name of its own
    home.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    # A box may cover the clock in part, and what is left of it could not be told from a figure.
    monkeypatch.setattr(Situation, "elapsed", 38.0)
    runs = Runs(folders.runs_home())
    yield runs
    runs.close()
    shutil.rmtree(home)


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return the assertion for pictures."""
    return snapshot.use_extension(_Svg)


def _plain(svg: str) -> str:
    """Return a picture without what differs from run to run: names of its parts, hours, folders, processes."""
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"\d:\d\d:\d\d", "0:00:00", svg)
    svg = re.sub(r"\d\d:\d\d:\d\d", "00:00:00", svg)
    svg = re.sub(r"\d{4}-\d\d-\d\d&#160;\d\d:\d\d", "2026-11-22&#160;00:00", svg)
    svg = re.sub(r"\d+&#160;s&#160;ago", "0&#160;s&#160;ago", svg)
    return re.sub(r"/zp[0-9a-f]{6}", "/zp000000", svg)


async def _taken(pilot: Pilot[None], picture: SnapshotAssertion) -> None:
    stands_whole(pilot)
    assert _plain(pilot.app.export_screenshot()) == picture


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", RUNS)
async def test_a_run(make: Runs, picture: SnapshotAssertion, name: str, size: tuple[int, int]) -> None:
    """A run's screen looks as it was seen to be right."""
    what, press = RUNS[name]
    app = ZenniApp(follow=make(*what).folder)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(LOOK)
        if press:
            await press(pilot)
        await _taken(pilot, picture)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", DESK)
async def test_the_other_screens(make: Runs, picture: SnapshotAssertion, name: str, size: tuple[int, int]) -> None:
    """The first screen, and those that open from it."""
    app = ZenniApp(Desk(make.home))
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, "What to do")
        await DESK[name](pilot)
        await _taken(pilot, picture)
