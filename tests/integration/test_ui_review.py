"""Choosing repairs and looking through the plan, by keys, with a real control socket and a real run directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ui_stories as stories
from rich.cells import cell_len
from ui_pilot import Desk, Effort, Runs, choosing, front, hearing, look, text, wait_for, wait_without
from ui_plans import a_plan, keep
from ui_stories import UP_TO_COPY, UP_TO_PLAN, told

from zenni_tui.model import events as e
from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.model.runbook import StepId, Verdict
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.modals import ProblemScreen
from zenni_tui.ui.screens.planview import DdlScreen, TableScreen
from zenni_tui.ui.screens.repair import RepairScreen
from zenni_tui.ui.screens.run import RunScreen

SIZES = [(80, 24), (120, 40)]
WAITING = [*told((stories.reached, stories.blocked)), stories.asked_for_choices()]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Runs]:
    """Return a maker of runs."""
    runs = Runs(tmp_path)
    yield runs
    runs.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_a_plan_that_waits_for_choices_is_no_problem(make: Runs, size: tuple[int, int]) -> None:
    """The waiting box says what to do, the findings stand below it, and no problem panel comes up."""
    story = make(*WAITING[:-1])
    app = ZenniApp(follow=story.folder)
    async with choosing(story), app.run_test(size=size) as pilot:
        await look(pilot)
        story.tell(WAITING[-1])
        await wait_for(pilot, "3 findings still block: choose a repair for each")
        assert not isinstance(app.screen, ProblemScreen)
        screen = text(pilot)
        for word in ("YOUR WORD before plan", "3 still block", "plan     waits", "WAITING FOR YOU", "Enter, c choose"):
            assert word in screen
        for word in ("ERROR   Booking.notes", "Payment.amount", "text_nul", "choose", "no repair", "g try again"):
            assert word in screen
        assert "FAILED" not in screen
        assert all(cell_len(line) <= size[0] for line in screen.splitlines())


async def test_a_plan_that_ends_the_run_is_a_problem(make: Runs) -> None:
    """When the run ends for its findings instead, the problem is told once."""
    story = make(*WAITING[:-1], e.RunEnded(Verdict.NOT_READY, 3, 6.0, 50.0, stories.BLOCKED))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "3 findings stand in the way")
        assert isinstance(app.screen, ProblemScreen)
        await pilot.press("enter")
        await front(pilot, RunScreen)


async def test_choosing_all_leads_to_go(make: Runs) -> None:
    """Enter opens, Enter takes; the cursor goes on to what is left; when all is chosen Enter tries again."""
    story = make(*WAITING[:-1], e.Chosen("duplicate_under_target/User/email", "mended", "a test"), WAITING[-1])
    app = ZenniApp(follow=story.folder)
    async with choosing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "2 findings still block")
        await pilot.press("enter")
        await wait_for(pilot, "no choice: leave it as it is")
        screen = text(pilot)
        for word in ("CHANGES DATA remove the NUL characters", "keys 1021, 1022", "choose strip_nul."):
            assert word in screen
        assert "▸ -            no choice" in screen
        await pilot.press("down")
        await wait_for(pilot, '"text_nul/Booking/notes" = "strip_nul"')
        await pilot.press("enter")
        await wait_for(pilot, "1 finding still blocks")
        await wait_for(pilot, "▸ ERROR   Payment.amount")
        await pilot.press("c")
        await wait_for(pilot, "▸ LOSSLESS     let the column become bigint")
        await pilot.press("enter")
        await wait_for(pilot, "Going on audits and plans again")
        screen = text(pilot)
        for word in ("strip_nul", "type:bigint", "none blocks", "Enter, g try again"):
            assert word in screen
        assert [(c.name, c.finding, c.repair) for c in heard] == [
            ("choose", "text_nul/Booking/notes", "strip_nul"),
            ("choose", "integer_out_of_range/Payment/amount", "type:bigint"),
        ]
        await pilot.press("right", "g")
        await wait_for(pilot, "go: heard")
        assert heard[-1].name == "go"
        assert isinstance(app.screen, RunScreen)
        assert app.screen.chosen is None


async def test_what_was_chosen_is_kept_by_a_key_when_the_run_is_over(make: Runs, tmp_path: Path) -> None:
    """The end of a run names the key and says what it is for; a run without a choice has nothing to keep."""
    chosen = e.Chosen("text_nul/Booking/notes", "strip_nul", "a test")
    over = e.RunEnded(Verdict.STOPPED, 4, 6.0, 50.0)
    desk = Desk(tmp_path / "desk")
    app = ZenniApp(desk, make(*WAITING[:-1], chosen, over, alive=False).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "i keep choices")
        await pilot.press("i")
        await wait_for(pilot, "kept for the next run")
    assert desk.asked == ["keep strip_nul"]
    app = ZenniApp(desk, make(*WAITING[:-1], over, alive=False).folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "F1 help  b start")
        assert "keep choices" not in text(pilot)
        await pilot.press("i")
        await wait_for(pilot, "Nothing is chosen in this run")
    assert len(desk.asked) == 1


async def test_a_repair_with_a_text_asks_for_it(make: Runs) -> None:
    """A repair that ends in a colon asks; letters go into the text; Esc goes back; an empty text takes two Enters."""
    story = make(*WAITING)
    app = ZenniApp(follow=story.folder)
    async with choosing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "still block")
        await pilot.press("enter", "end", "enter")
        await wait_for(pilot, "the value for all of them")
        await pilot.press("escape")
        await wait_for(pilot, "Enter write a text")
        await pilot.press("enter", "enter")
        await wait_for(pilot, "Enter once more")
        assert heard == []
        await pilot.press(*"quit", "enter")
        await wait_for(pilot, "2 findings still block")
        assert [c.repair for c in heard] == ["to_value:quit"]
        await pilot.press("up", "enter")
        await wait_for(pilot, '"text_nul/Booking/notes" = "to_value:quit"')


async def test_another_text_than_the_proposed_one(make: Runs) -> None:
    """`t` changes a proposed argument; what can't be a type is refused before the engine hears of it."""
    story = make(*WAITING)
    app = ZenniApp(follow=story.folder)
    async with choosing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "still block")
        await pilot.press("down", "enter", "t", *"x", "enter")
        await wait_for(pilot, "'x' is not a type")
        assert heard == []
        await pilot.press("ctrl+u", *"numeric", "enter")
        await wait_for(pilot, "2 findings still block")
        assert [c.repair for c in heard] == ["type:numeric"]


async def test_a_refusal_is_shown_and_nothing_is_lost(make: Runs) -> None:
    """The engine's refusal stands in the box, which stays open with the text as written."""
    story = make(*WAITING)
    app = ZenniApp(follow=story.folder)
    async with choosing(story), app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "still block")
        await pilot.press("enter", "end", "enter", *"refuse me", "enter")
        await wait_for(pilot, "Refused: the engine would rather not")
        assert isinstance(app.screen, RepairScreen)
        assert "refuse me" in text(pilot)
        await pilot.press("escape", "escape")
        await wait_for(pilot, "3 findings still block")


async def test_x_takes_a_choice_back(make: Runs) -> None:
    """`x` sends an empty choice; where nothing is chosen it says so."""
    story = make(*WAITING, e.Chosen("text_nul/Booking/notes", "strip_nul", "a test"))
    app = ZenniApp(follow=story.folder)
    async with choosing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "2 findings still block")
        await pilot.press("x")
        await wait_for(pilot, "Nothing is chosen")
        await pilot.press("home", "x")
        await wait_for(pilot, "3 findings still block")
        assert [(c.finding, c.repair) for c in heard] == [("text_nul/Booking/notes", "")]


async def test_choices_wait_for_the_engine(make: Runs) -> None:
    """While the engine works a finding can be read, the box says when choices are taken, and nothing is sent."""
    story = make(*told((*UP_TO_COPY, stories.blockers)))
    app = ZenniApp(follow=story.folder)
    async with choosing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "whole run")
        await pilot.press("c")
        await wait_for(pilot, "text_nul")
        await pilot.press("home", "enter")
        await wait_for(pilot, "Choices are taken while the engine waits for you")
        await pilot.press("end", "enter", "escape", "x")
        await wait_for(pilot, "Choices are taken while")
        assert heard == []


async def test_findings_without_a_repair_say_so(make: Runs) -> None:
    """Where nothing is on offer the box says that the source is to be corrected."""
    story = make(*WAITING)
    app = ZenniApp(follow=story.folder)
    async with choosing(story), app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "still block")
        await pilot.press("end", "enter")
        await wait_for(pilot, "No repair is on offer: do what the arrow says.")


async def test_what_no_choice_can_mend_is_said(make: Runs) -> None:
    """The box tells of findings without a repair; when only such are left it says that each tells what to do."""
    story = make(*WAITING)
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "choose a repair for each (1 has none)")
        for finding in ("text_nul/Booking/notes", "integer_out_of_range/Payment/amount"):
            story.tell(e.Chosen(finding, "exclude", "another operator"))
        await wait_for(pilot, "1 finding still blocks, and no repair is on offer: stop, do what each")


async def test_audit_and_plan_come_again(make: Runs) -> None:
    """While the audit runs anew the plan is still to come, not failed; then the gate before the first write asks."""
    story = make(*WAITING)
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "plan     waits")
        story.tell(e.StepStarted(StepId.AUDIT))
        await wait_for(pilot, "audit    running")
        assert "plan     to do" in text(pilot)
        assert "FAILED" not in text(pilot)
        story.tell(*stories.planned(), stories.gate())
        await wait_for(pilot, "YOUR WORD before prepare")
        await wait_for(pilot, "Enter, g go on")


async def test_changed_choices_are_said_at_the_gate(make: Runs) -> None:
    """A choice made before the first write changes the box: going on audits again instead of writing."""
    story = make(*told(UP_TO_PLAN), *stories.blockers(), stories.gate())
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "2,514,155 rows?")
        for finding in ("text_nul/Booking/notes", "integer_out_of_range/Payment/amount"):
            story.tell(e.Chosen(finding, "exclude", "another operator"))
        await wait_for(pilot, "nothing is written before you are asked")
        assert "audit again" in text(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_the_plan_and_its_columns(make: Runs, size: tuple[int, int]) -> None:
    """Enter on a table opens its columns with types and rules; `t` tells the config's line; `d` the table's SQL."""
    story = make(*told(UP_TO_PLAN))
    story.tell(keep(story, a_plan()), stories.gate())
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, "YOUR WORD")
        screen = text(pilot)
        for word in ("Booking", "610,000", "payments", "none", "not migrated", "1 index", "1 check, 1 repair"):
            assert word in screen
        await pilot.press("down", "home", "enter")
        await wait_for(pilot, "610,000 rows, 4 columns, key id")
        screen = text(pilot)
        for word in (
            "2 rows kept out",
            "VARCHAR",
            "starts_at",
            "timestamptz(3)",
            "numeric(10,2)",
            "NOT NULL",
            "1 repair",
        ):
            assert word in screen
        await pilot.press("down")
        await wait_for(pilot, "notes, declared VARCHAR(200), default ''")
        await wait_for(pilot, "text_nul: strip_nul")
        await pilot.press("t")
        await wait_for(pilot, '"Booking.notes" = "jsonb"')
        assert "[schema.casts]" in text(pilot)
        await pilot.press("escape")
        await front(pilot, TableScreen)
        await pilot.press("d")
        await wait_for(pilot, 'CREATE TABLE "public"."Booking"')
        assert isinstance(app.screen, DdlScreen)
        await pilot.press("end")
        await wait_for(pilot, "Booking_notes_idx")
        assert all(cell_len(line) <= size[0] for line in text(pilot).splitlines())
        await pilot.press("escape")
        await front(pilot, TableScreen)
        await pilot.press("escape", "slash", *"amount", "enter")
        await wait_for(pilot, "payments")
        await wait_without(pilot, "12,400")


async def test_a_type_is_chosen_by_key_and_by_name(make: Runs) -> None:
    """In the columns t offers the types that hold all values; one of them, or any other by name, goes to the engine."""
    story = make(*told(UP_TO_PLAN))
    story.tell(keep(story, a_plan()), stories.gate())
    app = ZenniApp(follow=story.folder)
    async with hearing(story) as heard, app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "YOUR WORD")
        await pilot.press("down", "home", "enter")
        await wait_for(pilot, "610,000 rows, 4 columns, key id")
        await pilot.press("down", "t")
        await wait_for(pilot, "let the column become jsonb")
        await pilot.press("enter")
        await wait_for(pilot, "notes, declared VARCHAR(200)")
        await pilot.press("t")
        await wait_for(pilot, "let the column become json")
        await pilot.press("t", "ctrl+u", *"varchar(200)", "enter")
        await wait_for(pilot, "notes, declared VARCHAR(200)")
    chosen = [(c.finding, c.repair) for c in heard if c.name == "choose"]
    assert chosen == [("cast_chosen/Booking/notes", "type:jsonb"), ("cast_chosen/Booking/notes", "type:varchar(200)")]


async def test_a_new_plan_is_shown_at_once(make: Runs) -> None:
    """After a re-plan the open columns and the open SQL are those of the new plan."""
    story = make(*told(UP_TO_PLAN))
    story.tell(keep(story, a_plan()))
    app = ZenniApp(follow=story.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "payments")
        await pilot.press("down", "enter", "down")
        await wait_for(pilot, "amount integer, may be NULL")
        story.tell(keep(story, a_plan(Kind.BIGINT)))
        await wait_for(pilot, "amount bigint, may be NULL")
        await pilot.press("d")
        await wait_for(pilot, '"amount" BIGINT')
        story.tell(keep(story, a_plan(Kind.NUMERIC)))
        await wait_for(pilot, '"amount" NUMERIC')


async def test_review_in_ascii(make: Runs) -> None:
    """In plain mode the boxes of findings, columns and SQL are ASCII too."""
    story = make(*WAITING)
    story.tell(keep(story, a_plan()))
    app = ZenniApp(follow=story.folder, ascii_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        for keys, kind in (
            (("c",), RepairScreen),
            (("end", "enter"), RepairScreen),
            (("escape", "escape", "right"), RunScreen),
            (("enter",), TableScreen),
            (("d",), DdlScreen),
            (("escape", "t"), RepairScreen),
        ):
            await pilot.press(*keys)
            await front(pilot, kind)
            await look(pilot)
            assert text(pilot).isascii(), text(pilot)


async def test_two_thousand_findings_and_tables(make: Runs) -> None:
    """With 2,000 findings and tables a look costs some calls for each, and keys far fewer than one for each pair."""
    columns = tuple(ColumnPlan(f"c{n}", f"c{n}", TargetType(Kind.TEXT)) for n in range(20))
    plan = Plan("public", tuple(TablePlan(f"t{n:04}", f"t{n:04}", columns) for n in range(2_000)))
    story = make(*told((stories.reached,)), e.StepStarted(StepId.AUDIT))
    made = [
        Finding("text_nul", Severity.ERROR, "NUL", "", f"t{n:04}", "c1", 1, (), stories.REPAIRS) for n in range(2_000)
    ]
    story.tell(*(e.FindingMade(StepId.AUDIT, f) for f in made), keep(story, plan), stories.asked_for_choices())
    app = ZenniApp(follow=story.folder)
    async with choosing(story), app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "2000 findings still block")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        with Effort() as look:
            screen.poll()
        assert look.calls < 20 * 2_000
        await pilot.press("slash", *"t1777", "enter", "enter", "down", "enter")
        await wait_for(pilot, "1999 findings still block")
        with Effort() as keys:
            await pilot.press("right", "end")
            await wait_for(pilot, "t1999")
            await pilot.press("d")
            await wait_for(pilot, 'CREATE TABLE "public"."t1999"')
        assert keys.calls < 2_000 * 2_000
