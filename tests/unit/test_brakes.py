"""Why fewer workers work than were asked for, and when more of them do again."""

from zenni_tui.model import events as e
from zenni_tui.model.state import RunState, reduce
from zenni_tui.steps.brakes import Brakes, Cause


def brakes(told: list[e.AnyEvent], wished: int = 4) -> Brakes:
    """Return brakes of a run that was given so many workers."""
    return Brakes(told.append, lambda: wished)


def words(told: list[e.AnyEvent]) -> list[str]:
    """Return what was told of workers."""
    return [t.words for t in told if isinstance(t, e.Eased)]


def test_the_strictest_cause_holds_and_one_always_works() -> None:
    """Causes come and go one by one; each is told once, however often it is seen."""
    told: list[e.AnyEvent] = []
    made = brakes(told)
    for _ in range(2):
        made.hold(Cause.ROOM, 3, "Few sessions.")
        made.hold(Cause.LAG, 0, "A standby lags.")
    assert made.workers == 1
    made.free(Cause.LAG, "It has caught up.")
    made.free(Cause.LAG, "It has caught up.")
    assert made.workers == 3
    assert words(told) == [
        "Few sessions. Going on with 3 of 4 workers.",
        "A standby lags. Going on with 1 of 4 workers.",
        "It has caught up. Going on with 3 of 4 workers.",
    ]


def test_after_a_quiet_while_one_more_tries_and_each_failure_doubles_the_while() -> None:
    """A minute brings back one of two; a refusal then takes it away for two minutes, and none before."""
    told: list[e.AnyEvent] = []
    made = brakes(told, 2)
    made.crowded(100.0)
    assert made.workers == 1
    made.tick(159.0)
    assert made.workers == 1
    made.tick(160.0)
    assert made.workers == 2
    made.crowded(161.0)
    made.tick(280.0)
    assert made.workers == 1
    made.tick(281.0)
    assert made.workers == 2
    assert words(told)[1::2] == [
        "The target has had room for 60 s, so one more tries. Going on with all workers.",
        "The target has had room for 120 s, so one more tries. Going on with all workers.",
    ]


def test_workers_come_back_one_at_a_time() -> None:
    """Two were taken away, the first comes back after its quiet while, the second after another one."""
    made = brakes([])
    made.crowded(0.0)
    made.crowded(1.0)
    assert made.workers == 2
    made.tick(121.0)
    assert made.workers == 3
    made.tick(122.0)
    assert made.workers == 3
    made.tick(241.0)
    assert made.workers == 4


def test_the_state_tells_of_fewer_workers_until_all_work() -> None:
    """Who attaches later sees it too, as a warning while it lasts."""
    state = reduce(RunState(), e.Entry(1, 0.0, e.Eased(1, 2, "No room.")))
    assert state.eased == e.Eased(1, 2, "No room.")
    assert (state.lines[-1].level, state.lines[-1].text) == ("warning", "No room. Going on with 1 of 2 workers.")
    state = reduce(state, e.Entry(2, 1.0, e.Eased(2, 2, "Room again.")))
    assert state.eased is None
    assert state.lines[-1].level == "info"
