"""What stands on the screen, read from its cells, at several sizes and in all states of a run."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import ui_stories as stories
from rich.cells import cell_len
from textual._compositor import ChopsUpdate, LayoutUpdate  # there is no public name for what is sent to a terminal
from textual.pilot import Pilot
from ui_pilot import Effort, Runs, front, look, text, wait_for, wait_without
from ui_stories import UP_TO_COPY, UP_TO_INDEX, UP_TO_PLAN, UP_TO_VERIFIED, UP_TO_VERIFY, Story, told

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId, StepState, TableVerdict, Verdict
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.modals import HelpScreen, ProblemScreen, Question
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.widgets.rail import WORDS

SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Runs]:
    """Return a maker of runs."""
    runs = Runs(tmp_path)
    yield runs
    runs.close()


@asynccontextmanager
async def watching(
    story: Story, size: tuple[int, int] = (80, 24), *, ascii_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    """Open a run on a screen of a size."""
    app = ZenniApp(follow=story.folder, ascii_only=ascii_only)
    async with app.run_test(size=size) as pilot:
        await look(pilot)
        yield pilot


STATES: dict[str, tuple[tuple[e.AnyEvent, ...], list[str]]] = {
    "reach": (tuple(stories.reached())[:6], ["source file", "412.6 MB", "note", "clock", "Harmless for the copy"]),
    "snapshot": (tuple(stories.reached())[:-1], ["integrity", "One consistent copy"]),
    "inspect": (tuple(told(UP_TO_PLAN[:1])) + tuple(stories.audited())[:2], ["84 columns"]),
    "audit": (
        tuple(told(UP_TO_PLAN[:2])),
        ["1 error", "1 warning", "ERROR", "Service.order", "missing_column", "Add the column"],
    ),
    "plan": (tuple(told(UP_TO_PLAN)), ["parents before children", "BookingItem", "371,250", "not migrated"]),
    "prepare": (tuple(told(UP_TO_PLAN)) + tuple(stories.copying())[:2], ["fingerprint", "the target as it is"]),
    "copy": (
        tuple(told(UP_TO_COPY)),
        [
            "whole run",
            "22 %",
            "562,438 of 2,514,155 rows",
            "OpeningHours",
            "52k",
            "81 MB",
            "copying",
            "ETA",
        ],
    ),
    "index": (tuple(told(UP_TO_INDEX)), ["14 of 40 objects", "Booking_reference_key"]),
    "verify": (tuple(told(UP_TO_VERIFY)), ["12,400", "identical", "comparing", "differ", "ETA"]),
    "report": (
        (*told(UP_TO_VERIFIED), *stories.passed()),
        ["PASSED", "9 identical, 1 not migrated", "2,514,155 copied", "evidence", "proven by fingerprint"],
    ),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", STATES)
async def test_every_step_shows_its_words(make: Runs, name: str, size: tuple[int, int]) -> None:
    """Each step's panel, the header, the rail and the bottom lines stand whole on the screen."""
    what, words = STATES[name]
    story = make(*what)
    async with watching(story, size) as pilot:
        screen = text(pilot)
        lines = screen.splitlines()
        state = story.journal.state
        assert [w for w in words if w not in screen] == []
        assert " REHEARSAL " in lines[0]
        assert stories.RUN_ID in lines[0]
        assert "bookings.db → embedded PostgreSQL" in lines[1]
        assert lines[2].startswith(" SAFE ")
        for step in state.steps:
            assert any(line[3:].startswith(f"{step.id:<8} {WORDS[step.state][0]}") for line in lines)
        assert "[F8 Roll back]" in lines[-2]
        assert all(f" {key}" in lines[-1] for key in ("F1 help", "q leave", "l log"))
        assert all(cell_len(line) <= size[0] for line in lines)
        assert len(lines) <= size[1]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_gate_is_prominent(make: Runs, size: tuple[int, int]) -> None:
    """When the engine waits, question, keys and plan are there at any size, and LIVE as a word."""
    story = make(*told(UP_TO_PLAN), stories.gate(), live=True)
    async with watching(story, size) as pilot:
        screen = text(pilot)
        for word in (
            " LIVE ",
            "WAITING FOR YOU",
            "YOUR WORD before prepare",
            "Enter, g go on",
            "waits",
            "2,514,155 rows?",
        ):
            assert word in screen
        assert "Booking" in screen


@pytest.mark.parametrize("name", STATES)
async def test_small_screens_lose_no_essential(make: Runs, name: str) -> None:
    """At 60x20 steps and their words, safety, way back and the leave key are still there."""
    story = make(*STATES[name][0])
    async with watching(story, (60, 20)) as pilot:
        screen = text(pilot)
        lines = screen.splitlines()
        for step in story.journal.state.steps:
            assert f"{step.id:<8} {WORDS[step.state][0]}" in screen
        assert "SAFE" in lines[2]
        assert "[F8 Roll back]" in lines[-2]
        assert "q leave" in lines[-1]


async def test_bigger_screens_get_more(make: Runs) -> None:
    """A wide screen shows the seconds of each step and figures whole."""
    async with watching(make(*told(UP_TO_COPY)), (140, 40)) as pilot:
        screen = text(pilot)
        assert "425,000/610,000" in screen
        assert "3.1 s" in screen
        assert "_prisma_migrations" in screen


async def test_ascii_only(make: Runs) -> None:
    """In plain mode every cell is ASCII, in the run, its questions and its problems."""
    for what in (told(UP_TO_COPY), [*told(UP_TO_COPY), *stories.lost()], [*told(UP_TO_PLAN), stories.gate()]):
        async with watching(make(*what), ascii_only=True) as pilot:
            assert text(pilot).isascii()
            for key, kind in (("enter", RunScreen), ("r", Question), ("escape", RunScreen), ("f1", HelpScreen)):
                await pilot.press(key)
                await front(pilot, kind)
                assert text(pilot).isascii()


async def test_without_colour_words_say_it_all(make: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set no cell has a hue, and state is told by words."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with watching(make(*told(UP_TO_COPY), *stories.lost())) as pilot:
        await wait_for(pilot, "PROBLEM")
        await pilot.press("enter")
        await front(pilot, RunScreen)
        screen = text(pilot)
        assert "FAILED" in screen
        strips = pilot.app.screen._compositor.render_strips()
        shades = {c.triplet for strip in strips for segment in strip for c in _colours(segment.style) if c.triplet}
        assert shades
        assert all(max(shade) - min(shade) <= 2 for shade in shades)


def _colours(style: object) -> list:
    return [c for c in (getattr(style, "color", None), getattr(style, "bgcolor", None)) if c is not None]


async def test_an_interrupted_engine_is_said(make: Runs) -> None:
    """When the engine dies, header, rail and a panel that stays say so, with the way on."""
    story = make(*told(UP_TO_COPY))
    async with watching(story) as pilot:
        assert "RUNNING" in text(pilot)
        story.die()
        await wait_for(pilot, "PROBLEM")
        screen = text(pilot)
        for word in ("INTERRUPTED", "engine gone", "PROBLEM", "Press u to resume", "engine.log"):
            assert word in screen
        await pilot.press("enter")
        await wait_for(pilot, "cut off")
        assert "u resume" in text(pilot)
        assert not isinstance(pilot.app.screen, ProblemScreen)


async def test_a_problem_stays_until_acknowledged(make: Runs) -> None:
    """A failure's what, where, why and next step stay through further looks and keys; `e` brings them back."""
    story = make(*told(UP_TO_COPY))
    async with watching(story) as pilot:
        story.tell(*stories.lost())
        await wait_for(pilot, "PROBLEM")
        for key in ("escape", "x", "down", "q"):
            await pilot.press(key)
        await look(pilot)
        screen = text(pilot)
        for word in ("connection to the target broke", "chunk 31", "57P01", "Check the server", "engine.log"):
            assert word in screen
        await pilot.press("a")
        await wait_without(pilot, "chunk 31")
        await look(pilot)
        assert "chunk 31" not in text(pilot)
        await pilot.press("e")
        await wait_for(pilot, "chunk 31")


async def test_a_problem_is_copied_and_kept(make: Runs) -> None:
    """`c` writes the problem to a private file whose path is shown."""
    story = make(*told(UP_TO_COPY), *stories.lost())
    async with watching(story) as pilot:
        await pilot.press("c")
        await wait_for(pilot, "written to")
        (kept,) = story.folder.glob("problem-*.txt")
        assert "57P01" in kept.read_text()
        assert kept.stat().st_mode & 0o777 == 0o600


async def test_bars_never_run_backwards(make: Runs) -> None:
    """A resumed copy that counts from a lower figure again doesn't move its bars back."""
    story = make(*told(UP_TO_COPY))

    def fulls(screen: str) -> tuple[int, ...]:
        names = ("whole run", "this step", "Booking ")
        return tuple(next(line for line in screen.splitlines() if name in line).count("━") for name in names)

    async with watching(story, (120, 40)) as pilot:
        before = fulls(text(pilot))
        story.tell(stories.began(), e.StepStarted(StepId.COPY))
        story.tell(
            e.TableProgress(StepId.COPY, "Booking", 25_000, 610_000), e.Progress(StepId.COPY, 9, 2_514_155, "rows")
        )
        await look(pilot)
        assert fulls(text(pilot)) == before
        story.tell(*stories.copied())
        await look(pilot)
        await pilot.press("left", "right")
        assert all(now > then for now, then in zip(fulls(text(pilot)), before, strict=True))
        assert "100 %" not in text(pilot)


async def test_the_last_cell_of_a_bar_is_filled_by_verification(make: Runs) -> None:
    """A copied table's bar has an empty cell left; an identical one's has none; then the whole is 100 %."""
    story = make(*told((*UP_TO_COPY, stories.copied)))
    async with watching(story, (120, 40)) as pilot:
        (row,) = (line for line in text(pilot).splitlines() if "AuditLog" in line and "copied" in line)
        assert "━─" in row
        story.tell(*stories.indexing(), *stories.verifying(), *stories.verified())
        await look(pilot)
        screen = text(pilot)
        assert "100 %" in screen
        assert "━─" not in next(line for line in screen.splitlines() if "AuditLog" in line)


async def test_a_difference_stands_out(make: Runs) -> None:
    """A differing table says so in capitals, with how many rows and why."""
    differs = e.TableCompared("Booking", 610_000, 609_998, 3, TableVerdict.DIFFERS, "2 rows missing, 1 value differs")
    story = make(*told(UP_TO_VERIFY), differs)
    async with watching(story) as pilot:
        await pilot.press("home", "down", "down")
        await look(pilot)
        screen = text(pilot)
        assert "DIFFERS" in screen
        assert "609,998" in screen
        assert "2 rows missing, 1 value differs" in screen


async def test_two_thousand_tables(make: Runs) -> None:
    """With 2,000 tables a look and a key cost some calls for each, and the filter finds one."""
    names = [e.TableNames(f"t{n:04}", f"t{n:04}", 1_000) for n in range(2_000)]
    story = make(e.PlanMade("0" * 64, tuple(names)), e.StepStarted(StepId.COPY))
    story.tell(*(e.TableProgress(StepId.COPY, t.target, 1_000, 1_000, 10, 0.1) for t in names[:1_200]))
    story.tell(e.Progress(StepId.COPY, 1_200_000, 2_000_000, "rows"))
    async with watching(story) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        assert "t1200" in text(pilot)
        with Effort() as look:
            screen.poll()
        assert look.calls < 20 * 2_000
        with Effort() as key:
            await pilot.press("end")
        await wait_for(pilot, "t1999")
        assert key.calls < 100 * 2_000
        await pilot.press("slash", *"1777", "enter")
        await wait_for(pilot, "t1777")
        await wait_without(pilot, "t1999")


async def test_table_names_cannot_paint(make: Runs) -> None:
    """Markup and escape sequences in names, findings and messages are shown as text or blanked."""
    nasty = e.TableNames("[red]x[/]\x1b[2J", "[red]x[/]\x1b[2J", 5)
    said = e.Said("info", "[bold]hello\x1b]0;title\x07")
    story = make(e.PlanMade("0" * 64, (nasty,)), e.StepStarted(StepId.COPY), said)
    async with watching(story) as pilot:
        assert "[red]x[/]" in text(pilot)
        await pilot.press("l")
        await wait_for(pilot, "[bold]hello")
        assert "\x1b" not in text(pilot)


async def test_the_log_takes_the_panels_place_only_where_both_have_no_room(make: Runs) -> None:
    """In 24 lines the log stands alone, in 40 below the panels, also when the terminal grows and shrinks meanwhile."""
    async with watching(make(*told(UP_TO_COPY))) as pilot:
        await pilot.press("l")
        await wait_for(pilot, "chunks of 25,000 rows")
        assert "whole run" not in text(pilot)
        await pilot.resize_terminal(120, 40)
        await wait_for(pilot, "whole run")
        assert "chunks of 25,000 rows" in text(pilot)
        await pilot.resize_terminal(80, 24)
        await wait_without(pilot, "whole run")
        await pilot.press("l")
        await wait_for(pilot, "whole run")
        assert "chunks of 25,000 rows" not in text(pilot)


async def test_a_run_that_was_never_ready(make: Runs) -> None:
    """A failed check is shown with its advice, and the verdict in the header."""
    check = e.CheckMade(StepId.REACH, "server", ok=False, found="no answer on port 5432", advice="Start the server.")
    problem = e.Problem("The target can't be reached.", "db:5432", "connection refused", "Start the server.", 3)
    failed = e.StepFailed(StepId.REACH, 1.0, problem)
    story = make(e.StepStarted(StepId.REACH), check, failed, e.RunEnded(Verdict.NOT_READY, 3, 1.0, 50.0, problem))
    async with watching(story) as pilot:
        await wait_for(pilot, "PROBLEM")
        await pilot.press("enter")
        await front(pilot, RunScreen)
        screen = text(pilot)
        for word in ("NOT READY", "FAILED", "no answer on port 5432", "→ Start the server.", "nothing written"):
            assert word in screen


async def test_long_texts_lose_no_letter(make: Runs) -> None:
    """Where a text is longer than its place and can be scrolled, its wrapped lines still hold every letter."""
    story = make(*told(UP_TO_VERIFIED), *stories.passed())
    async with watching(story) as pilot:
        panel = "".join(line[21:78].strip() for line in text(pilot).splitlines())
        assert f"evidence   {story.folder}" in panel
        assert "…" in next(line for line in text(pilot).splitlines() if "sha256" in line)


async def test_a_broken_journal_is_a_problem_not_a_crash(make: Runs) -> None:
    """A line that isn't an event is told with the file's path."""
    story = make()
    async with watching(story) as pilot:
        with (story.folder / "events.jsonl").open("ab") as stream:
            stream.write(b'{"nonsense": 1}\n')
        await wait_for(pilot, "journal can't be read")


def test_every_state_has_a_word() -> None:
    """No state is told by colour alone."""
    assert set(WORDS) == set(StepState)


async def test_a_run_below_a_question_sends_only_what_changed(make: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a question stands the run goes on below it, and its news are drawn in their places, not all the screen."""
    drawn: list[object] = []
    display = ZenniApp._display
    monkeypatch.setattr(ZenniApp, "_display", lambda app, *what: (drawn.append(what[1]), display(app, *what)))
    story = make(*told(UP_TO_COPY))
    async with watching(story) as pilot:
        await pilot.press("s")
        await wait_for(pilot, "Stop this run?")
        await look(pilot)
        drawn.clear()
        story.tell(e.Said("info", "hello"), e.Progress(StepId.COPY, 700_001, 2_514_155, "rows", eta=3_590.0))
        await wait_for(pilot, "ETA 0:59:")
        assert "Stop this run?" in text(pilot)
        await look(pilot)
    assert any(isinstance(update, ChopsUpdate) for update in drawn)
    assert not any(isinstance(update, LayoutUpdate) for update in drawn)
