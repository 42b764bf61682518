"""The verbs of training: lessons with exercises; without a terminal, what there is and how it stands."""

import json

from zenni_tui.cli import Options
from zenni_tui.errors import ExitCode
from zenni_tui.model.lessons import Lesson
from zenni_tui.sandbox.lessons.book import find_lesson, lessons

from .school import School, about, done


def learn(options: Options) -> int:
    """Open the lessons, or one of them; without a terminal print them."""
    chosen = find_lesson(options.name) if options.name else None
    source = about(options)
    if options.screen:
        from zenni_tui.ui import app  # noqa: PLC0415 - Textual is for those who look

        app.run(training=School(source), lesson=options.name, ascii_only=options.ascii)
    elif options.json:
        print(json.dumps([_facts(lesson, done(source)) for lesson in lessons()]))
    elif chosen is not None:
        print(_told(chosen))
    else:
        for lesson in lessons():
            count = len(_facts(lesson, done(source))["done"])
            print(f"{lesson.name:11} {lesson.title:40} {count} of {len(lesson.exercises)} exercises done")
    return int(ExitCode.PASSED)


def _facts(lesson: Lesson, kept: frozenset[str]) -> dict[str, str | list[str]]:
    names = [e.name for e in lesson.exercises]
    finished = [n for n in names if f"{lesson.name}/{n}" in kept]
    return {"lesson": lesson.name, "title": lesson.title, "exercises": names, "done": finished}


def _told(lesson: Lesson) -> str:
    pages = [f"## {page.title}\n\n{page.text.strip()}" for page in lesson.pages]
    exercises = [f"- {e.title}" for e in lesson.exercises]
    last = "\n".join(["## Exercises (on a terminal)", "", *exercises])
    return "\n\n".join([f"# {lesson.title}", *pages, last])
