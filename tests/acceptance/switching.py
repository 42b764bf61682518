"""A small application on a file, and the config by which it is switched over: its commands leave their marks."""

import contextlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from support import Outcome, Program

from zenni_tui.engine.client import Follower
from zenni_tui.model.actions import ActionState, find
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act

SCHEMA = """
CREATE TABLE Service (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, active BOOLEAN NOT NULL);
CREATE TABLE Booking (
  id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL REFERENCES Service (id) ON DELETE CASCADE
    ON UPDATE CASCADE,
  start DATETIME NOT NULL, note TEXT);
CREATE TABLE Loose (note TEXT, n INTEGER);
INSERT INTO Service VALUES ('a', 'Sauna', 1), ('b', 'Hieronta', 0);
INSERT INTO Booking (service, start, note) VALUES ('a', 1767225600000, 'first'), ('b', 1767225660000, NULL);
INSERT INTO Loose VALUES ('x', 1), ('x', 1);
"""
ENV = "# settings\nexport PORT=3000\nDATABASE_URL='file:./app.db' # the database\n"
MARK = """
import json, os, sys
with open('marks', 'a') as marks:
    marks.write(json.dumps([sys.argv[1], os.environ['ZENNI_SIDE'], os.environ['ZENNI_EVENT']]) + '\\n')
if os.path.exists('fail-' + sys.argv[1]):
    sys.exit(1)
"""


class Application:
    """The application's folder, and how it stands."""

    def __init__(self, folder: Path, *, schema: str = SCHEMA) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / "app.db"
        self.env = folder / ".env"
        with sqlite3.connect(self.file) as made:
            made.executescript(schema)
        made.close()
        self.env.write_text(ENV)
        (folder / "mark.py").write_text(MARK)
        self.config = folder / "config.toml"
        self.configure()

    def configure(self, extra: str = "", **hooks: list[str]) -> None:
        """Write the config; hooks leave marks, and fail while a file says so."""
        names = ("announce", "build", "deploy", "restart", "smoke_tests")
        known = {name: [sys.executable, "mark.py", name] for name in names} | hooks
        lines = "".join(f"{name} = {json.dumps(command)}\n" for name, command in known.items())
        self.config.write_text(
            f'[application]\ndirectory = {json.dumps(str(self.folder))}\nenv_files = [".env"]\n'
            f'[application.hooks]\n{lines}[application.new.settings]\nDATABASE_URL = "${{TARGET_URL}}"\n{extra}'
        )

    def marks(self) -> list[list[str]]:
        """Return which commands ran, for which side and why."""
        path = self.folder / "marks"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def fail(self, hook: str, *, yes: bool = True) -> None:
        """Let a command fail from now on, or no longer."""
        mark = self.folder / f"fail-{hook}"
        mark.touch() if yes else mark.unlink()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of the old file."""
        with sqlite3.connect(self.file) as file:
            found = file.execute(query).fetchall()
        file.close()
        return found

    def schema(self) -> list[tuple[Any, ...]]:
        """Return what the old file declares."""
        return self.rows("SELECT type, name, sql FROM sqlite_schema ORDER BY name")

    def can_write(self) -> bool:
        """Return whether the old file takes a write."""
        file = sqlite3.connect(self.file)
        try:
            file.execute("UPDATE Service SET active = active WHERE id = 'a'")
            file.commit()
        except sqlite3.DatabaseError:
            return False
        finally:
            file.close()
        return True


def can_write(database: dict[str, str]) -> bool:
    """Return whether the target takes a write."""
    with psycopg.connect(**database) as target:
        try:
            target.execute('UPDATE "Service" SET active = active')
        except psycopg.Error:
            return False
    return True


def migrate(program: Program, application: Application, environment: dict[str, str], *more: str) -> Outcome:
    """Bring a migration to where it waits for its switch."""
    done = program.run(
        "migrate",
        "--yes",
        "--config",
        str(application.config),
        "--source",
        str(application.file),
        *more,
        environment=environment,
    )
    assert (done.code, done.document["verdict"]) == (0, "waiting"), done.narration
    return done


def switch(program: Program, environment: dict[str, str], *more: str) -> Outcome:
    """Switch over."""
    return program.run(
        "switch", "--confirm", "SWITCH", "--by", "Aino", "--why", "tested", *more, environment=environment
    )


SWITCH = ("switch", "--confirm", "SWITCH")
FALL_BACK = ("rollback", "--confirm", "FALL BACK")


def killed(
    program: Program, folder: Path, environment: dict[str, str], act: Act, command: Sequence[str] = SWITCH
) -> Follower:
    """Begin a switch or a fall-back, and kill its engine as soon as an action is done; returns the run's follower."""
    step = StepId.SWITCH if command is SWITCH else StepId.FALL_BACK
    watcher = program.start(*command, environment=environment)
    follower = Follower(folder)
    ended = False
    while not _is_done(follower, step, act):
        assert not ended
        # Asked before the journal is: its last words may come between the two.
        ended = watcher.poll() is not None
    # Behind the last action the engine may have ended by itself.
    with contextlib.suppress(ProcessLookupError):
        os.kill(follower.state.pid, signal.SIGKILL)
    watcher.communicate(timeout=60)
    follower.poll()
    return follower


def _is_done(follower: Follower, step: StepId, act: Act) -> bool:
    follower.poll()
    view = find(follower.state.actions, step, act)
    return view is not None and view.state is ActionState.DONE
