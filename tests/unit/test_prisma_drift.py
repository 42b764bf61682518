"""Drift between a Prisma schema and a real SQLite file is told both ways, and nothing else is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from zenni_tui.application.prisma import read_schema
from zenni_tui.application.prisma_plan import drift, target_plan
from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import Plan
from zenni_tui.model.schema import (
    SourceColumn,
    SourceForeignKey,
    SourceIndex,
    SourceObject,
    SourceSchema,
    SourceTable,
)

DATA = Path(__file__).parents[3] / "shared" / "data"
MADE_BY_PRISMA = sorted(DATA.glob("prisma/prisma7-*.db"))

SCHEMA = """
datasource db {
  provider = "sqlite"
}

enum State {
  OPEN
  DONE @map("done")
}

model Shop {
  id     Int      @id @default(autoincrement())
  name   String   @unique
  rating Float    @default(4.5)
  opened DateTime @default(now())
  tags   Tag[]
  visits Visit[]
}

model Tag {
  id    String @id @default(cuid())
  shops Shop[]
}

model Visit {
  shopId Int      @map("shop_id")
  at     DateTime
  shop   Shop     @relation(fields: [shopId], references: [id])
  state  State    @default(DONE)
  note   String?
  secret Bytes?
  price  Decimal  @default(9.90)

  @@id([shopId, at])
  @@index([note])
  @@map("visits")
}
"""

FILE = """
CREATE TABLE "Shop" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "rating" REAL NOT NULL DEFAULT 4.5,
    "opened" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE "Tag" ("id" TEXT NOT NULL PRIMARY KEY);
CREATE TABLE "visits" (
    "shop_id" INTEGER NOT NULL,
    "at" DATETIME NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'done',
    "note" TEXT,
    "secret" BLOB,
    "price" DECIMAL NOT NULL DEFAULT 9.90,
    PRIMARY KEY ("shop_id", "at"),
    CONSTRAINT "visits_shop_id_fkey" FOREIGN KEY ("shop_id") REFERENCES "Shop" ("id")
    ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE TABLE "_ShopToTag" (
    "A" INTEGER NOT NULL,
    "B" TEXT NOT NULL,
    CONSTRAINT "_ShopToTag_A_fkey" FOREIGN KEY ("A") REFERENCES "Shop" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "_ShopToTag_B_fkey" FOREIGN KEY ("B") REFERENCES "Tag" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "Shop_name_key" ON "Shop"("name");
CREATE INDEX "visits_note_idx" ON "visits"("note");
CREATE UNIQUE INDEX "_ShopToTag_AB_unique" ON "_ShopToTag"("A", "B");
CREATE INDEX "_ShopToTag_B_index" ON "_ShopToTag"("B");
CREATE TABLE "_prisma_migrations" ("id" TEXT PRIMARY KEY NOT NULL);
"""


def _table(database: sqlite3.Connection, name: str) -> SourceTable:
    columns = tuple(
        SourceColumn(column, declared, bool(not_null), default, position, "stored" if hidden in {2, 3} else None)
        for _, column, declared, not_null, default, position, hidden in database.execute(
            "SELECT * FROM pragma_table_xinfo(?)", (name,)
        )
    )
    indexes = tuple(
        SourceIndex(
            index,
            bool(unique),
            origin,
            tuple(n for (n,) in database.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,))),
            partial=bool(partial),
        )
        for _, index, unique, origin, partial in database.execute("SELECT * FROM pragma_index_list(?)", (name,))
    )
    rows = database.execute('SELECT count(*) FROM "' + name + '"').fetchone()[0]
    return SourceTable(name, columns, indexes, _foreign_keys(database, name), rows=rows)


def _foreign_keys(database: sqlite3.Connection, name: str) -> tuple[SourceForeignKey, ...]:
    found: dict[int, list[tuple[str, str | None, str, str, str]]] = {}
    for number, _, parent, child, column, update, delete, _ in database.execute(
        "SELECT * FROM pragma_foreign_key_list(?)", (name,)
    ):
        found.setdefault(number, []).append((child, column, parent, delete, update))
    return tuple(
        SourceForeignKey(
            tuple(p[0] for p in parts), parts[0][2], tuple(p[1] for p in parts if p[1]), parts[0][3], parts[0][4]
        )
        for parts in found.values()
    )


def _inspect(path: Path) -> SourceSchema:
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
        rows = database.execute("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall()
        tables = tuple(_table(database, name) for kind, name, _ in rows if kind == "table")
        return SourceSchema(tables, tuple(SourceObject(k, n, s) for k, n, s in rows if k == "view"))


def _plan(tmp_path: Path, text: str = SCHEMA) -> Plan:
    path = tmp_path / "schema.prisma"
    path.write_text(text, encoding="utf-8")
    return target_plan(read_schema(path))


def _made(tmp_path: Path, script: str) -> SourceSchema:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
    return _inspect(path)


def _drift(tmp_path: Path, *, schema: str = SCHEMA, script: str = FILE) -> tuple[Finding, ...]:
    return drift(_plan(tmp_path, schema), _made(tmp_path, script))


def _only(findings: tuple[Finding, ...]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_the_file_prisma_made_has_no_drift(tmp_path: Path) -> None:
    """A relation table's unique index instead of a key, and Prisma's own bookkeeping, are no drift."""
    assert _drift(tmp_path) == ()


@pytest.mark.parametrize(
    ("schema", "file"),
    [*((DATA / "prisma" / "schema.prisma", f) for f in MADE_BY_PRISMA), (None, None)],
    ids=lambda p: p.stem if p else "own",
)
def test_a_live_prisma_7_file_has_no_drift(tmp_path: Path, schema: Path | None, file: Path | None) -> None:
    """A file that Prisma 7 made and an application filled agrees with its schema, to the last index."""
    plan = target_plan(read_schema(schema)) if schema else _plan(tmp_path)
    source = _inspect(file) if file else _made(tmp_path, FILE + "INSERT INTO Tag VALUES ('a');")
    assert drift(plan, source) == ()


REAL_FILES = {
    "bookings-2025-03-17": ("drift_table_missing", "Category", None),
    "drifted-no-order-column": ("drift_column_missing", "Service", "order"),
    "opening-hours-2025-04-05": ("drift_column_undeclared", "Service", "title"),
}
PRESENT = {name: seen for name, seen in REAL_FILES.items() if (DATA / "zenni" / f"{name}.db").exists()}


@pytest.mark.parametrize("name", [*PRESENT, None])
def test_a_file_of_another_day_drifts(tmp_path: Path, name: str | None) -> None:
    """A file older or younger than the schema is blocked by what would have no place or no data."""
    if name is None:
        found = _drift(tmp_path, script="CREATE TABLE Tag (id TEXT NOT NULL PRIMARY KEY, extra);")
        wanted: tuple[str, str, str | None] = ("drift_column_undeclared", "Tag", "extra")
    else:
        plan = target_plan(read_schema(DATA / "prisma" / "schema.prisma"))
        found, wanted = drift(plan, _inspect(DATA / "zenni" / f"{name}.db")), PRESENT[name]
    assert wanted in {(f.code, f.table, f.column) for f in found if f.severity is Severity.ERROR}
    assert all(f.message and f.advice for f in found)


CHANGED = {
    "a column is missing": ('    "secret" BLOB,\n', "", "drift_column_missing", "error", "secret"),
    "a column is more": ('"note" TEXT,', '"note" TEXT, "more" TEXT,', "drift_column_undeclared", "error", "more"),
    "a computed column is more": (
        '"secret" BLOB,',
        '"secret" BLOB, "twice" INTEGER AS (shop_id * 2) STORED,',
        "drift_column_undeclared",
        "info",
        "twice",
    ),
    "NULL is allowed": ('"rating" REAL NOT NULL', '"rating" REAL', "drift_nullability", "warning", "rating"),
    "NULL is forbidden": ('"note" TEXT,', '"note" TEXT NOT NULL,', "drift_nullability", "info", "note"),
    "a key allows NULL": ("TEXT NOT NULL PRIMARY KEY", "TEXT PRIMARY KEY", "drift_nullability", "warning", "id"),
    "the key is another": ('KEY ("shop_id", "at")', 'KEY ("shop_id")', "drift_key", "error", None),
    "the key is gone": ('    PRIMARY KEY ("shop_id", "at"),\n', "", "drift_key", "error", None),
    "a table is more": (
        'CREATE TABLE "Tag"',
        'CREATE TABLE X (y);\nCREATE TABLE "Tag"',
        "drift_table_undeclared",
        "warning",
        None,
    ),
    "a unique index is more": (
        'CREATE INDEX "visits_note_idx"',
        'CREATE UNIQUE INDEX u ON visits(price);\nCREATE INDEX "visits_note_idx"',
        "drift_index_undeclared",
        "warning",
        None,
    ),
    "a partial unique index is more": (
        'CREATE INDEX "visits_note_idx"',
        'CREATE UNIQUE INDEX u ON visits(shop_id, at) WHERE note > 1;\nCREATE INDEX "visits_note_idx"',
        "drift_index_undeclared",
        "warning",
        None,
    ),
    "a plain index is more": (
        'CREATE INDEX "visits_note_idx"',
        'CREATE INDEX p ON visits(lower(note));\nCREATE INDEX "visits_note_idx"',
        "drift_index_undeclared",
        "info",
        None,
    ),
    "a unique index is missing": (
        'CREATE UNIQUE INDEX "Shop_name_key" ON "Shop"("name");',
        "",
        "drift_index_missing",
        "info",
        None,
    ),
    "a plain index is missing": (
        'CREATE INDEX "visits_note_idx" ON "visits"("note");',
        "",
        "drift_index_missing",
        "info",
        None,
    ),
    "a foreign key is more": (
        '"state" TEXT NOT NULL',
        '"state" TEXT REFERENCES Tag NOT NULL',
        "drift_foreign_key_undeclared",
        "warning",
        None,
    ),
    "a foreign key acts otherwise": (
        "ON DELETE RESTRICT",
        "ON DELETE CASCADE",
        "drift_foreign_key_actions",
        "info",
        None,
    ),
}


@pytest.mark.parametrize(("before", "after", "code", "severity", "column"), CHANGED.values(), ids=CHANGED.keys())
def test_each_difference_is_told_once(
    tmp_path: Path, *, before: str, after: str, code: str, severity: str, column: str | None
) -> None:
    """One change makes one finding, which names its table and column, and weighs what it risks."""
    assert FILE.count(before) == 1
    finding = _only(_drift(tmp_path, script=FILE.replace(before, after)))
    assert (finding.code, finding.severity.value, finding.column) == (code, severity, column)
    assert finding.table
    assert finding.table in finding.message


def test_a_missing_foreign_key_is_told(tmp_path: Path) -> None:
    """Rows that nobody checked may point nowhere."""
    script = FILE.replace('"A" INTEGER NOT NULL,\n    "B"', '"A" INTEGER NOT NULL, "B"')
    cut = script.index(',\n    CONSTRAINT "visits_shop_id_fkey"')
    script = script[:cut] + script[script.index("\n);", cut) :]
    finding = _only(_drift(tmp_path, script=script))
    assert (finding.code, finding.severity, finding.table) == ("drift_foreign_key_missing", Severity.WARNING, "visits")


def test_a_missing_table_is_told_and_a_view_in_its_place(tmp_path: Path) -> None:
    """A view is no table: it has no rows of its own to carry."""
    script = FILE.replace('CREATE TABLE "Tag" ("id" TEXT NOT NULL PRIMARY KEY);', "CREATE VIEW Tag AS SELECT 1 AS id;")
    finding = _only(_drift(tmp_path, script=script))
    assert (finding.code, finding.severity, finding.table) == ("drift_table_missing", Severity.ERROR, "Tag")
    assert "is a view" in finding.message


def test_names_are_compared_as_sqlite_does(tmp_path: Path) -> None:
    """SQLite's names have no case."""
    assert _drift(tmp_path, script=FILE.replace('"note"', '"NOTE"').replace('"visits"', '"VISITS"')) == ()


ADDED = {
    "text": ('  x String @default("it\'s")\n', "NOT NULL DEFAULT 'it''s'"),
    "number": ("  x Int @default(-5)\n", "NOT NULL DEFAULT -5"),
    "truth": ("  x Boolean? @default(true)\n", "BOOLEAN DEFAULT true"),
    "enum": ("  x State @default(DONE)\n", "TEXT NOT NULL DEFAULT 'done'"),
    "bytes": ('  x Bytes @default("aGVsbG8=")\n', "BLOB NOT NULL DEFAULT x'68656c6c6f'"),
    "json": ('  x Json @default("{}")\n', "JSONB NOT NULL DEFAULT '{}'"),
    "optional": ("  x BigInt?\n", "BIGINT;"),
}


@pytest.mark.parametrize(("field", "ending"), ADDED.values(), ids=ADDED.keys())
def test_the_advised_statement_mends_the_file(tmp_path: Path, field: str, ending: str) -> None:
    """The ALTER TABLE runs in SQLite on a table with rows, carries the default, and leaves no drift."""
    schema = SCHEMA.replace("  shops Shop[]\n", "  shops Shop[]\n" + field)
    script = FILE + "INSERT INTO Tag VALUES ('a');"
    finding = _only(_drift(tmp_path, schema=schema, script=script))
    statement = finding.advice.split("`")[1]
    assert (finding.code, finding.count) == ("drift_column_missing", 1)
    assert ending in statement
    (tmp_path / "app.db").unlink()
    assert _drift(tmp_path, schema=schema, script=script + statement) == ()


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("x Int", "schema.prisma gives no default"),
        ("x DateTime @default(now())", "current time"),
        ('x Int? @default(dbgenerated("1 + 1"))', "expression of PostgreSQL's"),
    ],
)
def test_no_value_is_invented(tmp_path: Path, field: str, said: str) -> None:
    """Where the schema gives no constant the column is added empty, and the operator fills it."""
    schema = SCHEMA.replace("  shops Shop[]\n", f"  shops Shop[]\n  {field}\n")
    finding = _only(_drift(tmp_path, schema=schema))
    statement = finding.advice.split("`")[1]
    assert said in finding.advice
    assert "DEFAULT" not in statement
    (tmp_path / "app.db").unlink()
    _made(tmp_path, FILE + "INSERT INTO Tag VALUES ('a');" + statement)


def test_a_missing_key_column_is_not_added_by_hand(tmp_path: Path) -> None:
    """SQLite has no statement that adds a column to a primary key."""
    script = "CREATE TABLE T (b INTEGER NOT NULL);"
    schema = 'datasource d {\n  provider = "sqlite"\n}\nmodel T {\n  a Int @id\n  b Int\n}\n'
    finding = _only(_drift(tmp_path, schema=schema, script=script))
    assert "ALTER TABLE" not in finding.advice
    assert "primary key" in finding.advice
