"""Traps of views, triggers and virtual tables."""

import sqlite3

from traps.target import Check, Target, sees, told_or
from traps.words import Trap, Want, warn

BASE = """CREATE TABLE {0} (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, live BOOLEAN);
    INSERT INTO {0} VALUES (1, 'a', 5, 1), (2, 'b', 7, 0), (3, 'a', NULL, 1);"""


def _view_or_told(view: str, sql: str, *rows: tuple[object, ...]) -> Check:
    return told_or("view_not_carried", view, sees(sql, *rows))


VIEWS = (
    Trap(
        "view/plain",
        BASE.format("va") + "CREATE VIEW va_sum (who, total) AS SELECT name, sum(n) FROM va GROUP BY name;"
        "CREATE VIEW va_top AS SELECT who FROM va_sum WHERE total > 5 ORDER BY who DESC LIMIT 1;",
        checks=(
            sees("SELECT who, total::int FROM va_sum ORDER BY 1", ("a", 5), ("b", 7)),
            sees("SELECT who FROM va_top", ("b",)),
        ),
    ),
    Trap(
        "view/over_a_later_view",
        BASE.format("vo")
        + """CREATE VIEW vo_outer AS SELECT label, twice FROM vo_inner WHERE twice >= 10 AND is_live;
        CREATE VIEW vo_inner AS SELECT name || '-' || id AS label, n * 2 AS twice, live = 1 AS is_live FROM vo;""",
        checks=(sees("SELECT label, twice::int FROM vo_outer", ("a-1", 10)),),
    ),
    Trap(
        "view/joined",
        BASE.format("vj")
        + "CREATE VIEW vj_pairs AS SELECT x.id AS left_id, y.id AS right_id FROM vj x LEFT JOIN vj y ON x.name = y.name"
        " AND x.id < y.id WHERE x.n IS NOT NULL OR y.id IS NULL;",
        checks=(sees("SELECT left_id, right_id FROM vj_pairs ORDER BY 1", (1, 3), (2, None), (3, None)),),
    ),
    Trap(
        "view/boolean_as_number",
        BASE.format("vb") + "CREATE VIEW vb_live AS SELECT id FROM vb WHERE live = 1;",
        checks=(_view_or_told("vb_live", "SELECT id FROM vb_live ORDER BY id", (1,), (3,)),),
        may=("view_not_carried",),
    ),
    Trap(
        "view/bare_columns_beside_groups",
        BASE.format("vg") + "CREATE VIEW vg_bare AS SELECT name, id, max(n) FROM vg GROUP BY name;",
        may=("view_not_carried",),
    ),
    Trap(
        "view/double_quoted_string",
        BASE.format("vq") + 'CREATE VIEW vq_str AS SELECT id FROM vq WHERE name = "a" AND "no such" IS NOT NULL;',
        checks=(_view_or_told("vq_str", "SELECT id FROM vq_str ORDER BY id", (1,), (3,)),),
        may=("view_not_carried",),
    ),
    Trap(
        "view/like_and_division",
        BASE.format("vl")
        + "CREATE VIEW vl_like AS SELECT id, 7 / 2 AS half, 1 / 0 AS none FROM vl WHERE name LIKE 'A';",
        checks=(
            _view_or_told("vl_like", "SELECT id, half, none FROM vl_like ORDER BY id", (1, 3, None), (3, 3, None)),
        ),
        may=("view_not_carried",),
    ),
    Trap(
        "view/recursive",
        BASE.format("vr") + "CREATE VIEW vr_count AS WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c"
        " WHERE x < 4) SELECT x FROM c;",
        checks=(_view_or_told("vr_count", "SELECT x FROM vr_count ORDER BY x", (1,), (2,), (3,), (4,)),),
        may=("view_not_carried",),
    ),
    Trap(
        "view/untranslatable",
        BASE.format("vu") + "CREATE VIEW vu_no AS SELECT rowid, typeof(n), printf('%5d', n), soundex(name) FROM vu;",
        (warn("view_not_carried", "vu_no"),),
    ),
    Trap(
        "view/broken",
        BASE.format("vx") + "CREATE VIEW vx_broken AS SELECT * FROM no_such_table;"
        "CREATE VIEW vx_over AS SELECT * FROM vx_broken; CREATE VIEW vx_good AS SELECT id FROM vx;",
        (warn("view_not_carried", "vx_broken"), warn("view_not_carried", "vx_over")),
        (sees("SELECT count(*) FROM vx_good", (3,)),),
    ),
)

TRIGGERS = (
    Trap(
        "trigger/updated_at",
        """CREATE TABLE tu (id INTEGER PRIMARY KEY, v TEXT, at DATETIME DEFAULT CURRENT_TIMESTAMP);
        INSERT INTO tu VALUES (1, 'x', 1700000000000);
        CREATE TRIGGER tu_touch AFTER UPDATE OF v ON tu BEGIN
            UPDATE tu SET at = strftime('%s', 'now') * 1000 WHERE id = NEW.id; END;""",
        (warn("trigger_not_carried", "tu_touch|tu"),),
    ),
    Trap(
        "trigger/refusing",
        """CREATE TABLE tx (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO tx VALUES (1, 5);
        CREATE TRIGGER tx_no BEFORE INSERT ON tx WHEN NEW.v < 0 BEGIN SELECT RAISE(ABORT, 'no; END'); END;""",
        (warn("trigger_not_carried", "tx_no|tx"),),
    ),
    Trap(
        "trigger/instead_of",
        BASE.format("ti")
        + """CREATE VIEW ti_view AS SELECT id, name FROM ti;
        CREATE TRIGGER ti_write INSTEAD OF INSERT ON ti_view BEGIN INSERT INTO ti (name) VALUES (NEW.name); END;""",
        (warn("trigger_not_carried", "ti_write|ti_view"),),
        (sees("SELECT count(*) FROM ti_view", (3,)),),
    ),
)


def _shadow_looking(database: sqlite3.Connection) -> None:
    database.executescript(
        """CREATE TABLE notes_content (id INTEGER PRIMARY KEY, body TEXT);
        INSERT INTO notes_content VALUES (1, 'owned by the user');
        CREATE VIRTUAL TABLE notes USING fts5(body, content='notes_content', content_rowid='id');
        INSERT INTO notes (notes) VALUES ('rebuild');"""
    )


def _no_table(*names: str) -> Check:
    def check(target: Target) -> None:
        for name in names:
            assert target.rows("SELECT to_regclass(%s)::text", f'"{name}"') == [(None,)], name

    return check


SHADOW_LOOKALIKES = Trap(
    "shadow/lookalikes",
    """CREATE TABLE memo_data (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO memo_data VALUES (1, 'mine');
    CREATE TABLE memo_config (k TEXT PRIMARY KEY NOT NULL, v TEXT); INSERT INTO memo_config VALUES ('a', 'b');
    CREATE TABLE area_node (nodeno INTEGER PRIMARY KEY, data BLOB); INSERT INTO area_node VALUES (1, x'00');""",
    checks=(sees("SELECT v FROM memo_data", ("mine",)), sees("SELECT nodeno FROM area_node", (1,))),
)

_VIRTUAL = ("virtual_not_carried",)


def _virtual(name: str, make: str, *checks: Check, choose: str = "as_table", table: str = "") -> Trap:
    want = Want("virtual_not_carried", table or name, offers=("exclude", choose), choose=choose)
    return Trap(f"virtual/{name}", make, (want,), checks, ("shadow_not_carried",), compared=False)


VIRTUAL = (
    _virtual(
        "fts5",
        """CREATE VIRTUAL TABLE fts5 USING fts5(title, body, tokenize = 'porter');
        INSERT INTO fts5 VALUES ('first', 'some words'), ('second', 'ääkköset');""",
        sees("SELECT title, body FROM fts5 ORDER BY title", ("first", "some words"), ("second", "ääkköset")),
        _no_table("fts5_data", "fts5_idx", "fts5_content", "fts5_docsize", "fts5_config"),
    ),
    _virtual(
        "fts4",
        "CREATE VIRTUAL TABLE fts4 USING fts4(body); INSERT INTO fts4 VALUES ('words');",
        _no_table("fts4", "fts4_content", "fts4_segdir"),
        choose="exclude",
    ),
    _virtual(
        "fts5_contentless",
        "CREATE VIRTUAL TABLE fts5_contentless USING fts5(body, content='');"
        " INSERT INTO fts5_contentless (rowid, body) VALUES (1, 'words');",
        _no_table("fts5_contentless"),
        choose="exclude",
    ),
    _virtual(
        "rtree",
        """CREATE VIRTUAL TABLE rtree USING rtree(id, x0, x1, y0, y1, +label);
        INSERT INTO rtree VALUES (1, 0.5, 1.5, -2, 3, 'box'), (2, 0, 0, 0, 0, NULL);""",
        sees(
            "SELECT id::int, x0::float8, x1::float8, label FROM rtree ORDER BY id",
            (1, 0.5, 1.5, "box"),
            (2, 0.0, 0.0, None),
        ),
        _no_table("rtree_node", "rtree_rowid", "rtree_parent"),
    ),
    Trap(
        "virtual/external_content",
        _shadow_looking,
        (Want("virtual_not_carried", "notes", offers=("exclude",), choose="exclude"),),
        (sees("SELECT id, body FROM notes_content", (1, "owned by the user")), _no_table("notes", "notes_idx")),
        ("shadow_not_carried",),
        compared=False,
    ),
)
