"""Every storable value, by binary COPY into a real column of every type, against the verifier's own reading."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from zenni_tui.compare.expressions import canonical_sql
from zenni_tui.compare.session import pin_session
from zenni_tui.compare.values import canonical
from zenni_tui.convert import encode
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.codes import CODES
from zenni_tui.model.plan import ColumnPlan, EnumPlan, Epoch, Kind, TargetType
from zenni_tui.model.schema import Value

Target = psycopg.Connection[tuple[Any, ...]]

MOOD = EnumPlan("mood", ("ok", "it's 5%\\", "1", "ä"))
TYPES = [
    *(TargetType(k) for k in Kind if k not in (Kind.ENUM, Kind.CHAR)),
    TargetType(Kind.ENUM, enum="mood"),
    TargetType(Kind.CHAR, 3),
    TargetType(Kind.VARCHAR, 4),
    TargetType(Kind.NUMERIC, 10, 2),
    TargetType(Kind.NUMERIC, 5),
    TargetType(Kind.NUMERIC, 65, 30),
    TargetType(Kind.TIMESTAMP, 3),
    TargetType(Kind.TIMESTAMP, 0),
    TargetType(Kind.TIMESTAMPTZ, 3),
    TargetType(Kind.TIME, 3),
]
DATED = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE)
COLUMNS = [
    ColumnPlan("c", "c", t, epoch=epoch)
    for t in TYPES
    for epoch in (Epoch if t.kind in DATED else (Epoch.MILLISECONDS,))
]

EDGES = [
    *(sign * (1 << bits) + step for bits in (7, 15, 31, 53, 62) for sign in (1, -1) for step in (-1, 0, 1)),
    *(2**63 - 1, -(2**63), 0, 1, -1, 2, 10**18, 1_700_000_000, 1_700_000_000_123, 86_399_999, 9_224_318_015_999_999),
    *(9_224_318_016_000_000, -210_866_803_200_000, -210_866_803_200_001, 2_440_588, 5_373_484),
]
REALS = [
    *(
        0.0,
        -0.0,
        0.1,
        0.1 + 0.2,
        0.5,
        -1.5,
        1.0,
        1e21,
        1e22,
        1e300,
        -1.7976931348623157e308,
        5e-324,
        2.2250738585072014e-308,
    ),
    *(float("inf"), float("-inf"), 3.4028234663852886e38, 3.4028235e38, 1e-45, 9007199254740993.0, 1e15, 1e16, 1.5e-7),
    *(1700000000.123, 1700000000.1230001, 10000000000.123457, 2460000.5, 2460000.123456789, 2440587.5, 0.00005, 1e19),
    *(1_700_000_000_123.0, 1_700_000_000_123.25, 2460000.0000000058, -62135596800.0, 253402300799.999),
]
DATES = [
    *(
        "2024-02-29",
        "2023-02-29",
        "2024-02-29 00:00:00",
        "2024-02-29T23:59:59.999Z",
        "2024-03-31 01:30:00",
        "1900-02-29",
    ),
    *(
        "2024-02-29T00:00:00+02:00",
        "2024-02-29 00:00:00.000 +00:00",
        "2024-02-29T12:00:00.123456789Z",
        "2000-02-29T24:00:00Z",
    ),
    *(
        "+010000-01-01T00:00:00.000Z",
        "-000044-03-15T12:00:00.000Z",
        "+000000-01-01T00:00:00Z",
        "-004713-11-24T00:00:00Z",
    ),
    *(
        "-004713-11-23T23:59:59Z",
        "+294276-12-31T23:59:59.999999Z",
        "+294277-01-01T00:00:00Z",
        "0000-01-01",
        "0001-01-01",
    ),
    *(
        "2024-02-29T12:00:00.1234567890Z",
        "2024-02-29T12:00\t+02",
        "2024-02-29T12:00 +02",
        "2024-02-29t12:00",
        "2024-02-29T",
    ),
    *(
        "2024-02-29T12:00+15:59",
        "2024-02-29T12:00+16:00",
        "2024-02-29T12:00-0330",
        "2024-13-01",
        "2024-00-10",
        "24-02-29",
    ),
    *(f"2024-02-29T12:00:00.{'123456789012'[:n]}Z" for n in range(1, 13)),
    *(f"2024-02-29T12:00:00.1{'0' * n}Z" for n in range(12)),
    *(
        "12:34",
        "12:34:56",
        "23:59:59.9999",
        "23:59:59.999999",
        "24:00:00",
        "12:34:60",
        "00:00",
        "12:34:56.1234567",
        "1:2",
    ),
]
DOCUMENTS = [
    *(
        "{}",
        "[]",
        '"x"',
        "null",
        "true",
        '{"b": 1, "a": [1.50, -0, 1e2]}',
        '{"a": 1, "a": 2}',
        "NaN",
        "[Infinity]",
        "{'a': 1}",
    ),
    *(
        r'"\u0000"',
        r'"\\u0000"',
        r'"\ud83d\ude00"',
        r'"\ud83d"',
        r'"\ude00\ud83d"',
        r'{"\u0000": 1, "a": 2}',
        r'"\u00e4\/"',
    ),
    *(
        "1e200000",
        "1e-20000",
        "0e99999",
        "0e2000000000",
        "9" * 5000,
        "[1e131071]",
        "\ufeff{}",
        " [1] ",
        '"tab\t"',
        '"\x7f"',
    ),
    *(
        "[" * 500 + "]" * 500,
        r'{"a":"\u0000","a":1}',
        '"\\x"',
        "01",
        "1.",
        "-",
        '{"é": "ø", "b": 1, "aa": 2}',
        '"\ud800"',
    ),
]
TEXTS = [
    *(
        "",
        " ",
        "a ",
        "abc",
        "abcd",
        "abcde",
        "äöü€",
        "😀😀😀",
        "it's",
        'say "so"',
        "back\\slash",
        "5%",
        "line\nfeed\r\n\t",
        "\x00",
    ),
    *(
        "a\x00b",
        "\udcff",
        "caf\udce9",
        "ok",
        "it's 5%\\",
        "1",
        "0",
        "true",
        "FALSE",
        "Yes",
        "off",
        "2",
        "NULL",
        "\\N",
        "é" * 5,
    ),
    *(
        "+5",
        "-0",
        "007",
        " 7",
        "7 ",
        "1.0",
        "1e3",
        ".5",
        "5.",
        "1_000",
        "0x10",
        "٣",
        "1e9999999999999999999999",
        "0e-99999",
        "0e99",
    ),
    *(
        "1" * 5000,
        "9" * 131_072,
        "9" * 131_073,
        "1.5" + "0" * 20_000,
        "0." + "0" * 16_382 + "1",
        "inf",
        "nan",
        "12.345",
        "12.340",
    ),
    *(
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "A0EEBC999C0B4EF8BB6D6BB9BD380A11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
    ),
    *(
        "urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380_11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
]
LAST = (2**63 - 1, float(2**63))
"""In microseconds, an instant of the year 294247 that PostgreSQL's extract() gives rounded to ten microseconds."""
BLOBS = [b"", b"\x00", b"\xff\x00\x01", b"abc", bytes(range(256)) * 50]
CORPUS: list[Value] = [None, *EDGES, *REALS, *DATES, *DOCUMENTS, *TEXTS, *BLOBS]


def name_of(column: ColumnPlan) -> str:
    """Return what a case is called."""
    return f"{column.type} {column.epoch}" if column.type.kind in DATED else str(column.type)


@pytest.fixture(scope="module")
def target(server: Any) -> Iterator[Target]:
    """Yield a pinned session in a database for the whole module; every case is rolled back."""
    server.create_database("convert_values")
    with psycopg.connect(**server.conninfo("convert_values"), autocommit=True) as connection:
        pin_session(connection)
        labels = sql.SQL(", ").join(map(sql.Literal, MOOD.labels))
        connection.execute(sql.SQL("CREATE TYPE mood AS ENUM ({})").format(labels))
        yield connection
    server.drop_database("convert_values")


def arrive(target: Target, column: ColumnPlan, values: Sequence[Value]) -> list[str | None]:
    """Load values that the encoder took, and read them back as the verifier does."""
    fields = [encode.field_encoder(column, (MOOD,))(v) for v in values]
    row = struct.pack("!hii", 2, 4, 0)[:-4]
    data = b"".join(row + struct.pack("!i", number) + field for number, field in enumerate(fields))
    with target.transaction(force_rollback=True), target.cursor() as cursor:
        target.execute(f"CREATE TEMPORARY TABLE t (n integer, c {column.type})".encode())
        with cursor.copy("COPY t FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(encode.HEADER + data + encode.TRAILER)
        query = sql.SQL("SELECT {} FROM t ORDER BY n").format(canonical_sql(column))
        return [text for (text,) in target.execute(query)]


def taken(column: ColumnPlan, values: Sequence[Value]) -> list[Value]:
    """Return the values that have a faithful form; nothing but Unfit may say no."""
    field = encode.field_encoder(column, (MOOD,))
    fit = []
    for value in values:
        if column.epoch is Epoch.MICROSECONDS and value in LAST:
            continue
        try:
            field(value)
        except Unfit as unfit:
            refused = unfit
        else:
            refused = None
            fit.append(value)
        assert refused is None or (refused.code in CODES and refused.reason), value
    return fit


def check(target: Target, column: ColumnPlan, values: Sequence[Value]) -> int:
    """Check that what was taken arrives as the verifier reads the source; returns how many were."""
    fit = taken(column, values)
    for value, found in zip(fit, arrive(target, column, fit), strict=True):
        assert found == canonical(value, column.type, column.epoch), value
    return len(fit)


@pytest.mark.parametrize("column", COLUMNS, ids=name_of)
def test_hard_values_arrive_as_the_verifier_reads_them(target: Target, column: ColumnPlan) -> None:
    """Each of some hundred hard values is refused by Unfit, or is in PostgreSQL what the verifier reads in SQLite."""
    assert check(target, column, CORPUS) > 1


digits = st.text("0123456789", min_size=1, max_size=22)
decimals = st.from_regex(r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,5})([eE][+-]?[0-9]{1,4})?", fullmatch=True)
instants = st.from_regex(
    r"([0-9]{4}|[+-](0[0-9]|1[0-9]|2[0-9])[0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,12})?)?( ?(Z|[+-](0[0-9]|1[0-6]):?[0-5][0-9]))?)?",
    fullmatch=True,
)
clocks = st.from_regex(r"([01][0-9]|2[0-4]):[0-6][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?", fullmatch=True)
documents = st.recursive(
    st.one_of(
        st.sampled_from(["null", "true", "1.50", "-0", "1e5", '"\\u00e9\\n"', '"\\ud83d\\ude00"', '"\\u0000"']),
        decimals,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(st.tuples(st.sampled_from(["a", "bb", "ä", "\\u0061"]), inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f'"{k}": {v}' for k, v in pairs) + "}"
        ),
    ),
    max_leaves=6,
)
uuids = st.from_regex(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?", fullmatch=True)
raw_texts = st.binary(max_size=12).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**33), 2**33),
    st.floats(allow_nan=False),
    st.floats(-1e10, 1e10),
    st.floats(1_721_060, 5_373_484),
    st.floats(width=32, allow_nan=False),
)
ANY = st.one_of(st.none(), numbers, raw_texts, st.binary(max_size=12), st.text(max_size=8))
LIKELY: dict[Kind, st.SearchStrategy[Value]] = {
    **dict.fromkeys((Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT), digits),
    **dict.fromkeys((Kind.NUMERIC, Kind.REAL, Kind.DOUBLE), decimals),
    **dict.fromkeys(DATED, instants),
    **dict.fromkeys((Kind.JSON, Kind.JSONB), documents),
    Kind.TIME: clocks,
    Kind.UUID: uuids,
}


@pytest.mark.parametrize("column", COLUMNS, ids=name_of)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_arrives_as_the_verifier_reads_it(target: Target, column: ColumnPlan, data: st.DataObject) -> None:
    """Whatever SQLite can store is refused by Unfit, or arrives as the verifier reads it."""
    one = st.one_of(ANY, LIKELY.get(column.type.kind, ANY))
    check(target, column, data.draw(st.lists(one, min_size=20, max_size=40)))
