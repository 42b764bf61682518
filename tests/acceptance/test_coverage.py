"""Every line of the customer's plan leaves its evidence when the plan is carried out on the demo, first to last."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Outcome, Program

from zenni_tui.engine import ledger, tasks
from zenni_tui.model.roadmap import TASKS
from zenni_tui.model.tasks import TaskState, Timeline
from zenni_tui.sandbox import demo as sandbox
from zenni_tui.sandbox.lessons.book import lessons
from zenni_tui.verbs import school

MANUAL = {"A3", "A5", "R8", "R9"}
"""The tasks that a person must sign off: outside of any program's reach."""
_NOTHING = json.dumps([sys.executable, "-c", "pass"])


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sandbox.Demo]:
    """Yield a demo with a config for the whole plan; its state is the one that the program uses."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with sandbox.open_demo(tmp_path / "demo", bookings=300) as demo:
        (tmp_path / "config.toml").write_text(_config(demo))
        yield demo
    sandbox.close_demo(tmp_path / "demo")


def _config(demo: sandbox.Demo) -> str:
    application = sandbox.application(demo)
    hooks = "".join(f"{n} = {_NOTHING}\n" for n in ("announce", "build", "deploy", "application_tests", "smoke_tests"))
    return f"""
[source]
path = {json.dumps(str(demo.source))}
[application]
directory = {json.dumps(str(demo.folder))}
env_files = {json.dumps(list(application.env_files))}
[application.health]
url = {json.dumps(application.health.url)}
fields = {{ status = "ok" }}
[application.hooks]
{hooks}restart = {json.dumps(list(application.hooks.restart))}
[application.old.health_fields]
database = "sqlite"
[application.new]
settings = {{ DATABASE_URL = "${{TARGET_URL}}" }}
health_fields = {{ database = "postgresql" }}
[metrics]
"bookings by status" = 'SELECT status, count(*) FROM "Booking" GROUP BY status ORDER BY status'
[notify]
command = {_NOTHING}
"""


def _carry_out(program: Program, demo: sandbox.Demo) -> None:
    named = dict(demo.target)
    password = named.pop("password")
    settings = {"ZENNI_TARGET_URL": " ".join(f"{k}={v}" for k, v in (*named.items(), ("password", password)))}

    def do(*words: str, code: int = 0) -> Outcome:
        done = program.run(*words, environment=settings)
        assert done.code == code, f"{words}: {done.narration}"
        return done

    # The weeks before: rehearsed twice, since the first one's figures foretell the second.
    for _ in range(2):
        do("rehearse", "--prove-backup")
    do("updates")
    # Migration day, and the way back.
    do("migrate", "--yes", "--meanwhile", "follow")
    do("switch", "--confirm", "SWITCH", "--why", "the day has come")
    do("rollback", "--confirm", "FALL BACK", "--why", "to have tried it", code=5)
    do("documents")
    do("rollback", code=5)
    # The next attempt, and the days after.
    do("migrate", "--yes", "--meanwhile", "follow")
    do("switch", "--confirm", "SWITCH", "--why", "again")
    program.run("watch", "--once", environment=settings)
    do("watch", "--test")
    do("verify", "--against", "live")
    do("metrics")
    do("finish", "--confirm", "FINISH")
    do("documents")


def test_every_line_of_the_plan_is_carried_by_what_happens_on_the_demo(program: Program, made: sandbox.Demo) -> None:
    """No task is left without evidence of each of its carriers, but for the short list that persons sign."""
    assert {t.id for t in TASKS if t.manual} == MANUAL
    _carry_out(program, made)
    source = str(made.source)
    for lesson in lessons():
        for exercise in lesson.exercises:
            school.keep(source, lesson, f"{lesson.name}/{exercise.name}")
    for task in sorted(MANUAL):
        tasks.sign(source, task, "Mia", "seen")
    assert ledger.read(source)
    standing = {v.task.id: v for v in tasks.standing(source, Timeline())}
    undone = {t: (v.state, v.missing) for t, v in standing.items() if v.state is not TaskState.DONE}
    assert undone == {}
    printed = program.start("plan", "--coverage").communicate(timeout=60)[0]
    assert all(f"| {t.id} |" in printed for t in TASKS)
    assert "none yet" not in printed
