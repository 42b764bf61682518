"""What the program that opens the screen offers for training; the screen knows no more than this."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from zenni_tui.model.drills import Act, Drill, Score
from zenni_tui.model.lessons import Answer, Checked, Exercise, Lesson

if TYPE_CHECKING:
    from .offer import Offer


class Room(Protocol):
    """One try at an exercise, on a database of its own; the methods block, for seconds at most."""

    @property
    def exercise(self) -> Exercise:
        """Return the exercise, with this try's own words."""

    @property
    def way_in(self) -> str:
        """Return the line that opens psql on the database; it holds no password."""

    def run(self, line: str) -> Answer:
        """Run a line of SQL, or one of PostgreSQL's programs."""

    def solution(self) -> str:
        """Return one way to do it, a line of the prompt each; from now on doing it does not count."""

    def check(self) -> Checked:
        """Look whether the exercise is done; keeps it when it counts."""

    def close(self) -> None:
        """Take the database away."""


class Session(Protocol):
    """One drill under way."""

    @property
    def facts(self) -> Drill:
        """Return what is practised."""

    @property
    def acts(self) -> tuple[Act, ...]:
        """Return what others can be asked to do."""

    @property
    def folder(self) -> Path:
        """Return the run's directory."""

    @property
    def offer(self) -> "Offer":
        """Return what can be started on the run."""

    @property
    def message(self) -> str:
        """Return what somebody tells the operator now, empty for nothing."""

    @property
    def score(self) -> Score | None:
        """Return the score once the drill is over; raises ZenniError when it broke off."""

    @property
    def sheet_path(self) -> Path | None:
        """Return the score sheet's path."""

    def key(self) -> None:
        """Note that a key was pressed."""

    def act(self, name: str) -> None:
        """Have one of the acts done; blocks for a moment."""

    def leave(self) -> None:
        """End the drill where it is; its score comes in a moment."""

    def close(self) -> None:
        """Take everything away; blocks for seconds."""


class Training(Protocol):
    """Lessons, drills, and what was done of them; the methods block, are called in a thread, and raise `ZenniError`."""

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """Return all lessons."""

    def done(self) -> frozenset[str]:
        """Return the exercises done, as `lesson/exercise`."""

    def enter(self, lesson: str, exercise: str) -> Room:
        """Begin a try at an exercise."""

    @property
    def drills(self) -> tuple[Drill, ...]:
        """Return all drills."""

    def held(self) -> dict[str, bool]:
        """Return the drills held, by name, each with whether it was passed the last time."""

    def begin(self, drill: str) -> Session:
        """Begin a drill: makes its range and starts its run; takes seconds."""
