"""Traps of foreign keys."""

from psycopg import errors

from traps.target import Check, accepts, never_offered, refuses, sees
from traps.words import Trap, Want

BREAKS = errors.ForeignKeyViolation


def _is(name: str, *parts: str) -> Check:
    listed = " AND ".join(f"pg_get_constraintdef(oid) LIKE '%{p}%'" for p in parts)
    return sees(
        f"SELECT count(*) FROM pg_constraint WHERE conrelid = '\"{name}\"'::regclass AND contype = 'f'"
        f" AND convalidated AND {listed}",
        (1,),
    )


def _none(name: str) -> Check:
    return sees(f"SELECT count(*) FROM pg_constraint WHERE conrelid = '\"{name}\"'::regclass AND contype = 'f'", (0,))


PASSING = (
    Trap(
        "foreign_key/self",
        """CREATE TABLE node (id INTEGER PRIMARY KEY, up INTEGER REFERENCES node (id) ON DELETE SET NULL);
        INSERT INTO node VALUES (1, 3), (2, 1), (3, NULL), (4, 4);""",
        checks=(refuses(BREAKS, "INSERT INTO node VALUES (9, 99)"), _is("node", "ON DELETE SET NULL")),
    ),
    Trap(
        "foreign_key/circular",
        """CREATE TABLE egg (id INTEGER PRIMARY KEY, hen INTEGER REFERENCES hen (id));
        CREATE TABLE hen (id INTEGER PRIMARY KEY, egg INTEGER NOT NULL REFERENCES egg (id));
        INSERT INTO egg VALUES (1, 2), (2, 1); INSERT INTO hen VALUES (1, 2), (2, 1);""",
        checks=(
            refuses(BREAKS, "INSERT INTO egg VALUES (9, 99)"),
            refuses(BREAKS, "INSERT INTO hen VALUES (9, 99)"),
        ),
    ),
    Trap(
        "foreign_key/deferred",
        """CREATE TABLE dparent (id INTEGER PRIMARY KEY);
        CREATE TABLE dchild (id INTEGER PRIMARY KEY, p INTEGER REFERENCES dparent DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO dparent VALUES (1); INSERT INTO dchild VALUES (1, 1);""",
        checks=(
            accepts("INSERT INTO dchild VALUES (2, 5); INSERT INTO dparent VALUES (5); SET CONSTRAINTS ALL IMMEDIATE"),
            refuses(BREAKS, "INSERT INTO dchild VALUES (3, 99); SET CONSTRAINTS ALL IMMEDIATE"),
        ),
    ),
    Trap(
        "foreign_key/composite",
        """CREATE TABLE cparent (a TEXT, b INTEGER, PRIMARY KEY (b, a));
        CREATE TABLE cchild (id INTEGER PRIMARY KEY, x INTEGER, y TEXT, FOREIGN KEY (x, y) REFERENCES cparent (b, a));
        INSERT INTO cparent VALUES ('k', 1), ('l', 2);
        INSERT INTO cchild VALUES (1, 1, 'k'), (2, NULL, 'nobody'), (3, 7, NULL);""",
        checks=(refuses(BREAKS, "INSERT INTO cchild VALUES (9, 2, 'k')"),),
    ),
    Trap(
        "foreign_key/without_parent_columns",
        """CREATE TABLE wparent (a TEXT, b INTEGER, PRIMARY KEY (b, a));
        CREATE TABLE wchild (id INTEGER PRIMARY KEY, x INTEGER, y TEXT,
            FOREIGN KEY (x, y) REFERENCES WPARENT ON UPDATE CASCADE ON DELETE CASCADE);
        INSERT INTO wparent VALUES ('k', 1); INSERT INTO wchild VALUES (1, 1, 'k');""",
        checks=(
            _is("wchild", "(b, a)", "ON UPDATE CASCADE", "ON DELETE CASCADE"),
            refuses(BREAKS, "INSERT INTO wchild VALUES (9, 2, 'k')"),
        ),
    ),
    Trap(
        "foreign_key/to_unique_column",
        """CREATE TABLE uparent (id INTEGER PRIMARY KEY, Code TEXT, other TEXT UNIQUE);
        CREATE UNIQUE INDEX uparent_code ON uparent (Code);
        CREATE TABLE uchild (id INTEGER PRIMARY KEY, a TEXT REFERENCES uparent (code),
            b TEXT REFERENCES uparent (OTHER));
        INSERT INTO uparent VALUES (1, 'x', 'y'); INSERT INTO uchild VALUES (1, 'x', 'y'), (2, NULL, NULL);""",
        checks=(refuses(BREAKS, "INSERT INTO uchild VALUES (9, 'y', NULL)"),),
    ),
    Trap(
        "foreign_key/two_on_one_column",
        """CREATE TABLE first (id INTEGER PRIMARY KEY); CREATE TABLE second (id INTEGER PRIMARY KEY);
        CREATE TABLE on_both (id INTEGER PRIMARY KEY, p INTEGER,
            FOREIGN KEY (p) REFERENCES first (id), FOREIGN KEY (p) REFERENCES second (id));
        INSERT INTO first VALUES (1), (2); INSERT INTO second VALUES (1), (3); INSERT INTO on_both VALUES (1, 1);""",
        checks=(
            refuses(BREAKS, "INSERT INTO on_both VALUES (9, 2)"),
            refuses(BREAKS, "INSERT INTO on_both VALUES (9, 3)"),
        ),
    ),
    Trap(
        "foreign_key/match_full_is_ignored",
        """CREATE TABLE mparent (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
        CREATE TABLE mchild (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER,
            FOREIGN KEY (a, b) REFERENCES mparent (a, b) MATCH FULL);
        INSERT INTO mparent VALUES (1, 1); INSERT INTO mchild VALUES (1, 1, NULL), (2, 1, 1);""",
        checks=(accepts("INSERT INTO mchild VALUES (9, 5, NULL)"),),
    ),
    Trap(
        "foreign_key/set_default",
        """CREATE TABLE sparent (id INTEGER PRIMARY KEY);
        CREATE TABLE schild (id INTEGER PRIMARY KEY, p INTEGER DEFAULT 1 REFERENCES sparent ON DELETE SET DEFAULT);
        INSERT INTO sparent VALUES (1), (2); INSERT INTO schild VALUES (1, 2);""",
        checks=(sees("DELETE FROM sparent WHERE id = 2; SELECT p FROM schild", (1,)),),
    ),
    Trap(
        "foreign_key/same_case_under_nocase",
        """CREATE TABLE nparent (code TEXT COLLATE NOCASE PRIMARY KEY NOT NULL);
        CREATE TABLE nchild (id INTEGER PRIMARY KEY, code TEXT REFERENCES nparent (code));
        INSERT INTO nparent VALUES ('abc'), ('def'); INSERT INTO nchild VALUES (1, 'abc');""",
        checks=(refuses(BREAKS, "INSERT INTO nchild VALUES (9, 'nobody')"),),
        may=("collation_not_carried",),
    ),
)


def _orphans(name: str, *, null: str = "", choose: str) -> str:
    assert choose
    return f"""CREATE TABLE {name}_parent (id INTEGER PRIMARY KEY);
        CREATE TABLE {name} (id TEXT PRIMARY KEY NOT NULL, p INTEGER {null} REFERENCES {name}_parent (id));
        INSERT INTO {name}_parent VALUES (1); INSERT INTO {name} VALUES ('a', 1), ('b', 2), ('c', 3);"""


def _orphan_want(name: str, choose: str, *, nullable: bool = True) -> Want:
    offers = ("fk_drop", "fk_not_valid", "quarantine", *(("to_null",) if nullable else ()))
    return Want("foreign_key_orphans", name, "p", 2, ("b", "c"), offers=offers, choose=choose)


_ALL = (("a", 1), ("b", 2), ("c", 3))

BLOCKED = (
    Trap(
        "orphans/fk_drop",
        _orphans("orphan_drop", choose="fk_drop"),
        (_orphan_want("orphan_drop", "fk_drop"),),
        (_none("orphan_drop"), sees("SELECT id, p FROM orphan_drop ORDER BY 1", *_ALL)),
    ),
    Trap(
        "orphans/fk_not_valid",
        _orphans("orphan_keep", null="NOT NULL", choose="fk_not_valid"),
        (_orphan_want("orphan_keep", "fk_not_valid", nullable=False),),
        (
            never_offered("foreign_key_orphans", "orphan_keep", "to_null"),
            sees("SELECT id, p FROM orphan_keep ORDER BY 1", *_ALL),
            refuses(BREAKS, "INSERT INTO orphan_keep VALUES ('d', 9)"),
        ),
    ),
    Trap(
        "orphans/to_null",
        _orphans("orphan_null", choose="to_null"),
        (_orphan_want("orphan_null", "to_null"),),
        (
            sees("SELECT id, p FROM orphan_null ORDER BY 1", ("a", 1), ("b", None), ("c", None)),
            _is("orphan_null", "REFERENCES"),
        ),
        compared=False,
    ),
    Trap(
        "orphans/to_null_of_a_composite",
        """CREATE TABLE on_parent (a INTEGER, b TEXT COLLATE NOCASE, PRIMARY KEY (a, b));
        CREATE TABLE on_pair (id INTEGER PRIMARY KEY, x INTEGER NOT NULL, y TEXT,
            FOREIGN KEY (x, y) REFERENCES on_parent);
        INSERT INTO on_parent VALUES (1, 'k'), (2, 'l');
        INSERT INTO on_pair VALUES (1, 1, 'k'), (2, 2, 'k'), (3, 1, 'l'), (4, 9, NULL), (5, 2, 'l');""",
        (Want("foreign_key_orphans", "on_pair", "x", 2, ("2", "3"), offers=("to_null",), choose="to_null"),),
        (
            sees("SELECT x, y FROM on_pair ORDER BY id", (1, "k"), (2, None), (1, None), (9, None), (2, "l")),
            _is("on_pair", "REFERENCES"),
            refuses(BREAKS, "INSERT INTO on_pair VALUES (9, 2, 'k')"),
        ),
        may=("collation_not_carried",),
        compared=False,
    ),
    Trap(
        "orphans/to_null_without_rowid",
        """CREATE TABLE onw_parent (id INTEGER PRIMARY KEY);
        CREATE TABLE onw (k TEXT, n INTEGER, p INTEGER REFERENCES onw_parent (id), up TEXT REFERENCES onw (up) UNIQUE,
            PRIMARY KEY (k, n)) WITHOUT ROWID;
        INSERT INTO onw_parent VALUES (1);
        INSERT INTO onw VALUES ('a', 1, 1, 'x'), ('a', 2, 5, NULL), ('b', 1, 6, 'y'), ('b', 2, NULL, NULL);""",
        (Want("foreign_key_orphans", "onw", "p", 2, ("a, 2", "b, 1"), offers=("to_null",), choose="to_null"),),
        (
            sees("SELECT k, n, p FROM onw ORDER BY 1, 2", ("a", 1, 1), ("a", 2, None), ("b", 1, None), ("b", 2, None)),
            _is("onw", "onw_parent"),
        ),
        compared=False,
    ),
    Trap(
        "orphans/to_null_of_two_keys",
        """CREATE TABLE two_a (id INTEGER PRIMARY KEY); CREATE TABLE two_b (id INTEGER PRIMARY KEY);
        CREATE TABLE two (id INTEGER PRIMARY KEY, p INTEGER,
            FOREIGN KEY (p) REFERENCES two_a (id), FOREIGN KEY (p) REFERENCES two_b (id));
        INSERT INTO two_a VALUES (1), (2); INSERT INTO two_b VALUES (1), (3);
        INSERT INTO two VALUES (1, 1), (2, 2), (3, 3), (4, 4);""",
        (Want("foreign_key_orphans", "two", "p", 3, ("2", "3", "4"), offers=("to_null",), choose="to_null"),),
        (sees("SELECT p FROM two ORDER BY id", (1,), (None,), (None,), (None,)),),
        compared=False,
    ),
    Trap(
        "orphans/quarantine",
        _orphans("orphan_aside", choose="quarantine"),
        (_orphan_want("orphan_aside", "quarantine"),),
        (sees("SELECT id, p FROM orphan_aside", ("a", 1)), _is("orphan_aside", "REFERENCES")),
        compared=False,
    ),
    Trap(
        "orphans/without_rowid",
        """CREATE TABLE ow_parent (id INTEGER PRIMARY KEY);
        CREATE TABLE ow (k TEXT, n INTEGER, p INTEGER REFERENCES ow_parent (id), PRIMARY KEY (k, n)) WITHOUT ROWID;
        INSERT INTO ow_parent VALUES (1); INSERT INTO ow VALUES ('a', 1, 1), ('a', 2, 5), ('b', 1, 6);""",
        (Want("foreign_key_orphans", "ow", "p", 2, ("a, 2", "b, 1"), offers=("fk_drop",), choose="fk_drop"),),
        (_none("ow"),),
    ),
    Trap(
        "orphans/composite",
        """CREATE TABLE oc_parent (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
        CREATE TABLE oc (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES oc_parent);
        INSERT INTO oc_parent VALUES (1, 2); INSERT INTO oc VALUES (1, 1, 2), (2, 2, 1), (3, NULL, 9);""",
        (Want("foreign_key_orphans", "oc", "x", 1, ("2",), offers=("fk_not_valid",), choose="fk_not_valid"),),
        (refuses(BREAKS, "INSERT INTO oc VALUES (9, 2, 1)"),),
    ),
    Trap(
        "orphans/beside_a_malformed_key",
        """CREATE TABLE om_parent (id INTEGER PRIMARY KEY, loose TEXT);
        CREATE TABLE om (id INTEGER PRIMARY KEY, p INTEGER REFERENCES om_parent (id),
            t TEXT REFERENCES om_parent (loose));
        INSERT INTO om_parent VALUES (1, 'x'); INSERT INTO om VALUES (1, 1, 'x'), (2, 5, 'x');""",
        (
            Want("foreign_key_orphans", "om", "p", 1, ("2",), offers=("fk_drop",), choose="fk_drop"),
            Want("foreign_key_not_unique", "om", "t", offers=("fk_drop",), choose="fk_drop"),
        ),
        (_none("om"),),
    ),
    Trap(
        "foreign_key_case/nocase_parent",
        """CREATE TABLE case_parent (code TEXT COLLATE NOCASE PRIMARY KEY NOT NULL);
        CREATE TABLE case_child (id INTEGER PRIMARY KEY, code TEXT REFERENCES case_parent (code));
        INSERT INTO case_parent VALUES ('ABC'), ('def'); INSERT INTO case_child VALUES (1, 'abc'), (2, 'def');""",
        (Want("foreign_key_case", "case_child", "code", 1, ("1",), offers=("fk_drop",), choose="fk_drop"),),
        (_none("case_child"), sees("SELECT code FROM case_child ORDER BY id", ("abc",), ("def",))),
        may=("collation_not_carried",),
    ),
    Trap(
        "foreign_key_not_unique/plain_column",
        """CREATE TABLE loose_parent (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE loose_child (id INTEGER PRIMARY KEY, name TEXT REFERENCES loose_parent (name));
        INSERT INTO loose_parent VALUES (1, 'x'), (2, 'x'); INSERT INTO loose_child VALUES (1, 'x');""",
        (Want("foreign_key_not_unique", "loose_child", "name", offers=("fk_drop",), choose="fk_drop"),),
        (_none("loose_child"),),
    ),
    Trap(
        "foreign_key_not_unique/partial_index",
        """CREATE TABLE part_parent (id INTEGER PRIMARY KEY, name TEXT, live INTEGER);
        CREATE UNIQUE INDEX part_parent_name ON part_parent (name) WHERE live = 1;
        CREATE TABLE part_child (id INTEGER PRIMARY KEY, name TEXT REFERENCES part_parent (name));
        INSERT INTO part_parent VALUES (1, 'x', 1), (2, 'x', 0);""",
        (Want("foreign_key_not_unique", "part_child", "name", offers=("fk_drop",), choose="fk_drop"),),
        (_none("part_child"),),
    ),
    Trap(
        "foreign_key_parent_missing/no_table",
        """CREATE TABLE lost_child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES nowhere (id));
        INSERT INTO lost_child VALUES (1, NULL);""",
        (Want("foreign_key_parent_missing", "lost_child", "p", offers=("fk_drop",), choose="fk_drop"),),
        (_none("lost_child"),),
    ),
    Trap(
        "foreign_key_malformed/no_column",
        """CREATE TABLE mal_parent (id INTEGER PRIMARY KEY);
        CREATE TABLE mal_child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES mal_parent (uid));
        INSERT INTO mal_child VALUES (1, 5);""",
        (
            Want(
                "foreign_key_malformed|foreign_key_not_unique", "mal_child", "p", offers=("fk_drop",), choose="fk_drop"
            ),
        ),
        (_none("mal_child"),),
    ),
    Trap(
        "foreign_key_malformed/parent_without_key",
        """CREATE TABLE keyless (a TEXT, b TEXT);
        CREATE TABLE keyless_child (id INTEGER PRIMARY KEY, p TEXT REFERENCES keyless);
        INSERT INTO keyless VALUES ('x', 'y'); INSERT INTO keyless_child VALUES (1, 'x');""",
        (
            Want(
                "foreign_key_malformed|foreign_key_not_unique",
                "keyless_child",
                "p",
                offers=("fk_drop",),
                choose="fk_drop",
            ),
        ),
        (_none("keyless_child"),),
    ),
    Trap(
        "foreign_key_malformed/one_column_for_two",
        """CREATE TABLE pair (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
        CREATE TABLE pair_child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES pair);
        INSERT INTO pair VALUES (1, 2); INSERT INTO pair_child VALUES (1, 1);""",
        (
            Want(
                "foreign_key_malformed|foreign_key_not_unique", "pair_child", "p", offers=("fk_drop",), choose="fk_drop"
            ),
        ),
        (_none("pair_child"),),
    ),
    Trap(
        "foreign_key_malformed/to_a_view",
        """CREATE TABLE under_view (id INTEGER PRIMARY KEY); CREATE VIEW over_it AS SELECT id FROM under_view;
        CREATE TABLE view_child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES over_it (id));
        INSERT INTO view_child VALUES (1, 5);""",
        (
            Want(
                "foreign_key_malformed|foreign_key_parent_missing|foreign_key_not_unique",
                "view_child",
                "p",
                offers=("fk_drop",),
                choose="fk_drop",
            ),
        ),
        (_none("view_child"),),
    ),
    Trap(
        "foreign_key_type/text_to_integer",
        """CREATE TABLE type_parent (id INTEGER PRIMARY KEY);
        CREATE TABLE type_child (id INTEGER PRIMARY KEY, p TEXT REFERENCES type_parent (id));
        INSERT INTO type_parent VALUES (1), (2); INSERT INTO type_child VALUES (1, '1'), (2, '2');""",
        (
            Want(
                "foreign_key_type|foreign_key_types|foreign_key_refused",
                "type_child",
                "p",
                offers=("fk_drop",),
                choose="fk_drop",
            ),
        ),
        (_none("type_child"),),
    ),
)
