"""Rights and row security of tables that the application's own migrations have made in the target."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import likeness
import postgres17
import pytest
from postgres17 import Postgres17
from psycopg.conninfo import make_conninfo
from support import Outcome, Program

from zenni_tui.target import catalogue


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres17]:
    """Yield PostgreSQL 17."""
    with postgres17.running() as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of a small database with a counter and a reference."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            "CREATE TABLE owner (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);"
            "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owner);"
        )
        made.executemany("INSERT INTO owner VALUES (?, ?)", [(i, f"owner {i}") for i in range(1, 51)])
        made.executemany("INSERT INTO pet VALUES (?, ?)", [(i, i % 50 + 1) for i in range(100)])
        made.commit()
    return str(path)


@pytest.fixture
def migrated(program: Program, server: Postgres17, source: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield a project of Supabase's kind whose empty tables are there already, and a role for its application."""
    project = likeness.make_project(server)
    app = f"app_{project.role}"
    server.execute(f"CREATE ROLE {app} LOGIN PASSWORD 'app'")
    ddl = program.start("plan", "--ddl", "--source", source).communicate(timeout=60)[0]
    info = server.conninfo(project.database, project.role, project.password)
    with server.session(project.database) as session:
        session.execute(f"SET ROLE {project.role}")
        session.execute(ddl.replace('CREATE SCHEMA "public";', "").replace("CREATE SCHEMA public;", "").encode())
        session.execute("GRANT SELECT (name) ON owner TO anon WITH GRANT OPTION")
    yield info, app
    server.drop_database(project.database)


def rehearse(program: Program, source: str, info: dict[str, str], app: str, choice: str) -> Outcome:
    """Rehearse with the application's role and a choice on what the internet may see, and keep what was made."""
    config = Path(program.home, "config.toml")
    chosen = f'open_to_api = "{choice}"' if choice else ""
    config.write_text(f'[target]\napplication_role = "{app}"\n[schema.repairs]\n{chosen}')
    config.chmod(0o600)
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **info)}
    return program.run("rehearse", "--source", source, "--config", str(config), "--keep", environment=environment)


@pytest.mark.parametrize("choice", ["", "rls_enable", "api_revoke"])
def test_they_are_closed_and_opened_as_tables_of_our_own(
    program: Program, server: Postgres17, source: str, migrated: tuple[dict[str, str], str], choice: str
) -> None:
    """Undecided they are told to be open; decided, who may see them is as planned, verified, and all given back."""
    info, app = migrated
    with server.session(info["dbname"]) as session:
        before = catalogue.fingerprint(session)
        made = rehearse(program, source, info, app, choice)
        assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
        assert "adopted" in [c["name"] for c in made.step("plan")["checks"]]
        assert made.finding("open_to_api")["chosen"] == (choice or None)
        assert ("open to anon" in made.step("verify")["summary"]) is (choice == "")
        assert likeness.seen_by(session, "anon") == {"": 50, "rls_enable": 0, "api_revoke": None}[choice]
        assert likeness.seen_by(session, app) == 50
        session.execute(f"SET ROLE {app}".encode())
        session.execute("INSERT INTO owner (name) VALUES ('new')")
        session.execute("RESET ROLE")
        undone = program.run("rollback", environment={"ZENNI_TARGET_URL": make_conninfo("", **info)})
        assert undone.code == 5, undone.narration
        assert catalogue.fingerprint(session) == before
        assert likeness.seen_by(session, "anon") == 0


def test_row_security_of_theirs_stays_and_what_it_hides_is_told(
    program: Program, server: Postgres17, source: str, migrated: tuple[dict[str, str], str]
) -> None:
    """A table of theirs with row security needs a policy for the application's role; changed rights are noticed."""
    info, app = migrated
    server.execute(
        "ALTER TABLE owner ENABLE ROW LEVEL SECURITY; ALTER TABLE pet ENABLE ROW LEVEL SECURITY", info["dbname"]
    )
    server.execute(f"CREATE POLICY theirs ON pet TO {app} USING (id > 0)", info["dbname"])
    made = rehearse(program, source, info, app, "")
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    hidden = [f for f in made.document["findings"] if f["code"] == "application_sees_no_rows"]
    assert [(f["table"], f["severity"]) for f in hidden] == [("owner", "warning")]
    assert not [f for f in made.document["findings"] if f["code"] == "open_to_api"]
    server.execute(f"ALTER TABLE owner DISABLE ROW LEVEL SECURITY; REVOKE DELETE ON pet FROM {app}", info["dbname"])
    again = program.run("verify", environment={"ZENNI_TARGET_URL": make_conninfo("", **info)})
    assert again.code == 1
    told = " ".join(c["found"] for c in again.step("verify")["checks"] if c["ok"] is False)
    assert "row security is not the plan's" in told
    assert "lacks rights" in told


def test_row_security_that_binds_us_blocks(program: Program, server: Postgres17, source: str) -> None:
    """A table whose owner is bound by its policies can't be loaded by it: told before anything is written."""
    name = f"bound_{secrets.token_hex(4)}"
    server.create_database(name)
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'bound'; GRANT ALL ON DATABASE {name} TO {name}")
    server.execute(f"GRANT ALL ON SCHEMA public TO {name}", name)
    ddl = program.start("plan", "--ddl", "--source", source).communicate(timeout=60)[0]
    with server.session(name) as session:
        session.execute(f"SET ROLE {name}")
        session.execute(ddl.replace('CREATE SCHEMA "public";', "").replace("CREATE SCHEMA public;", "").encode())
        session.execute("ALTER TABLE pet ENABLE ROW LEVEL SECURITY; ALTER TABLE pet FORCE ROW LEVEL SECURITY")
    made = rehearse(program, source, server.conninfo(name, name, "bound"), "", "")
    assert made.code == 3
    assert made.finding("row_security_forced")["table"] == "pet"
    assert "NO FORCE" in made.finding("row_security_forced")["advice"]
    assert made.step("prepare")["state"] == "pending"
    server.drop_database(name)
    server.execute(f"DROP ROLE {name}")
