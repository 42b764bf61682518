"""Traps of tables as such: how rows are keyed, numbered, generated and counted."""

import random
import sqlite3

from traps.target import Check, accepts, has_types, key_of, sees, told_or
from traps.words import Trap, Want, warn


def next_is(table: str, number: int, *, columns: str = "v", value: str = "'new'") -> Check:
    """Return the check that the next row gets this number, as in SQLite."""
    return sees(f'INSERT INTO "{table}" ({columns}) VALUES ({value}) RETURNING id', (number,))


def _long(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE long_values (id INTEGER PRIMARY KEY, t TEXT, b BLOB)")
    noise = random.Random(3)  # noqa: S311 - the same bytes each time
    database.execute("INSERT INTO long_values VALUES (1, ?, ?)", ("ä€𝄞x" * 1_250_000, noise.randbytes(12_000_000)))
    database.execute("INSERT INTO long_values VALUES (2, '', x'')")


def _not_null_by_hand(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE hand_null (id INTEGER PRIMARY KEY, v TEXT        )")
    database.execute("INSERT INTO hand_null VALUES (1, 'a'), (2, NULL), (3, NULL)")
    database.execute("PRAGMA writable_schema = ON")
    database.execute(
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE hand_null (id INTEGER PRIMARY KEY, v TEXT NOT NULL)'"
        " WHERE name = 'hand_null'"
    )
    database.execute("PRAGMA writable_schema = OFF")


PASSING = (
    Trap(
        "without_rowid/composite_key",
        """CREATE TABLE wr (a TEXT, b INTEGER, v BLOB, PRIMARY KEY (b, a)) WITHOUT ROWID;
        INSERT INTO wr VALUES ('x', 2, x'00ff'), ('y', 1, NULL), ('x', -1, x'');""",
        checks=(key_of("wr", "b", "a"), has_types("wr", a="text", b="bigint", v="bytea")),
    ),
    Trap(
        "strict/types",
        """CREATE TABLE st (id INTEGER PRIMARY KEY, i INT NOT NULL, r REAL, t TEXT, b BLOB) STRICT;
        INSERT INTO st VALUES (1, 5, 1, 'x', x'01'), (2, -5, 0.1, NULL, NULL);""",
        checks=(has_types("st", i="bigint", r="double precision", t="text", b="bytea"),),
    ),
    Trap(
        "strict/any",
        """CREATE TABLE st_any (id INTEGER PRIMARY KEY, a ANY) STRICT;
        INSERT INTO st_any VALUES (1, 5), (2, '5'), (3, 1.5), (4, 'x'), (5, NULL);""",
        (warn("mixed_classes", "st_any", "a"),),
        (sees("SELECT id, a FROM st_any ORDER BY id", (1, "5"), (2, "5"), (3, "1.5"), (4, "x"), (5, None)),),
    ),
    Trap(
        "composite_key/other_order",
        """CREATE TABLE ck (a INT NOT NULL, b INT NOT NULL, c TEXT NOT NULL, PRIMARY KEY (c, a));
        INSERT INTO ck VALUES (1, 2, 'z'), (2, 2, 'z'), (1, 2, 'a');""",
        checks=(key_of("ck", "c", "a"),),
    ),
    Trap(
        "no_key/duplicate_rows",
        """CREATE TABLE nk (a INTEGER, b TEXT);
        INSERT INTO nk VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL);""",
        checks=(sees("SELECT a, b, count(*) FROM nk GROUP BY 1, 2 ORDER BY 1", (1, "x", 3), (None, None, 2)),),
    ),
    Trap(
        "no_key/rowid_names_taken",
        """CREATE TABLE nr (rowid TEXT, _rowid_ TEXT, oid TEXT, v INTEGER);
        INSERT INTO nr VALUES ('a', 'b', 'c', 1), ('a', 'b', 'c', 1), ('d', NULL, 'f', 2);""",
        checks=(sees("SELECT rowid, _rowid_, oid, v FROM nr WHERE v = 2", ("d", None, "f", 2)),),
    ),
    Trap(
        "autoincrement/deleted_top",
        """CREATE TABLE ai (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
        INSERT INTO ai (v) VALUES ('a'), ('b'), ('c'), ('d'); DELETE FROM ai WHERE id > 2;""",
        checks=(next_is("ai", 5),),
    ),
    Trap(
        "autoincrement/emptied",
        """CREATE TABLE ai_empty (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
        INSERT INTO ai_empty (v) VALUES ('a'), ('b'), ('c'); DELETE FROM ai_empty;""",
        checks=(next_is("ai_empty", 4),),
    ),
    Trap(
        "autoincrement/counter_too_low",
        """CREATE TABLE ai_low (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
        INSERT INTO ai_low VALUES (10, 'a'); UPDATE sqlite_sequence SET seq = 2 WHERE name = 'ai_low';""",
        checks=(next_is("ai_low", 11),),
    ),
    Trap(
        "autoincrement/never_used",
        "CREATE TABLE ai_new (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);",
        checks=(next_is("ai_new", 1),),
    ),
    Trap(
        "integer_key/nulls_inserted",
        """CREATE TABLE ik (id INTEGER PRIMARY KEY, v TEXT);
        INSERT INTO ik VALUES (NULL, 'a'), (7, 'b'), (NULL, 'c');""",
        checks=(sees("SELECT id, v FROM ik ORDER BY id", (1, "a"), (7, "b"), (8, "c")), next_is("ik", 9)),
    ),
    Trap(
        "integer_key/gaps_and_negatives",
        """CREATE TABLE gaps (id INTEGER PRIMARY KEY, v TEXT);
        INSERT INTO gaps VALUES (-9223372036854775808, 'a'), (-5, 'b'), (0, 'c'), (1000000000000, 'd');""",
        checks=(next_is("gaps", 1_000_000_000_001),),
    ),
    Trap(
        "integer_key/all_negative",
        "CREATE TABLE below (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO below VALUES (-9, 'a'), (-3, 'b');",
        checks=(accepts("INSERT INTO below (v) VALUES ('new')"),),
    ),
    Trap(
        "integer_key/largest_used",
        "CREATE TABLE top (id INTEGER PRIMARY KEY, v TEXT);"
        " INSERT INTO top VALUES (9223372036854775807, 'a'), (1, 'b');",
        (warn("counter_exhausted", "top", "id"),),
    ),
    Trap(
        "integer_key/not_the_rowid",
        "CREATE TABLE not_alias (id INT PRIMARY KEY, v TEXT); INSERT INTO not_alias VALUES (3, 'a'), (2, 'b');",
        checks=(key_of("not_alias", "id"),),
    ),
    Trap(
        "generated/both_kinds",
        """CREATE TABLE gen (id INTEGER PRIMARY KEY, price INTEGER, qty INTEGER,
            total INTEGER GENERATED ALWAYS AS (price * qty) STORED, twice INTEGER AS (price * 2) VIRTUAL);
        INSERT INTO gen (price, qty) VALUES (3, 4), (NULL, 1), (-7, 2);""",
        checks=(
            sees("INSERT INTO gen (id, price, qty) VALUES (50, 5, 6) RETURNING total, twice", (30, 10)),
            sees("SELECT count(*) FROM pg_attribute WHERE attrelid = 'gen'::regclass AND attgenerated <> ''", (2,)),
        ),
    ),
    Trap(
        "generated/boolean_as_integer",
        """CREATE TABLE gen_bool (id INTEGER PRIMARY KEY, age INTEGER, adult INTEGER AS (age >= 18) STORED);
        INSERT INTO gen_bool (age) VALUES (17), (18), (NULL);""",
        checks=(sees("SELECT adult::int FROM gen_bool ORDER BY id", (0,), (1,), (None,)),),
        may=("generated_not_carried",),
    ),
    Trap(
        "generated/ascii_upper",
        """CREATE TABLE gen_up (id INTEGER PRIMARY KEY, name TEXT, loud TEXT AS (upper(name)));
        INSERT INTO gen_up (name) VALUES ('abc'), ('äbc');""",
        checks=(sees("SELECT loud FROM gen_up ORDER BY id", ("ABC",), ("äBC",)),),
        may=("generated_not_carried",),
    ),
    Trap(
        "generated/first_column",
        """CREATE TABLE gen_first (double AS (base * 2), base INTEGER, id TEXT PRIMARY KEY);
        INSERT INTO gen_first (base, id) VALUES (4, 'a');""",
        checks=(sees("SELECT double::int, base, id FROM gen_first", (8, 4, "a")),),
        may=("mixed_classes", "generated_not_carried"),
    ),
    Trap(
        "untyped/one_class_each",
        """CREATE TABLE ut (id INTEGER PRIMARY KEY, i, t, r, b);
        INSERT INTO ut VALUES (1, 5, 'x', 0.5, x'01'), (2, 6, 'y', -1.5, x'');""",
        checks=(
            has_types("ut", i="bigint|text|numeric", t="text", r="double precision|numeric|text", b="bytea"),
            sees("SELECT i::text, t, r::text, b FROM ut WHERE id = 2", ("6", "y", "-1.5", b"")),
        ),
        may=("mixed_classes",),
    ),
    Trap(
        "untyped/mixed",
        """CREATE TABLE ut_mix (id INTEGER PRIMARY KEY, x);
        INSERT INTO ut_mix VALUES (1, 5), (2, 'five'), (3, 2.5), (4, 1e21), (5, NULL), (6, 0.1);""",
        (warn("mixed_classes", "ut_mix", "x"),),
        (
            has_types("ut_mix", x="text"),
            sees("SELECT x FROM ut_mix ORDER BY id", ("5",), ("five",), ("2.5",), ("1.0e+21",), (None,), ("0.1",)),
        ),
    ),
    Trap(
        "untyped/beyond_doubles",
        """CREATE TABLE ut_big (id INTEGER PRIMARY KEY, x);
        INSERT INTO ut_big VALUES (1, 9007199254740993), (2, 0.5);""",
        checks=(sees("SELECT x::text FROM ut_big ORDER BY id", ("9007199254740993",), ("0.5",)),),
        may=("mixed_classes",),
    ),
    Trap(
        "empty/tables",
        """CREATE TABLE empty_a (id INTEGER PRIMARY KEY, t TEXT, at DATETIME, x);
        CREATE TABLE empty_b (a TEXT, b TEXT, PRIMARY KEY (b)) WITHOUT ROWID;""",
        checks=(sees("SELECT count(*) FROM empty_a", (0,)), key_of("empty_b", "b")),
        may=("mixed_classes",),
    ),
    Trap(
        "long/values",
        _long,
        checks=(sees("SELECT length(t), octet_length(b) FROM long_values WHERE id = 1", (5_000_000, 12_000_000)),),
    ),
    Trap(
        "defaults/added_column",
        """CREATE TABLE added (id INTEGER PRIMARY KEY); INSERT INTO added VALUES (1), (2);
        ALTER TABLE added ADD COLUMN n INTEGER NOT NULL DEFAULT 7; ALTER TABLE added ADD COLUMN t TEXT DEFAULT 'x';
        INSERT INTO added VALUES (3, 8, NULL);""",
        checks=(sees("SELECT id, n, t FROM added ORDER BY id", (1, 7, "x"), (2, 7, "x"), (3, 8, None)),),
    ),
    Trap(
        "dropped_column/hole",
        """CREATE TABLE hole (a TEXT, b TEXT, c TEXT); INSERT INTO hole VALUES ('a', 'b', 'c');
        ALTER TABLE hole DROP COLUMN b; ALTER TABLE hole RENAME COLUMN c TO "b";""",
        checks=(sees("SELECT a, b FROM hole", ("a", "c")),),
    ),
    Trap(
        "check_of_key/text_key_kept",
        """CREATE TABLE text_key (id TEXT PRIMARY KEY NOT NULL, v INTEGER);
        INSERT INTO text_key VALUES ('1', 1), ('01', 2), ('1 ', 3), ('', 4);""",
        checks=(told_or("never", "text_key", key_of("text_key", "id")),),
    ),
)

BLOCKED = (
    Trap(
        "null_in_key/text",
        """CREATE TABLE nkey (id TEXT PRIMARY KEY, v TEXT);
        INSERT INTO nkey VALUES ('a', '1'), (NULL, '2'), ('c', '3');""",
        (
            Want(
                "null_in_not_null",
                "nkey",
                "id",
                1,
                ("rowid 2",),
                offers=("to_value:", "quarantine"),
                choose="to_value:none",
            ),
        ),
        (sees("SELECT id, v FROM nkey ORDER BY v", ("a", "1"), ("none", "2"), ("c", "3")),),
        compared=False,
    ),
    Trap(
        "null_in_key/integer_desc",
        """CREATE TABLE dkey (id INTEGER PRIMARY KEY DESC, v TEXT);
        INSERT INTO dkey VALUES (5, 'a'), (NULL, 'b'), (NULL, 'c');""",
        (
            Want(
                "null_in_not_null", "dkey", "id", 2, ("rowid 2", "rowid 3"), offers=("quarantine",), choose="quarantine"
            ),
        ),
        (sees("SELECT id, v FROM dkey", (5, "a")),),
        compared=False,
    ),
    Trap(
        "null_in_key/composite",
        """CREATE TABLE nkey2 (a TEXT, b INTEGER, PRIMARY KEY (a, b));
        INSERT INTO nkey2 VALUES ('a', 1), ('a', NULL), ('a', NULL);""",
        (
            Want(
                "null_in_not_null", "nkey2", "b", 2, ("rowid 2", "rowid 3"), offers=("quarantine",), choose="quarantine"
            ),
        ),
        (sees("SELECT a, b FROM nkey2", ("a", 1)),),
        compared=False,
    ),
    Trap(
        "null_in_key/as_unique_index",
        """CREATE TABLE ukey (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (a, b));
        INSERT INTO ukey VALUES ('a', 1, 'x'), (NULL, NULL, 'y'), (NULL, NULL, 'z'), ('a', NULL, 'w');
        CREATE TABLE ukey_child (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, FOREIGN KEY (a, b) REFERENCES ukey);
        INSERT INTO ukey_child VALUES (1, 'a', 1), (2, NULL, NULL);""",
        (
            Want("null_in_not_null", "ukey", "a", 2, offers=("key_as_unique", "to_value:"), choose="key_as_unique"),
            Want("null_in_not_null", "ukey", "b", 3, offers=("key_as_unique", "to_value:"), choose="key_as_unique"),
        ),
        (
            sees("SELECT count(*) FROM ukey", (4,)),
            sees(
                "SELECT indisunique, indisprimary FROM pg_index WHERE indrelid = 'ukey'::regclass",
                (True, False),
            ),
            sees("SELECT count(*) FROM pg_constraint WHERE conrelid = 'ukey_child'::regclass AND contype = 'f'", (1,)),
        ),
    ),
    Trap(
        "null_in_not_null/schema_by_hand",
        _not_null_by_hand,
        (
            Want(
                "null_in_not_null",
                "hand_null",
                "v",
                2,
                ("2", "3"),
                offers=("to_value:", "quarantine"),
                choose="to_value:?",
            ),
        ),
        (sees("SELECT v FROM hand_null ORDER BY id", ("a",), ("?",), ("?",)),),
        compared=False,
    ),
    Trap(
        "generated/untranslatable",
        """CREATE TABLE gen_no (id INTEGER PRIMARY KEY, at TEXT, y TEXT AS (strftime('%W', at) || typeof(at)));
        INSERT INTO gen_no (at) VALUES ('2024-05-06'), (NULL);""",
        (Want("generated_not_carried", "gen_no", "y", offers=("as_column", "exclude"), choose="as_column"),),
        (sees("SELECT y FROM gen_no ORDER BY id", ("19text",), (None,)),),
    ),
)
