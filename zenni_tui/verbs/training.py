"""The verbs of training: lessons with exercises; without a terminal, what there is and how it stands."""

import json

from zenni_tui.cli import Options
from zenni_tui.errors import ExitCode, UsageError
from zenni_tui.model.lessons import Lesson
from zenni_tui.sandbox.lessons.book import find_lesson, lessons

from .school import School, about, done


def learn(options: Options) -> int:
    """Open the lessons, or one of them; without a terminal print them."""
    chosen = find_lesson(options.name) if options.name else None
    source = about(options)
    if options.screen:
        from zenni_tui.ui import app  # noqa: PLC0415 - Textual is for those who look

        app.run(training=School(source, options), lesson=options.name, ascii_only=options.ascii)
    elif options.json:
        print(json.dumps([_facts(lesson, done(source)) for lesson in lessons()]))
    elif chosen is not None:
        print(_told(chosen))
    else:
        for lesson in lessons():
            count = len(_facts(lesson, done(source))["done"])
            print(f"{lesson.name:11} {lesson.title:40} {count} of {len(lesson.exercises)} exercises done")
    return int(ExitCode.PASSED)


def drill(options: Options) -> int:
    """Open the drills, or begin one of them; without a terminal list them."""
    school = School(about(options), options)
    known = {d.name for d in school.drills}
    if options.name and options.name not in known:
        raise UsageError(f"No drill is called {options.name!r}.", next_step=f"These are: {', '.join(sorted(known))}.")
    if options.screen:
        from zenni_tui.ui import app  # noqa: PLC0415 - as above

        app.run(training=school, drill=options.name, ascii_only=options.ascii)
    elif options.name:
        raise UsageError("A drill needs a terminal.", why="It measures what an operator does by keys.")
    elif options.json:
        held = school.held()
        print(json.dumps([{"drill": d.name, "title": d.title, "passed": held.get(d.name)} for d in school.drills]))
    else:
        words = {None: "not yet", True: "passed", False: "not passed"}
        for found in school.drills:
            print(f"{found.name:16} {words[school.held().get(found.name)]:11} {found.job}")
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
