"""The whole rehearsal through lines, poolers, roles and limits as real targets have them, on a second version."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import certificates
import likeness
import pgbouncer
import postgres17
import pytest
from postgres17 import Postgres17
from psycopg.conninfo import make_conninfo
from support import Outcome, Program

from zenni_tui.engine import client
from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId, Verdict
from zenni_tui.sandbox.sample import SampleApplication
from zenni_tui.target import catalogue

AUTHORITY = certificates.authority()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres17]:
    """Yield PostgreSQL 17 with TLS."""
    with postgres17.running() as made:
        made.show(certificates.issued(AUTHORITY, "127.0.0.1"))
        yield made


@pytest.fixture
def empty(server: Postgres17) -> Iterator[str]:
    """Yield the name of an empty database."""
    name = f"test_{secrets.token_hex(6)}"
    server.create_database(name)
    yield name
    server.drop_database(name)


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of a small database with keys, references and a default."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            "CREATE TABLE owner (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);"
            "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE,"
            " born DATETIME DEFAULT CURRENT_TIMESTAMP, weight REAL);"
            "CREATE INDEX pet_owner ON pet (owner);"
        )
        made.executemany("INSERT INTO owner VALUES (?, ?)", [(i, f"owner {i}") for i in range(1, 201)])
        made.executemany(
            "INSERT INTO pet (id, owner, weight) VALUES (?, ?, ?)", [(i, i % 200 + 1, i / 7) for i in range(1000)]
        )
        made.commit()
    return str(path)


def rehearse(program: Program, source: str, conninfo: dict[str, str], *options: str) -> Outcome:
    """Rehearse into a target and return the outcome."""
    return program.run(
        "rehearse", "--source", source, *options, environment={"ZENNI_TARGET_URL": make_conninfo("", **conninfo)}
    )


def check_of(outcome: Outcome, name: str) -> dict[str, str]:
    """Return one check of the prerequisites."""
    return next(c for c in outcome.step("reach")["checks"] if c["name"] == name)


def test_a_verified_line_to_another_version(program: Program, server: Postgres17, empty: str, source: str) -> None:
    """PostgreSQL 17, TLS with verify-full: everything passes and everything is taken back."""
    root = AUTHORITY.write(Path(program.home), "root")[0]
    info = server.conninfo(empty) | {"sslmode": "verify-full", "sslrootcert": str(root)}
    made = rehearse(program, source, info)
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    assert made.document["target"]["server_version"].startswith("17")
    assert "authority and name checked" in check_of(made, "tls")["found"]


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler(program: Program, server: Postgres17, empty: str, source: str, mode: str) -> None:
    """In session mode the rehearsal passes; in transaction mode the ladder refuses it, before anything is written."""
    with pgbouncer.pooled(server, mode) as port:
        made = rehearse(program, source, server.conninfo(empty) | {"port": str(port)})
    if mode == "session":
        assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
        return
    assert (made.code, made.document["verdict"]) == (3, "not_ready")
    assert check_of(made, "pooler")["ok"] is False
    assert "pool_mode = session" in made.document["problem"]["next_step"]
    assert "5432" in made.document["problem"]["next_step"]


def test_a_pool_that_is_just_large_enough(program: Program, server: Postgres17, empty: str, source: str) -> None:
    """With as many sessions as the ladder asks for all workers work; with one less one does, which is told."""
    for size, short in ((6, False), (5, True)):
        with pgbouncer.pooled(server, "session", size=size) as port:
            made = rehearse(program, source, server.conninfo(empty) | {"port": str(port)})
        assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
        assert ("Going on with 1 of 2 workers." in made.narration) is short
    assert check_of(made, "limits")["ok"] is None
    assert "6 sessions are wanted and 5 were given" in check_of(made, "limits")["found"]
    assert "raise the pool's size" in check_of(made, "limits")["advice"]


def test_a_run_keeps_within_the_sessions_that_there_are(
    program: Program, server: Postgres17, empty: str, make_sample: Callable[..., SampleApplication]
) -> None:
    """A server that gives a role four sessions gets one worker instead of two, and never sees a fifth session."""
    role = f"few_{secrets.token_hex(4)}"
    server.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 4; GRANT ALL ON DATABASE {empty} TO {role}"
    )
    server.execute(f"GRANT ALL ON SCHEMA public TO {role}", empty)
    info = server.conninfo(empty) | {"user": role, "password": "few"}
    made = rehearse(program, str(make_sample(bookings=20_000).database), info)
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    assert "Going on with 1 of 2 workers." in made.narration
    assert "room for 1 worker instead of 2" in check_of(made, "limits")["found"]
    assert "trying again" not in made.narration
    server.execute(f"DROP OWNED BY {role}", empty)
    server.execute(f"REVOKE ALL ON DATABASE {empty} FROM {role}; DROP ROLE {role}")


def test_limits_of_a_small_server(program: Program, server: Postgres17, empty: str, source: str) -> None:
    """A statement_timeout of 2 s and just six sessions don't stop a run; three sessions do, at the ladder."""
    role = f"small_{secrets.token_hex(4)}"
    server.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD 'small' CONNECTION LIMIT 6; GRANT ALL ON DATABASE {empty} TO {role}"
    )
    server.execute(f"ALTER ROLE {role} SET statement_timeout = '2s'; ALTER ROLE {role} SET idle_session_timeout = '2s'")
    server.execute(f"GRANT ALL ON SCHEMA public TO {role}", empty)
    info = server.conninfo(empty) | {"user": role, "password": "small"}
    made = rehearse(program, source, info)
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    assert "2s" in check_of(made, "limits")["found"].replace("2000ms", "2s")
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 3")
    refused = rehearse(program, source, info)
    assert refused.code == 3
    assert check_of(refused, "limits")["ok"] is False
    server.execute(f"DROP OWNED BY {role}", empty)
    server.execute(f"REVOKE ALL ON DATABASE {empty} FROM {role}; DROP ROLE {role}")


def test_what_stood_in_the_way_is_looked_at_again_alone(
    program: Program, server: Postgres17, empty: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its cause is mended just the rung that broke is climbed; what the others found stands, the run goes on."""
    role = f"tight_{secrets.token_hex(4)}"
    server.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD 'tight' CONNECTION LIMIT 3; GRANT ALL ON DATABASE {empty} TO {role}"
    )
    server.execute(f"GRANT ALL ON SCHEMA public TO {role}", empty)
    info = server.conninfo(empty) | {"user": role, "password": "tight"}
    refused = rehearse(program, source, info)
    assert check_of(refused, "limits")["ok"] is False
    server.execute(f"ALTER ROLE {role} CONNECTION LIMIT 10")
    monkeypatch.setenv("XDG_STATE_HOME", program.environment["XDG_STATE_HOME"])
    before = client.Follower(refused.folder)
    before.poll()
    client.launch(refused.folder, action="check", password=info["password"]).wait(60)
    told = [entry.what for entry in before.poll() if isinstance(entry.what, e.CheckMade)]
    assert [(c.name, c.ok) for c in told] == [("limits", True)]
    assert [c.name for c in before.state.step(StepId.REACH).checks].count("limits") == 1
    assert before.state.verdict is Verdict.STOPPED
    resumed = program.run("resume", environment={"ZENNI_TARGET_URL": make_conninfo("", **info)})
    assert (resumed.code, resumed.document["verdict"]) == (0, "passed"), resumed.narration
    server.execute(f"DROP OWNED BY {role}", empty)
    server.execute(f"REVOKE ALL ON DATABASE {empty} FROM {role}; DROP ROLE {role}")


def test_a_read_only_server(program: Program, server: Postgres17, empty: str, source: str) -> None:
    """It is refused before the snapshot is taken."""
    server.execute(f"ALTER DATABASE {empty} SET default_transaction_read_only = on")
    made = rehearse(program, source, server.conninfo(empty))
    assert made.code == 3
    assert check_of(made, "server")["ok"] is False
    assert made.step("snapshot")["state"] == "pending"


def test_a_project_of_supabase(program: Program, server: Postgres17, source: str) -> None:
    """As its customer's role, which is no superuser, beside its schemas, directly and through a session pooler."""
    project = likeness.make_project(server)
    info = server.conninfo(project.database, project.role, project.password)
    before = rows_of_platform(server, project)
    assert rehearse(program, source, info).code == 0
    with pgbouncer.pooled(server, "session", users={project.role: project.password}) as port:
        made = rehearse(program, source, info | {"port": str(port)})
    assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
    assert "no superuser" in check_of(made, "rights")["found"]
    assert "120000ms" in check_of(made, "limits")["found"]
    assert rows_of_platform(server, project) == before


@pytest.mark.parametrize("choice", ["", "rls_enable", "api_revoke", "leave_open"])
def test_tables_that_the_internet_could_read(program: Program, server: Postgres17, source: str, choice: str) -> None:
    """Undecided, the verdict warns; decided, the tables are closed as chosen, verified, and all of it is taken back."""
    project = likeness.make_project(server)
    server.execute(f"CREATE ROLE app_{project.role} LOGIN PASSWORD 'app'")
    config = Path(program.home, "config.toml")
    chosen = f'open_to_api = "{choice}"' if choice else ""
    config.write_text(f'[target]\napplication_role = "app_{project.role}"\n[schema.repairs]\n{chosen}')
    config.chmod(0o600)
    info = server.conninfo(project.database, project.role, project.password)
    with server.session(project.database) as session:
        before = catalogue.fingerprint(session)
        made = rehearse(program, source, info, "--config", str(config), "--keep")
        assert (made.code, made.document["verdict"]) == (0, "passed"), made.narration
        finding = made.finding("open_to_api")
        assert (finding["severity"], finding["chosen"]) == ("warning", choice or None)
        assert ("open to anon" in made.step("verify")["summary"]) is (choice in ("", "leave_open"))
        assert (
            likeness.seen_by(session, "anon")
            == {"": 200, "leave_open": 200, "rls_enable": 0, "api_revoke": None}[choice]
        )
        assert likeness.seen_by(session, f"app_{project.role}") == 200
        session.execute(f"SET ROLE app_{project.role}")
        session.execute("INSERT INTO owner (name) VALUES ('new')")
        session.execute("RESET ROLE")
        session.execute("DELETE FROM owner WHERE name = 'new'")
        undone = program.run("rollback", environment={"ZENNI_TARGET_URL": make_conninfo("", **info)})
        assert undone.code == 5, undone.narration
        assert catalogue.fingerprint(session) == before


def test_a_role_of_the_application_that_is_not_there(
    program: Program, server: Postgres17, empty: str, source: str
) -> None:
    """It blocks before anything is written."""
    config = Path(program.home, "config.toml")
    config.write_text('[target]\napplication_role = "nobody_here"')
    made = rehearse(program, source, server.conninfo(empty), "--config", str(config))
    assert made.code == 3
    assert made.finding("application_role_missing")["severity"] == "error"
    assert made.step("prepare")["state"] == "pending"


def test_rights_that_were_changed_afterwards_are_noticed(program: Program, server: Postgres17, source: str) -> None:
    """Verification looks at rights and row security as the server judges them."""
    project = likeness.make_project(server)
    server.execute(f"CREATE ROLE app_{project.role} LOGIN")
    config = Path(program.home, "config.toml")
    config.write_text(
        f'[target]\napplication_role = "app_{project.role}"\n[schema.repairs]\nopen_to_api = "api_revoke"'
    )
    info = server.conninfo(project.database, project.role, project.password)
    assert rehearse(program, source, info, "--config", str(config), "--keep").code == 0
    server.execute(f"GRANT SELECT ON pet TO anon; REVOKE DELETE ON owner FROM app_{project.role}", project.database)
    server.execute("ALTER TABLE pet ENABLE ROW LEVEL SECURITY", project.database)
    made = program.run("verify", environment={"ZENNI_TARGET_URL": make_conninfo("", **info)})
    assert made.code == 1
    told = [c["found"] for c in made.step("verify")["checks"] if c["ok"] is False]
    for words in ("still have rights", "lacks rights", "row security is not the plan's"):
        assert any(words in line for line in told), told


def rows_of_platform(server: Postgres17, project: likeness.Project) -> list[tuple[object, ...]]:
    """Return what the platform's own schemas hold."""
    with server.session(project.database) as session:
        return session.execute("SELECT * FROM auth.users UNION ALL SELECT * FROM storage.objects").fetchall()


def test_a_check_tells_all_rungs(program: Program, server: Postgres17, empty: str, source: str) -> None:
    """`check --json` is what one attaches to a report: every rung with what was tried and found, and no password."""
    url = make_conninfo("", **server.conninfo(empty))
    made = program.run("check", "--source", source, environment={"ZENNI_TARGET_URL": url})
    assert made.code == 0, made.narration
    rungs = ["name", "tcp", "tls", "login", "server", "pooler", "rights", "limits", "line", "contents"]
    assert [c["name"] for c in made.step("reach")["checks"] if c["name"] in rungs] == rungs
    assert all(c["tried"] and c["found"] for c in made.step("reach")["checks"] if c["name"] in rungs)
    assert server.password not in str(made.document) + made.narration
    alone = program.run("check", "--source", source, "--rung", "tls", environment={"ZENNI_TARGET_URL": url})
    assert [c["name"] for c in alone.step("reach")["checks"]] == ["tls"]
    assert alone.code == 0
    unknown = program.run("check", "--source", source, "--rung", "tsl", environment={"ZENNI_TARGET_URL": url})
    assert unknown.code == 2
    assert "Known: name, tcp, tls" in unknown.document["problem"]["next_step"]
