"""Traps of rules that PostgreSQL must keep as SQLite did: checks, unique and other indexes."""

from psycopg import errors

from traps.target import accepts, refuses, sees, told_or
from traps.words import Trap, Want, warn

CHECK = errors.CheckViolation
UNIQUE = errors.UniqueViolation

CHECKS = (
    Trap(
        "check/translated",
        """CREATE TABLE chk (id INTEGER PRIMARY KEY, qty INTEGER CHECK (qty > 0), status TEXT NOT NULL,
            a INTEGER, b INTEGER, code TEXT,
            CONSTRAINT known_status CHECK (status IN ('open', 'it''s done')),
            CHECK (a <= b OR b IS NULL), CHECK (length(code) BETWEEN 2 AND 3), CHECK (coalesce(a, 0) <> 13));
        INSERT INTO chk VALUES (1, 5, 'open', 1, 2, 'ab'), (2, NULL, 'it''s done', 9, NULL, NULL);""",
        checks=(
            refuses(CHECK, "INSERT INTO chk VALUES (9, 0, 'open', 1, 2, 'ab')"),
            refuses(CHECK, "INSERT INTO chk VALUES (9, 1, 'shut', 1, 2, 'ab')"),
            refuses(CHECK, "INSERT INTO chk VALUES (9, 1, 'open', 3, 2, 'ab')"),
            refuses(CHECK, "INSERT INTO chk VALUES (9, 1, 'open', 1, 2, 'a')"),
            refuses(CHECK, "INSERT INTO chk VALUES (9, 1, 'open', 13, 14, 'ab')"),
            accepts("INSERT INTO chk VALUES (9, 1, 'open', 1, NULL, NULL)"),
            sees("SELECT count(*) FROM pg_constraint WHERE conname = 'known_status' AND contype = 'c'", (1,)),
        ),
    ),
    Trap(
        "check/boolean_in_numbers",
        """CREATE TABLE chk_bool (id INTEGER PRIMARY KEY, live BOOLEAN, CHECK (live IN (0, 1)));
        INSERT INTO chk_bool VALUES (1, 1), (2, 0), (3, NULL);""",
        checks=(sees("SELECT live FROM chk_bool ORDER BY id", (True,), (False,), (None,)),),
        may=("check_not_carried",),
    ),
    Trap(
        "check/truth_of_a_number",
        "CREATE TABLE chk_truth (id INTEGER PRIMARY KEY, n INTEGER CHECK (n)); INSERT INTO chk_truth VALUES (1, 2);",
        checks=(told_or("check_not_carried", "chk_truth", refuses(CHECK, "INSERT INTO chk_truth VALUES (9, 0)")),),
        may=("check_not_carried",),
    ),
    Trap(
        "check/double_quoted_strings",
        """CREATE TABLE chk_dq (id INTEGER PRIMARY KEY, s TEXT CHECK (s IN ("a", "b")));
        INSERT INTO chk_dq VALUES (1, 'a');""",
        checks=(told_or("check_not_carried", "chk_dq", refuses(CHECK, "INSERT INTO chk_dq VALUES (9, 'c')")),),
        may=("check_not_carried",),
    ),
    Trap(
        "check/like_ignores_case",
        """CREATE TABLE chk_like (id INTEGER PRIMARY KEY, s TEXT CHECK (s LIKE 'a%'));
        INSERT INTO chk_like VALUES (1, 'abc'), (2, 'ABC');""",
        checks=(
            accepts("INSERT INTO chk_like VALUES (9, 'Axx')"),
            told_or("check_not_carried", "chk_like", refuses(CHECK, "INSERT INTO chk_like VALUES (9, 'b')")),
        ),
        may=("check_not_carried",),
    ),
    Trap(
        "check/division_by_zero_is_null",
        """CREATE TABLE chk_div (id INTEGER PRIMARY KEY, x INTEGER CHECK (10 / x > 1));
        INSERT INTO chk_div VALUES (1, 2), (2, 0), (3, NULL);""",
        may=("check_not_carried",),
    ),
    Trap(
        "check/integer_against_text",
        """CREATE TABLE chk_text (id INTEGER PRIMARY KEY, x INTEGER CHECK (x <> ''), y TEXT CHECK (y > 5));
        INSERT INTO chk_text VALUES (1, 2, 'abc');""",
        may=("check_not_carried",),
    ),
    Trap(
        "check/json_valid_of_django",
        """CREATE TABLE chk_json (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
            data text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), age integer unsigned CHECK ("age" >= 0));
        INSERT INTO chk_json (data, age) VALUES ('{"a": [1]}', 3);""",
        checks=(refuses(CHECK, "INSERT INTO chk_json (data, age) VALUES ('{}', -1)"),),
        may=("check_not_carried",),
    ),
    Trap(
        "check/dates_as_numbers",
        """CREATE TABLE chk_date (id INTEGER PRIMARY KEY, a DATETIME CHECK (a > 0), b DATETIME, CHECK (b > a));
        INSERT INTO chk_date VALUES (1, 1700000000000, 1700000001000);""",
        checks=(
            told_or(
                "check_not_carried", "chk_date", refuses(CHECK, "INSERT INTO chk_date VALUES (9, now(), '2000-01-01')")
            ),
        ),
        may=("check_not_carried",),
    ),
    Trap(
        "check/glob",
        """CREATE TABLE chk_glob (id INTEGER PRIMARY KEY, s TEXT CHECK (s GLOB '[0-9]*'));
        INSERT INTO chk_glob VALUES (1, '1x');""",
        checks=(told_or("check_not_carried", "chk_glob", refuses(CHECK, "INSERT INTO chk_glob VALUES (9, 'x')")),),
        may=("check_not_carried",),
    ),
    Trap(
        "check/untranslatable",
        """CREATE TABLE chk_no (id INTEGER PRIMARY KEY, s TEXT, CHECK (printf('%-5s|', s) <> hex(soundex(s))));
        INSERT INTO chk_no VALUES (1, 'x');""",
        (warn("check_not_carried", "chk_no"),),
    ),
    Trap(
        "check/words_in_comments",
        """CREATE TABLE chk_word (id INTEGER PRIMARY KEY, -- CHECK (id > 5)
            "check" TEXT DEFAULT 'CHECK (1)' /* COLLATE x, UNIQUE (y) */, [collate] TEXT);
        INSERT INTO chk_word VALUES (1, 'a', 'b');""",
        checks=(
            sees("SELECT count(*) FROM pg_constraint WHERE conrelid = 'chk_word'::regclass AND contype = 'c'", (0,)),
        ),
    ),
)

INDEXES = (
    Trap(
        "index/partial_unique",
        """CREATE TABLE ip (id INTEGER PRIMARY KEY, name TEXT, live INTEGER, gone TEXT);
        CREATE UNIQUE INDEX ip_live ON ip (name) WHERE live = 1 AND gone IS NULL;
        INSERT INTO ip VALUES (1, 'a', 1, NULL), (2, 'a', 0, NULL), (3, 'a', 1, 'yes');""",
        checks=(
            refuses(UNIQUE, "INSERT INTO ip VALUES (9, 'a', 1, NULL)"),
            accepts("INSERT INTO ip VALUES (9, 'a', 0, NULL)"),
            sees("SELECT indpred IS NOT NULL FROM pg_index WHERE indexrelid = 'ip_live'::regclass", (True,)),
        ),
    ),
    Trap(
        "index/partial_on_boolean",
        """CREATE TABLE ipb (id INTEGER PRIMARY KEY, name TEXT, live BOOLEAN NOT NULL);
        CREATE UNIQUE INDEX ipb_live ON ipb (name) WHERE live = 1; CREATE INDEX ipb_dead ON ipb (name) WHERE NOT live;
        INSERT INTO ipb VALUES (1, 'a', 1), (2, 'a', 0), (3, 'a', 0);""",
        checks=(
            refuses(UNIQUE, "INSERT INTO ipb VALUES (9, 'a', true)"),
            accepts("INSERT INTO ipb VALUES (9, 'a', false)"),
        ),
    ),
    Trap(
        "index/expression_unique",
        """CREATE TABLE ie (id INTEGER PRIMARY KEY, email TEXT, n INTEGER);
        CREATE UNIQUE INDEX ie_email ON ie (lower(email)); CREATE INDEX ie_sum ON ie (n + 1, email DESC);
        INSERT INTO ie VALUES (1, 'A@b', 1), (2, NULL, 2), (3, NULL, 3);""",
        checks=(
            refuses(UNIQUE, "INSERT INTO ie VALUES (9, 'a@B', 1)"),
            sees("SELECT count(*) FROM pg_index WHERE indrelid = 'ie'::regclass AND indexprs IS NOT NULL", (2,)),
        ),
    ),
    Trap(
        "index/expression_of_json",
        """CREATE TABLE ij (id INTEGER PRIMARY KEY, doc TEXT); CREATE INDEX ij_a ON ij (json_extract(doc, '$.a'));
        INSERT INTO ij VALUES (1, '{"a": 1}');""",
        may=("index_not_carried",),
    ),
    Trap(
        "index/expression_untranslatable",
        """CREATE TABLE iu (id INTEGER PRIMARY KEY, s TEXT); CREATE INDEX iu_s ON iu (soundex(s) || typeof(s));
        INSERT INTO iu VALUES (1, 'x');""",
        (warn("index_not_carried", "iu"),),
    ),
    Trap(
        "index/descending",
        """CREATE TABLE idesc (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);
        CREATE INDEX idesc_ab ON idesc (a DESC, b ASC); INSERT INTO idesc VALUES (1, 'x', 1);""",
        checks=(
            sees(
                "SELECT indoption[0] & 1, indoption[1] & 1 FROM pg_index WHERE indexrelid = 'idesc_ab'::regclass",
                (1, 0),
            ),
        ),
    ),
    Trap(
        "index/twice_the_same",
        """CREATE TABLE i2 (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX i2_one ON i2 (a);
        CREATE INDEX i2_two ON i2 (a);
        INSERT INTO i2 VALUES (1, 'x');""",
        checks=(sees("SELECT count(*) FROM pg_class WHERE relname IN ('i2_one', 'i2_two')", (2,)),),
    ),
    Trap(
        "unique/nulls_are_distinct",
        """CREATE TABLE un (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT, c TEXT, UNIQUE (b, c));
        INSERT INTO un VALUES (1, NULL, 'x', NULL), (2, NULL, 'x', NULL), (3, 'a', 'x', 'y');""",
        checks=(
            refuses(UNIQUE, "INSERT INTO un VALUES (9, 'a', NULL, NULL)"),
            refuses(UNIQUE, "INSERT INTO un VALUES (9, NULL, 'x', 'y')"),
        ),
    ),
    Trap(
        "unique/names_that_collide",
        """CREATE TABLE uc (a TEXT, b_c TEXT, a_b TEXT, c TEXT, UNIQUE (a, b_c), UNIQUE (a_b, c));
        INSERT INTO uc VALUES ('1', '2', '3', '4');""",
        checks=(sees("SELECT count(*) FROM pg_index WHERE indrelid = 'uc'::regclass AND indisunique", (2,)),),
    ),
    Trap(
        "nocase/unique_column",
        """CREATE TABLE nc (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE);
        INSERT INTO nc VALUES (1, 'A@b'), (2, 'c'), (3, NULL);""",
        checks=(
            refuses(UNIQUE, "INSERT INTO nc VALUES (9, 'a@B')"),
            sees("SELECT email FROM nc WHERE id = 1", ("A@b",)),
        ),
        may=("collation_not_carried",),
    ),
    Trap(
        "nocase/unique_index",
        """CREATE TABLE nci (id INTEGER PRIMARY KEY, name TEXT); CREATE UNIQUE INDEX nci_n ON nci (name COLLATE NOCASE);
        INSERT INTO nci VALUES (1, 'Ab'), (2, 'ac');""",
        checks=(refuses(UNIQUE, "INSERT INTO nci VALUES (9, 'aB')"),),
        may=("collation_not_carried",),
    ),
    Trap(
        "nocase/folds_ascii_only",
        """CREATE TABLE nca (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE);
        INSERT INTO nca VALUES (1, 'Äiti'), (2, 'äiti');""",
        checks=(sees("SELECT name FROM nca ORDER BY id", ("Äiti",), ("äiti",)),),
        may=("collation_not_carried", "index_not_carried"),
    ),
    Trap(
        "nocase/plain_index",
        """CREATE TABLE ncp (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE); CREATE INDEX ncp_n ON ncp (name);
        INSERT INTO ncp VALUES (1, 'Ab'), (2, 'aB');""",
        may=("collation_not_carried",),
    ),
    Trap(
        "rtrim/unique",
        """CREATE TABLE rt (id INTEGER PRIMARY KEY, s TEXT COLLATE RTRIM UNIQUE);
        INSERT INTO rt VALUES (1, 'a  '), (2, 'b');""",
        checks=(told_or("collation_not_carried", "rt", refuses(UNIQUE, "INSERT INTO rt VALUES (9, 'a')")),),
        may=("collation_not_carried", "index_not_carried"),
    ),
)

BLOCKED = (
    Trap(
        "check_violated/by_old_rows",
        """CREATE TABLE chk_old (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0));
        PRAGMA ignore_check_constraints = ON; INSERT INTO chk_old VALUES (1, 5), (2, 0), (3, -1);
        PRAGMA ignore_check_constraints = OFF;""",
        (Want("check_violated", "chk_old", None, 2, ("2", "3"), offers=("quarantine",), choose="quarantine"),),
        (sees("SELECT id, n FROM chk_old", (1, 5)), refuses(CHECK, "INSERT INTO chk_old VALUES (9, 0)")),
        compared=False,
    ),
    Trap(
        "duplicate_under_target/same_instant",
        """CREATE TABLE dup_at (id INTEGER PRIMARY KEY, at DATETIME UNIQUE);
        INSERT INTO dup_at VALUES (1, 1700000000000), (2, '2023-11-14T22:13:20.000Z'), (3, '2024-01-01 00:00:00');""",
        (
            Want(
                "duplicate_under_target",
                "dup_at",
                "at",
                1,
                ("2",),
                offers=("quarantine", "type:text"),
                choose="type:text",
            ),
        ),
        (
            sees(
                "SELECT at FROM dup_at ORDER BY id",
                ("1700000000000",),
                ("2023-11-14T22:13:20.000Z",),
                ("2024-01-01 00:00:00",),
            ),
        ),
        may=("date_zone_assumed",),
    ),
    Trap(
        "duplicate_under_target/untyped_one",
        """CREATE TABLE dup_x (id INTEGER PRIMARY KEY, x UNIQUE);
        INSERT INTO dup_x VALUES (1, 1), (2, '1'), (3, 'a');""",
        (Want("duplicate_under_target", "dup_x", "x", 1, ("2",), offers=("quarantine",), choose="quarantine"),),
        may=("mixed_classes",),
        compared=False,
    ),
    Trap(
        "duplicate_under_target/boolean_key",
        """CREATE TABLE dup_b (id INTEGER PRIMARY KEY, a TEXT, b BOOLEAN, UNIQUE (a, b));
        INSERT INTO dup_b VALUES (1, 'x', 1), (2, 'x', 'true'), (3, 'y', 1);""",
        (Want("duplicate_under_target", "dup_b", "*", 1, ("2",), offers=("quarantine",), choose="quarantine"),),
        compared=False,
    ),
)
