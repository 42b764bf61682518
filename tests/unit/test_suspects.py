"""Which columns are tried value by value, and which the audit's profile clears."""

import pytest

from zenni_tui.convert import encode, suspects
from zenni_tui.convert.dates import EARLIEST, LATEST
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, Plan, TablePlan, TargetType
from zenni_tui.model.schema import ColumnProfile, TableProfile

MILLIS = TargetType(Kind.TIMESTAMP, 3)
SECONDS = TargetType(Kind.TIMESTAMPTZ, 0)


def tried(column: ColumnPlan, profile: ColumnProfile) -> bool:
    """Return whether a column of a profile is tried value by value."""
    plan = Plan("public", (TablePlan("t", "t", (column,)),))
    return bool(list(suspects.doubtful(plan, {"t": TableProfile("t", 9, {"at": profile})})))


@pytest.mark.parametrize(
    ("kind", "epoch", "unit"), [(MILLIS, Epoch.MILLISECONDS, 1000), (SECONDS, Epoch.SECONDS, 1_000_000)]
)
def test_whole_numbers_are_proven_by_their_range(kind: TargetType, epoch: Epoch, unit: int) -> None:
    """Numbers that count from an epoch need no trial up to the last one that the encoder takes, and one beyond it."""
    column = ColumnPlan("at", "at", kind, epoch=epoch)
    first, last = -(-EARLIEST // unit), LATEST // unit
    field = encode.field_encoder(column)
    assert field(first)
    assert field(last)
    assert not tried(column, ColumnProfile(integers=9, nulls=1, smallest=first, largest=last))
    for smallest, largest in ((first - 1, last), (first, last + 1)):
        with pytest.raises(Unfit):
            [field(smallest), field(largest)]
        assert tried(column, ColumnProfile(integers=9, smallest=smallest, largest=largest))


@pytest.mark.parametrize(
    ("column", "profile"),
    [
        (ColumnPlan("at", "at", TargetType(Kind.DATE)), ColumnProfile(integers=1, smallest=1, largest=1)),
        (ColumnPlan("at", "at", SECONDS), ColumnProfile(integers=1, smallest=1, largest=1)),
        (ColumnPlan("at", "at", MILLIS, epoch=Epoch.JULIAN), ColumnProfile(integers=1, smallest=1, largest=1)),
        (ColumnPlan("at", "at", MILLIS, epoch=Epoch.MICROSECONDS), ColumnProfile(integers=1, smallest=1, largest=1)),
        (ColumnPlan("at", "at", MILLIS), ColumnProfile(integers=1, texts=1, smallest=1, largest=1)),
        (ColumnPlan("at", "at", MILLIS), ColumnProfile(integers=1, reals=1, smallest=1, largest=1)),
        (ColumnPlan("at", "at", MILLIS), ColumnProfile(integers=1, blobs=1, smallest=1, largest=1)),
    ],
)
def test_what_a_range_does_not_prove_is_tried(column: ColumnPlan, profile: ColumnProfile) -> None:
    """A time of day in a DATE, digits that the type lacks, julian days, texts, reals and BLOBs need a look each."""
    assert tried(column, profile)
