"""The book of lessons: the TOML files of this folder, in the order in which they are best read."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

from zenni_tui.errors import UsageError
from zenni_tui.model.lessons import Exercise, Lesson

NAMES = ("postgresql", "prisma", "errors", "watch", "backup", "pooling")


@cache
def lessons() -> tuple[Lesson, ...]:
    """Return all lessons."""
    return tuple(_read(name) for name in NAMES)


def _read(name: str) -> Lesson:
    text = Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert({"name": name, **tomllib.loads(text)}, Lesson)


def find_lesson(name: str) -> Lesson:
    """Return a lesson by its name; raises UsageError."""
    found = next((lesson for lesson in lessons() if lesson.name == name), None)
    if found is None:
        known = ", ".join(lesson.name for lesson in lessons())
        raise UsageError(f"No lesson is called {name!r}.", next_step=f"These are: {known}.")
    return found


def find_exercise(lesson: str, name: str) -> Exercise:
    """Return an exercise by its lesson's and its own name; raises UsageError."""
    found = next((e for e in find_lesson(lesson).exercises if e.name == name), None)
    if found is None:
        raise UsageError(f"The lesson {lesson} has no exercise {name!r}.")
    return found
