"""The README's pictures are the screens themselves; `ZENNI_PICTURES=write pytest` on this file takes them anew."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import ui_stories as stories
from ui_pilot import Runs, look, text
from ui_stories import UP_TO_COPY, UP_TO_VERIFIED, told

from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind
from zenni_tui.ui.app import ZenniApp

README = Path(__file__).parents[2] / "README.md"
PICTURES: dict[str, tuple[e.AnyEvent, ...]] = {
    "copy": tuple(told(UP_TO_COPY)),
    "window": (
        stories.began(live=True, kind=RunKind.MIGRATE),
        *told(UP_TO_VERIFIED),
        *stories.switching(),
        *stories.window(),
    ),
}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Runs]:
    """Return a maker of runs."""
    runs = Runs(tmp_path)
    yield runs
    runs.close()


def _plain(picture: str) -> str:
    """Return a picture without the hours in it, and without the ends of lines that nobody sees."""
    picture = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-11-25 12:00", picture)
    return "\n".join(re.sub(r"\d:\d\d:\d\d", "0:00:38", line).rstrip() for line in picture.splitlines())


@pytest.mark.parametrize("name", PICTURES)
async def test_the_readme_shows_the_screen_as_it_is(make: Runs, name: str) -> None:
    """Each picture in the README is the screen of 80x24 in that state."""
    app = ZenniApp(follow=make(*PICTURES[name]).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot)
        seen = _plain(text(pilot))
    place = re.compile(rf"(<!-- picture: {name} -->\n```text\n)(.*?)(\n```)", re.DOTALL)
    written = README.read_text()
    if os.environ.get("ZENNI_PICTURES") == "write":
        written = place.sub(lambda found: found[1] + seen + found[3], written)
        README.write_text(written)
    shown = place.search(written)
    assert shown is not None
    assert shown[2] == seen
