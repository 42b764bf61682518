"""Long values, read in pieces, mean what they mean when they are read at once: to the copier, audit and verifier."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from zenni_tui.compare import digest, rowbytes
from zenni_tui.compare import long as compared
from zenni_tui.convert import encode, trial
from zenni_tui.convert import long as encoded
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.long import Long
from zenni_tui.model.plan import Clearing, ColumnPlan, KeyPlan, Kind, Plan, Reference, Span, TablePlan, TargetType
from zenni_tui.model.schema import SourceColumn, SourceTable, Value
from zenni_tui.source import audit, database, long, reader

MOST, PIECE = 10_000, 997
"""A piece ends in the middle of a character now and then."""
SOUND: list[Value] = [
    "short",
    "ä" * 6_000,
    "x" * 4_500,
    "😀" * 20_000,
    bytes(range(256)) * 300,
    b"short",
    b"x" * 9_999,
    None,
    7,
    1.5,
    '{"a": "' + "b" * 30_000 + '"}',
    "z" * 10_000,
    "z" * 10_001,
    "\x1d\x1e\x1f" * 5_000,
]
UNSOUND: list[Value] = [
    "y" * 20_000 + "\0",
    "y" * 20_000 + "\udcff",
    "y" * PIECE + "\udce4\udcff" + "y" * 20_000,
    "y" * 20_000 + "\udcc3",
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let values be long from ten thousand bytes on."""
    for module in (long, compared):
        monkeypatch.setattr(module, "MOST", MOST)
        monkeypatch.setattr(module, "_PIECE", PIECE)


Ground = tuple[sqlite3.Connection, SourceTable]


def lay(path: Path, values: Sequence[Value], more: str = "", encoding: str = "UTF-8") -> Path:
    """Write values into a table, one a row, text by its bytes."""
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"PRAGMA encoding = '{encoding}'")
        made.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v{more}")
        for value in values:
            raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) and encoding == "UTF-8" else value
            term = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
            made.execute(f"INSERT INTO t (v) VALUES ({term})", (raw,))
        made.commit()
    return path


TABLE = SourceTable("t", (SourceColumn("id", "INTEGER", key_position=1), SourceColumn("v", "")), rows=99)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a file with all of them."""
    source = database.open_frozen(lay(tmp_path / "a.db", [*SOUND, *UNSOUND], ")"))
    yield source
    source.close()


def plan_of(kind: TargetType) -> TablePlan:
    """Return the plan of the table with its values as a type."""
    columns = (ColumnPlan("id", "id", TargetType(Kind.INTEGER), not_null=True), ColumnPlan("v", "v", kind))
    return TablePlan("t", "t", columns, KeyPlan("t_pkey", ("id",)), rows=99, spans=(Span(0, 99),))


def test_every_row_comes_once_and_long_values_in_pieces(ground: sqlite3.Connection) -> None:
    """Row by row the same values, in the same order; what is longer than the bound comes as a Long, alone."""
    whole = [row for rows in reader.numbered(ground, TABLE, ["v"], Span(0, 99)) for row in rows]
    batches = list(long.numbered(ground, TABLE, ["v"], Span(0, 99)))
    lazy = [row for rows in batches for row in rows]
    assert [tuple(trial.at_once(row)) for row in lazy] == whole
    longs = [row[1] for row in lazy if isinstance(row[1], Long)]
    assert len(longs) == 10
    assert all(len(rows) == 1 for rows in batches if isinstance(rows[0][1], Long))
    assert all(len(piece) <= PIECE for value in longs for piece in value.pieces())
    assert ground.text_factory is str


@pytest.mark.parametrize("span", [Span(0, 9, 3, 6), Span(0, 9, None, 4), Span(0, 9, 9, None), Span(0, 9, 4, 5)])
def test_a_span_ends_where_it_ends(ground: sqlite3.Connection, span: Span) -> None:
    """Rows of other spans are never read, wherever the long ones lie."""
    whole = [row for rows in reader.numbered(ground, TABLE, ["v"], span) for row in rows]
    lazy = [row for rows in long.numbered(ground, TABLE, ["v"], span) for row in rows]
    assert [tuple(trial.at_once(row)) for row in lazy] == whole


KINDS = [
    TargetType(Kind.TEXT),
    TargetType(Kind.VARCHAR),
    TargetType(Kind.VARCHAR, 25_000),
    TargetType(Kind.BYTEA),
    TargetType(Kind.JSON),
    TargetType(Kind.JSONB),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_copiers_bytes_are_the_same(ground: sqlite3.Connection, kind: TargetType) -> None:
    """Field by field the bytes of the general path, or the same refusal."""
    table = plan_of(kind)
    plan = Plan("public", (table,))
    general, lazy = encode.rows_encoder(table, plan), encoded.rows_encoder(table, plan)
    for rows in long.batches(ground, TABLE, ["id", "v"], Span(0, 99)):
        for row in rows:
            ends = []
            for made in (lambda row=row: b"".join(lazy([row])), lambda row=row: general([tuple(trial.at_once(row))])):
                try:
                    ends.append(made())
                except Unfit as unfit:
                    ends.append(unfit.code)
            assert ends[0] == ends[1]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_audit_finds_the_same(ground: sqlite3.Connection, kind: TargetType) -> None:
    """Profiles and refusals are those of values that are read at once."""
    column = plan_of(kind).columns[1]
    profiles, tries = [], []
    for read in (reader.numbered, long.numbered):
        found = audit.profile(())
        for rows in read(ground, TABLE, ["v"], Span(0, 99)):
            found = audit.merge(found, audit.profile([row[1] for row in rows]))
        profiles.append(found)
        tries.append(trial.attempt(read(ground, TABLE, ["v"], Span(0, 99)), [column], (), lead=1))
    assert profiles[0] == profiles[1]
    assert tries[0] == tries[1]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_verifiers_digest_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: TargetType) -> None:
    """A digest in pieces is that of values read at once; a byte that differs in a long value makes another one."""
    monkeypatch.setattr(rowbytes, "LONG", MOST)
    fit = [v for v in SOUND if isinstance(v, bytes) == (kind.kind is Kind.BYTEA) and v != "\x1d\x1e\x1f" * 5_000]
    fit = [v for v in fit if kind.kind not in (Kind.JSON, Kind.JSONB) or str(v).startswith("{")]
    totals = []
    for number, values in enumerate((fit, fit, [*fit[:-1], _other(fit[-1])])):
        source = database.open_frozen(lay(tmp_path / f"{number}.db", values, ")"))
        monkeypatch.setattr(compared, "MOST", MOST if number else 10**9)
        totals.append(digest.source_digest(source, plan_of(kind), Span(0, 99), ()))
        source.close()
    assert totals[0] == totals[1]
    assert totals[0].digest.total is not None
    assert totals[2] != totals[1]


def _other(value: Value) -> Value:
    return value[:-1] + b"!" if isinstance(value, bytes) else str(value).swapcase()


def test_what_the_target_can_not_hold_is_undecided(ground: sqlite3.Connection) -> None:
    """A long text with NUL, or that is not UTF-8, equals nothing."""
    assert digest.source_digest(ground, plan_of(TargetType(Kind.TEXT)), Span(0, 99), ()).digest.total is None


@pytest.mark.parametrize(("more", "encoding"), [(") WITHOUT ROWID", "UTF-8"), (")", "UTF-16le")])
def test_other_files_are_read_at_once(tmp_path: Path, more: str, encoding: str) -> None:
    """Without rowids, or in UTF-16, there are no pieces, and the values are the same."""
    path = tmp_path / "other.db"
    values: list[Value] = ["ä" * 9_000, b"x" * 20_000, None]
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"PRAGMA encoding = '{encoding}'")
        made.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v{more}")
        made.executemany("INSERT INTO t VALUES (?, ?)", enumerate(values))
        made.commit()
    table = SourceTable("t", TABLE.columns, without_rowid="ROWID" in more, rows=3)
    source = database.open_frozen(path)
    assert [row for rows in long.batches(source, table, ["v"], Span(0, 3)) for row in rows] == [(v,) for v in values]
    source.close()


def test_generated_columns_and_cleared_references(tmp_path: Path) -> None:
    """What isn't stored is read at once; a reference without a parent comes as NULL in a row of pieces, too."""
    path = lay(tmp_path / "g.db", ["ä" * 9_000, "short"], ", g AS (v || 'x'), p INTEGER DEFAULT 5)")
    columns = (*TABLE.columns, SourceColumn("g", ""), SourceColumn("p", "INTEGER"))
    table = SourceTable("t", columns, rows=2)
    source = database.open_frozen(path)
    lost = [Clearing("p", Reference(("p",), "t", ("id",)))]
    rows = [row for rows in long.batches(source, table, ["v", "g", "p"], Span(0, 2), lost) for row in rows]
    assert isinstance(rows[0][0], Long)
    assert [trial.at_once(row) for row in rows] == [["ä" * 9_000, "ä" * 9_000 + "x", None], ["short", "shortx", None]]
    source.close()
