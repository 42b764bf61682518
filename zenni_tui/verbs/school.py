"""The school: the lessons as the screens are offered them, and what was done of them, kept in the ledger."""

from typing import TYPE_CHECKING

from zenni_tui.cli import Options, settings_of
from zenni_tui.engine import client, folders, ledger
from zenni_tui.errors import StepFailed, UsageError
from zenni_tui.model.drills import Drill
from zenni_tui.model.lessons import Lesson
from zenni_tui.sandbox.lessons.book import lessons

from .tasks import source_of

if TYPE_CHECKING:
    from zenni_tui.sandbox.range import Pace
    from zenni_tui.sandbox.server import Server

    from .drilling import Session
    from .rooms import NotedRoom

_EXERCISE = "exercise "
_DRILL = "drill "


class School:
    """What the screens of training offer; the lessons' server runs as long as this process lives, once it is needed."""

    def __init__(self, source: str, options: Options) -> None:
        self._source = source
        self._options = options
        self._server: Server | None = None
        self.pace: Pace | None = None

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """Return all lessons; they are read when somebody opens them, not with the first screen."""
        return lessons()

    def done(self) -> frozenset[str]:
        """Return the exercises done."""
        return done(self._source)

    def enter(self, lesson: str, exercise: str) -> "NotedRoom":
        """Begin a try at an exercise."""
        from . import rooms  # noqa: PLC0415 - brings the drivers, which reading does not need

        if self._server is None:
            self._server = rooms.lessons_server()
        try:
            return rooms.NotedRoom(self._source, self._server, lesson, exercise)
        except rooms.Silent as error:
            self._server = None
            raise StepFailed(
                "The lessons' server does not answer.",
                why=" ".join(str(error).split()),
                next_step="Begin anew (F6): it is started again.",
            ) from error

    @property
    def drills(self) -> tuple[Drill, ...]:
        """Return all drills."""
        from zenni_tui.sandbox.drills import PLANS  # noqa: PLC0415 - brings the drivers

        return tuple(plan.facts for plan in PLANS)

    def held(self) -> dict[str, bool]:
        """Return the drills held, each with whether it was passed the last time."""
        return {d.name.removeprefix(_DRILL): d.ok for d in ledger.read(self._source) if d.name.startswith(_DRILL)}

    def begin(self, drill: str) -> "Session":
        """Begin a drill."""
        from zenni_tui.sandbox.drills import plan_of  # noqa: PLC0415 - brings the drivers
        from zenni_tui.sandbox.range import Pace  # noqa: PLC0415 - as above

        from .drilling import Session  # noqa: PLC0415 - as above

        return Session(self._options, plan_of(drill), self._source, self.pace or Pace())


def done(source: str) -> frozenset[str]:
    """Return the exercises that were done for a source, as `lesson/exercise`."""
    deeds = ledger.read(source)
    return frozenset(d.name.removeprefix(_EXERCISE) for d in deeds if d.ok and d.name.startswith(_EXERCISE))


def keep(source: str, lesson: Lesson, name: str) -> None:
    """Note an exercise as done, and its lesson when it was the last; raises OSError."""
    before = done(source)
    if name not in before:
        ledger.note(source, f"{_EXERCISE}{name}", client.whoami())
    wanted = {f"{lesson.name}/{e.name}" for e in lesson.exercises}
    if wanted <= before | {name} and not wanted <= before:
        ledger.note(source, f"lesson {lesson.name}", client.whoami(), f"{len(wanted)} exercises done")


def about(options: Options) -> str:
    """Return the source that training is noted for; the demo's when there is no other."""
    try:
        return source_of(settings_of(options))
    except UsageError:
        return str(folders.state_home() / "demo" / "prisma" / "dev.db")
