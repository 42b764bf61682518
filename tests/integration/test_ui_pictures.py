"""Every screen as a picture, in its normal, empty and troubled states, at two sizes; nothing cut off, nothing overlaps.

`pytest tests/integration/test_ui_pictures.py --snapshot-update` takes the pictures anew; look at them as pictures.
"""

import importlib
import pkgutil
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.screen import Screen
from ui_pictures import PICTURES
from ui_pilot import Runs, look, stands_whole, text

from zenni_tui.engine import client, folders, journal
from zenni_tui.ui import screens
from zenni_tui.ui.screens import run, start
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.theme import DAY
from zenni_tui.ui.words import ASCII

SIZES = [(80, 24), (120, 40)]
NAMED = pytest.mark.parametrize("name", PICTURES)


_eta = Situation.eta.fget


class _Svg(SingleFileSnapshotExtension):
    """One SVG a picture."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Return a maker of runs in a folder of the test's own, whose path is as long on every machine."""
    home = Path("/tmp", f"zp{secrets.token_hex(3)}")  # noqa: S108 - made with a name of its own
    home.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    monkeypatch.delenv("NO_COLOR", raising=False)
    # A box may cover a clock in part, and what is left of it could not be told from a figure.
    monkeypatch.setattr(Situation, "elapsed", 38.0)
    monkeypatch.setattr(Situation, "eta", property(lambda now: 38.0 if _eta(now) is not None else None))
    monkeypatch.setattr(client, "whoami", lambda: "ann on pts/7")
    # Told at one moment and shown a second later: how long either took would stand on the screen else.
    told = time.time()
    monkeypatch.setattr(journal, "time", SimpleNamespace(time=lambda: told))
    for module in (run, start):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: told + 1.0))
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
    svg = re.sub(r"(?<!\d)0\.\d&#160;s", "0.0&#160;s", svg)
    svg = re.sub(r"\d+&#160;s&#160;ago", "0&#160;s&#160;ago", svg)
    return re.sub(r"/zp[0-9a-f]{6}", "/zp000000", svg)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@NAMED
async def test_a_screen(make: Runs, picture: SnapshotAssertion, name: str, size: tuple[int, int]) -> None:
    """It looks as it was seen to be right."""
    one = PICTURES[name]
    app = one.open(make)
    async with app.run_test(size=size) as pilot:
        await one.press(pilot)
        assert type(app.screen) is one.shows
        stands_whole(pilot)
        assert _plain(app.export_screenshot()) == picture


@NAMED
async def test_other_sizes_and_habits(make: Runs, name: str) -> None:
    """In ASCII on 200x60, resized to 60x20, and in light colours: nothing cut off, nothing overlaps, all is ASCII."""
    one = PICTURES[name]
    app = one.open(make)
    app.glyphs = ASCII
    app.set_class(True, "-ascii-only")  # noqa: FBT003 - Textual's signature
    async with app.run_test(size=(200, 60)) as pilot:
        await one.press(pilot)
        stands_whole(pilot)
        app.theme = DAY.name
        await pilot.resize_terminal(60, 20)
        await look(pilot)
        stands_whole(pilot)
        assert text(pilot).isascii()


def test_no_screen_is_left_out() -> None:
    """Each class of screen that draws something has a picture."""
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    ours = [kind for kind in _kinds(Screen) if kind.__module__.startswith(f"{screens.__name__}.")]
    drawn = {kind for kind in ours if "compose" in kind.__dict__}
    assert drawn - {p.shows for p in PICTURES.values()} == set()


def _kinds(kind: type[Screen[object]]) -> Iterator[type[Screen[object]]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)
