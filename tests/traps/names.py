"""Traps of names: of tables, columns and indexes."""

import sqlite3

from psycopg import errors

from traps.target import refuses, sees
from traps.words import Trap, Want, warn

RESERVED = ("select", "user", "order", "group", "table", "all", "default", "end", "primary", "check", "null", "offset")
ODD = (
    'we"ird',
    "it's",
    "back`tick",
    "[br]",
    "100%",
    "%s %(x)s",
    ":name",
    "a\\b",
    "new\nline",
    "tab\there",
    " lead",
    "trail ",
    "a.b",
    "semi;colon",
    "--comment",
    "/*",
    "{brace}",
    "$1",
    "?",
    "naïve",
    "e\u0301",
    "\u00e9",
    "имя",
    "表",
    "👍🏽",
    "1st",
    "UPPER",
    "true",
    "oid",
    "rowid",
    "public",
    "x" * 63,
)


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _tables(names: tuple[str, ...]) -> str:
    return "".join(
        f"CREATE TABLE {_q(n)} (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO {_q(n)} VALUES ({i}, 'x');"
        for i, n in enumerate(names)
    )


def _columns(table: str, names: tuple[str, ...]) -> str:
    unique = f"CREATE UNIQUE INDEX {_q(table + ' idx')} ON {table} ({', '.join(map(_q, names[:6]))});"
    return (
        f"CREATE TABLE {table} ({', '.join(f'{_q(n)} INTEGER' for n in names)}); {unique}"
        f"INSERT INTO {table} VALUES ({', '.join(map(str, range(len(names))))});"
    )


_IN_LATIN_1 = """PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET name = CAST(replace(CAST(name AS BLOB), x'5858', x'e9') AS TEXT),
        tbl_name = CAST(replace(CAST(tbl_name AS BLOB), x'5858', x'e9') AS TEXT),
        sql = CAST(replace(CAST(sql AS BLOB), x'5858', x'e9') AS TEXT);
    PRAGMA writable_schema = OFF;"""


def _column_not_utf8(database: sqlite3.Connection) -> None:
    database.executescript(
        f"""CREATE TABLE latin (id INTEGER PRIMARY KEY, "caXX" TEXT CHECK ("caXX" <> 'no'), "café" TEXT);
        CREATE INDEX latin_ca ON latin (caXX) WHERE caXX > 'a';
        INSERT INTO latin VALUES (1, 'x', 'y'), (2, NULL, NULL); {_IN_LATIN_1}"""
    )


def _table_not_utf8(database: sqlite3.Connection) -> None:
    database.executescript(
        f"""CREATE TABLE tableXX (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT UNIQUE, columnXX REFERENCES tableXX);
        CREATE INDEX indexXX ON tableXX (columnXX, v DESC);
        CREATE VIEW seen AS SELECT v, "columnXX" FROM "tableXX" WHERE id > 1;
        INSERT INTO tableXX VALUES (1, 'x', NULL), (2, 'y', 1), (7, 'gone', NULL); DELETE FROM tableXX WHERE id = 7;
        UPDATE sqlite_sequence SET name = CAST(x'7461626c65e9' AS TEXT); {_IN_LATIN_1}"""
    )


LONG_A, LONG_B = "c" * 63 + "a", "c" * 63 + "b"
CYRILLIC = "ы" * 40
LONG_TABLES = ("t" * 62 + "one", "t" * 62 + "two")
NEARLY = ("n" * 60 + "a", "n" * 60 + "b")

PASSING = (
    Trap("names/reserved_tables", _tables(RESERVED), checks=(sees('SELECT id, v FROM "user"', (1, "x")),)),
    Trap(
        "names/reserved_columns", _columns("rcol", RESERVED), checks=(sees('SELECT "order", "end" FROM rcol', (2, 7)),)
    ),
    Trap("names/odd_tables", _tables(ODD)),
    Trap("names/odd_columns", _columns("ocol", (*ODD, "OID2", "Ä", "ä"))),
    Trap(
        "names/like_sqlites_own",
        _tables(
            ("sqliteXsequence", "sqlite", "sqlitefoo", "pg_class", "pg_type", "information_schema", "zenni", "_temp")
        ),
    ),
    Trap(
        "names/percent_signs",
        """CREATE TABLE "%" ("%" INTEGER PRIMARY KEY AUTOINCREMENT, "%%" TEXT UNIQUE, "%s" TEXT CHECK ("%s" <> 'no'),
            "%(up)s" INTEGER REFERENCES "%" ("%"), "%b" INTEGER AS ("%" * 2) STORED);
        CREATE INDEX "%i" ON "%" ("%s") WHERE "%%" > ''; CREATE VIEW "%v" AS SELECT "%%" FROM "%";
        INSERT INTO "%" ("%", "%%", "%s", "%(up)s") VALUES (1, 'a', 'b', 1), (5, '%', '%%', NULL);""",
        checks=(sees('INSERT INTO "%" ("%%") VALUES (\'new\') RETURNING "%"', (6,)),),
    ),
    Trap("names/path_of_dots", _tables(("public.user", "main.x", "temp.y"))),
    Trap(
        "names/case_kept",
        """CREATE TABLE "MixedCase" ("Id" INTEGER PRIMARY KEY, "fooBar" TEXT); INSERT INTO mixedcase VALUES (1, 'x');
        CREATE INDEX "Idx_MixedCase" ON mixedcase (FOOBAR);""",
        checks=(
            sees('SELECT "Id", "fooBar" FROM "MixedCase"', (1, "x")),
            sees("SELECT count(*) FROM pg_class WHERE relname = 'Idx_MixedCase'", (1,)),
        ),
    ),
    Trap(
        "names/taken_by_our_own",
        """CREATE TABLE foo (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT UNIQUE, p INTEGER REFERENCES foo (id));
        CREATE TABLE foo_pkey (id INTEGER PRIMARY KEY, v TEXT);
        CREATE TABLE foo_id_seq (id INTEGER PRIMARY KEY, v TEXT);
        CREATE TABLE foo_a_key (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE _foo (id INTEGER PRIMARY KEY, v TEXT);
        CREATE INDEX foo_p_fkey ON foo (p); CREATE TABLE other (id INTEGER PRIMARY KEY, v TEXT);
        CREATE INDEX other_pkey ON other (v); INSERT INTO foo VALUES (1, 'a', NULL);
        INSERT INTO other VALUES (1, 'x');""",
        checks=(
            refuses(errors.UniqueViolation, "INSERT INTO foo VALUES (1, 'b', NULL)"),
            refuses(errors.UniqueViolation, "INSERT INTO foo VALUES (2, 'a', NULL)"),
            refuses(errors.UniqueViolation, "INSERT INTO other VALUES (1, 'z')"),
            refuses(errors.ForeignKeyViolation, "INSERT INTO foo VALUES (2, 'b', 77)"),
            sees("INSERT INTO foo (a) VALUES ('c') RETURNING id", (2,)),
        ),
    ),
    Trap(
        "names/generated_names_cut",
        "".join(
            f"""CREATE TABLE {n} (id INTEGER PRIMARY KEY, a TEXT UNIQUE, p INTEGER REFERENCES {n} (id));
            INSERT INTO {n} VALUES (1, 'a', 1);"""
            for n in NEARLY
        ),
        checks=tuple(refuses(errors.UniqueViolation, f"INSERT INTO {n} VALUES (2, 'a', NULL)") for n in NEARLY),
    ),
    Trap(
        "names/long_index",
        f"""CREATE TABLE li (id INTEGER PRIMARY KEY, a TEXT, b TEXT); CREATE UNIQUE INDEX {"i" * 63}a ON li (a);
        CREATE UNIQUE INDEX {"i" * 63}b ON li (b); INSERT INTO li VALUES (1, 'a', 'b');""",
        (warn("name_too_long", "li", count=None),),
        (
            refuses(errors.UniqueViolation, "INSERT INTO li VALUES (2, 'a', 'x')"),
            refuses(errors.UniqueViolation, "INSERT INTO li VALUES (2, 'x', 'b')"),
        ),
    ),
    Trap(
        "renames/chosen",
        """CREATE TABLE "user list" (id INTEGER PRIMARY KEY, "full name" TEXT, up INTEGER REFERENCES "user list" (id));
        CREATE INDEX ul_name ON "user list" ("full name" DESC) WHERE "full name" <> '';
        INSERT INTO "user list" VALUES (1, 'x', 1);""",
        checks=(
            sees("SELECT id, full_name, up FROM users", (1, "x", 1)),
            refuses(errors.ForeignKeyViolation, "INSERT INTO users VALUES (2, 'x', 9)"),
            sees("SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass AND indpred IS NOT NULL", (1,)),
        ),
        renames={"user list": "users", "user list.full name": "full_name"},
    ),
    Trap(
        "exclude/table_and_column",
        """CREATE TABLE keep (id INTEGER PRIMARY KEY, v TEXT, secret TEXT); INSERT INTO keep VALUES (1, 'x', 'hush');
        CREATE TABLE leave (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO leave VALUES (1, 'x' || char(0));""",
        checks=(sees("SELECT * FROM keep", (1, "x")), sees("SELECT to_regclass('leave')::text", (None,))),
        exclude=("leave", "keep.secret"),
    ),
)

BLOCKED = (
    Trap(
        "name_too_long/columns",
        f"CREATE TABLE wide_names (id INTEGER PRIMARY KEY, {LONG_A} TEXT, {LONG_B} TEXT, {CYRILLIC} TEXT);"
        " INSERT INTO wide_names VALUES (1, 'a', 'b', 'c');",
        (
            *(
                Want("name_too_long|name_collides", "wide_names", n, 1, (), offers=("rename:",), choose="rename:*")
                for n in (LONG_A, LONG_B)
            ),
            Want("name_too_long", "wide_names", CYRILLIC, 1, (), offers=("rename:",), choose="rename:short"),
        ),
        (
            sees("SELECT short FROM wide_names", ("c",)),
            sees("SELECT count(*) FROM pg_attribute WHERE attrelid = 'wide_names'::regclass AND attnum > 0", (4,)),
        ),
    ),
    Trap(
        "name_too_long/tables",
        _tables(LONG_TABLES),
        tuple(
            Want("name_too_long|name_collides", n, None, 1, (), offers=("rename:",), choose="rename:*")
            for n in LONG_TABLES
        ),
    ),
    Trap(
        "name_reserved/system_columns",
        """CREATE TABLE sys (ctid INTEGER PRIMARY KEY, xmin TEXT, cmax TEXT, tableoid TEXT, oid TEXT, "CTID2" TEXT);
        INSERT INTO sys VALUES (1, 'a', 'b', 'c', 'd', 'e');""",
        tuple(
            Want("name_reserved", "sys", c, 1, (), offers=("rename:",), choose=f"rename:my_{c}")
            for c in ("ctid", "xmin", "cmax", "tableoid")
        ),
        (sees("SELECT my_ctid, my_xmin, my_cmax, my_tableoid, oid FROM sys", (1, "a", "b", "c", "d")),),
    ),
    Trap(
        "name_empty/column",
        "CREATE TABLE has_empty (id INTEGER PRIMARY KEY, \"\" TEXT); INSERT INTO has_empty VALUES (1, 'x');",
        (Want("name_empty", "has_empty", "", 1, (), offers=("rename:",), choose="rename:nameless"),),
        (sees("SELECT nameless FROM has_empty", ("x",)),),
    ),
    Trap(
        "name_empty/table",
        'CREATE TABLE "" (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO "" VALUES (1, \'x\');',
        (Want("name_empty", "", None, 1, (), offers=("rename:",), choose="rename:anonymous"),),
        (sees("SELECT v FROM anonymous", ("x",)),),
    ),
    Trap(
        "name_not_utf8/column",
        _column_not_utf8,
        (Want("name_not_utf8", "latin", "caé", 1, (), offers=("rename:",), choose="rename:*"),),
        (
            sees('SELECT id, "caé", "café" FROM latin', (1, "x", "y"), (2, None, None)),
            refuses(errors.CheckViolation, "INSERT INTO latin VALUES (3, 'no', 'z')"),
            sees("SELECT count(*) FROM pg_index WHERE indrelid = 'latin'::regclass AND indpred IS NOT NULL", (1,)),
        ),
        # An outsider can't name the column in a statement: the checks tell its values.
        compared=False,
    ),
)

TABLE_NOT_UTF8 = Trap(
    "name_not_utf8/table",
    _table_not_utf8,
    (
        Want("name_not_utf8", "*", None, 1, (), offers=("rename:",), choose="rename:Tafel"),
        Want("name_not_utf8", "*", "columné", 1, (), offers=("rename:",), choose="rename:*"),
    ),
    (
        sees('SELECT id, v, "columné" FROM "Tafel"', (1, "x", None), (2, "y", 1)),
        sees("SELECT v FROM seen", ("y",)),
        refuses(errors.UniqueViolation, "INSERT INTO \"Tafel\" (v) VALUES ('x')"),
        sees("INSERT INTO \"Tafel\" (v) VALUES ('next') RETURNING id > 7", (True,)),
    ),
    may=("foreign_key_types",),
    compared=False,
)
