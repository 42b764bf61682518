"""Traps of numbers and booleans."""

from traps.target import has_types, never_offered, sees
from traps.words import Trap, Want, warn

PASSING = (
    Trap(
        "real/extremes",
        """CREATE TABLE rx (id INTEGER PRIMARY KEY, r REAL, d DOUBLE PRECISION, f FLOAT);
        INSERT INTO rx VALUES (1, 9e999, -9e999, 5e-324), (2, -0.0, 1.7976931348623157e308, 0.1), (3, 3, -7, 1e15),
            (4, 0.1 + 0.2, 2.2250738585072014e-308, 123456789.12345679),
            (5, NULL, 9007199254740993, 4503599627370497.5);""",
        checks=(
            has_types("rx", r="double precision", d="double precision", f="double precision"),
            sees("SELECT r::text, d::text, f::text FROM rx WHERE id = 1", ("Infinity", "-Infinity", "5e-324")),
            sees("SELECT r::text FROM rx WHERE id = 4", ("0.30000000000000004",)),
        ),
    ),
    Trap(
        "integer/range",
        """CREATE TABLE ir (id INTEGER PRIMARY KEY, i INT, t TINYINT, u UNSIGNED BIG INT, s SMALLINT);
        INSERT INTO ir VALUES (1, 9223372036854775807, 300, 9007199254740993, 70000),
            (2, -9223372036854775808, -1, 0, 1),
            (3, '12', ' 13 ', 2.0, '1e3');""",
        checks=(
            sees("SELECT i, t, u, s FROM ir WHERE id = 3", (12, 13, 2, 1000)),
            has_types("ir", i="bigint", u="bigint"),
        ),
    ),
    Trap(
        "affinity/misleading_words",
        """CREATE TABLE mis (id INTEGER PRIMARY KEY, p FLOATING POINT, s STRING, c CHARINT, v VARCHAR(2), n NCHAR(1));
        INSERT INTO mis VALUES (1, 1.5, 'abc', 12, 'longer', 'more'), (2, 2, '007', 13, '', NULL);""",
        (warn("mixed_classes", "mis", "s"),),
        (
            sees(
                "SELECT p::float8, s, v, n FROM mis ORDER BY id", (1.5, "abc", "longer", "more"), (2.0, "7", "", None)
            ),
            has_types("mis", v="text", n="text", s="text"),
        ),
        ("mixed_classes",),
    ),
    Trap(
        "numeric/fits",
        """CREATE TABLE nf (id INTEGER PRIMARY KEY, d DECIMAL(10,2), n NUMERIC, m DECIMAL(5));
        INSERT INTO nf VALUES (1, 12345678.91, 1e300, 99999), (2, -0.05, 0.1, -1),
            (3, 7, 9223372036854775807, NULL);""",
        checks=(
            has_types("nf", d="numeric(10,2)", n="numeric", m="numeric(5,0)"),
            sees("SELECT d::text, n::text FROM nf WHERE id = 2", ("-0.05", "0.1")),
        ),
    ),
    Trap(
        "numeric/does_not_fit",
        """CREATE TABLE nx (id INTEGER PRIMARY KEY, d DECIMAL(10,2), e DECIMAL(10,2));
        INSERT INTO nx VALUES (1, 12345678901.5, 0.125), (2, 1, 0.1 + 0.2);""",
        checks=(
            has_types("nx", d="numeric", e="numeric"),
            sees(
                "SELECT d::text, e::text FROM nx ORDER BY id", ("12345678901.5", "0.125"), ("1", "0.30000000000000004")
            ),
        ),
    ),
    Trap(
        "boolean/spellings",
        """CREATE TABLE bs (id INTEGER PRIMARY KEY, b BOOLEAN, c BOOL);
        INSERT INTO bs VALUES (1, 1, 'true'), (2, 0, 'FALSE'), (3, '1', 'True'), (4, NULL, 't'), (5, 1.0, 'f'),
            (6, 0, 'yes'), (7, 0, 'no'), (8, 1, 'off');""",
        checks=(
            has_types("bs", b="boolean", c="boolean"),
            sees(
                "SELECT array_agg(b ORDER BY id), array_agg(c ORDER BY id) FROM bs",
                (
                    [True, False, True, None, True, False, False, True],
                    [True, False, True, True, False, True, False, False],
                ),
            ),
        ),
    ),
    Trap(
        "blob_column/text_only",
        "CREATE TABLE bt (id INTEGER PRIMARY KEY, b BLOB); INSERT INTO bt VALUES (1, 'text'), (2, '');",
        checks=(has_types("bt", b="text|bytea"),),
        may=("mixed_classes",),
    ),
    Trap(
        "cast/chosen_types",
        """CREATE TABLE cc (id TEXT PRIMARY KEY NOT NULL, amount TEXT, n INTEGER, at TEXT, doc TEXT);
        INSERT INTO cc VALUES ('{6F9619FF-8B86-D011-B42D-00CF4FC964FF}', '123456789012345678901234567890.123456789', 5,
            '2024-05-06T07:08:09+02:00', '{"a":1}'), ('6f9619ff8b86d011b42d00cf4fc964fe', '-0.1', -5, NULL, 'null');""",
        checks=(
            has_types(
                "cc",
                id="uuid",
                amount="numeric",
                n="integer",
                at="timestamp(3) with time zone|timestamp with time zone",
                doc="jsonb",
            ),
            sees(
                "SELECT amount::text, extract(epoch FROM at)::bigint FROM cc WHERE n = 5",
                ("123456789012345678901234567890.123456789", 1714972089),
            ),
            sees("SELECT doc IS NULL, doc::text FROM cc WHERE n = -5", (False, "null")),
        ),
        casts={"cc.id": "uuid", "cc.amount": "numeric", "cc.n": "integer", "cc.at": "timestamptz", "cc.doc": "jsonb"},
    ),
)


def _text_in(name: str, choose: str) -> Trap:
    return Trap(
        f"text_in_integer/{choose.partition(':')[0]}",
        f"""CREATE TABLE {name} (id INTEGER PRIMARY KEY, n INTEGER);
        INSERT INTO {name} VALUES (1, 5), (2, 'many'), (3, ''), (4, NULL);""",
        (
            Want(
                "not_an_integer",
                name,
                "n",
                2,
                ("2", "3"),
                offers=("type:text", "to_null", "to_value:", "quarantine"),
                choose=choose,
            ),
        ),
        (sees(f"SELECT n::text FROM {name} ORDER BY id", *_AFTER[choose]),),
        may=("mixed_classes",),
        compared=choose == "type:text",
    )


_AFTER = {
    "type:text": (("5",), ("many",), ("",), (None,)),
    "to_null": (("5",), (None,), (None,), (None,)),
    "to_value:-1": (("5",), ("-1",), ("-1",), (None,)),
    "quarantine": (("5",), (None,)),
}

BLOCKED = (
    _text_in("ti_text", "type:text"),
    _text_in("ti_null", "to_null"),
    _text_in("ti_value", "to_value:-1"),
    _text_in("ti_aside", "quarantine"),
    Trap(
        "real_in_integer/fraction",
        """CREATE TABLE ri (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO ri VALUES (1, 5), (2, 1.5), (3, 0.1);""",
        (Want("not_an_integer", "ri", "n", 2, ("2", "3"), offers=("type:numeric",), choose="type:numeric"),),
        (sees("SELECT n::text FROM ri ORDER BY id", ("5",), ("1.5",), ("0.1",)), has_types("ri", n="numeric")),
    ),
    Trap(
        "real_in_integer/beyond_int64",
        """CREATE TABLE rb (id INTEGER PRIMARY KEY, n BIGINT);
        INSERT INTO rb VALUES (1, 5), (2, 9223372036854775808), (3, -1e30);""",
        (Want("integer_out_of_range", "rb", "n", 2, ("2", "3"), offers=("type:numeric",), choose="type:numeric"),),
        (has_types("rb", n="numeric"),),
    ),
    Trap(
        "blob_in_integer/one",
        "CREATE TABLE bi (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO bi VALUES (1, 5), (2, x'05');",
        (Want("not_an_integer", "bi", "n", 1, ("2",), offers=("to_null", "quarantine"), choose="to_null"),),
        (sees("SELECT n FROM bi ORDER BY id", (5,), (None,)),),
        compared=False,
    ),
    Trap(
        "text_and_blob_in_integer/no_text_is_offered",
        """CREATE TABLE tbi (id INTEGER PRIMARY KEY, n INTEGER);
        INSERT INTO tbi VALUES (1, 5), (2, 'many'), (3, x'ff');""",
        (Want("not_an_integer", "tbi", "n", 2, ("2", "3"), offers=("to_null", "quarantine"), choose="quarantine"),),
        (
            sees("SELECT id, n FROM tbi", (1, 5)),
            never_offered("not_an_integer", "tbi", "type:text"),
        ),
        compared=False,
    ),
    Trap(
        "two_findings/one_type_holds_all",
        """CREATE TABLE two (id INTEGER PRIMARY KEY, d DECIMAL(10,2));
        INSERT INTO two VALUES (1, 1.25), (2, 9e999), (3, 'n/a');""",
        (
            Want("number_infinite", "two", "d", 1, ("2",), offers=("type:text",), choose="type:text"),
            Want("not_a_number", "two", "d", 1, ("3",), offers=("type:text",), choose="type:text"),
        ),
        (has_types("two", d="text"), never_offered("number_infinite", "two", "type:numeric")),
        ("mixed_classes",),
    ),
    Trap(
        "boolean_bad/words",
        """CREATE TABLE bb (id INTEGER PRIMARY KEY, b BOOLEAN);
        INSERT INTO bb VALUES (1, 1), (2, 2), (3, 'maybe'), (4, ''), (5, -1), (6, 0.5), (7, 'false');""",
        (
            Want(
                "not_a_boolean",
                "bb",
                "b",
                5,
                ("2", "3", "4", "5", "6"),
                offers=("type:text", "to_null", "quarantine"),
                choose="type:text",
            ),
        ),
        (sees("SELECT b FROM bb ORDER BY id", ("1",), ("2",), ("maybe",), ("",), ("-1",), ("0.5",), ("false",)),),
        ("mixed_classes",),
    ),
    Trap(
        "boolean_bad/counts",
        "CREATE TABLE bn (id INTEGER PRIMARY KEY, b BOOLEAN); INSERT INTO bn VALUES (1, 1), (2, 2), (3, 0);",
        (Want("not_a_boolean", "bn", "b", 1, ("2",), offers=("type:bigint", "quarantine"), choose="type:bigint"),),
        (sees("SELECT b FROM bn ORDER BY id", (1,), (2,), (0,)),),
    ),
    Trap(
        "infinity/in_decimal",
        "CREATE TABLE idec (id INTEGER PRIMARY KEY, d DECIMAL(10,2)); INSERT INTO idec VALUES (1, 1.25), (2, 9e999);",
        (Want("number_infinite", "idec", "d", 1, ("2",), offers=("type:numeric",), choose="type:numeric"),),
        (sees("SELECT d::text FROM idec ORDER BY id", ("1.25",), ("Infinity",)),),
    ),
    Trap(
        "text_in_real/word",
        "CREATE TABLE tr (id INTEGER PRIMARY KEY, r REAL); INSERT INTO tr VALUES (1, 1.5), (2, 'n/a'), (3, '2.5');",
        (Want("not_a_number", "tr", "r", 1, ("2",), offers=("type:text", "to_null", "quarantine"), choose="to_null"),),
        (sees("SELECT r FROM tr ORDER BY id", (1.5,), (None,), (2.5,)),),
        compared=False,
    ),
    Trap(
        "text_in_real/nan_word",
        "CREATE TABLE trn (id INTEGER PRIMARY KEY, r REAL); INSERT INTO trn VALUES (1, 1.5), (2, 'NaN'), (3, 'inf');",
        (Want("not_a_number", "trn", "r", 2, ("2", "3"), offers=("type:text",), choose="type:text"),),
        (sees("SELECT r FROM trn ORDER BY id", ("1.5",), ("NaN",), ("inf",)),),
        ("mixed_classes",),
    ),
    Trap(
        "cast/refused_values",
        """CREATE TABLE cr (id INTEGER PRIMARY KEY, u TEXT, n INTEGER);
        INSERT INTO cr VALUES (1, '6f9619ff-8b86-d011-b42d-00cf4fc964ff', 1), (2, 'not one', 3000000000);""",
        (
            Want("not_a_uuid", "cr", "u", 1, ("2",), offers=("type:text",), choose="type:text"),
            Want("integer_out_of_range", "cr", "n", 1, ("2",), offers=("type:bigint",), choose="type:bigint"),
        ),
        (has_types("cr", u="text", n="bigint"),),
        casts={"cr.u": "uuid", "cr.n": "integer"},
    ),
)
