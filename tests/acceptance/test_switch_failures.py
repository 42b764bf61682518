"""Whatever fails in a switch, one side serves afterwards, the program says which, and it goes on or back."""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support import Program
from switching import ENV, FALL_BACK, Application, can_write, killed, migrate, switch
from web import Page, serving

from zenni_tui.model.actions import find
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act

STEPS = [a for a in Act if a not in (Act.TESTS, Act.THAW)]


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application of the test's own."""
    return Application(tmp_path / "app")


def write(database: dict[str, str]) -> None:
    """Write to the target as the application would."""
    with psycopg.connect(**database) as target:
        target.execute("INSERT INTO \"Loose\" VALUES ('late', 9)")


def one_serves(application: Application, database: dict[str, str], *, new: bool) -> None:
    """Check that just one side takes writes, and that the settings name it."""
    assert application.can_write() is not new
    assert (application.env.read_text() == ENV) is not new
    if new:
        assert can_write(database)


def falls_back(
    program: Program, application: Application, database: dict[str, str], environment: dict[str, str]
) -> None:
    """Fall back, and check that the old side serves with what was written last on the new one."""
    write(database)
    back = program.run("rollback", "--confirm", "FALL BACK", environment=environment)
    assert (back.code, back.document["switch"]["serving"]) == (5, "old"), back.narration
    one_serves(application, database, new=False)
    assert not can_write(database)
    assert application.rows("SELECT * FROM Loose WHERE n = 9") == [("late", 9)]


@pytest.mark.parametrize("hook", ["build", "announce"])
def test_a_command_that_fails_early_changes_nothing(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str], hook: str
) -> None:
    """Before the new side is started all is taken back at once; mended, the switch is made."""
    schema = application.schema()
    migrate(program, application, target_environment)
    application.fail(hook)
    failed = switch(program, target_environment)
    assert (failed.code, failed.document["switch"]["serving"]) == (1, "old"), failed.narration
    assert f"command {hook} failed" in failed.document["problem"]["what"]
    one_serves(application, database, new=False)
    assert application.schema() == schema
    application.fail(hook, yes=False)
    assert switch(program, target_environment).code == 0
    one_serves(application, database, new=True)


@pytest.mark.parametrize("hook", ["deploy", "restart", "smoke_tests"])
def test_a_command_that_fails_late_can_be_tried_again_or_led_back(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str], hook: str
) -> None:
    """Once the new side was started nothing is taken back by itself, and no write is lost on either way."""
    migrate(program, application, target_environment)
    application.fail(hook)
    failed = switch(program, target_environment)
    assert (failed.code, failed.document["switch"]["serving"]) == (1, "new"), failed.narration
    one_serves(application, database, new=True)
    assert program.run("rollback", environment=target_environment).code == 2
    application.fail(hook, yes=False)
    if hook == "restart":
        resumed = program.run("resume", environment=target_environment)
        assert (resumed.code, resumed.document["switch"]["serving"]) == (0, "new"), resumed.narration
    falls_back(program, application, database, target_environment)


def test_a_command_that_hangs_is_ended(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """After its time a command is ended, and counts as failed."""
    application.configure("[application.hook_seconds]\nbuild = 0.5\n", build=["sleep", "600"])
    migrate(program, application, target_environment)
    failed = switch(program, target_environment)
    assert failed.code == 1
    assert "more than 0 s" in failed.document["problem"]["why"] or "took more" in failed.document["problem"]["why"]
    one_serves(application, database, new=False)


@pytest.fixture
def sick() -> Iterator[str]:
    """Yield the URL of an application that answers 500."""
    with serving(lambda _, __: Page(500)) as url:
        yield f"{url}/"


def test_a_sick_application_is_led_back(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str], sick: str
) -> None:
    """A new side that answers 500 leaves the decision to a person; the way back asks the old side the same, in vain.

    Once nobody is asked any more, it comes to its end.
    """
    application.configure(f'[application.health]\nurl = "{sick}"\nwithin = 0.5\n')
    migrate(program, application, target_environment)
    failed = switch(program, target_environment)
    assert (failed.code, failed.document["switch"]["serving"]) == (1, "new")
    assert "it answers 500" in failed.document["problem"]["why"]
    back = program.run("rollback", "--confirm", "FALL BACK", environment=target_environment)
    assert (back.code, back.document["switch"]["serving"]) == (1, "old"), back.narration
    one_serves(application, database, new=False)
    assert not can_write(database)


def test_settings_that_cannot_be_written_are_noticed_before(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """A settings file that can't be replaced stops the switch before anything is touched."""
    application.env.unlink()
    application.env.symlink_to("/proc/version")
    migrate(program, application, target_environment)
    refused = switch(program, target_environment)
    assert refused.code == 3, refused.narration
    assert "settings can't be written" in refused.document["problem"]["what"]
    assert application.can_write()
    assert [m[0] for m in application.marks()] == []


def test_writes_that_nobody_followed_stop_the_switch(
    program: Program, application: Application, target_environment: dict[str, str]
) -> None:
    """A source that was neither followed nor refused must be as the snapshot is, and stays untouched if it isn't."""
    migrate(program, application, target_environment)
    assert application.can_write()
    application_schema = application.schema()
    with psycopg.connect(target_environment["ZENNI_TARGET_URL"]) as target:
        before = target.execute('SELECT count(*) FROM "Loose"').fetchone()
    with sqlite3.connect(application.file) as file:
        file.execute("INSERT INTO Loose VALUES ('meanwhile', 5)")
    file.close()
    refused = switch(program, target_environment)
    assert refused.code == 3, refused.narration
    assert refused.document["problem"]["where"] == 'table "Loose"'
    assert application.schema() == application_schema
    assert application.can_write()
    assert before == (2,)


@pytest.mark.parametrize("act", STEPS)
def test_a_kill_after_any_action_leaves_one_side_to_serve(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str], act: Act
) -> None:
    """After kill -9 of the engine behind any action the program says how it stands; resume brings it to its end."""
    done = migrate(program, application, target_environment)
    killed(program, done.folder, target_environment, act)
    told = program.start("status").communicate(timeout=60)[0]
    assert "serving: " in told
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["switch"]["serving"]) == (0, "new"), resumed.narration
    one_serves(application, database, new=True)
    falls_back(program, application, database, target_environment)


@pytest.mark.parametrize("act", [Act.FREEZE, Act.CAPTURE, Act.ENVIRONMENT, Act.DEPLOY])
def test_a_kill_can_be_rolled_back(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str], act: Act
) -> None:
    """After a kill before the new side was started a rollback undoes switch and migration; later it falls back."""
    schema = application.schema()
    done = migrate(program, application, target_environment)
    follower = killed(program, done.folder, target_environment, act)
    started = find(follower.state.actions, StepId.SWITCH, Act.DEPLOY) is not None
    if started:
        falls_back(program, application, database, target_environment)
    else:
        back = program.run("rollback", environment=target_environment)
        assert back.code == 5, back.narration
        with psycopg.connect(**database) as target:
            assert target.execute("SELECT to_regclass('\"Booking\"'), to_regnamespace('zenni_tui')").fetchone() == (
                None,
                None,
            )
    one_serves(application, database, new=False)
    assert application.schema() == schema


BACK = [Act.BUILD, Act.FREEZE, Act.DRAIN, Act.THAW, Act.ENVIRONMENT, Act.DEPLOY, Act.HEALTH, Act.SETTLE]


@pytest.mark.parametrize("act", BACK)
def test_a_kill_in_the_way_back_is_gone_on_with(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str], act: Act
) -> None:
    """After kill -9 behind any action of the fall-back, resume brings it to its end, with every write."""
    schema = application.schema()
    done = migrate(program, application, target_environment)
    assert switch(program, target_environment).code == 0
    write(database)
    follower = killed(program, done.folder, target_environment, act, FALL_BACK)
    told = program.start("status").communicate(timeout=60)[0]
    assert "serving: " in told
    if not follower.state.ended:
        resumed = program.run("resume", environment=target_environment)
        assert resumed.document["switch"]["serving"] == "old", resumed.narration
    one_serves(application, database, new=False)
    assert not can_write(database)
    assert application.rows("SELECT * FROM Loose WHERE n = 9") == [("late", 9)]
    if act is not Act.SETTLE:
        assert application.schema() == schema


EARLY = """
import os, subprocess, sys, time, psycopg
if sys.argv[1:] == ['write']:
    target = psycopg.connect(os.environ['EARLY_URL'], autocommit=True)
    open('ready', 'w').close()
    while target.execute("SELECT to_regclass('zenni_tui.change')").fetchone()[0] is None:
        time.sleep(0.002)
    target.execute("INSERT INTO \\"Loose\\" VALUES ('early', 8)")
elif os.environ['ZENNI_EVENT'] == 'switch':
    subprocess.Popen([sys.executable, __file__, 'write'], start_new_session=True)
    while not os.path.exists('ready'):
        time.sleep(0.02)
    os.rename('.env', 'env')
    os.symlink('/proc/version', '.env')
"""


def test_a_new_side_that_was_written_to_is_not_led_back_without_its_writes(
    program: Program, application: Application, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """What somebody wrote on the new side before a failure keeps the old side shut, and comes along on the way back."""
    (application.folder / "early.py").write_text(EARLY)
    application.configure(announce=[sys.executable, "early.py"])
    program.environment["EARLY_URL"] = target_environment["ZENNI_TARGET_URL"]
    migrate(program, application, target_environment)
    failed = switch(program, target_environment)
    assert failed.code == 1
    assert "has been written to already" in failed.document["problem"]["what"]
    assert not application.can_write()
    application.env.unlink()
    (application.folder / "env").rename(application.env)
    again = program.run("rollback", environment=target_environment)
    assert again.code == 1, again.narration
    assert not application.can_write()
    resumed = program.run("resume", environment=target_environment)
    assert (resumed.code, resumed.document["switch"]["serving"]) == (0, "new"), resumed.narration
    falls_back(program, application, database, target_environment)
    assert application.rows("SELECT * FROM Loose WHERE n = 8") == [("early", 8)]
