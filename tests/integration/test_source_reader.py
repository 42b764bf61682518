"""Spans and batches over real SQLite files: every row once, in bounded memory."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.model.plan import Span
from zenni_tui.model.schema import SourceColumn, SourceIndex, SourceTable
from zenni_tui.source import inspect, reader
from zenni_tui.source.database import connect_frozen, open_frozen, quoted


@pytest.fixture
def made(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a database of the test's own, to be filled."""
    connection = sqlite3.connect(tmp_path / "source.db")
    yield connection
    connection.close()


async def table_of(path: Path, name: str) -> SourceTable:
    """Read one table's declaration as the program does."""
    database = await connect_frozen(path)
    try:
        found = (await inspect.read_schema(database)).table(name)
    finally:
        await database.close()
    assert found is not None
    return found


async def read(tmp_path: Path, name: str, size: int, columns: list[str] | None = None) -> list[tuple[Any, ...]]:
    """Read a table span by span, check that each span holds what it promises, and return all rows."""
    path = tmp_path / "source.db"
    table = await table_of(path, name)
    database = open_frozen(path)
    rows: list[tuple[Any, ...]] = []
    for number, span in enumerate(reader.spans(database, table, size)):
        names = columns or [c.name for c in table.columns]
        of_span = [row for batch in reader.batches(database, table, names, span) for row in batch]
        assert (span.number, span.rows) == (number, len(of_span))
        rows += of_span
    database.close()
    return rows


ROWIDS = [-(2**63), -(2**63) + 1, -7, -1, 0, 1, 2, 3, 1000, 2**31, 2**62, 2**63 - 2, 2**63 - 1]


@pytest.mark.parametrize("size", [1, 2, 5, 12, 13, 14])
async def test_spans_hold_every_rowid_once(made: sqlite3.Connection, tmp_path: Path, size: int) -> None:
    """Gaps, negative and the very first and last rowids are in exactly one span, in order, whatever its size."""
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    made.executemany("INSERT INTO t VALUES (?, ?)", [(r, str(r)) for r in ROWIDS])
    made.commit()
    assert await read(tmp_path, "t", size) == [(r, str(r)) for r in ROWIDS]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(rowids=st.sets(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 20), max_size=30), size=st.integers(1, 12))
def test_spans_cut_any_rowids(rowids: set[int], size: int) -> None:
    """No span is larger than asked for, their rows add up, and they follow each other without a gap."""
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (v)")
        database.executemany("INSERT INTO t (rowid, v) VALUES (?, 1)", [(r,) for r in rowids])
        table = SourceTable("t", (SourceColumn("v", ""),), rows=len(rowids))
        spans = reader.spans(database, table, size)
        assert sum(s.rows for s in spans) == len(rowids)
        assert all(0 < s.rows <= size for s in spans)
        assert [s.after for s in spans[1:]] == [s.upto for s in spans[:-1]]
    database.close()


async def test_a_table_without_rowid_is_one_span(made: sqlite3.Connection, tmp_path: Path) -> None:
    """WITHOUT ROWID has nothing to cut by: it comes whole, and an empty table comes as no span at all."""
    made.execute("CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID")
    made.execute("CREATE TABLE empty (v)")
    made.executemany("INSERT INTO w VALUES (?, ?)", [(f"{i:05}", i) for i in range(9000)])
    made.commit()
    assert [row[1] for row in await read(tmp_path, "w", 10)] == list(range(9000))
    assert await read(tmp_path, "empty", 10) == []


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("v", "rowid"),
        ("rowid, v", "_rowid_"),
        ('"ROWID" TEXT, "_Rowid_" INT, v', "oid"),
        ("rowid, _rowid_, oid", None),
        ("rowid INTEGER PRIMARY KEY, v", "rowid"),
        ("rowid INTEGER PRIMARY KEY DESC, v", "_rowid_"),
        ("id INTEGER PRIMARY KEY, rowid, v", "_rowid_"),
    ],
)
async def test_columns_called_rowid_are_not_the_rowid(
    made: sqlite3.Connection, tmp_path: Path, columns: str, name: str | None
) -> None:
    """The rowid is read by a name that no column hides, and not at all when all three are taken."""
    made.execute(f"CREATE TABLE t ({columns})")
    width = columns.count(",") + 1
    made.executemany(
        f"INSERT INTO t VALUES ({', '.join('?' * width)})", [(i, *"ab"[: width - 1]) for i in range(20, 0, -1)]
    )
    made.commit()
    assert reader.rowid_name(await table_of(tmp_path / "source.db", "t")) == name
    assert sorted(row[0] for row in await read(tmp_path, "t", 7)) == sorted(
        row[0] for row in made.execute("SELECT * FROM t")
    )


async def test_a_descending_key_is_no_rowid(made: sqlite3.Connection, tmp_path: Path) -> None:
    """INTEGER PRIMARY KEY DESC is an ordinary column that may hold anything (https://sqlite.org/lang_createtable.html)."""
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY DESC)")
    made.execute("INSERT INTO t VALUES (NULL), ('text')")
    made.commit()
    table = await table_of(tmp_path / "source.db", "t")
    assert (table.rowid_alias, table.key) == (None, ("id",))


NASTY = [
    'say "so"',
    "with space",
    "emoji 😀",
    "",
    "semi;colon",
    "per%cent",
    "co:lon",
    "select",
    "[br]",
    "a'b",
    "tab\tnew\nline",
]


@pytest.mark.parametrize("name", [n for n in NASTY if n])
async def test_any_name_is_read(made: sqlite3.Connection, tmp_path: Path, name: str) -> None:
    """Tables and columns are found by any name, quoted."""
    made.execute(f"CREATE TABLE {quoted(name)} ({quoted(name)} TEXT, {quoted('')} INT)")
    made.execute(f"INSERT INTO {quoted(name)} VALUES ('x', 1)")
    made.commit()
    assert await read(tmp_path, name, 10) == [("x", 1)]


@pytest.mark.parametrize("bad", [0, 1, 4095, 4096, 4097, 9999])
async def test_text_that_is_not_utf8_comes_with_its_bytes(made: sqlite3.Connection, tmp_path: Path, bad: int) -> None:
    """One broken text anywhere costs no row and no order; its bytes can be given back."""
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    made.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"row {i}") for i in range(10_000)])
    made.execute("UPDATE t SET v = CAST(x'636166E9' AS TEXT) WHERE id = ?", (bad,))
    made.commit()
    rows = await read(tmp_path, "t", 100_000)
    assert [i for i, _ in rows] == list(range(10_000))
    assert [v for _, v in rows if not v.startswith("row")] == ["caf\udce9"]
    assert rows[bad][1].encode("utf-8", "surrogateescape") == b"caf\xe9"


async def test_every_storage_class_comes_as_it_is_stored(made: sqlite3.Connection, tmp_path: Path) -> None:
    """NUL in text, both zeros, infinities, empty text and empty BLOB stay what they are."""
    values = [None, 2**63 - 1, -(2**63), 0.0, -0.0, float("inf"), 5e-324, "", "a\0b", "ä😀", b"", b"\0\xff", "x" * 5000]
    made.execute("CREATE TABLE t (v)")
    made.executemany("INSERT INTO t VALUES (?)", [(v,) for v in values])
    made.commit()
    found = [v for (v,) in await read(tmp_path, "t", 100)]
    assert [(type(v), repr(v)) for v in found] == [(type(v), repr(v)) for v in values]


def test_a_utf16_file_is_read(tmp_path: Path) -> None:
    """SQLite gives UTF-8 whatever the file's encoding is."""
    with sqlite3.connect(tmp_path / "source.db") as made:
        made.executescript("PRAGMA encoding = 'UTF-16be'; CREATE TABLE t (v); INSERT INTO t VALUES ('ä😀'), ('x')")
    made.close()
    database = open_frozen(tmp_path / "source.db")
    table = SourceTable("t", (SourceColumn("v", ""),), rows=2)
    assert list(reader.batches(database, table, ["v"], Span(0, 2))) == [[("ä😀",), ("x",)]]
    database.close()


def test_a_batch_read_meanwhile_does_not_disturb(made: sqlite3.Connection) -> None:
    """Two tables read in turns through one connection, one of them with broken text, both come whole."""
    made.execute("CREATE TABLE a (v TEXT)")
    made.execute("CREATE TABLE b (v TEXT)")
    made.executemany("INSERT INTO a VALUES (?)", [("x" * 900,)] * 9000)
    made.execute("INSERT INTO b VALUES (CAST(x'FF' AS TEXT))")
    a, b = (SourceTable(n, (SourceColumn("v", ""),), rows=1) for n in "ab")
    count = 0
    for batch in reader.batches(made, a, ["v"], Span(0, 9000)):
        count += len(batch)
        assert list(reader.batches(made, b, ["v"], Span(0, 1))) == [[("\udcff",)]]
    assert count == 9000
    assert made.text_factory is str


_MEASURE = """
import resource, sys
from pathlib import Path
from zenni_tui.model.plan import Span
from zenni_tui.model.schema import SourceColumn, SourceTable
from zenni_tui.source import reader
from zenni_tui.source.database import open_frozen
database = open_frozen(Path(sys.argv[1]))
table = SourceTable("t", (SourceColumn("id", "INTEGER", key_position=1), SourceColumn("v", "")), rows=1)
def peak():
    # Not ru_maxrss, which a process takes over from the one that started it.
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak()
rows = sum(len(batch) for batch in reader.batches(database, table, ["id", "v"], Span(0, 1)))
print(rows, (peak() - before) // 1024)
"""


def measured(path: Path) -> tuple[int, int]:
    """Read a table in a process of its own; return its rows and the growth of memory in MiB."""
    run = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True)
    rows, growth = map(int, run.stdout.split())
    return rows, growth


def test_large_blobs_after_many_small_rows_stay_bounded(made: sqlite3.Connection, tmp_path: Path) -> None:
    """Ten BLOBs of 12 MB behind 9,000 small rows cost the memory of some few of them, not of all."""
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    made.executemany("INSERT INTO t (v) VALUES (?)", [("small",)] * 9000)
    made.executemany("INSERT INTO t (v) VALUES (zeroblob(?))", [(12_000_000,)] * 10)
    made.execute("INSERT INTO t (v) VALUES ('last')")
    made.commit()
    rows, growth = measured(tmp_path / "source.db")
    assert rows == 9011
    assert growth < 60


def test_values_just_below_the_limit_stay_bounded(made: sqlite3.Connection, tmp_path: Path) -> None:
    """A million small rows and rows of a kilobyte each: memory does not grow with their number."""
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    made.executemany("INSERT INTO t (v) VALUES (?)", (("x" * 1000,) for _ in range(100_000)))
    made.commit()
    rows, growth = measured(tmp_path / "source.db")
    assert rows == 100_000
    assert growth < 60


def test_the_measurement_measures(tmp_path: Path) -> None:
    """One BLOB of 80 MB shows in the figure, so the bounds above mean something."""
    with sqlite3.connect(tmp_path / "source.db") as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        made.execute("INSERT INTO t (v) VALUES (zeroblob(80000000))")
    made.close()
    assert measured(tmp_path / "source.db")[1] > 70


def test_the_descending_key_rule_needs_the_index() -> None:
    """An INTEGER PRIMARY KEY without an index of its own is the rowid."""
    columns = (SourceColumn("id", "INTEGER", key_position=1),)
    assert SourceTable("t", columns).rowid_alias == "id"
    index = SourceIndex("sqlite_autoindex_t_1", unique=True, origin="pk", columns=("id",))
    assert SourceTable("t", columns, (index,)).rowid_alias is None
