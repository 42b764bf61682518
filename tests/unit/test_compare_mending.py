"""What the verifier makes of chosen repairs, and what it orders to mend a target."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenni_tui.compare.limits import refusal
from zenni_tui.compare.mending import mender
from zenni_tui.compare.records import Difference, DifferenceKind, Part
from zenni_tui.compare.repair import Delete, Orders, Reload, orders
from zenni_tui.convert.encode import field_encoder
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.plan import ColumnPlan, EnumPlan, Epoch, Kind, TargetType, ValueRepair
from zenni_tui.model.schema import Value

MOOD = EnumPlan("mood", ("ok", "1"))
STRIP, STRIP_JSON = ValueRepair("text_nul", "strip_nul"), ValueRepair("json_nul", "strip_nul")


def column(kind: Kind, *repairs: ValueRepair, size: int | None = None, scale: int | None = None) -> ColumnPlan:
    """Return a column of that type with those repairs."""
    return ColumnPlan("c", "c", TargetType(kind, size, scale, "mood" if kind is Kind.ENUM else None), repairs=repairs)


def utf8(action: str) -> ValueRepair:
    """Return a repair of what is not UTF-8."""
    return ValueRepair("text_not_utf8", action)


@pytest.mark.parametrize(
    ("planned", "value", "mended"),
    [
        (column(Kind.TEXT, STRIP), "a\0b\0", "ab"),
        (column(Kind.TEXT, STRIP), "a\0 \\u0000", "a \\u0000"),
        (column(Kind.JSONB, STRIP_JSON), '["a\\u0000b", "\\\\u0000", "\\\\\\u0000"]', '["ab", "\\\\u0000", "\\\\"]'),
        (column(Kind.JSONB, STRIP, STRIP_JSON), '"a\\u0000b"\0', '"ab"'),
        (column(Kind.TEXT, utf8("utf8_replace")), "\udce9t\udcc3", "\ufffdt\ufffd"),
        (column(Kind.TEXT, utf8("utf8_latin1")), "\udce9t\udc80\udcc3\udca9", "ét\x80Ã©"),
        (column(Kind.TEXT, utf8("utf8_latin1")), "é\udce9", "Ã©é"),
        (column(Kind.TEXT, utf8("utf8_cp1252")), "\udc80 5", "€ 5"),
        (column(Kind.TEXT, STRIP, utf8("utf8_replace")), "\udce2\0\udc82", "\ufffd"),
        (column(Kind.INTEGER, ValueRepair("not_an_integer", "to_null")), "n/a", None),
        (column(Kind.INTEGER, ValueRepair("not_an_integer", "to_value", "-1")), b"x", "-1"),
        (column(Kind.VARCHAR, ValueRepair("text_too_long", "to_value", "-"), size=2), "äöü", "-"),
        (column(Kind.CHAR, ValueRepair("text_padded", "to_null"), size=3), "a ", None),
        (column(Kind.ENUM, ValueRepair("enum_unknown", "to_value", "ok")), "OK", "ok"),
        (column(Kind.ENUM, ValueRepair("enum_unknown", "to_value", "ok")), 1, "ok"),
        (column(Kind.NUMERIC, ValueRepair("number_too_precise", "to_null"), size=4, scale=2), "1.005", None),
        (column(Kind.NUMERIC, ValueRepair("number_infinite", "to_null"), size=4, scale=2), float("inf"), None),
        (column(Kind.TIMESTAMP, ValueRepair("date_too_fine", "to_null"), size=3), "2024-01-01 00:00:00.0001", None),
        (column(Kind.TIME, ValueRepair("date_too_fine", "to_null"), size=0), "12:00:00.5", None),
        (column(Kind.BYTEA, ValueRepair("not_a_blob", "to_null")), "text", None),
        (column(Kind.JSON, ValueRepair("json_invalid", "to_value", "{}")), "{'a': 1}", "{}"),
    ],
)
def test_repairs_make_of_a_value_what_is_written_down(planned: ColumnPlan, value: Value, mended: Value) -> None:
    """Each repair has one meaning, for the values that its finding is about."""
    mend = mender(planned, (MOOD,))
    assert mend is not None
    assert mend(value) == (mended, True)


@pytest.mark.parametrize(
    ("planned", "value"),
    [
        (column(Kind.TEXT, STRIP), "\\u0000 é"),
        (column(Kind.TEXT, STRIP), "\udcff"),
        (column(Kind.TEXT, utf8("utf8_latin1")), "é"),
        (column(Kind.TEXT, utf8("utf8_cp1252")), None),
        (column(Kind.INTEGER, ValueRepair("not_an_integer", "to_null")), "7"),
        (column(Kind.INTEGER, ValueRepair("not_an_integer", "to_null")), 2**40),
        (column(Kind.ENUM, ValueRepair("enum_unknown", "to_null")), "1"),
        (column(Kind.CHAR, ValueRepair("text_too_long", "to_null"), size=3), "a "),
    ],
)
def test_repairs_leave_other_values_alone(planned: ColumnPlan, value: Value) -> None:
    """What is readable stays, and so does what has no reading for another reason."""
    mend = mender(planned, (MOOD,))
    assert mend is not None
    assert mend(value) == (value, False)


def test_columns_without_repairs_and_unknown_repairs() -> None:
    """Ordinary columns cost nothing; an action or an enum that nobody knows is an error, not a guess."""
    assert mender(column(Kind.TEXT)) is None
    with pytest.raises(KeyError):
        mender(column(Kind.TEXT, ValueRepair("text_nul", "guess")))
    with pytest.raises(KeyError):
        mender(column(Kind.ENUM, ValueRepair("enum_unknown", "to_null")))


def test_bytes_that_a_code_page_leaves_undefined_stay_unreadable() -> None:
    """Windows-1252 knows no 0x81: nothing is put in its place."""
    planned = column(Kind.TEXT, utf8("utf8_cp1252"))
    mend = mender(planned)
    assert mend is not None
    mended, _ = mend("\udc81")
    assert refusal(planned, ())(mended) == "text_not_utf8"


SIZES = {Kind.VARCHAR: 4, Kind.CHAR: 3, Kind.TIMESTAMP: 3, Kind.TIME: 3}
KINDS = [
    *(column(kind) for kind in Kind),
    *(column(kind, size=size) for kind, size in SIZES.items()),
    column(Kind.NUMERIC, size=5, scale=2),
    column(Kind.NUMERIC, size=2, scale=5),
    *(msgspec.structs.replace(column(kind), epoch=e) for kind in (Kind.TIMESTAMP, Kind.DATE) for e in Epoch),
    msgspec.structs.replace(column(Kind.TIMESTAMPTZ), zone="Europe/Helsinki"),
]
PIECES = ["\0", "\udcc3", "\udce9", "a", "é", " ", "1", "-", ".5", "e9", '"', "\\u0000", "\\ud83d", "\\ude00", "{", "}"]
VALUES: st.SearchStrategy[Value] = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=3)
    | st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
    | st.lists(st.sampled_from(PIECES), max_size=4).map(lambda parts: f'["{"".join(parts)}"]')
    | st.datetimes().map(lambda d: d.replace(year=max(2, d.year)).isoformat(sep=" "))
    | st.datetimes().map(lambda d: d.isoformat(timespec="milliseconds") + "+02:00")
    | st.sampled_from(["2024-03-31 03:30:00", "2024-02-30", "23:59:60", "12:00", "NaN", "[1e200000]", "ok", "true"])
    | st.uuids().map(str)
)


def complaint(encode: Callable[[Value], bytes], value: Value) -> str | None:
    """Return the code with which the copier refuses a value."""
    try:
        encode(value)
    except Unfit as unfit:
        return unfit.code
    return None


@given(st.sampled_from(KINDS), VALUES)
def test_the_verifier_refuses_what_the_copier_refuses_for_the_same_reason(planned: ColumnPlan, value: Value) -> None:
    """Two readings made apart agree on every value's finding, so that a repair means the same values to both."""
    assert refusal(planned, (MOOD,))(value) == complaint(field_encoder(planned, (MOOD,)), value)


def differing(kind: DifferenceKind, rowid: int | None, *where: str | None, keyless: bool = False) -> Difference:
    """Return a difference of table `t` whose row is found by columns a, b, ..."""
    parts = tuple(Part(name, text) for name, text in zip("abc", where, strict=False))
    return Difference("t", "k", None, None, None, kind, rowid, parts, keyless)


def test_differing_rows_are_deleted_and_loaded_again() -> None:
    """A row that differs in two columns is one row; a missing one needs no deletion, an extra one no load."""
    told = [
        differing(DifferenceKind.DIFFERS, 9, "9"),
        differing(DifferenceKind.DIFFERS, 9, "9"),
        differing(DifferenceKind.MISSING, 4, "4"),
        differing(DifferenceKind.MISSING, 3),
        differing(DifferenceKind.EXTRA, None, "7"),
        differing(DifferenceKind.EXTRA, 5, "5"),
        differing(DifferenceKind.MISSING, None, "4"),
    ]
    deletes = tuple(Delete("t", (Part("a", key),)) for key in ("9", "7", "5"))
    assert orders(told) == Orders(deletes, (Reload("t", (3, 4, 5, 9)),))
    assert orders([]) == Orders()


def test_rows_without_a_key_are_deleted_as_often_as_they_are_too_many() -> None:
    """Equal rows can't be told apart: some of them go."""
    told = [
        differing(DifferenceKind.EXTRA, None, "x", None, keyless=True),
        differing(DifferenceKind.EXTRA, None, "x", None, keyless=True),
        differing(DifferenceKind.MISSING, 2, keyless=True),
    ]
    assert orders(told) == Orders(
        (Delete("t", (Part("a", "x"), Part("b", None)), 2),),
        (Reload("t", (2,)),),
    )


def test_a_table_whose_rows_have_no_rowid_is_loaded_again_as_a_whole() -> None:
    """WITHOUT ROWID, and keys that the source holds twice: nothing smaller is sure."""
    for told in (differing(DifferenceKind.DIFFERS, None, "1"), differing(DifferenceKind.MISSING, None, "1")):
        assert orders([told]) == Orders((Delete("t"),), (Reload("t", whole=True),))
