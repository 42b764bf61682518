"""The words of training: lessons with their pages and exercises, and what a try at an exercise brought."""

from .record import Record


class Page(Record, frozen=True):
    """One page; paragraphs are parted by blank lines, and lines that begin with four blanks stand as they are."""

    title: str
    text: str


class Exercise(Record, frozen=True):
    """One exercise; in `task`, `hint` and `solution` words in braces stand for what differs from try to try.

    Each line of the solution is a line for the prompt.
    """

    name: str
    title: str
    task: str
    hint: str
    solution: str


class Lesson(Record, frozen=True):
    """One lesson; it is passed when each of its exercises was done by oneself."""

    name: str
    title: str
    pages: tuple[Page, ...]
    exercises: tuple[Exercise, ...]


class Answer(Record, frozen=True):
    """What the database answered to one line: the last result, notices and commands done, or a problem.

    `more` tells that there were more rows than are shown.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    said: tuple[str, ...] = ()
    problem: str = ""
    more: bool = False


class Checked(Record, frozen=True):
    """How a look at the database went: `right` when the exercise is done, `counts` when it was done by oneself."""

    right: bool
    counts: bool
    story: str
