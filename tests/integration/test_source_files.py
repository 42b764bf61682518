"""Real SQLite files of every odd kind: what is read of them, and that nothing of them is changed."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from zenni_tui.errors import NotReady
from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import database, inspect, snapshot


def sha256(path: Path) -> str:
    """Hash a file, by way of a copy so that no lock of SQLite's is lost."""
    copy = path.with_name(path.name + ".hashed")
    subprocess.run(["cp", str(path), str(copy)], check=True)
    return hashlib.sha256(copy.read_bytes()).hexdigest()


def files(folder: Path, beginning: str = "") -> dict[str, int]:
    """Return the names and modes of a folder's files."""
    return {f.name: stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir() if f.name.startswith(beginning)}


def make(path: Path, script: str) -> Path:
    """Make a database by a script."""
    made = sqlite3.connect(path)
    made.executescript(script)
    made.close()
    return path


async def schema_of(path: Path) -> SourceSchema:
    """Read a file's schema as the program does."""
    connection = await database.connect_frozen(path)
    try:
        return await inspect.read_schema(connection)
    finally:
        await connection.close()


async def test_keys_of_all_kinds_are_read(tmp_path: Path) -> None:
    """Composite keys keep their own order, WITHOUT ROWID and AUTOINCREMENT are noticed, counters come along."""
    schema = await schema_of(
        make(
            tmp_path / "a.db",
            """
            CREATE TABLE pair (a INT, b TEXT, c, PRIMARY KEY (b, a));
            CREATE TABLE bare (x);
            CREATE TABLE w (k TEXT PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
            INSERT INTO auto VALUES (900, 1); DELETE FROM auto;
            INSERT INTO bare VALUES (1), (2);
            """,
        )
    )
    pair, bare, w, auto = (schema.table(n) for n in ("pair", "BARE", "w", "auto"))
    assert pair is not None
    assert bare is not None
    assert w is not None
    assert auto is not None
    assert (pair.key, bare.key, w.key, auto.key) == (("b", "a"), (), ("k",), ("id",))
    assert (w.without_rowid, auto.counter, auto.rows, bare.rows) == (True, 900, 0, 2)
    assert [t.name for t in schema.tables] == ["pair", "bare", "w", "auto"]


async def test_foreign_keys_come_in_the_order_of_their_declaration(tmp_path: Path) -> None:
    """Composite, self-referring, other-case keys, keys without named columns, and their actions are read."""
    schema = await schema_of(
        make(
            tmp_path / "a.db",
            """
            CREATE TABLE P (a INT, b INT, PRIMARY KEY (a, b));
            CREATE TABLE c (id INTEGER PRIMARY KEY, x INT REFERENCES c ON DELETE CASCADE, y INT, z INT,
              FOREIGN KEY (y, z) REFERENCES p (A, B) ON UPDATE SET NULL ON DELETE RESTRICT,
              FOREIGN KEY (z) REFERENCES gone);
            """,
        )
    )
    child = schema.table("c")
    assert child
    told = [(k.columns, k.parent, k.parent_columns, k.on_delete, k.on_update) for k in child.foreign_keys]
    assert told == [
        (("x",), "c", (), "CASCADE", "NO ACTION"),
        (("y", "z"), "p", ("A", "B"), "RESTRICT", "SET NULL"),
        (("z",), "gone", (), "NO ACTION", "NO ACTION"),
    ]


async def test_indexes_show_what_they_are(tmp_path: Path) -> None:
    """DESC, partial and expression indexes, unique constraints and unique indexes can be told apart."""
    schema = await schema_of(
        make(
            tmp_path / "a.db",
            """
            CREATE TABLE t (a, b, c UNIQUE);
            CREATE INDEX i1 ON t (a DESC, b);
            CREATE UNIQUE INDEX i2 ON t (b) WHERE a > 5;
            CREATE INDEX i3 ON t (lower(b), a);
            CREATE INDEX [i 4] ON t (a COLLATE NOCASE);
            """,
        )
    )
    found = {i.name: i for t in schema.tables for i in t.indexes}
    assert (found["i1"].columns, found["i1"].descending, found["i1"].unique) == (("a", "b"), (True, False), False)
    assert (found["i2"].partial, found["i2"].unique, found["i2"].origin) == (True, True, "c")
    assert found["i3"].columns == (None, "a")
    assert "NOCASE" in (found["i 4"].sql or "")
    assert [(i.columns, i.origin, i.sql) for i in found.values() if i.origin == "u"] == [(("c",), "u", None)]


async def test_generated_columns_strict_tables_views_and_triggers_are_read(tmp_path: Path) -> None:
    """Columns that table_info hides are there with their kind; views and triggers come with their text."""
    schema = await schema_of(
        make(
            tmp_path / "a.db",
            """
            CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (a * 2), c TEXT AS (a || '') STORED,
              d TEXT NOT NULL DEFAULT 'x') STRICT;
            CREATE VIEW v AS SELECT a FROM t;
            CREATE VIEW broken AS SELECT gone FROM nowhere;
            CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;
            """,
        )
    )
    (table,) = schema.tables
    assert [(c.name, c.generated, c.not_null, c.default) for c in table.columns] == [
        ("a", None, False, None),
        ("b", "virtual", False, None),
        ("c", "stored", False, None),
        ("d", None, True, "'x'"),
    ]
    assert [(o.kind, o.name) for o in schema.others] == [("view", "v"), ("view", "broken"), ("trigger", "tr")]


async def test_virtual_tables_and_their_shadows_are_no_ordinary_tables(tmp_path: Path) -> None:
    """A full text table is one virtual thing; its shadow tables are not taken for the application's."""
    path = tmp_path / "a.db"
    try:
        make(path, "CREATE TABLE t (a); CREATE VIRTUAL TABLE ft USING fts5(body); INSERT INTO ft VALUES ('hello')")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no FTS5")
    schema = await schema_of(path)
    kinds = {t.name: t.kind for t in schema.tables} | {o.name: o.kind for o in schema.others}
    assert kinds.pop("t") == "table"
    assert kinds.pop("ft") == "virtual"
    assert set(kinds.values()) == {"shadow"}


NAMES = ['q"uote', "sp ace", "emoji 😀", "per%cent", "se;mi", "a'b", "new\nline", "select", "[x]"]


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_is_inspected(tmp_path: Path, name: str) -> None:
    """A table, a column, an index and a foreign key of any name come out under that name."""
    q = database.quoted(name)
    path = make(
        tmp_path / "a.db",
        f"CREATE TABLE {q} ({q} INTEGER PRIMARY KEY, {database.quoted('')} INT REFERENCES {q}({q}));"
        f"CREATE INDEX {database.quoted(name + '!')} ON {q} ({database.quoted('')}); INSERT INTO {q} VALUES (1, 1)",
    )
    (table,) = (await schema_of(path)).tables
    assert (table.name, table.rows, [c.name for c in table.columns]) == (name, 1, [name, ""])
    assert [(i.name, i.columns) for i in table.indexes] == [(name + "!", ("",))]
    assert [(k.columns, k.parent, k.parent_columns) for k in table.foreign_keys] == [(("",), name, (name,))]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
async def test_the_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    """A UTF-16 file is inspected like any other."""
    path = make(tmp_path / "a.db", f"PRAGMA encoding = '{encoding}'; CREATE TABLE \"tä\" (\"ö\" TEXT DEFAULT 'ü')")
    schema = await schema_of(path)
    assert schema.encoding == encoding
    assert [(c.name, c.default) for c in schema.tables[0].columns] == [("ö", "'ü'")]


async def test_a_snapshot_holds_what_only_the_wal_holds(tmp_path: Path) -> None:
    """Committed rows that are only in the WAL are in the snapshot, uncommitted ones not; the source's bytes stay."""
    path = tmp_path / "live.db"
    live = sqlite3.connect(path, isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("PRAGMA wal_autocheckpoint = 0")
    live.execute("CREATE TABLE t (v)")
    live.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(1000)])
    live.execute("BEGIN")
    live.execute("INSERT INTO t VALUES ('not committed')")
    wal = tmp_path / "live.db-wal"
    before = sha256(path), sha256(wal)
    copy = tmp_path / "snapshot.db"
    await snapshot.copy(path, copy)
    assert (sha256(path), sha256(wal)) == before
    live.execute("COMMIT")
    live.close()
    await snapshot.integrity(copy)
    assert files(tmp_path, "snapshot.db") == {"snapshot.db": 0o600}
    read = database.open_frozen(copy)
    assert read.execute("SELECT count(*), sum(typeof(v) = 'text') FROM t").fetchone() == (1000, 0)
    assert read.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    read.close()


_WRITER = """
import sqlite3, sys, time
live = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
number = 0
while True:
    live.execute("BEGIN IMMEDIATE")
    live.execute("INSERT INTO a VALUES (?, randomblob(500))", (number,))
    live.execute("INSERT INTO b VALUES (?)", (number,))
    live.execute("COMMIT")
    number += 1
    if number == 1:
        print("ready", flush=True)
    time.sleep(0.002)
"""


def writing(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that commits without end, and return once it has committed."""
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    return writer


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_snapshot_of_a_busy_source_is_of_one_moment(tmp_path: Path, mode: str) -> None:
    """While another process commits without pause, both tables of each transaction are in the snapshot or neither."""
    path = make(tmp_path / "live.db", f"PRAGMA journal_mode = {mode}; CREATE TABLE a (n, x); CREATE TABLE b (n)")
    writer = writing(path)
    try:
        for number in range(3):
            await asyncio.sleep(0.1)
            copy = tmp_path / f"{number}.db"
            await snapshot.copy(path, copy)
            await snapshot.integrity(copy)
            read = database.open_frozen(copy)
            counts = read.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone()
            read.close()
            assert counts[0] == counts[1] > 0
    finally:
        writer.kill()
        writer.communicate()


async def test_a_source_in_rollback_mode_is_not_changed(tmp_path: Path) -> None:
    """Looking at it, and copying it, leave its bytes, its directory and its time of change as they were."""
    folder = tmp_path / "application"
    folder.mkdir()
    path = make(folder / "live.db", "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
    before = sha256(path), path.stat().st_mtime_ns
    (folder / "live.db.hashed").unlink()
    database.look(path)
    await snapshot.copy(path, tmp_path / "snapshot.db")
    assert list(files(folder)) == ["live.db"]
    assert (sha256(path), path.stat().st_mtime_ns) == before


async def test_a_locked_source_says_so(tmp_path: Path) -> None:
    """An exclusive lock is no damage: the advice is to end it, not to repair the file."""
    path = make(tmp_path / "live.db", "CREATE TABLE t (v)")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(NotReady) as raised:
        await asyncio.wait_for(snapshot.copy(path, tmp_path / "snapshot.db", patience=0.3), 20)
    holder.close()
    assert "locked" in raised.value.what
    assert "recover" not in raised.value.next_step


async def test_a_damaged_snapshot_is_found(tmp_path: Path) -> None:
    """A page overwritten with rubbish does not pass the integrity check."""
    path = make(tmp_path / "a.db", "CREATE TABLE t (v); CREATE INDEX i ON t (v)")
    made = sqlite3.connect(path)
    made.executemany("INSERT INTO t VALUES (?)", [(f"value {i}",) for i in range(5000)])
    made.commit()
    made.close()
    with path.open("r+b") as stream:
        stream.seek(4096 * 5)
        stream.write(b"\xab" * 4096)
    with pytest.raises(NotReady):
        await snapshot.integrity(path)


def test_a_disk_without_room_is_found_before_the_copy(tmp_path: Path) -> None:
    """A source larger than the free space is refused, its WAL counted; a sparse file stands in for it."""
    path = make(tmp_path / "a.db", "CREATE TABLE t (v)")
    snapshot.room_for(path, tmp_path)
    with (tmp_path / "a.db-wal").open("wb") as stream:
        stream.truncate(shutil.disk_usage(tmp_path).free + 1)
    with pytest.raises(NotReady, match="not enough disk space"):
        snapshot.room_for(path, tmp_path)


RUBBISH: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "text": (b"id,name\n1,x\n" * 50, "not an SQLite database"),
    "zeros": (bytes(8192), "not an SQLite database"),
    "magic alone": (database.MAGIC, "cut short"),
    "seventeen bytes": (database.MAGIC + b"\x10", "cut short"),
    "ninety-nine bytes": (database.MAGIC + bytes(83), "cut short"),
}


@pytest.mark.parametrize("kind", RUBBISH)
def test_rubbish_is_told_apart(tmp_path: Path, kind: str) -> None:
    """Each kind of file that is no database is refused in words of its own."""
    path = tmp_path / "a.db"
    content, words = RUBBISH[kind]
    path.write_bytes(content)
    with pytest.raises(NotReady, match=words):
        database.look(path)


def test_a_file_cut_anywhere_is_found(tmp_path: Path) -> None:
    """A database cut at any page boundary, or in the middle of any page, is called cut short; the whole one is not."""
    path = make(tmp_path / "a.db", "CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(20000))")
    whole = path.read_bytes()
    assert "rollback-journal mode" in database.look(path)
    for size in (*range(4096, len(whole), 4096), *range(100, len(whole), 4099), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(NotReady, match="cut short"):
            database.look(path)


def test_a_wal_file_may_be_shorter_than_its_header_says(tmp_path: Path) -> None:
    """In WAL mode the rest may be in the WAL; that is no damage."""
    script = "PRAGMA journal_mode = WAL; CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(20000))"
    path = make(tmp_path / "a.db", script)
    assert "WAL mode" in database.look(path)
    path.write_bytes(path.read_bytes()[:4096])
    assert "WAL mode" in database.look(path)


@pytest.mark.parametrize("size", [512, 1024, 65536])
def test_every_page_size_is_understood(tmp_path: Path, size: int) -> None:
    """65,536 is stored as 1 in the header (https://sqlite.org/fileformat2.html#page_size)."""
    path = make(tmp_path / "a.db", f"PRAGMA page_size = {size}; CREATE TABLE t (v); INSERT INTO t VALUES (1)")
    database.look(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NotReady, match="cut short"):
        database.look(path)


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    """A missing path, a path through a file, a directory, a pipe and an overlong name are refused without waiting."""
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("gone", "no such file"),
        ("file/deeper", "no such file"),
        (".", "directory"),
        ("pipe", "no ordinary file"),
        ("x" * 300, "can't be read"),
    ):
        with pytest.raises(NotReady, match=words):
            database.look(tmp_path / name)


def test_names_of_files_with_odd_characters_are_opened(tmp_path: Path) -> None:
    """A question mark, a hash, a percent sign and blanks in a path don't end the URI."""
    path = make(tmp_path / "a b?c#d%20é.db", "CREATE TABLE t (v); INSERT INTO t VALUES (7)")
    read = database.open_frozen(path)
    assert read.execute("SELECT v FROM t").fetchone() == (7,)
    with pytest.raises(sqlite3.OperationalError):
        read.execute("INSERT INTO t VALUES (8)")
    read.close()
