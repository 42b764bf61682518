"""Traps of texts, bytes and JSON."""

import sqlite3

from traps.target import has_types, never_offered, sees
from traps.words import Trap, Want

ODD = (
    "\ufeffBOM",
    "\u2028line\u2029",
    "\r\n\t\v\f",
    "trailing  ",
    " ",
    "\\N",
    "\\.",
    "\\x41",
    "'\"`$$%s{}:name",
    "👩‍👩‍👧‍👦",
    "e\u0301",
    "\u00e9",
    "\ufffe\uffff",
    "\u202eright",
    "".join(map(chr, range(1, 32))),
    "\x7f\x80\x9f",
    "\U0010ffff",
    "ﷺ" * 1000,
    "NULL",
    "null",
    "",
)


def _odd(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY, t TEXT NOT NULL)")
    database.executemany("INSERT INTO odd VALUES (?, ?)", enumerate(ODD))


def _json(name: str, *texts: str) -> str:
    rows = ", ".join(f"({i}, '{t}')" for i, t in enumerate(texts, 1))
    return f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, doc JSON); INSERT INTO {name} VALUES {rows};"


PASSING = (
    Trap("text/odd_characters", _odd, checks=(sees("SELECT t FROM odd ORDER BY id", *((t,) for t in ODD)),)),
    Trap(
        "text/uuid_and_enum_like",
        """CREATE TABLE shaped (id TEXT PRIMARY KEY NOT NULL, status TEXT);
        INSERT INTO shaped VALUES ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'OPEN'),
            ('6F9619FF-8B86-D011-B42D-00CF4FC964FF', 'SHUT');""",
        checks=(has_types("shaped", id="text", status="text"),),
    ),
    Trap(
        "json/values",
        _json(
            "js",
            '{"b": [1, 2.50, -0.0, true, null], "a": "ä\\u00e4\\ud83d\\ude00"}',
            "[]",
            '"text"',
            "5",
            "true",
            "null",
            '{"n": 123456789012345678901234567890, "x": 1e400}',
            " [1,\n2] ",
        ),
        checks=(
            has_types("js", doc="jsonb|json"),
            sees("SELECT doc IS NULL, doc::text FROM js WHERE id = 6", (False, "null")),
            sees("SELECT doc->>'n' FROM js WHERE id = 7", ("123456789012345678901234567890",)),
        ),
    ),
    Trap(
        "json/null_beside_json_null",
        "CREATE TABLE jn (id INTEGER PRIMARY KEY, doc JSON); INSERT INTO jn VALUES (1, NULL), (2, 'null'), (3, '{}');",
        checks=(sees("SELECT doc IS NULL FROM jn ORDER BY id", (True,), (False,), (False,)),),
    ),
    Trap(
        "json/deep",
        lambda database: database.executescript(_json("jd", "[" * 400 + "]" * 400)),  # type: ignore[arg-type]
    ),
    Trap(
        "blob/bytes",
        "CREATE TABLE by (id INTEGER PRIMARY KEY, b BLOB);"
        " INSERT INTO by VALUES (1, x'00ff5c27'), (2, x''), (3, NULL);",
        checks=(sees("SELECT b FROM by ORDER BY id", (b"\x00\xff\\'",), (b"",), (None,)), has_types("by", b="bytea")),
    ),
)


def _nul(name: str, choose: str, *after: tuple[str | None, ...], null: str = "") -> Trap:
    return Trap(
        f"nul/{name}",
        f"""CREATE TABLE nul_{name} (id INTEGER PRIMARY KEY, t TEXT {null});
        INSERT INTO nul_{name} VALUES (1, 'plain'), (2, 'a' || char(0) || 'b'), (3, char(0)),
            (4, 'end' || char(0, 0));""",
        (
            Want(
                "text_nul",
                f"nul_{name}",
                "t",
                3,
                ("2", "3", "4"),
                offers=("strip_nul", "quarantine", "to_value:", *(() if null else ("to_null",))),
                choose=choose,
            ),
        ),
        (sees(f"SELECT t FROM nul_{name} ORDER BY id", *after),),
        compared=False,
    )


def _utf8(name: str, choose: str, *after: str) -> Trap:
    return Trap(
        f"bad_utf8/{name}",
        f"""CREATE TABLE utf_{name} (id INTEGER PRIMARY KEY, t TEXT NOT NULL);
        INSERT INTO utf_{name} VALUES (1, 'Müller'), (2, CAST(x'4dfc6c6c6572' AS TEXT)),
            (3, CAST(x'803520' AS TEXT));""",
        (
            Want(
                "text_not_utf8",
                f"utf_{name}",
                "t",
                2,
                ("2", "3"),
                offers=("utf8_replace", "utf8_latin1", "utf8_cp1252", "quarantine"),
                choose=choose,
            ),
        ),
        (sees(f"SELECT t FROM utf_{name} ORDER BY id", *((t,) for t in ("Müller", *after))),),
        compared=False,
    )


BLOCKED = (
    _nul("strip", "strip_nul", ("plain",), ("ab",), ("",), ("end",), null="NOT NULL"),
    _nul("null", "to_null", ("plain",), (None,), (None,), (None,)),
    _nul("value", "to_value:?", ("plain",), ("?",), ("?",), ("?",), null="NOT NULL"),
    _nul("aside", "quarantine", ("plain",), null="NOT NULL"),
    _utf8("replace", "utf8_replace", "M\ufffdller", "\ufffd5 "),
    _utf8("latin1", "utf8_latin1", "Müller", "\x805 "),
    _utf8("cp1252", "utf8_cp1252", "Müller", "€5 "),
    _utf8("aside", "quarantine"),
    Trap(
        "bad_utf8/every_kind",
        """CREATE TABLE utf_kinds (id TEXT PRIMARY KEY NOT NULL, t TEXT);
        INSERT INTO utf_kinds VALUES ('surrogate', CAST(x'61eda08062' AS TEXT)), ('overlong', CAST(x'c080' AS TEXT)),
            ('cut', CAST(x'61e282' AS TEXT)), ('beyond', CAST(x'f4908080' AS TEXT)), ('good', 'ä𝄞');""",
        (
            Want(
                "text_not_utf8",
                "utf_kinds",
                "t",
                4,
                ("surrogate", "overlong", "cut", "beyond"),
                offers=("utf8_replace", "to_null"),
                choose="to_null",
            ),
        ),
        (sees("SELECT id FROM utf_kinds WHERE t IS NOT NULL", ("good",)),),
        compared=False,
    ),
    Trap(
        "bad_utf8/in_the_key",
        """CREATE TABLE utf_key (k TEXT PRIMARY KEY NOT NULL, v TEXT) WITHOUT ROWID;
        INSERT INTO utf_key VALUES ('good', 'a'), (CAST(x'ff' AS TEXT), 'b');""",
        (Want("text_not_utf8", "utf_key", "k", 1, offers=("utf8_latin1",), choose="utf8_latin1"),),
        (sees('SELECT k FROM utf_key ORDER BY k COLLATE "C"', ("good",), ("ÿ",)),),
        compared=False,
    ),
    Trap(
        "nul_and_bad_utf8/in_one_value",
        """CREATE TABLE utf_both (id INTEGER PRIMARY KEY, t TEXT);
        INSERT INTO utf_both VALUES (1, CAST(x'61ff' AS TEXT)), (2, 'b' || char(0));""",
        (
            Want("text_not_utf8", "utf_both", "t", 1, ("1",), offers=("utf8_replace",), choose="utf8_replace"),
            Want("text_nul", "utf_both", "t", 1, ("2",), offers=("strip_nul",), choose="strip_nul"),
        ),
        (sees("SELECT t FROM utf_both ORDER BY id", ("a\ufffd",), ("b",)),),
        compared=False,
    ),
    Trap(
        "blob_in_text/one",
        "CREATE TABLE bit1 (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO bit1 VALUES (1, 'a'), (2, x'c3a4'), (3, 'c');",
        (Want("blob_in_text", "bit1", "t", 1, ("2",), offers=("to_null", "quarantine"), choose="quarantine"),),
        (sees("SELECT t FROM bit1 ORDER BY id", ("a",), ("c",)), never_offered("blob_in_text", "bit1", "type:bytea")),
        compared=False,
    ),
    Trap(
        "blob_in_text/all",
        "CREATE TABLE bit2 (id INTEGER PRIMARY KEY, t TEXT);"
        " INSERT INTO bit2 VALUES (1, x'c3'), (2, x'00'), (3, NULL);",
        (Want("blob_in_text", "bit2", "t", 2, ("1", "2"), offers=("type:bytea",), choose="type:bytea"),),
        (sees("SELECT t FROM bit2 ORDER BY id", (b"\xc3",), (b"\0",), (None,)),),
    ),
    Trap(
        "text_in_blob/one",
        "CREATE TABLE tib (id INTEGER PRIMARY KEY, b BLOB);"
        " INSERT INTO tib VALUES (1, x'c3'), (2, 'text'), (3, x'00');",
        (Want("not_a_blob", "tib", "b", 1, ("2",), offers=("to_null", "quarantine"), choose="to_null"),),
        (sees("SELECT b FROM tib ORDER BY id", (b"\xc3",), (None,), (b"\0",)),),
        may=("mixed_classes",),
        compared=False,
    ),
    Trap(
        "untyped/text_and_blob",
        "CREATE TABLE utb (id INTEGER PRIMARY KEY, x);"
        " INSERT INTO utb VALUES (1, 'a'), (2, 'b'), (3, x'ff'), (4, 'c');",
        (Want("blob_in_text", "utb", "x", 1, ("3",), offers=("quarantine",), choose="quarantine"),),
        (sees("SELECT x FROM utb ORDER BY id", ("a",), ("b",), ("c",)),),
        may=("mixed_classes",),
        compared=False,
    ),
    Trap(
        "json_invalid/texts",
        _json("ji", '{"a": 1}', "{a: 1}", "", "NaN", "[1,]"),
        (
            Want(
                "json_invalid",
                "ji",
                "doc",
                4,
                ("2", "3", "4", "5"),
                offers=("type:text", "to_null", "quarantine"),
                choose="type:text",
            ),
        ),
        (has_types("ji", doc="text"),),
    ),
    Trap(
        "json_nul/escaped",
        _json("jz", '{"a": "x\\u0000y"}', '{"a": "\\\\u0000"}'),
        (Want("json_nul", "jz", "doc", 1, ("1",), offers=("type:text",), choose="type:text"),),
        (sees("SELECT doc FROM jz ORDER BY id", ('{"a": "x\\u0000y"}',), ('{"a": "\\\\u0000"}',)),),
    ),
    Trap(
        "json_surrogate/half",
        _json("jh", '{"a": "\\ud83d"}', '{"a": "\\ud83d\\ude00"}'),
        (Want("json_surrogate", "jh", "doc", 1, ("1",), offers=("type:text",), choose="type:text"),),
    ),
    Trap(
        "json_duplicate_keys/nested",
        _json("jk", '{"a": 1, "b": {"x": 1, "x": 2}}', '{"a": {"x": 1}, "b": {"x": 1}}'),
        (Want("json_duplicate_keys", "jk", "doc", 1, ("1",), offers=("type:json", "type:text"), choose="type:json"),),
        (
            has_types("jk", doc="json"),
            sees("SELECT doc::text FROM jk WHERE id = 1", ('{"a": 1, "b": {"x": 1, "x": 2}}',)),
        ),
    ),
)
