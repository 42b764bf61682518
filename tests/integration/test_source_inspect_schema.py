"""Inspection tells everything a file declares, whatever this SQLite itself lacks to serve it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from zenni_tui.model.plan import Span
from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.schema import SourceSchema, SourceTable
from zenni_tui.source import database, inspect, reader, snapshot


async def _inspected(path: Path) -> SourceSchema:
    """Inspect as a run does: from a snapshot that has passed SQLite's check; the record must survive its JSON form."""
    private = path.with_name("snapshot.db")
    await snapshot.copy(path, private)
    await snapshot.integrity(private)
    connection = await database.connect_frozen(private)
    try:
        schema = await inspect.read_schema(connection)
    finally:
        await connection.close()
    assert from_json(to_json(schema), SourceSchema) == schema
    return schema


def _made(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def _edited(path: Path, name: str, sql: bytes, new_name: bytes | None = None) -> None:
    """Give an object another text, as a newer SQLite or a careless program would have written it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = CAST(? AS TEXT) WHERE name = ?", (sql, name))
        if new_name is not None:
            update = "UPDATE sqlite_schema SET name = CAST(? AS TEXT), tbl_name = CAST(? AS TEXT) WHERE name = ?"
            connection.execute(update, (new_name, new_name, name))
        connection.commit()


def _table(schema: SourceSchema, name: str) -> SourceTable:
    table = schema.table(name)
    assert table is not None
    return table


def _read(path: Path, table: SourceTable) -> list[tuple[object, ...]]:
    with closing(database.open_frozen(path.with_name("snapshot.db"))) as connection:
        names = [c.name for c in table.columns]
        return [row for batch in reader.batches(connection, table, names, Span(0, table.rows)) for row in batch]


async def test_every_rule_of_a_table_is_told(tmp_path: Path) -> None:
    """Checks, generated columns, collations, named keys, deferral, STRICT and ON CONFLICT all reach the record."""
    schema = await _inspected(
        _made(
            tmp_path / "app.db",
            """
            CREATE TABLE p (id INTEGER CONSTRAINT p_key PRIMARY KEY AUTOINCREMENT, n TEXT COLLATE nocase);
            CREATE TABLE t (
                a TEXT COLLATE RTRIM NOT NULL ON CONFLICT REPLACE DEFAULT 'x', b INT, id INTEGER REFERENCES p,
                s TEXT GENERATED ALWAYS AS (a || ')') STORED, v AS (b + 1),
                CONSTRAINT pair UNIQUE (a, b) ON CONFLICT IGNORE,
                CONSTRAINT positive CHECK (b > 0), CHECK (length(a) < 9),
                CONSTRAINT late FOREIGN KEY (b) REFERENCES p (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
            CREATE INDEX i ON t (lower(a) COLLATE nocase DESC, b) WHERE b > 1;
            CREATE TABLE w (x INT, y TEXT, PRIMARY KEY (y DESC, x)) STRICT, WITHOUT ROWID;
            CREATE TABLE d (id INTEGER PRIMARY KEY DESC);
            INSERT INTO p (n) VALUES ('one'), ('two');
            INSERT INTO t (b, id) VALUES (1, 2);
            """,
        )
    )
    p, t, w = _table(schema, "p"), _table(schema, "t"), _table(schema, "w")
    assert (p.key_name, p.counter, p.rows, p.columns[1].collation) == ("p_key", 2, 2, "NOCASE")
    assert [(c.name, c.generated, c.expression) for c in t.columns[3:]] == [
        ("s", "stored", "a || ')'"),
        ("v", "virtual", "b + 1"),
    ]
    assert [(c.name, c.expression) for c in t.checks] == [("positive", "b > 0"), (None, "length(a) < 9")]
    assert [(k.columns, k.parent, k.name, k.deferred, k.on_delete) for k in t.foreign_keys] == [
        (("id",), "p", None, False, "NO ACTION"),
        (("b",), "p", "late", True, "CASCADE"),
    ]
    index, pair = t.indexes
    assert (index.columns, index.expressions, index.where) == ((None, "b"), ("lower(a)", None), "b > 1")
    assert (index.collations, index.descending, index.partial) == (("NOCASE", "BINARY"), (True, False), True)
    assert (pair.origin, pair.constraint, pair.collations) == ("u", "pair", ("RTRIM", "BINARY"))
    assert t.conflicts == ("UNIQUE (a, b) ON CONFLICT IGNORE", "a NOT NULL ON CONFLICT REPLACE")
    assert (w.key, w.strict, w.without_rowid, t.strict) == (("y", "x"), True, True, False)
    assert _table(schema, "d").rowid_alias is None
    assert [t.note for t in schema.tables] == [None] * 4


async def test_unknown_collations_hide_no_row(tmp_path: Path) -> None:
    """Tables, WITHOUT ROWID ones too, whose collation isn't there are read whole, and the collation is named."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_collation("backwards", lambda a, b: (a[::-1] > b[::-1]) - (a[::-1] < b[::-1]))
        connection.executescript("""
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE backwards UNIQUE, b TEXT);
            CREATE INDEX i ON t (b COLLATE backwards);
            CREATE TABLE w (k TEXT COLLATE backwards PRIMARY KEY, v) WITHOUT ROWID;
            INSERT INTO t (a, b) VALUES ('za', 'za'), ('yb', 'yb'), ('xc', 'xc');
            INSERT INTO w SELECT a, id FROM t;
            """)
    schema = await _inspected(path)
    t, w = _table(schema, "t"), _table(schema, "w")
    assert (t.columns[1].collation, [i.collations for i in t.indexes]) == ("BACKWARDS", [("BACKWARDS",)] * 2)
    assert (t.problem, t.rows, w.problem, w.rows) == (None, 3, None, 3)
    assert _read(path, t) == [(1, "za", "za"), (2, "yb", "yb"), (3, "xc", "xc")]
    assert sorted(_read(path, w)) == [("xc", 3), ("yb", 2), ("za", 1)]


async def test_unknown_functions_block_only_what_needs_them(tmp_path: Path) -> None:
    """A CHECK, index or stored column by a missing function is no obstacle to reading; a virtual column is, by name."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("twice", 1, lambda x: x * 2, deterministic=True)
        connection.executescript("""
            CREATE TABLE good (a INT CHECK (twice(a) > 0), s AS (twice(a)) STORED);
            CREATE INDEX i ON good (twice(a));
            CREATE INDEX part ON good (a) WHERE twice(a) > 2;
            CREATE VIEW v AS SELECT twice(a) FROM good;
            CREATE TABLE bad (a INT, "v w" AS (twice(a)));
            INSERT INTO good (a) VALUES (1), (2);
            INSERT INTO bad (a) VALUES (1);
            """)
    schema = await _inspected(path)
    good, bad = _table(schema, "good"), _table(schema, "bad")
    assert (good.problem, good.rows, _read(path, good)) == (None, 2, [(1, 2), (2, 4)])
    assert (bad.rows, bad.problem) == (0, 'its column "v w" can\'t be computed: unknown function: twice()')
    assert [o.name for o in schema.others] == ["v"]


async def test_the_first_row_that_cannot_be_computed_is_named(tmp_path: Path) -> None:
    """A virtual column that fails on some row's value is found before the copy, with the row."""
    path = _made(
        tmp_path / "app.db",
        """
        CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
            INSERT INTO t SELECT i * 7, iif(i IN (61, 80), '{broken', '{"a": 1}') FROM n;
        ALTER TABLE t ADD COLUMN a AS (json_extract(body, '$.a'));
        """,
    )
    table = _table(await _inspected(path), "t")
    assert table.problem == 'its column "a" can\'t be computed at rowid 427: malformed JSON'


async def test_virtual_tables_and_their_shadows_are_known_without_their_module(tmp_path: Path) -> None:
    """FTS and R-tree tables come with module and kind; a missing module is a problem of that one table."""
    path = _made(
        tmp_path / "app.db",
        """
        CREATE VIRTUAL TABLE notes USING fts5(title, body);
        CREATE VIRTUAL TABLE old USING fts4(body);
        CREATE VIRTUAL TABLE places USING rtree(id, x0, x1);
        CREATE TABLE things_rowids (a); CREATE TABLE things_vector_chunks00 (a); CREATE TABLE things_else (a);
        CREATE VIRTUAL TABLE things USING fts5(a);
        INSERT INTO notes VALUES ('a', 'b'), ('c', 'd');
        INSERT INTO places VALUES (1, 2.0, 3.0);
        """,
    )
    _edited(path, "things", b"CREATE VIRTUAL TABLE things USING vec0(a float[3])")
    schema = await _inspected(path)
    notes, places, things = _table(schema, "notes"), _table(schema, "places"), _table(schema, "things")
    assert (notes.kind, notes.module, notes.rows, notes.problem) == ("virtual", "fts5", 2, None)
    assert [c.name for c in notes.columns] == ["title", "body"]
    assert (places.module, places.rows, [c.name for c in places.columns]) == ("rtree", 1, ["id", "x0", "x1"])
    assert (things.kind, things.module, things.problem) == ("virtual", "vec0", "no such module: vec0")
    kinds = {t.name: t.kind for t in schema.tables}
    assert {kinds[n] for n in ("notes_data", "old_segdir", "places_node", "things_rowids")} == {"shadow"}
    assert (kinds["things_vector_chunks00"], kinds["things_else"]) == ("shadow", "table")


async def test_a_declaration_that_sqlite_cannot_parse_hides_nothing_else(tmp_path: Path) -> None:
    """A view, index or table in a newer dialect is named; everything beside it is read."""
    path = _made(
        tmp_path / "app.db",
        """
        CREATE TABLE t (a); INSERT INTO t VALUES (1);
        CREATE TABLE newer (a); INSERT INTO newer VALUES (1);
        CREATE VIEW v AS SELECT 1; CREATE VIEW dangling AS SELECT nil FROM nowhere;
        CREATE INDEX i ON t (a);
        """,
    )
    _edited(path, "v", b"CREATE VIEW v AS SELECT string_agg(a FRESH BY a) FROM t")
    _edited(path, "newer", b"CREATE TABLE newer (a MAYBE INT (", None)
    _edited(path, "i", b"CREATE INDEX i ON t (a SIDEWAYS) WHERE a FRESHLY 1")
    schema = await _inspected(path)
    assert sorted(o.name for o in schema.others) == ["dangling", "v"]
    t, newer = _table(schema, "t"), _table(schema, "newer")
    assert (t.rows, t.problem, [i.sql for i in t.indexes]) == (
        1,
        None,
        ["CREATE INDEX i ON t (a SIDEWAYS) WHERE a FRESHLY 1"],
    )
    assert newer.problem == f"SQLite {sqlite3.sqlite_version} does not understand its declaration"


async def test_names_of_every_kind_are_kept(tmp_path: Path) -> None:
    """Empty, quoted, multi-line, non-ASCII and case-twin names are tables like any other."""
    path = tmp_path / "app.db"
    names = ["", 'quo"te', "line\nbreak", "😀", "É", "é", "[br]", "semi;--", "a'b", "order"]
    with closing(sqlite3.connect(path)) as connection:
        for number, name in enumerate(names):
            table, column = database.quoted(name), database.quoted(f"{name}x")
            connection.execute(f"CREATE TABLE {table} ({column} TEXT, {database.quoted(name)} CHECK ({column} <> 'x'))")
            connection.execute(f"INSERT INTO {table} VALUES ('{number}', NULL)")
        connection.execute('CREATE TABLE child (a REFERENCES "ORDER" ("ORDERX"), b REFERENCES "É")')
        connection.commit()
    schema = await _inspected(path)
    assert [t.name for t in schema.tables] == [*names, "child"]
    for number, name in enumerate(names):
        table = _table(schema, name)
        assert (table.name, table.note, table.problem, len(table.checks)) == (name, None, None, 1)
        assert _read(path, table) == [(str(number), None)]
    parents = [schema.table(k.parent) for k in _table(schema, "child").foreign_keys]
    assert [p.name for p in parents if p] == ["order", "É"]


async def test_names_that_are_not_utf8_are_a_problem_with_a_legible_name(tmp_path: Path) -> None:
    r"""A name in another encoding is shown with `\xNN` and said to be the obstacle; nothing fails over it."""
    path = _made(tmp_path / "app.db", "CREATE TABLE one (a); CREATE TABLE two (a); CREATE TABLE fine (a);")
    _edited(path, "one", b"CREATE TABLE caf\xe9 (a)", b"caf\xe9")
    _edited(path, "two", b"CREATE TABLE two (a, b\xe9)")
    schema = await _inspected(path)
    assert [(t.name, t.problem) for t in schema.tables] == [
        (r"caf\xe9", "its name is not valid UTF-8"),
        ("two", r'the name of its column "b\xe9" is not valid UTF-8'),
        ("fine", None),
    ]


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
async def test_utf16_files_are_read_as_any_other(tmp_path: Path, encoding: str) -> None:
    """The encoding of a file is told and changes no name and no value."""
    columns = '"ö😀" TEXT CHECK (1)'
    script = f"PRAGMA encoding = '{encoding}'; CREATE TABLE tä ({columns}); INSERT INTO tä VALUES ('ü😀');"
    schema = await _inspected(_made(tmp_path / "app.db", script))
    assert schema.encoding == encoding
    assert _read(tmp_path / "app.db", _table(schema, "tä")) == [("ü😀",)]


async def test_values_that_break_rules_are_no_damage(tmp_path: Path) -> None:
    """NULL under NOT NULL, a failed CHECK, a doubled unique value: the audit's business, so inspection goes on."""
    path = _made(
        tmp_path / "app.db", "CREATE TABLE t (a, b); CREATE INDEX i ON t (b); INSERT INTO t VALUES (NULL, 1), (-1, 1);"
    )
    _edited(path, "t", b"CREATE TABLE t (a NOT NULL CHECK (a > 0), b)")
    _edited(path, "i", b"CREATE UNIQUE INDEX i ON t (b)")
    table = _table(await _inspected(path), "t")
    assert (table.rows, table.columns[0].not_null, len(table.checks), table.indexes[0].unique) == (2, True, 1, True)


async def test_two_thousand_tables_take_seconds(tmp_path: Path) -> None:
    """2,000 tables with keys, checks and indexes are inspected within 10 s (about 1.3 s on a slow core)."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        for i in range(2000):
            parent = f"REFERENCES t{i - 1} (id)" if i else ""
            connection.execute(
                f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, n TEXT UNIQUE CHECK (n <> ''), p INT {parent})"
            )
            connection.execute(f"CREATE INDEX i{i} ON t{i} (p, lower(n))")
            connection.execute(f"INSERT INTO t{i} (n) VALUES ('a'), ('b'), ('c')")
        connection.commit()
    started = time.monotonic()
    schema = await _inspected(path)
    assert time.monotonic() - started < 10
    assert (len(schema.tables), schema.rows) == (2000, 6000)
    assert sum(len(t.foreign_keys) for t in schema.tables) == 1999


async def test_two_thousand_columns_are_all_there(tmp_path: Path) -> None:
    """A table as wide as SQLite allows keeps every column and its collation."""
    names = [f"c{i}" for i in range(2000)]
    path = _made(tmp_path / "app.db", f"CREATE TABLE wide ({', '.join(f'{n} TEXT COLLATE nocase' for n in names)})")
    table = _table(await _inspected(path), "wide")
    assert [c.name for c in table.columns] == names
    assert {c.collation for c in table.columns} == {"NOCASE"}
    assert msgspec.json.encode(table)
