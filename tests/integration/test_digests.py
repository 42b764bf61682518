"""Which way the spans of a snapshot are read for their digests, in a real run directory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from zenni_tui.compare.digest import source_digest
from zenni_tui.compare.rowbytes import LONG
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, Span, TablePlan, TargetType, ValueRepair
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import to_json
from zenni_tui.model.schema import SourceColumn, SourceSchema, SourceTable, TableProfile, Value
from zenni_tui.source import audit, database
from zenni_tui.steps.digests import Digests

ROWS: list[tuple[Value, ...]] = [
    (i, f"text {i}", "y" * 300 if i == 7 else "y", "men\0ded" if i == 9 else f"mended {i}") for i in range(1, 1001)
]
COLUMNS = ("id", "short", "long", "mended")
DECLARED = SourceTable("t", tuple(SourceColumn(n, "INTEGER" if n == "id" else "TEXT") for n in COLUMNS))
REPAIR = ValueRepair("text_nul", "strip_nul")
TABLE = TablePlan(
    "t",
    "t",
    (
        ColumnPlan("id", "id", TargetType(Kind.INTEGER), not_null=True),
        ColumnPlan("short", "Short", TargetType(Kind.TEXT)),
        ColumnPlan("long", "long", TargetType(Kind.TEXT)),
        ColumnPlan("mended", "mended", TargetType(Kind.TEXT), repairs=(REPAIR,)),
    ),
    rows=20_000,
)


def audited(folder: Path, rows: list[tuple[Value, ...]]) -> None:
    """Let the run directory say what an audit of these rows found."""
    columns = {n: audit.profile(values) for n, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
    (folder / "profiles.json").write_bytes(to_json(Profiles({"t": TableProfile("t", 20_000, columns)}, {})))


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the snapshot of a run directory whose audit is done."""
    with closing(sqlite3.connect(tmp_path / "snapshot.db")) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, short TEXT, long TEXT, mended TEXT)")
        made.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", ROWS)
        made.commit()
    audited(tmp_path, ROWS)
    source = database.open_frozen(tmp_path / "snapshot.db")
    yield source
    source.close()


def digests(folder: Path, source: sqlite3.Connection, table: TablePlan = TABLE) -> Digests:
    """Return the readings of a run of that one table."""
    return Digests(folder, source, SourceSchema((DECLARED,)), Plan("public", (table,)))


def test_only_texts_that_are_never_long_spare_the_server_a_look(tmp_path: Path, snapshot: sqlite3.Connection) -> None:
    """Neither a column that may hold long texts, nor one whose repairs may lengthen them, nor one never audited."""
    for length, short in ((LONG, {"Short", "long"}), (LONG + 1, {"Short"})):
        audited(tmp_path, [(1, "x", "y" * length, "z")])
        assert digests(tmp_path, snapshot).short(TABLE, DECLARED) == short
    (tmp_path / "profiles.json").unlink()
    assert digests(tmp_path, snapshot).short(TABLE, DECLARED) == frozenset()


@pytest.mark.parametrize("span", [Span(0, 0), Span(1, 10, 3, 13), Span(2, 0, 990), Span(3, 0, 5000)])
@pytest.mark.parametrize("kept_out", [(), (5,), (2, 1000)])
def test_each_way_finds_the_same(
    tmp_path: Path, snapshot: sqlite3.Connection, span: Span, kept_out: tuple[int, ...]
) -> None:
    """A span has the digest that its values have; it is read by columns where no row of it is in quarantine."""
    table = msgspec.structs.replace(TABLE, quarantine=kept_out)
    ways = digests(tmp_path, snapshot, table)
    assert ways.of(table, DECLARED, span) == source_digest(snapshot, table, span, ())
    chosen = ways._spellings.get("t")
    inside = any((span.after or 0) < row <= (span.upto or len(ROWS)) for row in kept_out)
    assert inside if chosen is None else (chosen.by_value, inside) == (("mended",), False)
