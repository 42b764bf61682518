"""Capture in PostgreSQL: whoever writes and however commits interleave, nothing is missed and nothing comes twice."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from zenni_tui.sandbox import server as sandbox
from zenni_tui.target import capture
from zenni_tui.target.connect import Target

Connection = psycopg.Connection[tuple[Any, ...]]

TABLES = """
CREATE TYPE "Kind %s" AS ENUM ('a', 'b"c');
CREATE TABLE "Service" (id text PRIMARY KEY, name text UNIQUE, price double precision);
CREATE TABLE "Odd %s" ("k""1" timestamp(3), "Kind" "Kind %s", note text, PRIMARY KEY ("Kind", "k""1"));
CREATE TABLE loose (note text);
CREATE TABLE child (id int PRIMARY KEY, parent text REFERENCES "Service" ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO "Service" VALUES ('a', 'A', 1), ('b', 'B', 0.1), ('c', NULL, 'Infinity');
INSERT INTO child VALUES (1, 'a'), (2, 'a'), (3, 'b');
"""
KEYS: dict[str, tuple[str, ...]] = {"Service": ("id",), "Odd %s": ("Kind", 'k"1'), "loose": (), "child": ("id",)}
COLUMNS = {
    "Service": ("id", "name", "price"),
    "Odd %s": ('k"1', "Kind", "note"),
    "loose": ("note",),
    "child": ("id", "parent"),
}


@pytest.fixture
def open_session(database: dict[str, str]) -> Iterator[Callable[..., Connection]]:
    """Yield a way to open sessions in the test's own database."""
    opened: list[Connection] = []

    def connect(**more: str) -> Connection:
        named = database | more
        opened.append(Target(named, named.get("password"), name="tests").connect())
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def ours(open_session: Callable[..., Connection]) -> Connection:
    """Return our session in a database with tables that are not captured yet."""
    connection = open_session()
    connection.execute(TABLES)
    return connection


class Reader:
    """A copy of the tables that follows nothing but the log; every key that it is given is counted."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.after = capture.arm(connection, "public", KEYS)
        self.copy: dict[str, dict[Any, Any]] = {c.table: self.whole(c) for c in capture.captured(connection)}

    def whole(self, table: capture.Captured) -> dict[Any, Any]:
        """Return all rows of a table as they are now."""
        columns = COLUMNS[table.table]
        with self.connection.transaction():
            rows = [r for part in capture.all_rows(self.connection, table, columns) for r in part]
        if not table.key:
            return dict(enumerate(sorted(rows, key=repr)))
        places = [columns.index(c) for c in table.key]
        return {tuple(r[p] for p in places): r for r in rows}

    def read(self) -> dict[str, list[capture.Key]]:
        """Apply what is new and return the keys by table."""
        given: dict[str, list[capture.Key]] = {}
        with capture.reading(self.connection, self.after) as reading:
            for table in reading.keyed:
                for part in capture.rows(self.connection, table, COLUMNS[table.table], self.after):
                    for key, row in part:
                        given.setdefault(table.table, []).append(key)
                        self.copy[table.table].pop(key, None)
                        if row is not None:
                            self.copy[table.table][key] = row
            for table in reading.whole:
                given[table.table] = []
                self.copy[table.table] = self.whole(table)
        self.after = reading.upto
        return given

    def check(self) -> None:
        """Compare the copy with the tables."""
        for table in capture.captured(self.connection):
            assert self.copy[table.table] == self.whole(table), table.table


def test_every_kind_of_write_is_followed(ours: Connection, open_session: Callable[..., Connection]) -> None:
    """Inserts, upserts, key changes, cascades, swapped unique values, bulk and TRUNCATE all reach the copy."""
    reader = Reader(ours)
    app = open_session()
    for write in (
        "INSERT INTO \"Service\" VALUES ('d', 'D', 1e-300), ('e', 'E', '-0')",
        "INSERT INTO \"Service\" VALUES ('d', 'DD', 2) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        "UPDATE \"Service\" SET id = 'z' WHERE id = 'a'",
        "DELETE FROM \"Service\" WHERE id = 'b'",
        "INSERT INTO \"Odd %s\" SELECT now() + n * interval '1.1 day', 'b\"c', n FROM generate_series(1, 5000) n",
        'UPDATE "Odd %s" SET "k""1" = "k""1" + interval \'9000 years\', "Kind" = \'a\' WHERE note < \'2\'',
        "INSERT INTO loose VALUES ('x'), (NULL), ('x')",
        'TRUNCATE "Odd %s"',
        "INSERT INTO \"Odd %s\" VALUES ('2026-01-01 00:00:00.001', 'a', NULL)",
        "WITH gone AS (DELETE FROM child WHERE id = 1) INSERT INTO child VALUES (77, NULL)",
        "DELETE FROM loose",
    ):
        app.execute(write.encode())
        assert reader.read()
        reader.check()
    assert reader.read() == {}


def test_commits_out_of_order_are_neither_missed_nor_doubled(
    ours: Connection, open_session: Callable[..., Connection]
) -> None:
    """Two clients that commit in the other order, one that rolls back, a savepoint, and a long transaction of ours."""
    reader = Reader(ours)
    early, late, lost, slow = (open_session() for _ in range(4))
    insert = 'INSERT INTO "Service" VALUES (%s, %s)'
    with slow.transaction():
        slow.execute(insert, ("slow", "1"))
        with lost.transaction(force_rollback=True):
            lost.execute(insert, ("lost", "2"))
        with early.transaction():
            early.execute(insert, ("early", "3"))
            with late.transaction():
                late.execute(insert, ("late", "4"))
                with late.transaction(force_rollback=True):
                    late.execute(insert, ("undone", "5"))
            assert reader.read() == {"Service": [("late",)]}
        assert reader.read() == {"Service": [("early",)]}
        assert reader.read() == {}
    assert reader.read() == {"Service": [("slow",)]}
    reader.check()
    capture.forget(ours, reader.after)
    assert capture.lag(ours, reader.after) == 0
    assert ours.execute("SELECT count(*) FROM zenni_tui.change").fetchone() == (0,)


def test_an_idle_writer_elsewhere_holds_nothing_up(
    ours: Connection, server: sandbox.Server, open_session: Callable[..., Connection]
) -> None:
    """An idle transaction in another database, which holds the horizon back, hides no commit of ours."""
    reader = Reader(ours)
    server.create_database("elsewhere")
    try:
        idle = open_session(dbname="elsewhere")
        with idle.transaction(force_rollback=True):
            idle.execute("CREATE TABLE t ()")
            open_session().execute("DELETE FROM child WHERE id = 3")
            assert reader.read() == {"child": [("3",)]}
        idle.close()
    finally:
        server.drop_database("elsewhere")


def test_what_is_not_applied_is_not_forgotten(ours: Connection, open_session: Callable[..., Connection]) -> None:
    """Forgetting keeps what the applied snapshot did not see; lag counts just that."""
    reader = Reader(ours)
    app = open_session()
    app.execute("DELETE FROM child WHERE id = 1")
    reader.read()
    app.execute("DELETE FROM child WHERE id > 1")
    assert capture.lag(ours, reader.after) == 2
    assert capture.forget(ours, reader.after) == 1
    assert reader.read() == {"child": [("2",), ("3",)]}


def test_the_application_needs_no_rights_to_our_schema(
    ours: Connection, open_session: Callable[..., Connection]
) -> None:
    """A role that may only write its tables writes on, with any session settings, and sees nothing of ours."""
    reader = Reader(ours)
    ours.execute("CREATE ROLE zenni_app LOGIN")
    try:
        ours.execute("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO zenni_app")
        app = open_session()
        app.execute("SET ROLE zenni_app; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo'")
        app.execute("SET search_path = pg_temp; CREATE TEMP TABLE change (xid int, number int, key int)")
        app.execute(b"INSERT INTO public.\"Odd %s\" VALUES (timestamp '2026-02-01 10:00', 'a', 'x')")
        assert reader.read() == {"Odd %s": [("a", "2026-02-01 10:00:00")]}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("SELECT * FROM zenni_tui.change")
        app.close()
        reader.check()
    finally:
        ours.execute("DROP OWNED BY zenni_app; DROP ROLE zenni_app")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('ALTER TABLE "Service" ADD COLUMN extra int', ('column "Service".extra is new',)),
        (
            'ALTER TABLE "Service" RENAME COLUMN name TO title',
            (
                'rule "Service_name_key" of "Service" is another',
                'column "Service".name is gone',
                'column "Service".title is new',
            ),
        ),
        ('ALTER TABLE "Service" ALTER COLUMN price TYPE numeric', ('column "Service".price is another',)),
        (
            'ALTER TABLE "Service" DROP COLUMN price; ALTER TABLE "Service" ADD COLUMN price double precision',
            ('column "Service".price is another',),
        ),
        (
            'ALTER TABLE "Service" DROP CONSTRAINT "Service_name_key"',
            ('rule "Service_name_key" of "Service" is gone',),
        ),
        ('DROP TRIGGER zenni_tui_update ON "Service"', ('trigger zenni_tui_update of "Service" is gone',)),
        ("ALTER TABLE loose RENAME TO tight", ("table loose is gone", "table tight is new")),
        ("CREATE TABLE more (id int)", ("table more is new",)),
        ("CREATE TABLE more (id int) PARTITION BY LIST (id)", ("table more is new",)),
    ],
)
def test_a_change_of_schema_is_noticed(ours: Connection, change: str, told: tuple[str, ...]) -> None:
    """Any change to a captured table's schema or triggers, and a new table beside them, is told by name."""
    Reader(ours)
    before = capture.shape(ours)
    ours.execute(change.encode())
    assert capture.fingerprint(ours) != before.partition("\n")[0]
    assert capture.reshaped(before, capture.shape(ours)) == told


@pytest.mark.parametrize("change", ['ALTER TABLE "Service" DISABLE TRIGGER USER', "DROP TABLE child"])
def test_what_is_dropped_or_disabled_with_a_table_is_told(ours: Connection, change: str) -> None:
    """Triggers that are off, and a table that is gone with all that it had, are differences as well."""
    Reader(ours)
    before = capture.shape(ours)
    ours.execute(change.encode())
    told = capture.reshaped(before, capture.shape(ours))
    assert ("table child is gone" in told) is ("child" in change)
    assert len(told) > 2


def test_what_takes_no_rows_from_the_way_back_is_no_change(ours: Connection) -> None:
    """Data, indexes, views, other schemas, Prisma's history, and tables that go without ever being captured."""
    ours.execute("CREATE TABLE beside (a int)")
    Reader(ours)
    before = capture.shape(ours)
    ours.execute(
        "INSERT INTO loose VALUES ('x'); ANALYZE loose; CREATE INDEX notes ON loose (note); CREATE VIEW v AS SELECT 1;"
        ' CREATE SCHEMA far; CREATE TABLE far.more (); CREATE TABLE "_prisma_migrations" (id text)'
    )
    assert capture.shape(ours) == before
    ours.execute("DROP TABLE beside")
    assert capture.reshaped(before, capture.shape(ours)) == ()


def test_disarming_leaves_nothing(ours: Connection) -> None:
    """After disarming there is no trigger and no function of ours; arming anew begins with an empty log."""
    Reader(ours)
    ours.execute("DROP TABLE child")
    capture.disarm(ours)
    left = (
        "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zenni%%'),"
        " (SELECT count(*) FROM pg_proc WHERE pronamespace = 'zenni_tui'::regnamespace),"
        " (SELECT count(*) FROM pg_class WHERE relnamespace = 'zenni_tui'::regnamespace)"
    )
    assert ours.execute(left.replace("%%", "%").encode()).fetchone() == (0, 0, 0)
    capture.disarm(ours)
    assert not capture.is_armed(ours)
