"""Writes in PostgreSQL reach the old file exactly once, in its own formats, and touch nothing else there."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from inspected import schema_of

from zenni_tui.convert import encode
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import ColumnPlan, KeyPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.source import apply, freeze, live
from zenni_tui.steps import backward
from zenni_tui.target import capture, load
from zenni_tui.target.connect import Target

Session = psycopg.Connection[tuple[Any, ...]]

FILE = """
CREATE TABLE Service (id TEXT PRIMARY KEY, name TEXT UNIQUE, price REAL, active BOOLEAN, secret BLOB);
CREATE TABLE Booking (
  id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL REFERENCES Service ON DELETE CASCADE,
  "start" DATETIME, meta JSONB, code TEXT UNIQUE, twice INTEGER AS (id * 2));
CREATE TABLE Pair (a TEXT, b INTEGER, note TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE Loose (note TEXT, n);
CREATE TABLE audit (line TEXT);
CREATE TRIGGER noted AFTER UPDATE ON Booking BEGIN INSERT INTO audit VALUES ('changed ' || NEW.id); END;
CREATE TRIGGER gone AFTER DELETE ON Booking BEGIN INSERT INTO audit VALUES ('gone ' || OLD.id); END;
CREATE INDEX later ON Booking (service);
INSERT INTO Service VALUES
  ('a', 'Sauna', 10, 1, x'00'), ('b', 'Hieronta', 55.5, 0, x'01'), ('c', NULL, NULL, NULL, NULL);
INSERT INTO Booking (id, service, "start", meta, code) VALUES
  (1, 'a', 1767225600000, '{"b":1,"a":2.50}', 'x'), (2, 'a', '2026-01-01 12:00:00', NULL, 'y'),
  (7, 'b', 1767225600001, '[]', NULL), (9, 'b', '2026-01-01T12:00:00.000Z', 5, 'z');
INSERT INTO Pair VALUES
  ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 1, 'x'), ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 2, NULL);
INSERT INTO Loose VALUES ('x', 1), ('x', 1), (NULL, 2.5), ('y', 'z');
"""
TEXT, BIG, STAMP = TargetType(Kind.TEXT), TargetType(Kind.BIGINT), TargetType(Kind.TIMESTAMP, 3)


def columns(**types: TargetType) -> tuple[ColumnPlan, ...]:
    """Return columns that are named as in the source."""
    return tuple(ColumnPlan(n, n, t) for n, t in types.items())


PLAN = Plan(
    "public",
    (
        TablePlan(
            "Service",
            "Service",
            columns(id=TEXT, name=TEXT, price=TargetType(Kind.DOUBLE), active=TargetType(Kind.BOOLEAN)),
            KeyPlan("Service_pkey", ("id",)),
        ),
        TablePlan(
            "Booking",
            "bookings %s",
            (
                ColumnPlan("id", "booking id", BIG),
                *columns(service=TEXT, start=STAMP, meta=TargetType(Kind.JSONB), code=TEXT),
            ),
            KeyPlan("b", ("booking id",)),
        ),
        TablePlan("Pair", "Pair", columns(a=TargetType(Kind.UUID), b=BIG, note=TEXT), KeyPlan("p", ("a", "b"))),
        TablePlan("Loose", "Loose", columns(note=TEXT, n=TEXT)),
    ),
)
TABLES = """
CREATE TABLE "Service" (id text PRIMARY KEY, name text UNIQUE, price double precision, active boolean);
CREATE TABLE "bookings %s" ("booking id" bigint PRIMARY KEY, service text REFERENCES "Service" ON DELETE CASCADE
  ON UPDATE CASCADE, start timestamp(3), meta jsonb, code text UNIQUE DEFERRABLE);
CREATE TABLE "Pair" (a uuid, b bigint, note text, PRIMARY KEY (a, b));
CREATE TABLE "Loose" (note text, n text);
"""


class Ground:
    """An old file and a PostgreSQL that hold the same, with changes followed backwards."""

    def __init__(self, path: Path, target: Session, app: Session) -> None:
        with sqlite3.connect(path) as made:
            made.executescript(FILE)
        made.close()
        self.file, self.target, self.app = live.open_live(path), target, app
        schema = schema_of(path)
        target.execute(TABLES)
        keys = {t.name: t.key.columns if t.key else () for t in PLAN.tables}
        for table in PLAN.tables:
            names = ", ".join(f'"{c.source}"' for c in table.loaded)
            rows = self.file.execute(f'SELECT {names} FROM "{table.source}"').fetchall()
            with target.cursor() as cursor:
                data = [encode.HEADER, encode.rows_encoder(table, PLAN)(rows), encode.TRAILER]
                load.copy(cursor, load.statement("public", table), data)
        self.after = capture.arm(target, "public", keys)
        apply.begin(self.file, self.after)
        self.ways = {}
        for table in PLAN.tables:
            source = schema.table(table.source)
            assert source is not None
            samples = backward.samples(self.file, table)
            self.ways[table.name] = backward.Way(table, source, (), keys[table.name], samples)

    def follow(self) -> backward.Followed:
        """Bring the file up to date."""
        done = backward.follow(self.target, self.file, self.ways, self.after)
        self.after = done.upto
        return done

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of the file."""
        return self.file.execute(query).fetchall()

    def agree(self) -> None:
        """Check by hand-written SQL that both hold the same."""
        compared = (
            ("SELECT id, name, price, active FROM Service", 'SELECT id, name, price, active::int FROM "Service"'),
            (
                (
                    'SELECT id, service, CASE typeof("start") WHEN \'integer\' THEN "start" ELSE'
                    ' CAST(round((julianday("start") - 2440587.5) * 86400000) AS INTEGER) END, code FROM Booking'
                ),
                'SELECT "booking id", service, (extract(epoch FROM start) * 1000)::bigint, code FROM "bookings %s"',
            ),
            ("SELECT lower(a), b, note FROM Pair", 'SELECT a::text, b, note FROM "Pair"'),
            ("SELECT note, CAST(n AS TEXT) FROM Loose", 'SELECT note, n FROM "Loose"'),
        )
        for here, there in compared:
            assert sorted(self.rows(here), key=repr) == sorted(self.target.execute(there).fetchall(), key=repr)


@pytest.fixture
def ground(tmp_path: Path, database: dict[str, str]) -> Iterator[Ground]:
    """Yield both sides, equal."""
    place = Target(database, database["password"], name="tests")
    with place.connect() as ours, place.connect() as app:
        made = Ground(tmp_path / "old.db", ours, app)
        made.agree()
        yield made
        made.file.close()


def test_a_change_keeps_all_that_it_does_not_change(ground: Ground) -> None:
    """Of a changed row only the changed value is written, in its own format; excluded columns and rowids stay."""
    rowids = ground.rows("SELECT rowid, id, secret FROM Service")
    ground.app.execute("UPDATE \"Service\" SET price = price + 1 WHERE id = 'a'")
    ground.app.execute(b"UPDATE \"bookings %s\" SET code = code || '!'")
    done = ground.follow()
    assert (done.entries, done.changed, done.added, done.removed) == (5, 5, 0, 0)
    assert ground.rows("SELECT rowid, id, secret FROM Service") == rowids
    assert ground.rows('SELECT id, "start", meta, code FROM Booking') == [
        (1, 1767225600000, '{"b":1,"a":2.50}', "x!"),
        (2, "2026-01-01 12:00:00", None, "y!"),
        (7, 1767225600001, "[]", None),
        (9, "2026-01-01T12:00:00.000Z", 5, "z!"),
    ]
    assert ground.rows("SELECT * FROM audit") == []
    ground.agree()


def test_new_rows_look_like_the_old_ones(ground: Ground) -> None:
    """A new row takes the forms that prevail in the file."""
    ground.app.execute(b"INSERT INTO \"bookings %s\" VALUES (10, 'c', '2026-06-01 10:00', '{\"k\": [1, 2]}', 'q')")
    ground.app.execute("INSERT INTO \"Pair\" VALUES ('bbbbbbbb-9c0b-4ef8-bb6d-6bb9bd380a11', 5, 'new')")
    ground.app.execute('UPDATE "Pair" SET b = 3 WHERE b = 1')
    ground.follow()
    assert ground.rows('SELECT "start", meta FROM Booking WHERE id = 10') == [(1780308000000, '{"k":[1,2]}')]
    assert ground.rows("SELECT a, b FROM Pair ORDER BY b") == [
        ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", 2),
        ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", 3),
        ("BBBBBBBB-9C0B-4EF8-BB6D-6BB9BD380A11", 5),
    ]
    assert ground.rows("SELECT seq FROM sqlite_sequence") == [(10,)]
    ground.agree()


def test_a_new_row_takes_no_other_rows_place(ground: Ground) -> None:
    """A row that comes while the last one of its table is changed gets a rowid of its own; the other keeps its."""
    rowids = ground.rows("SELECT id, rowid FROM Service")
    with ground.app.transaction():
        ground.app.execute("INSERT INTO \"Service\" VALUES ('aa', 'new', 1, true)")
        ground.app.execute("UPDATE \"Service\" SET price = 7 WHERE id = 'c'")
    ground.follow()
    assert ground.rows("SELECT id, rowid FROM Service WHERE id <> 'aa'") == rowids
    ground.agree()


def test_unique_values_may_change_places(ground: Ground) -> None:
    """Two rows that swap a unique value, or a key with another row's, arrive in one transaction."""
    with ground.app.transaction():
        ground.app.execute("UPDATE \"Service\" SET name = NULL WHERE id = 'b'")
        ground.app.execute("UPDATE \"Service\" SET name = 'Hieronta' WHERE id = 'a'")
        ground.app.execute("UPDATE \"Service\" SET name = 'Sauna' WHERE id = 'b'")
        ground.app.execute("SET CONSTRAINTS ALL DEFERRED")
        ground.app.execute(
            b"UPDATE \"bookings %s\" SET code = CASE code WHEN 'x' THEN 'y' ELSE 'x' END WHERE code IN ('x', 'y')"
        )
    ground.follow()
    ground.agree()


def test_a_frozen_file_takes_our_changes_only(ground: Ground) -> None:
    """The freeze stays shut for everybody else while changes pass its gate, and the schema is as it was."""
    before = ground.rows("SELECT name, sql FROM sqlite_schema ORDER BY name")
    freeze.freeze(ground.file)
    ground.app.execute("DELETE FROM \"Service\" WHERE id = 'a'")
    assert ground.follow().removed == 3
    assert freeze.unfrozen(ground.file) == ()
    freeze.thaw(ground.file)
    assert ground.rows("SELECT name, sql FROM sqlite_schema ORDER BY name") == before
    assert ground.rows("SELECT * FROM audit") == []
    ground.agree()


def test_tables_without_keys_and_truncation_keep_what_is_equal(ground: Ground) -> None:
    """Of a table that changed as a whole, rows that mean the same stay untouched."""
    kept = ground.rows("SELECT rowid, * FROM Loose WHERE n = 'z' OR note IS NULL")
    ground.app.execute('DELETE FROM "Loose" WHERE ctid = (SELECT min(ctid) FROM "Loose" WHERE note = \'x\')')
    ground.app.execute("INSERT INTO \"Loose\" VALUES ('new', '7')")
    done = ground.follow()
    assert (done.removed, done.added) == (1, 1)
    assert ground.rows("SELECT rowid, * FROM Loose WHERE n = 'z' OR note IS NULL") == kept
    with ground.app.transaction():
        ground.app.execute(b'CREATE TEMP TABLE kept AS TABLE "bookings %s"')
        ground.app.execute(b'TRUNCATE "bookings %s"')
        ground.app.execute(b'INSERT INTO "bookings %s" SELECT * FROM kept WHERE "booking id" < 9')
    stored = ground.rows("SELECT * FROM Booking WHERE id < 9")
    assert ground.follow().removed == 1
    assert ground.rows("SELECT * FROM Booking") == stored
    ground.agree()


def test_a_value_without_a_way_back_stops_with_its_key(ground: Ground) -> None:
    """An infinite date is named with table, column and key; the file stays whole, and goes on once it is mended."""
    ground.app.execute(b'UPDATE "bookings %s" SET code = \'other\' WHERE "booking id" = 1')
    ground.app.execute(b'UPDATE "bookings %s" SET start = \'infinity\' WHERE "booking id" = 7')
    before = ground.rows("SELECT * FROM Booking")
    with pytest.raises(StepFailed, match="can't be carried back") as caught:
        ground.follow()
    assert caught.value.where == 'table "bookings %s", column "start", key 7'
    assert ground.rows("SELECT * FROM Booking") == before
    assert apply.position(ground.file) == ground.after
    ground.app.execute(b'UPDATE "bookings %s" SET start = \'2026-01-02\' WHERE "booking id" = 7')
    ground.follow()
    ground.agree()


def test_any_writes_are_followed(ground: Ground) -> None:
    """After each of some hundred random transactions both sides hold the same, and the position is the file's."""
    dice = random.Random(20261122)  # noqa: S311 - a test's dice
    writes = (
        "INSERT INTO \"Service\" VALUES ('{t}', '{t}{n}', {n}, {n} > 4) ON CONFLICT DO NOTHING",
        "UPDATE \"Service\" SET id = '{t}' WHERE id = '{u}' AND NOT EXISTS (SELECT FROM \"Service\" WHERE id = '{t}')",
        "DELETE FROM \"Service\" WHERE id = '{t}' AND {n} = 3",
        (
            "INSERT INTO \"bookings %s\" SELECT {n}, id, date '2026-01-01' + {n} * interval '1 h', '[{n}]', '{t}{n}'"
            ' FROM "Service" WHERE NOT EXISTS (SELECT FROM "bookings %s" WHERE code = \'{t}{n}\' OR "booking id" = {n})'
            " LIMIT 1"
        ),
        'UPDATE "bookings %s" SET "booking id" = "booking id" + 100 + (random() * 1e9)::int WHERE "booking id" = {n}',
        'DELETE FROM "bookings %s" WHERE "booking id" % 5 = {n}',
        'UPDATE "bookings %s" SET start = start + interval \'{n} ms\', meta = NULL WHERE "booking id" > {n}',
        "INSERT INTO \"Loose\" VALUES ('{t}', '{n}')",
        "DELETE FROM \"Loose\" WHERE n = '{n}'",
    )
    for _ in range(120):
        with ground.app.transaction():
            for _ in range(dice.randint(1, 4)):
                words = {"t": dice.choice("abcdeé"), "u": dice.choice("abcde"), "n": dice.randint(0, 9)}
                ground.app.execute(dice.choice(writes).format(**words).encode())
        ground.follow()
        assert apply.position(ground.file) == ground.after
    ground.agree()
    capture.forget(ground.target, ground.after)


def test_rows_may_come_in_another_order_each_time_they_are_gone_through(ground: Ground) -> None:
    """The server promises no order: changed, new and gone rows end under their own keys and rowids all the same."""
    dice = random.Random(7)  # noqa: S311 - an order
    ground.file.executemany("INSERT INTO Service (id, name) VALUES (?, ?)", ((f"k{n}", f"old {n}") for n in range(90)))
    rowids = dict(ground.rows("SELECT id, rowid FROM Service"))
    wanted = {f"k{n}": f"new {n}" for n in range(30, 120)}

    def one(key: str) -> apply.Written:
        made = wanted.get(key)
        return apply.Written(
            ((key,),), None if made is None else lambda stored: {**(stored or {"id": key}), "name": made}
        )

    def written() -> list[apply.Written]:
        return [one(key) for key in dice.sample([f"k{n}" for n in range(120)], 120)]

    apply.begin(ground.file, "1:1:")
    with apply.batch(ground.file, ["Service"], "2:2:"):
        done = apply.write(ground.file, ground.ways["Service"].source, ("id",), written)
    assert (done.changed, done.added, done.removed) == (60, 30, 30)
    found = ground.rows("SELECT id, name, rowid FROM Service WHERE id LIKE 'k%'")
    assert {key: name for key, name, _ in found} == wanted
    assert all(rowid == rowids[key] for key, _, rowid in found if key in rowids)
