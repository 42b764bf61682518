"""Quick looks at stored instants against the encoder that reads each one whole."""

from hypothesis import given
from hypothesis import strategies as st

from zenni_tui.convert import encode, instants, trial
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, TargetType, ValueRepair
from zenni_tui.source import audit

DAYS = [
    "2024-02-29",
    "2023-02-29",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "2024-13-01",
    "+002024-01",
    "٢٠٢٤-01-01",
    "",
]
CLOCKS = [
    "T10:20:30",
    " 10:20:30",
    "T24:00:00",
    "T10:60:00",
    "T10:20:60",
    "T10:20",
    "T10:20+02",
    "T10:20:",
    "T1:2:3",
    "",
]
RESTS = [
    "",
    ".123",
    ".1234",
    ".1234567",
    "Z",
    "z",
    "+02:00",
    " +02",
    "+16:00",
    ".123Z",
    ":30",
    "30",
    "\n",
    ".5 -0330",
    "x",
]
TEXTS = st.tuples(*map(st.sampled_from, (DAYS, CLOCKS, RESTS))).map("".join)
TYPES = st.builds(TargetType, st.sampled_from([Kind.TIMESTAMP, Kind.TIMESTAMPTZ]), st.sampled_from([None, 0, 3, 6]))


def fits(column: ColumnPlan, value: str | int) -> bool:
    """Return whether the column's encoder takes a value."""
    try:
        encode.field_encoder(column)(value)
    except Unfit:
        return False
    return True


@given(TYPES, TEXTS | st.text(max_size=30))
def test_no_text_passes_that_the_encoder_refuses(kind: TargetType, text: str) -> None:
    """What a quick look takes for sound is so, and names a zone when it says so."""
    column = ColumnPlan("at", "at", kind)
    quick = instants.quick(column)
    assert quick is not None
    zoned = quick.zoned(text)
    assert zoned is None or (fits(column, text) and zoned == instants.names_zone(text))


@given(TYPES, st.sampled_from(Epoch), st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**45), 2**45)))
def test_no_number_passes_that_the_encoder_refuses(kind: TargetType, epoch: Epoch, values: list[int]) -> None:
    """Where a quick look at the ends says that all whole numbers fit, each of them does."""
    column = ColumnPlan("at", "at", kind, epoch=epoch)
    quick = instants.quick(column)
    assert quick is not None
    if quick.whole_fit([*values, None, "text", 0.5]):
        assert all(fits(column, value) for value in values)


def test_ordinary_instants_pass_quickly() -> None:
    """The forms that Prisma and SQLite write are not read whole a second time."""
    quick = instants.quick(ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 3)))
    assert quick is not None
    assert quick.zoned("2024-02-29T10:20:30.123+00:00") is True
    assert quick.zoned("2024-02-29 10:20:30") is False
    assert quick.whole_fit([1_700_000_000_123, None, 0])


def test_zones_and_repairs_are_read_whole() -> None:
    """In a zone an hour may be missing, and a repair may change any value: there is no quick look."""
    kind = TargetType(Kind.TIMESTAMP, 3)
    assert instants.quick(ColumnPlan("at", "at", kind, zone="Europe/Helsinki")) is None
    assert instants.quick(ColumnPlan("at", "at", kind, repairs=(ValueRepair("date_too_fine", "to_null"),))) is None
    assert instants.quick(ColumnPlan("at", "at", TargetType(Kind.DATE))) is None


@given(
    st.lists(st.lists(st.none() | st.integers() | st.floats() | st.binary(max_size=2) | TEXTS, min_size=1, max_size=4))
)
def test_a_trial_names_each_value_that_does_not_fit(batches: list[list[object]]) -> None:
    """Trouble is told for exactly the rows whose value the encoder refuses, by key and rowid; zones are counted."""
    column = ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 3))
    values = [value for batch in batches for value in batch]
    rows, place = [], 0
    for batch in batches:
        rows.append([(place + i, value) for i, value in enumerate(batch)])
        place += len(batch)
    tried = trial.attempt(rows, [column], (), lead=1)  # type: ignore[arg-type]
    bad = {i for i, value in enumerate(values) if value is not None and not fits(column, value)}  # type: ignore[arg-type]
    assert {rowid for trouble in tried.troubles for rowid in trouble.rowids} == bad
    assert {key for trouble in tried.troubles for key in trouble.keys} == set(map(str, bad))
    texts = [v for i, v in enumerate(values) if isinstance(v, str) and i not in bad]
    assert tried.zoned.get("at", 0) == sum(map(instants.names_zone, texts))
    assert tried.zoned.get("at", 0) + tried.zoneless.get("at", 0) == len(texts)


@given(st.lists(TEXTS, max_size=4), TYPES, st.sampled_from([e for e in Epoch if e is not Epoch.JULIAN]))
def test_what_a_profile_proves_is_taken_by_the_encoder(texts: list[str], kind: TargetType, epoch: Epoch) -> None:
    """A column whose profile clears it takes each of its texts, and as many of them name a zone as the profile says."""
    column = ColumnPlan("at", "at", kind, epoch=epoch)
    profile = audit.profile(texts)
    if instants.proven(column, profile):
        assert all(fits(column, text) for text in texts)
        named = [instants.names_zone(text) for text in texts]
        assert (profile.zoned, profile.zoneless) == (sum(named), len(named) - sum(named))


def test_one_text_that_is_no_plain_moment_clears_none() -> None:
    """Moments beside a text that needs a longer look, or a repair, a zone or a class of another kind, are all tried."""
    moments = ["2024-02-29T10:20:30.123Z", "2024-02-29 10:20:30"]
    column = ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 3))
    assert instants.proven(column, audit.profile([*moments, None, 1_700_000_000_000]))
    for other in ("2024-02-30T10:20:30Z", "2024-02-29T10:20:30.1234Z", "today", 1.5, b"2024-02-29T10:20:30Z"):
        assert not instants.proven(column, audit.profile([*moments, other]))
    for other in (
        ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 0)),
        ColumnPlan("at", "at", TargetType(Kind.DATE)),
        ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 3), zone="Europe/Helsinki"),
        ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 3), repairs=(ValueRepair("date_unreadable", "to_null"),)),
    ):
        assert not instants.proven(other, audit.profile(moments))
