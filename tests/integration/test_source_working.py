"""The working copy: names that are not UTF-8 become others there, and nothing else changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from zenni_tui.source import snapshot, working
from zenni_tui.source.tokens import Unparsable


def _made(path: Path, script: str) -> Path:
    r"""Make a file in whose names, texts and counters each `XX` is the byte \xe9."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
        database.executescript("PRAGMA writable_schema = ON")
        for column in ("name", "tbl_name", "sql"):
            replaced = f"CAST(replace(CAST({column} AS BLOB), x'5858', x'e9') AS TEXT)"
            database.execute(f"UPDATE sqlite_schema SET {column} = {replaced}")
        if database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            database.execute("UPDATE sqlite_sequence SET name = CAST(replace(name, 'XX', x'e9') AS TEXT)")
        database.commit()
    return path


def _rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


async def test_every_place_of_a_name_is_renamed(tmp_path: Path) -> None:
    """Tables, columns, their own and other indexes, references, views, triggers and counters go by the new name."""
    source = _made(
        tmp_path / "snapshot.db",
        """CREATE TABLE tXX (id INTEGER PRIMARY KEY AUTOINCREMENT, "cXX" TEXT UNIQUE, [dXX] CHECK (dXX > 0));
        CREATE TABLE child (a REFERENCES tXX (cXX)); CREATE INDEX iXX ON tXX (lower(cXX)) WHERE dXX > 1;
        CREATE VIEW vXX AS SELECT `cXX` FROM tXX; INSERT INTO tXX VALUES (5, 'a', 7); INSERT INTO child VALUES ('a');
        CREATE TRIGGER gXX AFTER INSERT ON child BEGIN DELETE FROM tXX; END;""",
    )
    before, copy = source.read_bytes(), tmp_path / "working.db"
    names = working.make(source, copy)
    assert names == {"té": r"t\xe9", "cé": r"c\xe9", "dé": r"d\xe9", "ié": r"i\xe9", "vé": r"v\xe9", "gé": r"g\xe9"}
    assert await snapshot.integrity(copy) == ""
    assert _rows(copy, 'SELECT id, "cé", "dé" FROM "té" INDEXED BY "ié" WHERE "dé" > 1') == [(5, "a", 7)]
    assert _rows(copy, "SELECT * FROM vé") == [("a",)]
    assert _rows(copy, "SELECT name, seq FROM sqlite_sequence") == [("té", 5)]
    assert _rows(copy, "PRAGMA foreign_key_check") == []
    assert _rows(copy, "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger'") == [("gé", "child")]
    assert source.read_bytes() == before
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    """A proposal that is the name of something else, in whatever case, is not taken."""
    source = _made(tmp_path / "a.db", "CREATE TABLE caXX (a); CREATE TABLE CAé (a); CREATE TABLE caé_2 (b)")
    assert working.make(source, tmp_path / "b.db") == {"caé_3": r"ca\xe9"}


def test_what_is_no_name_stays(tmp_path: Path) -> None:
    """Literals and comments keep their bytes, since rows may hold the same."""
    source = _made(tmp_path / "a.db", "CREATE TABLE tXX (a CHECK (a <> 'oXX') /* cXX */, b DEFAULT 'dXX')")
    copy = tmp_path / "b.db"
    working.make(source, copy)
    ((stored,),) = _rows(copy, "SELECT CAST(sql AS BLOB) FROM sqlite_schema")
    expected = "CREATE TABLE \"té\" (a CHECK (a <> 'o#') /* c# */, b DEFAULT 'd#')".encode()
    assert stored == expected.replace(b"#", b"\xe9")


def test_a_text_that_is_no_grammar_is_refused(tmp_path: Path) -> None:
    """A declaration that can't be read token by token is not rewritten by guessing."""
    source = _made(tmp_path / "a.db", "CREATE TABLE tXX (a); CREATE TABLE u (b)")
    with closing(sqlite3.connect(source, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_schema SET sql = CAST(x'435245415445205E20E9' AS TEXT) WHERE name = 'u'")
    with pytest.raises(Unparsable):
        working.make(source, tmp_path / "b.db")
