"""A migration does what was rehearsed: the same plan of the same schema, not long ago, or by a typed word without."""

import json
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from support import Outcome, Program, wait

from zenni_tui.engine import client, folders
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind, StepId, StepState, Verdict
from zenni_tui.sandbox.server import Server


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a small database."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
        made.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"row {i}") for i in range(50)])
        made.commit()
    return path


@pytest.fixture
def careful(program: Program) -> Program:
    """Return the program as it comes, which asks for a rehearsal."""
    del program.environment["ZENNI_REHEARSAL_HOURS"]
    return program


def change(source: Path, statement: str) -> None:
    """Carry out a statement in the source."""
    with closing(sqlite3.connect(source)) as live:
        live.execute(statement)
        live.commit()


def rehearsal_of(outcome: Outcome) -> dict[str, str]:
    """Return what the plan step tells of the rehearsal."""
    return next(c for c in outcome.step("plan")["checks"] if c["name"] == "rehearsal")


def test_what_was_not_rehearsed_is_not_migrated(
    careful: Program, source: Path, target_environment: dict[str, str]
) -> None:
    """Without a rehearsal it is refused unwritten; after one it runs, rows that were added meanwhile included."""
    refused = careful.run("migrate", "--yes", "--source", str(source), environment=target_environment)
    assert (refused.code, refused.document["verdict"]) == (3, "not_ready")
    assert "not been rehearsed" in refused.document["problem"]["what"]
    assert "--confirm UNREHEARSED" in refused.document["problem"]["next_step"]
    assert refused.step("prepare")["state"] == "pending"
    rehearsed = careful.run("rehearse", "--source", str(source))
    assert rehearsed.code == 0, rehearsed.narration
    change(source, "INSERT INTO t VALUES (100, 'new')")
    made = careful.run("migrate", "--yes", "--source", str(source), environment=target_environment)
    assert (made.code, made.document["verdict"]) == (0, "waiting"), made.narration
    assert rehearsed.document["run_id"] in rehearsal_of(made)["found"]


def test_another_schema_or_plan_wants_another_rehearsal(
    careful: Program, source: Path, target_environment: dict[str, str]
) -> None:
    """A column that was added since, or another type that was chosen, is not what was rehearsed."""
    assert careful.run("rehearse", "--source", str(source)).code == 0
    config = Path(careful.home, "config.toml")
    config.write_text('[schema.casts]\n"t.name" = "varchar(40)"\n')
    arguments = ["migrate", "--yes", "--source", str(source)]
    other_plan = careful.run(*arguments, "--config", str(config), environment=target_environment)
    config.unlink()
    change(source, "ALTER TABLE t ADD COLUMN more INTEGER")
    other_schema = careful.run(*arguments, environment=target_environment)
    assert (other_plan.code, other_schema.code) == (3, 3)


def test_a_rehearsal_of_long_ago_does_not_count(
    careful: Program, source: Path, target_environment: dict[str, str]
) -> None:
    """Its age is that of its end."""
    assert careful.run("rehearse", "--source", str(source)).code == 0
    memory = Path(careful.environment["XDG_STATE_HOME"], "zenni-tui", "rehearsals.jsonl")
    assert memory.stat().st_mode & 0o777 == 0o600
    known = json.loads(memory.read_text())
    memory.write_text(json.dumps(known | {"at": known["at"] - 169 * 3600}) + "\n")
    refused = careful.run("migrate", "--yes", "--source", str(source), environment=target_environment)
    assert refused.code == 3
    longer = target_environment | {"ZENNI_REHEARSAL_HOURS": "200"}
    assert careful.run("migrate", "--yes", "--source", str(source), environment=longer).code == 0


def test_the_typed_word_goes_into_the_report(
    careful: Program, source: Path, target_environment: dict[str, str]
) -> None:
    """Another word is none; the right one lets it run, and the report says so."""
    arguments = ["migrate", "--yes", "--source", str(source), "--confirm"]
    assert careful.run(*arguments, "YES", environment=target_environment).code == 3
    made = careful.run(*arguments, "UNREHEARSED", environment=target_environment)
    assert (made.code, made.document["verdict"]) == (0, "waiting"), made.narration
    assert rehearsal_of(made)["ok"] is None
    assert "NOT REHEARSED" in (made.folder / "report.md").read_text()


def test_the_word_is_typed_on_the_screen(
    careful: Program, source: Path, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with a screen waits for the word, takes no other, and the report tells who typed it and why."""
    monkeypatch.setenv("XDG_STATE_HOME", careful.environment["XDG_STATE_HOME"])
    target = {k: v for k, v in database.items() if k != "password"}
    request = Request(
        folders.new_run_id(RunKind.MIGRATE),
        RunKind.MIGRATE,
        str(source),
        target,
        keep=True,
        gated=True,
        rehearsal_hours=168.0,
    )
    follower = client.Follower(client.create(request, None))
    engine = client.launch(follower.folder, password=database["password"])
    wait(follower, lambda f: f.state.waiting is not None)
    assert follower.state.waiting
    assert follower.state.waiting.word == "UNREHEARSED"
    assert "not been rehearsed" in follower.state.waiting.question
    refused = follower.send("go")
    assert (refused.ok, "UNREHEARSED" in refused.message) == (False, True)
    assert not follower.send("go", word="UNREHEARSE").ok
    assert follower.send("go", word="UNREHEARSED", why="the window is tonight").ok
    wait(follower, lambda f: f.state.waiting is not None and not f.state.waiting.word)
    assert follower.send("go").ok
    engine.wait(120)
    follower.poll()
    assert follower.state.verdict is Verdict.WAITING, follower.state.problem
    told = (follower.folder / "report.md").read_text()
    assert "NOT REHEARSED" in told
    assert "the window is tonight" in told


def test_a_run_with_a_screen_can_be_stopped_at_the_word(
    careful: Program, source: Path, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped there, nothing is written, and a resume asks again; rehearsed meanwhile, it needs no word."""
    monkeypatch.setenv("XDG_STATE_HOME", careful.environment["XDG_STATE_HOME"])
    target = {k: v for k, v in database.items() if k != "password"}
    run_id = folders.new_run_id(RunKind.MIGRATE)
    request = Request(run_id, RunKind.MIGRATE, str(source), target, keep=True, gated=True, rehearsal_hours=168.0)
    follower = client.Follower(client.create(request, None))
    engine = client.launch(follower.folder, password=database["password"])
    wait(follower, lambda f: f.state.waiting is not None)
    assert follower.send("stop").ok
    engine.wait(120)
    follower.poll()
    assert follower.state.verdict is Verdict.STOPPED
    assert follower.state.step(StepId.PREPARE).state is StepState.PENDING
    assert careful.run("rehearse", "--source", str(source)).code == 0
    engine = client.launch(follower.folder, password=database["password"])
    wait(follower, lambda f: f.state.waiting is not None)
    assert follower.state.waiting
    assert follower.state.waiting.word == ""
    assert follower.send("go").ok
    engine.wait(120)
    follower.poll()
    assert follower.state.verdict is Verdict.WAITING, follower.state.problem


def test_rehearsals_go_to_staging(careful: Program, source: Path, server: Server, database: dict[str, str]) -> None:
    """With staging named a rehearsal never touches the live target, and counts for it."""
    name = f"staging_{secrets.token_hex(4)}"
    server.create_database(name)
    both = {
        "ZENNI_TARGET_URL": make_conninfo("", **database),
        "ZENNI_STAGING_URL": make_conninfo("", **server.conninfo(name)),
    }
    rehearsed = careful.run("rehearse", "--source", str(source), environment=both)
    assert rehearsed.code == 0, rehearsed.narration
    assert rehearsed.document["target"]["database"] == name
    made = careful.run("migrate", "--yes", "--source", str(source), environment=both)
    assert (made.code, made.document["target"]["database"]) == (0, database["dbname"]), made.narration
    server.drop_database(name)
