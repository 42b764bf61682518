"""Traps of a whole file: its encoding, mode, pages, what is missing from the library, a Prisma schema beside it."""

import sqlite3
import struct
from pathlib import Path

from psycopg import errors

from traps.target import has_types, key_of, refuses, sees
from traps.words import Group, Trap, Want, warn

SMALL = """CREATE TABLE {0} (id INTEGER PRIMARY KEY, t TEXT, b BLOB);
    INSERT INTO {0} VALUES (1, 'x', x'00'), (2, 'ä𝄞', NULL);"""
WIDE_TEXT = """CREATE TABLE "таблица" (id INTEGER PRIMARY KEY, "söderköping" TEXT UNIQUE, t TEXT);
    INSERT INTO "таблица" VALUES (1, 'ä€𝄞👍', '\ufeffx'), (2, 'plain', ''), (3, NULL, NULL);"""


def _single(name: str, make: object, *checks: object, **more: object) -> Group:
    group = {k: more.pop(k) for k in ("before", "after", "crash", "prisma") if k in more}
    trap = Trap(name, make, checks=checks, **more)  # type: ignore[arg-type]
    return Group(name.replace("/", "_"), (trap,), **group)  # type: ignore[arg-type]


def _utf16(order: str) -> Group:
    check = sees('SELECT "söderköping", t FROM "таблица" WHERE id = 1', ("ä€𝄞👍", "\ufeffx"))
    return _single(f"encoding/utf16{order}", WIDE_TEXT, check, before=f"PRAGMA encoding = 'UTF-16{order}'")


def _nan_inside(path: Path) -> None:
    data = path.read_bytes()
    marker = struct.pack("!d", 1234567.890625)
    assert data.count(marker) == 1
    path.write_bytes(data.replace(marker, b"\x7f\xf8\0\0\0\0\0\1"))


def _missing_collation(database: sqlite3.Connection) -> None:
    database.create_collation("FINNISH", lambda a, b: (a > b) - (a < b))
    database.executescript(
        """CREATE TABLE coll (id INTEGER PRIMARY KEY, t TEXT COLLATE finnish, u TEXT);
        CREATE INDEX coll_t ON coll (t); CREATE UNIQUE INDEX coll_u ON coll (u COLLATE finnish);
        INSERT INTO coll VALUES (1, 'å', 'b'), (2, 'a', 'c'); CREATE TABLE coll_other (id INTEGER PRIMARY KEY, t TEXT);
        INSERT INTO coll_other VALUES (1, 'x');"""
    )


def _missing_function(database: sqlite3.Connection) -> None:
    database.create_function("fold", 1, lambda text: text and text.lower(), deterministic=True)
    database.executescript(
        """CREATE TABLE fun (id INTEGER PRIMARY KEY, t TEXT CHECK (fold(t) <> 'no'), d TEXT DEFAULT (fold('X')));
        CREATE INDEX fun_i ON fun (fold(t)); CREATE INDEX fun_p ON fun (id) WHERE fold(t) = 'a';
        CREATE VIEW fun_v AS SELECT fold(t) AS f FROM fun; INSERT INTO fun VALUES (1, 'A', 'x'), (2, 'b', 'y');
        CREATE TABLE fun_other (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO fun_other VALUES (1, 'x');"""
    )


def _missing_in_generated(database: sqlite3.Connection) -> None:
    database.create_function("fold", 1, lambda text: text and text.lower(), deterministic=True)
    database.executescript(
        """CREATE TABLE fung (id INTEGER PRIMARY KEY, t TEXT, v TEXT AS (fold(t)) VIRTUAL, s TEXT AS (fold(t)) STORED);
        INSERT INTO fung (id, t) VALUES (1, 'A'); CREATE TABLE fung_other (id INTEGER PRIMARY KEY, t TEXT);
        INSERT INTO fung_other VALUES (1, 'x');"""
    )


def _missing_module(database: sqlite3.Connection) -> None:
    database.executescript(
        """CREATE TABLE beside (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO beside VALUES (1, 'x');
        PRAGMA writable_schema = ON;
        INSERT INTO sqlite_schema VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone USING nosuch(a, b)');
        PRAGMA writable_schema = OFF;"""
    )


_PRISMA = """datasource db {
  provider = "sqlite"
}

generator client {
  provider = "prisma-client-js"
}

"""
_MODEL = """enum Status {
  OPEN
  SHUT @map("shut down")
}

model Thing {
  id      Int      @id @default(autoincrement())
  name    String   @unique
  status  Status   @default(OPEN)
  count   Int
  big     BigInt?
  price   Decimal?
  live    Boolean  @default(true)
  at      DateTime @default(now())
  doc     Json?
  bytes   Bytes?
}
"""
_THING = """CREATE TABLE "Thing" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'OPEN', "count" INTEGER NOT NULL, "big" BIGINT, "price" DECIMAL,
    "live" BOOLEAN NOT NULL DEFAULT true, "at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, "doc" JSONB, "bytes" BLOB);
    CREATE UNIQUE INDEX "Thing_name_key" ON "Thing"("name");
    INSERT INTO "Thing" VALUES (1, 'a', 'OPEN', 1, 9007199254740993, 0.1, 1, 1700000000123, '{"a": 1}', x'00'),
        (2, 'b', 'shut down', -5, NULL, NULL, 0, '2024-02-29T12:34:56.789+00:00', NULL, NULL),
        (7, 'c', 'OPEN', 0, NULL, NULL, 1, 1700000000, 'null', NULL);"""

_PRISMA_BAD = (
    Want("enum_unknown", "Thing", "status", 1, ("8",), offers=("to_value:", "quarantine"), choose="to_value:OPEN"),
    Want("integer_out_of_range", "Thing", "count", 1, ("9",), offers=("type:bigint",), choose="type:bigint"),
    Want("date_too_fine", "Thing", "at", 1, ("10",), offers=("type:timestamp(6)",), choose="type:timestamp(6)"),
    Want("json_invalid", "Thing", "doc", 1, ("11",), offers=("to_null",), choose="to_null"),
)
_BAD_ROWS = """INSERT INTO "Thing" ("id", "name", "status", "count", "at", "doc") VALUES (8, 'd', 'LOST', 1, 0, NULL),
    (9, 'e', 'OPEN', 3000000000, 0, NULL), (10, 'f', 'OPEN', 1, '2024-02-29T12:34:56.789123Z', NULL),
    (11, 'g', 'OPEN', 1, 0, '{oops');"""

GROUPS = (
    _utf16("le"),
    _utf16("be"),
    _single("pages/smallest", SMALL.format("p512"), before="PRAGMA page_size = 512; PRAGMA auto_vacuum = FULL"),
    _single(
        "pages/largest_with_free_ones",
        SMALL.format("p64k") + "INSERT INTO p64k VALUES (9, NULL, zeroblob(900000)); DELETE FROM p64k WHERE id = 9;",
        before="PRAGMA page_size = 65536; PRAGMA auto_vacuum = INCREMENTAL",
    ),
    _single(
        "wal/rows_in_frames_only", SMALL.format("wal"), sees("SELECT t FROM wal WHERE id = 2", ("ä𝄞",)), crash="wal"
    ),
    _single("journal/hot", SMALL.format("hot"), sees("SELECT count(*) FROM hot", (2,)), crash="journal"),
    _single("nothing/no_tables", "CREATE TABLE x (a); DROP TABLE x;", wants=(Want("no_tables", None),)),
    _single("nothing/views_only", "CREATE VIEW only AS SELECT 1 AS one, 'a' AS a;", wants=(Want("no_tables", None),)),
    _single(
        "exclude/every_column",
        "CREATE TABLE alone (v TEXT); INSERT INTO alone VALUES ('x');",
        wants=(Want("no_columns_left", "alone"),),
        exclude=("alone.v",),
    ),
    _single(
        "statistics/analyzed",
        "CREATE TABLE an (id INTEGER PRIMARY KEY, t TEXT); CREATE INDEX an_t ON an (t);"
        "INSERT INTO an VALUES (1, 'x'), (2, 'y'); ANALYZE;",
        sees("SELECT to_regclass('sqlite_stat1')::text", (None,)),
    ),
    _single(
        "not_a_number/inside_a_page",
        "CREATE TABLE nan (id INTEGER PRIMARY KEY, r REAL); INSERT INTO nan VALUES (1, 1234567.890625), (2, 0.5);",
        sees("SELECT r FROM nan ORDER BY id", (None,), (0.5,)),
        after=_nan_inside,
    ),
    _single(
        "missing/collation",
        _missing_collation,
        sees("SELECT t, u FROM coll ORDER BY id", ("å", "b"), ("a", "c")),
        wants=(warn("collation_not_carried", "coll"),),
        may=("index_not_carried",),
    ),
    _single(
        "missing/function",
        _missing_function,
        sees("SELECT t, d FROM fun ORDER BY id", ("A", "x"), ("b", "y")),
        wants=(
            warn("check_not_carried", "fun"),
            warn("default_not_carried", "fun", "d"),
            warn("index_not_carried", "fun", count=None),
            warn("view_not_carried", "fun_v"),
        ),
    ),
    _single(
        "missing/function_in_generated",
        _missing_in_generated,
        sees("SELECT t FROM fung_other", ("x",)),
        wants=(Want("table_unreadable|generated_not_carried", "fung", "*", offers=("exclude",), choose="exclude"),),
        may=("generated_not_carried",),
        compared=False,
    ),
    _single(
        "missing/module",
        _missing_module,
        sees("SELECT t FROM beside", ("x",)),
        wants=(Want("table_unreadable|virtual_not_carried", "gone", offers=("exclude",), choose="exclude"),),
        compared=False,
    ),
    _single(
        "prisma/types_and_dates",
        _THING,
        has_types(
            "Thing",
            id="integer",
            status='"Status"',
            count="integer",
            big="bigint",
            price="numeric(65,30)",
            live="boolean",
            at="timestamp(3) without time zone",
            doc="jsonb",
            bytes="bytea",
        ),
        sees(
            'SELECT "at"::text FROM "Thing" ORDER BY id',
            ("2023-11-14 22:13:20.123",),
            ("2024-02-29 12:34:56.789",),
            ("1970-01-20 16:13:20",),
        ),
        sees(
            'INSERT INTO "Thing" ("name", "count") VALUES (\'new\', 1) RETURNING id, status::text, live',
            (8, "OPEN", True),
        ),
        key_of("Thing", "id"),
        refuses(errors.UniqueViolation, 'INSERT INTO "Thing" ("name", "count") VALUES (\'a\', 1)'),
        prisma=_PRISMA + _MODEL,
        may=("date_ambiguous", "date_zone_assumed"),
    ),
    _single(
        "prisma/values_beyond_its_types",
        _THING + _BAD_ROWS,
        sees(
            'SELECT status::text, count FROM "Thing" WHERE id IN (8, 9) ORDER BY id',
            ("OPEN", 1),
            ("OPEN", 3_000_000_000),
        ),
        sees('SELECT "at"::text FROM "Thing" WHERE id = 10', ("2024-02-29 12:34:56.789123",)),
        prisma=_PRISMA + _MODEL,
        wants=_PRISMA_BAD,
        may=("date_ambiguous", "date_zone_assumed"),
        compared=False,
    ),
    _single(
        "prisma/drift",
        _THING + 'ALTER TABLE "Thing" ADD COLUMN "extra" TEXT; CREATE TABLE "Stray" ("id" TEXT NOT NULL PRIMARY KEY);'
        'INSERT INTO "Stray" VALUES (\'s\'); UPDATE "Thing" SET "extra" = \'kept?\';',
        prisma=_PRISMA + _MODEL.replace("bytes   Bytes?", "bytes   Bytes?\n  missing String"),
        wants=(
            Want("drift_column_missing", "Thing", "missing"),
            Want("drift_column_undeclared", "Thing", "extra", severity="error|warning"),
            Want("drift_table_undeclared", "Stray", severity="warning|info"),
        ),
        may=("date_ambiguous", "date_zone_assumed"),
    ),
)
