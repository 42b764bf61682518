"""What screens beside a run's are opened on: a watch, a school, a drill and a first run, each as a record tells it."""

from concurrent.futures import Future
from pathlib import Path

import ui_stories as stories
from ui_pilot import Desk
from ui_stories import Story

from zenni_tui.errors import StepFailed, ZenniError
from zenni_tui.model import events as e
from zenni_tui.model.drills import ACTS, Act, Drill, Given, Score
from zenni_tui.model.lessons import Answer, Checked, Exercise, Lesson
from zenni_tui.model.runbook import StepId
from zenni_tui.model.vitals import Advised, Alert, Look, Remedy, Vital
from zenni_tui.sandbox.drills import PLANS
from zenni_tui.sandbox.lessons.book import find_lesson, lessons
from zenni_tui.ui.offer import Offer

NOON = 1_795_953_600.0
UNREACHABLE = StepFailed(
    "The target can't be reached.",
    where="db.example.org:5432",
    why="Nothing listens at that address and port.",
    next_step="Start the server, or open the firewall.",
)
VITALS = (
    Vital("connections", "connections", "14 of 100, 3 active", 14),
    Vital("pool", "pool", "9 of 20 for zenni_app", 9),
    Vital("slow", "slow queries", "1 above 500 ms", 812.0),
    Vital("locks", "locks", "nobody waits", 0),
    Vital(
        "foreign_keys",
        "foreign keys",
        "1 without an index",
        1,
        ("table", "columns", "rows"),
        (("Booking", '"serviceId"', "610,000"), ("Payment", '"bookingId"', "184,002")),
    ),
    Vital("dead_rows", "dead rows", "2.1 % at most, in AuditLog", 0.021),
    Vital("sequences", "sequences", "the fullest is at 4 %", 0.04),
    Vital("replication", "replication", "not seen", None, unseen="Its role lacks pg_monitor.", blind=True),
)
ALERT = Alert(
    "watch_foreign_key_index",
    '"public"."Booking" ("serviceId")',
    "foreign_keys",
    'No index begins with "public"."Booking" ("serviceId"), which refers to "Service"; the table has 610,000 rows.',
    610_000,
    NOON - 600,
    NOON,
)
INDEX = Remedy(
    "make the index",
    ('CREATE INDEX CONCURRENTLY "Booking_serviceId_idx" ON "public"."Booking" ("serviceId")',),
    "Takes some minutes; nobody has to wait for it.",
)
ADVISED = Advised(ALERT, "Deleting or changing a parent reads the child's table whole.", (INDEX,))
CHECKS = (
    e.CheckMade(StepId.REACH, "source", ok=True, found="SQLite 3, WAL", tried="the file's header, not its data"),
    e.CheckMade(StepId.REACH, "name", ok=True, found="db.example.org is 192.0.2.7"),
    e.CheckMade(
        StepId.REACH,
        "tcp",
        ok=False,
        found="Nothing listens at that address and port.",
        advice="Start the server, or open the firewall.",
        tried="192.0.2.7, port 5432",
    ),
)
DRILL = next(plan for plan in PLANS if plan.facts.name == "connection-drop")
SCORE = Score(
    "connection-drop",
    NOON,
    "mia",
    passed=True,
    why="The line was brought back, and nothing else was done.",
    noticed=3.2,
    right=9.8,
    seconds=31.0,
    given=(Given("act line", 9.8, "right"), Given("pause", 14.1, "neutral")),
    outcome="passed",
    safe=True,
    found="source and target as they should be",
)


class Lookout:
    """A post that has looked once: its looks never come when there is none, and fail with a problem instead of one."""

    target = "zenni_owner@db.example.org:5432/zenni"
    pause = 600.0

    def __init__(self, *alerts: Advised, problem: ZenniError | None = None, blind: bool = False) -> None:
        self._alerts = alerts
        self._problem = problem
        self._blind = blind

    def look(self) -> Future[Look]:
        """Return what was seen."""
        found: Future[Look] = Future()
        history = {v.id: tuple(v.measure * n / 9 for n in range(1, 10)) for v in VITALS if v.measure}
        if self._problem:
            found.set_exception(self._problem)
        elif not self._blind:
            found.set_result(Look(NOON, self.target, 0.1, VITALS, self._alerts, history=history))
        return found

    def apply(self, alert: Alert, remedy: Remedy) -> Future[None]:
        """Refuse."""
        refused: Future[None] = Future()
        refused.set_exception(StepFailed(f"Not done: {remedy.title}.", where=alert.subject))
        return refused

    def close(self) -> None:
        """Hold nothing."""


class Bench:
    """A try at an exercise that answers every line with the same."""

    way_in = "PGPASSFILE=/srv/zenni/lessons/pass psql -h 127.0.0.1 -p 40123 -U learner try_7f3a"
    _rows = (("1", "Ann Oberg", None), ("2", "Bo", "bo@example.org"), ("3", "Cleo", "cleo@example.org"))

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    def run(self, line: str) -> Answer:
        """Return three rows, or a refusal."""
        if line.startswith("SELECT"):
            return Answer(("id", "name", "email"), self._rows, ("SELECT 3",), more=True)
        return Answer(problem='42601: syntax error at or near "SELEC"')

    def solution(self) -> str:
        """Return the solution's form."""
        return self.exercise.solution

    def check(self) -> Checked:
        """Tell that something is missing."""
        return Checked(right=False, counts=False, story="Not yet: the role may still open any number of connections.")

    def close(self) -> None:
        """Hold nothing."""


class Class:
    """A school whose server is there, or never comes."""

    def __init__(self, session: "Trial | None" = None, *, closed: bool = False) -> None:
        self._session = session
        self._closed = closed
        self.lessons: tuple[Lesson, ...] = lessons()
        self.drills: tuple[Drill, ...] = tuple(plan.facts for plan in PLANS)

    def done(self) -> frozenset[str]:
        """Return what was done: a lesson whole, another one in part."""
        first, second = lessons()[:2]
        return frozenset({*(f"{first.name}/{e.name}" for e in first.exercises), f"{second.name}/{_first(second)}"})

    def enter(self, lesson: str, exercise: str) -> Bench:
        """Begin a try."""
        if self._closed:
            raise StepFailed("The lessons' server does not answer.", next_step="Begin anew (F6): it is started again.")
        return Bench(next(e for e in find_lesson(lesson).exercises if e.name == exercise))

    def held(self) -> dict[str, bool]:
        """Return how the drills went."""
        return {"connection-drop": True, "bad-rows": False}

    def begin(self, drill: str) -> "Trial":
        """Begin a drill."""
        if self._session is None:
            raise StepFailed("The range can't be made.", where=drill, why="No space is left.", next_step="Make room.")
        return self._session


def _first(lesson: Lesson) -> str:
    return lesson.exercises[0].name


class Trial:
    """A drill that stands still, before its fault, after it, or at its end."""

    acts: tuple[Act, ...] = ACTS
    facts = DRILL.facts
    sheet_path: Path | None = Path("/srv/zenni/drills/connection-drop-20261122.md")

    def __init__(self, story: Story, *, score: Score | None = None) -> None:
        self.folder = story.folder
        self.offer: Offer = Desk(story.folder.parent)
        self.message = DRILL.message
        self.score = score

    def key(self) -> None:
        """Note nothing."""

    def act(self, name: str) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """Stay as it is."""

    def close(self) -> None:
        """Hold nothing."""


class FirstSteps:
    """A folder with two databases or none, and what the tests of both ends found."""

    def __init__(self, *, empty: bool = False) -> None:
        self._empty = empty

    def look_around(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """Return the files and a target."""
        if self._empty:
            return (), ()
        files = ((stories.SOURCE, "412,600,000 bytes, in .env"), ("/srv/zenni/old.sqlite", "8,192 bytes"))
        return files, ("postgresql://zenni_owner@db.example.org:5432/zenni",)

    def password_of(self, url: str) -> str:
        """Return the password that stands beside the target."""
        return "hush" if url else ""

    def parted(self, url: str) -> tuple[str, str]:
        """Return it as it is."""
        return url, ""

    def test(self, source: str, url: str, password: str) -> tuple[e.CheckMade, ...]:
        """Return the checks."""
        return CHECKS if source and url and password else ()

    def write(self, source: str, url: str, password: str) -> Offer:  # noqa: ARG002 - as the wizard calls it
        """Refuse."""
        raise StepFailed("There is a config file already.", where=source, why=url)
