"""What can go wrong while writes are followed or refused ends loudly, in a run that can go on, and loses nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
import writer
from support import Outcome, Program, follow, kill, wait
from test_following import declared, writing

from zenni_tui.engine.client import Follower
from zenni_tui.model.runbook import StepId, StepState, Verdict

REDEFINED = """
PRAGMA foreign_keys = OFF; BEGIN;
CREATE TABLE "new_Seat" (
  room TEXT NOT NULL, number INTEGER NOT NULL, note TEXT{more}, PRIMARY KEY (room, number)) WITHOUT ROWID;
INSERT INTO "new_Seat" (room, number, note) SELECT room, number, note FROM Seat;
DROP TABLE Seat; ALTER TABLE "new_Seat" RENAME TO Seat; COMMIT;
"""


OTHERS = "Tables of the source are others now than those that were planned."


class Migration:
    """A migration that follows a small source."""

    def __init__(self, program: Program, environment: dict[str, str]) -> None:
        self.program, self._environment = program, environment
        self.source = writer.make(program.home / "app.db")

    def run(self, *words: str) -> Outcome:
        """Run a verb to its end."""
        return self.program.run(*words, environment=self._environment)

    def begin(self, how: str = "follow", *more: str) -> Outcome:
        """Migrate until it waits or fails."""
        return self.run("migrate", "--yes", "--meanwhile", how, "--source", str(self.source), *more)

    def write(self, *statements: str) -> None:
        """Write to the source as the application does."""
        with closing(sqlite3.connect(self.source, timeout=60)) as db:
            db.execute("PRAGMA foreign_keys = ON")
            for statement in statements:
                db.execute(statement)
            db.commit()

    def script(self, text: str) -> None:
        """Run a script of a migration tool's."""
        with closing(sqlite3.connect(self.source, timeout=60, isolation_level=None)) as db:
            db.executescript(text)

    def hand_over(self) -> Follower:
        """Let the run apply and compare what is left, and wait for its end."""
        follower = follow(self.program)
        follower.poll()
        assert follower.send("go").ok
        wait(follower, lambda f: not f.alive)
        follower.poll()
        return follower


@pytest.fixture
def migration(program: Program, target_environment: dict[str, str]) -> Migration:
    """Return a migration that has not begun."""
    return Migration(program, target_environment)


def _running(follower: Follower) -> bool:
    return follower.state.step(StepId.CATCH_UP).state is not StepState.PENDING


def _waiting(follower: Follower) -> bool:
    return follower.state.waiting is not None


@pytest.mark.parametrize("moment", [_running, _waiting])
def test_an_engine_killed_while_it_follows(
    migration: Migration, database: dict[str, str], moment: Callable[[Follower], bool]
) -> None:
    """A resume after a kill -9 goes on where the target stands: every write is there once."""
    with writing(migration.source, pace=0.001):
        starting = migration.program.start(
            "migrate", "--yes", "--meanwhile", "follow", "--source", str(migration.source), "--json",
            environment=migration._environment,
        )  # fmt: skip
        follower = follow(migration.program)
        wait(follower, moment)
        kill(follower)
        starting.communicate(timeout=60)
        outcome = migration.run("resume")
        assert outcome.document["verdict"] == "waiting", outcome.narration
    assert migration.hand_over().state.verdict is Verdict.WAITING
    assert writer.differences(migration.source, database) == []


def test_a_migration_tool_that_rebuilds_a_table(migration: Migration, database: dict[str, str]) -> None:
    """Vanished triggers end the run, naming the table; a resume watches it anew and copies it whole again."""
    migration.begin()
    migration.script(REDEFINED.format(more=""))
    follower = follow(migration.program)
    wait(follower, lambda f: not f.alive)
    follower.poll()
    assert follower.state.verdict is Verdict.FAILED
    assert follower.state.problem is not None
    assert "Seat" in follower.state.problem.where
    migration.write("DELETE FROM Seat WHERE number < 100", "INSERT INTO Seat VALUES ('z', 1, 'unseen')")
    assert migration.run("resume").document["verdict"] == "waiting"
    migration.write("UPDATE Seat SET note = 'seen' WHERE number = 101")
    assert migration.hand_over().state.verdict is Verdict.WAITING
    assert writer.differences(migration.source, database) == []


def test_a_table_that_was_changed_is_not_followed(migration: Migration) -> None:
    """A table that is another now than the one that was planned is refused, also after a resume."""
    migration.begin()
    migration.script(REDEFINED.format(more=", more TEXT"))
    wait(follow(migration.program), lambda f: not f.alive)
    outcome = migration.run("resume")
    assert (outcome.code, outcome.document["problem"]["what"]) == (
        1,
        OTHERS,
    )
    assert migration.run("rollback").code == 5


@pytest.mark.parametrize(
    ("there", "back", "told"),
    [
        ("CREATE TABLE Extra (id INTEGER PRIMARY KEY, word TEXT)", "DROP TABLE Extra", 'table "Extra" is new'),
        (
            "ALTER TABLE Seat DROP COLUMN note",
            "ALTER TABLE Seat ADD COLUMN note TEXT",
            'column "note" is gone in table "Seat"',
        ),
    ],
)
def test_what_is_declared_meanwhile_is_noticed(
    migration: Migration, database: dict[str, str], there: str, back: str, told: str
) -> None:
    """A table or column that comes or goes while following ends the run, with its name.

    Once it is taken back a resume goes on and loses nothing, not even what a column lost on the way.
    """
    migration.begin()
    migration.script(there)
    follower = follow(migration.program)
    wait(follower, lambda f: not f.alive)
    follower.poll()
    problem = follower.state.problem
    assert problem is not None
    assert (problem.what, told in problem.where) == (OTHERS, True), problem
    assert "zenni-tui resume" in problem.next_step
    assert migration.run("resume").document["problem"]["what"] == OTHERS
    migration.script(back)
    migration.write("INSERT INTO Visit VALUES ('later', 7)")
    assert migration.run("resume").document["verdict"] == "waiting"
    assert migration.hand_over().state.verdict is Verdict.WAITING
    assert writer.differences(migration.source, database) == []


UNREADABLE = "date_unreadable/Booking/start"


def test_a_repair_chosen_for_what_is_written_meanwhile(migration: Migration, database: dict[str, str]) -> None:
    """A value that can't be carried ends the run with offers; one chosen by the command line holds for all such."""
    migration.begin()
    migration.write("UPDATE Booking SET start = 'soon' WHERE id IN (7, 8)")
    follower = follow(migration.program)
    wait(follower, lambda f: not f.alive)
    follower.poll()
    problem, finding = follower.state.problem, next(f for f in follower.state.findings if f.id == UNREADABLE)
    assert problem is not None
    assert "key 7; 8" in problem.where
    assert f"zenni-tui resume --repair '{UNREADABLE}=to_null'" in problem.next_step
    assert [r.id for r in finding.repairs] == ["to_null", "to_value:"]
    for refused in (f"{UNREADABLE}=type:text", "date_unreadable/Seat/note=to_null"):
        assert migration.run("resume", "--repair", refused).code == 2
    resumed = migration.run("resume", "--repair", f"{UNREADABLE}=to_null")
    assert resumed.document["verdict"] == "waiting", resumed.narration
    assert resumed.finding("date_unreadable")["chosen"] == "to_null"
    migration.write("UPDATE Booking SET start = 'later' WHERE id = 9", "UPDATE Booking SET start = 5 WHERE id = 8")
    assert migration.hand_over().state.verdict is Verdict.WAITING
    with psycopg.connect(**database) as target:
        found = target.execute('SELECT id FROM "Booking" WHERE start IS NULL ORDER BY 1').fetchall()
    assert found == [(7,), (9,)]


def test_rows_kept_out_of_what_is_written_meanwhile(migration: Migration, database: dict[str, str]) -> None:
    """Rows with such values leave the target for the side table, later ones too; a mended one comes back."""
    migration.begin()
    migration.write("UPDATE Setting SET value = 'words' WHERE name = 'k7'")
    wait(follow(migration.program), lambda f: not f.alive)
    resumed = migration.run("resume", "--repair", "not_a_blob/Setting/value=quarantine")
    assert resumed.document["verdict"] == "waiting", resumed.narration
    migration.write(
        "UPDATE Setting SET value = 'more words' WHERE name IN ('k8', 'k9')",
        "UPDATE Setting SET value = x'01' WHERE name = 'k1'",
    )
    kept_out = "SELECT stored->>'name' FROM zenni_tui.quarantine ORDER BY 1"
    with psycopg.connect(**database, autocommit=True) as target:
        wait(follow(migration.program), lambda _: len(target.execute(kept_out).fetchall()) == 3)
        migration.write("UPDATE Setting SET value = x'02' WHERE name = 'k8'")
        ended = migration.hand_over().state
        assert ended.verdict is Verdict.WAITING
        assert "2 rows kept out by choice" in ended.step(StepId.CATCH_UP).checks[-2].found
        assert target.execute(kept_out).fetchall() == [("k7",), ("k9",)]
        found = target.execute("SELECT name, value FROM \"Setting\" WHERE name IN ('k1', 'k7', 'k8', 'k9') ORDER BY 1")
        assert found.fetchall() == [("k1", b"\x01"), ("k8", b"\x02")]
        assert target.execute('SELECT count(*) FROM "Setting"').fetchone() == (48,)


def test_a_value_mended_in_the_application(migration: Migration, database: dict[str, str]) -> None:
    """What could not be carried is written again in a form that can; a resume goes on, and nothing blocks any more."""
    migration.begin()
    migration.write("UPDATE Seat SET note = 'a' || char(0) WHERE number = 7")
    wait(follow(migration.program), lambda f: not f.alive)
    migration.write("UPDATE Seat SET note = 'a' WHERE number = 7")
    resumed = migration.run("resume")
    assert resumed.document["verdict"] == "waiting", resumed.narration
    assert resumed.finding("text_nul")["severity"] == "info"
    assert migration.hand_over().state.verdict is Verdict.WAITING
    assert writer.differences(migration.source, database) == []


def test_another_key_than_was_watched(migration: Migration, database: dict[str, str]) -> None:
    """A table whose primary key stays behind is followed by the key that the target has instead.

    A key whose case changes, where none counts, is one row all the same.
    """
    migration.script(
        "CREATE TABLE Tag (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, n INTEGER);"
        "CREATE TABLE Code (id TEXT NOT NULL PRIMARY KEY COLLATE NOCASE, n INTEGER);"
        "INSERT INTO Code VALUES ('a', 1), ('b', 2);"
    )
    migration.write("INSERT INTO Tag VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    config = migration.program.home / "config.toml"
    config.write_text('[source]\nexclude = ["Tag.id"]\n')
    assert migration.begin("follow", "--config", str(config)).document["verdict"] == "waiting"
    migration.write("UPDATE Code SET id = 'A', n = 3 WHERE id = 'a'", "UPDATE Code SET n = 4 WHERE id = 'B'")
    migration.write("UPDATE Tag SET word = 'z' WHERE id = 1", "DELETE FROM Tag WHERE id = 2", "UPDATE Tag SET n = 9")
    assert migration.hand_over().state.verdict is Verdict.WAITING
    with psycopg.connect(**database) as target:
        assert target.execute('SELECT word, n FROM "Tag" ORDER BY 1').fetchall() == [("c", 9), ("z", 9)]
        assert target.execute('SELECT id, n FROM "Code" ORDER BY 2').fetchall() == [("A", 3), ("b", 4)]


def test_a_difference_is_seen(migration: Migration, database: dict[str, str]) -> None:
    """Rows that somebody else changes in the target are found when what was changed is compared."""
    migration.begin()
    migration.write("UPDATE Setting SET value = x'00' WHERE name = 'k7'", "DELETE FROM Seat WHERE number = 3")
    wait(follow(migration.program), lambda f: f.state.lag is not None and _applied(database))
    with psycopg.connect(**database) as target:
        target.execute("UPDATE \"Setting\" SET value = '\\x01' WHERE name = 'k7'")
        target.execute("INSERT INTO \"Seat\" VALUES ('p', 3, 'back again')")
    follower = migration.hand_over()
    assert follower.state.verdict is Verdict.FAILED
    assert follower.state.problem is not None
    assert follower.state.problem.what == "2 of the rows changed since the verification differ."
    assert len((follower.folder / "differences.jsonl").read_text().splitlines()) == 2


def test_a_difference_is_seen_long_before_the_switch(migration: Migration, database: dict[str, str]) -> None:
    """What was changed is compared again and again while changes are followed; a difference ends the run loudly."""
    migration.begin()
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.value := ''x''; RETURN NEW; END';"
            'CREATE TRIGGER spoil BEFORE UPDATE ON "Setting" FOR EACH ROW EXECUTE FUNCTION spoil()'
        )
    migration.write(
        "UPDATE Setting SET value = x'00' WHERE name = 'k7'",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000)"
        " INSERT INTO Seat SELECT 'hall', i, NULL FROM n",
    )
    follower = follow(migration.program)
    wait(follower, lambda f: not f.alive)
    follower.poll()
    assert follower.state.verdict is Verdict.FAILED
    assert follower.state.problem is not None
    assert (follower.state.problem.what[:9], follower.state.problem.where) == (
        "1 of the ",
        'table "Setting", key k7, column value',
    )


def _applied(database: dict[str, str]) -> bool:
    with psycopg.connect(**database) as target:
        return target.execute('SELECT 1 FROM "Seat" WHERE number = 3').fetchone() is None


def test_refused_writes(migration: Migration, database: dict[str, str]) -> None:
    """A run that refuses writes loads a source that nobody changes, and every way back lets them in again."""
    before = declared(migration.source)
    outcome = migration.begin("refuse")
    assert (outcome.code, outcome.document["verdict"]) == (0, "waiting"), outcome.narration
    assert outcome.step("catch_up")["summary"] == "not asked for"
    with pytest.raises(sqlite3.IntegrityError, match="read-only"):
        migration.write("DELETE FROM Seat")
    assert writer.differences(migration.source, database) == []
    assert migration.run("rollback").code == 5
    assert declared(migration.source) == before
    migration.write("DELETE FROM Seat")


def test_a_run_that_is_not_ready_leaves_no_trace(migration: Migration, database: dict[str, str]) -> None:
    """A migration that the audit blocks takes its triggers out; once mended it goes on with a snapshot of its own."""
    before = declared(migration.source)
    migration.write("INSERT INTO Visit VALUES ('a' || char(0) || 'b', 1)")
    assert migration.begin().code == 3
    assert declared(migration.source) == before
    migration.write("DELETE FROM Visit WHERE at = 1 AND instr(said, char(0))", "DELETE FROM Setting WHERE name = 'k1'")
    again = migration.run("resume")
    assert again.document["verdict"] == "waiting", again.narration
    migration.write("DELETE FROM Setting WHERE name = 'k2'")
    assert migration.hand_over().state.verdict is Verdict.WAITING
    assert writer.differences(migration.source, database) == []


def test_a_stopped_run_stays_armed_until_it_is_rolled_back(migration: Migration) -> None:
    """Stopping keeps the log, so that a resume misses nothing; another run is refused meanwhile; rollback ends it."""
    before = declared(migration.source)
    migration.begin()
    assert migration.run("stop").code == 4
    stopped = follow(migration.program).folder
    other = migration.run("rehearse", "--meanwhile", "follow", "--source", str(migration.source), "--target", "")
    assert (other.code, other.document["problem"]["what"]) == (3, "Another run follows this source.")
    assert declared(migration.source) != before
    assert migration.run("rollback", "--run-dir", str(stopped)).code == 5
    assert declared(migration.source) == before


_DESTRUCTIVE = (
    ("rollback",),
    ("resume",),
    ("verify", "--repair"),
    ("migrate", "--yes", "--source", "app.db"),
    ("rehearse", "--source", "app.db"),
)


def test_nothing_is_taken_back_after_go_live(migration: Migration, database: dict[str, str]) -> None:
    """Once the target is marked as live every verb that would drop, empty or load its tables refuses, and says why."""
    migration.begin("nothing")
    with psycopg.connect(**database) as target:
        target.execute("UPDATE zenni_tui.run SET live_since = now()")
        before = target.execute('SELECT count(*) FROM "Booking"').fetchone()
    for words in _DESTRUCTIVE:
        outcome = migration.run(*words)
        assert outcome.code == 3, outcome.narration
        assert "The application works on this target" in outcome.document["problem"]["what"], words
        with psycopg.connect(**database) as target:
            assert target.execute('SELECT count(*) FROM "Booking"').fetchone() == before


_OBSTACLES = {
    "collation": ("CREATE TABLE T (id TEXT PRIMARY KEY COLLATE finnish, n INTEGER)", "FINNISH"),
    "name": ("CREATE TABLE TXX (id INTEGER PRIMARY KEY)", "is not valid UTF-8"),
}


@pytest.mark.parametrize("kind", _OBSTACLES)
def test_tables_that_cannot_be_watched(migration: Migration, kind: str) -> None:
    """What no trigger can name, or no key can find, is refused before anything is put into the source."""
    sql, why = _OBSTACLES[kind]
    with closing(sqlite3.connect(migration.source)) as db:
        db.create_collation("finnish", lambda a, b: (a > b) - (a < b))
        db.execute(sql)
        db.executescript("PRAGMA writable_schema = ON")
        for column in ("name", "tbl_name", "sql"):
            replaced = f"CAST(replace(CAST({column} AS BLOB), x'5858', x'e9') AS TEXT)"
            db.execute(f"UPDATE sqlite_schema SET {column} = {replaced}")
        db.commit()
    outcome = migration.begin()
    assert (outcome.code, outcome.document["problem"]["what"]) == (3, "The application's writes can't be followed.")
    assert why in outcome.document["problem"]["why"]
    with closing(sqlite3.connect(migration.source)) as db:
        ours = db.execute("SELECT count(*) FROM sqlite_schema WHERE CAST(name AS BLOB) GLOB 'zenni*'")
        assert ours.fetchone() == (0,)
