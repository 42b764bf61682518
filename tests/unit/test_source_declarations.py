"""Declarations are read by SQLite's own grammar: what SQLite takes is understood, to the letter."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenni_tui.source import declarations
from zenni_tui.source.declarations import PartText, Unparsable, parse_index, parse_table


def test_all_four_quotings_and_comments_are_understood() -> None:
    """A name is the same in any quoting; comments and parentheses inside strings end nothing."""
    table = parse_table("""CREATE TABLE "a ""b" (
        'one' text /* , ) */ CHECK ('one' <> ')'), -- two )
        [two x] "my type"(3), `thr``ee` int DEFAULT (datetime('now', '(')),
        four)""")
    assert table.name == 'a "b'
    assert [c.name for c in table.columns] == ["one", "two x", "thr`ee", "four"]
    assert [c.type for c in table.columns] == ["text", '"my type"(3)', "int", ""]
    assert table.columns[2].default == "datetime('now', '(')"
    assert table.checks[0].expression == "'one' <> ')'"


def test_rules_keep_their_names_and_order() -> None:
    """Checks, keys and references of columns and of the table come in the text's order, each with its own name."""
    table = parse_table("""CREATE TABLE t (
        id INTEGER CONSTRAINT pk PRIMARY KEY DESC ON CONFLICT REPLACE AUTOINCREMENT,
        p CONSTRAINT r1 REFERENCES x ON DELETE SET NULL ON UPDATE NO ACTION MATCH FULL DEFERRABLE INITIALLY DEFERRED,
        q INT CONSTRAINT nn NOT NULL ON CONFLICT IGNORE CHECK (q > 0) CONSTRAINT dangling,
        UNIQUE (p COLLATE nocase DESC, 'q') ON CONFLICT IGNORE
        CONSTRAINT r2 FOREIGN KEY (p, "q") REFERENCES "x y"(a, [b]) NOT DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT c2 CHECK (p IN (1, (2))) ON CONFLICT FAIL) WITHOUT ROWID, STRICT;""")
    assert table.key is not None
    assert (table.key.name, table.key.autoincrement, table.key.conflict) == ("pk", True, "REPLACE")
    assert table.columns[0].key == "DESC"
    assert [(c.name, c.expression) for c in table.checks] == [(None, "q > 0"), ("c2", "p IN (1, (2))")]
    first, second = table.foreign_keys
    assert (first.name, first.on_delete, first.match, first.deferred) == ("r1", "SET NULL", "FULL", True)
    assert (second.name, second.columns, second.parent_columns, second.deferred) == (
        "r2",
        ("p", "q"),
        ("a", "b"),
        False,
    )
    assert table.uniques[0].parts == (PartText("p", None, "nocase", descending=True), PartText("q"))
    assert (table.uniques[0].conflict, table.columns[2].null_conflict) == ("IGNORE", "IGNORE")
    assert table.without_rowid
    assert table.strict


@pytest.mark.parametrize(
    ("written", "kind", "expression"),
    [
        ("g INT GENERATED ALWAYS AS (a + (1)) STORED", "stored", "a + (1)"),
        ("g AS ( lower(a) || ')' ) VIRTUAL NOT NULL", "virtual", "lower(a) || ')'"),
        ("g generated always as (a /* x */)", "virtual", "a"),
    ],
)
def test_generated_columns_keep_their_expression(written: str, kind: str, expression: str) -> None:
    """The expression of a generated column is the exact text between its parentheses."""
    column = parse_table(f"CREATE TABLE t (a, {written})").columns[1]
    assert (column.generated, column.expression) == (kind, expression)
    assert "GENERATED" not in column.type.upper()


def test_index_parts_are_told_from_their_order_and_collation() -> None:
    """A part is a column or an expression; COLLATE, ASC and DESC at its end belong to the part."""
    index = parse_index("""CREATE UNIQUE INDEX "i" ON t(a, "b" COLLATE nocase DESC, lower(c) COLLATE rtrim,
        (a+b) DESC, a + desc, desc DESC, CASE WHEN a THEN 'x,)' END) WHERE a IS NOT NULL AND b > ')' -- the end""")
    assert index.unique
    assert index.parts == (
        PartText("a"),
        PartText("b", None, "nocase", descending=True),
        PartText(None, "lower(c)", "rtrim"),
        PartText(None, "(a+b)", None, descending=True),
        PartText(None, "a + desc"),
        PartText("desc", None, None, descending=True),
        PartText(None, "CASE WHEN a THEN 'x,)' END"),
    )
    assert index.where == "a IS NOT NULL AND b > ')'"


def test_created_from_a_select_is_a_plain_table() -> None:
    """SQLite writes down a CREATE TABLE AS as the columns that it made."""
    database = sqlite3.connect(":memory:")
    database.execute("""CREATE TABLE t AS SELECT 1 AS "a b", 'x' AS c, CAST(2.5 AS REAL) AS "d,e" """)
    (sql,) = database.execute("SELECT sql FROM sqlite_schema").fetchone()
    database.close()
    assert [c.name for c in parse_table(sql).columns] == ["a b", "c", "d,e"]


def test_virtual_tables_tell_their_module() -> None:
    """A virtual table is known by its text even when its module isn't there."""
    assert (
        declarations.virtual_module("CREATE VIRTUAL TABLE if not exists main.\"v t\" USING 'vec0'(x float[3])")
        == "vec0"
    )
    assert declarations.virtual_module("CREATE TABLE t(using)") is None


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "CREATE TABLE",
        "CREATE TABLE t (a",
        "CREATE TABLE t (a) FAST",
        "CREATE TABLE t (a CHECK (1)",
        "CREATE TABLE t (a 'x)",
    ],
)
def test_what_is_no_declaration_is_said_to_be_none(sql: str) -> None:
    """A text outside the grammar gives a reason and never a guess."""
    with pytest.raises(Unparsable) as caught:
        parse_table(sql)
    assert caught.value.reason


_SPACE = st.sampled_from([" ", "\n", "\t ", " /* , ( ' */ ", ' -- ) "\n'])
_PLAIN = st.from_regex(r"[a-z_][a-z0-9_$é]{0,6}", fullmatch=True).map(lambda name: f"n{name}")
_ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)


@st.composite
def _names(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a name and a way to write it."""
    way = draw(st.sampled_from(['"', "`", "'", "[", ""]))
    if not way:
        name = draw(_PLAIN)
        return name, name
    name = draw(_ANY)
    if way == "[":
        name = name.replace("]", "")
        return name, f"[{name}]"
    return name, way + name.replace(way, way * 2) + way


_EXPRESSIONS = st.sampled_from(
    ["1 > 0", "(1)", "'it''s )' <> \"c0\"", '"c0" IN (1, 2, (3))', "CASE WHEN 1 THEN ')' ELSE [c0] END"]
)
_RULES = st.sampled_from(
    [
        "NOT NULL",
        "NULL",
        "UNIQUE",
        "COLLATE nocase",
        "DEFAULT -1",
        "DEFAULT 'x)'",
        "DEFAULT (1 + (2))",
        "DEFAULT x'00ff'",
        "DEFAULT current_timestamp",
        "DEFAULT word",
        "CONSTRAINT n CHECK (1)",
        "REFERENCES p",
        "REFERENCES p(a) ON DELETE CASCADE",
        "REFERENCES p DEFERRABLE INITIALLY DEFERRED",
        "NOT NULL ON CONFLICT REPLACE",
        "UNIQUE ON CONFLICT IGNORE",
    ]
)
_TYPES = st.sampled_from(
    ["", "int", "varchar ( 10 )", "decimal(10,-2)", "unsigned big int", "'quoted'", "[odd type](1)", "key desc"]
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_table_of_sqlite_is_read_as_sqlite_reads_it(data: st.DataObject) -> None:
    """Whatever names, quotings, types, rules and comments a table has, its text gives what the PRAGMAs give."""
    drawn = data.draw(st.lists(_names(), min_size=1, max_size=4, unique_by=lambda n: n[0].lower()))
    rules = [data.draw(st.lists(_RULES, max_size=3)) for _ in drawn]
    columns = ['"c0" TEXT']
    for (_, written), own in zip(drawn, rules, strict=True):
        columns.append(data.draw(_SPACE).join([written, data.draw(_TYPES), *own]))
    checks = data.draw(st.lists(_EXPRESSIONS, max_size=2))
    tail = [f"CONSTRAINT [k {i}] CHECK ({text})" for i, text in enumerate(checks)]
    name, written = data.draw(_names().filter(lambda n: not n[0].lower().startswith("sqlite_")))
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"CREATE TABLE {written}{data.draw(_SPACE)}({','.join([*columns, *tail])})")
        _compare(database, name)
        sql = database.execute("SELECT sql FROM sqlite_schema WHERE type = 'table'").fetchone()[0]
    except sqlite3.OperationalError as refused:
        # Some of what is drawn SQLite itself refuses, such as a column named twice.
        assert "duplicate column" in str(refused) or "more than one" in str(refused), refused  # noqa: PT017 - both ways are right
        return
    finally:
        database.close()
    assert [c.expression for c in parse_table(sql).checks][-len(checks) or 99 :] == checks


def _compare(database: sqlite3.Connection, name: str) -> None:
    (sql,) = database.execute("SELECT sql FROM sqlite_schema WHERE type = 'table'").fetchone()
    table = parse_table(sql)
    listed = database.execute('SELECT name, "notnull", dflt_value FROM pragma_table_xinfo(?)', (name,)).fetchall()
    assert table.name == name
    assert [(c.name, int(c.not_null), c.default) for c in table.columns] == listed
    keys = database.execute(
        'SELECT "from", "table", on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC', (name,)
    )
    assert [(k.columns[0], k.parent, k.on_delete) for k in table.foreign_keys] == keys.fetchall()
