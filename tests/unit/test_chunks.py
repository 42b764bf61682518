"""The size of chunks: as wished for, smaller on lines that are thin or get lost, and as before when they are not."""

from zenni_tui.steps.chunks import LONGEST, Chunks


def chunks(said: list[str], planned: int = 25_000, rate: float = 0.0, workers: int = 2) -> Chunks:
    """Return the chunks of a copy of rows of 250 bytes."""
    made = Chunks(said.append, lambda: None)
    if rate:
        made.measured(rate)
    made.begin(planned, 250.0, workers)
    return made


def test_on_a_good_line_the_plan_holds() -> None:
    """Nothing is said and nothing changed while chunks take seconds."""
    said: list[str] = []
    made = chunks(said, rate=10e6)
    for _ in range(5):
        made.took(25_000, 2.0)
    assert (made.rows, said) == (0, [])


def test_a_thin_line_begins_with_what_it_carries_in_a_minute() -> None:
    """Shared by the workers; told with the rate that was measured."""
    said: list[str] = []
    made = chunks(said, rate=3_000.0)
    assert made.rows == LONGEST * 3_000 / 2 / 250
    assert said == ["The line carries 3 KB/s. Chunks have 360 rows from now on."]


def test_a_chunk_that_took_too_long_makes_the_next_ones_smaller_and_quick_ones_larger() -> None:
    """By as much as it took too long, then twice as many rows each time, until all is as planned again."""
    said: list[str] = []
    made = chunks(said)
    made.took(25_000, 600.0)
    assert made.rows == 1_250
    made.took(1_250, 30.0)
    assert made.rows == 1_250
    for rows in (2_500, 5_000, 10_000, 20_000, 0):
        made.took(made.rows, 1.0)
        assert made.rows == rows
    assert said[-1].endswith("Chunks have 25,000 rows from now on.")


def test_a_lost_line_halves_what_is_at_stake() -> None:
    """Never below a few rows, and only while rows are copied."""
    made = chunks([])
    for _ in range(20):
        made.lost()
    assert made.rows == 50
    made.end()
    other = chunks([])
    other.end()
    other.lost()
    assert other.rows == 0


def test_what_the_operator_wishes_holds_in_place_of_the_plan() -> None:
    """A wish forgets what the line asked for until it asks again, and bounds how far chunks grow back."""
    made = chunks([])
    made.lost()
    made.wish(5_000)
    assert made.rows == 5_000
    made.took(5_000, 120.0)
    assert made.rows == 1_250
    for _ in range(3):
        made.took(made.rows, 1.0)
    assert made.rows == 5_000
    made.wish(100_000)
    assert made.rows == 100_000
    made.wish(0)
    assert made.rows == 0


def test_a_small_rest_says_nothing_of_speed() -> None:
    """The end of a span that took no time does not make chunks larger."""
    made = chunks([])
    made.took(25_000, 600.0)
    made.took(3, 0.01)
    assert made.rows == 1_250
