"""Writes of the application reach the target exactly once, whatever they do, while it serves on."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from inspected import schema_of

from zenni_tui.convert import encode
from zenni_tui.errors import Occupied, StepFailed
from zenni_tui.model.plan import ColumnPlan, ForeignKeyPlan, IndexPlan, KeyPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.source import capture, live
from zenni_tui.steps import forward
from zenni_tui.target import bookkeeping, changes, load
from zenni_tui.target.connect import Target

Session = psycopg.Connection[tuple[Any, ...]]

FILE = """
CREATE TABLE Service (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL, place INTEGER NOT NULL UNIQUE);
CREATE TABLE Booking (
  id INTEGER PRIMARY KEY, service TEXT NOT NULL REFERENCES Service ON DELETE RESTRICT ON UPDATE CASCADE,
  "start" DATETIME, code TEXT UNIQUE, parent INTEGER REFERENCES Booking ON DELETE CASCADE);
CREATE TABLE Pair (a TEXT, b INTEGER, note TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE Loose (note TEXT);
INSERT INTO Service VALUES ('a', 'Sauna', 10, 1), ('b', 'Hieronta', 55.5, 2), ('c', 'Uni', NULL, 3);
INSERT INTO Booking VALUES
  (1, 'a', 1767225600000, 'x', NULL), (2, 'a', '2026-01-01 12:00:00', 'y', 1), (7, 'b', 1767225600001, NULL, 2);
INSERT INTO Pair VALUES ('p', 1, 'x'), ('p', 2, NULL), ('q', 1, 'é');
INSERT INTO Loose VALUES ('x'), ('x'), (NULL);
"""
TEXT, BIG = TargetType(Kind.TEXT), TargetType(Kind.BIGINT)


def column(name: str, kind: TargetType, *, not_null: bool = False) -> ColumnPlan:
    """Return a column that is named as in the source."""
    return ColumnPlan(name, name, kind, not_null)


PLAN = Plan(
    "public",
    (
        TablePlan(
            "Service",
            "Service",
            (
                column("id", TEXT, not_null=True),
                column("name", TEXT, not_null=True),
                column("price", TargetType(Kind.DOUBLE)),
                column("place", BIG, not_null=True),
            ),
            KeyPlan("Service_pkey", ("id",)),
        ),
        TablePlan(
            "Booking",
            "bookings %s",
            (
                ColumnPlan("id", "booking id", BIG, not_null=True),
                column("service", TEXT, not_null=True),
                column("start", TargetType(Kind.TIMESTAMP, 3)),
                column("code", TEXT),
                column("parent", BIG),
            ),
            KeyPlan("b", ("booking id",)),
        ),
        TablePlan(
            "Pair", "Pair", (column("a", TEXT), column("b", BIG), column("note", TEXT)), KeyPlan("p", ("a", "b"))
        ),
        TablePlan("Loose", "Loose", (column("note", TEXT),)),
    ),
    indexes=(
        IndexPlan("Service_name_key", "Service", ("name",), unique=True),
        IndexPlan("Service_place_key", "Service", ("place",), unique=True),
        IndexPlan("code %s", "bookings %s", ("code",), unique=True),
    ),
    foreign_keys=(
        ForeignKeyPlan("fk %s", "bookings %s", ("service",), "Service", ("id",)),
        ForeignKeyPlan("self", "bookings %s", ("parent",), "bookings %s", ("booking id",)),
    ),
)
TABLES = """
CREATE TABLE "Service" (id text PRIMARY KEY, name text NOT NULL, price double precision, place bigint NOT NULL);
CREATE TABLE "bookings %s" ("booking id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, service text NOT NULL,
  start timestamp(3), code text, parent bigint);
CREATE TABLE "Pair" (a text, b bigint, note text, PRIMARY KEY (a, b));
CREATE TABLE "Loose" (note text);
CREATE UNIQUE INDEX "Service_name_key" ON "Service" (name);
CREATE UNIQUE INDEX "Service_place_key" ON "Service" (place);
CREATE UNIQUE INDEX "code %s" ON "bookings %s" (code);
ALTER TABLE "bookings %s" ADD CONSTRAINT "fk %s" FOREIGN KEY (service) REFERENCES "Service"
  ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "bookings %s" ADD CONSTRAINT self FOREIGN KEY (parent) REFERENCES "bookings %s" ON DELETE CASCADE;
"""


class Ground:
    """An application's file and a target that hold the same, with changes followed forwards."""

    def __init__(self, path: Path, target: Session) -> None:
        self.app = sqlite3.connect(path, isolation_level=None)
        self.app.executescript(FILE)
        self.app.execute("PRAGMA foreign_keys = ON")
        self.schema = schema_of(path)
        self.file, self.target = live.open_live(path), target
        capture.arm(self.file, self.schema, forward.keys(PLAN), "t")
        target.execute(TABLES)
        row = bookkeeping.RunRow("run", "migrate", "public", "s", "p", "f")
        self.ticket = load.Ticket("run", bookkeeping.begin(target, row, "tests"))
        for table in PLAN.tables:
            names = ", ".join(f'"{c.source}"' for c in table.loaded)
            rows = self.app.execute(f'SELECT {names} FROM "{table.source}"').fetchall()
            with target.cursor() as cursor:
                data = [encode.HEADER, encode.rows_encoder(table, PLAN)(rows), encode.TRAILER]
                load.copy(cursor, load.statement("public", table), data)
        self.noted: list[capture.Changes] = []
        self.after = capture.position(self.file)
        changes.prepare(target, "run", self.after)
        changes.defer(target, self.ticket, PLAN)

    def follow(self) -> forward.Followed:
        """Bring the target up to date."""
        model = forward.Model(self.schema, PLAN)
        done = forward.Forward(self.file, self.ticket, model, self.noted.append).step(self.target, self.after)
        self.after = done.upto
        return done

    def agree(self) -> None:
        """Check by hand-written SQL that both hold the same, and that the target's rules are as they were."""
        compared = (
            ("SELECT * FROM Service", 'SELECT * FROM "Service"'),
            (
                (
                    'SELECT id, service, CASE typeof("start") WHEN \'integer\' THEN "start" ELSE CAST('
                    'round((julianday("start") - 2440587.5) * 86400000) AS INTEGER) END, code, parent FROM Booking'
                ),
                (
                    'SELECT "booking id", service, (extract(epoch FROM start) * 1000)::bigint, code, parent'
                    ' FROM "bookings %s"'
                ),
            ),
            ("SELECT * FROM Pair", 'SELECT * FROM "Pair"'),
            ("SELECT * FROM Loose", 'SELECT * FROM "Loose"'),
        )
        for here, there in compared:
            found = sorted(self.target.execute(there).fetchall(), key=repr)
            assert sorted(self.app.execute(here).fetchall(), key=repr) == found
        assert len(self.rules()) == RULES

    def rules(self) -> list[str]:
        """Return the target's indexes and foreign keys in the server's words."""
        found = self.target.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text !~ 'zenni_tui|^pg_'"
            " AND indrelid >= 16384 UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
        )
        return sorted(str(text) for (text,) in found)


RULES = 3 + 3 + 2
"""Keys, unique indexes, foreign keys."""


@pytest.fixture
def ground(tmp_path: Path, database: dict[str, str]) -> Iterator[Ground]:
    """Yield both sides, equal."""
    with Target(database, database["password"], name="tests").connect() as ours:
        made = Ground(tmp_path / "app.db", ours)
        made.agree()
        yield made
        made.file.close()
        made.app.close()


@pytest.mark.parametrize(
    "writes",
    [
        ("INSERT INTO Service VALUES ('d', 'D', 1, 4)", "INSERT INTO Booking VALUES (9, 'd', 0, 'z', 9)"),
        ("UPDATE Service SET id = 'z' WHERE id = 'a'",),
        ("DELETE FROM Booking WHERE id = 1",),
        ("DELETE FROM Booking WHERE service = 'b'", "DELETE FROM Service WHERE id = 'b'"),
        ("UPDATE Booking SET id = id + 1 WHERE id = 7",),
        ("INSERT OR REPLACE INTO Booking VALUES (8, 'c', 5, 'x', NULL)",),
        ("UPDATE Booking SET code = NULL", "UPDATE Booking SET code = CASE id WHEN 1 THEN 'y' WHEN 2 THEN 'x' END"),
        (
            "UPDATE Service SET name = name || '?', place = -place",
            (
                "UPDATE Service SET name = CASE id WHEN 'a' THEN 'Hieronta' WHEN 'b' THEN 'Sauna' ELSE name END,"
                " place = 4 + place"
            ),
        ),
        ("DELETE FROM Pair WHERE a = 'p'", "INSERT INTO Pair VALUES ('p', 2, 'again')", "DELETE FROM Loose"),
        ("INSERT INTO Loose VALUES ('new')", "DELETE FROM Loose WHERE rowid = 1"),
        ("INSERT INTO Service VALUES ('d', 'D', 1, 4)", "DELETE FROM Service WHERE id = 'd'"),
    ],
)
def test_what_the_application_does_arrives(ground: Ground, writes: tuple[str, ...]) -> None:
    """Key changes, cascades, victims of REPLACE, swapped unique values and rows without a key arrive in one batch."""
    before = ground.rules()
    for write in writes:
        ground.app.execute(write)
    assert ground.follow().entries
    ground.agree()
    assert ground.rules() == before
    assert ground.follow().entries == 0


def test_rules_are_as_planned_after_following(ground: Ground) -> None:
    """Foreign keys are checked late only while changes are followed."""
    assert sum("DEFERRABLE" in rule for rule in ground.rules()) == 2
    changes.settle(ground.target, ground.ticket, PLAN)
    assert sum("DEFERRABLE" in rule for rule in ground.rules()) == 0


def test_a_batch_is_applied_once(ground: Ground) -> None:
    """A batch is not applied again by an engine that does not know of it."""
    ground.app.execute("INSERT INTO Loose VALUES ('1')")
    begin = ground.after
    ground.follow()
    ground.after = begin
    with pytest.raises(Occupied, match="Another run"):
        ground.follow()
    assert changes.position(ground.target, "run") == capture.position(ground.file)


def test_nothing_is_written_without_the_lease(ground: Ground) -> None:
    """An engine whose lease was taken over applies nothing more."""
    ground.target.execute("UPDATE zenni_tui.lease SET expires = now() - interval '1 s'")
    bookkeeping.take(ground.target, "run", "another")
    ground.app.execute("INSERT INTO Loose VALUES ('1')")
    with pytest.raises(Occupied):
        ground.follow()
    assert ground.target.execute('SELECT count(*) FROM "Loose"').fetchone() == (3,)


def test_a_value_that_cannot_be_carried_stops_with_its_key(ground: Ground) -> None:
    """A value that no type of the plan holds is named with table, column and key; nothing of its batch is applied."""
    ground.app.execute("INSERT INTO Service VALUES ('d', 'D', 1, 4)")
    ground.app.execute("UPDATE Booking SET \"start\" = 'soon' WHERE id = 7")
    with pytest.raises(StepFailed, match="since the snapshot") as caught:
        ground.follow()
    assert caught.value.where == 'table "bookings %s", column "start", key 7'
    assert ground.target.execute('SELECT count(*) FROM "Service"').fetchone() == (3,)
    ground.app.execute('UPDATE Booking SET "start" = 0 WHERE id = 7')
    ground.follow()
    ground.agree()


def test_a_burst_comes_in_parts(ground: Ground) -> None:
    """Ten thousand changes are applied in parts, each with its position, until none is left."""
    with ground.app:
        ground.app.executemany("INSERT INTO Pair VALUES (?, ?, 'n')", (("n", i) for i in range(10_000)))
    parts = [ground.follow()]
    while parts[-1].left:
        parts.append(ground.follow())
    assert [p.entries for p in parts] == [5_000, 5_000]
    ground.agree()


def test_any_writes_are_followed(ground: Ground) -> None:
    """After each of many random bursts of writes, with every conflict policy, both sides hold the same."""
    dice = random.Random(20261122)  # noqa: S311 - a test's dice
    writes = (
        "INSERT OR {p} INTO Service VALUES ('{t}', '{t}{u}', {n}, {n})",
        "UPDATE OR {p} Service SET id = '{t}' WHERE id = '{u}'",
        "UPDATE OR {p} Service SET name = '{t}', place = place + {n} WHERE id > '{u}'",
        "DELETE FROM Service WHERE id = '{t}'",
        "INSERT OR {p} INTO Booking VALUES ({n}, '{t}', {n}, '{u}', NULL)",
        "INSERT OR {p} INTO Booking SELECT {n} + 10, '{t}', '2026-01-01', '{u}', min(id) FROM Booking",
        "UPDATE OR {p} Booking SET id = id + {n} WHERE id > 3",
        "UPDATE OR {p} Booking SET code = '{t}' WHERE id % 3 = {n}",
        "DELETE FROM Booking WHERE id % 5 = {n}",
        "INSERT OR {p} INTO Pair VALUES ('{t}', {n}, '{u}')",
        "UPDATE OR {p} Pair SET b = {n} WHERE a = '{t}'",
        "INSERT INTO Loose VALUES ('{t}')",
    )
    for _ in range(60):
        for _ in range(dice.randint(1, 6)):
            policy = dice.choice(["REPLACE", "REPLACE", "IGNORE", "ABORT"])
            words = {"p": policy, "t": dice.choice("abcdeé"), "u": dice.choice("abcde"), "n": dice.randint(0, 9)}
            with contextlib.suppress(sqlite3.IntegrityError):
                ground.app.execute(dice.choice(writes).format(**words))
        ground.follow()
        ground.agree()
