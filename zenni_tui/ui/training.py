"""What the program that opens the screen offers for training; the screen knows no more than this."""

from typing import Protocol

from zenni_tui.model.lessons import Answer, Checked, Exercise, Lesson


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


class Training(Protocol):
    """Lessons and what was done of them; the methods block, are called in a thread, and raise `ZenniError`."""

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """Return all lessons."""

    def done(self) -> frozenset[str]:
        """Return the exercises done, as `lesson/exercise`."""

    def enter(self, lesson: str, exercise: str) -> Room:
        """Begin a try at an exercise."""
