"""Whole columns through Arrow: the same COPY data as value by value, from real files, whatever they hold."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.convert import columnar, encode
from zenni_tui.convert.lanes import lanes
from zenni_tui.convert.unfit import Declined, Unfit
from zenni_tui.model.plan import (
    Clearing,
    ColumnPlan,
    EnumPlan,
    Epoch,
    Kind,
    Plan,
    Reference,
    Span,
    TablePlan,
    TargetType,
)
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import to_json
from zenni_tui.model.schema import ColumnProfile, SourceColumn, SourceSchema, SourceTable, TableProfile, Value
from zenni_tui.source import arrow, audit, database, reader
from zenni_tui.steps.columns import Columns
from zenni_tui.steps.loading import Loader

MOOD = EnumPlan("mood", ("ok", "it's 5%\\", "ä"))
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Ground:
    """A file with one table `t`, its plan, and what the audit says of it."""

    path: Path
    source: sqlite3.Connection
    table: SourceTable
    plan: Plan
    profiles: dict[str, ColumnProfile]

    @property
    def planned(self) -> TablePlan:
        """Return the table's plan."""
        return self.plan.tables[0]

    def columns(self, most: int = 7) -> Columns:
        """Return the table's columns, to be read a few rows at a time."""
        return Columns(self.table, self.planned, self.plan, self.profiles, most)

    def fast(self, columns: Columns, span: Span | None = None) -> bytes:
        """Return a span's rows as whole columns make them; nothing may be left for the general path."""
        left: list[Span | None] = []

        def follow() -> Iterator[tuple[int, memoryview]]:
            left.append((yield from columns.blocks(self.path, self.source, span or self.planned.spans[0])))

        data = b"".join(block for _, block in follow())
        assert left == [None]
        return data

    def general(self, span: Span | None = None) -> bytes:
        """Return a span's rows as the general path makes them."""
        encoder = encode.rows_encoder(self.planned, self.plan)
        names = [c.source or "" for c in self.planned.loaded]
        batches = reader.batches(self.source, self.table, names, span or self.planned.spans[0])
        return b"".join(map(encoder, batches))


Lay = Callable[[Sequence[ColumnPlan], Sequence[Row]], Ground]


def stored(value: Value) -> tuple[str, Value]:
    """Return how a value is written, text by its bytes so that any text can be."""
    if isinstance(value, str):
        return "CAST(? AS TEXT)", value.encode("utf-8", "surrogateescape")
    return "?", value


@pytest.fixture
def lay(tmp_path: Path) -> Iterator[Lay]:
    """Yield a function that writes rows into a fresh file whose name is a hard one."""
    opened: list[sqlite3.Connection] = []

    def make(plans: Sequence[ColumnPlan], rows: Sequence[Row], extra: str = "") -> Ground:
        path = tmp_path / f"odd % %41 ? # name {len(opened)}.db"
        names = [c.source or "" for c in plans]
        with closing(sqlite3.connect(path)) as made:
            made.execute("PRAGMA synchronous = OFF")
            made.execute(f"CREATE TABLE t ({', '.join(names)}{extra})")
            for row in rows:
                terms, values = zip(*map(stored, row), strict=True)
                made.execute(f"INSERT INTO t ({', '.join(names)}) VALUES ({', '.join(terms)})", values)
            made.commit()
        source = database.open_frozen(path)
        opened.append(source)
        span = Span(0, len(rows))
        planned = TablePlan("t", "t", tuple(plans), rows=len(rows), spans=(span,))
        table = SourceTable("t", tuple(SourceColumn(n, "") for n in names), rows=len(rows))
        profiles = dict.fromkeys(names, ColumnProfile())
        for batch in reader.batches(source, table, names, span):
            for name, values in zip(names, zip(*batch, strict=True), strict=True):
                profiles[name] = audit.merge(profiles[name], audit.profile(values))
        return Ground(path, source, table, Plan("public", (planned,), (MOOD,)), profiles)

    yield make
    for connection in opened:
        connection.close()


def column(kind: Kind, size: int | None = None, name: str = "c", **more: Epoch | str) -> ColumnPlan:
    """Return the plan of a column."""
    return ColumnPlan(name, name, TargetType(kind, size, enum="mood" if kind is Kind.ENUM else None), **more)


SHAPES = [
    (column(Kind.SMALLINT), [1, -32768, 32767], columnar.Fixed),
    (column(Kind.INTEGER), [2**31 - 1, -(2**31), 0], columnar.Fixed),
    (column(Kind.BIGINT), [2**63 - 1, -(2**63), 5], columnar.Fixed),
    (column(Kind.BIGINT), [None, 7, None], columnar.Varying),
    (column(Kind.BOOLEAN), [0, 1, 1], columnar.Fixed),
    (column(Kind.DOUBLE), [0.1, -0.0, float("inf")], columnar.Fixed),
    (column(Kind.DOUBLE), [1, 2**53, -(2**53)], columnar.Fixed),
    (column(Kind.DOUBLE), [1, 0.5, None], columnar.Varying),
    (column(Kind.REAL), [0.5, -1.5, float("-inf")], columnar.Fixed),
    (column(Kind.TEXT), ["", "ä€😀", "x"], columnar.Varying),
    (column(Kind.TEXT), [None, None, "late"], columnar.Varying),
    (column(Kind.TEXT), [1, -5, 10**18], columnar.Varying),
    (column(Kind.VARCHAR, 4), ["äääé", "abcd", None], columnar.Varying),
    (column(Kind.ENUM), ["ok", "ä", None], columnar.Varying),
    (column(Kind.BYTEA), [b"", b"\0\xff", None], columnar.Varying),
    (column(Kind.TIMESTAMP, 3), [1_700_000_000_123, 0, -1], columnar.Fixed),
    (column(Kind.TIMESTAMP, epoch=Epoch.MICROSECONDS), [1_700_000_000_123_456, 0, -1], columnar.Fixed),
    (column(Kind.TIMESTAMPTZ, epoch=Epoch.SECONDS), [1_700_000_000, 0, -1], columnar.Fixed),
    (column(Kind.TIMESTAMP, 3), [1, "2024-02-29 23:59:59", "1969-12-31T23:59:59.999+02:00"], columnar.Fixed),
    (column(Kind.TIMESTAMP, 3), ["2024-02-29T00:00:00.5Z", None, "-000044-03-15"], columnar.Varying),
    (column(Kind.DATE), [86_400_000, "2000-01-01", "0001-01-01T00:00:00.000Z"], columnar.Fixed),
]


@pytest.mark.parametrize(("plan", "values", "shape"), SHAPES, ids=lambda v: str(getattr(v, "type", "")))
def test_each_kind_is_encoded_as_a_whole(
    lay: Lay, plan: ColumnPlan, values: list[Value], shape: type[columnar.Part]
) -> None:
    """Every kind of the fast path stays on it for fit values, and makes what the general one makes."""
    ground = lay([plan], [(v,) for v in values])
    columns = ground.columns()
    assert ground.fast(columns) == ground.general()
    assert columns.by_value == ()
    classes = lanes(plan, ground.profiles["c"])
    wanted = [arrow.Lane("c", c if len(classes) > 1 else None) for c in classes]
    with arrow.open_frozen(ground.path) as statement:
        batch = arrow.read(statement, ground.table, wanted, Span(0, 3), 3)
        assert isinstance(columnar.encoder(plan, classes, (MOOD,))(batch.columns[1:]), shape)


UNFIT = [
    (column(Kind.SMALLINT), [32768]),
    (column(Kind.BOOLEAN), [2]),
    (column(Kind.DOUBLE), [2**53 + 1]),
    (column(Kind.REAL), [0.1]),
    (column(Kind.REAL), [1e300]),
    (column(Kind.TEXT), ["a\0b"]),
    (column(Kind.TEXT), ["a\udcff"]),
    (column(Kind.TEXT), ["\udced\udca0\udc80"]),
    (column(Kind.VARCHAR, 2), ["ääö"]),
    (column(Kind.ENUM), ["never"]),
    (column(Kind.TIMESTAMP, 3, epoch=Epoch.MICROSECONDS), [1]),
    (column(Kind.TIMESTAMP), [2**62]),
    (column(Kind.TIMESTAMP, 3), ["2024-01-01 00:00:00.1234"]),
    (column(Kind.TIMESTAMP), ["2023-02-29"]),
    (column(Kind.TIMESTAMP), ["1900-02-29"]),
    (column(Kind.TIMESTAMP), ["2023-13-01"]),
    (column(Kind.TIMESTAMP), ["2023-00-01"]),
    (column(Kind.TIMESTAMP), ["2023-01-00"]),
    (column(Kind.TIMESTAMP), ["0000-01-01"]),
    (column(Kind.TIMESTAMP), ["2023-01-01 24:00"]),
    (column(Kind.TIMESTAMP), ["2023-01-01 00:60"]),
    (column(Kind.TIMESTAMP), ["2023-01-01 00:00:60"]),
    (column(Kind.TIMESTAMP), ["2023-01-01 00:00+16:00"]),
    (column(Kind.TIMESTAMP), ["2023-01-01 00:00+01:60"]),
    (column(Kind.TIMESTAMP), ["1700000000000"]),
    (column(Kind.TIMESTAMP), ["tomorrow"]),
    (column(Kind.TIMESTAMP), ["ä023-01-01"]),
    (column(Kind.DATE), ["2023-01-01 00:00:01"]),
]


@pytest.mark.parametrize(
    ("plan", "values"), UNFIT, ids=lambda v: str(getattr(v, "type", v)).encode("utf-8", "replace").decode()
)
@pytest.mark.parametrize("neighbours", [(), (None,)], ids=["alone", "nulls"])
def test_what_is_unfit_is_never_let_through(
    lay: Lay, plan: ColumnPlan, values: list[Value], neighbours: tuple[Value, ...]
) -> None:
    """Even when the audit had overlooked it, a value without a faithful form is named as the general path names it."""
    ground = lay([plan], [(v,) for v in (*neighbours, *values, *neighbours)])
    profile = ColumnProfile(
        **{name: getattr(ground.profiles["c"], name) for name in ("integers", "reals", "texts", "nulls")}
    )
    (only,) = classes = lanes(plan, profile)
    with arrow.open_frozen(ground.path) as statement:
        batch = arrow.read(statement, ground.table, [arrow.Lane("c")], Span(0, 9), 9)
        with pytest.raises(Declined):
            columnar.encoder(plan, classes, (MOOD,))(batch.columns[1:])
    assert only in ("integer", "real", "text")
    with pytest.raises(Unfit) as general:
        ground.general()
    with pytest.raises(Unfit) as fast:
        ground.fast(ground.columns())
    assert fast.value.code == general.value.code


def two(low: int, high: int) -> st.SearchStrategy[str]:
    """Return numbers of two digits."""
    return st.integers(low, high).map("{:02}".format)


DATES = st.builds("{}-{}-{}".format, st.integers(1, 9999).map("{:04}".format), two(1, 12), two(1, 31))
CLOCKS = st.builds("{}:{}:{}".format, two(0, 24), two(0, 59), two(0, 60))
FRACTIONS = st.sampled_from(["", ".5", ".123", ".000", ".123456", ".1234560", ".123456789"])
ZONES = st.sampled_from(["", "Z", "+00:00", "-0330", "+02", " +05:45"])
MOMENTS = st.one_of(DATES, st.builds("{}{}{}{}{}".format, DATES, st.sampled_from("T "), CLOCKS, FRACTIONS, ZONES))
WHOLE = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2_000_000_000_000))
TEXTS = st.one_of(st.text(max_size=5), st.sampled_from([*MOOD.labels, "\0", "\udcff", '{"a": 1}']))
REALS = st.one_of(st.floats(allow_nan=False), st.floats(allow_nan=False, width=32))
BLOBS = st.binary(max_size=4)
USUAL = {
    Kind.TEXT: TEXTS,
    Kind.VARCHAR: TEXTS,
    Kind.JSON: TEXTS,
    Kind.ENUM: st.sampled_from(MOOD.labels),
    Kind.BYTEA: BLOBS,
    Kind.DOUBLE: REALS,
    Kind.REAL: REALS,
    Kind.TIMESTAMP: st.one_of(MOMENTS, WHOLE),
    Kind.TIMESTAMPTZ: MOMENTS,
    Kind.DATE: st.one_of(DATES, st.integers(-9999, 9999).map((86_400_000).__mul__)),
    Kind.BOOLEAN: st.integers(0, 1),
}
PLANS = [
    *(column(k) for k in USUAL if k is not Kind.VARCHAR),
    *(column(k) for k in (Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC)),
    *(column(Kind.TIMESTAMP, digits, epoch=epoch) for digits in (0, 3, 6) for epoch in Epoch),
    column(Kind.TIMESTAMP, 3, zone="Europe/Helsinki"),
    column(Kind.VARCHAR, 3),
    column(Kind.CHAR, 3),
]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[ColumnPlan], list[Row]]:
    """Draw some columns, each mostly of one class, and their rows."""
    plans = draw(st.lists(st.sampled_from(PLANS), min_size=1, max_size=4))
    plans = [ColumnPlan(f"c{i}", f"c{i}", p.type, epoch=p.epoch, zone=p.zone) for i, p in enumerate(plans)]
    kinds: list[st.SearchStrategy[Value]] = [
        draw(st.sampled_from([usual, usual, usual, st.one_of(usual, WHOLE, TEXTS, REALS, BLOBS)]))
        for usual in (USUAL.get(p.type.kind, WHOLE) for p in plans)
    ]
    cells = [draw(st.sampled_from([kind, st.one_of(st.none(), kind)])) for kind in kinds]
    return plans, draw(st.lists(st.tuples(*cells), min_size=1, max_size=20))


def outcome(make: Callable[[], bytes]) -> bytes | None:
    """Return the data, None when a value is unfit."""
    try:
        return make()
    except Unfit:
        return None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_both_ways_make_the_same_bytes(lay: Lay, drawn: tuple[list[ColumnPlan], list[Row]]) -> None:
    """Whatever a table holds, column by column and value by value give the same data, or both find a value unfit."""
    ground = lay(*drawn)
    assert outcome(lambda: ground.fast(ground.columns())) == outcome(ground.general)


def test_a_table_with_an_odd_column_stays_fast_for_the_others(lay: Lay) -> None:
    """A column that must go value by value is joined in; one that turns out to be odd goes so from then on."""
    plans = [column(Kind.BIGINT, name="a"), column(Kind.JSONB, name="b"), column(Kind.TIMESTAMP, 3, name="c")]
    rows: list[Row] = [(i, f"[{i}]", "2024-01-01 00:00:00" + ".0000000" * (i > 30)) for i in range(50)]
    ground = lay(plans, rows)
    columns = ground.columns()
    assert columns.by_value == ("b",)
    assert ground.fast(columns) == ground.general()
    assert columns.by_value == ("b", "c")


FULL: list[tuple[ColumnPlan, list[Value]]] = [
    (column(Kind.TIMESTAMP, 3), [1_700_000_000_123, "2024-02-29 23:59:59"]),
    (column(Kind.TEXT), ["", "ä€😀", "x" * 300]),
    (column(Kind.SMALLINT), [-1, 255]),
    (column(Kind.BOOLEAN), [0, 1]),
    (column(Kind.VARCHAR, 4), ["abcd", "ä", ""]),
    (column(Kind.TEXT), ["'", '"', "\\N", "%s"]),
    (column(Kind.DATE), [86_400_000, "2000-01-01"]),
    (column(Kind.DOUBLE), [0.1, 7]),
    (column(Kind.REAL), [0.5]),
    (column(Kind.BIGINT), [2**63 - 1]),
    (column(Kind.INTEGER), [-(2**31)]),
]


@pytest.mark.parametrize("nulls", [(), range(3), range(len(FULL))], ids=["none", "some", "everywhere"])
@pytest.mark.parametrize("turned", range(0, len(FULL), 3))
def test_sqlite_lays_whole_rows_out(lay: Lay, nulls: Sequence[int], turned: int) -> None:
    """Rows of texts and values of fixed size, in any order and with NULLs anywhere, need no joining."""
    chosen = FULL[turned:] + FULL[:turned]
    plans = [msgspec.structs.replace(p, name=f"c{i}", source=f"c{i}") for i, (p, _) in enumerate(chosen)]
    rows = [
        tuple(None if i in nulls and (i + n) % 3 == 0 else v[n % len(v)] for i, (_, v) in enumerate(chosen))
        for n in range(25)
    ]
    ground = lay(plans, [*rows, *([(None,) * len(plans)] * 9 if len(nulls) == len(plans) else [])])
    columns = ground.columns()
    assert ground.fast(columns) == ground.general()
    assert columns.by_row


@pytest.mark.parametrize("odd", ["\U0010ffff", "\U0010fffe", "\U00100000", "a\U0010ffffb"])
def test_a_text_that_holds_a_mark_is_joined_in(lay: Lay, odd: str) -> None:
    """Where texts hold what marks are made of, no row is laid out wrongly: the columns are read apart."""
    plans = [column(Kind.TEXT, name="a"), column(Kind.BIGINT, name="b"), column(Kind.TEXT, name="c")]
    ground = lay(plans, [(f"a{i}", i, odd if i == 40 else None) for i in range(60)])
    columns = ground.columns()
    assert columns.by_row
    assert ground.fast(columns) == ground.general()
    assert not columns.by_row
    assert columns.by_value == ()


def test_a_text_that_is_long_in_bytes_only_is_carried(lay: Lay) -> None:
    """What may have too many characters is counted in the other way, and fits."""
    ground = lay([column(Kind.VARCHAR, 3)], [("abc",), ("äää",)])
    columns = ground.columns()
    assert ground.fast(columns) == ground.general()
    assert not columns.by_row


def test_a_null_that_nobody_expected_finds_no_room(lay: Lay) -> None:
    """Where the audit knew of no NULLs and rows have no mark for one, the columns are read apart."""
    ground = lay([column(Kind.TEXT, name="a"), column(Kind.BIGINT, name="b")], [("x", 1), ("y", None)])
    ground.profiles["b"] = msgspec.structs.replace(ground.profiles["b"], nulls=0)
    columns = ground.columns()
    assert ground.fast(columns) == ground.general()
    assert not columns.by_row


@pytest.mark.parametrize(("letters", "counts"), [(1, [7, 21, 21, 11]), (400_000, [7, 20, 20, 13])])
def test_rows_that_are_short_are_read_more_at_a_time(lay: Lay, letters: int, counts: list[int]) -> None:
    """A batch is as large as the bytes of the rows before it let it be, and never many times the size that is safe."""
    ground = lay([column(Kind.TEXT)], [("x" * letters,)] * 60)
    blocks = ground.columns(most=7).blocks(ground.path, ground.source, ground.planned.spans[0])
    assert [count for count, _ in blocks if count] == counts


def test_a_reference_that_is_cleared_is_cleared_here_too(lay: Lay) -> None:
    """A column whose orphans become NULL goes by the query that finds them."""
    ground = lay([column(Kind.BIGINT, name="a"), column(Kind.TEXT, name="b")], [(i, f"p{i}") for i in range(9)])
    with closing(sqlite3.connect(ground.path)) as made:
        made.executescript("CREATE TABLE p (id); INSERT INTO p VALUES ('p3')")
    clearing = Clearing("b", Reference(("b",), "p", ("id",)))
    planned = msgspec.structs.replace(ground.planned, clearings=(clearing,))
    columns = Columns(ground.table, planned, ground.plan, ground.profiles, 4)
    source = database.open_frozen(ground.path)
    data = b"".join(block for _, block in columns.blocks(ground.path, source, ground.planned.spans[0]))
    source.close()
    assert columns.by_value == ("b",)
    assert (data.count(encode.NULL), data.count(b"p3"), data.count(b"p4")) == (8, 1, 0)


def test_a_span_is_read_by_its_edges_and_the_file_is_untouched(lay: Lay) -> None:
    """Only the rows between a span's edges are read, and no byte or name in the folder changes."""
    ground = lay([column(Kind.TEXT)], [(f"row {i}",) for i in range(100)])
    before = hashlib.sha256(ground.path.read_bytes()).digest(), sorted(ground.path.parent.iterdir())
    span = Span(3, 40, 20, 60)
    assert ground.fast(ground.columns(), span) == ground.general(span)
    assert ground.fast(ground.columns(), span).count(b"row ") == 40
    assert (hashlib.sha256(ground.path.read_bytes()).digest(), sorted(ground.path.parent.iterdir())) == before


def test_what_arrow_cannot_open_is_left_to_the_general_way(lay: Lay) -> None:
    """A declaration that the driver refuses costs the fast path, not the rows."""
    ground = lay([column(Kind.BIGINT)], [(i,) for i in range(20)])
    blocks = ground.columns().blocks(ground.path.with_name("gone.db"), ground.source, ground.planned.spans[0])
    with pytest.raises(StopIteration) as end:
        next(blocks)
    assert end.value.value == ground.planned.spans[0]


def test_nulls_have_no_type_to_be_wrong() -> None:
    """A column of NULLs only is encoded whatever Arrow took it for."""
    for nulls in (pa.nulls(3, pa.int64()), pa.nulls(3, pa.string())):
        part = columnar.encoder(column(Kind.BYTEA), ("blob",))([nulls])
        assert bytes(columnar.rows([part], 3)) == b"\0\1\xff\xff\xff\xff" * 3


def loader(ground: Ground, folder: Path, encoding: str = "UTF-8") -> Loader:
    """Return a loader over a run directory that holds the ground's file."""
    (folder / "snapshot.db").write_bytes(ground.path.read_bytes())
    profiles = Profiles({"t": TableProfile("t", ground.table.rows, ground.profiles)}, {})
    (folder / "profiles.json").write_bytes(to_json(profiles))
    return Loader(folder, ground.source, SourceSchema((ground.table,), encoding=encoding), ground.plan)


@pytest.fixture
def many(lay: Lay) -> Ground:
    """Return a table that is worth the fast path."""
    rows = ((i, None if i % 3 else f"ä{i}", 1_700_000_000_000 + i) for i in range(20_000))
    return lay([column(Kind.BIGINT, name="a"), column(Kind.TEXT, name="b"), column(Kind.TIMESTAMP, 3)], list(rows))


def test_a_large_table_goes_by_columns(many: Ground, tmp_path: Path) -> None:
    """The loader chooses the fast path for it, and frames the same data."""
    made = loader(many, tmp_path)
    told: list[tuple[int, int]] = []
    data = b"".join(made.data(many.planned, many.table, many.planned.spans[0], lambda *sent: told.append(sent)))
    assert data == encode.HEADER + many.general() + encode.TRAILER
    assert made.by_column("t")
    assert tuple(map(sum, zip(*told, strict=True))) == (20_000, len(data) - len(encode.HEADER + encode.TRAILER))


@pytest.mark.parametrize(
    ("changed", "encoding"),
    [({"without_rowid": True}, "UTF-8"), ({"kind": "virtual"}, "UTF-8"), ({}, "UTF-16le")],
    ids=["without rowid", "virtual", "UTF-16"],
)
def test_what_the_fast_path_does_not_know_goes_value_by_value(
    many: Ground, tmp_path: Path, changed: dict[str, bool | str], encoding: str
) -> None:
    """Tables without rowids, virtual ones and other encodings take the general path, with the same data."""
    table = msgspec.structs.replace(many.table, **changed)
    made = loader(many, tmp_path, encoding)
    data = b"".join(made.data(many.planned, table, many.planned.spans[0], lambda *_: None))
    assert data == encode.HEADER + many.general() + encode.TRAILER
    assert not made.by_column("t")


def test_rows_in_quarantine_are_left_out(many: Ground, tmp_path: Path) -> None:
    """A span with rows in quarantine is loaded without them."""
    planned = msgspec.structs.replace(many.planned, quarantine=(7,))
    data = b"".join(loader(many, tmp_path).data(planned, many.table, planned.spans[0], lambda *_: None))
    whole = encode.HEADER + many.general() + encode.TRAILER
    seventh = "ä6".encode()
    assert seventh in whole
    assert seventh + many.general()[:2] not in data


def test_rows_that_may_be_wide_are_read_a_few_at_a_time(many: Ground, tmp_path: Path) -> None:
    """Memory is bounded by bytes: columns with very long values take the general path, which bounds them by value."""
    many.profiles["b"] = msgspec.structs.replace(many.profiles["b"], longest_bytes=10_000_000)
    made = loader(many, tmp_path)
    assert b"".join(made.data(many.planned, many.table, many.planned.spans[0], lambda *_: None)).endswith(
        encode.TRAILER
    )
    assert not made.by_column("t")
