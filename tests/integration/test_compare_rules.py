"""Rules against a plan: checks, indexes with conditions and expressions, computed columns, views, and what is extra."""

from collections.abc import Iterator

import msgspec
import psycopg
import pytest
from structure_ground import CHECK, LOWER, MADE, OPEN, PLAN, Target, rekeyed

from zenni_tui.compare.session import pin_session
from zenni_tui.compare.structure import compare_structure
from zenni_tui.model.plan import CheckPlan, ViewPlan


def ruled(rule: str, rest: str = "") -> str:
    """Return the statement that makes the first check anew."""
    name = '"Booking_check"'
    return f'ALTER TABLE "Booking" DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({rule}) {rest}'


def made_partial(where: str) -> str:
    """Return the statements that make the partial index anew."""
    return f'DROP INDEX "Booking_open_key"; CREATE UNIQUE INDEX "Booking_open_key" ON "Booking" (room) {where}'


def made_lower(columns: str, rest: str = "") -> str:
    """Return the statements that make the index with an expression anew."""
    return f'DROP INDEX "Booking_lower_idx"; CREATE INDEX "Booking_lower_idx" ON "Booking" {columns} {rest}'


def made_later(rest: str) -> str:
    """Return the statement that makes the deferred foreign key anew."""
    name, rule = '"Booking_later_fkey"', 'FOREIGN KEY (room) REFERENCES "Service" (id)'
    return f'ALTER TABLE "Booking" DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {rule} {rest} NOT VALID'


def made_label(rest: str) -> str:
    """Return the statement that makes the computed column anew."""
    return f'ALTER TABLE "Booking" DROP label, ADD label text {rest}'


LATER = "foreign key Booking_later_fkey"
RULES = [
    (ruled("room > 0 AND note NOT IN ('', '-', ' ')"), CHECK, "The rule differs."),
    (ruled("room >= 0 AND note NOT IN ('', '-')"), CHECK, "The rule differs."),
    (ruled("room > 0 AND note NOT IN ('', '-')", "NOT VALID"), CHECK, "Its rows were never checked."),
    ('ALTER TABLE "Booking" DROP CONSTRAINT "Booking_check2"', "check Booking_check2 of Booking", "The rule differs."),
    ('ALTER TABLE "Booking" ADD CHECK (room < 9)', "table Booking", "It has checks that were not planned."),
    (made_partial(""), OPEN, "It holds other rows than planned."),
    (made_partial("WHERE note IS NULL"), OPEN, "It holds other rows than planned."),
    (made_partial("WHERE note IS NULL AND slot > '2024-01-02'"), OPEN, "It holds other rows than planned."),
    (made_lower("((lower(note)) DESC, seq)"), LOWER, "Its columns or their order differ."),
    (made_lower('((lower(note COLLATE "C")), seq)'), LOWER, "Its columns or their order differ."),
    (made_lower("(note DESC, seq)"), LOWER, "Its columns or their order differ."),
    (made_lower('((lower(note COLLATE "C")) COLLATE "POSIX" DESC, seq)'), LOWER, "another way"),
    (made_lower('((lower(note COLLATE "C")) DESC NULLS LAST, seq)'), LOWER, "another way"),
    (made_lower('((lower(note COLLATE "C")) text_pattern_ops DESC, seq)'), LOWER, "another way"),
    (made_lower('((lower(note COLLATE "C")) DESC, seq)', "INCLUDE (room)"), LOWER, "another way"),
    (made_lower('((lower(note COLLATE "C")) DESC, seq)', "WHERE room > 1"), LOWER, "some of the rows"),
    (made_later(""), LATER, "When it is checked differs."),
    (made_later("DEFERRABLE"), LATER, "When it is checked differs."),
    (rekeyed('"serviceId"', "ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"), "", "When it is"),
    (rekeyed('"serviceId"', "MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE"), "", "Its actions differ."),
    (made_label("GENERATED ALWAYS AS (upper(coalesce(note, '')) || room) STORED"), "column", "computed otherwise"),
    (made_label(""), "column Booking.label", "Where its values come from differs."),
    (made_label("GENERATED ALWAYS AS ('') VIRTUAL"), "column Booking.label", "Where its values come from differs."),
    (
        "ALTER TABLE \"Booking\" DROP COLUMN note CASCADE, ADD note text GENERATED ALWAYS AS ('') STORED",
        "column Booking.note",
        "Where its values come from differs.",
    ),
    ('ALTER TABLE "Service" ALTER code TYPE varchar(20) COLLATE "C"', "column Service.code", "another collation"),
    ('CREATE INDEX extra ON "Booking" (note)', "table Booking", "It has indexes that were not planned."),
    ('ALTER TABLE "Booking" ADD UNIQUE (seq)', "table Booking", "It has indexes that were not planned."),
    (
        'ALTER TABLE "Booking" ADD FOREIGN KEY ("serviceId") REFERENCES "Service" (id)',
        "table Booking",
        "It has foreign keys that were not planned.",
    ),
    (
        'CREATE TRIGGER t AFTER UPDATE ON "Booking" EXECUTE FUNCTION suppress_redundant_updates_trigger()',
        "table Booking",
        "It has triggers or rules that were not planned.",
    ),
    (
        'CREATE RULE r AS ON DELETE TO "Booking" DO INSTEAD NOTHING',
        "table Booking",
        "It has triggers or rules that were not planned.",
    ),
    ("DROP VIEW open", "view open", "The view is not there."),
    ("DROP VIEW open; CREATE TABLE open ()", "view open", "The view is not there."),
    (
        'CREATE OR REPLACE VIEW open AS SELECT currency, count(*) AS n FROM "Service" GROUP BY 1',
        "view open",
        "Its query differs.",
    ),
]


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[Target]:
    """Yield a pinned session of a database that holds everything as planned."""
    with psycopg.connect(**database, autocommit=True) as connection:  # type: ignore[arg-type]
        pin_session(connection)
        connection.execute(MADE)
        yield connection


def test_every_change_of_a_rule_is_noticed(target: Target) -> None:
    """Lost and added conditions, other times of checking, other orders of comparing, and rules that nobody planned."""
    for change, name, message in RULES:
        target.execute("DROP SCHEMA shop CASCADE")
        target.execute(MADE)
        target.execute("SET search_path = shop")
        target.execute(change.encode())
        differences = compare_structure(target, PLAN).differences
        assert any(d.object.startswith(name) and message in d.message for d in differences), (change, differences)
        target.execute("RESET search_path")


CAPTURED = """
CREATE SCHEMA zenni_tui;
CREATE FUNCTION zenni_tui.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER capture AFTER INSERT ON shop."Service" FOR EACH ROW EXECUTE FUNCTION zenni_tui.f()
"""
HARMLESS = [
    "SET search_path = shop",
    "SET search_path = pg_temp, shop",
    "SET search_path = ''",
    'DELETE FROM shop."Booking"; ALTER TABLE shop."Booking" VALIDATE CONSTRAINT "Booking_later_fkey"',
    CAPTURED,
]


@pytest.mark.parametrize("change", HARMLESS)
def test_what_means_the_same_is_no_difference(target: Target, change: str) -> None:
    """Whatever the session's path, a foreign key validated since, and the triggers by which we capture changes."""
    target.execute(change.encode())
    target.execute('SELECT setval(\'shop."Booking_seq_seq"\', coalesce(max(seq), 0) + 1, false) FROM shop."Booking"')
    assert compare_structure(target, PLAN).differences == ()


def test_a_rule_that_this_server_refuses_hides_no_other(target: Target) -> None:
    """An expression that can't be made here differs; the others are compared all the same."""
    broken = CheckPlan("Booking_check", "no_such_function(room)")
    booking = msgspec.structs.replace(PLAN.tables[1], checks=(broken, *PLAN.tables[1].checks[1:]))
    plan = msgspec.structs.replace(PLAN, tables=(PLAN.tables[0], booking), views=(ViewPlan("open", "nonsense"),))
    assert {d.object for d in compare_structure(target, plan).differences} == {CHECK, "view open"}
