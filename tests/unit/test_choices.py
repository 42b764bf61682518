"""What the operator's choices do to findings and columns."""

from collections.abc import Callable

import pytest

from zenni_tui.convert import declared, names
from zenni_tui.convert.repair import repairing
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import ColumnPlan, Kind, TargetType, ValueRepair, parse_type
from zenni_tui.model.schema import Value

_OFFERS = (
    Repair("strip_nul", lossless=False, text=""),
    Repair("type:bytea", lossless=True, text=""),
    Repair("to_value:", lossless=False, text=""),
)


def _finding(severity: Severity = Severity.ERROR) -> Finding:
    return Finding("text_nul", severity, "", "", "T", "c", 1, (), _OFFERS)


def test_a_repair_must_be_on_offer() -> None:
    """A choice counts only when the finding offers it; an offer that ends in a colon takes any argument."""
    for repair, taken in (("strip_nul", "strip_nul"), ("to_value:x", "to_value:x"), ("drop_all", None)):
        assert Choices({"text_nul/T/c": repair}).chosen(_finding()) == taken


def test_lossless_repairs_are_taken_for_errors_only() -> None:
    """--accept-repairs takes the first lossless repair of an error, and nothing for what only informs."""
    accepting = Choices(accept_lossless=True)
    assert accepting.chosen(_finding()) == "type:bytea"
    assert accepting.chosen(_finding(Severity.INFO)) is None


def test_choices_change_a_column() -> None:
    """Casts and repairs of a column's findings end in its plan; those of other columns don't."""
    column = ColumnPlan("c", "c", TargetType(Kind.TEXT))
    choices = Choices(
        {"text_nul/T/c": "strip_nul", "date_ambiguous/T/c": "epoch:seconds", "text_nul/T/other": "to_null"},
        {"T.c": "varchar(9)"},
    )
    made = declared.chosen(column, "T", choices)
    assert made.type == TargetType(Kind.VARCHAR, 9)
    assert made.epoch == "seconds"
    assert made.repairs == (ValueRepair("text_nul", "strip_nul"),)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("numeric(10,2)", TargetType(Kind.NUMERIC, 10, 2)),
        ("timestamp(6)", TargetType(Kind.TIMESTAMP, 6)),
        ("timestamptz(3)", TargetType(Kind.TIMESTAMPTZ, 3)),
        ("timestamp(3) with time zone", TargetType(Kind.TIMESTAMPTZ, 3)),
        ("Double Precision", TargetType(Kind.DOUBLE)),
        ("bool", TargetType(Kind.BOOLEAN)),
    ],
)
def test_types_have_the_names_people_use(text: str, kind: TargetType) -> None:
    """A type in the config may be written in the server's words or in the usual short ones."""
    assert parse_type(text) == kind


@pytest.mark.parametrize("text", ["", "money", "text; DROP TABLE x", "numeric(a)", "enum"])
def test_other_types_are_refused(text: str) -> None:
    """What is no type that a column can become is refused."""
    with pytest.raises(ValueError, match="not a type"):
        parse_type(text)


def _only_short(value: Value) -> bytes:
    if isinstance(value, str) and "\0" in value:
        raise Unfit("text_nul", "")
    if isinstance(value, str) and "\udcff" in value:
        raise Unfit("text_not_utf8", "")
    return repr(value).encode()


def _repaired(*repairs: ValueRepair, kind: Kind = Kind.TEXT) -> Callable[[Value], bytes]:
    return repairing(_only_short, ColumnPlan("c", "c", TargetType(kind), repairs=repairs))


def test_repairs_touch_only_what_is_refused() -> None:
    """A repair mends the values that its code refuses, several codes one after the other, and leaves all others."""
    field = _repaired(ValueRepair("text_nul", "strip_nul"), ValueRepair("text_not_utf8", "utf8_replace"))
    assert field(None) == b"None"
    assert field("plain") == b"'plain'"
    assert field("a\0b") == b"'ab'"
    assert field("a\0\udcff") == "'a\ufffd'".encode()
    with pytest.raises(Unfit):
        _repaired(ValueRepair("text_nul", "strip_nul"))("\udcff")


@pytest.mark.parametrize(
    ("kind", "text", "value"), [(Kind.TEXT, "", ""), (Kind.DOUBLE, "-.5", -0.5), (Kind.BYTEA, "00ff", b"\0\xff")]
)
def test_a_value_takes_the_place_of_null(kind: Kind, text: str, value: Value) -> None:
    """Chosen for NULL, the operator's text is read as the column's type; what is there stays."""
    field = _repaired(ValueRepair("null_in_not_null", "to_value", text), kind=kind)
    assert (field(None), field("here")) == (repr(value).encode(), b"'here'")


def test_names_are_kept_to_the_byte_or_proposed() -> None:
    """A name that fits stays; one that can't gets a proposal that fits, is free, and stays the same each time."""
    assert names.obstacle('Ääkköset "x" %', (), column=False) is None
    long = "ä" * 40
    assert names.obstacle(long, (), column=False) == ("name_too_long", "it has 80 bytes, PostgreSQL keeps 63")
    proposed = names.proposal(long, (), column=False)
    assert len(proposed.encode()) <= 63
    assert proposed == names.proposal(long, (), column=False)
    assert names.proposal(long, {proposed}, column=False) != proposed
    assert names.obstacle("ctid", (), column=True) is not None
    assert names.proposal("ctid", (), column=True) == "ctid_"
    assert names.obstacle("ctid", (), column=False) is None
    assert names.obstacle("", (), column=False) is not None
