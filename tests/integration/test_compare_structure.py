"""The target's structure against a plan, on a real PostgreSQL whose tables are made by hand."""

from collections.abc import Iterator

import psycopg
import pytest
from structure_ground import CHECK, LOWER, MADE, OPEN, PLAN, Target, reindexed, rekeyed

from zenni_tui.compare.defaults import constant_of
from zenni_tui.compare.records import StructureDifference
from zenni_tui.compare.session import pin_session
from zenni_tui.compare.structure import compare_structure

CHANGES = [
    ('DROP TABLE "Booking"', "table Booking", "a table", "none"),
    ('ALTER TABLE "Booking" DROP note CASCADE', "column Booking.note", "a column", "none"),
    ('ALTER TABLE "Booking" ADD more text', "table Booking", "none", "(more)"),
    ('ALTER TABLE "Booking" SET UNLOGGED', "table Booking", "permanent", "unlogged"),
    (
        'ALTER TABLE "Booking" ALTER slot TYPE timestamp(6)',
        "column Booking.slot",
        "timestamp(3) without time zone",
        "timestamp(6) without time zone",
    ),
    (
        'DROP INDEX "Booking_open_key"; ALTER TABLE "Booking" ALTER slot TYPE text',
        "column Booking.slot",
        "timestamp(3) without time zone",
        "text",
    ),
    (
        'ALTER TABLE "Service" ALTER active DROP DEFAULT, ALTER active TYPE integer USING 1',
        "column Service.active",
        "boolean",
        "integer",
    ),
    ('ALTER TABLE "Service" ALTER price TYPE numeric(12,2)', "column Service.price", "numeric(10,2)", "numeric(12,2)"),
    ('ALTER TABLE "Service" ALTER currency DROP NOT NULL', "column Service.currency", "NOT NULL", "NULL allowed"),
    ('ALTER TABLE "Booking" ALTER note SET NOT NULL', "column Booking.note", "NULL allowed", "NOT NULL"),
    ('ALTER TABLE "Service" ALTER currency DROP DEFAULT', "column Service.currency", "literal EUR", "none"),
    (
        "ALTER TABLE \"Service\" ALTER currency SET DEFAULT 'EUR '",
        "column Service.currency",
        "literal EUR",
        "'EUR '::text",
    ),
    ('ALTER TABLE "Service" ALTER active SET DEFAULT false', "column Service.active", "literal true", "false"),
    ('ALTER TABLE "Service" ALTER price SET DEFAULT 1', "column Service.price", "literal -1", "1"),
    (
        "ALTER TABLE \"Service\" ALTER state SET DEFAULT 'ok'",
        "column Service.state",
        "literal no-show",
        "'ok'::\"State\"",
    ),
    (
        "ALTER TABLE \"Service\" ALTER at SET DEFAULT '2024-01-01'",
        "column Service.at",
        "now",
        "'2024-01-01 00:00:00'::timestamp without time zone",
    ),
    (
        "ALTER TABLE \"Service\" ALTER due SET DEFAULT now() + interval '2 days'",
        "column Service.due",
        "expression now() + interval '1 day'",
        "(now() + '2 days'::interval)",
    ),
    ("ALTER TABLE \"Booking\" ALTER note SET DEFAULT ''", "column Booking.note", "none", "''::text"),
    (
        'ALTER TABLE "Booking" DROP CONSTRAINT "Booking_pkey", ADD CONSTRAINT "Booking_pkey" PRIMARY KEY (slot, room)',
        "primary key of Booking",
        "Booking_pkey (room, slot)",
        "Booking_pkey (slot, room)",
    ),
    (
        'ALTER TABLE "Booking" RENAME CONSTRAINT "Booking_pkey" TO other',
        "primary key of Booking",
        "Booking_pkey (room, slot)",
        "other (room, slot)",
    ),
    (
        'ALTER TABLE "Booking" DROP CONSTRAINT "Booking_pkey"',
        "primary key of Booking",
        "Booking_pkey (room, slot)",
        "none",
    ),
    ('DROP INDEX "Booking_note_key"', "index Booking_note_key", "on Booking", "none"),
    (
        'DROP INDEX "Booking_note_key"; CREATE INDEX "Booking_note_key" ON "Booking" (note)',
        "index Booking_note_key",
        "unique",
        "not unique",
    ),
    (
        'DROP INDEX "Booking_note_key"; CREATE UNIQUE INDEX "Booking_note_key" ON "Booking" (note) WHERE room > 1',
        "index Booking_note_key",
        "all rows",
        "(room > 1)",
    ),
    (
        'DROP INDEX "Booking_note_key"; CREATE UNIQUE INDEX "Booking_note_key" ON "Booking" (lower(note))',
        "index Booking_note_key",
        "(note)",
        "('lower(note)')",
    ),
    (
        reindexed('"serviceId", slot'),
        "index Booking_serviceId_slot_idx",
        "(serviceId, slot DESC)",
        "(serviceId, slot)",
    ),
    (
        reindexed('slot DESC, "serviceId"'),
        "index Booking_serviceId_slot_idx",
        "(serviceId, slot DESC)",
        "(slot DESC, serviceId)",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"Booking_note_key\"'::regclass",
        "index Booking_note_key",
        "valid",
        "not valid",
    ),
    (
        'ALTER TABLE "Booking" DROP CONSTRAINT "Booking_serviceId_fkey"',
        "foreign key Booking_serviceId_fkey",
        "on Booking",
        "none",
    ),
    (
        rekeyed('"serviceId"', "ON DELETE SET NULL ON UPDATE CASCADE NOT VALID"),
        "foreign key Booking_serviceId_fkey",
        "validated",
        "NOT VALID",
    ),
    (
        rekeyed('"serviceId"', "ON DELETE CASCADE ON UPDATE CASCADE"),
        "foreign key Booking_serviceId_fkey",
        "ON DELETE SET NULL ON UPDATE CASCADE",
        "ON DELETE CASCADE ON UPDATE CASCADE",
    ),
    (
        rekeyed("room", "ON DELETE SET NULL ON UPDATE CASCADE NOT VALID"),
        "foreign key Booking_serviceId_fkey",
        "(serviceId) to shop.Service (id)",
        "(room) to shop.Service (id)",
    ),
    ('ALTER TABLE "Booking" DISABLE TRIGGER ALL', "foreign key Booking_serviceId_fkey", "enforced", "switched off"),
    ("ALTER TYPE \"State\" ADD VALUE 'later' BEFORE 'no-show'", "enum State", "(ok, no-show)", "(ok, later, no-show)"),
    ("SELECT setval('\"Service_id_seq\"', 6)", "sequence Service_id_seq", "next value 8", "next value 7"),
    ("SELECT setval('\"Service_id_seq\"', 8)", "sequence Service_id_seq", "next value 8", "next value 9"),
    ("SELECT setval('\"Booking_seq_seq\"', 40, false)", "sequence Booking_seq_seq", "next value 41", "next value 40"),
    (
        'ALTER SEQUENCE "Service_id_seq" OWNED BY NONE',
        "sequence Service_id_seq",
        "owned by Service.id",
        "not owned by it",
    ),
    ('ALTER SEQUENCE "Service_id_seq" INCREMENT 2', "sequence Service_id_seq", "steps of 1", "steps of 2"),
    ('ALTER TABLE "Service" ALTER id DROP DEFAULT', "column Service.id", "default of a sequence", "none"),
    ('ALTER TABLE "Booking" ALTER seq DROP IDENTITY', "column Booking.seq", "identity by default", "none"),
    (
        'ALTER TABLE "Booking" ALTER seq SET GENERATED ALWAYS',
        "column Booking.seq",
        "identity by default",
        "identity always",
    ),
]


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[Target]:
    """Yield a pinned session of a database that holds everything as planned."""
    with psycopg.connect(**database, autocommit=True) as connection:  # type: ignore[arg-type]
        pin_session(connection)
        connection.execute(MADE)
        yield connection


def test_a_target_as_planned_has_no_difference(target: Target) -> None:
    """All checks are counted, none differs, no number is drawn from a sequence, nothing stays behind."""
    first = compare_structure(target, PLAN)
    assert first.differences == ()
    assert first.checks > 80
    assert compare_structure(target, PLAN) == first
    assert target.execute('SELECT last_value, is_called FROM shop."Service_id_seq"').fetchone() == (7, True)
    assert target.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'zenni%'").fetchone() == (0,)


def test_every_change_of_structure_is_noticed(target: Target) -> None:
    """Each change made alone is told with its object, what was expected and what was found."""
    for change, name, expected, found in CHANGES:
        target.execute("DROP SCHEMA shop CASCADE")
        target.execute(MADE)
        target.execute("SET search_path = shop")
        target.execute(change.encode())
        differences = compare_structure(target, PLAN).differences
        told = [(d.object, d.expected, d.found) for d in differences]
        assert (name, expected, found) in told, (change, told)
        assert all(d.message.endswith(".") for d in differences)
        target.execute("RESET search_path")


def test_an_empty_database_misses_everything(target: Target) -> None:
    """Without the schema each planned table, index, key and enum is named as missing."""
    target.execute("DROP SCHEMA shop CASCADE")
    result = compare_structure(target, PLAN)
    assert result.checks == 10
    assert len(result.differences) == 10
    assert StructureDifference("table Service", "a table", "none", "The table is not there.") in result.differences


def test_a_read_only_session_compares_as_well(target: Target) -> None:
    """Only the spelling of expressions needs a temporary table; the rest is read."""
    target.execute("SET default_transaction_read_only = on")
    objects = {d.object for d in compare_structure(target, PLAN).differences}
    rules = {CHECK, "check Booking_check2 of Booking", "check Booking_state_check of Booking", "view open"}
    assert objects <= {"column Service.due", "column Booking.label", OPEN, LOWER} | rules


@pytest.mark.parametrize(
    ("expression", "constant"),
    [
        ("'EUR'::text", "EUR"),
        ("'it''s'::character varying", "it's"),
        ("('x'::character varying)::text", "x"),
        ("'-5'::integer", "-5"),
        ("(-5)", "-5"),
        ("('-5'::integer)::numeric", None),
        ("1.50", "1.50"),
        ("true", "true"),
        ("'a'::text || CURRENT_USER", None),
        ("'abcdef'::character varying(3)", None),
        ("'ok'::shop.\"State\"", "ok"),
        ("nextval('s'::regclass)", None),
        ("now()", None),
        ("(1 + 2)", None),
    ],
)
def test_constants_are_told_from_expressions(expression: str, constant: str | None) -> None:
    """Only what is surely a constant counts as one."""
    assert constant_of(expression) == constant
