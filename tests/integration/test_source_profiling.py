"""Profiles through Arrow: the same as value by value, from real files, whatever they hold."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.model.schema import ColumnProfile, SourceTable, Value
from zenni_tui.source import audit, database, inspect, profiling, reader
from zenni_tui.source.profiling import Profiler

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, -1, 99_999_999, 100_000_000, 10**11, 1_700_000_000_000, 10**14]),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.sampled_from(["", "2024-02-29T10:20:30.123Z", "2024-02-29 10:20:30", "2024-02-30T00:00:00Z", "ä" * 40]),
    st.binary(max_size=9),
)
CLASSES = st.sampled_from([int, float, str, bytes])


def made(path: Path, rows: Sequence[tuple[Value, ...]], declared: Sequence[str]) -> SourceTable:
    """Make a file with one table `t` of these rows, and return what it declares."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as source, source:
        columns = ", ".join(f'"c {i}" {kind}' for i, kind in enumerate(declared))
        source.execute(f"CREATE TABLE t ({columns})")
        source.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(declared))})", rows)

    async def read() -> SourceTable:
        connection = await database.connect_frozen(path)
        try:
            return (await inspect.read_schema(connection)).tables[0]
        finally:
            await connection.close()

    return asyncio.run(read())


def both(
    path: Path, table: SourceTable, size: int
) -> tuple[list[dict[str, ColumnProfile]], list[dict[str, ColumnProfile]], list[bool]]:
    """Return the profiles of a table's spans by columns and by values, and which of the first came of Arrow."""
    with closing(database.open_frozen(path)) as source:
        spans = reader.spans(source, table, size)
        profiler = Profiler(path, source, table)
        fast, slow, arrays = [], [], []
        for span in spans:
            slow.append(audit.profile_span(source, table, span))
            profiler._most = 3
            quick = profiler._quickly(span) if profiler._known is not None else None
            arrays.append(quick is not None)
            fast.append(profiler.profile(span))
            assert quick is None or quick == fast[-1]
        return fast, slow, arrays


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the place of the file."""
    return tmp_path / "source.db"


def plain(found: dict[str, ColumnProfile]) -> dict[str, object]:
    """Return profiles without the counts of moments, of which each reading clears a batch or doesn't."""
    return {
        name: {k: v for k in p.__struct_fields__ if k not in ("zoned", "zoneless") for v in [getattr(p, k)]}
        for name, p in found.items()
    }


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=24), st.sampled_from(["", "TEXT", "INTEGER", "REAL"]))
def test_columns_of_any_values_are_profiled_as_value_by_value(
    path: Path, rows: list[tuple[Value, ...]], declared: str
) -> None:
    """Whatever values follow each other, of whichever classes, a span's profile is the one that its values make."""
    table = made(path, rows, [declared, ""])
    fast, slow, _ = both(path, table, 4)
    for one, other in zip(fast, slow, strict=True):
        assert plain(one) == plain(other)
        assert all(p.zoned + p.zoneless in (0, *range(p.texts + 1)) for p in one.values())


def test_what_is_plain_goes_by_columns(path: Path) -> None:
    """Spans of classes that were met before come of Arrow, moments and NULLs and texts beyond ASCII among them."""
    row = (1, 1.5, "Ämmä", b"\0\1", 1_700_000_000_000, None)
    other = (None, -0.0, "", b"", "2024-02-29T10:20:30.123Z", None)
    table = made(path, [row, other] * 20, [""] * 6)
    fast, slow, arrays = both(path, table, 8)
    assert fast == slow
    assert arrays == [False, True, True, True, True]


@pytest.mark.parametrize("late", [2, 2.5, "text", b"blob", "9" * 5000, b"9" * 5_000_000])
def test_a_class_or_a_long_value_met_late_is_counted(path: Path, late: Value) -> None:
    """A class that a column shows late in a table, or a value too long for many at once, is in its span's profile."""
    for usual in (1, 1.5, "x", b"x", None):
        rows: list[tuple[Value, ...]] = [(usual, 1)] * 40
        rows[33] = (late, 1)
        fast, slow, arrays = both(path, made(path, rows, ["", ""]), 8)
        assert fast == slow
        assert arrays[1:4] == [True, True, True]
        # Only another value of the same class, and a short one, goes by columns in the span that holds it.
        assert arrays[4] is (type(late) is type(usual) and not (isinstance(late, str | bytes) and len(late) > 4096))


@pytest.mark.parametrize("bad", ["a\0b", "CAST(x'ff' AS TEXT)"])
def test_text_that_arrow_is_no_judge_of_is_told(path: Path, bad: str) -> None:
    """A text with NUL, or that is not UTF-8, makes its span suspect however the spans before it were read."""
    rows: list[tuple[Value, ...]] = [("plain",)] * 20
    table = made(path, rows, ["TEXT"])
    with closing(sqlite3.connect(path)) as source, source:
        value = bad if bad.startswith("CAST") else "'a' || char(0) || 'b'"
        source.execute(f'UPDATE t SET "c 0" = {value} WHERE rowid = 14')
    fast, slow, _ = both(path, table, 4)
    assert fast == slow
    assert [p["c 0"].suspect_text for p in fast] == [False, False, False, True, False]


def test_batches_stay_bounded() -> None:
    """However many columns a table has, a batch holds no more values than stay under 128 MiB."""
    assert profiling._MOST_VALUES * reader.SHORT_BYTES <= 128 * 1024 * 1024


def test_few_different_words_are_kept_and_many_are_not() -> None:
    """Up to twelve words, of one batch or of several, are in the profile; a thirteenth, or a long one, leaves none."""
    twelve = [f"word {n:02}" for n in range(12)]
    assert audit.profile([*twelve, None, *twelve]).words == tuple(twelve)
    both = audit.merge(audit.profile(twelve[:7]), audit.profile(twelve[5:]))
    assert both.words == tuple(twelve)
    assert audit.merge(ColumnProfile(), both).words == tuple(twelve)
    assert audit.profile([*twelve, "more"]).words is None
    assert audit.merge(both, audit.profile(["more"])).words is None
    assert audit.profile([*twelve[:3], "long" * 11]).words is None
    assert audit.profile([*twelve[:3], "a\0b"]).words is None
