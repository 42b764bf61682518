"""A drill's score: what counts as noticed, right and wrong, and when a drill is over."""

import pytest

from zenni_tui.model import events as e
from zenni_tui.model.drills import ACTS
from zenni_tui.model.runbook import STEPS_OF, RunKind, StepId, Verdict
from zenni_tui.model.state import RunState, reduce
from zenni_tui.report.drills import sheet
from zenni_tui.sandbox.drills import PLANS, plan_of
from zenni_tui.sandbox.range import Seen
from zenni_tui.sandbox.scoring import Card

SAFE = Seen(safe=True, words="all well")


def _state(*what: e.AnyEvent) -> RunState:
    facts = e.TargetFacts("h", 1, "d", "public")
    began = e.RunStarted("one", RunKind.REHEARSE, e.SourceFacts("/s.db"), facts, STEPS_OF[RunKind.REHEARSE], 1)
    state = RunState()
    for number, event in enumerate((began, *what), 1):
        state = reduce(state, e.Entry(number, 100.0 + number, event))
    return state


def _ended(verdict: Verdict) -> RunState:
    return _state(e.RunEnded(verdict, 0, 1.0, 1.0))


def _card(name: str) -> Card:
    card = Card(plan_of(name))
    card.strike(1000.0)
    return card


def test_the_first_key_after_the_fault_shows_that_it_was_noticed() -> None:
    """Keys and commands before the fault count for nothing."""
    card = Card(plan_of("connection-drop"))
    card.key(999.0)
    card.give("rollback", 999.0, _state())
    card.strike(1000.0)
    card.key(1004.0)
    card.key(1009.0)
    card.give("act line", 1010.0, _state())
    score = card.score(_ended(Verdict.PASSED), "the run is passed", 1030.0, "Mia", SAFE)
    assert (score.noticed, score.right, score.seconds, score.wrong) == (4.0, 10.0, 30.0, ())
    assert score.passed


def test_one_wrong_command_is_forgiven_and_two_are_not() -> None:
    """However well it ends."""
    for wrong, passed in ((1, True), (2, False)):
        card = _card("connection-drop")
        for _ in range(wrong):
            card.give("act server", 1001.0, _state())
        card.give("act line", 1002.0, _state())
        score = card.score(_ended(Verdict.PASSED), "the run is passed", 1030.0, "Mia", SAFE)
        assert (len(score.wrong), score.passed) == (wrong, passed)


def test_what_comes_too_early_is_wrong_and_right_afterwards() -> None:
    """A resume before there is room on the disk, then one after it."""
    card = _card("disk-full")
    for name, worth in (("resume", "wrong"), ("act room", "right"), ("resume", "right"), ("throttle", "neutral")):
        card.give(name, 1001.0, _state())
        assert card._given[-1].worth == worth


def test_a_good_end_without_the_right_command_or_with_data_lost_is_not_passed() -> None:
    """Luck is no skill, and a verdict no proof."""
    card = _card("connection-drop")
    lucky = card.score(_ended(Verdict.PASSED), "the run is passed", 1030.0, "Mia", SAFE)
    assert not lucky.passed
    assert lucky.why == "never given: act line"
    card.give("act line", 1002.0, _state())
    lost = card.score(_ended(Verdict.PASSED), "the run is passed", 1030.0, "Mia", Seen(safe=False, words="rows lost"))
    assert not lost.passed
    assert "data" in lost.why


@pytest.mark.parametrize(
    ("verdict", "alive", "now", "why"),
    [
        (Verdict.PASSED, False, 1010.0, "the run is passed"),
        (Verdict.PASSED, True, 1010.0, None),
        (Verdict.ROLLED_BACK, False, 1010.0, "the run was rolled back"),
        (Verdict.STOPPED, False, 1010.0, None),
        (Verdict.STOPPED, False, 1100.0, "time was up after 60 s"),
        (Verdict.FAILED, True, 1100.0, "time was up after 60 s"),
    ],
)
def test_a_drill_is_over_at_its_goal_when_it_is_undone_or_when_time_is_up(
    *,
    verdict: Verdict,
    alive: bool,
    now: float,
    why: str | None,
) -> None:
    """A stop, a failure or a death waits for the operator until then."""
    assert _card("killed-engine").over(_ended(verdict), now, 60.0, alive=alive) == why


def test_a_run_that_ends_before_its_fault_is_no_drill() -> None:
    """Nothing was practised."""
    card = Card(plan_of("disk-full"))
    why = card.over(_ended(Verdict.PASSED), 1.0, 60.0, alive=False)
    assert why is not None
    assert not card.score(_ended(Verdict.PASSED), why, 1.0, "Mia", SAFE).passed


def test_every_drill_can_be_mended_by_what_is_on_offer_and_its_sheet_tells_all() -> None:
    """Acts that are right are among those that can be asked for, and no drill strikes before its run writes."""
    known = {f"act {act.id}" for act in ACTS}
    for plan in PLANS:
        assert {name for name in plan.right if name.startswith("act ")} <= known
        assert set(plan.mends) == {name.removeprefix("act ") for name in plan.right if name.startswith("act ")}
        assert not plan.due(_state(e.StepStarted(StepId.REACH)))
    card = _card("late-rollback")
    card.give("rollback", 1002.0, _state())
    text = sheet(card.plan.facts, card.score(_ended(Verdict.ROLLED_BACK), "it is", 1005.0, "Mia", SAFE))
    for word in ("# Drill late-rollback: passed", "Mia", "| 2.0 | rollback | right |", "safe: all well"):
        assert word in text
