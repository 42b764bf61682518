"""The line to the target dies around the switch: one side serves, status says which, and the next command goes on."""

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from support import Outcome, Program, follow, wait
from switching import ENV, Application, can_write, migrate, switch

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.proxy import Line, Proxy, Way

HOLD = """
import os, sys, time
if os.environ['ZENNI_EVENT'] == sys.argv[1]:
    open('held', 'w').close()
    while not os.path.exists('let-go'):
        time.sleep(0.02)
"""
DEATHS = [pytest.param(way, id=str(way.value)) for way in (Way.REFUSE, Way.HOLD)]
"""Every connection cut and none taken any more; and a tunnel that acknowledges all and delivers nothing."""


class Scene:
    """An application, its database behind a line that may die, and the program."""

    def __init__(self, program: Program, application: Application, database: dict[str, str], line: Proxy) -> None:
        self.program, self.application, self.database, self.line = program, application, database, line
        through = database | {"port": str(line.port), "connect_timeout": "2"}
        self.extra = ""
        """More of the config."""
        self.environment = {"ZENNI_TARGET_URL": make_conninfo("", **through)}

    def run(self, *words: str) -> Outcome:
        """Run a command to its end."""
        return self.program.run(*words, environment=self.environment)

    def migrate(self, hook: str = "announce", event: str = "switch", *words: str) -> None:
        """Migrate; one of the application's own commands will stand still at an event."""
        (self.application.folder / "hold.py").write_text(HOLD)
        self.application.configure(self.extra, **{hook: [sys.executable, "hold.py", event]})
        migrate(self.program, self.application, self.environment, *words)

    def start(self, *words: str) -> None:
        """Start a command."""
        self._process = self.program.start(*words, "--json", environment=self.environment)

    def begin(self, *words: str) -> None:
        """Start a command and wait until it stands still."""
        self.start(*words)
        deadline = time.monotonic() + 120
        while not (self.application.folder / "held").exists():
            assert self._process.poll() is None, self._process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def let_go(self) -> None:
        """Let it go on."""
        (self.application.folder / "let-go").touch()

    def end(self) -> Outcome:
        """Wait for its end."""
        out, err = self._process.communicate(timeout=300)
        assert "Traceback" not in err, err
        return Outcome(self._process.returncode, json.loads(out), err, self.application.folder)

    def strike(self, way: Way) -> None:
        """Let the line die."""
        self.line.line = Line(way)
        if way is Way.REFUSE:
            self.line.cut()

    def mend(self) -> None:
        """Let it live."""
        self.line.line = Line()

    def serving(self) -> str:
        """Return which side serves, as status says."""
        return str(self.run("status").document["switch"]["serving"])

    def write(self, note: str) -> None:
        """Write on the new side as the application would."""
        with psycopg.connect(**self.database) as target:
            target.execute('INSERT INTO "Loose" VALUES (%s, 9)', (note,))

    def written(self, note: str) -> bool:
        """Return whether that is in the old file."""
        return bool(self.application.rows(f"SELECT 1 FROM Loose WHERE note = '{note}'"))

    def away(self) -> Follower:
        """Wait until the run has told that the target is away; returns its follower."""
        follower = follow(self.program)
        wait(follower, lambda f: f.state.retrying is not None)
        return follower


@pytest.fixture
def scene(tmp_path: Path, program: Program, database: dict[str, str], server: sandbox.Server) -> Iterator[Scene]:
    """Yield a scene of the test's own."""
    with Proxy(server.port) as line:
        yield Scene(program, Application(tmp_path / "app"), database, line)


@pytest.mark.parametrize("way", DEATHS)
@pytest.mark.parametrize("meanwhile", ["nothing", "follow"])
def test_a_line_that_dies_before_the_new_side_serves(scene: Scene, way: Way, meanwhile: str) -> None:
    """All is taken back, without the target, and the old side takes writes; with a line again it is switched."""
    scene.migrate("announce", "switch", "--meanwhile", meanwhile)
    scene.begin("switch", "--confirm", "SWITCH")
    scene.strike(way)
    scene.let_go()
    failed = scene.end()
    assert (failed.code, failed.document["switch"]["serving"]) == (4, "old"), failed.narration
    assert "stayed away too long" in failed.document["problem"]["what"]
    assert scene.application.can_write()
    assert scene.application.env.read_text() == ENV
    scene.mend()
    done = switch(scene.program, scene.environment)
    assert (done.code, done.document["switch"]["serving"]) == (0, "new"), done.narration
    assert not scene.application.can_write()
    assert can_write(scene.database)


@pytest.mark.parametrize("way", DEATHS)
def test_a_line_that_dies_while_the_new_side_is_started(scene: Scene, way: Way) -> None:
    """The switch needs the target no more and comes to its end; the window tells, and follows once it can."""
    scene.migrate("deploy", "switch")
    scene.begin("switch", "--confirm", "SWITCH")
    scene.strike(way)
    scene.write("meanwhile")
    scene.let_go()
    done = scene.end()
    assert (done.code, done.document["switch"]["serving"]) == (0, "new"), done.narration
    follower = scene.away()
    assert scene.serving() == "new"
    scene.mend()
    wait(follower, lambda _: scene.written("meanwhile"))
    back = scene.run("rollback", "--confirm", "FALL BACK")
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration


@pytest.mark.parametrize("way", DEATHS)
def test_a_line_that_dies_on_the_way_back(scene: Scene, way: Way) -> None:
    """Whether the new side still takes writes nobody can know then, and status says so; the next rollback goes on."""
    scene.migrate("announce", "fall_back")
    assert switch(scene.program, scene.environment).code == 0
    scene.write("before")
    scene.begin("rollback", "--confirm", "FALL BACK")
    scene.strike(way)
    scene.let_go()
    failed = scene.end()
    assert failed.code == 4, failed.narration
    assert failed.document["switch"]["serving"] is None
    assert "whether the new one does is not known" in failed.document["switch"]["story"]
    assert not scene.application.can_write()
    scene.mend()
    assert can_write(scene.database)
    scene.write("after")
    back = scene.run("rollback", "--confirm", "FALL BACK")
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration
    assert scene.written("before")
    assert scene.written("after")
    assert scene.application.env.read_text() == ENV
    assert not can_write(scene.database)


@pytest.mark.parametrize("way", DEATHS)
def test_a_line_that_is_dead_when_the_window_is_to_end(scene: Scene, way: Way) -> None:
    """The end waits for the line, and comes then, with every write carried back and the backup proven."""
    scene.migrate("announce", "never")
    assert switch(scene.program, scene.environment).code == 0
    scene.strike(way)
    scene.write("late")
    follower = scene.away()
    scene.start("finish", "--confirm", "FINISH")
    wait(follower, lambda f: any(d.what.step is StepId.WATCH for d in f.state.decisions))
    assert not scene.written("late")
    scene.mend()
    ended = scene.end()
    assert (ended.code, ended.document["verdict"]) == (0, "passed"), ended.narration
    assert "restore proof" in ended.narration
    assert scene.written("late")


@pytest.mark.parametrize("way", DEATHS)
def test_commands_that_are_given_while_the_line_is_dead(scene: Scene, way: Way) -> None:
    """Resume and rollback stop with words and change nothing; given again with a line they go on, and lose no write."""
    scene.extra = "[copy]\nretry_minutes = 0.2\n"
    scene.migrate("announce", "never")
    assert switch(scene.program, scene.environment).code == 0
    assert scene.run("stop").code == 4
    scene.write("late")
    scene.strike(way)
    for words in (("resume",), ("rollback", "--confirm", "FALL BACK")):
        stopped = scene.run(*words)
        assert (stopped.code, stopped.document["switch"]["serving"]) == (4, "new"), stopped.narration
        assert "stayed away too long" in stopped.document["problem"]["what"]
    assert not scene.application.can_write()
    scene.mend()
    assert scene.run("resume").code == 0
    wait(follow(scene.program), lambda _: scene.written("late"))
    back = scene.run("rollback", "--confirm", "FALL BACK")
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration


@pytest.mark.parametrize("way", DEATHS)
def test_a_line_that_dies_while_changes_are_followed(scene: Scene, way: Way) -> None:
    """The run tells that the target is away and logs on; with a line again nothing is missing on the new side."""
    scene.migrate("announce", "never", "--meanwhile", "follow")
    scene.strike(way)
    with closing(sqlite3.connect(scene.application.file)) as file, file:
        file.execute("INSERT INTO Loose VALUES ('followed', 9)")
    follower = scene.away()
    assert scene.run("status").document["verdict"] != "passed"
    scene.mend()
    wait(follower, lambda f: f.state.retrying is None)
    done = switch(scene.program, scene.environment)
    assert (done.code, done.document["switch"]["serving"]) == (0, "new"), done.narration
    with psycopg.connect(**scene.database) as target:
        assert target.execute('SELECT note FROM "Loose" WHERE n = 9').fetchall() == [("followed",)]


def test_a_thin_line(scene: Scene) -> None:
    """Over 3 KB a second the switch and the window come to their end, and with ten times that a dump does, too."""
    scene.migrate("announce", "never")
    scene.line.line = Line(rate=3_000)
    done = switch(scene.program, scene.environment)
    assert (done.code, done.document["switch"]["serving"]) == (0, "new"), done.narration
    scene.write("late")
    wait(follow(scene.program), lambda _: scene.written("late"))
    scene.line.line = Line(rate=30_000)
    ended = scene.run("finish", "--confirm", "FINISH")
    assert (ended.code, ended.document["verdict"]) == (0, "passed"), ended.narration
