"""An application's file and a target that hold the same, for tests of what follows from one to the other."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from inspected import schema_of

from zenni_tui.convert import encode
from zenni_tui.model.plan import (
    ColumnPlan,
    ForeignKeyPlan,
    IndexPlan,
    KeyPlan,
    Kind,
    Plan,
    TablePlan,
    TargetType,
)
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

    def __init__(self, path: Path, target: Session, place: dict[str, str]) -> None:
        self.place = place
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
        self.plan = PLAN
        self.kept_out: dict[str, frozenset[capture.Key]] = {}
        self.noted: list[capture.Changes] = []
        self.folder = path.parent
        self.after = changes.Position(capture.position(self.file))
        changes.prepare(target, "run", self.after.upto)
        changes.defer(target, self.ticket, PLAN)

    def engine(self) -> forward.Forward:
        """Return what brings changes over, as an engine has it that begins now."""
        model = forward.Model(self.schema, self.plan, self.kept_out)
        return forward.Forward(self.file, self.ticket, model, self.noted.append, self.folder)

    def follow(self, by: forward.Forward | None = None) -> forward.Followed:
        """Bring the target up to date."""
        done = (by or self.engine()).step(self.target, self.after)
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

    def triggers(self, table: str) -> list[str]:
        """Return the names of our triggers of a table."""
        rows = self.app.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,))
        return [name for (name,) in rows]

    def rules(self) -> list[str]:
        """Return the target's indexes and foreign keys in the server's words."""
        found = self.target.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid::regclass::text !~ 'zenni_tui|^pg_'"
            " AND indrelid >= 16384 UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
        )
        return sorted(str(text) for (text,) in found)


RULES = 3 + 3 + 2
"""Keys, unique indexes, foreign keys."""


@contextlib.contextmanager
def made(folder: Path, database: dict[str, str]) -> Iterator[Ground]:
    """Yield both sides, equal."""
    with Target(database, database["password"], name="tests").connect() as ours:
        ground = Ground(folder / "app.db", ours, database)
        ground.agree()
        yield ground
        ground.file.close()
        ground.app.close()
