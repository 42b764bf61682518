"""Views, made in SQLite and, translated, in a real PostgreSQL: the same names and the same rows."""

import sqlite3
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
import translate_ground as ground

from zenni_tui.convert import translate
from zenni_tui.model.plan import Kind, TargetType

NAMESPACE = 'app "x" %s'
ODD_TABLE, ODD_COLUMN = 'odd %s "table" :y', 'odd "col" %s :x'
BIG, TEXT = TargetType(Kind.BIGINT), TargetType(Kind.TEXT)
COLUMNS: dict[str, dict[str, tuple[str, str, TargetType]]] = {
    "guest": {
        "id": ("INTEGER PRIMARY KEY", "id", BIG),
        "Name": ("TEXT", "Name", TEXT),
        "email": ("TEXT COLLATE NOCASE", "e_mail", TEXT),
        "vip": ("BOOLEAN", "vip", TargetType(Kind.BOOLEAN)),
    },
    "booking": {
        "id": ("INTEGER PRIMARY KEY", "id", BIG),
        "guest_id": ("INTEGER", "guestId", BIG),
        "room": ("VARCHAR(20)", "room", TargetType(Kind.VARCHAR, 20)),
        "nights": ("INT", "nights", TargetType(Kind.INTEGER)),
        "price": ("REAL", "price", TargetType(Kind.DOUBLE)),
        "starts": ("DATETIME", "startsAt", TargetType(Kind.TIMESTAMP, 3)),
    },
    ODD_TABLE: {ODD_COLUMN: ("TEXT", ODD_COLUMN, TEXT)},
}
TARGETS = {"guest": "Guest", "booking": "Booking", ODD_TABLE: ODD_TABLE}
TABLES = {
    name: (
        TARGETS[name],
        {
            n: translate.Column(t, k, None, "NOCASE" if "NOCASE" in declared else "BINARY")
            for n, (declared, t, k) in columns.items()
        },
    )
    for name, columns in COLUMNS.items()
}
ROWS: dict[str, list[tuple[object, ...]]] = {
    "guest": [
        (1, "Ann", "ann@example.com", True),
        (2, "bob", "bob@example.com", False),
        (3, "Ärla", "Bob@Example.com", None),
        (4, "zoe", None, True),
        (5, None, "", False),
        (6, "äre", "x", True),
    ],
    "booking": [
        (1, 1, "A1", 2, 10.5, "2024-02-29 10:00:00.000"),
        (2, 1, "B2", 3, 20.0, "2024-03-01 00:00:00.000"),
        (3, 2, "A1", 1, None, "2023-12-31 23:59:59.999"),
        (4, 3, "a1", 7, 0.1, None),
        (5, None, None, None, 99.99, "2024-02-01 08:30:00.000"),
        (6, 1, "B2", 3, 20.0, "2024-02-29 10:00:00.000"),
        (7, 4, "Ö9", 4, 33.3, "2023-01-01 00:00:00.000"),
    ],
    ODD_TABLE: [("$$",), ("it's",), ("\\",)],
}
CORPUS = ground.corpus("translate_views.txt")


@pytest.fixture(scope="module")
def lite() -> Iterator[sqlite3.Connection]:
    """Yield the tables in SQLite."""
    connection = sqlite3.connect(":memory:")
    for name, columns in COLUMNS.items():
        declared = ", ".join(f"{ground.quoted(c)} {d}" for c, (d, _, _) in columns.items())
        connection.execute(f"CREATE TABLE {ground.quoted(name)} ({declared})")
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"INSERT INTO {ground.quoted(name)} VALUES ({marks})", ROWS[name])
    yield connection
    connection.close()


def _fill(pg: ground.Pg) -> None:
    pg.execute(f"CREATE SCHEMA {ground.quoted(NAMESPACE)}".encode())
    for name, columns in COLUMNS.items():
        table = f"{ground.quoted(NAMESPACE)}.{ground.quoted(TARGETS[name])}"
        declared = ", ".join(f"{ground.quoted(t)} {k}" for _, t, k in columns.values())
        pg.execute(f"CREATE TABLE {table} ({declared})".encode())
        for row in ROWS[name]:
            marks = ", ".join("%s" for _ in columns)
            pg.execute(f"INSERT INTO {table.replace('%', '%%')} VALUES ({marks})".encode(), row)


def _expected(lite: sqlite3.Connection, text: str) -> tuple[list[str], list[tuple[object, ...]]]:
    lite.execute(text)
    names = [r[1] for r in lite.execute("PRAGMA table_info(v)")]
    rows = lite.execute("SELECT * FROM v").fetchall()
    lite.execute("DROP VIEW v")
    return names, rows


def _plain(value: object) -> object:
    if hasattr(value, "isoformat"):
        return value.isoformat(" ", "milliseconds")
    return int(value) if isinstance(value, bool) else value


def test_views_have_the_same_names_and_rows(lite: sqlite3.Connection, database: dict[str, str]) -> None:
    """A translated view has SQLite's columns, by name, and SQLite's rows, in its order where it has one."""
    with psycopg.connect(**database, autocommit=True, prepare_threshold=None) as pg:  # type: ignore[arg-type]
        _fill(pg)
        for text in CORPUS["kept"]:
            query = translate.view(text, TABLES, NAMESPACE)
            names, rows = _expected(lite, text)
            pg.execute(f"CREATE VIEW v AS {query}".encode())
            cursor = pg.execute("SELECT * FROM v")
            found = [tuple(_plain(v) for v in r) for r in cursor]
            assert [c.name for c in cursor.description or ()] == names, text
            if "ORDER BY" in text:
                assert found == rows, f"{text} -> {query}"
            assert Counter(found) == Counter(rows), f"{text} -> {query}"
            pg.execute("DROP VIEW v")


@pytest.mark.parametrize("text", CORPUS["refused"])
def test_views_that_could_differ_are_refused(text: str) -> None:
    """A view whose rows, types or names could differ is refused with a sentence."""
    with pytest.raises(translate.Untranslatable) as refusal:
        translate.view(text, TABLES, NAMESPACE)
    assert refusal.value.reason.endswith(".")


SECOND = (
    "SELECT who, count(*) AS n, max(nights) AS m FROM stays WHERE nights > 1 GROUP BY who",
    "SELECT id FROM stays WHERE days > 3 ORDER BY id",
    "SELECT days, count(*) AS n FROM stays GROUP BY days HAVING sum(days) > 3",
    "SELECT s.id, b.nights FROM stays s JOIN booking b ON b.nights + 1 = s.days",
    "SELECT initial || '!' AS loud FROM stays WHERE initial <> 'A' ORDER BY loud DESC, id LIMIT 2",
    "SELECT id, late FROM stays WHERE late = 1 OR late IS NULL",
    "SELECT x.total FROM (SELECT who, max(price) AS total FROM stays GROUP BY who) x WHERE x.total > 20.5",
)


@pytest.mark.parametrize("select", SECOND)
def test_a_view_can_read_another(select: str, lite: sqlite3.Connection, database: dict[str, str]) -> None:
    """A view over a view, computed columns included, is translated with what is known of the first one's result."""
    read = "FROM booking b JOIN guest g ON g.id = guest_id"
    computed = "nights + 1 AS days, upper(substr(g.name, 1, 1)) AS initial, nights > 2 AS late, price"
    first = f"CREATE VIEW stays AS SELECT b.id, g.name AS who, nights, {computed} {read}"
    second = f"CREATE VIEW v AS {select}"
    tables = {**TABLES, "stays": ("stays", translate.view_columns(first, TABLES, NAMESPACE))}
    lite.execute(first)
    with psycopg.connect(**database, autocommit=True) as pg:  # type: ignore[arg-type]
        _fill(pg)
        name = ground.quoted(NAMESPACE)
        pg.execute(f"CREATE VIEW {name}.stays AS {translate.view(first, TABLES, NAMESPACE)}".encode())
        found = pg.execute(translate.view(second, tables, NAMESPACE).encode()).fetchall()
    assert Counter(found) == Counter(_expected(lite, second)[1])
    lite.execute("DROP VIEW stays")


def test_the_doubtful_affinity_of_a_computed_column_decides_nothing(lite: sqlite3.Connection) -> None:
    """SQLite releases differ in the affinity of a view's computed column, so no view compares it with a text."""
    assert lite
    first = "CREATE VIEW stays AS SELECT nights + 1 AS days FROM booking"
    tables = {**TABLES, "stays": ("stays", translate.view_columns(first, TABLES, NAMESPACE))}
    assert "days" in translate.view("CREATE VIEW v AS SELECT days FROM stays", tables, NAMESPACE)
    with pytest.raises(translate.Untranslatable):
        translate.view("CREATE VIEW v AS SELECT 1 AS x FROM stays WHERE days = '3'", tables, NAMESPACE)
