"""The verifier's reading of one stored value, and of a column at a time."""

import math
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenni_tui.compare import dates
from zenni_tui.compare.columns import column_reader
from zenni_tui.compare.jsontext import jsonb_text
from zenni_tui.compare.unreadable import Unreadable
from zenni_tui.compare.values import canonical, readable
from zenni_tui.model.codes import CODES
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, TargetType
from zenni_tui.model.schema import Value

DAY = dates.DAY


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.TEXT, "EUR ", "EUR "),
        (Kind.TEXT, 12, "12"),
        (Kind.TEXT, 1.0, "1.0"),
        (Kind.TEXT, 1e21, "1.0e+21"),
        (Kind.TEXT, 1.5e-7, "1.5e-07"),
        (Kind.TEXT, 0.1 + 0.2, "0.30000000000000004"),
        (Kind.TEXT, -math.inf, "-Inf"),
        (Kind.CHAR, "ab  ", "ab"),
        (Kind.UUID, "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (Kind.INTEGER, 3.0, "3"),
        (Kind.INTEGER, "007", "7"),
        (Kind.BIGINT, -(2**63), "-9223372036854775808"),
        (Kind.DOUBLE, -0.0, "8000000000000000"),
        (Kind.DOUBLE, 1, "3ff0000000000000"),
        (Kind.DOUBLE, math.inf, "7ff0000000000000"),
        (Kind.NUMERIC, 0.1, "0.1"),
        (Kind.NUMERIC, "1.500", "1.5"),
        (Kind.NUMERIC, 1e21, "1000000000000000000000"),
        (Kind.NUMERIC, -0.0, "0"),
        (Kind.NUMERIC, 100, "100"),
        (Kind.NUMERIC, math.inf, "Infinity"),
        (Kind.BOOLEAN, 1, "true"),
        (Kind.BOOLEAN, 0.0, "false"),
        (Kind.BOOLEAN, "No", "false"),
        (Kind.BOOLEAN, "ON", "true"),
        (Kind.TIMESTAMP, 1, "1000"),
        (Kind.TIMESTAMP, "1970-01-01", "0"),
        (Kind.TIMESTAMP, "1970-01-01T02:00+02:00", "0"),
        (Kind.TIMESTAMP, "1969-12-31 23:59:59.999999000", "-1"),
        (Kind.TIMESTAMP, "1970-01-01 00:00:01.5-0030", str(1_801_500_000)),
        (Kind.TIMESTAMPTZ, "1970-01-02 00:00:00-10", str(DAY + 36_000_000_000)),
        (Kind.DATE, "1970-01-11", "10"),
        (Kind.DATE, 86_400_000, "1"),
        (Kind.TIME, "00:00:01.000001", "1000001"),
        (Kind.BYTEA, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Kind.BYTEA, b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Kind.JSONB, 1e21, "1000000000000000000000"),
        (Kind.JSONB, 7, "7"),
    ],
)
def test_stored_values_have_one_canonical_text(kind: Kind, value: Value, text: str) -> None:
    """Each storage class is read as the column's type says, exactly."""
    assert canonical(value, TargetType(kind)) == text


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (Kind.TEXT, b"blob", "blob_in_text"),
        (Kind.TEXT, "a\0b", "text_nul"),
        (Kind.TEXT, "\udcff\0", "text_nul"),
        (Kind.TEXT, "\udcff", "text_not_utf8"),
        (Kind.ENUM, "\udcff", "enum_unknown"),
        (Kind.INTEGER, 2**31, "integer_out_of_range"),
        (Kind.INTEGER, 1.5, "not_an_integer"),
        (Kind.INTEGER, "1.0", "not_an_integer"),
        (Kind.INTEGER, " 7", "not_an_integer"),
        (Kind.DOUBLE, 2**53 + 1, "integer_inexact"),
        (Kind.DOUBLE, "1.5", "not_a_number"),
        (Kind.REAL, 0.1, "real_inexact"),
        (Kind.REAL, 1e300, "real_out_of_range"),
        (Kind.NUMERIC, "1e999999999", "number_too_precise"),
        (Kind.NUMERIC, "\uff11\uff12", "not_a_number"),
        (Kind.NUMERIC, "inf", "not_a_number"),
        (Kind.BOOLEAN, 2, "not_a_boolean"),
        (Kind.BOOLEAN, "maybe", "not_a_boolean"),
        (Kind.TIMESTAMP, "2025-02-29", "date_impossible"),
        (Kind.TIMESTAMP, "2025-01-01T24:00:00", "time_impossible"),
        (Kind.TIMESTAMP, "2025-01-01T12:00:00+16:00", "time_impossible"),
        (Kind.TIMESTAMP, "2025-01-01T12:00:00.1234567", "date_too_fine"),
        (Kind.TIMESTAMP, 0.00005, "date_too_fine"),
        (Kind.TIMESTAMP, "2025-W01-1T00:00:00.000Z", "date_unreadable"),
        (Kind.TIMESTAMP, "2024-01-01T12:30+02:00:00", "date_unreadable"),
        (Kind.TIMESTAMP, "2024-01-01t12:30", "date_unreadable"),
        (Kind.TIMESTAMP, b"", "date_unreadable"),
        (Kind.TIMESTAMP, 10**17, "date_out_of_range"),
        (Kind.TIMESTAMP, math.inf, "date_out_of_range"),
        (Kind.DATE, "2025-01-01T10:00:00", "date_has_time"),
        (Kind.TIME, "25:00", "time_impossible"),
        (Kind.TIME, 1, "time_unreadable"),
        (Kind.BYTEA, 1, "not_a_blob"),
        (Kind.JSONB, "{", "json_invalid"),
        (Kind.JSONB, math.inf, "json_invalid"),
        (Kind.JSONB, '"\\u0000\\ud800"', "json_nul"),
        (Kind.JSONB, '{"a": "\\u0000", "a": 1}', "json_nul"),
        (Kind.JSONB, '["\\ud800\\u0041", "\\u0000"]', "json_surrogate"),
        (Kind.JSONB, '"\\udc00"', "json_surrogate"),
        (Kind.JSONB, "\0{}", "text_nul"),
        (Kind.UUID, "not one", "not_a_uuid"),
        (Kind.UUID, "a0-eebc999c0b4ef8bb6d6bb9bd380a11", "not_a_uuid"),
    ],
)
def test_values_without_a_reading_say_so(kind: Kind, value: Value, code: str) -> None:
    """What the type cannot hold is never bent into it, and bears the code of the finding that names it."""
    with pytest.raises(Unreadable) as raised:
        canonical(value, TargetType(kind))
    assert raised.value.code == code
    assert code in CODES


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-15 12:00:00", "2024-01-15T10:00:00Z"),
        ("2024-07-15 12:00:00.5", "2024-07-15T09:00:00.5Z"),
        ("2024-07-15", "2024-07-14T21:00:00Z"),
        ("2024-07-15 12:00:00Z", "2024-07-15T12:00:00Z"),
        ("2024-07-15 12:00:00+05", "2024-07-15T07:00:00Z"),
        ("2024-10-27 03:30:00", "2024-10-27T00:30:00Z"),
        ("2024-03-31 02:59:59", "2024-03-31T00:59:59Z"),
        ("2024-03-31 04:00:00", "2024-03-31T01:00:00Z"),
        ("1870-01-01 00:00:00", "1869-12-31T22:20:11Z"),
        ("2500-07-01 00:00:00", "2500-06-30T21:00:00Z"),
    ],
)
def test_dates_without_a_zone_are_read_on_the_zones_clocks(text: str, instant: str) -> None:
    """Summer time and old local time count, of an hour that came twice the first is meant, a zone of its own wins."""
    assert canonical(text, TargetType(Kind.TIMESTAMP), zone="Europe/Helsinki") == canonical(
        instant, TargetType(Kind.TIMESTAMP)
    )


def test_zones_touch_neither_numbers_nor_days() -> None:
    """A bare number is an instant already; a DATE has no zone; an hour that the clocks left out has no reading."""
    assert canonical(5, TargetType(Kind.TIMESTAMPTZ), Epoch.SECONDS, "Europe/Helsinki") == "5000000"
    assert canonical("1970-01-11", TargetType(Kind.DATE), zone="Europe/Helsinki") == "10"
    column = ColumnPlan("c", "c", TargetType(Kind.TIMESTAMP), zone="Europe/Helsinki")
    moved, left_out = column_reader(column)(["1970-01-01 02:00:00", "2024-03-31 03:30:00"])
    assert moved == "0"
    assert isinstance(left_out, Unreadable)
    assert left_out.code == "time_impossible"
    with pytest.raises(Unreadable, match="years"):
        canonical("+010000-01-01", TargetType(Kind.TIMESTAMP), zone="Europe/Helsinki")
    with pytest.raises(KeyError):
        canonical("1970-01-01", TargetType(Kind.TIMESTAMP), zone="Europe/Nowhere")


@pytest.mark.parametrize(
    ("epoch", "value"),
    [
        (Epoch.SECONDS, 1_700_000_000),
        (Epoch.SECONDS, 1_700_000_000.0),
        (Epoch.MILLISECONDS, 1_700_000_000_000),
        (Epoch.MICROSECONDS, 1_700_000_000_000_000),
        (Epoch.JULIAN, 2460263.4259259258),
    ],
)
def test_bare_numbers_are_read_in_the_columns_unit(epoch: Epoch, value: float) -> None:
    """Seconds, milliseconds, microseconds and Julian days name the same instant."""
    assert canonical(value, TargetType(Kind.TIMESTAMP), epoch) == "1700000000000000"


def test_years_beyond_pythons_are_read_as_prisma_writes_them() -> None:
    """Signed six-digit years count astronomically: -000044 is 45 BC."""
    ides = dates.micros_of_text("-000044-03-15T12:00:00.000Z")
    assert dates.timestamp_text(ides) == "0045-03-15 12:00:00 BC"
    assert dates.timestamp_text(dates.micros_of_text("+010000-01-01T00:00:00.000Z")) == "10000-01-01 00:00:00"


@given(st.datetimes())
def test_day_arithmetic_agrees_with_pythons_where_it_reaches(moment: datetime) -> None:
    """Within years 1 to 9999 the own calendar is Python's."""
    since = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert dates.micros_of_text(moment.isoformat()) == micros
    assert datetime.fromisoformat(dates.timestamp_text(micros)) == moment


@given(st.integers(dates.FIRST_DAY, dates.AFTER_DAY - 1))
def test_days_and_civil_dates_are_inverses(days: int) -> None:
    """Every day that PostgreSQL can hold has one date, and comes back from it."""
    assert dates.days_of(*dates.civil_of(days)) == days


def test_jsonb_orders_and_drops_keys_as_postgresql_does() -> None:
    """Shorter keys come first, the last of equal keys stays, numbers keep their trailing zeros."""
    text = jsonb_text('{"bb": 1.50, "a": [1E3, -0.0, true, null], "ä": {}, "a": ["\\u00e4\\n\\u0001"]}')
    assert text == '{"a": ["ä\\n\\u0001"], "bb": 1.50, "ä": {}}'


def test_deep_json_is_read_as_deep_as_the_server_reads() -> None:
    """Five thousand levels are no obstacle."""
    assert jsonb_text("[" * 5000 + "]" * 5000) == "[" * 5000 + "]" * 5000


STORED = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(-2, 2)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.datetimes().map(lambda d: d.isoformat(timespec="milliseconds") + "+00:00")
    | st.datetimes().map(lambda d: d.isoformat(sep=" ", timespec="seconds"))
    | st.sampled_from(["2024-01-01T12:30+02", "2024-01-01T12:30+02:00", "2024-01-01T12:30:00.5 Z", "2024-01-01"])
)


@given(
    st.sampled_from([k for k in Kind if k is not Kind.ENUM]),
    st.sampled_from(Epoch),
    st.lists(STORED, min_size=1, max_size=6),
)
def test_columns_at_a_time_are_read_as_single_values(kind: Kind, epoch: Epoch, values: list[Value]) -> None:
    """The quick ways give the same text; where a value has no reading they give none that a target can hold."""
    column = ColumnPlan("c", "c", TargetType(kind), epoch=epoch)
    for value, cell in zip(values, column_reader(column, careful=True)(values), strict=True):
        try:
            assert cell == canonical(value, column.type, epoch)
        except Unreadable:
            assert isinstance(cell, Unreadable) or "\0" in str(value)
    for value in values:
        (cell,) = column_reader(column)([value])
        try:
            text = canonical(value, column.type, epoch)
        except Unreadable:
            assert isinstance(cell, Unreadable) or isinstance(value, str | int)
        else:
            late = isinstance(value, int) and abs(value) * 1000 > 2**63
            assert cell == text or late


def test_canonical_texts_are_shown_as_people_read_them() -> None:
    """Bits become numbers and counts become dates; what isn't canonical stays."""
    assert readable(Kind.DOUBLE, struct.pack(">d", -0.0).hex()) == "-0.0"
    assert readable(Kind.TIMESTAMP, "-1") == "1969-12-31 23:59:59.999999"
    assert readable(Kind.TIMESTAMPTZ, "0") == "1970-01-01 00:00:00+00"
    assert readable(Kind.DATE, "infinity") == "infinity"
    assert readable(Kind.TEXT, None) is None
