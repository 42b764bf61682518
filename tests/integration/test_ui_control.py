"""Two screens on one run: the first steers, the second looks on until it takes over."""

from pathlib import Path

from ui_pilot import Runs, hearing, look, text, wait_for, wait_until
from ui_stories import UP_TO_COPY, told

from zenni_tui.engine import client
from zenni_tui.engine.hand import CONTROL, Hand
from zenni_tui.ui.app import ZenniApp


async def test_the_second_screen_looks_on_until_it_takes_over(tmp_path: Path) -> None:
    """Its keys that steer say who has control; after `o` they work, and the first one looks on."""
    runs = Runs(tmp_path)
    story = runs(*told(UP_TO_COPY))
    first, second = ZenniApp(follow=story.folder), ZenniApp(follow=story.folder)
    async with hearing(story) as heard, first.run_test(size=(80, 24)) as one, second.run_test(size=(80, 24)) as two:
        await wait_for(one, "you steer")
        await wait_for(two, "You look on")
        await two.press("p", "s", "f8")
        await wait_for(two, "has control. Press o to take it over.")
        assert heard == []
        await two.press("o")
        await wait_for(two, "You have control now")
        await wait_for(one, "You look on")
        await one.press("p")
        await two.press("p")
        await wait_for(two, "you steer")
        await wait_until(two, lambda: heard)
        await look(two)
        assert [c.name for c in heard] == ["pause"]
    runs.close()


async def test_control_is_free_again_when_its_screen_is_gone(tmp_path: Path) -> None:
    """A screen that comes after another has ended steers at once, and leaves no file of the dead behind."""
    runs = Runs(tmp_path)
    story = runs(*told(UP_TO_COPY))
    for _ in range(2):
        app = ZenniApp(follow=story.folder)
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_for(pilot, "you steer")
            assert "look on" not in text(pilot)
    assert list(story.folder.glob("screen-*.lock")) == []
    runs.close()


def test_a_hand_that_died_holds_nothing(tmp_path: Path) -> None:
    """What a killed screen left behind neither holds control nor stays."""
    dead, living = Hand(tmp_path, "dead"), Hand(tmp_path, client.whoami())
    dead.take()
    assert living.other() == "dead"
    dead._lock.release()
    assert living.other() == ""
    living.take()
    assert [p.name for p in tmp_path.glob("screen-*.lock")] == [living._lock.path.name]
    assert (tmp_path / CONTROL).stat().st_mode & 0o777 == 0o600
    living.release()
