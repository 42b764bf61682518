"""From an SQLite file's declarations to a filled PostgreSQL, room by room, judged by the verifier."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from zenni_tui.compare.expressions import canonical_sql
from zenni_tui.compare.multiset import compare_multiset
from zenni_tui.compare.structure import compare_structure
from zenni_tui.compare.values import canonical
from zenni_tui.convert import encode, planner
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import Counter, Epoch, Kind, Plan, Span
from zenni_tui.model.schema import ColumnProfile, SourceTable, TableProfile
from zenni_tui.source import audit, inspect, reader
from zenni_tui.source.database import connect_frozen, open_frozen
from zenni_tui.target import bookkeeping, ddl, load
from zenni_tui.target.connect import Target as Place

Target = psycopg.Connection[tuple[Any, ...]]


class Drafted(NamedTuple):
    """A plan, what was found on the way, and the file it is of."""

    plan: Plan
    findings: tuple[Finding, ...]
    path: Path

    @property
    def errors(self) -> set[str]:
        """Return the codes of what blocks."""
        return {f.code for f in self.findings if f.severity is Severity.ERROR}


def profiled(database: sqlite3.Connection, table: SourceTable) -> TableProfile:
    """Profile a table as the audit does."""
    names = [c.name for c in table.columns]
    columns = dict.fromkeys(names, ColumnProfile())
    for rows in reader.batches(database, table, names, Span(0, table.rows)):
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            columns[name] = audit.merge(columns[name], audit.profile(values))
    return TableProfile(table.name, table.rows, columns)


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Any]:
    """Return the way from a script to a plan."""

    async def make(script: str, **choices: Any) -> Drafted:
        path = tmp_path / "source.db"
        with sqlite3.connect(path) as source:
            source.executescript(script)
        source.close()
        connection = await connect_frozen(path)
        schema = await inspect.read_schema(connection)
        await connection.close()
        database = open_frozen(path)
        profiles = {t.name: profiled(database, t) for t in schema.tables}
        spans = {t.name: reader.spans(database, t, 2) for t in schema.tables}
        database.close()
        plan, findings = planner.make(planner.Facts(schema, profiles, spans, Choices(**choices)), None, "public")
        return Drafted(plan, findings, path)

    return make


@pytest.fixture(scope="module")
def place(server: Any) -> Iterator[Place]:
    """Yield one database for all plans of this module."""
    server.create_database("convert_plan")
    conninfo = server.conninfo("convert_plan")
    yield Place(conninfo, conninfo["password"], name="tests")
    server.drop_database("convert_plan")


@pytest.fixture
def target(place: Place) -> Iterator[Target]:
    """Yield a session, and leave the database empty behind."""
    with place.connect() as connection:
        yield connection
        connection.execute("DROP SCHEMA IF EXISTS public, zenni_tui CASCADE; CREATE SCHEMA public")


async def carry(target: Target, drafted: Drafted) -> None:
    """Make the plan's tables, load every span, add keys and indexes, and let the verifier judge rows and structure."""
    plan = drafted.plan
    fence = bookkeeping.begin(target, bookkeeping.RunRow("r", "rehearse", plan.schema, "s", plan.hash, "f"), "tests")
    for statement in ddl.create_tables(plan, schema_there=True):
        target.execute(statement.sql.encode())
    connection = await connect_frozen(drafted.path)
    schema = await inspect.read_schema(connection)
    await connection.close()
    source = open_frozen(drafted.path)
    for table in plan.tables:
        declared = schema.table(table.source)
        assert declared is not None
        names = [c.source or "" for c in table.carried]
        encoder = encode.rows_encoder(table, plan)
        for span in table.spans:
            blocks = [encode.HEADER, *map(encoder, reader.batches(source, declared, names, span)), encode.TRAILER]
            part = bookkeeping.Part(table.name, span)
            with load.shipment(target, load.Ticket("r", fence), plan.schema, [part]) as arriving:
                arriving.take(table, span, lambda b=blocks: b)  # type: ignore[misc]
    for statement in ddl.rules(plan):
        target.execute(statement.sql.encode())
    for table in plan.tables:
        whole = compare_multiset(source, target, plan.schema, table, drafted.path.with_name("scratch"))
        assert (whole.rows_differing, whole.rows_target) == (0, table.rows), whole.differences
    source.close()
    found = compare_structure(target, plan)
    unset = [d for d in found.differences if not d.object.startswith("sequence ")]
    assert unset == []


HOUSE = """
CREATE TABLE "Room Type" (code TEXT PRIMARY KEY, "Größe" REAL NOT NULL DEFAULT 1.5,
  UNIQUE ("Größe", code)) WITHOUT ROWID;
CREATE TABLE Room (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT REFERENCES "room type" (CODE) ON DELETE CASCADE,
  twin INT REFERENCES room ON UPDATE SET NULL, open BOOLEAN NOT NULL DEFAULT 1, note VARCHAR(3),
  made DATETIME DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE stay (room INT NOT NULL, night DATE NOT NULL, price DECIMAL(8,2), extra JSON DEFAULT '{}', raw BLOB,
  PRIMARY KEY (night, room), FOREIGN KEY (room) REFERENCES ROOM (ID));
CREATE TABLE log (line, at TIME);
CREATE TABLE "select" ("order" INT, "per%cent" TEXT DEFAULT 'it''s 5% :x \\');
CREATE INDEX stay_price ON stay (price DESC, night);
CREATE UNIQUE INDEX "Room note" ON Room (note, twin);
INSERT INTO "Room Type" VALUES ('dbl', 20.5), ('sgl', -0.0), ('ünï', 1e300);
INSERT INTO Room VALUES (1, 'dbl', NULL, 1, 'longer than three', '2024-02-29 12:00:00');
INSERT INTO Room VALUES (7, 'sgl', 1, 0, NULL, 1700000000123);
INSERT INTO Room VALUES (-5, NULL, 7, 'true', 'x', NULL);
INSERT INTO stay VALUES (1, '2024-02-29', 99.9, '{"a": [1, 2.50]}', x'00ff'), (7, '0001-01-01', 5, NULL, NULL);
INSERT INTO stay VALUES (-5, '9999-12-31', NULL, '[]', x'');
INSERT INTO log VALUES ('a', '23:59:59'), ('a', '23:59:59'), (NULL, NULL);
INSERT INTO "select" VALUES (9223372036854775807, ''), (-9223372036854775808, NULL);
"""


async def test_a_whole_house_is_carried(draft: Callable[..., Any], target: Target) -> None:
    """Keys in their own order, other-case references, self references, defaults, indexes and every value arrive."""
    drafted = await draft(HOUSE)
    assert drafted.errors == set()
    await carry(target, drafted)
    room, stay = drafted.plan.table("Room"), drafted.plan.table("stay")
    assert room.column("id").counter is Counter.IDENTITY
    assert room.counter == 7
    assert stay.key is not None
    assert stay.key.columns == ("night", "room")
    keys = {k.columns: (k.parent, k.parent_columns) for k in drafted.plan.foreign_keys}
    assert keys == {("type",): ("Room Type", ("code",)), ("twin",): ("Room", ("id",)), ("room",): ("Room", ("id",))}


DEFAULTS = [
    *(
        ("TEXT", d)
        for d in (
            "'x'",
            "''",
            "'it''s'",
            '"double"',
            "5",
            "-5",
            "+5",
            "007",
            "1.50",
            "1e3",
            "'5'",
            "NULL",
            "('a' || 'b')",
        )
    ),
    *(
        ("TEXT", d)
        for d in ("CURRENT_TIMESTAMP", "(lower('ABC'))", "'back\\slash'", "'a'' || ''b'", "'%s :x'", "TRUE", "x'41'")
    ),
    *(
        ("INTEGER", d)
        for d in (
            "0",
            "-1",
            "+7",
            "'8'",
            "1.0",
            "1.5",
            "1e3",
            "0x10",
            "'abc'",
            "TRUE",
            "9223372036854775807",
            "(1 + 1)",
        )
    ),
    *(("INTEGER", d) for d in ("-9223372036854775808", "9223372036854775808", "NULL", "''")),
    *(("REAL", d) for d in ("0", "-0.0", "1.5", "1e-7", "'2.5'", "1e999", "'x'", ".5", "5.")),
    *(("BOOLEAN", d) for d in ("1", "0", "TRUE", "false", "'true'", "2", "'yes'")),
    *(("DECIMAL(5,2)", d) for d in ("1.50", "0", "'3.25'", "123456", "1.005")),
    *(
        ("DATETIME", d)
        for d in ("'2024-02-29 12:00:00'", "'2024-02-29T12:00:00.123Z'", "'2024-02-29T12:00:00+02:00'", "'never'")
    ),
    *(("DATE", d) for d in ("'2024-02-29'", "'2024-02-30'", "'2024-02-29 12:00:00'")),
    *(("TIME", d) for d in ("'12:34'", "'25:00'", "'12:34:56.789'")),
    *(("JSON", d) for d in ("'{}'", "'[1, 2]'", "'not json'", "5")),
    *(("BLOB", d) for d in ("x'00ff'", "'text'", "5")),
]


@pytest.mark.parametrize(("declared", "default"), DEFAULTS, ids=str)
async def test_a_default_gives_the_same_value_or_is_named(
    draft: Callable[..., Any], target: Target, declared: str, default: str
) -> None:
    """A row inserted by default holds the same value on both sides; a default that can't is a finding by name."""
    drafted = await draft(f"CREATE TABLE t (k INTEGER PRIMARY KEY, c {declared} DEFAULT {default});")
    column = drafted.plan.table("t").column("c")
    lost = {f.code for f in drafted.findings if f.column == "c"}
    if column.default is None and lost:
        return
    await carry(target, drafted)
    with sqlite3.connect(drafted.path) as source:
        source.execute("INSERT INTO t (k) VALUES (1)")
        stored = source.execute("SELECT c FROM t").fetchone()[0]
    source.close()
    target.execute("INSERT INTO t DEFAULT VALUES")
    found = target.execute(sql.SQL("SELECT {} FROM t").format(canonical_sql(column))).fetchone()
    assert found == (canonical(stored, column.type, column.epoch),)


def test_the_defaults_here_are_told_apart() -> None:
    """The list above holds no line twice, so that none of its cases stands in for another."""
    assert len(set(DEFAULTS)) == len(DEFAULTS)


async def test_an_integer_key_ignores_its_default(draft: Callable[..., Any], target: Target) -> None:
    """SQLite numbers the rows of an INTEGER PRIMARY KEY whatever default it declares; so does the identity."""
    drafted = await draft("CREATE TABLE t (k INTEGER PRIMARY KEY DEFAULT 5, v); INSERT INTO t (v) VALUES (1), (2);")
    with sqlite3.connect(drafted.path) as source:
        assert source.execute("SELECT k FROM t").fetchall() == [(1,), (2,)]
    source.close()
    assert drafted.plan.table("t").column("k").counter is Counter.IDENTITY
    await carry(target, drafted)


JULIAN = """
CREATE TABLE t (at DATETIME);
INSERT INTO t VALUES (julianday('2024-02-29 12:00')), (julianday('2024-02-29 18:00'));
"""


async def test_julian_days_at_noon_are_no_seconds(draft: Callable[..., Any], target: Target) -> None:
    """SQLite stores 2460370.0 as an integer where affinity is numeric: it means the year 2024 still, not 1970."""
    drafted = await draft(JULIAN)
    assert drafted.plan.table("t").column("at").epoch is Epoch.JULIAN
    await carry(target, drafted)
    found = target.execute("SELECT at FROM t ORDER BY 1").fetchall()
    assert [at.isoformat() for (at,) in found] == ["2024-02-29T12:00:00", "2024-02-29T18:00:00"]


EPOCHS = [
    ((1_700_000_000, 1_600_000_000), Epoch.SECONDS),
    ((1_700_000_000_123, 0), Epoch.MILLISECONDS),
    ((1_700_000_000_123_456, 1_600_000_000_000_000), Epoch.MICROSECONDS),
    ((2_460_370.25,), Epoch.JULIAN),
    ((None, "2024-02-29"), Epoch.MILLISECONDS),
]


@pytest.mark.parametrize(("values", "epoch"), EPOCHS)
async def test_numbers_are_dates_by_their_size(
    draft: Callable[..., Any], values: tuple[Any, ...], epoch: Epoch
) -> None:
    """A column's numbers tell together what they count."""
    rows = ", ".join(f"({'NULL' if v is None else repr(v)})" for v in values)
    drafted = await draft(f"CREATE TABLE t (at DATETIME); INSERT INTO t VALUES {rows};")
    assert drafted.plan.table("t").column("at").epoch is epoch
    assert drafted.errors == set()


@pytest.mark.parametrize("values", [(1_700_000_000, 1_700_000_000_123), (2_460_370,)])
async def test_numbers_that_may_be_two_things_are_a_finding(draft: Callable[..., Any], values: tuple[int, ...]) -> None:
    """Seconds beside milliseconds, whole numbers that may be julian days or seconds: never decided in silence."""
    rows = ", ".join(f"({v})" for v in values)
    drafted = await draft(f"CREATE TABLE t (at DATETIME); INSERT INTO t VALUES {rows};")
    assert [f.code for f in drafted.findings if f.column == "at"]


TYPES = [
    ("INTEGER", "1", Kind.BIGINT),
    ("UNSIGNED BIG INT", "1", Kind.BIGINT),
    ("VARCHAR(5)", "'longer than five'", Kind.TEXT),
    ("NATIVE CHARACTER(70)", "'x'", Kind.TEXT),
    ("DOUBLE PRECISION", "1.5", Kind.DOUBLE),
    ("FLOAT", "1", Kind.DOUBLE),
    ("BLOB", "x'00'", Kind.BYTEA),
    ("", "x'00'", Kind.BYTEA),
    ("", "'text'", Kind.TEXT),
    ("", "7", Kind.BIGINT),
    ("", "7.5", Kind.DOUBLE),
    ("BOOLEAN", "1", Kind.BOOLEAN),
    ("DATE", "'2024-02-29'", Kind.DATE),
    ("TIMESTAMP", "'2024-02-29 12:00'", Kind.TIMESTAMP),
    ("JSON", "'{}'", Kind.JSONB),
    ("DECIMAL(10,2)", "1.25", Kind.NUMERIC),
    ("NUMERIC(2000,1)", "1.5", Kind.NUMERIC),
    ("DECIMAL(0)", "1", Kind.NUMERIC),
    ("DECIMAL(2,5)", "1", Kind.NUMERIC),
    ("STRING", "'abc'", Kind.TEXT),
    ("STRING", "12", Kind.BIGINT),
]


@pytest.mark.parametrize(("declared", "value", "kind"), TYPES)
async def test_a_declaration_becomes_a_type_that_holds_the_value(
    draft: Callable[..., Any], target: Target, declared: str, value: str, kind: Kind
) -> None:
    """By the declared words, then by affinity, then by what is stored; the server takes the type and the value."""
    drafted = await draft(f"CREATE TABLE t (c {declared}); INSERT INTO t VALUES ({value}), (NULL);")
    assert drafted.plan.table("t").column("c").type.kind is kind
    await carry(target, drafted)


LOST = [
    ("CREATE TABLE t (a INT REFERENCES gone)", {"foreign_key_parent_missing"}),
    ("CREATE TABLE t (a INT); CREATE VIEW v AS SELECT random() AS r FROM t", {"view_not_carried"}),
    ("CREATE TABLE t (a INT); CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", {"trigger_not_carried"}),
    ("CREATE TABLE t (a INT DEFAULT (total_changes()))", {"default_not_carried"}),
    ("CREATE TABLE t (a INT UNIQUE ON CONFLICT REPLACE)", {"conflict_not_carried"}),
    ("CREATE TABLE t (ctid INT)", {"name_reserved"}),
    ('CREATE TABLE t ("" INT)', {"name_empty"}),
    (f'CREATE TABLE "{"n" * 64}" (a INT)', {"name_too_long"}),
    (f'CREATE TABLE t ("{"é" * 32}" INT)', {"name_too_long"}),
]


@pytest.mark.parametrize(("script", "codes"), LOST)
async def test_what_is_not_carried_is_named(draft: Callable[..., Any], script: str, codes: set[str]) -> None:
    """No rule of the file and no impossible name is passed over in silence."""
    drafted = await draft(script + ";")
    assert codes & {f.code for f in drafted.findings}


async def test_a_nocase_index_is_as_strict_as_in_the_source(draft: Callable[..., Any], target: Target) -> None:
    """A unique index on names in any case refuses the same second row in PostgreSQL, or it is a finding."""
    drafted = await draft(
        "CREATE TABLE t (a TEXT); CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE);"
        "INSERT INTO t VALUES ('Ann'), ('Ä'), ('ä');"
    )
    if drafted.findings:
        assert any("i" in f.message for f in drafted.findings)
        return
    await carry(target, drafted)
    with pytest.raises(psycopg.errors.UniqueViolation):
        target.execute("INSERT INTO t VALUES ('ANN')")


async def test_long_names_of_keys_and_indexes_are_made_to_fit(draft: Callable[..., Any], target: Target) -> None:
    """Names that we make of long parts fit 63 bytes and stay apart from each other."""
    a, b = "a" * 60, "b" * 60
    drafted = await draft(
        f"CREATE TABLE {a} (k INTEGER PRIMARY KEY, {a} INT UNIQUE, {b} INT UNIQUE, UNIQUE ({a}, {b}));"
        f"CREATE TABLE {b} ({a} INT REFERENCES {a}, {b} INT REFERENCES {a} ({b}),"
        f" FOREIGN KEY ({a}, {b}) REFERENCES {a} ({a}, {b}));"
        f"INSERT INTO {a} VALUES (1, 2, 3);"
    )
    assert drafted.errors == set()
    await carry(target, drafted)
    assert len(drafted.plan.foreign_keys) == 3


async def test_the_same_reference_twice_is_carried(draft: Callable[..., Any], target: Target) -> None:
    """Two foreign keys on the same column, to different parents or to one, don't collide by name."""
    drafted = await draft(
        "CREATE TABLE p (k INTEGER PRIMARY KEY); CREATE TABLE q (k INTEGER PRIMARY KEY);"
        "CREATE TABLE c (x INT REFERENCES p REFERENCES q, FOREIGN KEY (x) REFERENCES p);"
        "CREATE TABLE c_x_fkey (k INTEGER PRIMARY KEY); CREATE TABLE c_pkey (k TEXT PRIMARY KEY);"
    )
    assert drafted.errors == set()
    await carry(target, drafted)


async def test_an_excluded_parent_is_no_silent_loss(draft: Callable[..., Any]) -> None:
    """A table left out by name is in the plan's list, and what referred to it is told."""
    drafted = await draft(
        "CREATE TABLE p (k INTEGER PRIMARY KEY); CREATE TABLE c (x INT REFERENCES p);", exclude=("p",)
    )
    assert [t.name for t in drafted.plan.tables] == ["c"]
    assert [n.name for n in drafted.plan.not_migrated] == ["p"]
    assert drafted.plan.foreign_keys == ()
    assert any(f.table == "c" and f.code.startswith("foreign_key_parent") for f in drafted.findings)
