"""How long the rest will take: never less than the last minute's rate implies."""

from zenni_tui.steps.meter import Forecast


def test_a_steady_rate_is_carried_on() -> None:
    """100 in 10 s leave 20 s for 200 more."""
    forecast = Forecast(0.0)
    for second in range(1, 11):
        forecast.note(float(second), second * 10)
    assert forecast.left(10.0, 200) == 20.0


def test_nothing_done_is_not_known_and_nothing_left_is_nothing() -> None:
    """Without a rate there is no estimate; at the end it is 0."""
    assert Forecast(0.0).left(5.0, 10) is None
    assert Forecast(0.0).left(5.0, 0) == 0.0


def test_the_last_minute_counts_when_it_is_slower() -> None:
    """Fast for ten minutes, slow for one: the slow rate is the one that is told."""
    forecast = Forecast(0.0)
    for second in range(1, 601):
        forecast.note(float(second), second * 100)
    for second in range(601, 662):
        forecast.note(float(second), 60_000 + second - 600)
    left = forecast.left(661.0, 1000)
    assert left is not None
    assert left >= 980


def test_the_mean_counts_when_the_last_minute_was_faster() -> None:
    """A fast minute after a slow hour promises nothing."""
    forecast = Forecast(0.0)
    for second in range(1, 3601):
        forecast.note(float(second), second)
    for second in range(3601, 3661):
        forecast.note(float(second), 3600 + (second - 3600) * 100)
    left = forecast.left(3660.0, 1000)
    assert left is not None
    assert left > 1000 * 3660 / 9600 * 0.99


def test_silence_makes_it_longer() -> None:
    """While nothing arrives the estimate grows with the time that passes."""
    forecast = Forecast(0.0)
    forecast.note(10.0, 100)
    soon, later = forecast.left(11.0, 100), forecast.left(300.0, 100)
    assert soon is not None
    assert later is not None
    assert later > 20 * soon


def test_what_is_remembered_stays_small() -> None:
    """A run of days keeps a minute's worth of notes."""
    forecast = Forecast(0.0)
    for second in range(1, 10_000):
        forecast.note(float(second), second)
    assert len(forecast._seen) < 100
