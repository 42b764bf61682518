"""Every screen in its normal, empty and troubled states: how each is come to, and which class of screen it is."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import ui_stories as stories
from textual.pilot import Pilot
from textual.screen import Screen
from ui_pilot import Desk, Runs, look, wait_for, wait_until
from ui_plans import a_plan, keep
from ui_rooms import ADVISED, SCORE, UNREACHABLE, Class, FirstSteps, Lookout, Trial
from ui_stories import UP_TO_COPY, UP_TO_INDEX, UP_TO_PLAN, UP_TO_VERIFIED, UP_TO_VERIFY, told

from zenni_tui.engine.hand import Hand
from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind, StepId, Verdict
from zenni_tui.ui.app import ZenniApp
from zenni_tui.ui.screens.commands import CommandsScreen
from zenni_tui.ui.screens.drill import DrillScreen, ScoreScreen
from zenni_tui.ui.screens.drills import DrillsScreen
from zenni_tui.ui.screens.exercise import ExerciseScreen
from zenni_tui.ui.screens.form import Form
from zenni_tui.ui.screens.lessons import LessonScreen, LessonsScreen
from zenni_tui.ui.screens.modals import HelpScreen, ProblemScreen, Question
from zenni_tui.ui.screens.planview import DdlScreen, TableScreen
from zenni_tui.ui.screens.repair import RepairScreen
from zenni_tui.ui.screens.run import RunScreen
from zenni_tui.ui.screens.setup import SetupScreen
from zenni_tui.ui.screens.start import StartScreen
from zenni_tui.ui.screens.tasks import TasksScreen
from zenni_tui.ui.screens.tools import PaperScreen, ToolsScreen
from zenni_tui.ui.screens.vital import VitalScreen
from zenni_tui.ui.screens.watch import WatchScreen

Press = Callable[[Pilot[None]], Awaitable[None]]
Open = Callable[[Runs], ZenniApp]


class Picture(NamedTuple):
    """The class of the screen in front, what opens the program, and what is pressed then."""

    shows: type[Screen[object]]
    open: Open
    press: Press


def keys(*pressed: str, until: str = "", first: str = "") -> Press:
    """Return what waits for a word, presses some keys, and waits for another word."""

    async def press(pilot: Pilot[None]) -> None:
        if first:
            await wait_for(pilot, first)
        await look(pilot)
        await pilot.press(*pressed)
        await look(pilot)
        if until:
            await wait_for(pilot, until)

    return press


def then(*presses: Press) -> Press:
    """Return what does some of them, one after the other: what works in a thread must be seen before the next key."""

    async def press(pilot: Pilot[None]) -> None:
        for one in presses:
            await one(pilot)

    return press


async def _repair(pilot: Pilot[None]) -> None:
    """Open the repairs of the first finding: the first press may only bring the findings to the front."""
    await look(pilot)
    while not isinstance(pilot.app.screen, RepairScreen):
        await pilot.press("c")
        await look(pilot)


async def _known(pilot: Pilot[None]) -> None:
    """Wait until the list of drills, which stands behind the job, knows how they went."""
    (drills,) = (s for s in pilot.app.screen_stack if isinstance(s, DrillsScreen))
    await wait_until(pilot, lambda: drills._held)
    await look(pilot)


async def _entered(pilot: Pilot[None]) -> None:
    """Wait until an exercise has its database."""
    screen = pilot.app.screen
    assert isinstance(screen, ExerciseScreen)
    await wait_until(pilot, lambda: screen.room is not None)
    await look(pilot)


def _run(*what: e.AnyEvent, alive: bool = True, offer: bool = False) -> Open:
    """Return what opens a run that has come this far."""
    return lambda make: ZenniApp(Desk(make.home) if offer else None, make(*what, alive=alive).folder)


def _watched_by_another(make: Runs) -> ZenniApp:
    story = make(*told(UP_TO_COPY))
    story.held = Hand(story.folder, "mia on pts/3")
    story.held.take()
    return ZenniApp(follow=story.folder)


def _planned(make: Runs) -> ZenniApp:
    story = make(*told(UP_TO_PLAN))
    story.tell(keep(story, a_plan()), stories.gate())
    return ZenniApp(follow=story.folder)


def _with_plan(make: Runs) -> ZenniApp:
    ended = e.RunEnded(Verdict.PASSED, 0, 5.0, 50.0)
    return ZenniApp(Desk(make.home), make(*told(UP_TO_PLAN), ended, alive=False).folder)


def _desk(**what: object) -> Open:
    """Return what opens the first screen, with some of the desk's things other than they are."""

    def start(make: Runs) -> ZenniApp:
        desk = Desk(make.home)
        for name, thing in what.items():
            setattr(desk, name, thing)
        return ZenniApp(desk)

    return start


def _with_past(make: Runs) -> ZenniApp:
    make(*told(UP_TO_VERIFIED), *stories.passed(), alive=False)
    make(*told(UP_TO_COPY), *stories.lost(), alive=False)
    desk = Desk(make.home)
    desk.training, desk.post, desk.live, desk.target = Class(), Lookout, True, Lookout.target
    return ZenniApp(desk)


def _watch(*alerts: object, **what: object) -> Open:
    return lambda _: ZenniApp(post=Lookout(*alerts, **what))  # type: ignore[arg-type]


def _school(lesson: str = "", *, closed: bool = False) -> Open:
    return lambda _: ZenniApp(training=Class(closed=closed), lesson=lesson)


def _drill(*, score: bool = False, none: bool = False) -> Open:
    def start(make: Runs) -> ZenniApp:
        trial = None if none else Trial(make(*told(UP_TO_COPY)), score=SCORE if score else None)
        return ZenniApp(training=Class(trial), drill="connection-drop")

    return start


def _setup(*, empty: bool = False) -> Open:
    return _desk(kinds=(), setup=FirstSteps(empty=empty), hints=("To see it at work first: zenni-tui demo",))


_LOST = (*told(UP_TO_COPY), *stories.lost())
_BLOCKED = (*told(UP_TO_PLAN[:1]), *stories.blocked(), stories.asked_for_choices())
_MIGRATED = (stories.began(live=True, kind=RunKind.MIGRATE), *told(UP_TO_VERIFIED))
_SWITCHING = (*_MIGRATED, *stories.switching())
_DECIDING = (
    *_MIGRATED,
    e.StepStarted(StepId.REPORT),
    e.StepDone(StepId.REPORT, 0.1, "the evidence is written"),
    e.RunEnded(Verdict.WAITING, 0, 90.0, 80.0),
)
_COPY = _run(*told(UP_TO_COPY))
_TASKS = keys(*["down"] * 5, "enter", first="What to do", until="an account and a project exist")
_FILES = keys("enter", first="set up", until="bookings.db")
_FORM = then(_FILES, keys("enter", until="From where, where to?"))
_TESTED = then(_FORM, keys("enter", until="trouble at: tcp"))
_JOB = then(keys(first="Your job:"), _known)
_DRILL = then(_JOB, keys("b", until="DRILL"))
_EXERCISES = keys("e", first="page 1 of", until="Enter begin")
_EXERCISE = then(_EXERCISES, keys("enter"), _entered)
_WAIT = keys()

PICTURES: dict[str, Picture] = {
    "run-nothing-yet": Picture(RunScreen, _run(), _WAIT),
    "run-reach": Picture(RunScreen, _run(*tuple(stories.reached())[:6]), _WAIT),
    "run-audit": Picture(RunScreen, _run(*told(UP_TO_PLAN[:2])), _WAIT),
    "run-plan-asks": Picture(RunScreen, _run(*told(UP_TO_PLAN), stories.gate()), _WAIT),
    "run-copy": Picture(RunScreen, _COPY, _WAIT),
    "run-copy-paused": Picture(RunScreen, _run(*told(UP_TO_COPY), e.Paused("mia on pts/3")), _WAIT),
    "run-copy-looked-on": Picture(RunScreen, _watched_by_another, keys("p", until="has control")),
    "run-index": Picture(RunScreen, _run(*told(UP_TO_INDEX)), _WAIT),
    "run-verify": Picture(RunScreen, _run(*told(UP_TO_VERIFY)), _WAIT),
    "run-passed": Picture(RunScreen, _run(*told(UP_TO_VERIFIED), *stories.passed()), _WAIT),
    "run-problem": Picture(ProblemScreen, _run(*_LOST), keys(until="PROBLEM")),
    "run-failed": Picture(RunScreen, _run(*_LOST), keys("enter", first="PROBLEM")),
    "run-engine-gone": Picture(RunScreen, _run(*told(UP_TO_COPY), alive=False), keys("enter", first="PROBLEM")),
    "run-choices": Picture(RunScreen, _run(*_BLOCKED), _WAIT),
    "run-repair": Picture(RepairScreen, _run(*_BLOCKED), _repair),
    "run-table": Picture(TableScreen, _planned, keys("right", "left", "home", "enter", until="another type")),
    "run-sql": Picture(DdlScreen, _planned, keys("d", until="CREATE TABLE")),
    "run-sql-not-yet": Picture(DdlScreen, _COPY, keys("d", until="There is no SQL yet")),
    "run-question": Picture(Question, _COPY, keys("f8", until="Roll back this run?")),
    "run-leave": Picture(Question, _COPY, keys("q", until="Leave?")),
    "run-speed": Picture(Form, _COPY, keys("t", until="How fast?")),
    "run-speed-wrong": Picture(Form, _COPY, keys("t", "x", "enter", until="is no number")),
    "run-help": Picture(HelpScreen, _COPY, keys("f1", until="Keys")),
    "run-log": Picture(RunScreen, _COPY, keys("l")),
    "run-switch-asked": Picture(
        Form, _run(*_DECIDING, alive=False, offer=True), keys("m", until="Switch the application over?")
    ),
    "run-switch": Picture(RunScreen, _run(*_SWITCHING), _WAIT),
    "run-switch-taken-back": Picture(RunScreen, _run(*_SWITCHING, *stories.refused()), keys("enter", first="PROBLEM")),
    "run-window": Picture(RunScreen, _run(*_SWITCHING, *stories.window()), _WAIT),
    "run-commands": Picture(CommandsScreen, _COPY, keys("ctrl+p", until="part of a command")),
    "start-empty": Picture(StartScreen, _desk(), keys(first="What to do", until="No run yet.")),
    "start-past-runs": Picture(StartScreen, _with_past, keys(first="What to do", until="PASSED")),
    "start-first-run": Picture(StartScreen, _setup(), keys(until="set up")),
    "setup": Picture(SetupScreen, _setup(), _FILES),
    "setup-empty": Picture(SetupScreen, _setup(empty=True), keys("enter", first="set up", until="No SQLite file")),
    "setup-form": Picture(Form, _setup(), _FORM),
    "setup-asks": Picture(Question, _setup(), _TESTED),
    "setup-trouble": Picture(SetupScreen, _setup(), then(_TESTED, keys("escape", until="Nothing listens"))),
    "tools": Picture(ToolsScreen, _with_plan, keys("a", until="as a patch")),
    "tools-not-done": Picture(
        ToolsScreen,
        _with_plan,
        then(keys("a", "down", "enter", until="No run has read"), keys("enter", until="Not done: queries.")),
    ),
    "tools-asks": Picture(Question, _with_plan, keys("a", "down", "down", "enter", until="Verify?")),
    "tools-paper": Picture(PaperScreen, _with_plan, keys("a", "enter", until="What is left to you")),
    "tasks": Picture(TasksScreen, _desk(), _TASKS),
    "tasks-timeline": Picture(TasksScreen, _desk(), then(_TASKS, keys("v", until="Phase 2"))),
    "tasks-risks": Picture(TasksScreen, _desk(), then(_TASKS, keys("v", "v", until="mitigation"))),
    "tasks-sign": Picture(Form, _desk(), then(_TASKS, keys("down", "down", "s", until="Sign off A3?"))),
    "watch-not-yet": Picture(WatchScreen, _watch(blind=True), keys(until="Looking ...")),
    "watch-well": Picture(WatchScreen, _watch(), keys(until="Nothing is raised.")),
    "watch-raised": Picture(WatchScreen, _watch(ADVISED), keys(until="1 RAISED")),
    "watch-away": Picture(WatchScreen, _watch(problem=UNREACHABLE), keys(until="The target can't be reached.")),
    "watch-vital": Picture(VitalScreen, _watch(ADVISED), keys("enter", first="1 RAISED", until="do it (asks)")),
    "watch-vital-unseen": Picture(
        VitalScreen, _watch(), keys("end", "enter", first="Nothing is raised.", until="pg_monitor")
    ),
    "watch-asks": Picture(Question, _watch(ADVISED), keys("enter", "enter", first="1 RAISED", until="Make the index?")),
    "lessons": Picture(LessonsScreen, _school(), keys(until="passed")),
    "lesson-page": Picture(LessonScreen, _school("pooling"), keys(until="page 1 of")),
    "lesson-exercises": Picture(LessonScreen, _school("pooling"), _EXERCISES),
    "exercise": Picture(
        ExerciseScreen,
        _school("pooling"),
        then(
            _EXERCISE,
            keys(*"SELECT 1", "enter", until="3 rows, and more"),
            keys(*"SELEC", "enter", until="42601"),
            keys("f5", until="Not yet"),
        ),
    ),
    "exercise-solution": Picture(ExerciseScreen, _school("errors"), then(_EXERCISE, keys("f4", until="setval"))),
    "exercise-closed": Picture(
        ExerciseScreen,
        _school("pooling", closed=True),
        then(
            keys("e", "enter", first="page 1 of", until="does not answer"), keys("enter", until="There is no database")
        ),
    ),
    "drills": Picture(DrillsScreen, _drill(), then(_JOB, keys("escape", until="not passed"))),
    "drills-job": Picture(Question, _drill(), _JOB),
    "drills-problem": Picture(
        ProblemScreen, _drill(none=True), then(_JOB, keys("b", until="The range can't be made."))
    ),
    "drill": Picture(DrillScreen, _drill(), _DRILL),
    "drill-others": Picture(Question, _drill(), then(_DRILL, keys("f9", until="Ask others for something?"))),
    "drill-score": Picture(ScoreScreen, _drill(score=True), then(_JOB, keys("b", until="Score sheet"))),
}
